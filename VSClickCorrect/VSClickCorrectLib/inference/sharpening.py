"""The corrector asked all along a border: initial masks sharpened, and boundary clicks seen from around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask, slice_border
from VSClickCorrectLib.clicks.merging import blended, merge_blend, merge_progressive, through_click, touching
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import distances
from VSClickCorrectLib.geometry.triples import point3
from VSClickCorrectLib.geometry.volume import Case

if TYPE_CHECKING:
    from VSClickCorrectLib.clicks.merging import Proposal
    from VSClickCorrectLib.inference.corrector import Corrector

# More places change little: their cuts overlap.
_PLACES = 16
# How many places around a boundary click are looked at, too, and how far from it they may be.
_VIEWS, _AROUND_MM = 3, 4.0


def sharpened(corrector: Corrector, case: Case, box: Box, values: np.ndarray) -> tuple[Box, np.ndarray]:
    """Return a mask with the border that a corrector sees where it is asked all along it.

    The corrector is told that the border runs where it does already. Where its image says otherwise it
    departs from that, and the cuts around other places outvote it there.

    Parameters
    ----------
    corrector : Corrector
        Asked as for boundary clicks.
    case : Case
        The sequences.
    box : Box
        Native voxels, ``(k, j, i)``.
    values : ndarray of bool
        The mask in ``box``.

    Returns
    -------
    Box, ndarray of bool
        What has become of the mask; parts apart from it are not added. As it was, if nothing of it is left.
    """
    tight = Box.of_array(values)
    if tight is None:
        return box, values
    mask = ArrayMask(case.grid)
    mask.write(box, values)
    border = slice_border(values[tight.slices], case.grid.slice_order().axes[0])
    anywhere = np.full(border.shape, np.inf)
    clicks = _far_apart(case.grid, tight.shifted(box.start), border, anywhere, _PLACES)
    proposals = corrector.see(case, mask, clicks)
    seen = reduce(Box.union, (one.box for one in proposals), tight.shifted(box.start))
    before = mask.read(seen)
    after = touching(merge_blend(case.grid, seen, before, proposals), before)
    left = Box.of_array(after)
    return (box, values) if left is None else (left.shifted(seen.start), after[left.slices])


class _Moved(NamedTuple):
    """A mask that has other values in a box."""

    mask: ReadableMask
    box: Box
    values: np.ndarray

    def read(self, box: Box) -> np.ndarray:
        """See `ReadableMask.read`."""
        found, shared = self.mask.read(box), self.box.intersection(box)
        found[shared.slices_in(box)] = self.values[shared.slices_in(self.box)]
        return found


def seen_from_around(
    corrector: Corrector, case: Case, mask: ReadableMask, proposals: Sequence[Proposal]
) -> list[Proposal]:
    """Average what a corrector says at boundary clicks with what it says at the border around each.

    That border is the one that the clicks ask for, roughly: a session's rules, thresholds and slices come
    later. So what one cut shows wrongly is outvoted by others.

    Parameters
    ----------
    corrector : Corrector
        Who made the proposals.
    case : Case
        The sequences.
    mask : ReadableMask
        The mask as it is.
    proposals : sequence of Proposal
        One for each click; those of include and exclude clicks stay as they are.
    """
    borders = [one for one in proposals if one.click.kind is ClickKind.BOUNDARY]
    if not borders:
        return list(proposals)
    grid, box = case.grid, reduce(Box.union, (one.box for one in borders))
    through = [through_click(grid, one) for one in borders]
    moved = _Moved(mask, box, merge_progressive(grid, box, mask.read(box), through))
    places = {one.click: _around(grid, moved, one) for one in borders}
    asked = [place for some in places.values() for place in some]
    said = iter(corrector.see(case, moved, asked, narrower=True) if asked else [])
    views = {click: list(islice(said, len(some))) for click, some in places.items()}
    return [_averaged(grid, one, views.get(one.click, [])) for one in proposals]


def _around(grid: Grid, moved: _Moved, proposal: Proposal) -> list[Click]:
    away = distances(grid, proposal.box, proposal.click.position_ras).round(3)
    border = slice_border(moved.read(proposal.box), grid.slice_order().axes[0]) & (away <= _AROUND_MM)
    return _far_apart(grid, proposal.box, border, away**2, _VIEWS)


def _averaged(grid: Grid, proposal: Proposal, views: list[Proposal]) -> Proposal:
    if not views:
        return proposal
    box = reduce(Box.union, (one.box for one in views), proposal.box)
    said = blended(grid, box, [proposal, *views])[proposal.box.slices_in(box)]
    return replace(proposal, probability=said + np.float32(proposal.threshold))


def _far_apart(grid: Grid, box: Box, places: np.ndarray, away: np.ndarray, count: int) -> list[Click]:
    """Return boundary clicks at some of a box's voxels, each as far from those before it as can be.

    Before the first, ``away`` counts, mm². They are counted along slices, rows and columns, so that they are
    the same however the array lies.
    """
    order = grid.slice_order()
    there = order.arranged(places)
    numbers = order.arranged(np.arange(places.size).reshape(places.shape))[there]
    away = order.arranged(away)[there]
    points = np.argwhere(there) * grid.spacing_in(order)
    chosen: list[int] = []
    for _ in range(min(count, len(points))):
        chosen.append(int(away.argmax()))
        away = np.minimum(away, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    voxels = np.transpose(np.unravel_index(numbers[chosen], places.shape)) + box.start
    return [Click(point3(place)) for place in grid.index_to_ras(voxels)]
