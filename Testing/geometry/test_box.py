"""Boxes, held against sets of voxels."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from VSClickCorrectLib.geometry.box import Box

voxel = st.tuples(*[st.integers(-4, 9)] * 3)
small = st.tuples(*[st.integers(0, 5)] * 3)


@st.composite
def boxes(draw):
    start, shape = draw(voxel), draw(small)
    return Box(start, tuple(a + n for a, n in zip(start, shape, strict=True)))


def voxels(box):
    return set(product(*(range(a, b) for a, b in zip(box.start, box.stop, strict=True))))


def test_shape_slices_and_emptiness_of_a_box_are_those_written_down():
    box = Box((1, 2, 3), (4, 4, 8))
    assert box.shape == (3, 2, 5)
    assert box.slices == (slice(1, 4), slice(2, 4), slice(3, 8))
    assert not box.empty
    assert Box((1, 2, 3), (4, 2, 8)).empty
    assert Box((1, 2, 3), (4, 1, 8)).shape == (3, 0, 5)


def test_box_of_an_array_is_the_tightest_that_holds_every_voxel_set():
    array = np.zeros((5, 6, 7), np.uint8)
    array[1, 2, 6] = 1
    array[3, 4, 0] = 7
    assert Box.of_array(array) == Box((1, 2, 0), (4, 5, 7))


def test_box_of_an_empty_array_is_none():
    assert Box.of_array(np.zeros((2, 3, 4), bool)) is None


def test_box_of_a_voxel_holds_that_voxel_alone():
    assert Box.of_voxel((4, 0, 2)) == Box((4, 0, 2), (5, 1, 3))


def test_shifting_and_padding_move_the_bounds_as_written():
    box = Box((1, 2, 3), (4, 5, 6))
    assert box.shifted((10, 0, -3)) == Box((11, 2, 0), (14, 5, 3))
    assert box.padded(2) == Box((-1, 0, 1), (6, 7, 8))
    assert box.padded((0, 1, 4)) == Box((1, 1, -1), (4, 6, 10))


def test_part_inside_an_array_is_what_clipping_leaves():
    assert Box((-2, 1, 3), (2, 9, 5)).clipped((4, 4, 4)) == Box((0, 1, 3), (2, 4, 4))


@pytest.mark.parametrize("start", [-9, -4, 5, 9])
def test_box_beside_an_array_selects_none_of_its_voxels(start):
    # A stop below zero would be counted from the array's end.
    array = np.ones((5, 5, 5), bool)
    clipped = Box((start, 0, 0), (start + 3, 5, 5)).clipped(array.shape)
    assert clipped.empty
    assert array[clipped.slices].size == 0


@given(boxes(), boxes())
def test_intersection_holds_the_common_voxels(first, second):
    common = first.intersection(second)
    assert voxels(common) == voxels(first) & voxels(second)
    assert common.empty == (not voxels(common))


@given(boxes(), boxes())
def test_union_is_the_smallest_box_that_holds_both(first, second):
    both = np.array([*voxels(first), *voxels(second)])
    if first.empty or second.empty:
        return
    assert first.union(second) == Box(tuple(both.min(axis=0)), tuple(both.max(axis=0) + 1))


@given(boxes(), boxes())
def test_a_box_contains_another_when_all_its_voxels_are_inside(first, second):
    if not second.empty:
        assert first.contains(second) == (voxels(second) <= voxels(first))


@given(boxes(), st.tuples(*[st.integers(1, 6)] * 3))
def test_slices_of_a_clipped_box_select_exactly_its_voxels(box, shape):
    array = np.zeros(shape, bool)
    array[box.clipped(shape).slices] = True
    assert set(map(tuple, np.argwhere(array))) == voxels(box) & set(np.ndindex(shape))


@given(boxes(), st.tuples(*[st.integers(0, 3)] * 3))
def test_slices_in_an_outer_box_find_the_same_voxels(inner, margin):
    outer = inner.padded(margin)
    places = np.stack(np.meshgrid(*map(np.arange, outer.start, outer.stop), indexing="ij"), axis=-1)
    assert set(map(tuple, places[inner.slices_in(outer)].reshape(-1, 3))) == voxels(inner)
