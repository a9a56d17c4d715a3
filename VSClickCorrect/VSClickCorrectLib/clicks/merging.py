"""Merges: how corrected cuts become changes of the mask (thesis section 4.9, and past it)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import slice_border
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import ROUNDING_MM, distances
from VSClickCorrectLib.geometry.triples import Slices3, triple

# A change belongs to a click if it comes this close: a hand's accuracy when clicking a border.
REACH_MM = 2.0
# A click farther than this from the border is about a part of the tumour, or another object, not about the
# border as it runs. A boundary click changes there only what is certain: it may be a slip, and told that a
# border runs there the corrector sees a tumour anywhere.
DEEP_MM = 6.0
# Where cuts overlap, a proposal's weight falls to 1/e² at this distance from its click: half a cut.
BLEND_MM = 14.4
# What an include or exclude click changes farther away than this must be more than a rim of this thickness:
# the click was about a part, not about the border all around. No common spacing is half of it, at which
# rounding would decide.
LOCAL_MM, RIM_MM = 5.0, 2.1
# A boundary click moves the border as far around it as it asks for much: 1 mm where the border runs through
# the click already; around an outline of a radius of 4 mm, 3 mm where it is 1 mm off, 9 mm where it is 2 mm
# off, and in proportion around others. Elsewhere it moves only what has gone this share of the way from the
# network's threshold to certainty.
_AROUND_MM, _AROUND_PER_MM2, _CERTAIN = 1.0, 0.5, 0.8
_NEIGHBOURS = np.ones((3, 3, 3), bool)
# How far a boundary click shifts logits, and how far from it, in mm, the shift has fallen to 1/e. Below this
# radius of the outline that reach shrinks with the outline's area, to a third at least.
MOST_SHIFT, SHIFTED_MM, _WIDE_RADIUS_MM, _LEAST_REACH = 2.2, 6.0, 4.5, 1 / 3
# Where a boundary click insists, its proposal counts so many times as much as those of clicks beside it.
_INSISTING = 1e3
_SURE = 1e-3


@dataclass(frozen=True, eq=False)
class Proposal:
    """What the correction network says about the surroundings of one click.

    Parameters
    ----------
    click : Click
        The click.
    box : Box
        The native voxels that the proposal speaks of.
    probability : ndarray of float32
        Tumour probability, shape ``box.shape``.
    threshold : float
        Probability from which a voxel is tumour.
    insisted : ndarray of bool, optional
        Where the click itself decides, whatever is proposed for others; shape ``box.shape``.
    """

    click: Click
    box: Box
    probability: np.ndarray
    threshold: float = 0.5
    insisted: np.ndarray | None = None

    @property
    def values(self) -> np.ndarray:
        """The proposed mask, bool, shape ``box.shape``."""
        return self.probability >= self.threshold


def through_click(grid: Grid, proposal: Proposal, insisted: bool = False) -> Proposal:
    """Move what a boundary click's proposal calls tumour until its border runs through the click.

    The network says how likely tumour is; from which probability on it is tumour, here, the click says. So
    the logits are shifted by what the clicked voxel lacks to be tumour, or one beside it in its slice not to
    be: less with the distance from the click, so that a border that moves inwards may end one voxel outside
    it, and by `MOST_SHIFT` at most, so that a network that is sure of something else is not overruled by a
    hand that slipped. Where the border runs there already, nothing changes.

    Parameters
    ----------
    grid : Grid
        The native grid.
    proposal : Proposal
        Of a boundary click that lies in its box.
    insisted : bool
        Whether the click was made before: a hand does not slip twice to the same place, so a border that the
        network does not let go there is then drawn to the click by the ball between the two, and the other
        clicks that it is merged with have no say there.
    """
    probability = np.clip(proposal.probability.astype(np.float32), _SURE, 1 - _SURE)
    logits = np.log(probability / (1 - probability))
    level = float(np.log(proposal.threshold / (1 - proposal.threshold)))
    place = Box.of_voxel(grid.ras_to_index(proposal.click.position_ras)).slices_in(proposal.box)
    here = float(logits[place].item()) - level
    beside = [float(logits[one].item()) for one in _beside(grid, place, logits.shape)]
    # Beside a slice of one voxel there is background, as where the image ends.
    sides = 2 * sum(logits.shape[axis] > 1 for axis in grid.slice_order().axes[1:])
    outermost = min(beside, default=-np.inf) - level if len(beside) == sides else -np.inf
    shift = here if here < 0 else max(outermost, 0.0)
    moved = _shifted(grid, proposal, logits, shift, place if abs(here) <= MOST_SHIFT else None)
    return _drawn_to_click(grid, moved) if insisted else moved


def _shifted(
    grid: Grid, proposal: Proposal, logits: np.ndarray, shift: float, tumour: Slices3 | None
) -> Proposal:
    """Shift logits near a click; the voxel ``tumour``, if there is one, just becomes tumour by it."""
    if shift == 0:
        return proposal
    away = distances(grid, proposal.box, proposal.click.position_ras)
    share = np.clip((_largest_radius(grid, proposal.values) / _WIDE_RADIUS_MM) ** 2, _LEAST_REACH, 1)
    # What it shifts outwards has to hang on what is there.
    reach = max(SHIFTED_MM * share, away[proposal.values].min(initial=SHIFTED_MM))
    near = np.exp(-((away / reach) ** 2))
    shifted = 1 / (1 + np.exp(np.clip(shift, -MOST_SHIFT, MOST_SHIFT) * near - logits))
    if tumour is not None:
        shifted[tumour] = np.maximum(shifted[tumour], proposal.threshold)
    return replace(proposal, probability=shifted.astype(np.float32))


def _drawn_to_click(grid: Grid, proposal: Proposal) -> Proposal:
    """Let the border run through a click, and the click alone decide there."""
    voxel = Box.of_voxel(grid.ras_to_index(proposal.click.position_ras)).slices_in(proposal.box)
    outward = not proposal.values[voxel].item()
    beside = [
        place for place in _beside(grid, voxel, proposal.box.shape) if not proposal.values[place].item()
    ]
    probability, insisted = proposal.probability.copy(), np.zeros(proposal.box.shape, bool)
    if beside and not outward:
        # It does already.
        insisted[beside[0]] = True
    else:
        insisted |= _ball_to_border(grid, proposal, voxel, outward)
    probability[insisted] = 1.0 if outward else 0.0
    probability[voxel], insisted[voxel] = (1.0, True) if insisted.any() else (probability[voxel], False)
    return replace(proposal, probability=probability, insisted=insisted)


def _ball_to_border(grid: Grid, proposal: Proposal, voxel: Slices3, outward: bool) -> np.ndarray:
    """Return the ball between a click and the nearest voxel beyond the border, if its slice has one."""
    click, box = proposal.click.position_ras, proposal.box
    other, in_slice = np.zeros(box.shape, bool), _slice_of(grid, voxel)
    other[in_slice] = proposal.values[in_slice] == outward
    other[voxel] = False
    if not other.any():
        return other
    far = np.where(other, distances(grid, box, click), np.inf)
    # Of several that are equally near the first in the patient, however distances are rounded.
    nearest, order = far <= far.min() + ROUNDING_MM, grid.slice_order()
    numbers = order.arranged(np.arange(far.size).reshape(far.shape))
    index = np.unravel_index(numbers[order.arranged(nearest)][0], far.shape)
    middle = (grid.index_to_ras(np.add(index, box.start)) + np.array(click)) / 2
    return distances(grid, box, middle) <= far.min() / 2 + ROUNDING_MM


def _slice_of(grid: Grid, voxel: Slices3) -> Slices3:
    """Return the slice in which a voxel of a box lies."""
    across = grid.slice_order().axes[0]
    return triple(place if axis == across else slice(None) for axis, place in enumerate(voxel))


def _beside(grid: Grid, place: Slices3, shape: tuple[int, ...]) -> list[Slices3]:
    """Return the voxels beside one in its slice, as far as they lie in an array of that shape.

    They come in the order in which they lie in the patient, not in that of the array.
    """
    order = grid.slice_order()
    beside = []
    for axis, flip in zip(order.axes[1:], order.flips[1:], strict=True):
        for n in (place[axis].start + step for step in ((1, -1) if flip else (-1, 1))):
            if 0 <= n < shape[axis]:
                beside.append(triple(slice(n, n + 1) if a == axis else place[a] for a in range(3)))
    return beside


Merge = Callable[[Grid, Box, np.ndarray, list[Proposal]], np.ndarray]


def merge_replace(grid: Grid, box: Box, current: np.ndarray, proposals: list[Proposal]) -> np.ndarray:
    """Write each proposal over the mask in click order (the thesis's Algorithm 2).

    Parameters
    ----------
    grid : Grid
        The native grid.
    box : Box
        The voxels of ``current``; every proposal's box lies inside.
    current : ndarray of bool
        The mask as it is, shape ``box.shape``.
    proposals : list of Proposal
        One for each click of the round.

    Returns
    -------
    ndarray of bool
        The mask as it shall be, shape ``box.shape``.
    """
    del grid
    result = current.copy()
    for proposal in proposals:
        result[proposal.box.slices_in(box)] = proposal.values
    return result


def merge_blend(grid: Grid, box: Box, current: np.ndarray, proposals: list[Proposal]) -> np.ndarray:
    """Average overlapping proposals, weighted by the distance to their clicks.

    Parameters and return value are those of `merge_replace`. The result does not depend on click order.
    """
    return _wished(blended(grid, box, proposals), current)


def _wished(said: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return the mask that proposals ask for by what they say; it stays as it is where they say nothing."""
    return np.where(np.isnan(said), current, said >= 0)


def blended(grid: Grid, box: Box, proposals: list[Proposal]) -> np.ndarray:
    """Return by how much proposals exceed their thresholds on the average, the nearest click's most.

    Parameters
    ----------
    grid, box, proposals
        As for `merge_replace`.

    Returns
    -------
    ndarray of float32
        Shape ``box.shape``; NaN outside all of them.
    """
    weighted = np.zeros(box.shape, np.float32)
    weights = np.zeros(box.shape, np.float32)
    for proposal in proposals:
        place = proposal.box.slices_in(box)
        weight = np.exp(-2 * (distances(grid, proposal.box, proposal.click.position_ras) / BLEND_MM) ** 2)
        if proposal.insisted is not None:
            weight = np.where(proposal.insisted, _INSISTING * weight, weight)
        weighted[place] += weight * (proposal.probability - proposal.threshold)
        weights[place] += weight
    return np.divide(weighted, weights, np.full(box.shape, np.nan, np.float32), where=weights > 0)


def merge_progressive(grid: Grid, box: Box, current: np.ndarray, proposals: list[Proposal]) -> np.ndarray:
    """Make only the changes that belong to a click; what is right elsewhere in the cut stays.

    The blended proposal is compared with the mask, and of the connected regions in which they differ only
    those that come within `REACH_MM` of the click are changed (after the progressive merge of FocalClick,
    Chen et al. 2022). An include click only adds, an exclude click only removes, and neither moves the border
    far from it by a rim. A boundary click at which the border is nearly right moves little of it, unless the
    network is certain. Parameters and return value are those of `merge_replace`.
    """
    said = blended(grid, box, proposals)
    wish = _wished(said, current)
    result = current.copy()
    for proposal in proposals:
        place = proposal.box.slices_in(box)
        change = _allowed(current[place], wish[place], proposal.click.kind)
        away = distances(grid, proposal.box, proposal.click.position_ras)
        if proposal.click.kind is ClickKind.BOUNDARY:
            near = away <= _moved_around(grid, proposal, current[place], away) + ROUNDING_MM
            change &= near | _is_certain(said[place], proposal.threshold)
        else:
            change &= (away <= LOCAL_MM) | _thick(change, grid)
        mine = touching(change, away <= REACH_MM)
        result[place] = np.where(mine, wish[place], result[place])
    return result


MERGES: dict[str, Merge] = {
    "progressive": merge_progressive,
    "blend": merge_blend,
    "replace": merge_replace,
}


def merge_named(name: str) -> Merge:
    """Return the merge of that name.

    Raises
    ------
    CorrectionError
        If there is none.
    """
    if name not in MERGES:
        raise CorrectionError(f"'{name}' is no merge; choose one of {', '.join(MERGES)}.")
    return MERGES[name]


def _allowed(current: np.ndarray, wished: np.ndarray, kind: ClickKind) -> np.ndarray:
    if kind is ClickKind.INCLUDE:
        return wished & ~current
    return current & ~wished if kind is ClickKind.EXCLUDE else current != wished


def _moved_around(grid: Grid, one: Proposal, mask: np.ndarray, away: np.ndarray) -> float:
    """Return how far from a boundary click the border moves, mm.

    Far from the mask it moves nowhere unless the click insists, in an empty slice near the mask everywhere.
    """
    here = _slice_of(grid, Box.of_voxel(grid.ras_to_index(one.click.position_ras)).slices_in(one.box))
    if one.insisted is None and mask.any() and away[mask].min() > DEEP_MM + ROUNDING_MM:
        return -np.inf
    off = away[here][slice_border(mask[here], grid.slice_order().axes[0])].min(initial=np.inf).item()
    return _AROUND_MM + _AROUND_PER_MM2 * _largest_radius(grid, mask) * off**2 if mask.any() else np.inf


def _largest_radius(grid: Grid, values: np.ndarray) -> float:
    """Return the radius of a circle as large as all that lies in the fullest slice, mm."""
    order = grid.slice_order()
    area = values.sum(axis=order.axes[1:]).max(initial=0) * grid.spacing_in(order)[1:].prod()
    return math.sqrt(area / math.pi)


def _is_certain(said: np.ndarray, threshold: float) -> np.ndarray:
    """Tell where what exceeds a threshold by so much, or falls short of it, is nearly certain."""
    return (said >= _CERTAIN * (1 - threshold)) | (said <= -_CERTAIN * threshold)


def _thick(change: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the part of ``change`` that a ball of diameter `RIM_MM` fills without leaving it."""
    if change.all():
        return change
    spacing = grid.spacing[::-1]
    # Beyond the box nothing is known; what reaches its face may go on there.
    padded = np.pad(change, 1, mode="edge")
    core = ndimage.distance_transform_edt(padded, spacing) > RIM_MM / 2
    if not core.any():
        return np.zeros_like(change)
    near = ndimage.distance_transform_edt(~core, spacing) <= RIM_MM / 2
    return change & near[1:-1, 1:-1, 1:-1]


def touching(change: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Return the connected regions of ``change`` that have a voxel in ``near``."""
    labels, count = ndimage.label(change, _NEIGHBOURS)
    mine = np.zeros(count + 1, bool)
    mine[labels[near & change]] = True
    return mine[labels]
