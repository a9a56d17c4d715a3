"""The session's twin: whole-volume copies, no boxes, no records; slow, and plain enough to be believed.

`session_machine.SessionMachine` plays any sequence of events to both and compares them after every one.
"""

from __future__ import annotations

import numpy as np
from any_grid import slice_axes
from scipy import ndimage
from session_doubles import (
    BOUNDARY,
    EXCLUDE,
    INCLUDE,
    in_slice,
    lacks_border,
    values_within,
)
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.geometry.box import Box

HALF, STARTER_HALF, DOUBT_HALF = (1, 5, 5), (1, 2, 3), (0, 1, 1)
TOUCHING = np.ones((3, 3, 3), bool)


def insists(click, earlier):
    """Whether a boundary click was made before, within 2 mm."""
    again = [c.position_ras for c in earlier if c.kind is BOUNDARY and click.kind is BOUNDARY]
    return any(np.linalg.norm(np.subtract(place, click.position_ras)) <= 2.0 for place in again)


class NaiveSession:
    """What clicks, undo and redo mean, said once more."""

    def __init__(self, grid, mask, opinion, merge):
        self.mask, self.opinion, self.merge = mask.copy(), opinion, merge
        self.grid, self.affine = grid, grid.affine
        indices = np.moveaxis(np.indices(grid.shape), 0, -1)
        self.centres = indices[..., ::-1] @ grid.affine[:3, :3].T + grid.affine[:3, 3]
        self.done, self.undone, self.count = [], [], 0

    def apply(self, clicks):
        numbers = list(range(self.count + 1, self.count + len(clicks) + 1))
        self.count += len(clicks)
        self._do(
            self._corrected(clicks, [c for _, c in self.standing()]), list(zip(numbers, clicks, strict=True))
        )

    def remove(self, number):
        result = self.mask.copy()
        for voxel in map(tuple, np.argwhere(self._laid(number))):
            layers = self._layers_at(voxel)
            mine = next(n for n, layer in enumerate(layers) if layer[1] == number)
            standing_over = [n for _, n, _, _ in layers[mine + 1 :] if n not in self.gone()]
            if not standing_over and self.mask[voxel] == layers[mine][2]:
                result[voxel] = self._under(layers[: mine + 1])
        self._do(result, number)

    def _do(self, result, what):
        before, self.mask = self.mask, result
        self.done.append((what, before, before != result))
        self.undone = []

    def undo(self):
        what, before, changed = self.done.pop()
        taken_back = changed & (self.mask != before)
        self.mask = np.where(taken_back, before, self.mask)
        self.undone.append((what, before, taken_back))

    def redo(self):
        what, before, taken_back = self.undone.pop()
        again = taken_back & (self.mask == before)
        self.mask = np.where(again, ~before, self.mask)
        self.done.append((what, before, again))

    @staticmethod
    def _clicks(what):
        """The numbered clicks of an entry; the removal of a click, which is its number, has none."""
        return [] if isinstance(what, int) else what

    def gone(self):
        return {what for what, _, _ in self.done if isinstance(what, int)}

    def standing(self):
        """The clicks that stand, each with its number."""
        gone = self.gone()
        return [(n, c) for what, _, _ in self.done for n, c in self._clicks(what) if n not in gone]

    def share(self, number):
        """The voxels that a click flipped: of its edit's those to which no other click is nearer."""
        for what, _, changed in self.done:
            numbers = [n for n, _ in self._clicks(what)]
            if number in numbers:
                place, away = numbers.index(number), [self._away(in_slice(self.grid, c)) for _, c in what]
                lost = [a - 1e-3 <= away[place] for a in away[:place]]
                lost += [a < away[place] - 1e-3 for a in away[place + 1 :]]
                return changed & ~np.any([np.zeros_like(changed), *lost], axis=0)
        raise KeyError(number)

    def _laid(self, number):
        """The voxels of a click: its share but for what other clicks of its edit hold, and what it holds."""
        clicks = next(clicks for clicks in map(self._clicks, self._whats()) if number in dict(clicks))
        result = self.share(number)
        for n, click in clicks:
            if click.kind is not click.kind.BOUNDARY and n != number:
                result[self._voxel(click)] = False
        if dict(clicks)[number].kind is not click.kind.BOUNDARY:
            result[self._voxel(dict(clicks)[number])] = True
        return result

    def _whats(self):
        return [what for what, _, _ in self.done]

    def _layers_at(self, voxel):
        """Which click, applied when, gave a voxel what and found there what, the lowest first."""
        layers = []
        for place, (what, before, changed) in enumerate(self.done):
            clicks = [(n, c) for n, c in self._clicks(what) if self._laid(n)[voxel]]
            holding = [c for _, c in clicks if c.kind is not c.kind.BOUNDARY and self._voxel(c) == voxel]
            found = (holding[-1].kind is INCLUDE) ^ changed[voxel] if holding else before[voxel]
            for n, click in clicks:
                gave = click.kind is INCLUDE if click in holding else not found
                layers.append((place, n, bool(gave), bool(found)))
                found = gave
        return layers

    def _under(self, layers):
        """What the last of the layers found, but for clicks that were taken back since."""
        removed_at = {what: n for n, (what, _, _) in enumerate(self.done) if isinstance(what, int)}
        *lower, (place, _, _, found) = layers
        while lower:
            _, number, gave, _ = lower[-1]
            if removed_at.get(number, np.inf) > place:
                return found if gave != found or number not in removed_at else self._under(lower)
            lower.pop()
        return found

    def layered(self, first):
        """The mask as the last standing click on each voxel left it, else as it was at first."""
        result = first.copy()
        for number, click in self.standing():
            (before,) = [b for what, b, _ in self.done if number in dict(self._clicks(what))]
            gave = ~before
            if click.kind is not click.kind.BOUNDARY:
                gave[self._voxel(click)] = click.kind is INCLUDE
            result = np.where(self._laid(number), gave, result)
        return result

    def _away(self, click):
        return np.linalg.norm(self.centres - click.position_ras, axis=-1)

    def _within(self, click, millimetres):
        return self._away(click) <= millimetres + 1e-6

    def _voxel(self, click):
        ijk = np.linalg.solve(self.affine, [*click.position_ras, 1.0])[:3]
        return tuple(np.floor(ijk[::-1] + 0.5 + 1e-6).astype(int))

    def _block(self, click, half):
        """The voxels within ``half`` of the click's voxel."""
        offsets = np.abs(np.moveaxis(np.indices(self.mask.shape), 0, -1) - self._voxel(click))
        return (offsets <= half).all(axis=-1)

    def _corrected(self, clicks, earlier):
        clicks, earlier = ([in_slice(self.grid, click) for click in some] for some in (clicks, earlier))
        said = [*earlier, *clicks]
        islands = {c: self._island(c, said) for c in clicks if c.kind is EXCLUDE}
        deep = [c for c in clicks if islands.get(c) is None and self._is_deep(c, said)]
        result = self.mask.copy()
        for click in clicks:
            if click not in deep and islands.get(click) is None:
                opinion = self._opinion_at(click, earlier)
                changes = self._changes(click, opinion)
                result[changes] = opinion[changes]
        for click in deep:
            if click.kind is EXCLUDE:
                result &= ~self._unsupported(click)
            else:
                result |= self._block(click, STARTER_HALF)
        if self.merge == "progressive":
            self._leave_borders(result, clicks, earlier)
        for island in islands.values():
            result &= True if island is None else ~island
        local = [c for c, island in islands.items() if island is None and c not in deep]
        self._take_rests(result, local, [c for c in (*earlier, *clicks) if c.kind is INCLUDE])
        return self._kept_true(result, clicks, earlier)

    def _leave_borders(self, result, clicks, earlier):
        """What is within 5 mm of an earlier boundary click, and nearer to it than to new ones, stays.

        Not so what is nearest to an include or exclude click of the new ones, or as near as to a boundary
        click.
        """
        away = {click: self._away(click) for click in clicks}
        nearest = np.min(list(away.values()), axis=0)
        parts = [away[click] for click in clicks if click.kind is not BOUNDARY]
        of_part = np.any([np.zeros(nearest.shape, bool), *(part <= nearest + 1e-3 for part in parts)], axis=0)
        for old in earlier:
            if old.kind is BOUNDARY and self._is_at_border(old):
                near = (self._away(old) <= 5.0 + 1e-3) & (self._away(old) < nearest - 1e-3)
                result[near & ~of_part] = self.mask[near & ~of_part]

    def _is_at_border(self, click):
        """Whether mask and background are among a click's voxel and the eight around it in its slice."""
        across, wide = slice_axes(self.grid)[0][0], np.pad(self.mask, 1)
        place = [slice(n, n + 3) for n in self._voxel(click)]
        place[across] = place[across].start + 1
        near = wide[tuple(place)]
        return near.any() and not near.all()

    def _opinion_at(self, click, earlier):
        """The network's opinion; a second boundary click within 2 mm draws its border to the click."""
        if not insists(click, [old for old in earlier if not self._is_at_border(old)]):
            return self.opinion
        voxel, axis = self._voxel(click), slice_axes(self.grid)[0][0]
        near = self._block(click, HALF) & (np.indices(self.mask.shape)[axis] == voxel[axis])
        beside = near & (np.abs(np.moveaxis(np.indices(self.mask.shape), 0, -1) - voxel).sum(axis=-1) == 1)
        inside = bool(self.opinion[voxel])
        other = near & (self.opinion != inside)
        if inside and not self.opinion[beside].all() or not beside.any() or not other.any():
            return self.opinion
        away = np.where(other, self._away(click), np.inf)
        nearest = np.argwhere(away <= away.min() + 1e-3)[0]
        middle = (self.centres[tuple(nearest)] + click.position_ras) / 2
        drawn = self.opinion.copy()
        drawn[np.linalg.norm(self.centres - middle, axis=-1) <= away.min() / 2 + 1e-3] = not inside
        drawn[voxel] = True
        return drawn

    def _is_deep(self, click, said):
        """Whether a click has no mask, or an exclude click nothing else, within 6 mm.

        A boundary click only where the initial network sees something, or on an empty mask if that is told
        of it and reaches far.
        """
        near = values_within(self.grid, self.mask, click, 6.0)
        if click.kind is EXCLUDE:
            return bool(near.all())
        if near.any() or click.kind is INCLUDE or self._is_seen(click, said):
            return not near.any()
        block = self._block(click, STARTER_HALF)
        return not self.mask.any() and (block & (self._away(click) > 14.4)).any()

    def _is_seen(self, click, said):
        """Whether nothing of what the initial network sees at a boundary click was excluded."""
        block = self._block(click, STARTER_HALF)
        return not any(block[self._voxel(c)] for c in said if c.kind is EXCLUDE)

    def refuses(self, clicks):
        """Whether one of clicks is a boundary click without a border in reach, and without a tumour there."""
        said = [*(c for _, c in self.standing()), *clicks]
        return any(lacks_border(self.grid, self.mask, c, self._is_seen(c, said)) for c in clicks)

    def _unsupported(self, click):
        """What the initial network does not see as tumour: of that the part under the exclude click."""
        wrong = self.mask & self._block(click, DOUBT_HALF)
        labels, _ = ndimage.label(wrong, TOUCHING)
        here = labels[self._voxel(click)]
        return (labels == here) & (here > 0)

    def _take_rests(self, result, excludes, includes):
        """Remove parts in an exclude click's block that touch what went and are a quarter of it at most."""
        gone = self.mask & ~result
        for click in excludes:
            labels, count = ndimage.label(result, TOUCHING)
            for part in (labels == n for n in range(1, count + 1)):
                inside = not (part & ~self._block(click, HALF)).any()
                touches = (ndimage.binary_dilation(gone & ~result, TOUCHING) & part).any()
                kept = any(part[self._voxel(c)] for c in includes)
                if inside and touches and not kept and part.sum() <= 0.25 * gone.sum():
                    result &= ~part

    def _island(self, click, said):
        """The part under an exclude click if it is not the tumour."""
        labels, _ = ndimage.label(self.mask, TOUCHING)
        if labels[self._voxel(click)] == 0:
            return None
        part = labels == labels[self._voxel(click)]
        near = [self._within(c, 2.0) for c in said if c.kind is not EXCLUDE]
        if any((self.mask & n).any() for n in near):
            is_tumour = any((part & n).any() for n in near)
        else:
            is_tumour = part.sum() == np.bincount(labels[labels > 0]).max()
        return None if is_tumour else part

    def _changes(self, click, opinion):
        block = self._block(click, HALF)
        if self.merge != "progressive":
            return block
        differs = block & (self.mask != opinion)
        if click.kind is not click.kind.BOUNDARY:
            differs &= opinion == (click.kind is INCLUDE)
            differs &= self._within(click, 5.0) | self._thick(differs, block)
        labels, _ = ndimage.label(differs, TOUCHING)
        return np.isin(labels, labels[differs & self._within(click, 2.0)]) & differs

    def _thick(self, differs, block):
        """What a ball 2.1 mm wide fills without leaving it; beyond the block it goes on as at its face."""
        place = tuple(slice(low.min(), low.max() + 1) for low in np.nonzero(block))
        inside = np.pad(differs[place], 1, mode="edge")
        spacing = np.linalg.norm(self.affine[:3, :3], axis=0)[::-1]
        places = np.moveaxis(np.indices(inside.shape), 0, -1).reshape(-1, 3) * spacing
        core = np.zeros(inside.size, bool)
        for n in np.flatnonzero(inside):
            core[n] = inside.ravel()[self._ball(places, n)].all()
        filled = np.zeros(inside.size, bool)
        for n in np.flatnonzero(core):
            filled |= self._ball(places, n)
        result = np.zeros_like(differs)
        result[place] = differs[place] & filled.reshape(inside.shape)[1:-1, 1:-1, 1:-1]
        return result

    @staticmethod
    def _ball(places, n):
        return np.linalg.norm(places - places[n], axis=1) <= 1.05

    def _kept_true(self, result, clicks, earlier):
        result = result.copy()
        plain = [c for c in clicks if c.kind in (INCLUDE, EXCLUDE)]
        for click in plain:
            if result[self._voxel(click)] != (click.kind is INCLUDE):
                result[self._within(click, 1.2)] = click.kind is INCLUDE
        for click in earlier:
            voxel = self._voxel(click)
            if click.kind in (INCLUDE, EXCLUDE) and result[voxel] != (click.kind is INCLUDE):
                result[voxel] = self.mask[voxel]
        for click in plain:
            result[self._voxel(click)] = click.kind is INCLUDE
        return result


def initial_proposer(case, click, *_):
    """An initial network that sees a small block around each click, but not what an exclude click is on."""
    voxel = Box.of_voxel(case.grid.ras_to_index(click.position_ras))
    box = voxel.padded(STARTER_HALF).clipped(case.grid.shape)
    seen = np.ones(box.shape, np.float32)
    if click.kind is EXCLUDE:
        seen[voxel.padded(DOUBT_HALF).clipped(case.grid.shape).slices_in(box)] = 0.0
    return Proposal(click, box, seen)
