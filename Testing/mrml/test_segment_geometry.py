"""Segments under transforms and in foreign geometries: met where they lie, or refused."""

import numpy as np
import pytest
import slicer
import vtk
from VSClickCorrectLib.errors import CorrectionError, ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.persistence import stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume, grid_of, volume_of
from VSClickCorrectLib.session.oracle import Oracle

LABELMAP = "Binary labelmap"
SHAPE = (8, 12, 16)
ON = np.ones((1, 1, 1), bool)


def voxel(k, j, i):
    return Box((k, j, i), (k + 1, j + 1, i + 1))


def ones(box):
    return np.ones(box.shape, bool)


class TestNewSegmentation:
    def test_it_lies_where_the_volume_lies(self, scene, volume_node, quarter_turn):
        volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
        node, segment_id = add_segmentation(scene, volume_node, "tumour")
        assert node.GetTransformNodeID() == quarter_turn.GetID()
        assert node.GetDisplayNode() is not None
        assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume_node
        assert node.GetSegmentation().GetSegment(segment_id).GetName() == "tumour"


class TestPlace:
    def test_voxel_of_a_world_position_is_written_at_that_position(self, scene, volume_node, quarter_turn):
        volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
        node, segment_id = add_segmentation(scene, volume_node, "tumour")
        mask = SegmentMask(node, segment_id, volume_node)
        index = mask.grid.ras_to_index((82.0, 9.0, -20.5))
        assert index == (3, 2, 4)
        mask.write(voxel(*index), ON)
        # Slicer's own answer; the centre of the only voxel there is.
        assert node.GetSegmentCenterRAS(segment_id) == pytest.approx((82.0, 9.0, -20.5))

    def test_equal_transforms_need_not_be_one_node(self, scene, volume_node, add_transform):
        rows = [[0, -1, 0, 100], [1, 0, 0, 0], [0, 0, 1, 5], [0, 0, 0, 1]]
        node, segment_id = add_segmentation(scene, volume_node, "tumour")
        volume_node.SetAndObserveTransformNodeID(add_transform(rows).GetID())
        node.SetAndObserveTransformNodeID(add_transform(rows).GetID())
        mask = SegmentMask(node, segment_id, volume_node)
        mask.write(voxel(3, 2, 4), ON)
        assert node.GetSegmentCenterRAS(segment_id) == pytest.approx((82.0, 9.0, -20.5))
        mask.write(Box((3, 2, 4), (6, 3, 5)), np.array([[[False]], [[False]], [[True]]]))
        # Two slices of 1.5 mm above.
        assert node.GetSegmentCenterRAS(segment_id) == pytest.approx((82.0, 9.0, -17.5))

    def test_transforms_may_differ_where_voxels_coincide(self, scene, volume_node, quarter_turn, exported):
        node, segment_id = add_segmentation(scene, volume_node, "tumour")
        volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
        mask = SegmentMask(node, segment_id, volume_node)
        mask.write(voxel(3, 2, 4), ON)
        assert node.GetSegmentCenterRAS(segment_id) == pytest.approx((82.0, 9.0, -20.5))
        assert np.argwhere(exported(node, segment_id, volume_node)).tolist() == [[3, 2, 4]]

    def test_segment_drawn_before_the_volume_moved_alone_is_met_where_it_lies(
        self, scene, volume_node, mask, add_transform
    ):
        mask.write(voxel(3, 2, 4), ON)
        # One slice upward, 1.5 mm: the voxels coincide again, counted one lower.
        lift = add_transform([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1.5], [0, 0, 0, 1]])
        volume_node.SetAndObserveTransformNodeID(lift.GetID())
        assert mask.extent() == voxel(2, 2, 4)
        mask.write(voxel(7, 0, 0), ON)
        assert mask.extent() == Box((2, 0, 0), (8, 3, 5))

    def test_sub_extent_with_its_own_origin_is_the_same_lattice(self, segment, volume_node, mask):
        image = slicer.vtkOrientedImageData()
        image.SetExtent(0, 1, 0, 1, 0, 1)
        image.AllocateScalars(vtk.VTK_SHORT, 1)
        image.GetPointData().GetScalars().Fill(1)
        # Its voxel 0 is the volume's (i, j, k) = (4, 2, 3).
        matrix = vtk.vtkMatrix4x4()
        matrix.DeepCopy([-0.4, 0.3, 0, 9, -0.3, -0.4, 0, 18, 0, 0, 1.5, -25.5, 0, 0, 0, 1])
        image.SetGeometryFromImageToWorldMatrix(matrix)
        node, segment_id = segment
        node.GetSegmentation().GetSegment(segment_id).AddRepresentation(LABELMAP, image)
        assert mask.extent() == Box((3, 2, 4), (5, 4, 6))
        mask.write(voxel(0, 0, 0), ON)
        assert mask.extent() == Box((0, 0, 0), (5, 4, 6))
        assert mask.read(Box((0, 0, 0), SHAPE)).sum() == 9


class TestReferenceGeometry:
    """Slicer saves a segmentation resampled to its reference geometry."""

    @pytest.fixture
    def coarse(self, scene):
        return add_volume(scene, Volume(np.zeros((4, 4, 4), np.int16), Grid((4, 4, 4), np.eye(4))), "coarse")

    def reference(self, node):
        return node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())

    def test_empty_segmentation_of_another_volume_becomes_the_volumes(self, scene, coarse, volume_node):
        node, segment_id = add_segmentation(scene, coarse, "tumour")
        SegmentMask(node, segment_id, volume_node)
        assert self.reference(node) is volume_node
        geometry = node.GetSegmentation().GetConversionParameter("Reference image geometry")
        assert [float(n) for n in geometry.split(";")[:4]] == [-0.4, 0.3, 0.0, 10.0]

    def test_segmentation_without_one_is_given_the_volumes(self, scene, volume_node):
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "bare")
        SegmentMask(node, node.GetSegmentation().AddEmptySegment("", "tumour"), volume_node)
        assert self.reference(node) is volume_node

    def test_geometry_of_the_same_voxels_stays(self, scene, volume_node):
        twin = add_volume(scene, Volume(np.zeros(SHAPE, np.int16), grid_of(volume_node)), "T2")
        node, segment_id = add_segmentation(scene, twin, "tumour")
        SegmentMask(node, segment_id, volume_node)
        assert self.reference(node) is twin

    def test_voxels_of_other_segments_are_not_put_at_risk(self, scene, coarse, volume_node):
        node, first = add_segmentation(scene, coarse, "drawn on the coarse volume")
        SegmentMask(node, first, coarse).write(voxel(1, 1, 1), ON)
        with pytest.raises(ImageError, match="set the segmentation's geometry"):
            SegmentMask(node, node.GetSegmentation().AddEmptySegment("", "tumour"), volume_node)
        assert self.reference(node) is coarse

    def test_geometry_changed_between_clicks_is_noticed(self, segment, mask, coarse, volume_node):
        segment[0].SetReferenceImageGeometryParameterFromVolumeNode(coarse)
        mask.write(voxel(1, 1, 1), ON)
        assert self.reference(segment[0]) is volume_node


class TestRefusals:
    def test_other_spacing_is_refused(self, scene, segment, mask, volume_node, exported):
        mask.write(voxel(1, 1, 1), ON)
        before = exported(*segment, volume_node)
        coarse = add_volume(scene, Volume(np.zeros(SHAPE, np.int16), Grid(SHAPE, np.eye(4))), "coarse")
        with pytest.raises(ImageError, match="voxels of the segmentation are not those of the volume"):
            SegmentMask(*segment, coarse)
        assert (exported(*segment, volume_node) == before).all()

    def test_labelmap_that_contradicts_the_reference_geometry_is_refused(self, segment, volume_node):
        image = slicer.vtkOrientedImageData()
        image.SetExtent(0, 3, 0, 3, 0, 3)
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        segment[0].GetSegmentation().GetSegment(segment[1]).AddRepresentation(LABELMAP, image)
        with pytest.raises(ImageError, match="set the segmentation's geometry"):
            SegmentMask(*segment, volume_node)

    @pytest.mark.parametrize("shift", [0.75, 0.1])
    def test_lattice_shifted_by_a_part_of_a_voxel_is_refused(self, segment, mask, add_transform, shift):
        mask.write(voxel(1, 1, 1), ON)
        moved = add_transform([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, shift], [0, 0, 0, 1]])
        segment[0].SetAndObserveTransformNodeID(moved.GetID())
        for act in (mask.extent, lambda: mask.write(voxel(2, 2, 2), ON)):
            with pytest.raises(ImageError, match="set the segmentation's geometry"):
                act()
        segment[0].SetAndObserveTransformNodeID(None)
        assert mask.extent() == voxel(1, 1, 1)

    def test_shared_layer_stays_shared_when_a_write_is_refused(self, shared_pair, volume_node):
        node, first, _ = shared_pair
        mask = SegmentMask(node, first, volume_node)
        volume_node.SetSpacing(1, 1, 1)
        with pytest.raises(ImageError):
            mask.write(voxel(1, 1, 1), ON)
        assert node.GetSegmentation().GetNumberOfLayers() == 1

    def test_bent_parent_of_the_segmentation_is_refused(self, segment, mask, bent):
        segment[0].SetAndObserveTransformNodeID(bent.GetID())
        with pytest.raises(ImageError, match="'tumour' lies under a transform that is not linear"):
            mask.write(voxel(1, 1, 1), ON)

    def test_surface_as_source_is_refused(self, segment, mask, volume_node):
        box = Box((2, 4, 4), (5, 8, 8))
        mask.write(box, ones(box))
        segment[0].CreateClosedSurfaceRepresentation()
        segment[0].SetSourceRepresentationToClosedSurface()
        with pytest.raises(ImageError, match="source of the segmentation 'tumour' is 'Closed surface'"):
            SegmentMask(*segment, volume_node)

    def test_deleted_segment(self, segment, mask):
        segment[0].GetSegmentation().RemoveSegment(segment[1])
        for act in (mask.extent, lambda: mask.read(voxel(1, 1, 1))):
            with pytest.raises(CorrectionError, match="segment being corrected was deleted"):
                act()

    def test_deleted_segmentation(self, scene, segment, mask):
        scene.RemoveNode(segment[0])
        with pytest.raises(CorrectionError, match="segmentation was removed from the scene"):
            mask.write(voxel(1, 1, 1), ON)

    def test_deleted_volume(self, scene, volume_node, mask):
        scene.RemoveNode(volume_node)
        with pytest.raises(CorrectionError, match="volume was removed from the scene"):
            mask.extent()

    def test_closed_scene(self, scene, mask):
        scene.Clear(False)
        with pytest.raises(CorrectionError, match="removed from the scene"):
            mask.extent()

    def test_segment_that_never_was(self, segment, volume_node):
        with pytest.raises(CorrectionError, match="deleted"):
            SegmentMask(segment[0], "nobody", volume_node)


@pytest.mark.parametrize("slices", [4, 6])
def test_on_a_cropped_volume_a_segment_is_corrected_only_if_it_lies_within(
    scene, volume_node, segment, mask, slices
):
    """Of a tumour in slices 3 and 4 the first volume shows one alone; half would be measured and saved."""
    tumour, whole = Box((3, 4, 5), (5, 7, 8)), volume_of(volume_node)
    mask.write(tumour, ones(tumour))
    shown = Box((0, 2, 2), (slices, 12, 16))
    cropped = add_volume(scene, Volume(whole.array[shown.slices], whole.grid.cropped(shown)), "T1ce cropped")
    truth = np.zeros(shown.shape, bool)
    if slices == 4:
        with pytest.raises(ImageError, match="'tumour' reaches beyond the volume 'T1ce cropped'"):
            correct_segment((cropped, None), segment, Oracle(truth))
        assert stored_journal(*segment) is None
    else:
        correction = correct_segment((cropped, None), segment, Oracle(truth))
        assert np.argwhere(correction.session.values()).min(axis=0).tolist() == [3, 2, 3]
        correction.close()
    assert mask.extent() == tumour
