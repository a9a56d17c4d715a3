"""How well doubts tell where a mask is wrong, by how they are made, and how long it takes.

python Testing/benchmarks/doubt.py COHORT

On each case of a cohort: the initial mask, and that after one and two rounds of the user who knows. Of all
voxels within 6 mm of the mask's border:

- AUSE, the area between the sparsification curve (the share of errors left when the most doubtful voxels are
  taken away first) and the best there can be;
- ECE, the calibration error over ten bins, after a logistic regression on these very cases;
- how far the DSC that is expected lies from the one that is.

AUSE and ECE are means over cases with an error.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

import numpy as np
from scipy import ndimage, optimize
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.resampling import ResamplingGrid
from VSClickCorrectLib.inference.click_segmenter import ClickSegmenter
from VSClickCorrectLib.inference.doubt_map import BAND_MM, expected_dice, window_around
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectLib.inference.plain_segmenter import run
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectResearch.datasets.cases import list_cases
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.experiment import initial_mask
from VSClickCorrectResearch.evaluation.rounds import apply_accepted
from VSClickCorrectResearch.simulation.user import border_clicks

ROUNDS, CLICKS = 3, 5
# Axes that are mirrored, of what the network sees: slices, rows, columns.
MIRRORS = {"once": [()], "rows, too": [(), (2,)], "slices, too": [(), (1,)], "columns, too": [(), (3,)]}
MIRRORS["each axis, too"] = [(), (1,), (2,), (3,)]


class Looked(NamedTuple):
    """Voxels near the border: whether they are in the mask, whether it is wrong, and log odds that it is."""

    mask: np.ndarray
    wrong: np.ndarray
    says: dict[str, np.ndarray]


def main() -> None:
    """Look at every case and print a table for each round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cohort", type=Path)
    looked, times = defaultdict(list), []
    networks = Networks.load(ModelFolder(None), "cpu", None)
    segmenter = ClickSegmenter(networks.segmenter.segmenter)
    for lazy in list_cases(parser.parse_args().cohort):
        case = lazy.load()
        for number, (mask, clicks) in enumerate(masks_of(case, networks)):
            begin = time.perf_counter()
            if networks.segmenter.doubts(case.case, mask, clicks) is not None:
                times.append(time.perf_counter() - begin)
                looked[number].append(look(case, segmenter, mask, clicks))
        print(lazy.name, flush=True)
    for number, cases in looked.items():
        print(
            f"round {number}, {len(cases)} cases, DSC {mean(dice(one.mask, one.wrong) for one in cases):.3f}"
        )
        for way in cases[0].says:
            print("  " + row(way, cases))
    print(f"{1000 * median(times):.0f} ms a map, {1000 * max(times):.0f} ms the slowest")


def masks_of(case: LabelledCase, networks: Networks) -> Iterator[tuple[ArrayMask, list]]:
    """Yield the initial mask and that after each round, with the clicks so far."""
    mask = ArrayMask(case.grid, initial_mask(networks.segmenter)(case).mask)
    session = CorrectionSession(case.case, mask, networks.corrector, networks.segmenter.propose)
    for number in range(ROUNDS):
        if number:
            session.next_round()
            if clicks := border_clicks(case.grid, case.truth, mask.values, CLICKS):
                apply_accepted(session, clicks)
        yield mask, session.clicks


def look(case: LabelledCase, segmenter: ClickSegmenter, mask: ArrayMask, clicks: list) -> Looked:
    """Return what all ways say of a mask."""
    window = window_around(segmenter, case.grid, Box.around(mask.values))
    channels = segmenter.channels(case.case, window, mask, clicks)
    without = segmenter.channels(case.case, window, None, [])
    inside, truth = (values[window.box.slices] for values in (mask.values, case.truth))
    spacing = case.grid.spacing[::-1]
    near = [
        ndimage.distance_transform_edt(values, sampling=spacing) <= BAND_MM for values in (inside, ~inside)
    ]
    band = near[0] & near[1]
    passes = {axes: seen(segmenter, window, channels, axes)[band] for axes in ((), (1,), (2,), (3,))}
    inside, truth = inside[band], truth[band]
    chances = {way: np.mean([passes[axes] for axes in each], axis=0) for way, each in MIRRORS.items()}
    chances["without mask and clicks"] = seen(segmenter, window, without, ())[band]
    says = {way: log_odds(np.where(inside, 1 - chance, chance)) for way, chance in chances.items()}
    says["spread over mirrors"] = np.log(np.std(list(passes.values()), axis=0) + 1e-3)
    return Looked(inside, inside != truth, says)


def seen(
    segmenter: ClickSegmenter, window: ResamplingGrid, channels: np.ndarray, axes: tuple[int, ...]
) -> np.ndarray:
    """Return the network's probability at native voxels, of what it sees mirrored along axes."""
    mirrored = run(segmenter.model.network, np.flip(channels, axes).copy())
    return window.resample_back(np.flip(mirrored, [axis - 1 for axis in axes]))


def log_odds(chance: np.ndarray) -> np.ndarray:
    """Return the log odds of chances."""
    clipped = np.clip(chance, 1e-4, 1 - 1e-4)
    return np.log(clipped / (1 - clipped))


def row(way: str, cases: list[Looked]) -> str:
    """Return the numbers of one way."""
    intercept, slope = fitted([(one.says[way], one.wrong) for one in cases])
    chances = [1 / (1 + np.exp(-intercept - slope * one.says[way])) for one in cases]
    pairs = [(chance, one.wrong) for chance, one in zip(chances, cases, strict=True) if one.wrong.any()]
    apart = [
        abs(dice(one.mask, chance) - dice(one.mask, one.wrong))
        for chance, one in zip(chances, cases, strict=True)
    ]
    return (
        f"{way:24} AUSE {mean(ause(*pair) for pair in pairs):.4f}  "
        f"ECE {mean(ece(*pair) for pair in pairs):.4f}  DSC off by {mean(apart):.3f}  "
        f"intercept {intercept:.2f}, slope {slope:.2f}"
    )


def fitted(cases: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Return intercept and slope of a logistic regression in which every case counts the same."""

    def loss(weights: np.ndarray) -> float:
        return mean(
            float(np.logaddexp(0, -(2.0 * wrong - 1) * (weights[0] + weights[1] * says)).mean())
            for says, wrong in cases
        )

    intercept, slope = optimize.minimize(loss, [-1.0, 0.8], method="Nelder-Mead").x
    return float(intercept), float(slope)


def ause(chance: np.ndarray, wrong: np.ndarray) -> float:
    """Return the area between the sparsification curve and the best one."""
    count = int(wrong.sum())
    left = 1 - np.cumsum(wrong[np.argsort(-chance, kind="stable")]) / count
    best = np.clip(1 - np.arange(1, len(wrong) + 1) / count, 0, None)
    return float((left - best).mean())


def ece(chance: np.ndarray, wrong: np.ndarray) -> float:
    """Return the expected calibration error over ten bins."""
    bins = np.clip((10 * chance).astype(int), 0, 9)
    chosen = [bins == number for number in np.unique(bins)]
    return float(sum(abs(chance[one].mean() - wrong[one].mean()) * one.mean() for one in chosen))


def dice(mask: np.ndarray, wrong: np.ndarray) -> float:
    """Return the DSC of a mask near its border that is wrong so much there."""
    return expected_dice(mask, wrong.astype(float))


if __name__ == "__main__":
    main()
