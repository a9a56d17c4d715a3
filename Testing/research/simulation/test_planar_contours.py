"""Contours to label maps, on grids of any orientation."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from any_grid import all_ras, grids
from example_counts import examples
from hypothesis import given
from hypothesis import strategies as st
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectResearch.simulation.planar_contours import rasterise, slice_offset

ARCHIVE = Path(__file__).resolve().parents[4] / "shared" / "data" / "vs-seg-contours.tar.gz"
needs_archive = pytest.mark.skipif(not ARCHIVE.is_file(), reason=f"{ARCHIVE} is not here")
# Thick slices, fine pixels; small patients.
SLICED = Grid((9, 30, 32), np.array([[-0.5, 0, 0, 8.0], [0, -0.5, 0, 7.0], [0, 0, 1.5, -6], [0, 0, 0, 1.0]]))


def ring(grid, number, center, radius, axis=2, count=48):
    """A circle of ``radius`` voxels on one slice across ``axis`` of (i, j, k), RAS mm."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    ijk = np.empty((count, 3))
    ijk[:, axis] = number
    flat = [a for a in range(3) if a != axis]
    ijk[:, flat[0]] = center[0] + radius * np.cos(angle)
    ijk[:, flat[1]] = center[1] + radius * np.sin(angle)
    return grid.ijk_to_ras(ijk)


def polygon_area(contours):
    """The shoelace formula in each contour's own plane, mm²."""
    turned = [c - c.mean(axis=0) for c in contours]
    return sum(np.linalg.norm(np.cross(c, np.roll(c, -1, axis=0)).sum(axis=0)) / 2 for c in turned)


def test_voxels_belong_whose_centre_lies_inside_on_the_contours_slices_alone():
    mask = rasterise([ring(SLICED, k, (16.2, 13.3), 6.4, count=720) for k in (3, 4)], SLICED)
    k, j, i = np.indices(SLICED.shape)
    inside = np.hypot(i - 16.2, j - 13.3) < 6.4
    assert np.array_equal(mask, inside & ((k == 3) | (k == 4)))


def test_contour_inside_another_is_a_hole_and_one_beside_it_is_not():
    mask = rasterise(
        [ring(SLICED, 4, (12, 12), 8.3), ring(SLICED, 4, (12, 12), 4.4), ring(SLICED, 4, (26, 12), 3.3)],
        SLICED,
    )
    assert mask[4, 12, 12 + 6]
    assert not mask[4, 12, 12]
    assert mask[4, 12, 26]


def test_keyhole_contour_has_its_hole():
    """DICOM's other way to draw a hole: one line that goes in, round and out again."""
    outer = np.array([(2, 2), (22, 2), (22, 22), (2, 22), (2, 12)], float)
    inner = np.array([(8, 12), (8, 16), (16, 16), (16, 8), (8, 8), (8, 12), (2, 12)], float)
    flat = np.concatenate([outer, inner])
    mask = rasterise([SLICED.ijk_to_ras(np.column_stack([flat, np.full(len(flat), 3.0)]))], SLICED)
    assert mask[3, 5, 5]
    assert not mask[3, 10, 10]


@examples(0.8)
@given(grid=grids(sides=st.integers(12, 16), spacings=st.floats(0.4, 2.0)), axis=st.integers(0, 2))
def test_any_orientation_is_filled_on_its_own_slices(grid, axis):
    contours = [ring(grid, n, (5.3, 5.6), 3.7, axis, 360) for n in (4, 5, 6)]
    mask = rasterise(contours, grid)
    ijk = grid.ras_to_ijk(all_ras(grid))
    flat = [a for a in range(3) if a != axis]
    inside = np.hypot(ijk[..., flat[0]] - 5.3, ijk[..., flat[1]] - 5.6) < 3.7
    assert np.array_equal(mask, inside & (np.abs(ijk[..., axis] - 5) < 1.5))


@pytest.mark.parametrize("offset", [-0.4, 0.2, 0.4])
def test_contour_near_a_slice_is_on_it(offset):
    contours = [ring(SLICED, 4 + offset, (15, 15), 5.0)]
    assert rasterise(contours, SLICED)[4].any()
    assert slice_offset(contours, SLICED) == pytest.approx(abs(offset))


def test_contours_stored_twice_count_once():
    once = [ring(SLICED, k, (15, 15), 6.3) for k in (3, 4, 5)]
    rounded = [np.roll(np.round(c, 1)[::-1], 7, axis=0) for c in once]
    expected = rasterise(once, SLICED)
    assert expected.sum() == pytest.approx(3 * np.pi * 6.3**2, rel=0.03)
    assert np.array_equal(rasterise(once * 2, SLICED), expected)
    assert np.count_nonzero(rasterise(once + rounded, SLICED) != expected) <= 3
    assert np.array_equal(rasterise([np.concatenate([c, c]) for c in once], SLICED), expected)


def test_what_has_fewer_than_three_corners_is_not_looked_at():
    tumour = [ring(SLICED, k, (15, 15), 6.3) for k in (3, 4)]
    point = SLICED.ijk_to_ras([[15.0, 15.0, 3.4]])
    line = SLICED.ijk_to_ras([[15.0, 15.0, 6.0], [15.0, 18.0, 7.0], [15.0, 15.0, 6.0]])
    assert np.array_equal(rasterise([*tumour, point, line], SLICED), rasterise(tumour, SLICED))
    assert slice_offset([*tumour, point, line], SLICED) == pytest.approx(0, abs=1e-6)


def tilted():
    contour = ring(SLICED, 4, (15, 15), 6.0)
    contour[:, 2] += 0.4 * (contour[:, 0] - contour[:, 0].mean())
    return contour


@pytest.mark.parametrize(
    "contours, message",
    [
        ([ring(SLICED, 4.5, (15, 15), 5.0)], r"around R 0\.5, A -0\.5, S 0\.8 mm lies between two slices"),
        ([tilted()], "lies between two slices or is tilted"),
        ([ring(SLICED, 9, (15, 15), 5.0)], "lies outside the image"),
        ([ring(SLICED, 4, (3, 15), 5.0)], "lies outside the image"),
        ([ring(SLICED, 4, (15, 15), 5.0), ring(SLICED, 4.4, (15, 15), 5.0)], "shares its slice with one of"),
        ([ring(SLICED, k, (15, 15), 5.0) for k in (1, 3, 5)], "lie farther apart than the slices"),
        (
            [ring(SLICED, k, (15, 15), 5.0) for k in (1, 2, 4)],
            "between the slices 3 and 5 along k",
        ),
        (
            [ring(SLICED, 4, (12, 15), 5.0), ring(SLICED, 4, (16, 15), 5.0)],
            r"the contour around R 2\.0, .* crosses the contour around R 0\.0, .*; join the two",
        ),
        ([ring(SLICED, 4, (15.5, 15.5), 0.3)], "the contours enclose no voxel's centre"),
        ([SLICED.ijk_to_ras([[15.0, 15.0, 4.0]])], "no contour to fill"),
        ([], "no contour to fill"),
    ],
)
def test_contour_of_another_scan_is_refused(contours, message):
    with pytest.raises(ImageError, match=message):
        rasterise(contours, SLICED)


@needs_archive
@pytest.mark.parametrize("patient, spacing", [("sub-002", 0.41), ("sub-100", 0.5), ("sub-200", 0.41)])
def test_real_labels_hold_what_their_contours_enclose(patient, spacing):
    name = f"vs-seg-contours/contours/{patient}/anat/{patient}_contours_space-individual_T1w.json"
    with tarfile.open(ARCHIVE) as archive:
        structures = json.load(archive.extractfile(name))
    (points,) = [s["LPS_contour_points"] for s in structures if s["structure_name"].lower() in ("tv", "an")]
    contours = [np.array(c) * (-1, -1, 1) for c in points]
    heights = np.unique(np.round([c[:, 2].mean() for c in contours], 2))
    thickness = np.diff(heights).min()
    low = np.concatenate(contours).min(axis=0) - 5
    affine = np.diag([spacing, spacing, thickness, 1.0])
    affine[:3, 3] = (*low[:2], heights[0] - 2 * thickness)
    grid = Grid((heights.size + 4, 160, 160), affine)
    mask = rasterise(contours, grid)
    assert slice_offset(contours, grid) < 0.02
    assert set(np.flatnonzero(mask.any(axis=(1, 2)))) == set(range(2, heights.size + 2))
    assert mask.sum() * grid.voxel_volume == pytest.approx(polygon_area(contours) * thickness, rel=0.02)
