"""The mask with which a session began, kept in its journal, so that the journal alone gives the mask back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from VSClickCorrectLib.clicks.mask import ArrayMask, ExtentTrackingMask, Mask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.session.chain import Event, JournalPoint
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.session.journal import (
    Journal,
    check_case,
    check_grid,
    history_of,
    replay,
    session_event,
    session_of,
    session_start,
)

# A tumour takes a few hundred bytes. Of one scattered over the head a journal in no file keeps only the hash.
LARGEST_BOX = 1 << 23
LARGEST_BYTES = 1 << 16


def start_json(mask: Mask, whole: bool = False) -> dict[str, Any]:
    """Return what a journal says of the mask with which it begins.

    Parameters
    ----------
    mask : Mask
        The mask.
    whole : bool
        Whether to keep it however large, as in a file: nothing else may hold it after a crash.

    Returns
    -------
    dict
        ``sha256``, see `fingerprint`; ``voxels``, how many are set; and ``change``, the mask as voxels added
        to an empty one, unless that would be large and is not to be ``whole``.
    """
    box, values = tight(mask)
    start = {"sha256": fingerprint(box, values), "voxels": int(np.count_nonzero(values))}
    if whole or values.size <= LARGEST_BOX:
        change = Change.of(box, values, np.zeros_like(values))
        if whole or len(change.packed) <= LARGEST_BYTES:
            start["change"] = change.to_json()
    return start


def fingerprint(box: Box, values: np.ndarray) -> str:
    """Return the SHA-256 of a mask, given by its tight box and the bool array of the voxels in it."""
    place = json.dumps([list(box.start), list(box.stop)] if values.any() else [])
    digest = hashlib.sha256(place.encode("ascii"))
    digest.update(np.packbits(values).tobytes() if values.any() else b"")
    return digest.hexdigest()


def fingerprint_of_values(values: np.ndarray) -> str:
    """Return the `fingerprint` of a mask given whole, ``(K, J, I)`` bool."""
    box = Box.around(values)
    return fingerprint(box, values[box.slices])


def fingerprint_of(mask: Mask) -> str:
    """Return the `fingerprint` of a mask as it is now."""
    return fingerprint(*tight(mask))


def start_of(events: Sequence[Event], grid: Grid) -> np.ndarray | None:
    """Return the mask with which a journal began, ``(K, J, I)`` bool; None if the journal does not hold it.

    Raises
    ------
    CorrectionError
        If what it holds is damaged.
    """
    start = _start_event(events)
    if "change" not in start:
        return None
    mask = ArrayMask(grid)
    replay([start], mask)
    _check(mask, start, "the mask at the start of the journal is damaged; give that mask as well.")
    return mask.values


def restored(
    events: Sequence[Event], grid: Grid, start: np.ndarray | None = None, case: Case | None = None
) -> np.ndarray:
    """Return the mask as a journal left it, voxel for voxel.

    Parameters
    ----------
    events : sequence of dict
        The journal's events.
    grid : Grid
        The image's grid.
    start : ndarray of bool, optional
        The mask with which it began, ``(K, J, I)``; needed where the journal does not hold it: it was
        large, or the journal is of an earlier version.
    case : Case, optional
        The images to which the journal has to belong; if left out, any on the grid will do.

    Returns
    -------
    ndarray of bool
        ``(K, J, I)``.

    Raises
    ------
    CorrectionError
        If the journal belongs to another image or is damaged, or the start is missing or another one.
    """
    events = list(events)
    check_grid(events, grid)
    if case is not None:
        check_case(events, case)
    history_of(events)
    if start is None:
        start = start_of(events, grid)
    if start is None:
        raise CorrectionError(
            "the journal does not hold the mask with which it began; give that mask as well."
        )
    mask = ArrayMask(grid, start)
    _check(mask, _start_event(events), "the mask is not the one with which the journal began; give that one.")
    replay(events[session_start(events) :], mask)
    return mask.values


def continued(
    journal: Journal, point: JournalPoint, kept: np.ndarray, grid: Grid, case: Case | None = None
) -> np.ndarray:
    """Return the mask as a journal left it, from one that was kept when the journal had fewer events.

    Where the journal does not contain the point at which it was kept, the mask counts, and the journal begins
    a new session with it.

    Parameters
    ----------
    journal : Journal
        The journal.
    point : JournalPoint
        How much of it the kept mask holds.
    kept : ndarray of bool
        The mask that was kept, ``(K, J, I)``, painting included that older journals do not tell.
    grid : Grid
        The image's grid.
    case : Case, optional
        The images to which the journal has to belong; if left out, any on the grid will do.

    Raises
    ------
    CorrectionError
        If the journal belongs to another image or is damaged.
    """
    events, known = journal.events, journal.position(point)
    if known is None:
        told = start_json(ArrayMask(grid, kept), journal.in_file)
        journal.append(session_event(grid, "", "", told, case, since=point))
        return kept
    check_grid(events, grid)
    if case is not None:
        check_case(events, case)
    if known <= session_start(events) and (start := start_of(events, grid)) is not None:
        kept, known = start, session_start(events)
    mask = ArrayMask(grid, kept)
    replay(events[known:], mask)
    return mask.values


def recorded(events: Sequence[Event], mask: Mask) -> ExtentTrackingMask:
    """Return the mask as a journal knows it: as it is now, if the journal does not hold its start.

    Raises
    ------
    CorrectionError
        If the journal is damaged.
    """
    start = start_of(events, mask.grid)
    if start is None:
        return ExtentTrackingMask.copied(mask, mask.grid)
    known, box = ExtentTrackingMask(mask.grid), Box.around(start)
    known.write(box, start[box.slices])
    replay(events[session_start(events) :], known)
    return known


def _start_event(events: Sequence[Event]) -> dict[str, Any]:
    told = session_of(events).get("start", {})
    return told if isinstance(told, dict) else {}


def tight(mask: Mask) -> tuple[Box, np.ndarray]:
    """Return the tight box of a mask and its voxels; of an empty mask both are empty."""
    box = mask.extent() or Box((0, 0, 0), (0, 0, 0))
    return box, np.zeros(box.shape, bool) if box.empty else mask.read(box)


def _check(mask: ArrayMask, start: dict[str, Any], message: str) -> None:
    if "sha256" in start and fingerprint_of(mask) != start["sha256"]:
        raise CorrectionError(message)
