"""Include and exclude clicks that stand hold for their voxel, whatever else is taken back, undone or done."""

import hypothesis.strategies as st
import numpy as np
import pytest
from example_counts import examples
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from session_doubles import (
    BOUNDARY,
    EXCLUDE,
    INCLUDE,
    BlockCorrector,
    GuessingCorrector,
    boxes_in,
    case_on,
    click_at,
    clicks_in,
    grids,
    lacks_border,
    masks_on,
    with_blocks,
)
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import MERGES
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import restored

GRID = Grid((3, 9, 9), np.eye(4))
TUMOUR = with_blocks(GRID.shape, ((0, 3), (2, 7), (2, 7)))
FIRST, SECOND = (1, 4, 4), (1, 4, 5)


@pytest.fixture
def session():
    """A session on an empty mask; every click shows its corrector the whole tumour."""
    return CorrectionSession(case_on(GRID), ArrayMask(GRID), BlockCorrector(TUMOUR, GRID.shape))


def remove(session, number):
    return session.remove(next(s for s in session.standing if s.number == number))


def test_a_click_inside_what_another_added_holds_once_that_one_is_taken_back(session):
    session.apply(click_at(GRID, FIRST, INCLUDE))
    session.apply(click_at(GRID, SECOND, INCLUDE))
    assert remove(session, 1).change.count == (0, TUMOUR.sum() - 1)
    assert np.argwhere(session.mask.values).tolist() == [list(SECOND)]


def test_what_a_click_held_goes_with_it(session):
    session.apply(click_at(GRID, FIRST, INCLUDE))
    session.apply(click_at(GRID, SECOND, INCLUDE))
    remove(session, 1)
    assert remove(session, 2).change.count == (0, 1)
    assert not session.mask.values.any()
    session.undo()
    assert np.argwhere(session.mask.values).tolist() == [list(SECOND)]


@pytest.mark.parametrize(("later", "left"), [(EXCLUDE, True), (INCLUDE, False)])
def test_of_two_clicks_placed_together_on_one_voxel_the_one_that_is_left_holds(session, later, left):
    session.apply(click_at(GRID, FIRST, BOUNDARY))
    earlier = INCLUDE if later is EXCLUDE else EXCLUDE
    session.apply_together([click_at(GRID, FIRST, earlier), click_at(GRID, FIRST, later)])
    assert session.mask.values[FIRST] == (later is INCLUDE)
    remove(session, 3)
    assert session.mask.values[FIRST] == left
    remove(session, 2)
    assert session.mask.values[FIRST]


def test_a_voxel_painted_over_a_click_stays_as_it_was_painted(session):
    session.apply(click_at(GRID, FIRST, INCLUDE))
    session.apply(click_at(GRID, SECOND, INCLUDE))
    box = session.history.done[0].change.box
    session.mask.write(box, np.zeros(box.shape, bool))
    assert remove(session, 1).change.box.empty
    assert not session.mask.values.any()


class Standing(RuleBasedStateMachine):
    """Does everything that changes a mask, on grids so small that clicks meet."""

    @initialize(data=st.data(), grid=grids(largest=(3, 6, 6)), seed=st.integers(0, 99))
    def begin(self, data, grid, seed):
        self.grid, self.mask = grid, ArrayMask(grid, data.draw(masks_on(grid)))
        self.corrector = GuessingCorrector(PatchGeometry(8, 0.75, 3), seed)
        # Of each click its voxel and what it says of it, and those over which a hand has painted since.
        self.said, self.painted_over = {}, set()
        self.resume(data.draw(st.sampled_from(tuple(MERGES))), Journal())

    def resume(self, merge, journal):
        case = case_on(self.grid)
        self.session = CorrectionSession(case, self.mask, self.corrector, None, merge, journal)

    def _voxel(self, click):
        ijk = np.linalg.solve(self.grid.affine, [*click.position_ras, 1.0])[:3]
        return tuple(np.floor(ijk[::-1] + 0.5 + 1e-6).astype(int))

    def _told(self, edit):
        for number, click in zip(edit.numbers, edit.clicks, strict=True):
            if click.kind is not BOUNDARY:
                self.said[number] = self._voxel(click), click.kind is INCLUDE

    @rule(data=st.data())
    def apply(self, data):
        self._apply([data.draw(clicks_in(self.grid))])

    @rule(data=st.data())
    def apply_together(self, data):
        self._apply(data.draw(st.lists(clicks_in(self.grid), min_size=2, max_size=4)))

    def _apply(self, clicks):
        # Others are refused, and change nothing.
        clicks = [click for click in clicks if not lacks_border(self.grid, self.mask.values, click)]
        if clicks:
            self._told(self.session.apply_together(clicks))

    @precondition(lambda self: self.session.standing)
    @rule(data=st.data())
    def remove(self, data):
        self.session.remove(data.draw(st.sampled_from(self.session.standing)))

    @precondition(lambda self: self.session.history.done)
    @rule()
    def undo(self):
        self.session.undo()

    @precondition(lambda self: self.session.history.undone)
    @rule()
    def redo(self):
        self.session.redo()

    @rule(data=st.data(), value=st.booleans())
    def paint(self, data, value):
        box = data.draw(boxes_in(self.grid.shape))
        self.mask.write(box, np.full(box.shape, value))
        self.session.note_painting()
        painted = np.zeros(self.grid.shape, bool)
        painted[box.slices] = True
        self.painted_over |= {
            n for n, (voxel, wanted) in self.said.items() if painted[voxel] and wanted != value
        }

    @rule()
    def next_round(self):
        self.session.next_round()

    @rule(merge=st.sampled_from(tuple(MERGES)))
    def close_and_resume(self, merge):
        self.resume(merge, Journal(text=self.session.journal.text))

    @invariant()
    def every_standing_click_holds(self):
        standing = {standing.number for standing in self.session.standing}
        # Of several on one voxel the last one holds.
        last = {self.said[number][0]: number for number in sorted(standing & set(self.said))}
        for voxel, number in last.items():
            assert number in self.painted_over or self.mask.values[voxel] == self.said[number][1]

    @invariant()
    def the_journal_gives_the_mask(self):
        np.testing.assert_array_equal(restored(self.session.journal.events, self.grid), self.mask.values)


TestStanding = Standing.TestCase
TestStanding.settings = examples(1, stateful_step_count=25)
