"""Taking one click back, whatever was done after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.click import Click
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.sampling import distances
from VSClickCorrectLib.session.edit import Change, Edit
from VSClickCorrectLib.session.history import EditHistory
from VSClickCorrectLib.session.mask import Mask


@dataclass(frozen=True, eq=False)
class StandingClick:
    """A click that was applied and neither undone nor taken back.

    Parameters
    ----------
    click : Click
        The click.
    edit : Edit
        The edit that applied it.
    place : int
        Which of the edit's clicks it is.
    grid : Grid
        The grid of the mask.
    """

    click: Click
    edit: Edit
    place: int
    grid: Grid

    @property
    def number(self) -> int:
        """The click's identity: its number among all clicks of the session, from 1."""
        return self.edit.numbers[self.place]

    @property
    def round(self) -> int:
        """The round it belongs to, from 1."""
        return self.edit.round

    @property
    def share(self) -> Change:
        """What the click itself changed: of the edit's voxels those nearest to it, in mm."""
        return shares(self.edit, self.grid)[self.place]

    @property
    def voxels(self) -> int:
        """How many voxels the click itself changed."""
        return sum(self.share.count)


def standing_clicks(history: EditHistory, grid: Grid) -> list[StandingClick]:
    """Return the clicks whose corrections stand, oldest first."""
    gone = history.taken_back
    return [
        StandingClick(click, edit, place, grid)
        for edit in history.done
        for place, click in enumerate(edit.clicks)
        if edit.numbers[place] not in gone
    ]


@lru_cache(maxsize=64)
def shares(edit: Edit, grid: Grid) -> tuple[Change, ...]:
    """Divide an edit's change among its clicks: each voxel belongs to the nearest click, in mm.

    Where two clicks are equally near, it is the earlier one's.
    """
    if len(edit.clicks) == 1:
        return (edit.change,)
    box = edit.change.box
    nearest = np.argmin([distances(grid, box, click.position_ras) for click in edit.clicks], axis=0)
    added, removed = edit.change.voxels()
    return tuple(
        Change.of(box, added & (nearest == n), removed & (nearest == n)) for n in range(len(edit.clicks))
    )


def change_without(history: EditHistory, standing: StandingClick, mask: Mask) -> Change:
    """Return what has to flip so that the mask is as if a click had not been placed.

    Of the click's share these are the voxels that no later click that stands flipped, that still hold the
    click's value (painting by hand survives), and that would hold the other one without it: what lay under
    the click may itself have been taken back since.

    Raises
    ------
    CorrectionError
        If the click is not one that stands in this history.
    """
    position = next((n for n, edit in enumerate(history.done) if edit is standing.edit), None)
    gone = history.taken_back
    if position is None or standing.number in gone:
        raise CorrectionError("the click was taken back or undone already; choose another one.")
    box = standing.share.box
    if box.empty:
        return standing.share
    added, removed = standing.share.voxels()
    current = mask.read(box)
    mine = (added & current) | (removed & ~current)
    for later in history.done[position + 1 :]:
        for _, flipped_on, flipped_off in _flips(later, box, standing.grid, gone, standing_only=True):
            mine &= ~(flipped_on | flipped_off)
    wanted = _below(history.done[:position], box, standing.grid, gone, mine, ~added)
    return Change.of(box, mine & wanted & ~current, mine & ~wanted & current)


def _below(
    earlier: list[Edit], box: Box, grid: Grid, gone: set[int], asked: np.ndarray, wanted: np.ndarray
) -> np.ndarray:
    """Return the values that earlier edits leave at the ``asked`` voxels, of which ``wanted`` is the last.

    A value that a click gave which has since been taken back gives way to the one before it.
    """
    wanted, open_ = wanted.copy(), asked.copy()
    for edit in reversed(earlier):
        if not open_.any():
            break
        for taken_back, flipped_on, flipped_off in _flips(edit, box, grid, gone):
            here = open_ & (flipped_on | flipped_off)
            theirs = here & (flipped_on == wanted)
            # Where the edit gave another value than was found later, a hand painted in between.
            open_ &= ~here
            if taken_back:
                wanted ^= theirs
                open_ |= theirs
    return wanted


def _flips(
    edit: Edit, box: Box, grid: Grid, gone: set[int], standing_only: bool = False
) -> Iterator[tuple[bool, np.ndarray, np.ndarray]]:
    """Yield, for each click of an edit, whether it was taken back and what it added and removed in ``box``.

    The removal of a click is one item that stands; ``standing_only`` leaves it out, and clicks taken back.
    """
    if edit.change.box.intersection(box).empty:
        return
    if edit.removed:
        if not standing_only:
            yield False, *_in_box(edit.change, box)
        return
    for number, share in zip(edit.numbers, shares(edit, grid), strict=True):
        if not (standing_only and number in gone):
            yield number in gone, *_in_box(share, box)


def _in_box(change: Change, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Return what a change added and removed, as arrays of ``box``'s shape."""
    common = change.box.intersection(box)
    result = np.zeros((2, *box.shape), bool)
    if not common.empty:
        for n, voxels in enumerate(change.voxels()):
            result[n][common.slices_in(box)] = voxels[common.slices_in(change.box)]
    return result[0], result[1]
