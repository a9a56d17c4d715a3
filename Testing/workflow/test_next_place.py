"""The way to the next doubtful place, in a window that is none, with networks that know the truth."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import CorrectionError, ImageError
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid
from VSClickCorrectLib.geometry.triples import point3
from VSClickCorrectLib.inference.doubt_map import DoubtMap
from VSClickCorrectLib.mrml.transforms import matrix_of
from VSClickCorrectLib.session.oracle import Oracle


@pytest.fixture
def asked(flow, small):
    """Let the networks doubt what is wrong, and count how often they were asked."""
    grid, calls = small.grid, []

    def doubts(case, mask, clicks):
        calls.append(tuple(clicks))
        if mask.extent() is None:
            return None
        window = ResamplingGrid(
            grid,
            (np.array(grid.axial_shape) - 1) / 2,
            ResamplingGeometry(grid.axial_shape, tuple(map(float, grid.axial_spacing))),
        )
        values, order = mask.read(grid.box), grid.axial_order()
        return DoubtMap(
            window, order.arranged(values), order.arranged((values != small.truth).astype(np.float32))
        )

    flow.networks.segmenter = SimpleNamespace(doubts=doubts, propose=None)
    return calls


@pytest.fixture
def led(flow):
    points = []
    flow.next_place.led.connect(points.append)
    return points


def test_it_leads_from_the_worst_place_to_the_next_and_round(asked, begun, flow, host, led, small):
    host.run(flow.next_place.next())
    places = flow.next_place.places
    assert places and led == [places[0].position_ras]
    assert host.status.startswith(f"Place 1 of {len(places)}, slice {places[0].slice_number}: ")
    for _ in places:
        host.run(flow.next_place.next())
    assert led == [place.position_ras for place in (*places, places[0])]
    assert len(asked) == 1
    # Where the networks know the truth, what is expected is what is.
    values = begun.values()
    dice = 2 * (values & small.truth).sum() / (values.sum() + small.truth.sum())
    assert flow.next_place.left_to_gain == pytest.approx(1 - dice, abs=1e-6)


def test_after_a_click_the_places_are_others(asked, begun, flow, host, border):
    host.run(flow.next_place.next())
    before = flow.next_place.left_to_gain
    begun.correction.place(border[0])
    assert not flow.next_place.known and flow.next_place.places == []
    assert flow.next_place.left_to_gain is None
    host.run(flow.next_place.next())
    assert flow.next_place.left_to_gain < before
    assert asked == [(), (border[0],)]


def test_after_a_click_that_changed_nothing_they_look_anew(asked, begun, flow, host, small):
    host.run(flow.next_place.next())
    values, outside = begun.values(), Click(point3(small.grid.index_to_ras((0, 0, 0))), ClickKind.EXCLUDE)
    begun.correction.place(outside)
    np.testing.assert_array_equal(begun.values(), values)
    assert not flow.next_place.known
    host.run(flow.next_place.next())
    flow.clicks.undo()
    host.run(flow.next_place.next())
    assert asked == [(), (outside,), ()]


def test_boundary_clicks_that_changed_nothing_leave_the_next_place_the_next(asked, begun, flow, host, border):
    # Another border is nowhere to be seen: what is proposed is the mask as it is.
    begun.correction.session.corrector = Oracle(begun.values())
    for click in border[:2]:
        begun.correction.place(click)
        host.run(flow.next_place.next())
    # That there is a click at all matters to how sure the networks may be; a boundary click is not seen.
    assert [row.voxels for row in flow.clicks.rows] == [0, 0]
    assert len(asked) == 1 and host.status.startswith("Place 2 of ")


def test_networks_look_with_clicks_in_the_middle_of_their_slice(asked, begun, flow, host, border, small):
    middle, across = border[0], small.grid.slice_order().axes[0]
    off = 0.4 * small.grid.affine[:3, 2 - across]
    begun.correction.place(Click(point3(np.add(middle.position_ras, off)), middle.kind))
    host.run(flow.next_place.next())
    assert asked[0][0].position_ras == pytest.approx(middle.position_ras)


def test_where_the_t2_was_moved_the_places_are_others(asked, begun, flow, host, headless):
    host.pass_time()
    host.run(flow.next_place.next())
    transform = headless.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[0, 3] = 5.0
    transform.SetMatrixTransformToParent(matrix_of(matrix))
    begun.volumes[1].SetAndObserveTransformNodeID(transform.GetID())
    host.pass_time()
    assert not flow.next_place.known
    host.run(flow.next_place.next())
    assert flow.next_place.known and len(asked) == 2


def test_followed_places_are_there_once_clicks_pause(asked, begun, flow, host, border):
    heard = []
    flow.next_place.changed.connect(lambda: heard.append(flow.next_place.known))
    flow.next_place.following = True
    host.pass_time()
    assert heard[-1] and flow.next_place.places
    begun.correction.place(border[0])
    begun.correction.place(border[1])
    host.pass_time()
    assert asked == [(), tuple(border[:2])]


def test_nobody_is_asked_as_long_as_nobody_wants_to_know(asked, begun, host, border):
    begun.correction.place(border[0])
    host.pass_time()
    assert asked == []


@pytest.mark.parametrize("right", [False, True])
def test_parts_that_are_too_far_away_to_be_looked_at_are_told(asked, begun, flow, host, small, right):
    looked = flow.networks.segmenter.doubts
    flow.networks.segmenter.doubts = lambda *seen: replace(looked(*seen), whole=False)
    if right:
        begun.restart(small.truth)
        host.run(begun.begin())
    host.run(flow.next_place.next())
    assert host.status.startswith("Nothing is left" if right else "Place 1 of ")
    note = "Only the largest part of the mask was looked at: others lie too far away."
    assert host.status.endswith(f". {note}")


def test_nothing_left_is_said(asked, begun, flow, host, led, small):
    begun.restart(small.truth)
    host.run(begun.begin())
    host.run(flow.next_place.next())
    assert host.status.startswith("Nothing is left that is worth a click")
    assert led == [] and flow.next_place.left_to_gain == 0


def test_an_empty_mask_is_said(asked, begun, flow, host, small):
    begun.restart(np.zeros(small.grid.shape, bool))
    host.run(begun.begin())
    host.run(flow.next_place.next())
    assert host.status.startswith("The mask is empty")


def test_without_a_segment_or_with_other_networks_it_is_refused(flow, host, case):
    with pytest.raises(CorrectionError, match="no segment is being corrected"):
        host.start(flow.next_place.next())
    flow.workbench.open(case)
    host.run(flow.workbench.correct())
    with pytest.raises(CorrectionError, match="networks cannot say"):
        host.start(flow.next_place.next())


def test_what_goes_wrong_is_told_and_harms_nothing(begun, flow, host):
    def failing(case, mask, clicks):
        raise ImageError("there is no memory for it; close others.")

    flow.networks.segmenter = SimpleNamespace(doubts=failing, propose=None)
    flow.next_place.following = True
    host.pass_time()
    assert "no memory for it" in host.status and not flow.next_place.known


def test_the_line_is_drawn_as_long_as_it_is_shown(asked, begun, flow, host, headless):
    def line():
        node = headless.scene.GetFirstNodeByName("doubt")
        return node is not None and bool(node.GetDisplayNode().GetVisibility())

    flow.next_place.show(True)
    host.pass_time()
    assert line()
    flow.next_place.show(False)
    assert not line()
    flow.next_place.show(True)
    assert line()
    begun.stop()
    assert headless.scene.GetFirstNodeByName("doubt") is None


def test_who_clicks_while_places_are_looked_for_is_told_so(asked, begun, flow, host, led, border):
    look = flow.networks.segmenter.doubts

    def clicked_meanwhile(case, mask, clicks):
        begun.correction.place(border[0])
        return look(case, mask, clicks)

    flow.networks.segmenter.doubts = clicked_meanwhile
    host.run(flow.next_place.next())
    assert led == [] and host.status.startswith("The mask was changed meanwhile")


def test_why_places_cannot_be_looked_for_stays_told(asked, begun, flow, host, led):
    def failing(case, mask, clicks):
        raise ImageError("there is not enough memory.")

    flow.networks.segmenter.doubts = failing
    host.run(flow.next_place.next())
    assert led == [] and "not enough memory" in host.status


def test_who_leaves_the_mask_while_places_are_looked_for_is_told_nothing_of_it(asked, begun, flow, host, led):
    look = flow.networks.segmenter.doubts

    def left_meanwhile(case, mask, clicks):
        begun.stop()
        return look(case, mask, clicks)

    flow.networks.segmenter.doubts = left_meanwhile
    before = host.status
    host.run(flow.next_place.next())
    assert (led, host.status) == ([], before)
