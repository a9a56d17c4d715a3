"""A T2 that is laid onto the T1ce, and taken back, with jobs whose end the test says."""

import numpy as np
import pytest
from plain_host import end
from VSClickCorrectLib.io.registration import Registration
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.mrml.persistence import save_scene
from VSClickCorrectLib.mrml.transforms import matrix_of
from VSClickCorrectLib.mrml.volumes import grid_of


def registration(improved):
    matrix = np.eye(4)
    matrix[0, 3] = 4.0
    return Registration(matrix, improved, 1.1, 1.2, 4.0, 0.0, 1.0)


def test_agreement_is_told_of_both_volumes_only(flow, begun, host):
    host.pass_time()
    assert "100% of the T2 lies within the T1ce" in flow.registration.sentence
    assert not flow.registration.apart
    host.run(begun.choose((begun.volumes[0], None), begun.segment, begun.settings))
    assert flow.registration.sentence == ""


def test_agreement_is_told_anew_when_a_transform_over_the_t2_changes(flow, begun, host, headless):
    transform = headless.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    begun.volumes[1].SetAndObserveTransformNodeID(transform.GetID())
    host.run(begun.begin())
    host.pass_time()
    assert "100% of the T2 lies within the T1ce" in flow.registration.sentence
    matrix = np.eye(4)
    matrix[0, 3] = 1000.0
    begun.rest()
    transform.SetMatrixTransformToParent(matrix_of(matrix))
    host.run(begun.resume())
    host.pass_time()
    assert flow.registration.sentence == "The T2 lies nowhere near the T1ce; register it."


def test_a_t2_that_somebody_moves_is_followed_once_it_rests(flow, begun, host, headless):
    host.pass_time()
    transform = headless.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    t2, correction = begun.volumes[1], begun.correction
    t2.SetAndObserveTransformNodeID(transform.GetID())
    lay, seen = correction.session.case.t2.array.copy(), []
    flow.registration.changed.connect(lambda: seen.append(flow.registration.sentence))
    for voxels in (4, 12, 8):
        matrix = np.eye(4)
        matrix[:3, 3] = voxels * grid_of(t2).affine[:3, 0]
        transform.SetMatrixTransformToParent(matrix_of(matrix))
    host.pass_time(turns=2)
    assert begun.correction is correction and len(seen) == 1
    np.testing.assert_allclose(begun.session.case.t2.array[..., 9:], lay[..., 1:-8], atol=1)


def test_t2_is_moved_and_taken_back_and_clicks_stay(flow, begun, host, job, border):
    host.pass_time()
    begun.correction.place(border[0])
    t2 = begun.volumes[1]
    before, running = grid_of(t2).affine, job(registration(True))
    host.run(flow.registration.register())
    end(running, host)
    assert (flow.registration.done, flow.registration.moved) == (True, True)
    assert host.status.startswith("The T2 lies on the T1ce now")
    assert flow.registration.sentence.startswith("Moved by 4.0 mm and turned by 0.0°")
    assert not np.allclose(grid_of(t2).affine, before)
    host.run(flow.registration.show(False))
    np.testing.assert_allclose(grid_of(t2).affine, before, atol=1e-9)
    assert len(flow.clicks.rows) == 1


def test_t2_that_lies_as_well_is_left_alone(flow, begun, host, job):
    host.pass_time()
    before, running = grid_of(begun.volumes[1]).affine, job(registration(False))
    host.run(flow.registration.register())
    end(running, host)
    assert host.status == flow.registration.sentence == "The T2 lay as well before; it was left where it is."
    np.testing.assert_array_equal(grid_of(begun.volumes[1]).affine, before)


def test_t2_registered_twice_is_taken_back_and_laid_there_again(flow, begun, host, job):
    host.pass_time()
    t2 = begun.volumes[1]
    came = grid_of(t2).affine
    for _ in range(2):
        running = job(registration(True))
        host.run(flow.registration.register())
        end(running, host)
    # 4 mm by each.
    twice = came.copy()
    twice[0, 3] -= 8.0
    np.testing.assert_allclose(grid_of(t2).affine, twice, atol=1e-9)
    host.run(flow.registration.show(False))
    np.testing.assert_allclose(grid_of(t2).affine, came, atol=1e-9)
    host.run(flow.registration.show(True))
    np.testing.assert_allclose(grid_of(t2).affine, twice, atol=1e-9)


def test_t2_can_be_taken_back_after_a_second_registration_that_did_not_help(flow, begun, host, job):
    host.pass_time()
    t2 = begun.volumes[1]
    came = grid_of(t2).affine
    for improved in (True, False):
        running = job(registration(improved))
        host.run(flow.registration.register())
        end(running, host)
    assert (flow.registration.done, flow.registration.moved) == (True, True)
    assert host.status == "The T2 lay as well before; it was left where it is."
    host.run(flow.registration.show(False))
    np.testing.assert_allclose(grid_of(t2).affine, came, atol=1e-9)


@pytest.mark.parametrize("sequence", [0, 1])
def test_registration_of_an_image_that_was_moved_meanwhile_moves_nothing(
    flow, begun, host, job, headless, sequence
):
    host.pass_time()
    running = job(registration(True))
    host.run(flow.registration.register())
    matrix = np.eye(4)
    matrix[0, 3] = 10.0
    transform = headless.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(matrix_of(matrix))
    begun.volumes[sequence].SetAndObserveTransformNodeID(transform.GetID())
    place = grid_of(begun.volumes[1]).affine
    end(running, host)
    assert "one was moved, or an image removed, so nothing was moved" in host.status
    np.testing.assert_allclose(grid_of(begun.volumes[1]).affine, place, atol=1e-9)
    assert not flow.registration.done


def test_registration_of_another_t2_moves_nothing(flow, begun, host, job, headless, small):
    running = job(registration(True))
    host.run(flow.registration.register())
    other = CaseNodes(headless.scene, None, small.t2, "other")
    host.run(begun.choose((begun.volumes[0], other.t2), begun.segment, begun.settings))
    end(running, host)
    assert host.status.startswith("Another T2 was chosen meanwhile")


@pytest.mark.parametrize("gone", [0, 1])
def test_registration_of_an_image_that_was_deleted_in_another_module_moves_nothing(
    flow, begun, host, job, headless, gone
):
    """Another module is open meanwhile: nobody tells the workbench of other volumes."""
    running = job(registration(True))
    host.run(flow.registration.register())
    begun.rest()
    headless.scene.RemoveNode(begun.volumes[gone])
    end(running, host)
    assert any("an image removed, so nothing was moved" in sentence for sentence in host.said)
    assert headless.scene.GetNumberOfNodesByClass("vtkMRMLLinearTransformNode") == 0


@pytest.mark.parametrize("as_registered", [True, False])
def test_a_scene_that_is_read_offers_the_registration_it_was_saved_with(
    flow, begun, host, job, headless, tmp_path, as_registered
):
    host.pass_time()
    t2 = begun.volumes[1]
    came = grid_of(t2).affine
    there = came.copy()
    there[0, 3] -= 4.0
    running = job(registration(True))
    host.run(flow.registration.register())
    end(running, host)
    host.run(flow.registration.show(as_registered))
    names = [node.GetName() for node in begun.volumes]
    save_scene(headless.scene, tmp_path / "scene.mrb")
    begun.forget()
    headless.scene.Clear(False)
    assert headless.scene.ReadFromMRB(str(tmp_path / "scene.mrb"), True)
    volumes = tuple(headless.scene.GetFirstNodeByName(name) for name in names)
    host.run(begun.choose(volumes, (None, ""), begun.settings))
    host.pass_time()
    assert (flow.registration.done, flow.registration.moved) == (True, as_registered)
    for moved in (not as_registered, as_registered):
        host.run(flow.registration.show(moved))
        np.testing.assert_allclose(grid_of(volumes[1]).affine, there if moved else came, atol=1e-6)
