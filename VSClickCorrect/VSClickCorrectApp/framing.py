"""Which part of the patient a slice view shows, taken from one view and given to another or kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from trame_slicer.views import SliceView
from VSClickCorrectLib.geometry.triples import Point3
from VSClickCorrectLib.mrml.transforms import array_of

# What rounding may change without anybody seeing it, in mm.
_ALIKE_MM = 1e-3
_LETTERS = (("R", "L"), ("A", "P"), ("S", "I"))


@dataclass(frozen=True)
class ViewFrame:
    """What a slice view shows, whatever size it has on the screen.

    Parameters
    ----------
    slice_to_ras : tuple of float
        The plane, its 4 × 4 matrix row by row.
    origin : tuple of float
        How far the view was panned in the plane, mm.
    width_mm : float
        How much is seen along the view's shorter side.
    """

    slice_to_ras: tuple[float, ...]
    origin: Point3
    width_mm: float

    def like(self, other: ViewFrame) -> bool:
        """Whether both show the same part."""
        pairs = zip(self._numbers, other._numbers, strict=True)
        return all(abs(one - another) < _ALIKE_MM for one, another in pairs)

    @property
    def _numbers(self) -> tuple[float, ...]:
        return (*self.slice_to_ras, *self.origin, self.width_mm)


def frame_of(view: SliceView) -> ViewFrame:
    """Return what a view shows."""
    node = view.get_view_node()
    rows = tuple(array_of(node.GetSliceToRAS()).flat)
    return ViewFrame(rows, tuple(node.GetXYZOrigin()), min(node.GetFieldOfView()[:2]))


def show_frame(view: SliceView, frame: ViewFrame) -> None:
    """Let a view show a part of the patient."""
    node = view.get_view_node()
    with view.trigger_modified_once():
        modifying = node.StartModify()
        node.GetSliceToRAS().DeepCopy(frame.slice_to_ras)
        node.SetXYZOrigin(*frame.origin)
        set_width(view, frame.width_mm)
        node.UpdateMatrices()
        node.EndModify(modifying)


def set_width(view: SliceView, width_mm: float) -> None:
    """Show so many mm along a view's shorter side."""
    node = view.get_view_node()
    x, y, z = node.GetFieldOfView()
    scale = width_mm / min(x, y)
    node.SetFieldOfView(x * scale, y * scale, z)


def pan(view: SliceView, right: int, up: int) -> None:
    """Move the image in a view along with the pointer, by pixels."""
    node = view.get_view_node()
    x, y, z = node.GetXYZOrigin()
    (width, height), (wide, high) = node.GetDimensions()[:2], node.GetFieldOfView()[:2]
    with view.trigger_modified_once():
        node.SetXYZOrigin(x - right * wide / width, y - up * high / height, z)
        node.UpdateMatrices()


def center_on(view: SliceView, ras: Point3) -> None:
    """Bring a point, world RAS mm, into the middle of a view."""
    view.get_view_node().SetXYZOrigin(0.0, 0.0, 0.0)
    view.get_view_node().JumpSliceByCentering(*(float(v) for v in ras))


def fit_in_plane(view: SliceView) -> None:
    """Show the whole image in the plane that the view shows."""
    offset = view.get_slice_value()
    with view.trigger_modified_once():
        view.fit_view_to_content()
        view.set_slice_value(offset)


def position_text(view: SliceView, sides_known: bool) -> str:
    """Return where a view's slice lies, along the patient's axis that is nearest to its normal."""
    frame = frame_of(view)
    matrix = np.reshape(frame.slice_to_ras, (4, 4))
    axis = int(np.argmax(np.abs(matrix[:3, 2])))
    return along(axis, (matrix @ (*frame.origin, 1.0))[axis], sides_known)


def along(axis: int, value: float, sides_known: bool) -> str:
    """Return a coordinate of RAS in mm, with the patient's side where it is known."""
    value = round(float(value), 1)
    if not sides_known:
        return f"{'xyz'[axis]} {value:.1f}"
    return f"{_LETTERS[axis][int(value < 0)]} {abs(value):.1f}"
