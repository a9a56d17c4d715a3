"""Threes: what is said of a voxel grid comes as one number for each of its axes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import SupportsFloat, SupportsInt, TypeVar

Value = TypeVar("Value")

# An array index or shape, (k, j, i) unless said otherwise.
Index3 = tuple[int, int, int]
# Coordinates or lengths, mm or voxels.
Point3 = tuple[float, float, float]
# Cuts a box out of an array.
Slices3 = tuple[slice, slice, slice]


def triple(values: Iterable[Value]) -> tuple[Value, Value, Value]:
    """Return three values as they are.

    Raises
    ------
    ValueError
        If there are not three.
    """
    first, second, third = values
    return first, second, third


def index3(values: Iterable[SupportsInt]) -> Index3:
    """Return three values as int; fractions are cut off.

    Raises
    ------
    ValueError
        If there are not three.
    """
    return triple(int(value) for value in values)


def point3(values: Iterable[SupportsFloat]) -> Point3:
    """Return three values as float.

    Raises
    ------
    ValueError
        If there are not three.
    """
    return triple(float(value) for value in values)
