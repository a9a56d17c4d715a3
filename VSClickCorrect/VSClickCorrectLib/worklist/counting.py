"""What a record says of a mask and of a journal, in numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.chain import Event
from VSClickCorrectLib.session.journal import history_of
from VSClickCorrectLib.session.start_mask import fingerprint


def clicks_of(events: Sequence[Event]) -> tuple[int, int]:
    """Return how many clicks stand by a journal, and its round; raises `CorrectionError` if it is damaged."""
    history, rounds = history_of(events)
    return sum(len(edit.clicks) - len(edit.removed) for edit in history.done), rounds


def mask_fingerprint(values: np.ndarray) -> str:
    """Return what tells a mask, ``(K, J, I)`` bool, from others."""
    box = Box.around(values)
    return fingerprint(box, values[box.slices])


def volume_of(values: np.ndarray, grid: Grid) -> float:
    """Return the volume of a mask on a grid, mm³."""
    return float(np.count_nonzero(values)) * grid.voxel_volume
