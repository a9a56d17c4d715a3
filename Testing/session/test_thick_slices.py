"""Clicks off the middle of slices that are thicker than a hand is accurate: it is the slice that counts."""

import numpy as np
import pytest
from session_doubles import (
    BOUNDARY,
    EXCLUDE,
    INCLUDE,
    BlockCorrector,
    OracleCorrector,
    case_on,
    with_blocks,
)
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.teaching import given_clicks

SHAPE = (5, 60, 60)
TUMOUR = with_blocks(SHAPE, ((1, 4), (10, 20), (10, 20)))
# Slices of 5 mm: 2.4 mm off the middle, as a click in a view across them may be, is still slice 2.
GRID = Grid(SHAPE, np.diag([1.0, 1.0, 5.0, 1.0]))
LESS = with_blocks(SHAPE, ((1, 4), (10, 20), (10, 16)))


def corrected(mask, said, column, off_mm, kind):
    one = CorrectionSession(case_on(GRID), ArrayMask(GRID, mask), OracleCorrector(said))
    edit = one.apply(Click((column, 15.0, 10.0 + off_mm), kind))
    return one.mask.values, edit.remark


@pytest.mark.parametrize("off_mm", [-2.4, 0.0, 2.4])
@pytest.mark.parametrize(
    ("start", "column", "kind"),
    [("LESS", 19.0, BOUNDARY), ("LESS", 18.0, INCLUDE), ("MORE", 17.0, EXCLUDE)],
)
def test_a_click_anywhere_in_one_corrects_it(start, column, kind, off_mm):
    # The cut reaches 3.75 mm up and down, so no other slice's middle. Corners are no matter of parts.
    masks = (LESS, TUMOUR) if start == "LESS" else (TUMOUR, LESS)
    values, remark = corrected(*masks, column, off_mm, kind)
    np.testing.assert_array_equal(values[2, 11:19], masks[1][2, 11:19])
    np.testing.assert_array_equal(values[[0, 1, 3, 4]], masks[0][[0, 1, 3, 4]])
    assert remark == ""


@pytest.mark.parametrize("off_mm", [0.0, 2.4])
def test_what_networks_do_not_see_becomes_a_disc_there(off_mm):
    nothing = np.zeros(SHAPE, bool)
    values, _ = corrected(nothing, nothing, 18.0, off_mm, INCLUDE)
    # Within 1.2 mm: the voxel and those beside it in its slice.
    disc = {(2, 15, 18), (2, 14, 18), (2, 16, 18), (2, 15, 17), (2, 15, 19)}
    assert {tuple(voxel) for voxel in np.argwhere(values).tolist()} == disc


def test_a_second_click_insists_wherever_in_the_slice_it_is():
    # The network is sure of the border as it is.
    one = CorrectionSession(case_on(GRID), ArrayMask(GRID, LESS), OracleCorrector(LESS))
    one.apply(Click((18.0, 15.0, 8.0)))
    assert not one.mask.values[2, 15, 18]
    one.apply(Click((18.0, 15.0, 12.0)))
    assert one.mask.values[2, 15, 18]


@pytest.mark.parametrize("off_mm", [0.0, 2.4])
def test_taking_a_click_back_leaves_the_other_ones_slice_alone(off_mm):
    truth = with_blocks(SHAPE, ((1, 4), (10, 20), (10, 22)))
    # Corners are no matter of parts.
    one = CorrectionSession(case_on(GRID), ArrayMask(GRID, LESS), BlockCorrector(truth, (0, 12, 12)))
    one.apply_together(
        [Click((17.0, 15.0, 10.0 + off_mm), INCLUDE), Click((20.0, 15.0, 15.0 - off_mm), INCLUDE)]
    )
    np.testing.assert_array_equal(one.mask.values[2:4, 11:19], truth[2:4, 11:19])
    one.remove(one.standing[1])
    # From the middle of slice 2 its columns 16 to 21 are nearer to 17 than to 20 a slice further up.
    np.testing.assert_array_equal(one.mask.values[2, 11:19], truth[2, 11:19])
    np.testing.assert_array_equal(one.mask.values[3], LESS[3])


@pytest.mark.parametrize("off_mm", [-2.9, 0.0, 2.9])
@pytest.mark.parametrize(("thickness", "taken"), [(6.0, True), (7.5, False)])
def test_a_border_is_as_near_as_the_slice_is(thickness, taken, off_mm):
    grid, mask = Grid(SHAPE, np.diag([1.0, 1.0, thickness, 1.0])), np.zeros(SHAPE, bool)
    mask[2, 10:20, 10:20] = True
    one = CorrectionSession(case_on(grid), ArrayMask(grid, mask), OracleCorrector(mask))
    # Two slices above the mask: 12 or 15 mm from it.
    click = Click((15.0, 15.0, 4 * thickness + off_mm))
    if taken:
        one.apply(click)
        return
    with pytest.raises(CorrectionError, match="no border of the mask within 14 mm"):
        one.apply(click)


OFF_THE_MIDDLE = [Click((18.0, 15.0, 12.4), INCLUDE), Click((50.0, 50.0, 7.6), INCLUDE)]


def test_the_network_that_sees_the_whole_tumour_sees_all_clicks_in_the_middle_of_their_slice():
    told = []

    def initial_proposer(case, click, mask, standing):
        told.append((click.position_ras[2], [one.position_ras[2] for one in standing]))
        box = Box.of_voxel(case.grid.ras_to_index(click.position_ras))
        return Proposal(click, box, np.ones(box.shape, np.float32))

    one = CorrectionSession(case_on(GRID), ArrayMask(GRID, LESS), OracleCorrector(TUMOUR), initial_proposer)
    for click in OFF_THE_MIDDLE:
        one.apply(click)
    assert told == [(pytest.approx(10.0), [pytest.approx(10.0)])]


def test_networks_learn_by_what_they_saw_and_the_journal_tells_what_was_clicked():
    one = CorrectionSession(case_on(GRID), ArrayMask(GRID, LESS), OracleCorrector(TUMOUR))
    one.apply_together(OFF_THE_MIDDLE)
    given = [click.position_ras for click, _ in given_clicks(one.journal.events, GRID)]
    np.testing.assert_allclose(given, [(18.0, 15.0, 10.0), (50.0, 50.0, 10.0)])
    assert one.clicks == OFF_THE_MIDDLE
    places = [click["ras"] for event in one.journal.events for click in event.get("clicks", ())]
    assert places == [[18.0, 15.0, 12.4], [50.0, 50.0, 7.6]]
