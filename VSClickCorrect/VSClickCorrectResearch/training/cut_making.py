"""How an experiment wants its cuts made: by which clicks, and with which errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import Proposer

from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.simulation.cut_errors import spoiled_cut
from VSClickCorrectResearch.simulation.drawn_clicks import DrawnClicks, drawn_clicks
from VSClickCorrectResearch.simulation.mask_perturbations import spoiled
from VSClickCorrectResearch.simulation.thesis_user import thesis_clicks
from VSClickCorrectResearch.training.examples import (
    ClicksOn,
    CutMaking,
    Example,
    patch_examples,
    training_clicks,
)
from VSClickCorrectResearch.training.experiments import EACH_CUT, Examples, Experiment

Starts = Callable[[LabelledCase, np.random.Generator], np.ndarray]


def making_of(examples: Examples) -> CutMaking:
    """Return how the cuts of an experiment are made."""
    clicks: dict[str, ClicksOn] = {
        "mixed": training_clicks,
        "drawn": partial(_drawn, _wanted(examples)),
        "algorithm-1": partial(_by_algorithm_1, examples),
    }
    return CutMaking(clicks[examples.clicks], spoiled_cut if examples.start == EACH_CUT else None)


def perturbed_start(case: LabelledCase, rng: np.random.Generator) -> np.ndarray:
    """Return a mask spoiled on purpose."""
    return spoiled(case.grid, case.truth, rng)


def _wanted(examples: Examples) -> DrawnClicks:
    return DrawnClicks(
        examples.border_clicks, examples.foreground_clicks, examples.background_clicks, examples.apart_mm
    )


def _drawn(
    wanted: DrawnClicks, grid: Grid, truth: np.ndarray, mask: np.ndarray, rng: np.random.Generator
) -> list[Click]:
    """Draw clicks on the truth, whatever the mask is."""
    del mask
    return drawn_clicks(grid, truth, wanted, rng)


def _by_algorithm_1(
    examples: Examples, grid: Grid, truth: np.ndarray, mask: np.ndarray, rng: np.random.Generator
) -> list[Click]:
    return thesis_clicks(grid, truth, mask, rng, examples.border_clicks, examples.apart_mm)


def experiment_cuts(
    experiment: Experiment,
    cases: Iterable[LabelledCase],
    masks: int,
    start: Starts,
    corrector: Proposer | None,
    seed: int,
) -> Iterator[tuple[str, Example]]:
    """Yield the cuts of cases as an experiment wants them, each with the name of its case.

    Parameters
    ----------
    experiment : Experiment
        A corrector's.
    cases : iterable of LabelledCase
        Those without a tumour have none.
    masks : int
        Masks to correct of each case.
    start : callable
        Gives a mask to correct for a case.
    corrector : Proposer, optional
        Plays the rounds before the last.
    seed : int
        Of masks and clicks.

    Yields
    ------
    tuple of str and Example
        See `examples.patch_examples`.
    """
    geometry, making = PatchGeometry(**experiment.geometry), making_of(experiment.examples)
    rng, rounds = np.random.default_rng(seed), experiment.examples.rounds
    for case in cases:
        for _ in range(masks if case.truth.any() else 0):
            mask = start(case, rng)
            for cut in patch_examples(case, geometry, mask, rng, making, rounds, corrector):
                yield case.name, cut
