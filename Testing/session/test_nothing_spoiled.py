"""Nothing is spoiled: clicks, hand edits, undos and removals change what they say alone, on any geometry.

The twin in `test_properties` says exactly what a click does, on grids whose numbers are round. Here grids are
any, cuts are real windows, and what must hold is said without repeating how a correction is made.
"""

import hypothesis.strategies as st
import numpy as np
import pytest
from any_grid import all_ras, grids, slice_steps
from example_counts import examples
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scipy import ndimage
from session_doubles import (
    BOUNDARY,
    EXCLUDE,
    INCLUDE,
    ContraryCorrector,
    GuessingCorrector,
    OracleCorrector,
    boxes_in,
    case_on,
    clicks_in,
    lacks_border,
    masks_on,
)
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import MERGES, Proposal
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import restored

GEOMETRIES = st.sampled_from(
    [PatchGeometry(8, 0.75, 1), PatchGeometry(16, 0.6, 3), PatchGeometry(6, 2.0, 2, slice_mm=3.0)]
)
DISC_MM, STARTER_MM = 1.2, 4.0


def initial_proposer(case, click, *_):
    """Find tumour within 4 mm of the click along each axis of the array, of some boundary clicks none."""
    box = case.grid.box_around(click.position_ras, STARTER_MM)
    values = np.ones(box.shape, np.float32) * (click.kind is not BOUNDARY or is_seen(click))
    return Proposal(click, box, values)


def is_seen(click):
    return int(np.floor(sum(click.position_ras))) % 2 == 0


@st.composite
def corner_clicks(draw, grid):
    """Clicks in the middle of a voxel at the border."""
    index = [draw(st.sampled_from((0, n - 1))) for n in grid.shape]
    return Click(tuple(map(float, grid.index_to_ras(index))), draw(st.sampled_from(ClickKind)))


@st.composite
def clicks_outside(draw, grid):
    """Clicks at least a hundredth of a voxel beyond a face, or nowhere at all."""
    ijk = [draw(st.floats(-0.4, n - 0.6)) for n in grid.shape[::-1]]
    axis, beyond = draw(st.integers(0, 2)), draw(st.floats(0.51, 1000.0) | st.just(np.nan))
    ijk[axis] = draw(st.sampled_from((-beyond, grid.shape[2 - axis] - 1 + beyond)))
    return Click(tuple(map(float, grid.ijk_to_ras(ijk))), draw(st.sampled_from(ClickKind)))


class Untouched(RuleBasedStateMachine):
    """Looks at the mask before and after everything that is done to it."""

    @initialize(data=st.data(), grid=grids(sides=st.integers(1, 12)), geometry=GEOMETRIES)
    def begin(self, data, grid, geometry):
        self.grid, self.geometry = grid, geometry
        self.ras, self.steps = all_ras(grid), slice_steps(grid)
        self.first = data.draw(masks_on(grid))
        self.mask = ArrayMask(grid, self.first)
        correctors = (
            OracleCorrector(data.draw(masks_on(grid)), geometry),
            GuessingCorrector(geometry, 0),
            ContraryCorrector(geometry),
        )
        self.corrector = data.draw(st.sampled_from(correctors))
        # Which voxels a hand has touched.
        self.painted = np.zeros(grid.shape, bool)
        self.done, self.undone, self.said = [], [], []
        self.resume(Journal(), data.draw(st.sampled_from(tuple(MERGES))))

    def resume(self, journal, merge):
        self.session = CorrectionSession(
            case_on(self.grid), self.mask, self.corrector, initial_proposer, merge, journal
        )

    @property
    def live(self):
        return self.mask.values

    @rule(data=st.data())
    def click(self, data):
        self._apply([data.draw(self._any_click())])

    @rule(data=st.data())
    def click_together(self, data):
        self._apply(data.draw(st.lists(self._any_click(), min_size=2, max_size=4)))

    def _any_click(self):
        again = st.sampled_from(self.said) if self.said else st.nothing()
        return clicks_in(self.grid) | corner_clicks(self.grid) | again

    def _apply(self, clicks):
        before = self.live.copy()
        excluded = [self._voxel(c) for c in (*self.session.clicks, *clicks) if c.kind is EXCLUDE]
        if any(lacks_border(self.grid, before, click, self._is_seen(click, excluded)) for click in clicks):
            with pytest.raises(CorrectionError, match="no border of the mask within 14 mm"):
                self.session.apply_together(clicks)
            np.testing.assert_array_equal(self.live, before)
            return
        self.session.apply_together(clicks)
        self.said += clicks
        self.done.append((before != self.live, self.live.copy()))
        self.undone.clear()
        assert not (before != self.live)[~self._meant(clicks, before)].any()
        self._check_kinds({click.kind for click in clicks}, before)
        for voxel, kind in {self._voxel(c): c.kind for c in clicks if c.kind in (INCLUDE, EXCLUDE)}.items():
            assert self.live[voxel] == (kind is INCLUDE)

    def _is_seen(self, click, excluded):
        """Whether a tumour is seen at a click, none of which was excluded."""
        (meant,) = self.session.meant([click])
        seen = self.grid.box_around(meant.position_ras, STARTER_MM)
        return is_seen(meant) and not any(seen.contains(Box.of_voxel(voxel)) for voxel in excluded)

    def _check_kinds(self, kinds, before):
        if self.session.merge == "progressive":
            assert kinds != {INCLUDE} or not (before & ~self.live).any()
            assert kinds != {EXCLUDE} or not (self.live & ~before).any()

    def _meant(self, clicks, before):
        """The voxels of which clicks may speak: those in their cuts and discs, and islands under them."""
        meant = np.zeros(self.grid.shape, bool)
        cut_mm = np.multiply(self.geometry.window.shape, self.geometry.window.spacing) / 2
        # Of an even number of slices the click's is the first of the upper half.
        cut_mm[0] += self.geometry.slice_mm / 2 if self.geometry.slices % 2 == 0 else 0
        half_voxel = np.abs(self.steps @ self.grid.affine[:3, :3]).max(axis=1) / 2
        labels, _ = ndimage.label(before, np.ones((3, 3, 3)))
        for click in clicks:
            away = self.ras - click.position_ras
            meant |= (np.abs(away @ self.steps.T) <= cut_mm + half_voxel + 1e-3).all(axis=-1)
            meant |= np.linalg.norm(away, axis=-1) <= DISC_MM + 1e-3
            if click.kind is not EXCLUDE:
                meant |= (np.abs(away @ self.steps.T) <= STARTER_MM + 3 * half_voxel + 1e-3).all(axis=-1)
            if click.kind is EXCLUDE and before[self._voxel(click)]:
                meant |= labels == labels[self._voxel(click)]
        return meant

    def _voxel(self, click):
        ijk = np.linalg.solve(self.grid.affine, [*click.position_ras, 1.0])[:3]
        return tuple(np.floor(ijk[::-1] + 0.5 + 1e-6).astype(int))

    @rule(data=st.data())
    def click_outside(self, data):
        clicks = data.draw(st.lists(self._any_click(), max_size=2))
        clicks.insert(data.draw(st.integers(0, len(clicks))), data.draw(clicks_outside(self.grid)))
        before, text, standing = self.live.copy(), self.session.journal.text, self.session.clicks
        with pytest.raises(CorrectionError, match="outside the image; click|not finite numbers; place"):
            self.session.apply_together(clicks)
        np.testing.assert_array_equal(self.live, before)
        assert (self.session.journal.text, self.session.clicks) == (text, standing)

    @rule(data=st.data(), value=st.booleans())
    def paint(self, data, value):
        self._paint(data.draw(boxes_in(self.grid.shape)), value)
        self.session.note_painting()

    @rule(data=st.data(), value=st.booleans(), merge=st.sampled_from(tuple(MERGES)))
    def paint_while_nobody_looks(self, data, value, merge):
        self._paint(data.draw(boxes_in(self.grid.shape)), value)
        self.close_and_resume_with_another_merge(merge)

    @precondition(lambda self: any(changed.any() for changed, _ in self.done))
    @rule(data=st.data())
    def paint_over_an_edit(self, data):
        changed = [index for changed, _ in self.done for index in np.argwhere(changed).tolist()]
        box = Box.of_voxel(tuple(data.draw(st.sampled_from(changed))))
        self._paint(box, not self.live[box.slices].item())
        self.session.note_painting()

    def _paint(self, box, value):
        self.painted[box.slices] |= self.live[box.slices] != value
        self.mask.write(box, np.full(box.shape, value))

    @precondition(lambda self: self.done)
    @rule()
    def undo(self):
        before = self.live.copy()
        self.session.undo()
        changed, made = self.done.pop()
        # What was painted over since stays; all else that the edit changed goes back.
        back = changed & (before == made)
        np.testing.assert_array_equal(self.live, before ^ back)
        self.undone.append((back, self.live.copy()))

    @precondition(lambda self: self.undone)
    @rule()
    def redo(self):
        before = self.live.copy()
        self.session.redo()
        taken_back, made = self.undone.pop()
        again = taken_back & (before == made)
        np.testing.assert_array_equal(self.live, before ^ again)
        self.done.append((again, self.live.copy()))

    @precondition(lambda self: self.session.standing)
    @rule(data=st.data())
    def take_one_back(self, data):
        self._take_back(data.draw(st.sampled_from(self.session.standing)))

    def _take_back(self, standing):
        before = self.live.copy()
        added, removed = standing.edit.change.voxels()
        self.session.remove(standing)
        changed = before != self.live
        # Only voxels that the click's own edit had flipped, or its own voxel, that hold its value still.
        mine = np.zeros(self.grid.shape, bool)
        box = standing.edit.change.box.slices
        mine[box] = (added & before[box]) | (removed & ~before[box])
        if standing.click.kind in (INCLUDE, EXCLUDE):
            own = self._voxel(standing.click)
            mine[own] = before[own] == (standing.click.kind is INCLUDE)
        assert not changed[~mine].any()
        assert not (changed & self._of_later_clicks(standing.edit)).any()
        self.done.append((changed, self.live.copy()))
        self.undone.clear()

    def _of_later_clicks(self, edit):
        """The voxels flipped by edits after this one of which every click stands."""
        numbers = {standing.number for standing in self.session.standing}
        edits, flipped = self.session.history.done, np.zeros(self.grid.shape, bool)
        for later in edits[edits.index(edit) + 1 :]:
            if later.clicks and numbers.issuperset(later.numbers):
                flipped[later.change.box.slices] |= np.logical_or(*later.change.voxels())
        return flipped

    @rule()
    def next_round(self):
        before = self.live.copy()
        self.session.next_round()
        np.testing.assert_array_equal(self.live, before)

    @rule(merge=st.sampled_from(tuple(MERGES)))
    def close_and_resume_with_another_merge(self, merge):
        before = self.live.copy()
        self.resume(Journal(text=self.session.journal.text), merge)
        np.testing.assert_array_equal(self.live, before)

    @invariant()
    def the_journal_alone_gives_all_back(self):
        np.testing.assert_array_equal(restored(self.session.journal.events, self.grid), self.live)

    def teardown(self):
        if hasattr(self, "session") and not self.painted.any():
            while self.session.standing:
                self._take_back(self.session.standing[len(self.said) % len(self.session.standing)])
            np.testing.assert_array_equal(self.live, self.first)


TestUntouched = Untouched.TestCase
TestUntouched.settings = examples(1, stateful_step_count=25)
