"""Real mouse clicks in one of Slicer's own slice views, while the panel is open."""

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import ClickKind

pytest.importorskip("trame_slicer", reason="trame-slicer, which gives slice views, is not installed")


@pytest.fixture(scope="module")
def view(qt_application):
    from slice_view import SliceView

    return SliceView()


@pytest.fixture
def headless(view):
    """The view's scene in place of one without views."""
    yield view
    view.scene.Clear()


def test_clicks_land_where_the_mouse_is(widget, begun, view, border, small, wait, desktop):
    view.show(begun.t1ce, reset=True)
    for number, click in enumerate(border[:2], start=1):
        view.look_at(click.position_ras, 60.0)
        view.click(click.position_ras)
        wait(seconds=0.1)
        placed = widget.panel.correction.rows[-1].position_ras
        # A pixel of the view is 0.2 mm wide, a slice 1.5 mm high.
        np.testing.assert_allclose(placed, click.position_ras, atol=0.2)
        assert len(widget.panel.correction.rows) == number
    assert desktop.faults == []


def test_right_click_gives_the_pointer_back(widget, begun, view, border, wait):
    view.show(begun.t1ce, reset=True)
    widget.ui.includeButton.click()
    view.look_at(border[0].position_ras, 60.0)
    view.click(border[0].position_ras, "Right")
    wait(seconds=0.1)
    assert not widget.ui.includeButton.checked
    view.click(border[0].position_ras)
    assert widget.panel.correction.rows == []


def test_one_click_alone_gives_the_pointer_back(widget, begun, view, border, wait):
    view.show(begun.t1ce, reset=True)
    widget.ui.keepPlacingCheckBox.click()
    widget.ui.excludeButton.click()
    view.look_at(border[0].position_ras, 60.0)
    for _ in range(2):
        view.click(border[0].position_ras)
        wait(seconds=0.1)
    assert [row.kind for row in widget.panel.correction.rows] == [ClickKind.EXCLUDE]
    assert not widget.ui.excludeButton.checked


def test_view_of_another_volume_takes_no_click(widget, begun, view, headless, small, wait):
    from VSClickCorrectLib.mrml.volumes import add_volume

    view.show(begun.t1ce, reset=True)
    view.look_at(small.site_ras, 60.0)
    view.show(add_volume(view.scene, small.t2, "FLAIR"))
    widget.ui.includeButton.click()
    view.click(small.site_ras)
    wait(seconds=0.1)
    assert "That view shows 'FLAIR'" in widget.ui.statusLabel.text
    view.show(begun.t2)
    view.click(small.site_ras)
    wait(seconds=0.1)
    assert len(widget.panel.correction.rows) == 1


def test_a_3d_view_takes_no_click(widget, begun, view, small, spoiled, wait):
    view.show(begun.t1ce, reset=True)
    widget.ui.includeButton.click()
    view.click_in_3d()
    wait(seconds=0.1)
    assert "3D view" in widget.ui.statusLabel.text
    np.testing.assert_array_equal(begun.mask.read(small.grid.box), spoiled)
    node = widget.panel.correction.click_node(ClickKind.INCLUDE)
    assert (widget.panel.correction.rows, node.GetNumberOfDefinedControlPoints()) == ([], 0)


def test_view_shows_the_corrected_segment_and_its_marker(widget, begun, view, border, wait):
    view.show(begun.t1ce, reset=True)
    view.look_at(border[0].position_ras, 60.0)
    before = view.picture()
    view.click(border[0].position_ras)
    wait(seconds=0.1)
    after = view.picture()
    yellow = (after[..., 0] > 200) & (after[..., 1] > 190) & (after[..., 2] < 120)
    assert yellow.sum() > 10
    widget.ui.markersCheckBox.click()
    assert (view.picture() != after).any()
    assert (after != before).any(axis=-1).sum() > yellow.sum()
