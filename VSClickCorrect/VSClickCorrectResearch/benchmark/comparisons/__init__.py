"""Other ways to do the same, measured side by side with ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.manifest import ModelFolder

from VSClickCorrectResearch.benchmark.comparisons import deepedit, editor_undo, monai_inference, segment_write
from VSClickCorrectResearch.benchmark.comparisons.comparison import Comparison

# Whole volumes take some of the comparisons half a minute each time.
_FEW = 3


class Effort(Protocol):
    """What another program must know of the settings: how often to measure, and where networks run."""

    @property
    def repeats(self) -> int:
        """How often what takes milliseconds is measured."""

    @property
    def device(self) -> str:
        """As for `choose_device`."""


def _monai(case: Case, truth: np.ndarray, models: ModelFolder, effort: Effort) -> list[Comparison]:
    few = min(_FEW, effort.repeats)
    return [monai_inference.compare(case, truth, few, models, device=effort.device)]


def _deepedit(case: Case, truth: np.ndarray, models: ModelFolder, effort: Effort) -> list[Comparison]:
    few = min(_FEW, effort.repeats)
    return [
        deepedit.compare(case, truth, few, models, device=effort.device),
        deepedit.compare_resized(case, truth, few, models, device=effort.device),
    ]


def _slicer_util(case: Case, truth: np.ndarray, models: ModelFolder, effort: Effort) -> list[Comparison]:
    return [segment_write.compare(case, truth, effort.repeats)]


def _editor(case: Case, truth: np.ndarray, models: ModelFolder, effort: Effort) -> list[Comparison]:
    return [
        editor_undo.compare_round_trip(case, truth, effort.repeats),
        editor_undo.compare(case, truth, effort.repeats),
        editor_undo.compare(case, truth, effort.repeats, whole=False),
    ]


COMPARISONS: dict[str, Callable[[Case, np.ndarray, ModelFolder, Effort], list[Comparison]]] = {
    "MONAI's sliding window": _monai,
    "DeepEdit": _deepedit,
    "slicer.util": _slicer_util,
    "trame-slicer's editor": _editor,
}
