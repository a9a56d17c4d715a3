"""What is said of candidates: side, volume, how sure, and what to do now."""

import numpy as np
import pytest
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.found_text import found_text
from VSClickCorrectLib.inference.initial_mask import NOTHING, InitialMask

# 160 mm from left to right: columns run to the patient's left.
GRID = Grid((20, 40, 80), np.diag([-2.0, 2.0, 2.0, 1.0]))


def candidate(column, certainty, others=()):
    """Ten voxels along each axis, of 8 mm³ each: 8 cm³."""
    box = Box((5, 10, column), (15, 20, column + 10))
    return InitialMask(box, np.ones(box.shape, bool), 0.8, 0.9, certainty, others)


@pytest.fixture
def case():
    array = np.zeros(GRID.shape, np.int16)
    array[:, 2:38, 2:78] = 500
    return Case(Volume(array, GRID))


@pytest.mark.parametrize(
    ("column", "place"), [(5, "on the right"), (60, "on the left"), (35, "in the middle")]
)
def test_a_sure_candidate_is_found_on_its_side(case, column, place):
    text = found_text(candidate(column, 0.93), case)
    assert text == f"Found {place}, 8.00 cm³, 93% sure; click where its border is wrong."


def test_others_are_counted(case):
    text = found_text(candidate(5, 0.9, (candidate(60, 0.4), candidate(35, 0.1))), case)
    assert text.startswith("Found on the right, 8.00 cm³, 90% sure (2 other candidates);")


def test_a_tumour_on_the_other_side_is_told_of(case):
    text = found_text(candidate(5, 0.95, (candidate(60, 0.93), candidate(35, 0.1))), case)
    assert text == (
        "Found on the right, 8.00 cm³, 95% sure (2 other candidates); click where its border is wrong. "
        "Also on the left, 8.00 cm³, 93% sure: if that is a tumour, too, an include click inside it adds it."
    )


def test_an_unsure_one_is_not_called_found(case):
    text = found_text(candidate(5, 0.4), case)
    assert text == (
        "Not sure: on the right, 8.00 cm³, 40% sure. "
        "If that is not the tumour, place an include click inside it."
    )


def test_the_next_candidate_is_told_by_its_own_side(case):
    found = candidate(5, 0.4, (candidate(60, 0.3),))
    assert found_text(found, case).startswith("Not sure: candidate 1 of 2, on the right, 8.00 cm³, 40% sure.")
    second = found_text(found, case, 2)
    assert second.startswith("Candidate 2 of 2, on the left, 8.00 cm³, 30% sure.")
    assert "place an include click" in second


def test_nothing_found_says_how_it_will_be(case):
    assert (
        found_text(NOTHING, case) == "No tumour was found; place an include click inside it, and it will be."
    )
