"""What it brings to correct in the slices that were acquired, and not in axial ones whatever they are.

python Testing/benchmarks/slice_planes.py COHORT

Of a cohort's cases with coronal or sagittal slices: three rounds of at most five boundary clicks, one a
slice, from the initial mask and from four masks spoiled on purpose; mean DSC over cases of their means over
starts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectResearch.datasets.cases import list_cases
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.experiment import initial_mask
from VSClickCorrectResearch.evaluation.rounds import Method, Play, Start, play_rounds
from VSClickCorrectResearch.simulation.mask_perturbations import spoiled

SPOILED = 4
PLANES = {"axial": Grid.axial_order, "as acquired": Grid.slice_order}


def main() -> None:
    """Play every case both ways and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cohort", type=Path)
    networks = Networks.load(ModelFolder(None), "cpu", None)
    found: dict[str, list[np.ndarray]] = {plane: [] for plane in PLANES}
    for case in cases_in_other_planes(parser.parse_args().cohort):
        starts = [initial_mask(networks.segmenter)(case)]
        starts += [
            Start(spoiled(case.grid, case.truth, np.random.default_rng(seed))) for seed in range(SPOILED)
        ]
        for plane, order in PLANES.items():
            Grid.slice_order = order  # type: ignore[method-assign]
            found[plane].append(np.mean([played(case, start, networks) for start in starts], axis=0))
        print(case.name, {plane: np.round(values[-1], 3).tolist() for plane, values in found.items()})
    for plane, values in found.items():
        print(plane, np.mean(values, axis=0).round(3).tolist(), len(values), "cases")


def cases_in_other_planes(cohort: Path) -> Iterator[LabelledCase]:
    """Yield the cases with a tumour whose slices are not axial."""
    acquired = Grid.slice_order
    for listed in list_cases(cohort):
        case = listed.load()
        if case.truth.any() and acquired(case.grid) != case.grid.axial_order():
            yield case


def played(case: LabelledCase, start: Start, networks: Networks) -> list[float]:
    """Return the DSC of the start and after each round."""
    method = Method("corrector", networks.corrector)
    return [one.scores.dice for one in play_rounds(case, start, method, Play())]


if __name__ == "__main__":
    main()
