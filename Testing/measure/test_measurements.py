"""Measurements against shapes whose size is known, brute force over all points, and any orientation."""

import math

import numpy as np
import pytest
from any_grid import SIGNED_PERMUTATIONS, all_ras, axial_axes, axial_steps, grids
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scipy.spatial.transform import Rotation
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.measure.measurements import Middle, head_middle, measure

HALF_AXES = np.array([12.0, 8.0, 10.0])
CENTRE = np.array([21.3, -14.2, 5.1])


def grid_around(directions, spacing, shape, centre=(0.0, 0.0, 0.0)):
    affine = np.eye(4)
    affine[:3, :3] = directions * np.asarray(spacing)
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return Grid(shape, affine)


def ellipsoid(grid, turn=0.0):
    """Half axes of 12, 8 and 10 mm along R, A and S, turned about S by so many degrees."""
    to_own = Rotation.from_euler("z", -turn, degrees=True).as_matrix()
    return ((((all_ras(grid) - CENTRE) @ to_own.T) / HALF_AXES) ** 2).sum(axis=-1) <= 1


def whole(grid, values, **more):
    return measure(grid, grid.box, values, **more)


@pytest.mark.parametrize("turn", [0.0, 30.0, -72.0])
@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (0.4, 0.6, 1.5)])
def test_an_ellipsoid_has_the_diameters_volume_and_place_it_was_made_with(spacing, turn):
    grid = grid_around(np.diag([-1.0, -1.0, 1.0]), spacing, (64, 96, 280), CENTRE - [6, -3, 1])
    found = whole(grid, ellipsoid(grid, turn))
    assert found.volume_mm3 == pytest.approx(4 / 3 * math.pi * 12 * 8 * 10, rel=0.01)
    assert found.volume_cm3 == pytest.approx(4.021, rel=0.01)
    pixel = max(spacing[:2])
    assert found.diameter.mm == pytest.approx(24, abs=pixel)
    assert found.perpendicular.mm == pytest.approx(16, abs=pixel)
    np.testing.assert_allclose(found.centroid_ras, CENTRE, atol=0.1)
    assert found.side == "right"
    # Where one of two ends lies may vary by voxels; the line's direction may not by much.
    direction = np.subtract(found.diameter.end_ras, found.diameter.start_ras) / found.diameter.mm
    along = [math.cos(math.radians(turn)), math.sin(math.radians(turn)), 0]
    assert abs(direction @ along) > math.cos(math.radians(10))
    across = np.subtract(found.perpendicular.end_ras, found.perpendicular.start_ras)
    assert across @ direction == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("signed", SIGNED_PERMUTATIONS[::5])
def test_a_tumour_measures_the_same_however_the_image_is_stored(signed):
    axial = (64, 88, 280)  # S, A, R at 0.6, 0.5 and 0.4 mm
    sizes = {"R": (280, 0.4), "A": (88, 0.5), "S": (64, 0.6)}
    names = ["RAS"[int(np.argmax(np.abs(signed[:, n])))] for n in range(3)]
    shape = tuple(sizes[name][0] for name in names[::-1])
    grid = grid_around(signed, [sizes[name][1] for name in names], shape, CENTRE)
    stored = whole(grid, ellipsoid(grid), middle=Middle(0.0, "head"))
    plain = grid_around(np.diag([-1.0, -1.0, 1.0]), (0.4, 0.5, 0.6), axial, CENTRE)
    expected = whole(plain, ellipsoid(plain), middle=Middle(0.0, "head"))
    assert stored.as_text() == expected.as_text()
    ends = [sorted((m.diameter.start_ras, m.diameter.end_ras)) for m in (stored, expected)]
    assert ends[0][1][0] - ends[0][0][0] == pytest.approx(ends[1][1][0] - ends[1][0][0])


def borders(grid, values):
    """All points half-way between neighbouring pixels in and out of the mask, RAS, by axial slice."""
    ras, steps = all_ras(grid), axial_steps(grid)
    axes = axial_axes(grid)
    found = {}
    for index in np.argwhere(values):
        axis, sign = axes[0]
        number = index[axis] if sign > 0 else grid.shape[axis] - 1 - index[axis]
        for (axis, sign), step in zip(axes[1:], steps[1:], strict=True):
            for way in (-1, 1):
                other = index.copy()
                other[axis] += way * sign
                inside = 0 <= other[axis] < grid.shape[axis]
                if not (inside and values[tuple(other)]):
                    size = grid.spacing[::-1][axis]
                    found.setdefault(int(number) + 1, []).append(ras[tuple(index)] + way * step * size / 2)
    return {number: np.array(points) for number, points in found.items()}


def longest(slices):
    return max(np.linalg.norm(a - b) for points in slices for a in points for b in points)


def parts_of(values):
    """Connected parts, corners included, by flooding from voxel to voxel."""
    left, parts = set(map(tuple, np.argwhere(values).tolist())), []
    while left:
        part, edge = np.zeros(values.shape, bool), [left.pop()]
        while edge:
            here = edge.pop()
            part[here] = True
            near = {n for n in left if max(abs(a - b) for a, b in zip(n, here, strict=True)) == 1}
            left -= near
            edge += near
        parts.append(part)
    return parts


@given(st.data())
def test_the_diameter_is_the_farthest_pair_of_border_points_of_the_largest_part(data):
    grid = data.draw(grids(sides=st.integers(2, 5)))
    values = data.draw(arrays(bool, grid.shape))
    if not values.any():
        values[0, 0, 0] = True
    found = whole(grid, values)
    numbers = borders(grid, values)
    assert found.slices == (min(numbers), max(numbers))
    connected = parts_of(values)
    assert found.parts == len(connected)
    # Of several parts of one size any may have been measured.
    largest = max(part.sum() for part in connected)
    outlines = [borders(grid, part) for part in connected if part.sum() == largest]
    (points,) = (
        outline[found.slice_number]
        for outline in outlines
        if found.slice_number in outline
        and np.linalg.norm(outline[found.slice_number] - found.diameter.start_ras, axis=1).min() < 1e-6
        and longest(outline.values()) == pytest.approx(found.diameter.mm)
    )
    assert longest([points]) == pytest.approx(found.diameter.mm)
    # Both lines lie in their slice and end on the outline.
    for end in (found.diameter.start_ras, found.diameter.end_ras):
        assert np.linalg.norm(points - end, axis=1).min() < 1e-6
    up = axial_steps(grid)[0]
    for line in (found.diameter, found.perpendicular):
        assert up @ np.subtract(line.end_ras, line.start_ras) == pytest.approx(0, abs=1e-6)
    assert found.perpendicular.mm <= found.diameter.mm + 1e-9


PLAIN = Grid((3, 6, 10), np.diag([1.0, 1.0, 2.0, 1.0]))


def test_a_rectangle_is_measured_between_its_pixels_sides_with_cut_corners():
    values = np.zeros(PLAIN.shape, bool)
    values[1, 1:5, 1:9] = True
    found = whole(PLAIN, values)
    # From the middle of the first pixel's left side to the middle of the last pixel's right side.
    assert found.diameter.mm == pytest.approx(math.hypot(8, 3))
    assert found.slice_number == 2
    assert found.slices == (2, 2)
    assert found.volume_mm3 == 64


def test_a_row_of_voxels_is_as_long_as_its_voxels_and_one_wide():
    values = np.zeros(PLAIN.shape, bool)
    values[0, 2, 3:8] = True
    found = whole(PLAIN, values)
    assert (found.diameter.mm, found.perpendicular.mm) == (5, 1)
    assert sorted([found.diameter.start_ras, found.diameter.end_ras]) == [(2.5, 2, 0), (7.5, 2, 0)]


def test_one_voxel_is_one_voxel_wide():
    grid = Grid((3, 6, 10), np.diag([0.4, 0.7, 2.0, 1.0]))
    found = measure(grid, Box((1, 2, 3), (2, 3, 4)), np.ones((1, 1, 1), bool))
    assert (found.diameter.mm, found.perpendicular.mm) == pytest.approx((0.7, 0.4))
    assert found.small


def test_a_mask_that_fills_the_image_is_measured_up_to_its_edges():
    found = whole(PLAIN, np.ones(PLAIN.shape, bool))
    assert found.volume_mm3 == 360
    assert found.slices == (1, 3)
    assert found.diameter.mm == pytest.approx(math.hypot(10, 5))
    assert found.centroid_ras == (4.5, 2.5, 2)


def test_the_lines_across_an_angle_stay_within_it():
    # Eight long and one wide, with a foot of four at its end.
    values = np.zeros(PLAIN.shape, bool)
    values[1, 1, 1:9] = True
    values[1, 1:5, 8] = True
    found = whole(PLAIN, values)
    # From the middle of the free end to the outer side of the foot's last voxel: 8 along and 3 down.
    assert found.diameter.mm == pytest.approx(math.hypot(8, 3))
    # Across it the foot is widest from its inner last corner, 7 along and 3 down, to its outer side, 8 along
    # and, since 7 * 8 + 3 * 3 = 8 * 8 + 3 / 3, a third down.
    assert found.perpendicular.mm == pytest.approx(math.hypot(1, 3 - 1 / 3))


def test_the_perpendicular_runs_over_a_hole():
    solid = np.zeros(PLAIN.shape, bool)
    solid[1, 0:6, 1:9] = True
    hollow = solid.copy()
    hollow[1, 1:5, 2:8] = False
    # From the upper to the lower side, 6 apart, at the slant of 5 in 8.
    expected = 6 * math.hypot(8, 5) / 8
    assert whole(PLAIN, solid).perpendicular.mm == pytest.approx(expected)
    assert whole(PLAIN, hollow).perpendicular.mm == pytest.approx(expected)


def test_a_diameter_does_not_lead_from_one_part_to_another():
    values = np.zeros(PLAIN.shape, bool)
    values[1, 1:3, 0:4] = True
    values[1, 5, 8:10] = True
    found = whole(PLAIN, values)
    assert found.parts == 2
    assert found.volume_mm3 == 20
    assert found.diameter.mm == pytest.approx(math.hypot(4, 1))
    assert "the mask has 2 separate parts; the diameters are those of the largest" in found.as_text()


def test_a_mask_all_over_the_image_is_measured_too():
    # A comb: every other column, joined by the first row. Its outline has more corners than are tried.
    grid = Grid((2, 120, 120), np.eye(4))
    values = np.zeros(grid.shape, bool)
    values[1, :, ::2] = values[1, 0, :] = True
    found = whole(grid, values)
    assert found.parts == 1
    # From the upper side of the last column's only pixel to the lower side of the first column's last.
    assert found.diameter.mm == pytest.approx(math.hypot(120, 119))
    assert found.perpendicular.mm == pytest.approx(math.hypot(119, 118), abs=1)


def test_only_the_box_counts_and_a_loose_box_is_no_matter():
    values = np.zeros(PLAIN.shape, bool)
    values[1:3, 2:5, 3:9] = True
    tight = measure(PLAIN, Box((1, 2, 3), (3, 5, 9)), values[1:3, 2:5, 3:9])
    assert tight.as_text() == whole(PLAIN, values).as_text()
    assert tight.box == whole(PLAIN, values).box == Box((1, 2, 3), (3, 5, 9))


@pytest.mark.parametrize("empty", [(None, None), (PLAIN.box, np.zeros(PLAIN.shape, bool))])
def test_an_empty_mask_has_no_diameter_and_says_so(empty):
    found = measure(PLAIN, *empty)
    assert found.volume_mm3 == 0
    assert (found.diameter, found.perpendicular, found.slices, found.side) == (None, None, None, None)
    assert found.as_text() == "The mask is empty."
    assert not found.small


def box_head(grid, right, left):
    """A bright block from ``left`` to ``right`` mm (R), in dark air."""
    r = all_ras(grid)[..., 0]
    return Volume(np.where((r > left) & (r < right), 100, 0).astype(np.int16), grid)


@pytest.mark.parametrize("direction", [-1.0, 1.0])
def test_the_side_follows_the_head_not_the_image_and_not_the_order_of_voxels(direction):
    # The head lies off the image's middle: from R -60 to R 20, so its middle is R -20.
    grid = grid_around(np.diag([direction, 1.0, 1.0]), (1.0, 2.0, 2.0), (8, 12, 200))
    middle = head_middle(box_head(grid, right=20.5, left=-60.5))
    assert middle.of == "head"
    assert middle.right_mm == pytest.approx(-20, abs=1.5)
    for at, side in ((-5.0, "right"), (-35.0, "left"), (-21.0, "middle")):
        values = np.zeros(grid.shape, bool)
        values[grid.ras_to_index((at, 1.0, 1.0))] = True
        assert whole(grid, values, middle=middle).side == side
        assert whole(grid, values).side == ("left" if at < -3 else "middle")


def test_the_middle_of_a_head_is_not_that_of_what_a_program_has_left_of_the_image():
    grid = grid_around(np.eye(3), (1.0, 2.0, 2.0), (8, 12, 200))
    head = box_head(grid, right=20.5, left=-60.5)
    head.array[all_ras(grid)[..., 0] > 50] = -1000
    assert head_middle(head).right_mm == pytest.approx(-20, abs=1.5)


def test_the_middle_of_a_large_head_is_the_same_however_the_file_stores_it():
    # 3.3 million voxels, of which every second one along each axis is looked at.
    head = np.random.default_rng(4).gamma(2.0, 100.0, (150, 149, 148)).astype(np.float32)
    affine = np.array([[-1.1, 0.2, 0, 80], [-0.2, -1.1, 0, 70], [0, 0, 1.2, -60], [0, 0, 0, 1]])
    turned = affine.copy()
    turned[:3, 0], turned[:3, 3] = -affine[:3, 0], affine[:3, 3] + 147 * affine[:3, 0]
    expected = head_middle(Volume(head, Grid(head.shape, affine)))
    for values, where in (
        (head[:, :, ::-1], turned),
        (head.transpose(2, 0, 1), affine[:, [1, 2, 0, 3]]),
        (head[:, :, ::-1].transpose(0, 2, 1), turned[:, [1, 0, 2, 3]]),
    ):
        found = head_middle(Volume(values, Grid(values.shape, where)))
        assert found.right_mm == pytest.approx(expected.right_mm, abs=1e-6)


@pytest.mark.parametrize(
    ("places", "side"),
    [((-30.0, 30.0), "both"), ((-30.0, -20.0), "left"), ((20.0, 30.0), "right"), ((-30.0, 2.0), "left")],
)
def test_a_tumour_on_each_side_does_not_lie_in_the_middle(places, side):
    grid = grid_around(np.eye(3), (1.0, 2.0, 2.0), (8, 12, 200))
    values = np.zeros(grid.shape, bool)
    for right in places:
        values[grid.ras_to_index((right, 1.0, 1.0))] = True
    found = whole(grid, values, middle=Middle(0.0, "head"))
    assert found.side == side
    told = {"both": "on both sides"}.get(side, side)
    assert f"\nSide: {told} (centroid " in found.as_text()
    assert "the mask has 2 separate parts" in found.as_text()


def test_the_parts_of_a_mask_are_told_apart_once_for_its_side(monkeypatch):
    grid, label, asked = grid_around(np.eye(3), (1.0, 2.0, 2.0), (8, 12, 200)), ndimage.label, []
    values = np.zeros(grid.shape, bool)
    values[4, 6, [20, 180]] = True
    found = whole(grid, values, middle=Middle(0.0, "head"))
    monkeypatch.setattr(ndimage, "label", lambda *arguments: asked.append(True) or label(*arguments))
    assert [found.side, found.side, "on both sides" in found.as_text()] == ["both", "both", True]
    assert asked == [True]


@pytest.mark.parametrize(("columns", "side"), [(108, "unknown"), (112, "right")])
def test_the_side_is_told_only_where_the_image_is_as_wide_as_a_head(columns, side):
    """The head's middle lies at R 10; rows, which lead from left to right here, are 1 mm apart."""
    grid = grid_around(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1.0]]), (1.0, 1.0, 2.0), (3, columns, 8))
    values = np.zeros(grid.shape, bool)
    values[grid.ras_to_index((40.0, 0.0, 0.0))] = True
    found = whole(grid, values, middle=Middle(10.0, "head"))
    assert found.side == side
    told = {"unknown": "not told, the image shows part of the head only", "right": "right (centroid"}
    assert f"Side: {told[side]}" in found.as_text()


@pytest.mark.parametrize("yaw", [-40, -30, 0, 15, 30])
@pytest.mark.parametrize("depth", [13, 90])
def test_the_side_is_not_told_by_an_oblique_slab_through_one_ear(yaw, depth):
    """As T2 is taken across the internal auditory canal; 90 slices of it reach from ear to ear."""
    turn = Rotation.from_euler("z", yaw, degrees=True).as_matrix()
    grid = grid_around(turn @ np.eye(3)[:, [1, 2, 0]], (3.0, 3.0, 2.0), (depth, 74, 74), (31.0, -10.0, 0.0))
    head = np.linalg.norm(all_ras(grid) / (75.0, 95.0, 110.0), axis=-1) <= 1
    tumour = np.linalg.norm(all_ras(grid) - (22.0, -12.0, 0.0), axis=-1) <= 6
    assert tumour.sum() > 30
    found = measure(grid, grid.box, tumour, head_middle(Volume(400 * head.astype(np.int16), grid)))
    assert found.side == ("unknown" if depth == 13 else "right")


def test_an_image_without_a_head_falls_back_to_its_own_middle():
    assert head_middle(Volume(np.full(PLAIN.shape, 7), PLAIN)) == Middle(4.5, "image")


def test_the_change_counts_voxels_volume_and_overlap():
    start, now = np.zeros(PLAIN.shape, bool), np.zeros(PLAIN.shape, bool)
    start[1, 1:3, 1:6] = True  # 10 voxels
    now[1, 1:3, 3:9] = True  # 12 voxels, 6 of them in both
    change = whole(PLAIN, now).change_against(whole(PLAIN, start))
    assert (change.added, change.removed) == (6, 4)
    assert change.volume_mm3 == 4
    assert change.volume_percent == pytest.approx(20)
    assert change.dice == pytest.approx(12 / 22)
    assert "+4.0 mm³ (+20.0 %)" in change.as_text()


def test_the_change_from_or_to_nothing_is_no_division_by_zero():
    full = np.zeros(PLAIN.shape, bool)
    full[1, 1:3, 1:6] = True
    something, nothing = whole(PLAIN, full), measure(PLAIN, None, None)
    begun = something.change_against(nothing)
    assert (begun.added, begun.removed, begun.volume_percent, begun.dice) == (10, 0, None, 0)
    gone = nothing.change_against(something)
    assert (gone.added, gone.removed, gone.volume_percent, gone.dice) == (0, 10, -100, 0)
    assert nothing.change_against(nothing).dice == 1


def test_masks_that_do_not_meet_have_nothing_in_common():
    one, other = np.zeros(PLAIN.shape, bool), np.zeros(PLAIN.shape, bool)
    one[0, 0, 0] = other[2, 5, 9] = True
    change = whole(PLAIN, one).change_against(whole(PLAIN, other))
    assert (change.added, change.removed, change.dice) == (1, 1, 0)


def test_the_text_names_what_is_measured_with_units():
    values = np.zeros(PLAIN.shape, bool)
    values[1:3, 2:5, 3:9] = True
    assert whole(PLAIN, values, middle=Middle(-20.0, "head")).as_text().split("\n") == [
        "Volume: 72.0 mm³ (0.07 cm³)",
        "Largest axial diameter: 6.3 mm (axial slice 2 of 3)",
        "Largest perpendicular to it in that slice: 3.2 mm",
        "Axial slices: 2 to 3 of 3, counted from the bottom (4.0 mm)",
        "Centroid: R 5.5, A 3.0, S 3.0 mm",
        "Side: not told, the image shows part of the head only",
        "Note: among small tumours observers differ by up to about 27 % of the volume, which is 19 mm³ here; "
        "a smaller change need not be growth.",
    ]


def test_a_large_tumour_has_no_note_on_small_ones():
    grid = grid_around(np.diag([-1.0, -1.0, 1.0]), (1.0, 1.0, 1.0), (30, 40, 80))
    assert "Note" not in whole(grid, ellipsoid(grid)).as_text()
