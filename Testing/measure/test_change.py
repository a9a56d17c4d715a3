"""Changes of tumours of known size: thresholds, uncertainty, and masks laid on another grid."""

import numpy as np
import pytest
from any_grid import all_ras
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.measure.change import SizeChange, agreement_percent, follow_up
from VSClickCorrectLib.measure.measurements import MaskChange, measure

CENTRE = np.array([21.0, -14.0, 5.0])
STRAIGHT = np.eye(3)


def grid_of(spacing, shape, turn=(0, 0, 0), centre=CENTRE):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() * (
        np.array([-1, -1, 1]) * spacing
    )
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return Grid(shape, affine)


FINE = grid_of((0.4, 0.4, 0.5), (80, 100, 100))
THICK = grid_of((0.5, 0.6, 1.5), (30, 70, 80), turn=(11, -7, 16))


def measured(grid, half_axes, centre=CENTRE, turn=STRAIGHT):
    values = ((((all_ras(grid) - centre) @ turn) / half_axes) ** 2).sum(axis=-1) <= 1
    box = Box.around(values)
    return measure(grid, box, values[box.slices])


def ball_mm3(radius):
    return 4 / 3 * np.pi * radius**3


@pytest.mark.parametrize("volume, percent", [(50, 27), (637, 27), (1432.6, 17), (3222, 7), (20000, 7)])
def test_observers_differ_most_about_small_tumours(volume, percent):
    assert agreement_percent(volume) == pytest.approx(percent, abs=0.01)


@given(st.floats(1, 30000), st.floats(1, 30000))
def test_a_larger_tumour_is_never_less_certain(one, other):
    small, large = sorted((one, other))
    assert 7 <= agreement_percent(large) <= agreement_percent(small) <= 27


@pytest.mark.parametrize(
    "before, after, uncertainty, threshold, above, verdict",
    [
        (1000, 1199, 100, 200, False, "stable"),
        (1000, 1200, 100, 200, False, "growth"),
        (1000, 1200, 270, 200, False, "uncertain"),
        (1000, 700, 270, 200, False, "shrinkage"),
        (15.0, 17.0, 1.0, 2.0, True, "stable"),
        (15.0, 17.1, 1.0, 2.0, True, "growth"),
        (15.0, 17.1, 3.0, 2.0, True, "uncertain"),
        (0.3, 0.1 + 0.2 + 2.0, 1.0, 2.0, True, "stable"),
    ],
)
def test_growth_reaches_a_threshold_and_more_than_observers_differ_by(
    before, after, uncertainty, threshold, above, verdict
):
    assert SizeChange(before, after, uncertainty, threshold, above).verdict == verdict


def test_five_voxels_of_0_4_mm_are_2_mm_and_not_more_though_headers_round_them():
    affine = np.diag(np.array([0.4, 0.4, 1.0, 1.0], np.float32)).astype(float)
    grid = Grid((3, 40, 60), affine)

    def row(count):
        values = np.zeros(grid.shape, bool)
        values[1, 10, 5 : 5 + count] = True
        return measure(grid, grid.box, values)

    assert follow_up(row(30), row(35)).diameter.verdict == "stable"
    assert follow_up(row(30), row(36)).diameter.reaches_threshold


def test_a_ball_that_grew_on_one_grid():
    found = follow_up(measured(FINE, 6.0), measured(FINE, 7.0))
    assert found.placed_by == "grid"
    assert found.volume.percent == pytest.approx(100 * (7**3 / 6**3 - 1), abs=1.5)
    assert found.volume.verdict == "growth"
    # 905 mm³: between 27 and 7 %, by the logarithm of the volume.
    assert found.volume.uncertainty / found.volume.before == pytest.approx(0.2267, abs=0.003)
    assert found.diameter.change == pytest.approx(2.0, abs=0.5)
    assert found.dice == pytest.approx(2 * 6**3 / (6**3 + 7**3), abs=0.01)


def test_the_same_growth_of_a_small_tumour_is_uncertain():
    found = follow_up(measured(FINE, 3.0), measured(FINE, 3.0 * 1.25 ** (1 / 3)))
    assert found.volume.percent == pytest.approx(25, abs=2)
    assert found.volume.verdict == "uncertain"
    large = follow_up(measured(FINE, 9.5), measured(FINE, 9.5 * 1.25 ** (1 / 3)))
    assert large.volume.verdict == "growth"
    assert large.volume.uncertainty / large.volume.before == pytest.approx(0.07, abs=0.005)


def test_a_tumour_that_only_moved_with_the_head_is_the_same():
    """The later scan, thick and tilted, saw the head turned by 9 degrees and shifted."""
    turn = Rotation.from_euler("yxz", [9, 4, -6], degrees=True).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, (CENTRE + [2.0, -3.0, 1.0]) - turn @ CENTRE
    half_axes = np.array([8.0, 5.0, 6.0])
    after = measured(THICK, half_axes, CENTRE + [2.0, -3.0, 1.0], turn)
    before = measured(FINE, half_axes)
    found = follow_up(before, after, matrix, "registration")
    assert found.placed_by == "registration"
    assert abs(found.volume.percent) < 3
    assert found.diameter.before == pytest.approx(16, abs=0.4)
    assert found.diameter.after == pytest.approx(16, abs=0.6)
    assert found.dice > 0.94
    assert (found.volume.verdict, found.diameter.verdict) == ("stable", "stable")
    np.testing.assert_allclose(found.laid.centroid_ras, CENTRE, atol=0.15)
    # Without the movement the two do not lie over each other.
    assert follow_up(before, after, np.eye(4), "header").dice < 0.75


def test_without_a_registration_each_is_measured_in_its_own_slices():
    found = follow_up(measured(FINE, 7.0), measured(THICK, 7.0))
    assert (found.placed_by, found.laid, found.dice) == ("", None, None)
    assert abs(found.volume.percent) < 3
    assert "Name both scans" in found.as_text()


def test_a_mask_outside_the_other_field_of_view_keeps_its_own_measurements():
    matrix = np.eye(4)
    matrix[0, 3] = 21.0
    found = follow_up(measured(FINE, 7.0), measured(THICK, 7.0), matrix, "registration")
    assert (found.placed_by, found.laid) == ("outside", None)
    assert "does not lie within the earlier scan" in found.as_text()
    assert found.diameter.after == pytest.approx(14, abs=0.6)


@pytest.mark.parametrize("height, turn", [(0.0, 0), (1.0, 0), (0.0, 15)])
def test_a_small_tumour_that_the_earlier_slices_hardly_meet_is_not_told_to_lie_outside(height, turn):
    """The later tumour, a ball of 3 mm in the middle of the earlier scan, whose slices are 5 mm thick."""
    coarse = grid_of((0.4, 0.4, 5.0), (24, 100, 100), turn=(turn, 0, 0))
    after = measured(FINE, 1.5, CENTRE + [0.0, 0.0, height])
    found = follow_up(measured(coarse, 6.0), after, np.eye(4), "registration")
    assert (found.placed_by, found.laid) == ("coarse", None)
    assert (
        "field of view" not in found.as_text()
        and "too small for the earlier scan's slices" in found.as_text()
    )
    assert found.diameter.after == pytest.approx(3.0, abs=0.5)


def test_where_there_are_two_tumours_it_is_told_that_the_diameters_are_the_largest_ones():
    """The larger one shrank below the other: of neither did the diameter change as it is told."""

    def both(large, small):
        values = np.zeros(FINE.shape, bool)
        for middle, radius in ((CENTRE - [9, 0, 0], large), (CENTRE + [9, 0, 0], small)):
            values |= np.linalg.norm(all_ras(FINE) - middle, axis=-1) <= radius
        return measure(FINE, FINE.box, values)

    note = "Note: the {} mask has 2 separate parts; the diameters are those of the largest."
    found = follow_up(both(7, 5), both(3, 5))
    assert found.diameter.change == pytest.approx(-4, abs=0.5)
    assert all(note.format(which) in found.as_text() for which in ("earlier", "later"))
    text = follow_up(both(7, 0), both(3, 5)).as_text()
    assert note.format("later") in text and note.format("earlier") not in text
    laid = follow_up(both(7, 5), both(3, 5), np.eye(4), "registration").as_text()
    assert note.format("later") in laid


def test_the_text_names_thresholds_units_and_uncertainty():
    text = follow_up(measured(FINE, 6.0), measured(FINE, 7.0)).as_text()
    for words in ("mm³ before", "Threshold of growth (20 % of the volume): growth by that threshold", "±"):
        assert words in text
    assert "Threshold of growth (more than 2 mm): " in text


def test_what_rounds_to_nothing_is_told_as_no_loss():
    # Two files of one mask: what their headers round differs by less than what is shown.
    finer = measured(grid_of((0.4 * (1 - 1e-7), 0.4, 0.5), FINE.shape), 6.0)
    text = follow_up(measured(FINE, 6.0), finer).as_text()
    assert "Change: +0.0 mm³ (+0.0 %)" in text and "Change: +0.0 mm (+0.0 %)" in text
    assert "Change of volume: +0.0 mm³ (+0.0 %)" in MaskChange(0, 0, -0.04, -0.001, 1.0).as_text()


def test_masks_that_do_not_meet_are_told_and_empty_ones_have_no_change():
    apart = follow_up(measured(FINE, 3.0, CENTRE - [8, 0, 0]), measured(FINE, 3.0, CENTRE + [8, 0, 0]))
    assert "check that both are of the same tumour" in apart.as_text()
    nothing = measure(FINE, None, None)
    assert follow_up(nothing, measured(FINE, 3.0)).as_text().startswith("The earlier mask is empty")
    assert follow_up(measured(FINE, 3.0), nothing).as_text().startswith("The later mask is empty")
    assert follow_up(nothing, measured(FINE, 3.0)).volume.percent is None
