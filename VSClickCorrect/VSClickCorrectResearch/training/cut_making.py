"""How an experiment wants its cuts made: by which clicks, and with which errors."""

from __future__ import annotations

from functools import partial

import numpy as np
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.geometry.grid import Grid

from VSClickCorrectResearch.simulation.cut_errors import spoiled_cut
from VSClickCorrectResearch.simulation.drawn_clicks import DrawnClicks, drawn_clicks
from VSClickCorrectResearch.simulation.thesis_user import thesis_clicks
from VSClickCorrectResearch.training.examples import ClicksOn, CutMaking, training_clicks
from VSClickCorrectResearch.training.experiments import EACH_CUT, Examples


def making_of(examples: Examples) -> CutMaking:
    """Return how the cuts of an experiment are made."""
    clicks: dict[str, ClicksOn] = {
        "mixed": training_clicks,
        "drawn": partial(_drawn, _wanted(examples)),
        "algorithm-1": partial(_by_algorithm_1, examples),
    }
    return CutMaking(clicks[examples.clicks], spoiled_cut if examples.start == EACH_CUT else None)


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
