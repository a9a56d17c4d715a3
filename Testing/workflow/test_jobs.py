"""Seconds of work, the initial mask above all, with jobs whose end the test says."""

from dataclasses import replace

import numpy as np
import pytest
import vtk
from plain_host import end
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.errors import CorrectionError, ModelError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.mrml.segment_mask import SegmentMask

SECOND = InitialMask(Box((4, 2, 3), (5, 4, 5)), np.ones((1, 2, 2), bool), 0.8, 0.4, 0.3)
FOUND = InitialMask(Box((1, 2, 3), (3, 5, 7)), np.ones((2, 3, 4), bool), 0.9, 1.0, 0.95, (SECOND,))
NOTHING = InitialMask(Box((0, 0, 0), (0, 0, 0)), np.zeros((0, 0, 0), bool), 0.0)


def test_progress_is_shown_and_clicks_wait_meanwhile(flow, begun, host, job, border):
    running = job(FOUND)
    host.run(flow.initial.find())
    assert host.status.startswith("Looking for the tumour")
    assert (flow.jobs.busy, flow.jobs.fraction, flow.jobs.message) == (True, 0.25, "half-way")
    begun.correction.place(border[0])
    assert "wait until it is done" in host.status
    end(running, host)
    assert (flow.jobs.busy, flow.jobs.fraction, flow.jobs.message) == (False, 0.0, "")
    assert not begun.correction.mode.busy


def test_what_is_found_takes_the_place_of_the_mask(flow, begun, host, job, border):
    begun.correction.place(border[0])
    running = job(FOUND)
    host.answers.append(True)
    host.run(flow.initial.find())
    end(running, host)
    assert host.status.startswith("Found ")
    assert host.status.endswith("95% sure (1 other candidate); click where its border is wrong.")
    assert begun.values().sum() == 24 and flow.clicks.rows == []


def test_nothing_found_asks_for_an_include_click(flow, begun, host, job):
    running = job(NOTHING)
    host.run(flow.initial.find())
    end(running, host)
    assert host.status == "No tumour was found; place an include click inside it, and it will be."
    assert not begun.values().any()
    host.run(flow.initial.next_candidate())
    assert host.status.startswith("There is no other candidate")


def test_the_next_candidate_takes_its_place_and_then_the_first_again(flow, begun, host, job):
    running = job(FOUND)
    host.run(flow.initial.find())
    end(running, host)
    host.run(flow.initial.next_candidate())
    assert np.argwhere(begun.values()).min(0).tolist() == [4, 2, 3]
    assert begun.values().sum() == 4
    assert host.status.startswith("Candidate 2 of 2, ")
    host.run(flow.initial.next_candidate())
    assert (begun.values().sum(), flow.initial.shown, host.questions) == (24, 1, [])
    begun.close()
    assert not flow.initial.found.found


def test_clicks_on_a_candidate_are_lost_only_after_a_question(flow, begun, host, job, border):
    running = job(FOUND)
    host.run(flow.initial.find())
    end(running, host)
    begun.correction.place(replace(border[0], kind=ClickKind.INCLUDE))
    clicked = begun.values()
    host.answers += [False, True]
    host.run(flow.initial.next_candidate())
    np.testing.assert_array_equal(begun.values(), clicked)
    host.run(flow.initial.next_candidate())
    assert begun.values().sum() == 4
    assert len(host.questions) == 2


def test_a_press_on_cancel_that_comes_too_late_says_nothing(flow, begun, host, job):
    running = job(FOUND)
    host.run(flow.initial.find())
    end(running, host)
    found = host.status
    flow.jobs.cancel_by_user()
    assert host.status == found and begun.values().sum() == 24


def test_cancelled_search_changes_nothing(flow, begun, host, job, start):
    running = job(FOUND)
    host.run(flow.initial.find())
    flow.jobs.cancel_by_user()
    assert host.status == "Cancelled; nothing was changed."
    assert running.cancelled and not flow.jobs.busy
    end(running, host)
    np.testing.assert_array_equal(begun.values(), start)
    assert host.status == "Cancelled; nothing was changed."


def test_closing_the_case_cancels(flow, begun, host, job):
    running = job(FOUND)
    host.run(flow.initial.find())
    begun.close()
    assert running.cancelled and not flow.jobs.busy
    end(running, host)
    assert begun.nodes is None


def test_second_job_is_refused_and_failed_one_is_told(flow, begun, host, job):
    running = job(ModelError("the weights are gone; install the models again."))
    host.run(flow.initial.find())
    with pytest.raises(CorrectionError, match="something is being computed already"):
        host.start(flow.registration.register())
    end(running, host)
    assert host.status == "The weights are gone; install the models again."
    assert not flow.jobs.busy


def test_mask_of_volumes_that_were_changed_meanwhile_is_not_used(flow, begun, host, job, start):
    running = job(FOUND)
    host.run(flow.initial.find())
    host.run(begun.choose((begun.volumes[0], None), begun.segment, begun.settings))
    end(running, host)
    assert host.status.startswith("Other volumes were chosen meanwhile")
    np.testing.assert_array_equal(begun.values(), start)


def test_without_packages_nothing_is_looked_for(flow, begun, host, job):
    host.packages, running = False, job(FOUND)
    host.run(flow.initial.find())
    assert not flow.jobs.busy and not running.cancelled


def test_found_while_another_module_is_open_it_is_there_on_coming_back(flow, begun, host, job):
    running = job(FOUND)
    host.run(flow.initial.find())
    begun.rest()
    end(running, host)
    assert begun.correction is None
    host.run(begun.resume())
    assert begun.values().sum() == 24


@pytest.mark.parametrize("yes", [False, True])
def test_what_was_painted_in_another_module_meanwhile_goes_only_after_a_question(
    flow, begun, host, job, start, yes
):
    running, painted = job(FOUND), Box((0, 0, 0), (1, 1, 2))
    host.run(flow.initial.find())
    begun.rest()
    mask = SegmentMask(*begun.segment, begun.reference)
    mask.write(painted, np.ones(painted.shape, bool))
    host.answers.append(yes)
    end(running, host)
    host.run(begun.resume())
    assert [question.startswith("The mask was changed while") for question in host.questions] == [True]
    assert begun.values().sum() == (24 if yes else np.count_nonzero(start) + 2)


@pytest.mark.parametrize("yes", [False, True])
def test_a_segment_beside_the_mask_goes_with_it_only_after_a_question(flow, begun, host, job, yes):
    node, _own = begun.segment
    beside = node.GetSegmentation().AddEmptySegment("", "meningioma")
    # An empty one is nothing to ask about.
    node.GetSegmentation().AddEmptySegment("", "nothing")
    drawn = Box((0, 0, 0), (1, 1, 2))
    SegmentMask(node, beside, begun.reference).write(drawn, np.ones(drawn.shape, bool))
    running = job(FOUND)
    host.answers.append(yes)
    host.run(flow.initial.find())
    assert host.questions == [
        "Another mask takes the place of this one, and its work goes with it: segment 'meningioma'. Go on?"
    ]
    assert flow.jobs.busy is yes
    end(running, host)
    assert (node.GetScene() is None) is yes


def test_segment_is_measured_once_the_clicks_pause(flow, begun, host, small, start):
    host.pass_time()
    mm3 = np.count_nonzero(start) * np.prod(small.grid.spacing)
    assert flow.measurer.measured.now.volume_mm3 == pytest.approx(mm3)
    begun.mode.kind = ClickKind.EXCLUDE
    flow.clicks.place(tuple(small.grid.index_to_ras(np.argwhere(start)[0])))
    assert flow.measurer.measured.now.volume_mm3 == pytest.approx(mm3)
    host.pass_time()
    now = np.count_nonzero(begun.values()) * np.prod(small.grid.spacing)
    assert flow.measurer.measured.now.volume_mm3 == pytest.approx(now) != pytest.approx(mm3)
    assert flow.measurer.measured.change is not None
    begun.stop()
    host.pass_time()
    assert flow.measurer.measured is None
    with pytest.raises(CorrectionError):
        flow.measurer.measure()


@pytest.fixture
def searched(flow, host, job, headless, small):
    """A volume that another module loaded, and the search on it, which is under way."""
    volume = CaseNodes(headless.scene, small.t1ce, None, "loaded").t1ce
    host.run(flow.workbench.choose((volume, None), (None, ""), flow.workbench.settings))
    running = job(FOUND)
    host.run(flow.initial.find())
    return volume, running


def test_what_was_found_on_an_image_that_was_deleted_in_another_module_is_not_put_into_the_scene(
    flow, host, headless, searched
):
    volume, running = searched
    flow.workbench.rest()
    headless.scene.RemoveNode(volume)
    end(running, host)
    assert "one removed, so the mask was not used" in host.status
    assert headless.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def crop(volume, columns):
    """Let a volume lose its first columns, as Crop Volume does in place."""
    image, origin = vtk.vtkImageData(), vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(origin)
    extent = [columns, *volume.GetImageData().GetExtent()[1:]]
    image.DeepCopy(volume.GetImageData())
    image.Crop(extent)
    image.SetExtent(0, extent[1] - columns, *extent[2:])
    volume.SetAndObserveImageData(image)
    volume.SetOrigin(*origin.MultiplyPoint((columns, 0, 0, 1))[:3])


def test_what_was_found_on_an_image_that_was_cropped_meanwhile_is_not_put_into_the_scene(
    flow, host, headless, searched
):
    volume, running = searched
    crop(volume, 10)
    end(running, host)
    assert "image was changed since the search" in host.status
    assert headless.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_the_next_candidate_of_an_image_that_was_cropped_since_is_not_put_into_the_scene(
    flow, host, headless, searched
):
    volume, running = searched
    end(running, host)
    first = flow.workbench.segment
    flow.workbench.rest()
    crop(volume, 2)
    host.run(flow.initial.next_candidate())
    assert "image was changed since the search" in host.status
    assert (flow.workbench.segment, flow.initial.shown) == (first, 1)


@pytest.mark.parametrize("when", ["meanwhile", "since"])
def test_nothing_that_was_found_on_other_voxels_of_the_same_volume_is_put_into_the_scene(
    flow, host, headless, searched, when
):
    """As where another frame of a sequence or another examination is put into it."""
    volume, running = searched
    if when == "since":
        end(running, host)
    segmentations = headless.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    image = vtk.vtkImageData()
    image.DeepCopy(volume.GetImageData())
    volume.SetAndObserveImageData(image)
    if when == "since":
        host.run(flow.initial.next_candidate())
    else:
        end(running, host)
    assert "image was changed since the search" in host.status
    assert headless.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == segmentations


def test_without_an_image_nothing_is_looked_for(flow, host):
    host.run(flow.initial.find())
    assert "T1ce" in host.status
    assert not flow.jobs.busy
