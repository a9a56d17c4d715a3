"""Volumes that are moved or changed while a segment is being corrected on them."""

import numpy as np
import pytest
import vtk
from placed_points import ELSEWHERE, INCLUDE, OUTSIDE, SITE, points, press
from scene_fixtures import OBLIQUE, SHAPE
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.volumes import add_volume, volume_of
from vtk.util.numpy_support import numpy_to_vtk

# Two voxels along i, of 0.5 mm: (-0.4, -0.3, 0) each.
TWO_VOXELS = [[1, 0, 0, -0.8], [0, 1, 0, -0.6], [0, 0, 1, 0], [0, 0, 0, 1]]
FAR = [[1, 0, 0, 900], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


class Watching:
    """Answers as the oracle does, and keeps the T2 that it is shown."""

    identity = "watching"

    def __init__(self, oracle):
        self.oracle, self.seen = oracle, []

    def propose(self, case, mask, clicks):
        self.seen.append(case.t2.array.copy())
        return self.oracle.propose(case, mask, clicks)


@pytest.fixture
def values():
    """A T2 that tells its voxels along i apart."""
    return np.broadcast_to(np.arange(1, 17, dtype=np.float32), SHAPE)


@pytest.fixture
def t2(scene, values):
    return add_volume(scene, Volume(values, Grid(SHAPE, OBLIQUE)), "T2")


@pytest.fixture
def watching(oracle):
    return Watching(oracle)


@pytest.fixture
def correction(volume_node, t2, segment, watching, heard):
    correction = correct_segment((volume_node, t2), segment, watching, on_error=heard.errors.append)
    yield correction
    correction.close()


def moved(values):
    """What the T1ce's voxels see of a T2 that was moved by two voxels."""
    return np.concatenate([np.zeros_like(values[..., :2]), values[..., :-2]], axis=-1)


def by_a_transform(t2, add_transform):
    t2.SetAndObserveTransformNodeID(add_transform(TWO_VOXELS).GetID())


def by_another_transform_above(t2, add_transform):
    parent = add_transform(np.eye(4))
    t2.GetParentTransformNode().SetAndObserveTransformNodeID(parent.GetID())
    parent.SetMatrixTransformToParent(add_transform(TWO_VOXELS).GetMatrixTransformToParent())


def by_its_own_header(t2, _add_transform):
    t2.SetOrigin(*(OBLIQUE[:3, 3] + (-0.8, -0.6, 0)))


@pytest.mark.parametrize("move", [by_a_transform, by_another_transform_above, by_its_own_header])
@pytest.mark.parametrize("collected", [False, True])
def test_clicks_are_answered_on_the_t2_where_it_lies(
    correction, t2, values, watching, add_transform, heard, move, collected
):
    t2.SetAndObserveTransformNodeID(add_transform(np.eye(4)).GetID())
    correction.place(Click(ELSEWHERE, INCLUDE))
    np.testing.assert_array_equal(watching.seen[-1], values)
    correction.mode.collecting = collected
    if collected:
        press(correction, SITE)
    move(t2, add_transform)
    if collected:
        correction.apply_collected()
    else:
        press(correction, SITE)
    # At the edge of what the T2 covers ITK may put either.
    np.testing.assert_allclose(watching.seen[-1][..., 3:], moved(values)[..., 3:], atol=1e-4)
    assert len(correction.rows) == 2 and heard.errors == []


def test_a_t2_that_cannot_be_used_where_it_lies_refuses_clicks_until_it_is_put_back(
    correction, t2, values, segment, watching, add_transform, heard
):
    t2.SetAndObserveTransformNodeID(add_transform(FAR).GetID())
    press(correction, SITE)
    assert ["do not meet" in str(error) for error in heard.errors] == [True]
    correction.tidy()
    assert points(segment) == []
    t2.SetAndObserveTransformNodeID(None)
    press(correction, SITE)
    assert points(segment) == [("include", SITE)]
    np.testing.assert_array_equal(watching.seen[-1], values)


def with_other_voxels(node, values, in_place):
    """Give a volume other voxels, as a filter, the next frame of a sequence or a script does."""
    scalars = numpy_to_vtk(np.array(values).ravel(), deep=True)
    image = node.GetImageData()
    if in_place:
        image.GetPointData().GetScalars().DeepCopy(scalars)
        image.GetPointData().GetScalars().Modified()
    else:
        image = vtk.vtkImageData()
        image.SetDimensions(node.GetImageData().GetDimensions())
        image.GetPointData().SetScalars(scalars)
        node.SetAndObserveImageData(image)
    node.Modified()


@pytest.mark.parametrize("in_place", [False, True])
def test_clicks_are_answered_on_the_t2_that_is_seen_once_it_was_resampled_into_the_same_volume(
    correction, t2, values, watching, heard, in_place
):
    correction.place(Click(ELSEWHERE, INCLUDE))
    with_other_voxels(t2, values[..., ::-1], in_place)
    press(correction, SITE)
    np.testing.assert_array_equal(watching.seen[-1], values[..., ::-1])
    assert len(correction.rows) == 2 and heard.errors == []


@pytest.mark.parametrize("alone", [False, True])
def test_a_t1ce_that_holds_other_voxels_refuses_clicks_until_they_are_put_back(
    volume_node, t2, segment, oracle, heard, alone
):
    nodes, before = (volume_node, None if alone else t2), volume_of(volume_node).array.copy()
    watching = oracle if alone else Watching(oracle)
    correction = correct_segment(nodes, segment, watching, on_error=heard.errors.append)
    with_other_voxels(volume_node, before[..., ::-1], in_place=False)
    press(correction, SITE)
    assert [str(error) for error in heard.errors] == [
        "'T1ce' holds other voxels than when the correction began; put them back, or begin anew with a copy "
        "of the segment in another segmentation."
    ]
    correction.tidy()
    assert points(segment) == [] and correction.session.journal.events[1:] == []
    with_other_voxels(volume_node, before, in_place=False)
    press(correction, SITE)
    assert points(segment) == [("include", SITE)]
    correction.close()


def test_a_t1ce_that_holds_other_voxels_is_told_of_before_the_t2_is_looked_at(
    correction, volume_node, t2, add_transform, heard
):
    with_other_voxels(volume_node, volume_of(volume_node).array[..., ::-1], in_place=False)
    t2.SetAndObserveTransformNodeID(add_transform(FAR).GetID())
    press(correction, SITE)
    assert ["'T1ce' holds other voxels" in str(error) for error in heard.errors] == [True]


def test_a_t1ce_that_was_moved_refuses_clicks_as_before_whatever_the_t2_does(
    correction, volume_node, t2, mask, add_transform, heard
):
    transform = add_transform(TWO_VOXELS)
    for node in (volume_node, t2):
        node.SetAndObserveTransformNodeID(transform.GetID())
    press(correction, SITE)
    assert ["the image was moved" in str(error) for error in heard.errors] == [True]
    for node in (volume_node, t2):
        node.SetAndObserveTransformNodeID(None)
    press(correction, SITE)
    assert mask.extent() is not None and OUTSIDE not in [row.position_ras for row in correction.rows]
