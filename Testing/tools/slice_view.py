"""A real slice view of Slicer, drawn without a display and clicked without a hand."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from trame_slicer.core import SlicerApp
from trame_slicer.views import DirectViewFactory, ScheduledRenderStrategy, ViewLayoutDefinition
from vtk.util.numpy_support import vtk_to_numpy

# What an off-screen view has until a window says otherwise.
PIXELS = 300


class SliceView:
    """An axial view with Slicer's own displayable managers, and the scene that it shows.

    It is drawn when it is looked at, and not at each of the many changes that ask for it.
    """

    def __init__(self) -> None:
        self.app = SlicerApp()
        self.app.view_manager.register_factory(DirectViewFactory(do_render_offscreen=True))
        self._view = self._made(ViewLayoutDefinition.axial_view())
        self._view_3d = None
        self.scene = self.app.scene
        self._node = self.scene.GetNthNodeByClass(0, "vtkMRMLSliceNode")

    def _made(self, layout: ViewLayoutDefinition):
        view = self.app.view_manager.create_view(layout)
        view.set_scheduled_render(ScheduledRenderStrategy())
        return view

    def show(self, volume, reset: bool = False) -> None:
        """Show a volume."""
        self.app.display_manager.show_volume(volume, do_reset_views=reset)

    def lay(self, volume) -> None:
        """Lay a volume under everything else, as the desktop program does, without volume rendering."""
        self._view.set_background_volume_id(volume.GetID())

    def look_at(self, ras, width_mm: float) -> None:
        """Put a point into the middle of the view, RAS mm, and set how much is shown around it."""
        self._node.SetFieldOfView(width_mm, width_mm, self._node.GetFieldOfView()[2])
        slicer.vtkMRMLSliceNode.JumpAllSlices(self.scene, *ras, slicer.vtkMRMLSliceNode.CenteredJumpSlice)
        self._view.render()

    def click(self, ras, button: str = "Left") -> None:
        """Move the mouse over a point, RAS mm, press and let go."""
        xy_from_ras = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self._node.GetXYToRAS(), xy_from_ras)
        x, y = (round(c) for c in xy_from_ras.MultiplyPoint((*ras, 1))[:2])
        interactor = self._view.interactor()
        interactor.SetEventInformation(x, y, 0, 0, chr(0), 0, None)
        interactor.MouseMoveEvent()
        getattr(interactor, f"{button}ButtonPressEvent")()
        getattr(interactor, f"{button}ButtonReleaseEvent")()

    def click_in_3d(self) -> None:
        """Move the mouse into a 3D view, press and let go."""
        if self._view_3d is None:
            self._view_3d = self._made(ViewLayoutDefinition.threed_view())
        self._view_3d.render()
        width, height = self._view_3d.render_window().GetSize()
        interactor = self._view_3d.interactor()
        interactor.SetEventInformation(width // 2, height // 2, 0, 0, chr(0), 0, None)
        interactor.MouseMoveEvent()
        interactor.LeftButtonPressEvent()
        interactor.LeftButtonReleaseEvent()

    def picture(self) -> np.ndarray:
        """Return what is drawn once the mouse has gone away, rows from the top, RGB."""
        interactor = self._view.interactor()
        interactor.SetEventInformation(2, 2, 0, 0, chr(0), 0, None)
        interactor.MouseMoveEvent()
        self._view.render()
        grabbed = vtk.vtkWindowToImageFilter()
        grabbed.SetInput(self._view.render_window())
        grabbed.ReadFrontBufferOff()
        grabbed.Update()
        image = grabbed.GetOutput()
        width, height, _ = image.GetDimensions()
        rows = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)
        return rows[-1::-1][-PIXELS:, :PIXELS].copy()
