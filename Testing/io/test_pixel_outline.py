"""Outlines along the edges of pixels: simple polygons that enclose exactly the mask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from VSClickCorrectLib.io.pixel_outline import pixel_outlines
from VSClickCorrectResearch.simulation.polygons import fill_polygons


def filled(outlines, shape):
    return fill_polygons([corners[:, ::-1] for corners in outlines], shape)


def doubled_areas(outlines):
    """Twice the signed areas: outer outlines and holes run in opposite directions."""
    return [float(np.sum(c[:, 1] * np.roll(c[:, 0], -1) - np.roll(c[:, 1], -1) * c[:, 0])) for c in outlines]


def test_a_single_pixel():
    plane = np.zeros((3, 4), bool)
    plane[1, 2] = True
    [corners] = pixel_outlines(plane)
    assert sorted(corners.tolist()) == [[0.5, 1.5], [0.5, 2.5], [1.5, 1.5], [1.5, 2.5]]


def test_a_hole_has_an_outline_that_runs_the_other_way():
    plane = np.ones((5, 5), bool)
    plane[2, 2] = False
    assert sorted(doubled_areas(pixel_outlines(plane))) == [-2, 50]


@pytest.mark.parametrize("plane", [np.eye(3, dtype=bool), np.eye(3, dtype=bool)[::-1]])
def test_pixels_that_touch_at_a_corner_have_outlines_of_their_own(plane):
    assert [len(corners) for corners in pixel_outlines(plane)] == [4, 4, 4]


def test_of_nothing_there_is_no_outline():
    assert pixel_outlines(np.zeros((3, 3), bool)) == []


@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_outlines_enclose_the_mask_and_no_corner_is_on_a_straight_line(plane):
    outlines = pixel_outlines(plane)
    np.testing.assert_array_equal(filled(outlines, plane.shape), plane)
    assert sum(doubled_areas(outlines)) == 2 * plane.sum()
    for corners in outlines:
        steps = np.sign(np.roll(corners, -1, axis=0) - corners)
        assert (np.abs(steps).sum(axis=1) == 1).all()
        assert (steps != np.roll(steps, 1, axis=0)).any(axis=1).all()
