"""Taking one click back, whatever was done after it."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import Mask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import distances
from VSClickCorrectLib.session.click_rules import wanted
from VSClickCorrectLib.session.edit import Change, Edit
from VSClickCorrectLib.session.history import EditHistory

# Rounding must not decide between clicks that are equally far from a voxel.
_EQUAL_MM = 1e-3
# What the clicks of an edit laid over the mask, found once, for as long as the edit is in a history.
_known: WeakKeyDictionary[Edit, dict[Grid, list[Layer]]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class ActiveClick:
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
        return layers_of(self.edit, self.grid)[self.place].share

    @property
    def voxels(self) -> int:
        """How many voxels the click itself changed."""
        return sum(self.share.count)


@dataclass(frozen=True, eq=False)
class Layer:
    """What one click laid over the mask: what it flipped, and its own voxel, flipped or not.

    Parameters
    ----------
    number : int
        The click's number.
    share : Change
        Its share of what its edit changed.
    own : Box or None
        The voxel that it holds; a boundary click holds none.
    gave, found : bool
        What the click gave its own voxel, and what it found there.
    foreign : tuple of Box
        Voxels that other clicks of the same edit hold; they are not this click's, however near it is.
    """

    number: int
    share: Change
    own: Box | None
    gave: bool
    found: bool
    foreign: tuple[Box, ...]

    @property
    def box(self) -> Box:
        """The voxels that hold the layer."""
        if self.own is None or self.share.box.empty:
            return self.own or self.share.box
        return self.share.box.union(self.own)

    def within(self, box: Box) -> np.ndarray:
        """Return where the layer lies, what it gave and what it found: bool, ``(3, *box.shape)``."""
        added, removed = _in_box(self.share, box)
        layer = np.stack([added | removed, added, removed])
        for voxel in self.foreign:
            layer[0][voxel.intersection(box).slices_in(box)] = False
        if self.own is not None:
            own = self.own.intersection(box).slices_in(box)
            for values, value in zip(layer, (True, self.gave, self.found), strict=True):
                values[own] = value
        return layer


def standing_clicks(history: EditHistory, grid: Grid) -> list[ActiveClick]:
    """Return the clicks whose corrections stand, oldest first."""
    gone = history.taken_back
    return [
        ActiveClick(click, edit, place, grid)
        for edit in history.done
        for place, click in enumerate(edit.clicks)
        if edit.numbers[place] not in gone
    ]


def layers_of(edit: Edit, grid: Grid) -> list[Layer]:
    """Return what each click of an edit laid over the mask, the later ones over the earlier."""
    known = _known.setdefault(edit, {})
    if grid not in known:
        known[grid] = _lay(edit, grid) if edit.clicks else []
    return known[grid]


def _lay(edit: Edit, grid: Grid) -> list[Layer]:
    own = [_own_voxel(click, grid) for click in edit.clicks]
    last = {voxel: wanted(click) for voxel, click in zip(own, edit.clicks, strict=True) if voxel is not None}
    holds = {voxel: value ^ bool(np.any(_in_box(edit.change, voxel))) for voxel, value in last.items()}
    layers = []
    for number, click, share, voxel in zip(edit.numbers, edit.clicks, _shares(edit, grid), own, strict=True):
        foreign = tuple(held for held in last if held != voxel)
        found = voxel is not None and holds[voxel]
        layers.append(Layer(number, share, voxel, wanted(click), found, foreign))
        if voxel is not None:
            holds[voxel] = wanted(click)
    return layers


def _shares(edit: Edit, grid: Grid) -> tuple[Change, ...]:
    """Divide an edit's change among its clicks: each voxel belongs to the nearest click, in mm.

    Clicks lie in the middle of their slice, as when they were merged. Where two are equally near, it is the
    earlier one's.
    """
    if len(edit.clicks) == 1:
        return (edit.change,)
    box = edit.change.box
    nearest, least = np.zeros(box.shape, int), np.full(box.shape, np.inf)
    for n, click in enumerate(edit.clicks):
        distance = distances(grid, box, grid.in_slice(click.position_ras))
        nearer = distance < least - _EQUAL_MM
        nearest[nearer], least[nearer] = n, distance[nearer]
    added, removed = edit.change.voxels()
    return tuple(
        Change.of(box, added & (nearest == n), removed & (nearest == n)) for n in range(len(edit.clicks))
    )


def _own_voxel(click: Click, grid: Grid) -> Box | None:
    return None if click.kind is ClickKind.BOUNDARY else Box.of_voxel(grid.ras_to_index(click.position_ras))


def change_without(history: EditHistory, standing: ActiveClick, mask: Mask) -> Change:
    """Return what has to flip so that the mask is as if a click had not been placed.

    A click's layer is its share and, of an include or exclude click, its own voxel, even where that held its
    value already. Of the layer these are the voxels over which no later click that stands lies, that still
    hold the click's value (painting by hand survives), and that would hold the other one without it: what lay
    under the click may itself have been taken back since. So clicks that stand go on to hold their voxel, and
    once every click is taken back, in any order, a mask that was not painted by hand is what it was at first.

    Parameters
    ----------
    history : EditHistory
        What was done.
    standing : ActiveClick
        The click, from `standing_clicks` of this history.
    mask : Mask
        The mask as it is; it is not changed.
    """
    layers = [(n, layer) for n, edit in enumerate(history.done) for layer in layers_of(edit, standing.grid)]
    place = next(n for n, (_, layer) in enumerate(layers) if layer.number == standing.number)
    box = layers[place][1].box
    if box.empty:
        return standing.share
    there, gave, found = layers[place][1].within(box)
    current, gone = mask.read(box), history.taken_back
    mine = there & (gave == current)
    for _, later in layers[place + 1 :]:
        if later.number not in gone and not later.box.intersection(box).empty:
            mine &= ~later.within(box)[0]
    under = _under(history, layers[: place + 1], box, (mine, found))
    return Change.of(box, mine & under & ~current, mine & ~under & current)


def _under(
    history: EditHistory, layers: list[tuple[int, Layer]], box: Box, asked: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return what lies under a click now.

    Parameters
    ----------
    history : EditHistory
        What was done.
    layers : list of tuple of int and Layer
        All layers up to the click's, which is the last, each with the place of its edit in the history.
    box : Box
        The voxels that are spoken of.
    asked : tuple of ndarray of bool
        Which of them matter, and what they held before the click.
    """
    unsettled, held = asked[0].copy(), asked[1].copy()
    ends = {edit.numbers[0]: place for place, edit in enumerate(history.done) if edit.removed}
    # The edit as of which the layers are looked at: the lowest one, so far, that is no longer there.
    as_of = np.full(box.shape, layers[-1][0])
    for place, layer in reversed(layers[:-1]):
        if layer.box.intersection(box).empty:
            continue
        there, gave, found = layer.within(box)
        met = unsettled & there & (ends.get(layer.number, len(history.done)) > as_of)
        unsettled &= ~met
        if layer.number in ends:
            # What it gave gives way to what it found; another value was painted over it by hand.
            given = met & (gave == held)
            held[given] = found[given]
            unsettled |= given
            as_of[given] = place
    return held


def _in_box(change: Change, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Return what a change added and removed, as arrays of ``box``'s shape."""
    common = change.box.intersection(box)
    result = np.zeros((2, *box.shape), bool)
    if not common.empty:
        for n, voxels in enumerate(change.voxels()):
            result[n][common.slices_in(box)] = voxels[common.slices_in(change.box)]
    return result[0], result[1]
