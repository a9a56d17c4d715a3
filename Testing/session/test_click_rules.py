"""What clicks promise, on small masks whose outcome can be worked out by hand."""

import numpy as np
import pytest
from session_doubles import (
    BOUNDARY,
    EXCLUDE,
    INCLUDE,
    BlockCorrector,
    OracleCorrector,
    case_on,
    click_at,
    with_blocks,
)
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import CorrectionSession

SHAPE = (5, 60, 60)
GRID = Grid(SHAPE, np.eye(4))
TUMOUR = with_blocks(SHAPE, ((1, 4), (10, 20), (10, 20)))


def session(mask, corrector=None):
    return CorrectionSession(case_on(GRID), ArrayMask(GRID, mask), corrector or OracleCorrector(TUMOUR))


class TestBoundaryWithoutBorder:
    # The tumour's last column is 19: a click at column 33 lies 14 mm from it, one at 34 lies 15 mm.
    @pytest.mark.parametrize(("column", "taken"), [(33, True), (34, False), (55, False)])
    def test_is_refused_where_no_border_lies_within_the_cut(self, column, taken):
        one = session(TUMOUR)
        if taken:
            one.apply(click_at(GRID, (2, 15, column)))
            return
        with pytest.raises(CorrectionError, match="no border of the mask within 14 mm of the boundary click"):
            one.apply(click_at(GRID, (2, 15, column)))
        np.testing.assert_array_equal(one.mask.values, TUMOUR)
        assert not one.clicks

    def test_is_refused_deep_inside_a_mask(self):
        grid = Grid((40, 40, 40), np.eye(4))
        full = np.ones(grid.shape, bool)
        one = CorrectionSession(case_on(grid), ArrayMask(grid, full), OracleCorrector(full))
        with pytest.raises(CorrectionError, match="no border"):
            one.apply(click_at(grid, (20, 20, 20)))
        # A mask that ends with the image has its border there.
        one.apply(click_at(grid, (20, 20, 5)))

    def test_one_of_several_refuses_them_all(self):
        one = session(TUMOUR)
        with pytest.raises(CorrectionError, match="no border"):
            one.apply_together([click_at(GRID, (2, 15, 20)), click_at(GRID, (2, 50, 50))])
        np.testing.assert_array_equal(one.mask.values, TUMOUR)

    def test_a_border_of_one_voxel_in_another_slice_counts(self):
        mask = with_blocks(SHAPE, ((0, 1), (30, 31), (30, 31)))
        session(mask).apply(click_at(GRID, (4, 30, 40)))


class TestRests:
    def neck(self):
        """A tumour, a bridge of 3 voxels and a rest of 2 beyond it."""
        bridge = with_blocks(SHAPE, ((2, 3), (15, 16), (20, 23)))
        rest = with_blocks(SHAPE, ((2, 3), (15, 17), (23, 24)))
        return bridge, rest

    def test_what_an_exclude_click_cuts_off_goes_with_it(self):
        surplus = with_blocks(SHAPE, ((2, 3), (14, 18), (20, 24)))
        rest = with_blocks(SHAPE, ((2, 3), (15, 17), (24, 26)))
        # The network removes the 16 voxels of the surplus, but not the 4 beyond, which hang on them.
        one = session(TUMOUR | surplus | rest, BlockCorrector(TUMOUR | rest, (1, 6, 6)))
        edit = one.apply(click_at(GRID, (2, 16, 22), EXCLUDE))
        np.testing.assert_array_equal(one.mask.values, TUMOUR)
        assert edit.change.count == (0, 20)

    def test_what_is_larger_than_a_quarter_of_it_stays(self):
        bridge, rest = self.neck()
        one = session(TUMOUR | bridge | rest, BlockCorrector(TUMOUR | rest, (1, 6, 6)))
        one.apply(click_at(GRID, (2, 15, 21), EXCLUDE))
        np.testing.assert_array_equal(one.mask.values, TUMOUR | rest)

    def test_what_was_said_to_be_tumour_stays(self):
        surplus = with_blocks(SHAPE, ((2, 3), (14, 18), (20, 24)))
        rest = with_blocks(SHAPE, ((2, 3), (15, 17), (24, 26)))
        one = session(TUMOUR | surplus | rest, BlockCorrector(TUMOUR | rest, (1, 6, 6)))
        one.apply(click_at(GRID, (2, 16, 25), INCLUDE))
        one.apply(click_at(GRID, (2, 16, 22), EXCLUDE))
        np.testing.assert_array_equal(one.mask.values, TUMOUR | rest)

    def test_what_goes_on_outside_the_cut_is_no_rest(self):
        surplus = with_blocks(SHAPE, ((2, 3), (14, 18), (20, 24)))
        long = with_blocks(SHAPE, ((2, 3), (15, 16), (24, 28)))
        # The block ends at column 26, the part at 27.
        one = session(TUMOUR | surplus | long, BlockCorrector(TUMOUR | long, (1, 6, 4)))
        one.apply(click_at(GRID, (2, 16, 22), EXCLUDE))
        np.testing.assert_array_equal(one.mask.values, TUMOUR | long)


class Slope:
    """Says everywhere how likely tumour is."""

    identity = "slope"

    def __init__(self, probability):
        self._probability = probability

    def propose(self, case, mask, clicks):
        return [Proposal(click, GRID.box, self._probability) for click in clicks]


class TestInsisting:
    """The corrector's tumour ends at column 19, of which it is as sure as can be."""

    @pytest.mark.parametrize(("again", "insists"), [(23, True), (25, True), (27, False)])
    def test_a_boundary_click_made_twice_overrules_the_network(self, again, insists):
        one = session(TUMOUR)
        one.apply(click_at(GRID, (2, 15, 23)))
        np.testing.assert_array_equal(one.mask.values, TUMOUR)
        one.apply(click_at(GRID, (2, 15, again)))
        row = one.mask.values[2, 15].nonzero()[0].tolist()
        assert row == list(range(10, again + 1 if insists else 20))

    def test_it_takes_away_likewise(self):
        one = session(TUMOUR)
        for _ in range(2):
            one.apply(click_at(GRID, (2, 15, 16)))
        assert one.mask.values[2, 15].nonzero()[0].tolist() == list(range(10, 17))

    @pytest.mark.parametrize("column", [16, 23])
    def test_clicks_that_are_made_with_it_have_no_say_there(self, column):
        one = session(TUMOUR)
        again = click_at(GRID, (2, 15, column))
        one.apply(again)
        # The border runs through this one, 4 mm away, whose proposal is sure of it.
        edit = one.apply_together([click_at(GRID, (2, 11, 19)), again])
        assert one.mask.values[2, 15].nonzero()[0].tolist() == list(range(10, column + 1))
        assert edit.remark == ""

    def test_a_border_that_the_network_lets_go_but_not_to_the_click_comes_there(self):
        # A logit of 0.85 all over the tumour: shifted to 0 at the click, it is more than that 1 mm away.
        one = session(TUMOUR, Slope(np.where(TUMOUR, 0.7, 0.02).astype(np.float32)))
        one.apply(click_at(GRID, (2, 15, 15)))
        np.testing.assert_array_equal(one.mask.values, TUMOUR)
        one.apply(click_at(GRID, (2, 15, 15)))
        assert one.mask.values[2, 15, 15]
        assert not one.mask.values[2, 14:17, 14:17].all()

    def test_a_click_that_was_undone_was_not_made(self):
        one = session(TUMOUR)
        one.apply(click_at(GRID, (2, 15, 23)))
        one.undo()
        one.apply(click_at(GRID, (2, 15, 23)))
        np.testing.assert_array_equal(one.mask.values, TUMOUR)


class TestWhereTheImageEnds:
    """The field of view cuts off a tumour at column 59; the network is less and less sure of lower rows."""

    CUT = with_blocks(SHAPE, ((1, 4), (10, 30), (45, 60)))
    SURE = np.where(np.arange(60) < 18, 0.51, np.interp(np.arange(60), [18, 19, 20], [0.55, 0.6, 0.7]))

    @pytest.mark.parametrize(("column", "changes"), [(59, False), (57, True)])
    def test_the_border_runs_there_already(self, column, changes):
        probability = np.where(self.CUT, self.SURE[None, :, None], 0.02).astype(np.float32)
        one = session(self.CUT, Slope(probability))
        edit = one.apply(click_at(GRID, (2, 20, column)))
        assert (edit.change.count != (0, 0)) == changes
        assert ("border runs where the boundary click is already" in edit.remark) != changes


class TestHeldBorders:
    """The mask ends at column 24 and the network sees an end at 19; the first click is followed alone."""

    WIDE = with_blocks(SHAPE, ((1, 4), (10, 20), (10, 25)))

    @pytest.mark.parametrize(("kind", "column"), [(BOUNDARY, 24), (EXCLUDE, 19)])
    def test_what_an_earlier_boundary_click_has_set_is_left_by_later_ones(self, kind, column):
        one = session(self.WIDE, BlockCorrector(self.WIDE))
        one.apply(click_at(GRID, (2, 10, 24)))
        one.corrector.opinion = TUMOUR
        one.apply(click_at(GRID, (2, 18, 22), kind))
        # 4 mm from the first click, and 4.5 mm from the second.
        assert one.mask.values[2, 14].nonzero()[0].max() == column
        assert one.mask.values[2, 18].nonzero()[0].max() == 19

    @pytest.mark.parametrize(("place", "column"), [((2, 40, 50), 24), ((2, 13, 24), 19)])
    def test_a_part_that_is_meant_elsewhere_lets_go_of_nothing(self, place, column):
        one = session(self.WIDE, BlockCorrector(self.WIDE))
        one.apply(click_at(GRID, (2, 10, 24)))
        one.corrector.opinion = TUMOUR
        one.apply_together([click_at(GRID, (2, 18, 22)), click_at(GRID, place, EXCLUDE)])
        # The exclude click lies far off, or 1 mm from that row, and means what is nearest to it.
        assert one.mask.values[2, 14].nonzero()[0].max() == column
        assert one.mask.values[2, 18].nonzero()[0].max() == 19

    def test_an_earlier_click_that_was_overruled_holds_nothing(self):
        one = session(self.WIDE, BlockCorrector(self.WIDE))
        one.apply(click_at(GRID, (2, 13, 20)))
        one.corrector.opinion = TUMOUR
        one.apply(click_at(GRID, (2, 17, 20)))
        assert one.mask.values[2, 14].nonzero()[0].max() == 19


class TestRemarks:
    def test_of_clicks_without_effect_say_why(self):
        one = session(TUMOUR)
        said = {
            kind: one.apply(click_at(GRID, index, kind)).remark
            for kind, index in ((BOUNDARY, (2, 15, 19)), (INCLUDE, (2, 15, 15)), (EXCLUDE, (2, 15, 30)))
        }
        assert "border runs where the boundary click is already" in said[BOUNDARY]
        assert "lies in the mask already" in said[INCLUDE]
        assert "lies outside the mask already" in said[EXCLUDE]

    def test_of_a_boundary_click_that_the_network_overrules_says_how_to_insist(self):
        one = session(TUMOUR)
        edit = one.apply(click_at(GRID, (2, 15, 23)))
        assert edit.change.count == (0, 0)
        assert "click there once more to insist" in edit.remark

    def test_of_a_boundary_click_that_is_followed_in_part_says_how_to_insist(self):
        # A dent of one column, 2 mm from the click, is filled; the border stays there.
        dent = with_blocks(SHAPE, ((2, 3), (14, 17), (19, 20)))
        one = session(TUMOUR & ~dent, Slope(TUMOUR.astype(np.float32)))
        edit = one.apply(click_at(GRID, (2, 15, 21)))
        assert edit.change.count == (3, 0)
        assert (
            edit.remark == "The border does not run through the click yet; click there once more to insist."
        )
        one.apply(click_at(GRID, (2, 15, 21)))
        assert one.mask.values[2, 15].nonzero()[0].max() == 21

    def test_of_several_boundary_clicks_say_how_many_were_not_followed(self):
        one = session(TUMOUR & ~with_blocks(SHAPE, ((0, 5), (0, 60), (17, 20))))
        edit = one.apply_together([click_at(GRID, (2, 12, 19)), click_at(GRID, (2, 16, 23))])
        assert "does not run through 1 of 2 clicks yet" in edit.remark

    def test_of_insisting_in_vain_say_what_to_do_instead(self):
        one = session(np.zeros(SHAPE, bool), BlockCorrector(np.zeros(SHAPE, bool)))
        said = [one.apply(click_at(GRID, (2, 15, 15))).remark for _ in range(2)]
        assert "click there once more to insist" in said[0]
        assert "place an include or exclude click instead" in said[1]

    def test_of_an_include_click_where_the_networks_see_nothing(self):
        one = session(TUMOUR)
        edit = one.apply(click_at(GRID, (2, 40, 40), INCLUDE))
        assert "see no tumour there" in edit.remark
        assert edit.change.count[0] > 0

    def test_of_an_exclude_click_against_the_network(self):
        edit = session(TUMOUR).apply(click_at(GRID, (2, 15, 15), EXCLUDE))
        assert "take that for tumour" in edit.remark

    def test_of_clicks_together_say_how_many_the_networks_did_not_follow(self):
        # The tumour's last three columns are missing; the networks see nothing at (40, 40), and tumour at
        # (15, 12).
        one = session(TUMOUR & ~with_blocks(SHAPE, ((0, 5), (0, 60), (17, 20))))
        places = (
            ((2, 15, 18), INCLUDE),
            ((2, 40, 40), INCLUDE),
            ((2, 15, 12), EXCLUDE),
            ((2, 15, 25), BOUNDARY),
        )
        edit = one.apply_together([click_at(GRID, index, kind) for index, kind in places])
        assert edit.change.count[0] > 50
        assert edit.remark == (
            "The networks see no tumour at 1 of 4 clicks, so only a small disc was added there. "
            "The networks take 1 of 4 clicks for tumour, so only a small disc was removed there. "
            "The border does not run through 1 of 4 clicks yet; click there once more to insist."
        )

    @pytest.mark.parametrize("kinds", [(INCLUDE, EXCLUDE), (EXCLUDE, INCLUDE)])
    @pytest.mark.parametrize(("index", "inside"), [((2, 15, 15), True), ((2, 40, 40), False)])
    def test_of_clicks_that_contradict_on_one_voxel_say_that_the_last_one_counts(self, kinds, index, inside):
        one = session(TUMOUR)
        edit = one.apply_together([click_at(GRID, index, kind) for kind in kinds])
        assert one.mask.values[index] == (kinds[1] is INCLUDE)
        assert "Where clicks on one voxel contradict each other the last one counts." in edit.remark
        # What is said beside it is true of the mask before and after.
        flipped = inside != one.mask.values[index]
        assert ("small disc" in edit.remark) == flipped
        assert ("nothing was changed" in edit.remark) == (edit.change.count == (0, 0))
        lies = {INCLUDE: "include click lies in the mask already", EXCLUDE: "lies outside the mask already"}
        assert (lies[kinds[1]] in edit.remark) == (edit.change.count == (0, 0))
        assert lies[kinds[0]] not in edit.remark

    def test_no_disc_is_said_to_be_added_where_one_was_kept(self):
        # The networks no longer see the tumour's last columns; what is included of them was in the mask.
        one = session(TUMOUR, OracleCorrector(TUMOUR & ~with_blocks(SHAPE, ((0, 5), (0, 60), (14, 20)))))
        edit = one.apply_together(
            [click_at(GRID, (2, 12, 17), EXCLUDE), click_at(GRID, (2, 18, 17), INCLUDE)]
        )
        assert one.mask.values[2, 18, 17] and not one.mask.values[2, 12, 17]
        assert edit.change.count[0] == 0 and "added" not in edit.remark

    def test_is_empty_where_a_click_did_what_it_says(self):
        short = TUMOUR & ~with_blocks(SHAPE, ((0, 5), (0, 60), (17, 20)))
        assert session(short).apply(click_at(GRID, (2, 15, 19))).remark == ""
