"""What clicks mean: from clicks, the mask and what networks say to a change, without touching the mask."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import Mask
from VSClickCorrectLib.clicks.merging import (
    BLEND_MM,
    DEEP_MM,
    REACH_MM,
    Merge,
    Proposal,
    merge_progressive,
    through_click,
)
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.errors import CorrectionError, enough_memory
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.resampling import ROUNDING_MM, distances
from VSClickCorrectLib.geometry.triples import Index3, index3, triple
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.session.components import Island, is_largest, island_at
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.session.remarks import Told, remark_of

# So far around a boundary click that stands, later ones elsewhere change nothing that is nearer to it.
HELD_MM = 5.0
# What an include or exclude click changes at least, where the network would not follow it.
DISC_MM = 1.2
# A boundary click says where the border runs; that needs one in what the corrector sees of the image.
BORDER_MM = BLEND_MM
# What an exclude click cuts off goes with what it removes if it is smaller than this share of it.
_REST_SHARE = 0.25
_NEIGHBOURS = np.ones((3, 3, 3), bool)
_NOWHERE = Box((0, 0, 0), (0, 0, 0))
_NO_VALUES = np.zeros(_NOWHERE.shape, bool)

Propose = Callable[[Sequence[Click]], list[Proposal]]
Start = Callable[[Click], Proposal]


@dataclass(frozen=True)
class Outcome:
    """What clicks would change, and what a person should know of it.

    Parameters
    ----------
    change : Change
        The voxels to flip.
    remark : str
        Why less was changed than a click asks for; empty if nothing is to be said.
    """

    change: Change
    remark: str = ""


class ClickRules:
    """The rules of one session's clicks, all of which are given in the middle of their slice.

    Parameters
    ----------
    case : Case
        The sequences.
    mask : Mask
        The mask as it is; it is read only.
    index_of : callable
        The voxel ``(k, j, i)`` that a click means.
    standing : sequence of Click
        The clicks that were applied before and stand.
    others : ReadableMask, optional
        What belongs to other classes: clicks add none of it.
    start : callable, optional
        What the network that sees the whole tumour says of a click far from the border.
    """

    def __init__(
        self,
        case: Case,
        mask: Mask,
        index_of: Callable[[Click], Index3],
        standing: Sequence[Click],
        others: ReadableMask | None = None,
        start: Start | None = None,
    ) -> None:
        self.case, self.mask, self.standing, self.others = case, mask, standing, others
        self._index_of, self._start = index_of, start
        self._at_border: dict[Index3, bool] = {}

    def check(self, clicks: Sequence[Click]) -> None:
        """Refuse a boundary click that has no border within its reach, and an include click on another class.

        On an empty mask a boundary click is taken: what there is to see at the click decides then. Far from a
        mask it is taken where the network that sees the whole tumour sees one there without being told.

        Raises
        ------
        CorrectionError
            With what to do instead.
        """
        for click in clicks:
            if click.kind is ClickKind.INCLUDE and self._is_taken(click):
                raise CorrectionError(
                    "the include click lies in another class's segment; choose that segment and exclude it "
                    "there first."
                )
        boundary = [click for click in clicks if click.kind is ClickKind.BOUNDARY]
        if not boundary or self.mask.extent() is None:
            return
        for click in boundary:
            around = self._values_within(click, BORDER_MM)
            if around.all() or not (around.any() or self._seen(click, clicks)):
                raise CorrectionError(
                    f"there is no border of the mask within {BORDER_MM:.0f} mm of the boundary click; "
                    "place an include click inside the tumour to begin a part there."
                )

    @enough_memory()
    def outcome(self, clicks: Sequence[Click], merge: Merge, propose: Propose) -> Outcome:
        """Return what clicks, all placed on the mask as it is now, change together.

        Parameters
        ----------
        clicks : sequence of Click
            At least one.
        merge : callable
            One of `clicks.merging.MERGES`.
        propose : callable
            The corrector's proposals for clicks.
        """
        islands = {c: self._island_under(c, clicks) for c in clicks if c.kind is ClickKind.EXCLUDE}
        removed = [island for island in islands.values() if island is not None]
        asked = {c: self._whole(c, clicks) for c in clicks if not islands.get(c)}
        whole = {c: proposal for c, proposal in asked.items() if proposal is not None}
        local = [c for c in clicks if c not in whole and not islands.get(c)]
        proposals = [self._through(p) for p in (propose(local) if local else [])]
        boxes = [p.box for p in (*proposals, *whole.values())] + [island.box for island in removed]
        box = reduce(Box.union, boxes + [self._disc_box(c) for c in clicks])
        current = self.mask.read(box)
        result = merge(self.case.grid, box, current, proposals) if proposals else current.copy()
        for proposal in whole.values():
            self._follow(result, current, box, proposal)
        if merge is merge_progressive:
            self._hold_borders(result, current, box, clicks)
        for island in removed:
            result[island.box.slices_in(box)] &= ~island.values
        self._take_rests(result, current, box, proposals, clicks)
        against = [c for c in clicks if self._enforce_new(result, box, c)]
        self._enforce_standing(result, current, box)
        self._hold_new(result, box, clicks)
        if self.others is not None:
            # What was in both before stays: nobody asked for it to change.
            result &= current | ~self.others.read(box)
        change = Change.between(box, current, result)
        borders = [c for c in clicks if c.kind is ClickKind.BOUNDARY]
        overruled = [c for c in borders if not self._border_runs_by(self._index_of(c), result, box)]
        # After others of the same clicks, which may hold the same voxel, or have changed it before.
        holds = {c: self._at(result, box, c) is wanted(c) for c in clicks if c not in borders}
        unseen = [c for c in against if holds[c] and self._at(current, box, c) is not wanted(c)]
        contradicted = [c for c, held in holds.items() if not held]
        insisted = any(self._insists(c) for c in overruled)
        return Outcome(change, remark_of(change, Told(clicks, unseen, overruled, insisted, contradicted)))

    def _is_taken(self, click: Click) -> bool:
        """Tell whether a click's voxel is another class's and not the mask's."""
        voxel = Box.of_voxel(self._index_of(click))
        taken = self.others is not None and self.others.read(voxel).any()
        return bool(taken and not self.mask.read(voxel).any())

    def _through(self, proposal: Proposal) -> Proposal:
        click = proposal.click
        if click.kind is not ClickKind.BOUNDARY:
            return proposal
        return through_click(self.case.grid, proposal, self._insists(click))

    def _insists(self, click: Click) -> bool:
        """Tell whether a boundary click comes, as far as a hand can tell, where one was overruled."""
        return any(
            math.dist(c.position_ras, click.position_ras) <= REACH_MM and not self._is_at_border(c)
            for c in self._standing_borders
        )

    @property
    def _standing_borders(self) -> list[Click]:
        return [c for c in self.standing if c.kind is ClickKind.BOUNDARY]

    def _is_at_border(self, click: Click) -> bool:
        """Tell whether the border runs through a click's voxel or one beside it, in its slice."""
        voxel = self._index_of(click)
        # Each new click asks it of all that stand near by.
        if voxel not in self._at_border:
            self._at_border[voxel] = self._border_runs_by(voxel, _NO_VALUES, _NOWHERE)
        return self._at_border[voxel]

    def _border_runs_by(self, voxel: Index3, result: np.ndarray, box: Box) -> bool:
        across = self.case.grid.slice_order().axes[0]
        around = Box.of_voxel(voxel).padded(triple(int(a != across) for a in range(3)))
        values = self._within(around, result, box)
        return bool(values.any() and not values.all())

    def _island_under(self, click: Click, together: Sequence[Click]) -> Island | None:
        """Return the part of the mask under an exclude click if it is not the tumour itself."""
        island = island_at(self.mask, self._index_of(click))
        if island is None:
            return None
        said = [c for c in (*self.standing, *together) if c.kind is not ClickKind.EXCLUDE]
        if any(self._near(island, c) for c in said):
            return None
        # Where the clinician has worked on another part, that one is the tumour; else it is the largest.
        elsewhere = any(self._values_within(c, REACH_MM).any() for c in reversed(said))
        return island if elsewhere or not is_largest(self.mask, island) else None

    def _near(self, island: Island, click: Click) -> bool:
        reach = np.ceil(REACH_MM / self.case.grid.spacing[::-1]).astype(int) + 1
        if not island.box.padded(index3(reach)).contains(Box.of_voxel(self._index_of(click))):
            return False
        distance = distances(self.case.grid, island.box, click.position_ras)
        return bool((island.values & (distance <= REACH_MM)).any())

    def _is_deep(self, click: Click) -> bool:
        """Tell whether the mask is far from what a click wants: background around it, or mask to exclude.

        A boundary click deep in the mask is none: it does not say on which side of it the mask is wrong.
        """
        around = self._values_within(click, DEEP_MM)
        return bool(around.all() if click.kind is ClickKind.EXCLUDE else not around.any())

    def _seen(self, click: Click, together: Sequence[Click]) -> Proposal | None:
        """Return the tumour whose border a boundary click may mean, as the network that sees all of it does.

        None where it sees none, where some of what it sees was excluded, or most belongs to another class.
        """
        seen = self._start(click) if self._start else None
        if seen is None or not seen.values.any():
            return None
        excluded = [c for c in (*self.standing, *together) if c.kind is ClickKind.EXCLUDE]
        if any(self._at(seen.values, seen.box, c) for c in excluded):
            return None
        others = np.False_ if self.others is None else self.others.read(seen.box)
        return seen if np.mean(others & seen.values) <= np.mean(seen.values) / 2 else None

    def _whole(self, click: Click, together: Sequence[Click]) -> Proposal | None:
        """Return the answer of the network that sees the whole tumour, where it has to answer a click.

        What it sees at a boundary click is the tumour whose border is meant. Where there is no mask and it
        sees none, it is told that there is one, unless the corrector can see all that is said then.
        """
        if self._start is None or not self._is_deep(click):
            return None
        if click.kind is not ClickKind.BOUNDARY:
            return self._start(click)
        seen = self._seen(click, together)
        if seen or self.mask.extent() is not None:
            return seen
        told = self._start(replace(click, kind=ClickKind.INCLUDE))
        away = distances(self.case.grid, told.box, click.position_ras)
        return told if (told.values & (away > BORDER_MM)).any() else None

    def _follow(self, result: np.ndarray, current: np.ndarray, box: Box, proposal: Proposal) -> None:
        """Take over what a proposal for the whole tumour adds, or what it takes away around its click."""
        place = proposal.box.slices_in(box)
        if proposal.click.kind is not ClickKind.EXCLUDE:
            result[place] |= proposal.values
            return
        wrong = current[place] & ~proposal.values
        labels, _ = ndimage.label(wrong, _NEIGHBOURS)
        mine = self._at(labels, proposal.box, proposal.click)
        if mine:
            result[place] &= labels != mine

    def _values_within(self, click: Click, radius_mm: float) -> np.ndarray:
        """Return the mask's voxels up to a distance from a click, in one row."""
        grid = self.case.grid
        # A layer around the image counts as background: a mask may end where the image does.
        box = grid.box_around(click.position_ras, radius_mm).padded(1)
        values = self._within(box, _NO_VALUES, _NOWHERE)
        return values[distances(grid, box, click.position_ras) <= radius_mm]

    def _disc_box(self, click: Click) -> Box:
        return self.case.grid.box_around(click.position_ras, DISC_MM)

    def _take_rests(
        self, result: np.ndarray, current: np.ndarray, box: Box, proposals: Sequence[Proposal], clicks
    ) -> None:
        """Remove, with what exclude clicks take away, the small rests that hung on the mask by it alone.

        A rest lies in the click's cut as a whole; what goes on outside is no rest.
        """
        gone = current & ~result
        includes = [c for c in (*self.standing, *clicks) if c.kind is ClickKind.INCLUDE]
        for place in [p.box for p in proposals if p.click.kind is ClickKind.EXCLUDE]:
            around = place.padded(1)
            part = self._within(around, result, box)
            removed = self._within(around, gone, box) & ~part
            labels, _ = ndimage.label(part, _NEIGHBOURS)
            sizes = np.bincount(labels.ravel())
            kept = {
                0,
                *np.unique(labels[_rim(around.shape)]),
                *(self._at(labels, around, c) for c in includes),
            }
            for label in np.unique(labels[ndimage.binary_dilation(removed, _NEIGHBOURS)]):
                if label not in kept and sizes[label] <= _REST_SHARE * np.count_nonzero(gone):
                    rest = labels == label
                    result[place.slices_in(box)] &= ~rest[1:-1, 1:-1, 1:-1]

    def _within(self, place: Box, values: np.ndarray, box: Box) -> np.ndarray:
        """Return ``values`` of ``box`` in another box; what lies outside is as the mask is, or background."""
        found = np.zeros(place.shape, bool)
        inside = place.clipped(self.case.grid.shape)
        found[inside.slices_in(place)] = self.mask.read(inside)
        shared = place.intersection(box)
        found[shared.slices_in(place)] = values[shared.slices_in(box)]
        return found

    def _enforce_new(self, result: np.ndarray, box: Box, click: Click) -> bool:
        """Make the result true to a new include or exclude click; tell whether the networks were not."""
        if click.kind is ClickKind.BOUNDARY or self._at(result, box, click) is wanted(click):
            return False
        disc = self._disc_box(click)
        near = distances(self.case.grid, disc, click.position_ras) <= DISC_MM
        result[disc.slices_in(box)][near] = wanted(click)
        return True

    def _hold_borders(
        self, result: np.ndarray, current: np.ndarray, box: Box, clicks: Sequence[Click]
    ) -> None:
        """Let boundary clicks leave the border where earlier ones have set it.

        Include and exclude clicks mean parts, whatever borders these have: nothing is held nearest to one.
        """
        borders = [c for c in clicks if c.kind is ClickKind.BOUNDARY]
        extent = Box.of_array(changed := result != current) if borders else None
        if extent is None:
            return
        reached = extent.shifted(box.start).padded(index3(np.ceil(HELD_MM / self.case.grid.spacing[::-1])))
        near = (c for c in self._standing_borders if reached.contains(Box.of_voxel(self._index_of(c))))
        if held := [c for c in near if self._is_at_border(c)]:
            voxels = np.argwhere(changed)
            old = _away(places := self.case.grid.index_to_ras(voxels + box.start), held)
            voxels, places, old = (some[old <= HELD_MM + ROUNDING_MM] for some in (voxels, places, old))
            new, part = (_away(places, some) for some in (borders, [c for c in clicks if c not in borders]))
            kept = tuple(voxels[(old < new - ROUNDING_MM) & (new < part - ROUNDING_MM)].T)
            result[kept] = current[kept]

    def _enforce_standing(self, result: np.ndarray, current: np.ndarray, box: Box) -> None:
        """Let the voxels of earlier include and exclude clicks stay what they are."""
        for click in self.standing:
            if click.kind is ClickKind.BOUNDARY:
                continue
            if self._at(result, box, click) is (not wanted(click)):
                # What was painted by hand over an earlier click stays: nobody asked for it to change.
                self._hold(result, box, click, bool(self._at(current, box, click)))

    def _hold_new(self, result: np.ndarray, box: Box, clicks: Sequence[Click]) -> None:
        for click in clicks:
            if click.kind is not ClickKind.BOUNDARY:
                self._hold(result, box, click, wanted(click))

    def _hold(self, result: np.ndarray, box: Box, click: Click, value: bool) -> None:
        """Give a click's voxel, which lies in the box, a value."""
        result[Box.of_voxel(self._index_of(click)).slices_in(box)] = value

    def _at(self, values: np.ndarray, box: Box, click: Click) -> int | None:
        """Return what ``values`` of ``box`` hold at a click, or None if it lies outside."""
        place = triple(n - a for n, a in zip(self._index_of(click), box.start, strict=True))
        inside = all(0 <= n < count for n, count in zip(place, values.shape, strict=True))
        return values[place].item() if inside else None


def wanted(click: Click) -> bool:
    """Return whether an include or exclude click wants its voxel in the mask."""
    return click.kind is ClickKind.INCLUDE


def _away(places: np.ndarray, clicks: Sequence[Click]) -> np.ndarray:
    """Return how far places lie from the nearest of clicks, mm; endlessly far from none."""
    away = (np.linalg.norm(places - c.position_ras, axis=1) for c in clicks)
    return reduce(np.minimum, away, np.full(len(places), np.inf))


def _rim(shape: Index3) -> np.ndarray:
    rim = np.ones(shape, bool)
    rim[1:-1, 1:-1, 1:-1] = False
    return rim
