"""The browser app as a whole: its parts, and which key does what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

import slicer
import vtk
from trame.app import get_server
from trame_server import Server
from trame_slicer.core import SlicerApp
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.workflow.workflow import Workflow
from VSClickCorrectLib.worklist.worklist import Worklist

from VSClickCorrectApp import page_files
from VSClickCorrectApp.logic.brush_logic import BrushLogic
from VSClickCorrectApp.logic.clicks_logic import BRUSH, ERASER, LOOK, ClicksLogic
from VSClickCorrectApp.logic.display_logic import DisplayLogic
from VSClickCorrectApp.logic.doubt_logic import DoubtLogic
from VSClickCorrectApp.logic.files_logic import FilesLogic
from VSClickCorrectApp.logic.follow_up_logic import FollowUpLogic
from VSClickCorrectApp.logic.measures_logic import MeasuresLogic
from VSClickCorrectApp.logic.overlay_logic import OverlayLogic
from VSClickCorrectApp.logic.pointer_logic import PointerLogic
from VSClickCorrectApp.logic.readout_logic import ReadoutLogic
from VSClickCorrectApp.logic.registration_logic import RegistrationLogic
from VSClickCorrectApp.logic.running_logic import RunningLogic
from VSClickCorrectApp.logic.sequences_logic import SequencesLogic
from VSClickCorrectApp.logic.series_logic import SeriesLogic
from VSClickCorrectApp.logic.settings_logic import SettingsLogic
from VSClickCorrectApp.logic.strip_logic import StripLogic
from VSClickCorrectApp.logic.surface_logic import SurfaceLogic
from VSClickCorrectApp.logic.tumour_parts_logic import TumourPartsLogic
from VSClickCorrectApp.logic.views_logic import ViewsLogic
from VSClickCorrectApp.logic.worklist_logic import WorklistLogic
from VSClickCorrectApp.mask_tools import MaskTools
from VSClickCorrectApp.memory import give_back
from VSClickCorrectApp.page_host import PageHost
from VSClickCorrectApp.page_keys import PAGE_KEYS
from VSClickCorrectApp.shown_case import ShownCase
from VSClickCorrectApp.status import Status
from VSClickCorrectApp.ui.help_ui import HELP
from VSClickCorrectApp.ui.page import TITLE, build_page
from VSClickCorrectApp.uploads import Uploads

_MISFIT = "the view was just being drawn in another shape, so that press did nothing; press again."


class BrowserApp:
    """One session: a scene, its views and a page; one process has one.

    What takes longer than a click runs in tasks of its own, which no trigger waits for: trame answers a
    browser's messages one after the other.

    Parameters
    ----------
    choice : Choice
        The networks.
    uploads : Uploads
        Where files from the browser go.
    server : Server, optional
        The trame server; the process's own if left out.
    """

    def __init__(self, choice: Choice, uploads: Uploads, server: Server | None = None) -> None:
        self.server = server or get_server(client_type="vue3")
        self.uploads = uploads
        slicer_app = _slicer_app()
        state = self.server.state
        self.status = Status(state)
        self.host = PageHost(state, self.status)
        self.flow = Workflow(
            self.host, slicer_app.scene, lambda case: ShownCase(slicer_app.scene, case), choice
        )
        workbench = self.flow.workbench
        workbench.closed.connect(give_back)
        self.views = ViewsLogic(self.server, slicer_app)
        workbench.opened.connect(self._show)
        workbench.closed.connect(self.views.clear)
        self.clicks = ClicksLogic(self.server, slicer_app, self.host, self.flow)
        tools = MaskTools(self.host, workbench)
        self.brush = BrushLogic(self.server, slicer_app, self.host, self.clicks, tools, self.views.pictures)
        self.display = DisplayLogic(self.server, self.flow, self.views)
        self.sequences = SequencesLogic(self.server, self.views)
        self.overlay = OverlayLogic(self.server, self.views)
        self.pointer = PointerLogic(
            self.server, self.host, self.views, self.display, self.overlay, self.sequences
        )
        workbench.closed.connect(self.sequences.close)
        workbench.closed.connect(self.overlay.clear)
        self.readout = ReadoutLogic(self.server, workbench, self.views, self.pointer)
        self.doubt = DoubtLogic(self.server, self.host, self.flow.next_place, self.views)
        self.strip = StripLogic(self.server, workbench, self.views)
        self.surface = SurfaceLogic(slicer_app, workbench, self.views, self.status)
        self.measures = MeasuresLogic(self.server, self.flow.measurer, self.status)
        self.parts = TumourPartsLogic(self.server, self.host, self.flow.parts)
        self.running = RunningLogic(self.server, self.host, self.flow)
        self.registration = RegistrationLogic(self.server, self.host, self.flow.registration)
        self.worklist = WorklistLogic(self.server, self.host, self.flow)
        self.settings = SettingsLogic(self.server, self.host, self.flow)
        self.follow_up = FollowUpLogic(self.server, self.host, self.flow, uploads)
        self.files = FilesLogic(self.server, self.host, self.flow, self.status, uploads)
        self.series = SeriesLogic(self.server, self.host, uploads)
        self.files.arrived.connect(self.series.look)
        self.files.changed.connect(self.series.update)
        self.series.changed.connect(self.files.show_names)
        self.follow_up.changed.connect(self.files.show_names)
        self.server.trigger("vs_click")(self.host.bound(self.click))
        self.server.trigger("vs_key")(self.press)
        self.server.trigger("vs_misfit")(lambda: self.status.fail(_MISFIT))
        self.server.trigger("vs_unmeasure")(self.overlay.remove)
        self.server.trigger("vs_wheel")(self.views.turn_wheel)
        self.server.enable_module(page_files)
        state.trame__title = TITLE
        state.vs_keys = {key.name: key.action for key in PAGE_KEYS}
        state.vs_held = [key.action for key in PAGE_KEYS if key.held]
        state.vs_repeated = [key.action for key in PAGE_KEYS if key.repeats]
        build_page(self)
        self._keys = self._actions()

    async def begin(self, source: Future[OpenedCase] | Worklist) -> None:
        """Open the first case, or the worklist, and load the networks."""
        await self.host.reported(self._begun(source))

    async def _begun(self, source: Future[OpenedCase] | Worklist) -> None:
        if isinstance(source, Worklist):
            await self.flow.worklist.begin(source)
        else:
            opened = await asyncio.wrap_future(source)
            # The page is there before a case that takes long to read.
            if self.flow.workbench.nodes is not None:
                raise ImageError(
                    f"another case was opened while {opened.name} was read, so that stays; "
                    f"start the app again to open {opened.name}."
                )
            self.flow.workbench.open(opened)
            self.status.say("Loading the models …")
            await self.flow.workbench.begin()
            self.status.say(opened.with_remarks(self.flow.workbench.what_to_do))

    def press(self, action: str) -> None:
        """Do what a key stands for; see `workflow.keys`."""
        if action in self._keys:
            self._keys[action]()

    def click(self, number: int, x: float, y: float) -> None:
        """Click, measure or look where a picture was pressed, whatever its view shows by now.

        Parameters
        ----------
        number : int
            The picture's.
        x, y : float
            0 to 1 from left to right and from top to bottom.

        Raises
        ------
        CorrectionError
            As `SentPictures.of`.
        """
        if self.pointer.click(number, x, y) or not (self.clicks.looking or self.clicks.places):
            return
        view, picture = self.views.pictures.of(number)
        point = picture.at(float(x), float(y))
        self.views.note_click(view, point)
        if self.clicks.looking:
            self.views.jump_to(point)
        else:
            self.clicks.place(point)

    def zoom(self) -> None:
        """Fill the slice views with the segment and its surroundings."""
        if self.flow.workbench.nodes is not None:
            mask = self.flow.workbench.nodes.mask
            box = mask.extent()
            if box is not None:
                self.views.zoom_to(mask.grid, box)

    def forget(self, sender: str) -> None:
        """Keep nothing of a window of the page that has gone."""
        self.files.forget(sender)
        # One whose connection broke told of no key or button that was let go.
        self.pointer.let_go(sender)
        self.host.forget(sender)

    def close(self) -> None:
        """Keep the worklist's case, stop what runs, and remove what was sent."""
        with self.status.reporting():
            self.flow.worklist.close()
        self.host.end()
        self.flow.warm.close()
        self.flow.workbench.close()
        self.uploads.close()

    def _show(self) -> None:
        self.views.show(self.flow.workbench.case)
        self.sequences.open(self.flow.workbench.case)
        self.zoom()

    def _place_at_crosshair(self) -> None:
        """Place a click where the crosshair is, once it is seen; nobody means what is shown nowhere."""
        shown = self.display.typed_state.data
        if not self.clicks.places or self.display.bare:
            return
        if shown.crosshair and self.views.crosshair_seen:
            self.clicks.place(self.views.crosshair_ras)
            return
        shown.crosshair = True
        self.views.bring_crosshair()
        self.status.fail(
            "the crosshair was not to be seen, so no click was placed; it is in the middle of the views now, "
            "press Enter again to place one there."
        )

    def _choose(self, tool: str) -> None:
        self.overlay.rest()
        self.clicks.choose(tool)

    def _actions(self) -> dict[str, Callable]:
        views, state = self.views, self.server.state
        actions: dict[str, Callable] = {
            "place": self._place_at_crosshair,
            "up": lambda: views.page_by(1),
            "down": lambda: views.page_by(-1),
            "top": lambda: views.page_to(views.typed_state.data.slices),
            "bottom": lambda: views.page_to(1),
            "left": lambda: views.move_crosshair(columns=-1),
            "right": lambda: views.move_crosshair(columns=1),
            "back": lambda: views.move_crosshair(rows=-1),
            "front": lambda: views.move_crosshair(rows=1),
            **{name: self.host.bound_to_shown(verb) for name, verb in self.flow.clicks.actions.items()},
            "next_place": self.doubt.next,
            "doubt": self.doubt.toggle,
            "candidate": self.running.next_candidate,
            "done": self.worklist.done,
            "next": self.worklist.next,
            "previous": self.worklist.previous,
            "skip": self.worklist.skip,
            "help": lambda: setattr(state, HELP, True),
            "fit": views.fit,
            "lines": self.overlay.toggle_lines,
            "measure": self.overlay.toggle_measuring,
            "unmeasure": self.overlay.remove,
            "window": self.display.next_window,
            "zoom": self.zoom,
        }
        for tool in (*(kind.value for kind in ClickKind), BRUSH, ERASER, LOOK):
            actions[tool] = lambda tool=tool: self._choose(tool)
        for action in ("start", "fill", "crosshair"):
            actions[action] = lambda switch=action: self.display.toggle(switch)
        actions["markers"] = lambda: self.display.toggle("clicks")
        return actions


def _slicer_app() -> SlicerApp:
    slicer_app = SlicerApp()
    # What VTK would print is about its own future, and nothing that a user could mend.
    vtk.vtkOutputWindow.GetInstance().SetDisplayModeToNever()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    # Slicer centres its views on a point that is pressed, be it one whose own press is heard of afterwards.
    points = slicer.vtkMRMLMarkupsFiducialNode()
    points.SetLocked(True)
    slicer_app.scene.AddDefaultNode(points)
    return slicer_app
