"""Transforms over a volume: clicks are met where they lie, or what cannot be met is refused by a sentence."""

import numpy as np
import pytest
from any_grid import grids
from example_counts import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from session_doubles import BlockCorrector, click_at
from slicer_hand import linear
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import CorrectionError, ImageError
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume, grid_of

GRIDS = grids(sides=st.integers(2, 7))
INCLUDE = ClickKind.INCLUDE


@st.composite
def turns(draw):
    """Matrices (4, 4) that turn, mirror and scale alike in every direction, with a shift."""
    matrix, angles = np.eye(4), [draw(st.integers(-180, 180)) for _ in range(3)]
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * draw(st.floats(0.5, 2.0))
    matrix[:3, 0] *= draw(st.sampled_from((1, -1)))
    matrix[:3, 3] = [draw(st.floats(-100, 100)) for _ in range(3)]
    return matrix


def volume_under(scene, grid, matrix):
    node = add_volume(scene, Volume(np.zeros(grid.shape, np.int16), grid), "T1ce")
    node.SetAndObserveTransformNodeID(linear(scene, matrix).GetID())
    return node


@examples(0.5)
@given(grid=GRIDS, matrix=turns(), own=turns(), data=st.data())
def test_click_at_a_place_in_the_world_sets_the_voxel_that_is_there(grid, matrix, own, data):
    index = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    # Where the voxel lies in the world, by the two matrices alone.
    place = (matrix @ grid.affine @ [*index[::-1], 1])[:3]
    with HeadlessScene() as headless:
        scene = headless.scene
        volume = volume_under(scene, grid, matrix)
        segmentation, segment_id = add_segmentation(scene, volume, "tumour")
        # The segmentation may lie under another transform, or none: its voxels lie where the volume's do.
        segmentation.SetAndObserveTransformNodeID(data.draw(st.sampled_from(parents(scene, volume, own))))
        corrector = BlockCorrector(np.zeros(grid.shape))
        correction = correct_segment((volume, None), (segmentation, segment_id), corrector)
        correction.place(Click(tuple(map(float, place)), INCLUDE))
        correction.close()
        mask = SegmentMask(segmentation, segment_id, volume)
        assert mask.read(mask.grid.box)[index]
        # As Slicer sees it: some voxels round the place, no farther away than the disc and half a voxel.
        center = segmentation.GetSegmentCenterRAS(segment_id)
        assert np.linalg.norm(np.subtract(center, place)) <= 1.2 + np.linalg.norm(mask.grid.spacing) / 2


def parents(scene, volume, own):
    return [volume.GetTransformNodeID(), linear(scene, own).GetID(), None]


@examples(0.5)
@given(grid=GRIDS, factor=st.floats(1.05, 3.0), angle=st.floats(10, 80), axes=st.permutations(range(3)))
def test_transform_that_shears_is_refused_with_the_way_out(grid, factor, angle, axes):
    # Stretched along a line between two of its axes, a grid keeps no right angle between them.
    directions = grid.affine[:3, :3] / grid.spacing
    first, second = directions[:, axes[0]], directions[:, axes[1]]
    along = np.cos(np.radians(angle)) * first + np.sin(np.radians(angle)) * second
    stretch = np.eye(4)
    stretch[:3, :3] += (factor - 1) * np.outer(along, along)
    with HeadlessScene() as headless:
        volume = volume_under(headless.scene, grid, stretch)
        with pytest.raises(ImageError, match="not at right angles.*resample it to an orthogonal grid first"):
            grid_of(volume)


@examples(0.3)
@given(grid=GRIDS, shift=st.floats(0.2, 0.8), axis=st.integers(0, 2))
def test_segmentation_moved_by_a_part_of_a_voxel_is_refused_and_stays(grid, shift, axis):
    with HeadlessScene() as headless:
        scene = headless.scene
        volume = volume_under(scene, grid, np.eye(4))
        segmentation, segment_id = add_segmentation(scene, volume, "tumour")
        mask = SegmentMask(segmentation, segment_id, volume)
        values = np.random.default_rng(0).random(grid.shape) < 0.4
        values[0, 0, 0] = True
        mask.fill(values)
        moved = np.eye(4)
        moved[:3, 3] = shift * grid.affine[:3, axis]
        segmentation.SetAndObserveTransformNodeID(linear(scene, moved).GetID())
        with pytest.raises(ImageError, match="voxels of the segmentation are not those of the volume"):
            mask.write(grid.box, ~values)
        segmentation.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
        np.testing.assert_array_equal(mask.read(grid.box), values)


def test_volume_moved_after_the_correction_began_takes_no_click_until_it_is_back(
    correct, volume_node, segment, mask, heard, add_transform
):
    correction = correct()
    correction.place(click_at(mask.grid, (4, 5, 6), INCLUDE))
    before = mask.read(mask.grid.box)
    shift = add_transform([[1, 0, 0, 4], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    for node in (volume_node, segment[0]):
        node.SetAndObserveTransformNodeID(shift.GetID())
    click = click_at(mask.grid, (2, 2, 2), INCLUDE)
    assert correction.place(click) is None
    (error,) = heard.errors
    assert isinstance(error, CorrectionError)
    assert "the image was moved since the correction began" in str(error)
    assert (mask.read(mask.grid.box) == before).all()
    for node in (volume_node, segment[0]):
        node.SetAndObserveTransformNodeID(None)
    assert correction.place(click_at(mask.grid, (2, 2, 2), INCLUDE)).change.count[0] > 0
    assert mask.read(mask.grid.box)[2, 2, 2]


def test_nothing_is_taken_back_at_another_place_while_the_image_lies_a_voxel_beside_its_segment(
    correct, volume_node, mask, add_transform
):
    correction = correct()
    empty = mask.read(mask.grid.box)
    correction.place(click_at(mask.grid, (4, 5, 6), INCLUDE))
    corrected = mask.read(mask.grid.box)
    correction.undo()
    correction.redo()
    correction.place(click_at(mask.grid, (2, 2, 2), INCLUDE))
    correction.undo()
    # One slice upward; the voxels coincide again.
    lift = add_transform([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1.5], [0, 0, 0, 1]])
    volume_node.SetAndObserveTransformNodeID(lift.GetID())
    for verb in (correction.undo, correction.redo, lambda: correction.remove(1)):
        with pytest.raises(CorrectionError, match="moved since the correction began"):
            verb()
    volume_node.SetAndObserveTransformNodeID(None)
    assert (mask.read(mask.grid.box) == corrected).all()
    correction.undo()
    assert (mask.read(mask.grid.box) == empty).all()


def test_correction_that_is_begun_again_where_the_image_was_moved_says_so(
    correct, volume_node, segment, mask, add_transform
):
    correction = correct()
    correction.place(click_at(mask.grid, (4, 5, 6), INCLUDE))
    correction.close()
    shift = add_transform([[1, 0, 0, 4], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    for node in (volume_node, segment[0]):
        node.SetAndObserveTransformNodeID(shift.GetID())
    with pytest.raises(CorrectionError, match="lies elsewhere than when its journal began; put it back"):
        correct()
    for node in (volume_node, segment[0]):
        node.SetAndObserveTransformNodeID(None)
    assert len(correct().rows) == 1


def test_transform_that_is_not_linear_is_refused_before_a_click(correct, volume_node, bent):
    volume_node.SetAndObserveTransformNodeID(bent.GetID())
    with pytest.raises(ImageError, match="'T1ce' lies under a transform that is not linear; harden"):
        correct()
