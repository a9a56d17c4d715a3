"""The surface in the 3D view, made once the clicks pause."""

from __future__ import annotations

import asyncio

from trame_slicer.core import SlicerApp

from VSClickCorrectLib.app.logic.views_logic import ViewsLogic
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.mrml.segment_mask import refresh_surface

_PAUSE_S = 0.6


class SurfaceLogic:
    """Rebuilds the surface while a 3D view is shown, never while clicks follow each other.

    Parameters
    ----------
    slicer_app : SlicerApp
        For the 3D view.
    workspace : Workspace
        The segment.
    views : ViewsLogic
        The layout.
    status : Status
        Told if no surface can be made.
    """

    def __init__(
        self,
        slicer_app: SlicerApp,
        workspace: Workspace,
        views: ViewsLogic,
        status: Status,
    ) -> None:
        self._app = slicer_app
        self._workspace = workspace
        self._views = views
        self._status = status
        self._timer: asyncio.TimerHandle | None = None
        self._fitted = False
        workspace.opened.connect(self._on_opened)
        workspace.changed.connect(self._soon)
        views.typed_state.bind_changes({views.typed_state.name.layout: lambda _: self._soon()})

    def _on_opened(self) -> None:
        self._fitted = False

    def _soon(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._views.shows_3d and self._workspace.nodes is not None:
            self._timer = asyncio.get_running_loop().call_later(_PAUSE_S, self._refresh)

    def _refresh(self) -> None:
        nodes = self._workspace.nodes
        if nodes is None or nodes.mask.extent() is None:
            return
        with self._status.reporting():
            refresh_surface(nodes.segmentation)
        if not self._fitted:
            for view in self._app.view_manager.get_threed_views():
                view.fit_view_to_content()
            self._fitted = True
