"""Bad nodes and points in a scene of Slicer."""

from __future__ import annotations

import numpy as np
from bad_case import BadInput, Room
from bright_ball import GRID, ball, ball_volume
from good_files import BORDER

TITLE = "Scene"


def _scene(act):
    """Do something with the good case in a scene; what the correction reports is raised."""

    def make(room: Room):
        def run() -> object:
            from VSClickCorrectApp.headless_scene import HeadlessScene

            with HeadlessScene() as headless:
                return act(headless.scene)

        return run

    return make


def _correction(scene, errors: list):
    from VSClickCorrectLib.mrml.begin_correction import correct_segment
    from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
    from VSClickCorrectLib.mrml.volumes import add_volume
    from VSClickCorrectLib.session.oracle import Oracle

    volume = add_volume(scene, ball_volume(), "T1ce")
    segment = add_segmentation(scene, volume, "tumour")
    half = ball()
    half[:, :, :29] = False
    SegmentMask(*segment, volume).fill(half)
    return correct_segment((volume, None), segment, Oracle(ball()), on_error=errors.append)


def _click(*positions):
    """Place points as a view does, one after the other."""

    def act(scene) -> str:
        from VSClickCorrectLib.clicks.click import ClickKind

        errors: list = []
        correction = _correction(scene, errors)
        try:
            node = correction.click_node(ClickKind.BOUNDARY)
            for position in positions:
                node.AddControlPointWorld(*position)
        finally:
            correction.close()
        if errors:
            raise errors[0]
        return "the mask was corrected"

    return _scene(act)


def _volume(values: np.ndarray | None, components: int = 1):
    """Read a volume node with these voxels."""

    def act(scene) -> object:
        import vtk
        from VSClickCorrectLib.mrml.volumes import volume_of
        from vtk.util.numpy_support import numpy_to_vtk

        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1ce")
        if values is not None:
            image = vtk.vtkImageData()
            image.SetDimensions(4, 4, 4)
            image.GetPointData().SetScalars(numpy_to_vtk(values.reshape(64, components), deep=True))
            node.SetAndObserveImageData(image)
        return volume_of(node)

    return _scene(act)


def _sheared(scene) -> object:
    import vtk
    from VSClickCorrectLib.mrml.volumes import add_volume, grid_of

    node = add_volume(scene, ball_volume(), "T1ce")
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 1, 0.3)
    transform.SetMatrixTransformToParent(matrix)
    node.SetAndObserveTransformNodeID(transform.GetID())
    return grid_of(node)


def _other_grid(scene) -> object:
    from VSClickCorrectLib.geometry.grid import Grid
    from VSClickCorrectLib.geometry.volume import Volume
    from VSClickCorrectLib.mrml.volumes import add_volume, case_of

    far = GRID.affine.copy()
    far[0, 3] += 500
    first = add_volume(scene, ball_volume(), "T1ce")
    return case_of(first, add_volume(scene, Volume(ball_volume().array, Grid(GRID.shape, far)), "T2"))


_NAN = np.full(64, np.nan, np.float32)

CASES = [
    BadInput(
        "volume without an image",
        _volume(None),
        ("T1ce", "volume", "load"),
    ),
    BadInput(
        "volume of colours",
        _volume(np.zeros(192, np.uint8), components=3),
        ("T1ce", "greyscale", "MRI"),
    ),
    BadInput(
        "volume of NaN",
        _volume(_NAN),
        ("T1ce", "infinite", "export"),
    ),
    BadInput(
        "volume under a shearing transform",
        _scene(_sheared),
        ("angles", "orthogonal"),
    ),
    BadInput(
        "volumes that do not overlap",
        _scene(_other_grid),
        ("T1ce", "fields", "registered"),
    ),
    BadInput(
        "point placed outside the image",
        _click((500.0, 0.0, 0.0)),
        ("500.0", "0.0", "outside", "inside"),
    ),
    BadInput(
        "point placed at NaN",
        _click((float("nan"), 0.0, 0.0)),
        ("finite", "place"),
    ),
    BadInput(
        "50 points at one place",
        _click(*[BORDER] * 50),
        happens="are corrected one after the other",
        prints="the mask was corrected",
    ),
]
