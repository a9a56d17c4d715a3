"""Taking one click back, whatever was done after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.click import Click
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.sampling import distances
from VSClickCorrectLib.session.edit import Change, Edit
from VSClickCorrectLib.session.history import EditHistory
from VSClickCorrectLib.session.mask import Mask

# Rounding must not decide between clicks that are equally far from a voxel.
_EQUAL_MM = 1e-3
# What was divided among clicks once, for as long as its edit is in a history.
_divided: WeakKeyDictionary[Edit, dict[Grid, tuple[Change, ...]]] = WeakKeyDictionary()


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


def shares(edit: Edit, grid: Grid) -> tuple[Change, ...]:
    """Divide an edit's change among its clicks: each voxel belongs to the nearest click, in mm.

    Where two clicks are equally near, it is the earlier one's.
    """
    if len(edit.clicks) == 1:
        return (edit.change,)
    known = _divided.setdefault(edit, {})
    if grid not in known:
        known[grid] = _divide(edit, grid)
    return known[grid]


def _divide(edit: Edit, grid: Grid) -> tuple[Change, ...]:
    box = edit.change.box
    nearest, least = np.zeros(box.shape, int), np.full(box.shape, np.inf)
    for n, click in enumerate(edit.clicks):
        distance = distances(grid, box, click.position_ras)
        nearer = distance < least - _EQUAL_MM
        nearest[nearer], least[nearer] = n, distance[nearer]
    added, removed = edit.change.voxels()
    return tuple(
        Change.of(box, added & (nearest == n), removed & (nearest == n)) for n in range(len(edit.clicks))
    )


def change_without(history: EditHistory, standing: StandingClick, mask: Mask) -> Change:
    """Return what has to flip so that the mask is as if a click had not been placed.

    Of the click's share these are the voxels that no later click that stands flipped, that still hold the
    click's value (painting by hand survives), and that would hold the other one without it: what lay under
    the click may itself have been taken back since. So once every click is taken back, in any order, a mask
    that was not painted by hand is what it was at first.

    Parameters
    ----------
    history : EditHistory
        What was done.
    standing : StandingClick
        The click, from `standing_clicks` of this history.
    mask : Mask
        The mask as it is; it is not changed.
    """
    box, position = standing.share.box, history.done.index(standing.edit)
    if box.empty:
        return standing.share
    added, removed = standing.share.voxels()
    current, gone = mask.read(box), history.taken_back
    mine = (added & current) | (removed & ~current)
    for later in history.done[position + 1 :]:
        for number, flipped_on, flipped_off in _flips(later, box, standing.grid):
            if number not in gone:
                mine &= ~(flipped_on | flipped_off)
    under = _under(history, position, box, standing.grid, (mine, ~added))
    return Change.of(box, mine & under & ~current, mine & ~under & current)


def _under(
    history: EditHistory, position: int, box: Box, grid: Grid, asked: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return what lies under a click now.

    Parameters
    ----------
    history, position
        The edit of the click is ``history.done[position]``.
    box, grid
        The voxels that are spoken of.
    asked : tuple of ndarray of bool
        Which of them matter, and what they held before the click.
    """
    unsettled, held = asked[0].copy(), asked[1].copy()
    ends = {edit.numbers[0]: place for place, edit in enumerate(history.done) if edit.removed}
    # The edit as of which the layers are looked at: the lowest one, so far, that is no longer there.
    as_of = np.full(box.shape, position)
    for earlier in range(position - 1, -1, -1):
        for number, added, removed in _flips(history.done[earlier], box, grid):
            was_there = ends.get(number, len(history.done)) > as_of
            flipped = unsettled & was_there & (added | removed)
            unsettled &= ~flipped
            if number in ends:
                # What it gave gives way to what it found; another value was painted over it by hand.
                given = flipped & (added == held)
                held ^= given
                unsettled |= given
                as_of[given] = earlier
    return held


def _flips(edit: Edit, box: Box, grid: Grid) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield for each click of an edit its number and the voxels of ``box`` that it added and removed."""
    if edit.clicks and not edit.change.box.intersection(box).empty:
        for number, share in zip(edit.numbers, shares(edit, grid), strict=True):
            yield number, *_in_box(share, box)


def _in_box(change: Change, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Return what a change added and removed, as arrays of ``box``'s shape."""
    common = change.box.intersection(box)
    result = np.zeros((2, *box.shape), bool)
    if not common.empty:
        for n, voxels in enumerate(change.voxels()):
            result[n][common.slices_in(box)] = voxels[common.slices_in(change.box)]
    return result[0], result[1]
