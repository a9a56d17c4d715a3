"""What is chosen, and the correction of it."""

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import CorrectionError, ImageError, WorklistError
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.workflow.correction_settings import CARRY_ALL, CorrectionSettings
from VSClickCorrectLib.workflow.opened_case import OpenedCase


def test_a_case_that_is_opened_can_be_corrected(begun, host, start, small):
    assert host.status.startswith("Ready; click where the tumour's true border runs")
    np.testing.assert_array_equal(begun.values(), start)
    assert begun.session.case.grid.matches(small.grid)
    assert begun.under_way is begun.correction


def test_clicks_that_wait_are_told_where_the_correction_goes_on(begun, host, border):
    begun.mode.collecting = True
    for click in border[:2]:
        begun.correction.place(click)
    begun.rest()
    host.run(begun.resume())
    assert host.status == "Clicks that wait: 2; apply them together, or take them back."


def test_nothing_is_under_way_before(flow):
    with pytest.raises(CorrectionError, match="no segment is being corrected"):
        flow.workbench.values()
    with pytest.raises(ImageError, match="no case is open"):
        flow.workbench.restart(np.zeros((1, 1, 1), bool))


def test_the_click_is_told_with_its_time_and_the_last_edit_is_known(begun, host, border):
    begun.correction.place(border[0])
    assert host.status.startswith("boundary click") and " ms." in host.status
    assert begun.last_edit is begun.session.history.done[-1]


def test_other_settings_hold_from_the_next_click_on(begun, host, border, small, start):
    settings = CorrectionSettings("replace", 0.7, 0)
    host.run(begun.choose(begun.volumes, begun.segment, settings))
    assert begun.session.corrector.identity == "oracle, threshold 0.7, carry 0"
    assert begun.session.merge == "replace"
    begun.correction.place(border[0])
    changed = np.flatnonzero((begun.values() != start).any(axis=(1, 2)))
    assert changed.tolist() == [small.grid.ras_to_index(border[0].position_ras)[0]]
    assert CorrectionSettings(carry=CARRY_ALL).adjust(begun.networks.corrector) is begun.networks.corrector


def test_choice_that_cannot_be_corrected_ends_the_correction(begun, host):
    host.run(begun.choose((None, None), begun.segment, begun.settings))
    assert begun.correction is None
    assert "ther volumes than those of case the case" in host.status


def test_segment_of_other_images_is_refused(begun, flow, host, headless, small):
    stranger = CaseNodes(headless.scene, small.t1ce, None, "stranger")
    stranger.put_mask(small.truth)
    begun.choose_segment(*stranger.segment)
    with pytest.raises(WorklistError, match="not made on the images of case the case"):
        host.start(begun.begin())
    assert begun.correction is None


def test_while_another_module_is_open_nothing_is_corrected_and_then_it_goes_on(begun, host, border, start):
    begun.correction.place(border[0])
    corrected = begun.values()
    begun.rest()
    assert begun.correction is None
    host.run(begun.begin())
    assert begun.correction is None
    host.run(begun.resume())
    np.testing.assert_array_equal(begun.values(), corrected)
    assert len(begun.correction.rows) == 1


def test_what_is_said_after_a_rest_is_true_of_an_empty_mask(begun, host):
    box = begun.session.case.grid.box
    begun.session.mask.write(box, np.zeros(box.shape, bool))
    begun.rest()
    host.run(begun.resume())
    assert "the mask is empty" in host.status


def test_what_was_not_corrected_is_not_after_a_rest_either(flow, host, case):
    flow.workbench.open(case)
    flow.workbench.rest()
    host.run(flow.workbench.resume())
    assert flow.workbench.correction is None


def test_restart_tells_before_and_begins_with_the_other_mask(begun, host, small):
    told = []
    begun.restarting.connect(lambda: told.append(begun.correction))
    old = begun.segment[0]
    begun.restart(small.truth)
    assert told == [None]
    assert old.GetScene() is None
    host.run(begun.begin())
    np.testing.assert_array_equal(begun.values(), small.truth)
    assert begun.correction.rows == []


def test_close_leaves_nothing_of_the_case(begun, headless, case):
    begun.close()
    assert (begun.nodes, begun.correction) == (None, None)
    assert (begun.volumes, begun.segment) == ((None, None), (None, ""))
    for kind in ("ScalarVolume", "Segmentation", "Text", "Markups"):
        assert headless.scene.GetNumberOfNodesByClass(f"vtkMRML{kind}Node") == 0


def test_sequences_that_do_not_meet_leave_the_case_before_open(begun, small):
    from VSClickCorrectLib.geometry.grid import Grid
    from VSClickCorrectLib.geometry.volume import Volume

    affine = np.array(small.grid.affine)
    affine[:3, 3] += 1000
    far = Volume(small.t2.array, Grid(small.grid.shape, affine))
    with pytest.raises(ImageError):
        begun.open(OpenedCase("far", small.t1ce, far))
    assert begun.nodes.name == "the case" and begun.correction is not None


def test_begun_twice_while_the_window_shows_that_it_is_busy_corrects_once(flow, host, case, border):
    flow.workbench.open(case)
    again = [lambda: host.start(flow.workbench.begin())]
    host.while_waiting = lambda: again and again.pop()()
    host.run(flow.workbench.begin())
    flow.workbench.correction.place(border[0])
    assert len(flow.workbench.session.journal.events) == 2


def test_kind_collecting_and_busy_reach_the_correction_also_of_before(flow, host, case, border):
    workbench = flow.workbench
    workbench.mode.kind, workbench.mode.collecting, workbench.mode.busy = ClickKind.EXCLUDE, True, True
    workbench.open(case)
    host.run(workbench.begin())
    correction, mode = workbench.correction, workbench.correction.mode
    assert (mode.kind, mode.collecting, mode.busy) == (ClickKind.EXCLUDE, True, True)
    correction.place(border[0])
    assert "wait until it is done" in host.status and correction.rows == []
    workbench.mode.busy = False
    correction.place(border[0])
    assert workbench.session.clicks == []


def test_what_follows_a_click_comes_once_for_several_and_at_once_on_request(begun, host, border):
    host.pass_time()
    settled = []
    begun.settled.connect(lambda: settled.append(len(begun.session.clicks)))
    for click in border[:2]:
        begun.correction.place(click)
    assert settled == []
    host.pass_time()
    assert settled == [2]
    begun.correction.place(Click(border[2].position_ras))
    begun.settle()
    host.pass_time()
    assert settled == [2, 3]


def test_scene_that_is_closed_is_let_go_of(begun, headless):
    begun.forget()
    headless.scene.Clear()
    assert (begun.nodes, begun.correction) == (None, None)
