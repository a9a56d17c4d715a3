"""Strokes that a page sends, without a browser."""

import pytest
from VSClickCorrectApp.logic.brush_logic import _are_places


@pytest.mark.parametrize(
    "places",
    [[], [[0.5]], [[0.5, float("nan")]], [[0.5, 1e9]], [[0.5, 0.5, 0.5]]],
    ids=["none", "one number", "no number", "far away", "three numbers"],
)
def test_what_is_no_line_in_a_view_is_refused(places):
    assert not _are_places(places)


def test_a_pointer_may_leave_its_view():
    assert _are_places([[0.5, 0.5], [-0.2, 1.3]])
