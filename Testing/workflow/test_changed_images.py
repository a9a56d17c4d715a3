"""An image that is changed in its volume while a segment is corrected on it: what is said, and when."""

import numpy as np
import pytest
import vtk
from VSClickCorrectLib.mrml.transforms import matrix_of
from VSClickCorrectLib.mrml.volumes import volume_of
from vtk.util.numpy_support import numpy_to_vtk

OTHER_VOXELS = (
    "'{name}' holds other voxels than when the correction began; put them back, or begin anew with a copy of "
    "the segment in another segmentation."
)
OTHER_SIZE = (
    "The image has another size than when the correction began; put it back as it was, or begin anew with "
    "a copy of the segment in another segmentation."
)
MOVED = "The image was moved since the correction began; give its transform back what it was and try again."


def image_of(array):
    image = vtk.vtkImageData()
    image.SetDimensions(array.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True))
    return image


def filtered_in_place(t1ce, voxels):
    t1ce.GetImageData().DeepCopy(image_of(voxels[..., ::-1]))


def another_image(t1ce, voxels):
    t1ce.SetAndObserveImageData(image_of(voxels[..., ::-1]))


def cropped(t1ce, voxels):
    t1ce.SetAndObserveImageData(image_of(voxels[:-2]))


def moved_with_its_segment(t1ce, _voxels):
    transform = t1ce.GetScene().AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[0, 3] = 40.0
    transform.SetMatrixTransformToParent(matrix_of(matrix))
    for node in (t1ce, t1ce.GetScene().GetFirstNodeByClass("vtkMRMLSegmentationNode")):
        node.SetAndObserveTransformNodeID(transform.GetID())


@pytest.mark.parametrize(
    "change, sentence",
    [
        (filtered_in_place, OTHER_VOXELS),
        (another_image, OTHER_VOXELS),
        (cropped, OTHER_SIZE),
        (moved_with_its_segment, MOVED),
    ],
)
def test_a_t1ce_on_which_clicks_are_refused_is_told_before_the_next_click(
    begun, host, border, change, sentence
):
    host.pass_time()
    t1ce = begun.reference
    before, told = begun.session.mask.read(begun.session.mask.grid.box), sentence.format(name=t1ce.GetName())
    change(t1ce, volume_of(t1ce).array.copy())
    host.pass_time(turns=2)
    assert host.said[-1] == told
    begun.correction.place(border[0])
    assert host.said[-1] == told and begun.correction.rows == []
    kept = begun.session.mask.read(begun.session.mask.grid.box)
    np.testing.assert_array_equal(kept, before[: len(kept)])


def test_a_t1ce_that_only_says_so_is_not_called_changed(begun, host, border):
    """As where its window or its name is changed, or a filter gives the same voxels."""
    host.pass_time()
    said, t1ce = list(host.said), begun.reference
    t1ce.SetName("T1 with contrast")
    t1ce.GetImageData().DeepCopy(image_of(volume_of(t1ce).array.copy()))
    host.pass_time(turns=2)
    assert host.said == said
    begun.correction.place(border[0])
    assert len(begun.correction.rows) == 1
