"""Clicks far from the border, which the network that sees the whole tumour answers."""

import weakref

import numpy as np
import pytest
from session_doubles import BOUNDARY, EXCLUDE, INCLUDE, OracleCorrector, case_on, click_at, with_blocks
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import CorrectionSession


class TestDeepClicks:
    """Clicks more than 6 mm from the border are answered by the network that sees the whole tumour."""

    GRID = Grid((30, 30, 30), np.eye(4))
    TUMOUR = with_blocks(GRID.shape, ((2, 28), (2, 14), (2, 28)))
    WRONG = with_blocks(GRID.shape, ((2, 28), (14, 28), (2, 28)))

    def session(self, mask, seen):
        def initial_proposer(case, click, *_):
            return Proposal(click, case.grid.box, seen.astype(np.float32))

        return CorrectionSession(
            case_on(self.GRID), ArrayMask(self.GRID, mask), OracleCorrector(self.TUMOUR), initial_proposer
        )

    def test_an_exclude_click_takes_away_all_that_the_network_no_longer_sees(self):
        one = self.session(self.TUMOUR | self.WRONG, self.TUMOUR)
        one.apply(click_at(self.GRID, (15, 20, 15), EXCLUDE))
        np.testing.assert_array_equal(one.mask.values, self.TUMOUR)

    def test_another_part_that_the_network_does_not_see_stays(self):
        # The network sees a wall between the wrong part under the click and another one behind it.
        wall = with_blocks(self.GRID.shape, ((2, 28), (14, 28), (24, 26)))
        behind = with_blocks(self.GRID.shape, ((2, 28), (14, 28), (26, 28)))
        one = self.session(self.TUMOUR | self.WRONG, self.TUMOUR | wall)
        one.apply(click_at(self.GRID, (15, 20, 12), EXCLUDE))
        np.testing.assert_array_equal(one.mask.values, self.TUMOUR | wall | behind)

    def test_an_include_click_brings_what_the_network_sees_and_takes_nothing(self):
        half = with_blocks(self.GRID.shape, ((2, 28), (2, 14), (2, 8)))
        one = self.session(half, self.TUMOUR & ~with_blocks(self.GRID.shape, ((2, 10), (2, 14), (2, 8))))
        one.apply(click_at(self.GRID, (15, 8, 20), INCLUDE))
        np.testing.assert_array_equal(one.mask.values, self.TUMOUR)

    @pytest.mark.parametrize("behind", [8, 28])
    def test_a_boundary_click_far_outside_brings_what_the_corrector_cannot_see_from_it(self, behind):
        # The tumour's border at row 13; nearer than 14.4 mm to the click is all of it, or a part. The network
        # sees it when it is told of it.
        tumour = with_blocks(self.GRID.shape, ((14, 17), (2, 14), (2, behind)))
        asked = []

        def initial_proposer(case, click, *_):
            asked.append(click.kind)
            values = tumour if click.kind is INCLUDE else np.zeros_like(tumour)
            return Proposal(click, case.grid.box, values.astype(np.float32))

        corrector = OracleCorrector(tumour)
        one = CorrectionSession(case_on(self.GRID), ArrayMask(self.GRID), corrector, initial_proposer)
        click = click_at(self.GRID, (15, 13, 5))
        one.apply(click)
        assert asked == [BOUNDARY, INCLUDE]
        if behind == 28:
            np.testing.assert_array_equal(one.mask.values, tumour)
            assert corrector.asked == []
        else:
            assert corrector.asked == [(click,)]

    def test_one_that_is_seen_without_being_told_is_brought_whatever_the_corrector_sees(self):
        tumour = with_blocks(self.GRID.shape, ((14, 17), (2, 14), (2, 8)))
        one = self.session(np.zeros_like(tumour), tumour)
        one.corrector.truth = np.zeros_like(tumour)
        one.apply(click_at(self.GRID, (15, 13, 5)))
        np.testing.assert_array_equal(one.mask.values, tumour)
        assert one.corrector.asked == []

    def test_of_one_near_a_mask_that_is_not_seen_the_corrector_alone_is_asked(self):
        asked = []

        def initial_proposer(case, click, *_):
            asked.append(click.kind)
            values = self.WRONG if click.kind is INCLUDE else np.zeros_like(self.WRONG)
            return Proposal(click, case.grid.box, values.astype(np.float32))

        known = with_blocks(self.GRID.shape, ((14, 17), (2, 8), (2, 28)))
        corrector = OracleCorrector(known)
        one = CorrectionSession(case_on(self.GRID), ArrayMask(self.GRID, known), corrector, initial_proposer)
        # 9 mm off the mask, whose last row is 7.
        click = click_at(self.GRID, (15, 16, 15))
        one.apply(click)
        assert asked == [BOUNDARY]
        assert corrector.asked == [(click,)]
        np.testing.assert_array_equal(one.mask.values, known)

    def test_one_that_brings_much_leaves_the_border_that_an_earlier_one_has_set(self):
        # The second click lies 9 mm off the mask; 4 mm from the first the network sees tumour, too.
        known = with_blocks(self.GRID.shape, ((14, 17), (2, 8), (2, 28)))
        tumour = with_blocks(self.GRID.shape, ((14, 17), (2, 18), (2, 28)))
        one = self.session(known, tumour)
        one.corrector.truth = known
        one.apply(click_at(self.GRID, (15, 7, 15)))
        one.apply(click_at(self.GRID, (15, 17, 15)))
        assert one.mask.values[15, :, 26].nonzero()[0].tolist() == list(range(2, 18))
        # Nearer to the first click than to the second are the rows below 12.
        assert one.mask.values[15, :, 15].nonzero()[0].tolist() == [*range(2, 8), *range(12, 18)]

    def test_a_boundary_click_deep_in_the_mask_says_not_on_which_side_it_is_wrong(self):
        corrector = OracleCorrector(self.TUMOUR)
        one = CorrectionSession(
            case_on(self.GRID),
            ArrayMask(self.GRID, self.TUMOUR | self.WRONG),
            corrector,
            lambda *_: pytest.fail("asked"),
        )
        one.apply(click_at(self.GRID, (15, 14, 15)))
        assert len(corrector.asked) == 1


class TestBoundaryClicksOnAnotherTumour:
    """Far from the mask the border of a tumour is meant that the network sees there without being told."""

    GRID = Grid((5, 60, 60), np.eye(4))
    FIRST = with_blocks(GRID.shape, ((1, 4), (10, 20), (10, 20)))
    SECOND = with_blocks(GRID.shape, ((2, 4), (40, 48), (40, 48)))

    def session(self, others=None):
        self.asked = []

        def initial_proposer(case, click, mask, standing):
            self.asked.append((case, click, mask, standing))
            seen = self.SECOND if click.position_ras[0] > 30 else np.zeros_like(self.SECOND)
            return Proposal(click, case.grid.box, seen.astype(np.float32))

        corrector = OracleCorrector(self.FIRST | self.SECOND)
        return CorrectionSession(
            case_on(self.GRID), ArrayMask(self.GRID, self.FIRST), corrector, initial_proposer, others=others
        )

    def test_bring_it_and_touch_nothing_else(self):
        one = self.session()
        click = click_at(self.GRID, (2, 40, 43))
        # As a view that lets clicks wait does before.
        one.check([click])
        edit = one.apply(click)
        np.testing.assert_array_equal(one.mask.values, self.FIRST | self.SECOND)
        assert edit.change.count == (2 * 8 * 8, 0)
        # Once, without the mask and what stands: the answer is the same whatever they are.
        assert self.asked == [(one.case, click, None, ())]
        one.undo()
        np.testing.assert_array_equal(one.mask.values, self.FIRST)

    def test_are_refused_where_it_sees_none(self):
        one = self.session()
        with pytest.raises(CorrectionError, match="no border of the mask within 14 mm"):
            one.apply(click_at(self.GRID, (2, 50, 20)))
        np.testing.assert_array_equal(one.mask.values, self.FIRST)
        assert not one.clicks

    def test_do_not_bring_back_what_was_excluded(self):
        one = self.session()
        one.apply(click_at(self.GRID, (2, 44, 44), EXCLUDE))
        with pytest.raises(CorrectionError, match="no border of the mask within 14 mm"):
            one.apply(click_at(self.GRID, (2, 40, 43)))
        one.undo()
        together = [click_at(self.GRID, (2, 44, 44), EXCLUDE), click_at(self.GRID, (2, 40, 43))]
        with pytest.raises(CorrectionError, match="no border of the mask within 14 mm"):
            one.apply_together(together)
        one.apply(together[1])
        np.testing.assert_array_equal(one.mask.values, self.FIRST | self.SECOND)

    @pytest.mark.parametrize(("columns", "brought"), [(4, True), (5, False)])
    def test_bring_none_that_belongs_to_another_class_for_the_most_part(self, columns, brought):
        theirs = self.SECOND & with_blocks(self.GRID.shape, ((0, 5), (0, 60), (40, 40 + columns)))
        one, click = self.session(ArrayMask(self.GRID, theirs)), click_at(self.GRID, (2, 40, 46))
        if brought:
            one.apply(click)
            np.testing.assert_array_equal(one.mask.values, self.FIRST | self.SECOND & ~theirs)
            return
        with pytest.raises(CorrectionError, match="no border of the mask within 14 mm"):
            one.apply(click)
        np.testing.assert_array_equal(one.mask.values, self.FIRST)

    def test_are_asked_of_the_images_as_they_are(self):
        one = self.session()
        click = click_at(self.GRID, (2, 40, 43))
        one.check([click])
        one.case = case_on(self.GRID)
        one.check([click])
        assert [case for case, *_ in self.asked][1] is one.case
        # The images before take memory no longer.
        gone = weakref.ref(self.asked[0][0])
        self.asked.clear()
        assert gone() is None
