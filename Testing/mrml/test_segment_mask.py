"""Writes into a segment: where they land, what they leave alone, whom they tell."""

import numpy as np
import pytest
import slicer
import vtk
from example_counts import examples
from hypothesis import given
from hypothesis import strategies as st
from slicer_hand import paint
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation, refresh_surface
from VSClickCorrectLib.mrml.volumes import add_volume
from vtk.util.numpy_support import vtk_to_numpy

LABELMAP = "Binary labelmap"
SURFACE = "Closed surface"
SHAPE = (8, 12, 16)
ON = np.ones((1, 1, 1), bool)
EVENTS = ("SourceRepresentationModified", "SegmentModified")
LOGIC = slicer.vtkSlicerSegmentationsModuleLogic


def voxel(k, j, i):
    return Box((k, j, i), (k + 1, j + 1, i + 1))


def ones(box):
    return np.ones(box.shape, bool)


def extent_of(node, segment_id):
    return node.GetSegmentation().GetSegment(segment_id).GetRepresentation(LABELMAP).GetExtent()


def set_by_slicer(node, segment_id, matrix, extent, value=1, mode=LOGIC.MODE_MERGE_MAX):
    """Paint a block, as Slicer's segment editor does."""
    image = slicer.vtkOrientedImageData()
    image.SetExtent(*extent)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    image.GetPointData().GetScalars().Fill(value)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    assert LOGIC.SetBinaryLabelmapToSegment(image, node, segment_id, mode, extent, False)


def ijk_to_ras(volume_node):
    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    return matrix


def count_events(segmentation):
    counts = dict.fromkeys(EVENTS, 0)

    def counter(name):
        def count(*_):
            counts[name] += 1

        return count

    for name in EVENTS:
        segmentation.AddObserver(getattr(slicer.vtkSegmentation, name), counter(name))
    return counts


class TestReadAndWrite:
    def test_slicer_exports_what_was_written(self, mask, segment, volume_node, exported):
        box = Box((1, 2, 3), (4, 7, 9))
        values = np.random.default_rng(0).random(box.shape) > 0.5
        mask.write(box, values)
        expected = np.zeros(SHAPE, bool)
        expected[1:4, 2:7, 3:9] = values
        assert (exported(*segment, volume_node) == expected).all()
        assert (mask.read(Box((0, 0, 0), SHAPE)) == expected).all()

    def test_voxels_beyond_the_volume_survive_growth(self, segment, volume_node, mask):
        node, segment_id = segment
        set_by_slicer(node, segment_id, ijk_to_ras(volume_node), (-3, 1, 0, 0, 0, 0))
        assert mask.extent() == Box((0, 0, 0), (1, 1, 2))
        mask.write(voxel(7, 11, 15), ON)
        image = node.GetSegmentation().GetSegment(segment_id).GetRepresentation(LABELMAP)
        assert vtk_to_numpy(image.GetPointData().GetScalars()).sum() == 5 + 1

    def test_new_segment_is_empty(self, mask):
        assert mask.extent() is None
        assert not mask.read(Box((0, 0, 0), SHAPE)).any()

    def test_read_is_a_copy(self, mask):
        box = voxel(1, 1, 1)
        mask.read(box)[...] = True
        assert not mask.read(box).any()

    def test_extent_shrinks_with_the_mask(self, mask):
        mask.write(Box((1, 1, 1), (4, 5, 6)), np.ones((3, 4, 5), bool))
        mask.write(Box((1, 1, 1), (3, 5, 6)), np.zeros((2, 4, 5), bool))
        assert mask.extent() == Box((3, 1, 1), (4, 5, 6))
        mask.write(Box((0, 0, 0), SHAPE), np.zeros(SHAPE, bool))
        assert mask.extent() is None

    def test_empty_box_is_nothing_to_do(self, mask):
        mask.write(Box((1, 1, 1), (1, 5, 5)), np.ones((0, 4, 4), bool))
        assert mask.extent() is None

    def test_fill_replaces_everything(self, mask, segment, volume_node, exported):
        mask.write(Box((6, 1, 1), (8, 2, 2)), np.ones((2, 1, 1), bool))
        values = np.zeros(SHAPE, bool)
        values[2:4, 5:7, 3:9] = True
        mask.fill(values)
        assert (exported(*segment, volume_node) == values).all()
        mask.fill(np.zeros(SHAPE, bool))
        assert mask.extent() is None

    def test_label_value_of_the_segment_is_respected(self, segment, volume_node, mask):
        node, segment_id = segment
        node.GetSegmentation().GetSegment(segment_id).SetLabelValue(300)
        mask.write(Box((1, 1, 1), (2, 2, 3)), np.array([[[True, False]]]))
        mask.write(voxel(1, 1, 2), ON)
        image = node.GetSegmentation().GetSegment(segment_id).GetRepresentation(LABELMAP)
        assert image.GetScalarRange() == (0.0, 300.0)
        assert mask.extent() == Box((1, 1, 1), (2, 2, 3))

    def test_foreign_labels_in_the_layer_are_not_cleared(self, segment, volume_node, mask):
        node, segment_id = segment
        mask.write(voxel(1, 1, 1), ON)
        image = node.GetSegmentation().GetSegment(segment_id).GetRepresentation(LABELMAP)
        image.SetScalarComponentFromDouble(5, 5, 5, 0, 9)
        mask.write(Box((0, 0, 0), SHAPE), np.zeros(SHAPE, bool))
        assert image.GetScalarComponentAsDouble(5, 5, 5, 0) == 9

    @pytest.mark.parametrize("stop", [(9, 12, 16), (8, 13, 16), (8, 12, 17)])
    def test_boxes_beyond_the_grid_are_refused(self, mask, stop):
        box = Box((0, 0, 0), stop)
        with pytest.raises(CorrectionError, match="beyond the image"):
            mask.write(box, ones(box))
        with pytest.raises(CorrectionError, match="beyond the image"):
            mask.read(box)
        assert mask.extent() is None

    @pytest.mark.parametrize("values", [np.ones((1, 1, 2), bool), np.ones((1, 1, 1), np.uint8)])
    def test_values_that_do_not_fit_are_refused(self, mask, values):
        with pytest.raises(CorrectionError, match="does not fit"):
            mask.write(voxel(1, 1, 1), values)
        assert mask.extent() is None

    def test_mask_of_another_shape_cannot_fill(self, mask):
        with pytest.raises(CorrectionError, match="does not fit"):
            mask.fill(np.ones((8, 12, 15), bool))


class TestOtherSegmentsAndTools:
    def test_shared_layer_is_separated_and_the_neighbour_untouched(self, shared_pair, volume_node, exported):
        node, first, second = shared_pair
        assert node.GetSegmentation().GetNumberOfLayers() == 1
        mask, neighbour = SegmentMask(node, first, volume_node), exported(node, second, volume_node)
        # Covers a part of the neighbour, which spans k 3-5, j 7-9, i 8-11.
        box = Box((3, 5, 5), (5, 9, 10))
        mask.write(box, ones(box))
        expected = np.zeros(SHAPE, bool)
        expected[2:4, 3:6, 3:6] = True
        expected[3:5, 5:9, 5:10] = True
        assert (exported(node, first, volume_node) == expected).all()
        assert (exported(node, second, volume_node) == neighbour).all()
        assert neighbour.sum() == 3 * 3 * 4
        assert node.GetSegmentation().GetNumberOfLayers() == 2

    def test_reading_leaves_layers_shared(self, shared_pair, volume_node):
        node, first, second = shared_pair
        assert SegmentMask(node, first, volume_node).extent() == Box((2, 3, 3), (4, 6, 6))
        mask = SegmentMask(node, second, volume_node)
        assert mask.extent() == Box((3, 7, 8), (6, 10, 12))
        mask.write(voxel(3, 7, 8), ON)
        assert node.GetSegmentation().GetNumberOfLayers() == 1

    def test_layers_that_a_tool_merges_again_are_separated_again(self, shared_pair, volume_node, exported):
        node, first, second = shared_pair
        mask = SegmentMask(node, first, volume_node)
        neighbour = exported(node, second, volume_node)
        mask.write(voxel(0, 0, 0), ON)
        node.GetSegmentation().CollapseBinaryLabelmaps(False)
        assert node.GetSegmentation().GetNumberOfLayers() == 1
        box = Box((3, 7, 8), (4, 8, 9))
        mask.write(box, ones(box))
        assert mask.read(Box((0, 0, 0), SHAPE)).sum() == 18 + 2
        assert (exported(node, second, volume_node) == neighbour).all()

    @pytest.mark.parametrize("made_by", ["us", "Slicer"])
    def test_an_empty_first_segment_spoils_no_other_when_slicer_joins_layers(
        self, scene, volume_node, exported, made_by
    ):
        if made_by == "us":
            node, first = add_segmentation(scene, volume_node, "tumour")
        else:
            node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
            node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
            first = node.GetSegmentation().AddEmptySegment()
            SegmentMask(node, first, volume_node)
        second = node.GetSegmentation().AddEmptySegment("", "cyst")
        paint(node, second, volume_node, Box((1, 2, 3), (2, 5, 4)), True)
        before = exported(node, second, volume_node)
        # As it does before it saves.
        node.GetSegmentation().CollapseBinaryLabelmaps(False)
        assert node.GetSegmentation().GetNumberOfLayers() == 1
        assert np.argwhere(before).tolist() == [[1, 2, 3], [1, 3, 3], [1, 4, 3]]
        assert (exported(node, second, volume_node) == before).all()
        assert not exported(node, first, volume_node).any()

    def test_two_empty_segments_that_share_a_layer(self, segment, volume_node, exported):
        node, first = segment
        second = node.GetSegmentation().AddEmptySegment("", "cyst")
        SegmentMask(node, second, volume_node).write(voxel(1, 2, 3), ON)
        assert SegmentMask(node, first, volume_node).extent() is None
        assert np.argwhere(exported(node, second, volume_node)).tolist() == [[1, 2, 3]]

    def test_extent_cropped_by_a_tool_grows_again(self, segment, volume_node, mask, exported):
        node, segment_id = segment
        mask.write(voxel(0, 0, 0), ON)
        set_by_slicer(node, segment_id, ijk_to_ras(volume_node), (3, 4, 3, 4, 3, 3))
        assert extent_of(node, segment_id) == (0, 4, 0, 4, 0, 3)
        mask.write(voxel(7, 11, 15), ON)
        found = np.argwhere(exported(node, segment_id, volume_node)).tolist()
        assert found == [[0, 0, 0], [3, 3, 3], [3, 3, 4], [3, 4, 3], [3, 4, 4], [7, 11, 15]]

    def test_hand_edits_between_writes_are_seen_and_kept(self, segment, volume_node, mask):
        node, segment_id = segment
        mask.write(voxel(1, 1, 1), ON)
        set_by_slicer(node, segment_id, ijk_to_ras(volume_node), (8, 9, 6, 6, 5, 5))
        assert mask.read(voxel(5, 6, 8)).all()
        mask.write(voxel(5, 6, 10), ON)
        assert mask.read(Box((5, 6, 8), (6, 7, 11))).all()
        set_by_slicer(node, segment_id, ijk_to_ras(volume_node), (1, 1, 1, 1, 1, 1), 0, LOGIC.MODE_REPLACE)
        assert mask.extent() is None

    def test_slicers_undo_takes_back_a_write(self, segment, volume_node, mask):
        history = slicer.vtkSegmentationHistory()
        history.SetSegmentation(segment[0].GetSegmentation())
        mask.write(voxel(1, 1, 1), ON)
        history.SaveState()
        mask.write(voxel(1, 1, 2), ON)
        history.RestorePreviousState()
        assert mask.extent() == voxel(1, 1, 1)
        mask.write(voxel(1, 1, 3), ON)
        assert mask.extent() == Box((1, 1, 1), (2, 2, 4))


class TestEvents:
    def test_a_write_in_place_tells_once(self, segment, mask):
        mask.write(voxel(1, 1, 1), ON)
        counts = count_events(segment[0].GetSegmentation())
        mask.write(voxel(1, 1, 2), ON)
        assert counts == {"SourceRepresentationModified": 1, "SegmentModified": 1}

    def test_a_write_that_grows_tells_of_the_source_once(self, segment, mask):
        counts = count_events(segment[0].GetSegmentation())
        mask.write(voxel(1, 1, 1), ON)
        assert counts["SourceRepresentationModified"] == 1

    def test_nothing_changed_is_nothing_said(self, segment, mask):
        box = Box((1, 1, 1), (3, 3, 3))
        mask.write(box, ones(box))
        modified = segment[0].GetSegmentation().GetMTime()
        counts = count_events(segment[0].GetSegmentation())
        mask.write(box, ones(box))
        mask.write(voxel(7, 11, 15), np.zeros((1, 1, 1), bool))
        mask.fill(mask.read(mask.grid.box))
        mask.extent()
        assert counts == {"SourceRepresentationModified": 0, "SegmentModified": 0}
        assert segment[0].GetSegmentation().GetMTime() == modified

    def test_observers_see_the_finished_write(self, segment, mask):
        seen = []
        segment[0].GetSegmentation().AddObserver(
            slicer.vtkSegmentation.SegmentModified, lambda *_: seen.append(mask.extent())
        )
        box = Box((1, 1, 1), (3, 3, 3))
        mask.write(box, ones(box))
        assert set(seen) == {box}

    def test_surface_is_dropped_and_rebuilt(self, segment, mask):
        node, segment_id = segment
        box = Box((2, 4, 4), (5, 8, 8))
        mask.write(box, ones(box))
        node.GetSegmentation().SetConversionParameter("Smoothing factor", "0")
        refresh_surface(node)
        # From half a voxel below slice 2 to half a voxel above slice 4.
        assert self.height(node, segment_id) == pytest.approx((-30 + 1.5 * 1.5, -30 + 1.5 * 4.5))
        mask.write(box, ones(box))
        assert node.GetSegmentation().ContainsRepresentation(SURFACE)
        mask.write(Box((5, 4, 4), (7, 8, 8)), np.ones((2, 4, 4), bool))
        assert not node.GetSegmentation().ContainsRepresentation(SURFACE)
        refresh_surface(node)
        assert self.height(node, segment_id) == pytest.approx((-30 + 1.5 * 1.5, -30 + 1.5 * 6.5))

    @staticmethod
    def height(node, segment_id):
        return node.GetClosedSurfaceInternalRepresentation(segment_id).GetBounds()[4:]

    def test_surface_of_an_empty_segment(self, segment):
        refresh_surface(segment[0])
        assert segment[0].GetSegmentation().ContainsRepresentation(SURFACE)


def test_clicks_on_a_large_volume_hold_little_of_it(scene):
    grid = Grid((120, 512, 512), np.diag([0.4, 0.4, 1.5, 1.0]))
    volume_node = add_volume(scene, Volume(np.zeros(grid.shape, np.uint8), grid), "large")
    node, segment_id = add_segmentation(scene, volume_node, "tumour")
    mask = SegmentMask(node, segment_id, volume_node)
    random = np.random.default_rng(0)
    for _ in range(50):
        j, i = random.integers(200, 230, 2)
        values = random.random((1, 48, 48)) > 0.5
        mask.write(Box((60, j, i), (61, j + 48, i + 48)), values)
    # No more of the volume is held than the corrected region and a margin of 32 voxels.
    (i0, i1, j0, j1, k0, k1) = extent_of(node, segment_id)
    assert k1 - k0 <= 64
    assert max(i1 - i0, j1 - j0) <= 64 + 48 + 64


BOXES = st.tuples(*(st.integers(0, n - 1) for n in SHAPE), *(st.integers(1, n) for n in SHAPE)).map(
    lambda v: Box(v[:3], tuple(min(a + n, limit) for a, n, limit in zip(v[:3], v[3:], SHAPE, strict=True)))
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "write", "write", "crop", "merge layers"]), BOXES, st.integers(0, 9)),
    min_size=1,
    max_size=8,
)


@examples(0.5)
@given(steps=STEPS)
def test_any_writes_equal_those_on_an_array(steps, scene, volume_node, shared_pair, exported):
    source, first, second = shared_pair
    node = slicer.vtkMRMLSegmentationNode.SafeDownCast(scene.AddNewNodeByClass(source.GetClassName()))
    node.GetSegmentation().DeepCopy(source.GetSegmentation())
    neighbour = exported(node, second, volume_node)
    mask = SegmentMask(node, first, volume_node)
    array = ArrayMask(mask.grid, mask.read(mask.grid.box))
    for step, box, seed in steps:
        if step == "write":
            # Seeds 0 and 1 clear and fill, the others scatter.
            values = np.random.default_rng(seed).random(box.shape) < (seed / 2 if seed < 3 else 0.3)
            mask.write(box, values)
            array.write(box, values)
        elif step == "crop":
            # Painting a voxel that is set already makes Slicer crop the layer to its segments.
            set_by_slicer(node, second, ijk_to_ras(volume_node), (8, 8, 7, 7, 3, 3))
        else:
            node.GetSegmentation().CollapseBinaryLabelmaps(False)
        assert (mask.read(box) == array.read(box)).all()
        assert mask.extent() == array.extent()
    assert (exported(node, first, volume_node) == array.values).all()
    assert (exported(node, second, volume_node) == neighbour).all()
    scene.RemoveNode(node)
