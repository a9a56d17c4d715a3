"""What a hand does to a segmentation in Slicer, through what Slicer's own tools call."""

from __future__ import annotations

import slicer
import vtk

LOGIC = slicer.vtkSlicerSegmentationsModuleLogic
LABELMAP = "Binary labelmap"


def paint(segmentation, segment_id, volume_node, box, value):
    """Paint or erase a box, as the segment editor does where segments may overlap."""
    segmentation.GetSegmentation().SeparateSegmentLabelmap(segment_id)
    matrix, image = vtk.vtkMatrix4x4(), slicer.vtkOrientedImageData()
    volume_node.GetIJKToRASMatrix(matrix)
    extent = [n for a, b in zip(box.start[::-1], box.stop[::-1], strict=True) for n in (a, b - 1)]
    image.SetExtent(*extent)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    label = segmentation.GetSegmentation().GetSegment(segment_id).GetLabelValue()
    image.GetPointData().GetScalars().Fill(label if value else 0)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    mode = LOGIC.MODE_MERGE_MAX if value else LOGIC.MODE_MERGE_MIN
    assert LOGIC.SetBinaryLabelmapToSegment(image, segmentation, segment_id, mode, extent, False)


def collapse_layers(segmentation):
    """Bring segments that do not overlap into one labelmap."""
    segmentation.GetSegmentation().CollapseBinaryLabelmaps(False)


def crop_to_content(segmentation, segment_id):
    """Cut a segment's labelmap down to the voxels that are set, as Slicer does when it saves one."""
    image = segmentation.GetSegmentation().GetSegment(segment_id).GetRepresentation(LABELMAP)
    extent = [0] * 6
    if image is None or image.IsEmpty():
        return
    resample = slicer.vtkOrientedImageDataResample
    if resample.CalculateEffectiveExtent(image, extent):
        cropped = slicer.vtkOrientedImageData()
        resample.CopyImage(image, cropped, extent)
        image.DeepCopy(cropped)


def linear(scene, matrix):
    """Add a linear transform node of a (4, 4) array to its parent."""
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    place = vtk.vtkMatrix4x4()
    place.DeepCopy([float(value) for value in matrix.ravel()])
    node.SetMatrixTransformToParent(place)
    return node
