"""Threes of numbers: of what they are made, and what is refused."""

import numpy as np
import pytest
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import index3, point3, triple

THREES = ([1, 2, 3], (n for n in (1, 2, 3)), np.array([1, 2, 3], np.int16), np.array([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("values", THREES, ids=("list", "generator", "integers", "floats"))
def test_an_index_is_a_tuple_of_three_plain_integers(values):
    made = index3(values)
    assert made == (1, 2, 3)
    assert [type(n) for n in made] == [int] * 3


def test_an_index_of_floats_is_cut_off_toward_zero():
    assert index3((1.9, -1.9, 0.5)) == (1, -1, 0)


@pytest.mark.parametrize("values", [(1, 2.5, -3), np.array([1, 2.5, -3], np.float32)], ids=("tuple", "array"))
def test_a_point_is_a_tuple_of_three_plain_floats(values):
    made = point3(values)
    assert made == (1.0, 2.5, -3.0)
    assert [type(v) for v in made] == [float] * 3


def test_a_triple_holds_the_values_themselves():
    values = [slice(1, 2), True, None]
    assert all(one is other for one, other in zip(triple(iter(values)), values, strict=True))


@pytest.mark.parametrize("make", [triple, index3, point3])
@pytest.mark.parametrize("values", [(), (1, 2), (1, 2, 3, 4)], ids=("none", "two", "four"))
def test_another_number_of_values_is_refused(make, values):
    with pytest.raises(ValueError, match="values to unpack"):
        make(values)


def test_a_grid_of_other_than_three_axes_is_refused():
    with pytest.raises(ValueError, match="too many values"):
        Grid((4, 4, 4, 2), np.eye(4))
    with pytest.raises(ValueError, match="not enough values"):
        Grid((4, 4), np.eye(4))


def test_a_box_refuses_a_margin_and_an_offset_of_other_than_three_axes():
    box = Box((1, 2, 3), (4, 5, 6))
    for change in (box.padded, box.shifted):
        with pytest.raises(ValueError):
            change((1, 2))
