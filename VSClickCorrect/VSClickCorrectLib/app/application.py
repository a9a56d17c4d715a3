"""The browser app as a whole: its parts, and which key does what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

import vtk
from trame.app import get_server
from trame_server import Server
from trame_slicer.core import SlicerApp

from VSClickCorrectLib.app import page_files
from VSClickCorrectLib.app.logic.clicks_logic import LOOK, ClicksLogic
from VSClickCorrectLib.app.logic.display_logic import DisplayLogic
from VSClickCorrectLib.app.logic.files_logic import FilesLogic
from VSClickCorrectLib.app.logic.initial_logic import InitialLogic
from VSClickCorrectLib.app.logic.measures_logic import MeasuresLogic
from VSClickCorrectLib.app.logic.registration_logic import RegistrationLogic
from VSClickCorrectLib.app.logic.running_logic import RunningLogic
from VSClickCorrectLib.app.logic.strip_logic import StripLogic
from VSClickCorrectLib.app.logic.surface_logic import SurfaceLogic
from VSClickCorrectLib.app.logic.views_logic import ViewsLogic
from VSClickCorrectLib.app.logic.worklist_logic import WorklistLogic
from VSClickCorrectLib.app.models import LazyNetworks
from VSClickCorrectLib.app.opened_case import OpenedCase
from VSClickCorrectLib.app.pointing import Point
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.app.ui.page import TITLE, build_page
from VSClickCorrectLib.app.uploads import Uploads
from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.imaging.click import ClickKind
from VSClickCorrectLib.workflow.keys import PAGE_KEYS
from VSClickCorrectLib.worklist.worklist import Worklist

# Longer than the views take to draw a click.
_PAUSE_S = 0.15


class BrowserApp:
    """One session: a scene, its views and a page; one process has one.

    What takes longer than a click runs in tasks of its own, which no trigger waits for: trame answers a
    browser's messages one after the other.

    Parameters
    ----------
    networks : LazyNetworks
        The models.
    uploads : Uploads
        Where files from the browser go.
    server : Server, optional
        The trame server; the process's own if left out.
    """

    def __init__(self, networks: LazyNetworks, uploads: Uploads, server: Server | None = None) -> None:
        self.server = server or get_server(client_type="vue3")
        self.networks = networks
        self.uploads = uploads
        slicer_app = _slicer_app()
        state = self.server.state
        self.status = Status(state)
        self.workspace = Workspace(slicer_app, self.status, _later, self._soon)
        self.views = ViewsLogic(self.server, slicer_app)
        self.workspace.opened.connect(self._show)
        self.clicks = ClicksLogic(self.server, slicer_app, self.workspace, self.status)
        self.display = DisplayLogic(self.server, self.workspace, self.views)
        self.strip = StripLogic(self.server, self.workspace, self.views)
        self.surface = SurfaceLogic(slicer_app, self.workspace, self.views, self.status)
        self.measures = MeasuresLogic(self.server, self.workspace)
        self.running = RunningLogic(self.server, self.workspace, networks, self.status)
        self.initial = InitialLogic(self.workspace, self.running, networks, self.status)
        self.registration = RegistrationLogic(self.server, self.workspace, self.running, self.status)
        self.worklist = WorklistLogic(self.server, self.workspace, networks, self.measures, self.status)
        self.files = FilesLogic(self.server, self.workspace, networks, self.status, uploads, self.worklist)
        self.views.clicked.connect(self._on_clicked)
        self.server.trigger("vs_key")(self.press)
        self.server.trigger("vs_wheel")(self.views.turn_wheel)
        self.server.enable_module(page_files)
        state.trame__title = TITLE
        state.vs_keys = {key.name: key.action for key in PAGE_KEYS}
        build_page(self)
        self._keys = self._actions()

    async def begin(self, source: Future[OpenedCase] | Worklist) -> None:
        """Open the first case, or the worklist, and load the networks."""
        if isinstance(source, Worklist):
            await self.worklist.begin(source)
            await self.worklist.beat()
        else:
            with self.status.reporting():
                opened = await asyncio.wrap_future(source)
                self.workspace.open(opened)
                self.status.say("Loading the models …")
                self.server.state.flush()
                self.workspace.correct(await self.networks.get())
                self.status.say(opened.with_remarks("Ready; click where the border is wrong."))
            self.server.state.flush()

    def press(self, action: str) -> None:
        """Do what a key stands for; see `workflow.keys`."""
        if action in self._keys:
            self._keys[action]()

    def zoom(self) -> None:
        """Fill the slice views with the segment and its surroundings."""
        if self.workspace.nodes is not None:
            mask = self.workspace.nodes.mask
            box = mask.extent()
            if box is not None:
                self.views.zoom_to(mask.grid, box)

    def close(self) -> None:
        """Keep the worklist's case, stop what runs, and remove what was sent."""
        with self.status.reporting():
            self.worklist.close()
        self.workspace.close()
        self.uploads.close()

    def _show(self) -> None:
        self.views.show(self.workspace.case)
        self.zoom()

    def _soon(self, action: Callable[[], None]) -> None:
        def act() -> None:
            with self.server.state:
                action()

        asyncio.get_running_loop().call_later(_PAUSE_S, act)

    def _on_clicked(self, point: Point) -> None:
        if self.clicks.looking:
            self.views.jump_to(point)
        else:
            self.clicks.place(point)

    def _actions(self) -> dict[str, Callable]:
        views, clicks = self.views, self.clicks
        actions: dict[str, Callable] = {
            "place": lambda: clicks.place(views.crosshair_ras),
            "up": lambda: views.page_by(1),
            "down": lambda: views.page_by(-1),
            "top": lambda: views.page_to(views.typed_state.data.slices),
            "bottom": lambda: views.page_to(1),
            "left": lambda: views.move_crosshair(columns=-1),
            "right": lambda: views.move_crosshair(columns=1),
            "back": lambda: views.move_crosshair(rows=-1),
            "front": lambda: views.move_crosshair(rows=1),
            "next_round": clicks.next_round,
            "apply": clicks.apply,
            "undo": clicks.undo,
            "redo": clicks.redo,
            "fit": views.fit,
            "zoom": self.zoom,
        }
        for tool in (*(kind.value for kind in ClickKind), LOOK):
            actions[tool] = lambda tool=tool: clicks.choose(tool)
        for action in ("start", "fill", "crosshair"):
            actions[action] = lambda switch=action: self.display.toggle(switch)
        actions["markers"] = lambda: self.display.toggle("clicks")
        return actions


def _slicer_app() -> SlicerApp:
    slicer_app = SlicerApp()
    # What VTK would print is about its own future, and nothing that a user could mend.
    vtk.vtkOutputWindow.GetInstance().SetDisplayModeToNever()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    return slicer_app


def _later(action: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(action)
