"""Two panels of the module over one scene, as a second one can be made by a script."""

import pytest
from VSClickCorrectLib.mrml.persistence import stored_journal
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.oracle import Oracle


@pytest.fixture
def other(module, widget, begun, small, wait):
    """A second panel, which goes on with what the first one corrects."""
    other = module.VSClickCorrectWidget()
    other.setup()
    other.panel.flow.networks.corrector = Oracle(small.truth)
    other.parent.isEntered = True
    other.enter()
    assert wait(lambda: other.panel.correction is not None), other.ui.statusLabel.text
    yield other
    other.cleanup()
    for selector in (other.ui.segmentSelector, other.ui.t1ceSelector, other.ui.t2Selector):
        selector.setMRMLScene(None)


def events(begun):
    text = stored_journal(begun.segmentation, begun.mask.segment_id)
    return [event["event"] for event in Journal(text=text).events]


def test_each_point_is_taken_by_the_panel_that_came_last(widget, begun, other, border, wait, desktop):
    def place(click):
        # A script places points in no view, which is refused while views do.
        other.panel.placing.end()
        node.AddControlPointWorld(*click.position_ras)

    node = other.panel.correction.click_node(border[0].kind)
    place(border[0])
    wait(seconds=0.1)
    assert widget.panel.correction is None and len(other.panel.correction.rows) == 1
    assert events(begun) == ["session", "edit"]
    assert "is corrected in another panel from now on" in widget.ui.statusLabel.text
    widget.ui.correctButton.click()
    assert other.panel.correction is None and len(widget.panel.correction.rows) == 1
    place(border[1])
    wait(seconds=0.1)
    assert events(begun) == ["session", "edit", "edit"]
    assert widget.panel.correction.markers_visible and node.GetNumberOfControlPoints() == 2
    widget.panel.flow.clicks.undo()
    assert events(begun) == ["session", "edit", "edit", "undo"] and desktop.faults == []


def test_a_panel_that_was_left_goes_on_with_what_the_other_one_did(
    widget, begun, other, border, wait, desktop
):
    widget.ui.correctButton.click()
    widget.exit()
    other.ui.correctButton.click()
    other.panel.correction.place(border[0])
    begun.mask.fill(begun.mask.read(begun.mask.grid.box) & False)
    wait(seconds=0.1)
    assert events(begun) == ["session", "edit", "paint"]
    widget.enter()
    assert other.panel.correction is None and len(widget.panel.correction.rows) == 1
    assert events(begun) == ["session", "edit", "paint"] and desktop.faults == []
