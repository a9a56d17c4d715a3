"""Whether the T2 lies where the T1ce does, and moving it there."""

from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from VSClickCorrectLib.io.registration import Registration
from VSClickCorrectLib.mrml.registration import (
    Agreement,
    agreement,
    frame_of_reference,
    is_registered,
    lay_again,
    register_t2,
    take_back_registration,
)
from VSClickCorrectLib.mrml.transforms import array_of, matrix_of, world_from_node
from VSClickCorrectLib.mrml.volumes import add_volume, grid_of

# The T1ce's (r, a, s) is the T2's (r + 5, a, s - 2).
SHIFT = np.array([[1, 0, 0, 5.0], [0, 1, 0, 0], [0, 0, 1, -2.0], [0, 0, 0, 1]])


def registration(matrix=SHIFT, improved=True):
    return Registration(matrix, improved, 1.1, 1.2, 5.4, 0.0, 1.0)


@pytest.fixture
def pair(scene, small):
    return add_volume(scene, small.t1ce, "T1ce"), add_volume(scene, small.t2, "T2")


class TestAgreement:
    def test_volumes_on_one_grid_overlap_wholly(self, pair):
        found = agreement(*pair)
        assert found.overlap == 1.0
        assert found.same_frame is None
        assert found.sentence.startswith("100% of the T2 lies within the T1ce; scroll through both")

    def test_it_is_where_they_are_shown_that_counts(self, pair, add_transform):
        shift = add_transform([[1, 0, 0, 30], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        pair[1].SetAndObserveTransformNodeID(shift.GetID())
        found = agreement(*pair)
        width = grid_of(pair[0]).shape[2] * grid_of(pair[0]).spacing[0]
        assert found.overlap == pytest.approx(1 - 30 / width, abs=0.02)
        assert found.sentence.startswith("Only ")

    def test_volumes_apart_do_not_meet(self, pair, add_transform):
        away = add_transform([[1, 0, 0, 900], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        pair[1].SetAndObserveTransformNodeID(away.GetID())
        assert agreement(*pair) == Agreement(0.0, None)
        assert agreement(*pair).sentence == "The T2 lies nowhere near the T1ce; register it."

    @pytest.mark.parametrize(
        ("frames", "same", "words"),
        [
            (("1.2", "1.2"), True, "rarely needed"),
            (("1.2", "1.3"), False, "different frames"),
            (("1.2", ""), None, "scroll"),
        ],
    )
    def test_frames_of_reference_are_compared(self, pair, frames, same, words):
        for node, frame in zip(pair, frames, strict=True):
            node.SetAttribute("DICOM.FrameOfReferenceUID", frame)
        found = agreement(*pair)
        assert found.same_frame is same
        assert words in found.sentence

    def test_frame_of_reference_is_asked_of_slicers_database(self, volume_node, monkeypatch):
        asked = []

        def value(instance, tag):
            asked.append((instance, tag))
            return "1.2.3"

        monkeypatch.setattr(slicer, "dicomDatabase", SimpleNamespace(instanceValue=value), raising=False)
        assert frame_of_reference(volume_node) is None
        volume_node.SetAttribute("DICOM.instanceUIDs", "9.1 9.2")
        assert frame_of_reference(volume_node) == "1.2.3"
        assert asked == [("9.1", "0020,0052")]


class TestRegisterT2:
    def test_t2_moves_to_where_it_was_registered(self, scene, volume_node):
        before = grid_of(volume_node).affine
        node = register_t2(volume_node, registration())
        assert volume_node.GetParentTransformNode() is node
        moved = before.copy()
        moved[:3, 3] += (-5, 0, 2)
        np.testing.assert_allclose(grid_of(volume_node).affine, moved)

    def test_parent_transform_stays_above(self, volume_node, quarter_turn):
        volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
        before, turn = grid_of(volume_node).affine, array_of(quarter_turn.GetMatrixTransformToParent())
        node = register_t2(volume_node, registration())
        assert node.GetParentTransformNode() is quarter_turn
        np.testing.assert_array_equal(array_of(quarter_turn.GetMatrixTransformToParent()), turn)
        moved = before.copy()
        moved[:3, 3] += (-5, 0, 2)
        np.testing.assert_allclose(grid_of(volume_node).affine, moved)

    def test_second_registration_goes_into_the_same_transform(self, scene, volume_node, quarter_turn):
        volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
        node = register_t2(volume_node, registration())
        turn = np.array([[0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
        before = grid_of(volume_node).affine
        assert register_t2(volume_node, registration(turn)) is node
        np.testing.assert_allclose(grid_of(volume_node).affine, turn.T @ before, atol=1e-9)
        assert scene.GetNumberOfNodesByClass("vtkMRMLLinearTransformNode") == 2

    def test_registration_that_does_not_help_moves_nothing(self, scene, volume_node):
        assert register_t2(volume_node, registration(np.eye(4), improved=False)) is None
        np.testing.assert_array_equal(world_from_node(volume_node), np.eye(4))
        assert scene.GetNumberOfNodesByClass("vtkMRMLTransformNode") == 0


def test_registered_t2_is_taken_back_to_where_it_came(pair, add_transform):
    t2 = pair[1]
    theirs = add_transform([[0, -1, 0, 3], [1, 0, 0, 0], [0, 0, 1, 7], [0, 0, 0, 1]])
    t2.SetAndObserveTransformNodeID(theirs.GetID())
    before = grid_of(t2).affine
    register_t2(t2, registration())
    assert np.abs(grid_of(t2).affine - before).max() > 1
    take_back_registration(t2)
    np.testing.assert_allclose(grid_of(t2).affine, before, atol=1e-9)


def test_transform_of_somebody_else_is_not_taken_back(pair, add_transform):
    t2 = pair[1]
    t2.SetAndObserveTransformNodeID(add_transform(SHIFT.tolist()).GetID())
    before = grid_of(t2).affine
    take_back_registration(t2)
    np.testing.assert_array_equal(grid_of(t2).affine, before)


def test_a_transform_that_moves_nothing_and_tells_of_no_registration_is_none(pair):
    t2 = pair[1]
    node = register_t2(t2, registration())
    node.SetMatrixTransformToParent(matrix_of(np.eye(4)))
    for told in ("rigid", "1 0 0", "1 0 0 5 0 1 0 0 0 0 1 2 0 0 0 one"):
        node.SetAttribute("VSClickCorrect.Registration", told)
        assert is_registered(t2) == (False, False)
        lay_again(t2)
        np.testing.assert_array_equal(world_from_node(t2), np.eye(4))
