"""A tumour on each side: both are shown where the networks are sure and they lie like mirror images."""

import numpy as np
import pytest
from bright_ball import CENTER, ball, ball_case, dice
from handmade_models import change_entry
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.found_text import found_text
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.initial_mask import InitialMask, joined
from VSClickCorrectLib.inference.manifest import ModelFolder

# 160 mm from left to right: columns run to the patient's left, rows to the back.
GRID = Grid((30, 40, 80), np.diag([-2.0, -2.0, 2.0, 1.0]))
# As the ball's grid, half as wide again.
WIDE = Grid((24, 64, 96), np.array([[-0.75, 0, 0, 96.0], [0, -0.75, 0, -2.0], [0, 0, 1.5, 0], [0, 0, 0, 1]]))
SURE = {"intercept": 3.0, "confidence": 0.0, "log_volume": 0.5, "located_log_odds": 0.0}


def candidate(column, certainty=0.95, row=10, slice_number=5, others=()):
    """Ten voxels along each axis, of 8 mm³ each."""
    box = Box((slice_number, row, column), (slice_number + 10, row + 10, column + 10))
    return InitialMask(box, np.ones(box.shape, bool), 0.8, 0.9, certainty, others, ("a network",))


# The head fills the image but for its edge: its middle lies between columns 39 and 40.
ARRAY = np.zeros(GRID.shape, np.int16)
ARRAY[:, 2:38, 2:78] = 500
CASE = Case(Volume(ARRAY, GRID))


def found(*others, column=20):
    return joined(candidate(column, others=others), CASE)


def test_both_come_first_and_each_alone_after_it():
    third = candidate(65, 0.2, row=25)
    left, right = candidate(50, 0.8, row=11), candidate(20)
    shown = found(left, third)
    np.testing.assert_array_equal(shown.on(GRID), left.on(GRID) | right.on(GRID))
    assert shown.certainty == 0.8 and shown.models == ("a network",)
    assert [one.box for one in shown.others] == [right.box, left.box, third.box]
    assert all(one.others == () for one in shown.candidates)


def test_no_more_than_four_are_to_be_gone_through_and_each_alone_is_among_them():
    shown = found(candidate(65, 0.94, row=25), candidate(5, 0.93, row=25), candidate(50, 0.9))
    assert [one.box.start[2] for one in shown.candidates] == [20, 20, 50, 65]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(candidate(50, 0.79), id="not sure enough of the other"),
        # 24 mm apart, from left to right.
        pytest.param(candidate(32), id="as near as one tumour's parts"),
        pytest.param(candidate(50, row=15), id="10 mm farther back"),
        pytest.param(candidate(50, slice_number=10), id="10 mm farther up"),
    ],
)
def test_else_the_likelier_one_is_shown_alone(other):
    np.testing.assert_array_equal(found(other).on(GRID), candidate(20).on(GRID))
    assert found(other).candidates[1].box == other.box


def test_two_on_one_side_are_not_each_other_s_mirror_image():
    """28 mm apart, the nearer one 8 mm from the head's middle."""
    shown = found(candidate(17), column=3)
    np.testing.assert_array_equal(shown.on(GRID), candidate(3).on(GRID))


def test_the_user_is_told_of_both_once():
    text = found_text(found(candidate(50, 0.8)), CASE)
    assert text == (
        "Found on both sides, 16.00 cm³, 80% sure (2 other candidates, each side alone among them); "
        "click where its border is wrong."
    )


@pytest.mark.parametrize(("ahead_mm", "together"), [(3.0, True), (14.0, False)])
def test_two_bright_balls_that_lie_like_mirror_images_are_found_together(own_models, ahead_mm, together):
    change_entry(own_models, "first", certainty=SURE)
    right, ahead, up = CENTER
    first, second = (right + 16, ahead, up), (right - 15, ahead + ahead_mm, up + 2)
    case = ball_case(WIDE, first, second)
    mask = InitialSegmenter.load(ModelFolder(own_models)).segment(case)
    truth = ball(WIDE, first) | ball(WIDE, second)
    assert bool(dice(mask.on(WIDE), truth) > 0.9) is together
    assert len(mask.candidates) == (3 if together else 2)
