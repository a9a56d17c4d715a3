"""Parts of tumours whose form is known: a canal that opens into a cistern, on either side, on any grid."""

import math

import numpy as np
import pytest
from any_grid import SIGNED_PERMUTATIONS, all_ras, axial_axes
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.measure.measurements import measure
from VSClickCorrectLib.measure.tumour_parts import measure_parts
from VSClickCorrectResearch.simulation.porus import PorusPlane, cochlea_centre, porus_normal, porus_plane

CANAL_MM, BALL_MM = 2.5, 8.0


def right_grid(step=0.5, shape=(56, 96, 112), signed=None):
    affine = np.diag([step, step, step, 1.0])
    if signed is not None:
        affine[:3, :3] = signed * step
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return Grid(shape, affine)


def tumour(grid, side, depth=0.0):
    """A tube of 2.5 mm along the canal up to the porus at the origin, and a ball of 8 mm beyond it.

    The ball's middle lies ``depth`` outside the plane, along its normal.
    """
    ras = all_ras(grid)
    normal = np.array(porus_normal(side))
    lateral = 1.0 if side == "right" else -1.0
    across = np.hypot(ras[..., 1], ras[..., 2])
    tube = (across <= CANAL_MM) & (ras[..., 0] * lateral >= -2) & (ras[..., 0] * lateral <= 10)
    ball = np.linalg.norm(ras - depth * normal, axis=-1) <= BALL_MM
    return tube, ball, PorusPlane((0.0, 0.0, 0.0), tuple(normal))


def measured(grid, box, values, plane):
    extrameatal = plane.extrameatal(grid, box, values)
    return measure_parts(grid, box, values & ~extrameatal, extrameatal)


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_plane_through_a_ball_gives_two_halves_and_the_ball_s_diameter(side):
    grid = right_grid()
    _, ball, plane = tumour(grid, side)
    found = measured(grid, grid.box, ball, plane)
    half = 2 / 3 * math.pi * BALL_MM**3
    assert found.intrameatal_mm3 == pytest.approx(half, rel=0.02)
    assert found.extrameatal_mm3 == pytest.approx(half, rel=0.02)
    # In an axial slice the plane, which stands upright, is a diameter itself.
    assert found.diameter.mm == pytest.approx(2 * BALL_MM, abs=0.6)
    assert found.grade == 2


def test_a_ball_outside_the_canal_is_measured_without_the_canal():
    grid = right_grid()
    tube, ball, plane = tumour(grid, "right", depth=BALL_MM)
    whole = tube | ball
    found = measured(grid, grid.box, whole, plane)
    # The way from fundus to the ball's far side is longer; it is not what counts.
    assert 2 * BALL_MM - 0.6 <= found.diameter.mm <= 2 * BALL_MM + 1.2
    assert measure(grid, grid.box, whole).diameter.mm > 2 * BALL_MM + 5
    assert found.extrameatal_mm3 == pytest.approx(4 / 3 * math.pi * BALL_MM**3, rel=0.03)
    assert found.intrameatal_mm3 == pytest.approx(math.pi * CANAL_MM**2 * 10, rel=0.15)
    assert "Largest extrameatal axial diameter: 1" in found.as_text()


@pytest.mark.parametrize("limit, grade", [(10, 1), (20, 2), (30, 3), (40, 4)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_diameter_on_a_grades_end_has_that_grade_wherever_the_head_lies(limit, grade, sign):
    """Rows of voxels of 0.4 mm, told as a header tells them: in single precision."""
    count = round(limit / 0.4)
    for left in np.arange(-120, 120, 4.7, np.float32):
        affine = np.diag(np.array([sign * 0.4, sign * 0.4, 1.0, 1.0], np.float32)).astype(float)
        affine[:3, 3] = left, -24.4, -0.2
        row = np.zeros((1, 3, count + 5), bool)
        row[0, 1, 2 : 2 + count] = True
        grid = Grid(row.shape, affine)
        assert measure_parts(grid, grid.box, row & False, row).grade == grade
        row[0, 1, 2 + count] = True
        assert measure_parts(grid, grid.box, row & False, row).grade == grade + 1


@pytest.mark.parametrize("signed", SIGNED_PERMUTATIONS[::7])
def test_parts_measure_the_same_however_the_image_is_stored(signed):
    shape = [0, 0, 0]
    for (axis, _), size in zip(axial_axes(right_grid(signed=signed)), (56, 96, 112), strict=True):
        shape[axis] = size
    grid = right_grid(shape=tuple(shape), signed=signed)
    tube, ball, plane = tumour(grid, "left", depth=5.0)
    values = tube | ball
    box = Box.around(values)
    found = measured(grid, box, values[box.slices], plane)
    whole = measured(grid, grid.box, values, plane)
    reference = right_grid()
    tube, ball, plane = tumour(reference, "left", depth=5.0)
    expected = measured(reference, reference.box, tube | ball, plane)
    assert found.extrameatal_mm3 == whole.extrameatal_mm3 == pytest.approx(expected.extrameatal_mm3, rel=1e-3)
    assert found.diameter.mm == pytest.approx(expected.diameter.mm, abs=1e-6)
    assert found.outside.slice_number == whole.outside.slice_number


def test_a_tumour_in_the_canal_alone_has_no_extrameatal_diameter():
    grid = right_grid()
    ras = all_ras(grid)
    inside = np.linalg.norm(ras - (6, 0, 0), axis=-1) <= 3
    plane = PorusPlane((0.0, 0.0, 0.0), porus_normal("right"))
    found = measured(grid, grid.box, inside, plane)
    assert (found.diameter, found.grade, found.extrameatal_mm3) == (None, 0, 0.0)
    assert "purely intrameatal" in found.as_text()
    empty = measure_parts(grid, None, None, None)
    assert (empty.grade, empty.as_text()) == (None, "The tumour has no part.")


def test_an_extrameatal_tumour_in_two_is_told_as_such():
    grid = right_grid()
    outside = np.zeros(grid.shape, bool)
    outside[10:20, 10:20, 10:20] = outside[10:20, 10:16, 40:46] = True
    inside = np.zeros(grid.shape, bool)
    inside[30:34, 30:34, 30:34] = True
    text = measure_parts(grid, grid.box, inside, outside).as_text()
    assert text.endswith(
        "\nNote: the extrameatal tumour has 2 separate parts; the diameters are those of the largest."
    )
    outside[:, 10:20, 40:46] = False
    assert "separate" not in measure_parts(grid, grid.box, inside, outside).as_text()


def test_parts_that_overlap_are_refused():
    grid = right_grid()
    _, ball, _ = tumour(grid, "right")
    with pytest.raises(ImageError, match=r"share \d+ voxels; part them first"):
        measure_parts(grid, grid.box, ball, ball)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("off", [-2.0, 0.0, 2.0])
def test_the_porus_is_found_where_the_tumour_widens_beside_the_cochlea(side, off):
    grid = right_grid(0.8, (40, 75, 100))
    tube, ball, plane = tumour(grid, side, depth=BALL_MM)
    medial = np.array((-1.0, 1, 1)) if side == "right" else np.ones(3)
    # The cochlea of the median patient, moved along the normal.
    centre = -(np.array((0.0, -3.5, 2.2)) * medial + (7.5 + off) * np.array(plane.normal_ras))
    cochlea = np.linalg.norm(all_ras(grid) - centre, axis=-1) <= 3
    other = np.linalg.norm(all_ras(grid) - centre - (30 * medial[0], 0, 0), axis=-1) <= 3
    ours = (grid.box, tube | ball)
    found = porus_plane(grid, ours, cochlea_centre(grid, (grid.box, cochlea | other), ours))
    np.testing.assert_allclose(found.normal_ras, plane.normal_ras)
    # The ball touches the plane, and widens most in the first millimetres.
    assert plane.depth(np.array([found.point_ras]))[0] == pytest.approx(0, abs=1.8)


def test_a_tumour_that_does_not_widen_is_parted_at_the_expected_place():
    grid = right_grid(0.8, (40, 75, 100))
    ras = all_ras(grid)
    centre = np.array((12.0, 4.0, -2.0))
    cochlea = np.linalg.norm(ras - centre, axis=-1) <= 3
    canal = (np.hypot(ras[..., 1], ras[..., 2]) <= 2) & (ras[..., 0] <= 12) & (ras[..., 0] >= -5)
    ours = (grid.box, canal)
    found = porus_plane(grid, ours, cochlea_centre(grid, (grid.box, cochlea), ours))
    expected = centre + (0, -3.5, 2.2) + 7.5 * np.array(porus_normal("right"))
    np.testing.assert_allclose(found.point_ras, expected, atol=0.2)


@pytest.mark.parametrize("empty", ["tumour", "cochlea"])
def test_an_empty_mask_is_named(empty):
    grid = right_grid()
    _, ball, _ = tumour(grid, "right")
    masks = {"tumour": ball, "cochlea": np.roll(ball, 20, axis=2), empty: ball & False}
    with pytest.raises(ImageError, match=f"the mask of the {empty} is empty"):
        cochlea_centre(grid, *((grid.box, masks[name]) for name in ("cochlea", "tumour")))
