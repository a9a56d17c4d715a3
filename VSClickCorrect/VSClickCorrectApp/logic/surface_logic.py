"""The surface in the 3D view, made as soon as the slices show what a click did."""

from __future__ import annotations

import asyncio
from time import monotonic

from trame_slicer.core import SlicerApp
from trame_slicer.views import ViewType
from VSClickCorrectLib.mrml.segment_mask import refresh_surface
from VSClickCorrectLib.workflow.correction import Workbench
from vtkmodules.vtkRenderingCore import vtkRenderer

from VSClickCorrectApp.logic.views_logic import ViewsLogic
from VSClickCorrectApp.rendering import views_stay
from VSClickCorrectApp.status import Status

# The slice views are drawn meanwhile: the turn of an event loop that is busy with them comes later.
_SOON_S = 0.05
# A large surface that takes its time waits until the clicks pause.
_LONG_S, _PAUSE_S = 0.1, 0.6


class SurfaceLogic:
    """Rebuilds the surface while a 3D view is shown, after the slices were drawn.

    Parameters
    ----------
    slicer_app : SlicerApp
        For the 3D view.
    workbench : Workbench
        The segment.
    views : ViewsLogic
        The layout.
    status : Status
        Told if no surface can be made.
    """

    def __init__(
        self,
        slicer_app: SlicerApp,
        workbench: Workbench,
        views: ViewsLogic,
        status: Status,
    ) -> None:
        self._app = slicer_app
        self._workbench = workbench
        self._views = views
        self._status = status
        self._timer: asyncio.TimerHandle | None = None
        self._fitted, self._took_s = False, 0.0
        for view in slicer_app.view_manager.get_threed_views():
            view.renderer().AddObserver("StartEvent", _show_all_of_it)
        workbench.opened.connect(self._on_opened)
        workbench.changed.connect(self._soon)
        views.typed_state.bind_changes({views.typed_state.name.layout: lambda _: self._soon()})

    def _on_opened(self) -> None:
        self._fitted = False

    def _soon(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._views.shows_3d and self._workbench.nodes is not None:
            pause = _SOON_S if self._took_s < _LONG_S else _PAUSE_S
            self._timer = asyncio.get_running_loop().call_later(pause, self._refresh)

    def _refresh(self) -> None:
        nodes = self._workbench.nodes
        if nodes is None or nodes.mask.extent() is None:
            return
        began = monotonic()
        with self._status.reporting(), views_stay(ViewType.SLICE_VIEW):
            refresh_surface(nodes.segmentation)
            self._took_s = monotonic() - began
            self._fit()

    def _fit(self) -> None:
        """Fit the first surface of a case into the 3D view."""
        if not self._fitted:
            for view in self._app.view_manager.get_threed_views():
                view.fit_view_to_content()
            self._fitted = True


def _show_all_of_it(renderer: vtkRenderer, _event: str) -> None:
    """Let what fits a view's shorter side be seen and lay the camera's planes around all there is."""
    width, height = renderer.GetSize()
    # The view is being drawn: what is set here is seen already, and need not be drawn again.
    with views_stay(ViewType.THREE_D_VIEW):
        renderer.GetActiveCamera().SetUseHorizontalViewAngle(width < height)
        renderer.ResetCameraClippingRange()
