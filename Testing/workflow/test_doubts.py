"""What is asked before a mask becomes a label."""

import numpy as np
import pytest
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.workflow.doubts import question_about, question_without

# Voxels of 2 mm³.
GRID = Grid((6, 20, 20), np.diag([1.0, 1.0, 2.0, 1.0]))


def mask(*boxes):
    values = np.zeros(GRID.shape, bool)
    for k, j, i in boxes:
        values[k, j, i] = True
    return values


LARGE = (slice(0, 3), slice(0, 4), slice(0, 4))
SMALL = (slice(5, 6), slice(10, 12), slice(10, 12))


@pytest.mark.parametrize(
    ("values", "question"),
    [
        (mask(LARGE), ""),
        (mask(), "The mask of case A is empty. Is there no tumour? Then OK labels the case so."),
        (mask(SMALL), "The mask of case A has only 8 mm³. Is it meant so? Then OK writes it as the label."),
        (
            mask(LARGE, SMALL),
            "The mask of case A has 2 parts (96, 8 mm³). Is it meant so? Then OK writes it as the label.",
        ),
    ],
)
def test_what_is_hardly_a_tumour_is_asked_about(values, question):
    assert question_about("A", values, GRID) == question


def test_parts_that_touch_at_a_corner_are_one():
    assert question_about("A", mask(LARGE, (slice(3, 5), slice(4, 8), slice(4, 8))), GRID) == ""


def test_a_mask_that_no_label_will_hold_is_named():
    assert question_without("A", mask(), GRID) == ""
    assert "The mask of case A has 96 mm³" in question_without("A", mask(LARGE), GRID)
