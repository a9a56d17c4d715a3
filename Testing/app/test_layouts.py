"""Where the views of each layout lie."""

import numpy as np
import pytest
from VSClickCorrectApp.layouts import acquired_plane, places
from VSClickCorrectLib.geometry.grid import Grid

BOTH = ("T1ce", "T2")


def test_two_axial_views_are_halves_of_the_page():
    assert places("axial", BOTH) == {"T1ce": "1 / 1 / 6 / 4", "T2": "1 / 4 / 6 / 7"}


def test_of_a_case_without_t2_the_other_fills_the_page():
    assert places("axial", ["T1ce"]) == {"T1ce": "1 / 1 / 6 / 7"}


def test_planes_and_surface_share_the_two_fifths_below():
    assert places("planes", ["T2"]) == {
        "T2": "1 / 1 / 4 / 7",
        "Coronal": "4 / 1 / 6 / 3",
        "Sagittal": "4 / 3 / 6 / 5",
        "ThreeD": "4 / 5 / 6 / 7",
    }


@pytest.mark.parametrize(("layout", "first"), [("coronal", "Coronal"), ("sagittal", "Sagittal")])
def test_each_plane_has_both_sequences_side_by_side(layout, first):
    assert places(layout, BOTH) == {first: "1 / 1 / 6 / 4", f"{first}T2": "1 / 4 / 6 / 7"}
    assert places(layout, ["T2"]) == {first: "1 / 1 / 6 / 7"}


def test_the_surface_is_as_wide_as_each_axial_view():
    assert places("surface", BOTH) == {
        "T1ce": "1 / 1 / 6 / 3",
        "T2": "1 / 3 / 6 / 5",
        "ThreeD": "1 / 5 / 6 / 7",
    }
    assert places("surface", ["T1ce"]) == {"T1ce": "1 / 1 / 6 / 4", "ThreeD": "1 / 4 / 6 / 7"}


@pytest.mark.parametrize(
    ("sizes", "plane"),
    [
        ((0.5, 0.5, 3.0), "axial"),
        ((0.5, 3.0, 0.5), "coronal"),
        ((3.0, 0.5, 0.5), "sagittal"),
        ((0.9, 0.9, 0.9), "axial"),
    ],
)
def test_slices_are_shown_as_they_were_acquired(sizes, plane):
    assert acquired_plane(Grid((4, 5, 6), np.diag([*sizes, 1.0]))) == plane
