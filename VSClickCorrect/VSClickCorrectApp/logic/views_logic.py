"""Which views there are, and what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import slicer
from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.core import SlicerApp
from trame_slicer.views import SliceView, ViewLayoutDefinition, ViewProps, ViewType
from VSClickCorrectLib.clicks.mask import middle_of
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3, point3
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.mrml.transforms import array_of
from VSClickCorrectLib.mrml.volume_files import sides_known
from VSClickCorrectLib.mrml.volumes import add_volume
from VSClickCorrectLib.workflow.observable import Signal
from vtkmodules.vtkRenderingCore import vtkRenderWindowInteractor

from VSClickCorrectApp.dragging import Buttons, ignore_empty_space
from VSClickCorrectApp.framing import (
    ViewFrame,
    center_on,
    fit_in_plane,
    frame_of,
    position_text,
    set_width,
    show_frame,
)
from VSClickCorrectApp.layouts import (
    ALL_VIEWS,
    AXIAL_VIEWS,
    LAYOUTS,
    SLICE_VIEWS,
    SURFACE_VIEW,
    TWINS,
    acquired_plane,
    places,
    plane_of,
)
from VSClickCorrectApp.memory import keep_surface
from VSClickCorrectApp.overlay import picture_of
from VSClickCorrectApp.pointing import Pointing, only_shift
from VSClickCorrectApp.rendering import register_factories
from VSClickCorrectApp.sent_pictures import SentPictures
from VSClickCorrectApp.slices import SliceStack

_BACKGROUND = "#000000"
# Priorities of observers that are called before Slicer's own and once those are done.
_BEFORE_SLICER, _AFTER_SLICER = 1.0, -1.0
# A view zoomed to the segment is this many times as wide, and at least so wide.
_SURROUNDINGS, _SMALLEST_MM = 2.5, 80.0


@dataclass
class ViewsState:
    """What the page knows of the views."""

    layout: str = "axial"
    slice: int = 1
    slices: int = 1
    areas: dict = field(default_factory=lambda: _all_places(AXIAL_VIEWS))
    shown: list = field(default_factory=list)
    enlarged: str = ""
    positions: dict = field(default_factory=dict)
    sides_known: bool = True


class ViewsLogic:
    """Makes and arranges the views, and keeps slice numbers and crosshair.

    A view shows what the user made it show, whatever size the page gives it; twins show the same part.
    All views stay on the page in every layout, hidden ones where they were last: what trame-rca makes for a
    view in the browser listens to the document even after the view is gone, and a hidden view that keeps its
    size keeps its drawing buffers.

    Parameters
    ----------
    server : Server
        The trame server; its state holds `ViewsState`.
    slicer_app : SlicerApp
        Scene and view manager.

    Attributes
    ----------
    moved : Signal(str)
        The slice view of a name shows another part of the patient, or has another size.
    buttons : dict of str to Buttons
        The buttons of the mouse, by view.
    """

    def __init__(self, server: Server, slicer_app: SlicerApp) -> None:
        self._app = slicer_app
        self._tell = server.state.flush
        self.moved = Signal()
        self.typed_state = TypedState(server.state, ViewsState)
        self.pictures = SentPictures()
        register_factories(slicer_app.view_manager, server, self.pictures)
        self._axial_views: Sequence[str] = AXIAL_VIEWS
        self._slices: SliceStack | None = None
        # Who looks at slices as they were acquired does so with the next case, too.
        self._acquired = ViewsState.layout
        self._pointings: list[Pointing] = []
        self.buttons: dict[str, Buttons] = {}
        # What views show that show the whole image, and what those show that are getting another size.
        self._whole: dict[str, ViewFrame] = {}
        self._resized: dict[str, ViewFrame] = {}
        for name in ALL_VIEWS:
            keep_surface(slicer_app.view_manager.create_view(_definition(name)).render_window())
        self._arrange()
        self.typed_state.bind_changes(
            {
                self.typed_state.name.layout: lambda _: self.enlarge(""),
                self.typed_state.name.slice: self.page_to,
            }
        )
        server.trigger("vs_enlarge")(self.enlarge)
        self._draw_images_first()
        for name in ALL_VIEWS:
            self.buttons[name] = Buttons(self.view(name))
        for name in SLICE_VIEWS:
            self._watch(self.view(name))
        surface = slicer_app.view_manager.get_view(SURFACE_VIEW)
        ignore_empty_space(surface, self.buttons[SURFACE_VIEW])
        surface.interactor().AddObserver(
            "MouseMoveEvent", lambda by, _: self._after_move_in_3d(by), _AFTER_SLICER
        )

    @property
    def slices(self) -> SliceStack | None:
        """The slices of the case that is shown, as they were acquired."""
        return self._slices

    @property
    def shows_3d(self) -> bool:
        """Whether the layout has a 3D view."""
        return self.typed_state.data.layout in ("planes", "surface")

    def show(self, nodes: CaseNodes) -> None:
        """Show a case in all views, in the middle of its segment or of the image."""
        grid = nodes.mask.grid
        self._slices = SliceStack(grid)
        shown = {"T1ce": nodes.t1ce, "T2": nodes.t2}
        self._axial_views = [name for name, node in shown.items() if node is not None]
        before, self._acquired = self._acquired, acquired_plane(grid)
        if self.typed_state.data.layout == before:
            self.typed_state.data.layout = self._acquired
        self.typed_state.data.sides_known = sides_known(nodes.reference)
        if self.typed_state.data.enlarged not in _all_places(self._axial_views):
            self.typed_state.data.enlarged = ""
        self._arrange()
        self.pictures.forget()
        for name in SLICE_VIEWS:
            view, volume = self.view(name), shown.get(name, nodes.reference)
            view.set_background_volume_id(volume.GetID() if volume else None)
            self._align(view, nodes.reference)
        self.fit()
        self.typed_state.data.slices = self._slices.count
        self.jump_to(middle_of(nodes.mask) or point3(grid.center_ras))

    def clear(self) -> None:
        """Show no case."""
        self._slices = None
        state = self.typed_state.data
        state.slice = state.slices = 1
        state.positions = {}

    def page_to(self, number: int) -> None:
        """Show the slice of a number."""
        if self._slices is not None and number != self._number():
            number = int(number)
            for name in self._paged_views:
                self._place(self._slices.moved(self._center(self._leading), number), self.view(name))
            self.crosshair.SetCrosshairRAS(*self._slices.moved(self.crosshair_ras, number))

    def page_by(self, step: int) -> None:
        """Page by some slices, upward for positive numbers."""
        self.page_to(self._number() + step)

    def turn_wheel(self, name: str, steps: int, zooms: bool) -> None:
        """Page or zoom one slice view by steps of the wheel, upward for positive numbers."""
        view = self.view(name)
        if zooms:
            view.zoom(1 - 0.9**steps)
        elif name in self._paged_views:
            self.page_by(steps)
        else:
            view.set_slice_value(view.get_slice_value() + steps * view.get_slice_step())

    def jump_to(self, ras: Point3) -> None:
        """Bring a point, world RAS mm, into the slices of all views and put the crosshair there."""
        if self._slices is None:
            return
        # Between two slices a view would show a mixture of both.
        whole = self._slices.moved(ras, self._slices.number_at(ras))
        for name in SLICE_VIEWS:
            self._place(whole if name in self._paged_views else ras, self.view(name))
        self.crosshair.SetCrosshairRAS(*(float(v) for v in ras))

    def zoom_to(self, grid: Grid, box: Box) -> None:
        """Fill all slice views with a box of voxels and what surrounds it."""
        corners = grid.index_to_ras(
            [(k, j, i) for k in _ends(box, 0) for j in _ends(box, 1) for i in _ends(box, 2)]
        )
        middle, size = corners.mean(axis=0), np.ptp(corners, axis=0).max()
        for name in SLICE_VIEWS:
            center_on(self.view(name), middle)
            set_width(self.view(name), max(_SMALLEST_MM, _SURROUNDINGS * float(size)))
        self.jump_to(point3(middle))

    def move_crosshair(self, columns: int = 0, rows: int = 0) -> None:
        """Move the crosshair by voxels of its slice, to the right and down the screen."""
        if self._slices is not None:
            self.jump_to(point3(self._slices.stepped(self.crosshair_ras, columns, rows)))

    @property
    def crosshair_ras(self) -> Point3:
        """Where the crosshair is, world RAS mm."""
        return point3(self.crosshair.GetCrosshairRAS())

    def note_click(self, view: SliceView, ras: Point3) -> None:
        """Put the crosshair to a point, world RAS mm, that was clicked in a view."""
        # Views are drawn in the order in which they ask for it: first the one that the user looks at.
        view.schedule_render()
        self.crosshair.SetCrosshairRAS(*ras)

    @property
    def crosshair_seen(self) -> bool:
        """Whether one of the views shows the slice and the part of it in which the crosshair is."""
        shown = [self.view(name) for name in self.typed_state.data.shown if name in SLICE_VIEWS]
        return any(picture_of(v).shows(self.crosshair_ras, v.get_slice_step() / 2) for v in shown)

    def lead_to(self, ras: Point3) -> None:
        """Jump to a point, world RAS mm, and bring it into view where only other parts of its slices are."""
        self.jump_to(ras)
        if not self.crosshair_seen:
            self.bring_crosshair()

    def bring_crosshair(self) -> None:
        """Bring the crosshair into the middle of all slice views, as wide as they are."""
        if not set(self.typed_state.data.shown) & set(SLICE_VIEWS):
            self.enlarge("")
        for name in SLICE_VIEWS:
            center_on(self.view(name), self.crosshair_ras)
        self.jump_to(self.crosshair_ras)

    def fit(self) -> None:
        """Zoom all slice views to the whole image."""
        # The other view of each plane follows.
        for name in (self._axial_views[0], TWINS["Coronal"][0], TWINS["Sagittal"][0]):
            self._fit(self.view(name))

    def enlarge(self, name: str) -> None:
        """Let one view fill the page, or the layout have it again where it does already or none is named."""
        state = self.typed_state.data
        state.enlarged = "" if name == state.enlarged or name not in ALL_VIEWS else name
        self._arrange()

    @property
    def crosshair(self) -> slicer.vtkMRMLCrosshairNode:
        """The scene's crosshair."""
        return self._app.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")

    @property
    def _paged_views(self) -> Sequence[str]:
        """The views that show slices as they were acquired."""
        return TWINS[self._acquired.title()]

    @property
    def _leading(self) -> SliceView:
        return self.view(self._axial_views[0] if self._acquired == "axial" else self._paged_views[0])

    def view(self, name: str) -> SliceView:
        """Return the slice view of a name."""
        return self._app.view_manager.get_view(name)

    def _draw_images_first(self) -> None:
        """Let the views make what draws their images before anything is drawn over these.

        VTK draws in the order in which things were added, and a translucent segment drawn before the image
        hides it.
        """
        blank = add_volume(
            self._app.scene, Volume(np.zeros((2, 2, 2), np.uint8), Grid((2, 2, 2), np.eye(4))), ""
        )
        for name in SLICE_VIEWS:
            self.view(name).set_background_volume_id(blank.GetID())
            self.view(name).set_background_volume_id(None)
        self._app.scene.RemoveNode(blank.GetDisplayNode())
        self._app.scene.RemoveNode(blank)

    def _watch(self, view: SliceView) -> None:
        # Smoothing edges eight times over is dear without a graphics card, and images have no edges.
        view.render_window().SetMultiSamples(0)
        self._pointings.append(Pointing(view, partial(self._on_pointed, view)))
        view.modified.connect(self._on_view_modified)
        name = view.get_singleton_tag()
        for priority, action in ((_BEFORE_SLICER, self._before_resize), (_AFTER_SLICER, self._after_resize)):
            view.interactor().AddObserver("WindowResizeEvent", lambda *_, do=action: do(name), priority)

    def _before_resize(self, name: str) -> None:
        self._resized[name] = frame_of(self.view(name))

    def _after_resize(self, name: str) -> None:
        view, frame = self.view(name), self._resized.pop(name)
        show_frame(view, frame)
        whole = self._whole.get(name)
        if whole is not None and whole.like(frame):
            self._fit(view)
        # The browser sends a size beside what it calls, which alone would tell it what has changed.
        self._tell()

    def _fit(self, view: SliceView) -> None:
        fit_in_plane(view)
        self._whole[view.get_singleton_tag()] = frame_of(view)

    def _on_pointed(self, view: SliceView, point: Point3) -> None:
        if only_shift(view.interactor()) and self.buttons[view.get_singleton_tag()].up:
            self.jump_to(point)

    def _after_move_in_3d(self, interactor: vtkRenderWindowInteractor) -> None:
        if self._slices is not None and only_shift(interactor):
            # Slicer has led all slices to what is under the pointer, be it between two of them.
            for view in map(self.view, self._paged_views):
                center = self._center(view)
                self._place(self._slices.moved(center, self._slices.number_at(center)), view)

    def _on_view_modified(self, view: SliceView) -> None:
        name = view.get_singleton_tag()
        if self._slices is None or name in self._resized:
            return
        self._show_position(view)
        self._follow(view)
        self.moved.emit(name)
        if view is self._leading and self.typed_state.data.slice != self._number():
            self.typed_state.data.slice = self._number()

    def _follow(self, leader: SliceView) -> None:
        """Let the other view of a plane show what this one shows."""
        frame = frame_of(leader)
        for view in map(self.view, TWINS[plane_of(leader.get_singleton_tag())]):
            if view is not leader and not frame.like(frame_of(view)):
                show_frame(view, frame)

    def _show_position(self, view: SliceView) -> None:
        state, name = self.typed_state.data, view.get_singleton_tag()
        text = position_text(view, state.sides_known)
        if state.positions.get(name) != text:
            state.positions = {**state.positions, name: text}

    def _number(self) -> int:
        return self._slices.number_at(self._center(self._leading)) if self._slices else 1

    def _center(self, view: SliceView) -> Point3:
        return point3(array_of(view.get_view_node().GetSliceToRAS())[:3, 3])

    def _place(self, ras, view: SliceView) -> None:
        with view.trigger_modified_once():
            view.get_view_node().JumpSliceByOffsetting(*(float(v) for v in ras))

    def _align(self, view: SliceView, volume: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Lay a view's slices along the voxels of the reference volume."""
        node = view.get_view_node()
        node.SetOrientationToDefault()
        node.RotateToVolumePlane(volume)

    def _arrange(self) -> None:
        state = self.typed_state.data
        shown = places(state.layout, self._axial_views, state.enlarged)
        state.areas = {**state.areas, **shown}
        state.shown = list(shown)
        self._app.view_manager.set_current_view_ids(list(shown))


def _all_places(axial: Sequence[str]) -> dict[str, str]:
    """Return a place for every view that any layout shows, first of all that among all planes."""
    return {name: area for layout in (*LAYOUTS, "planes") for name, area in places(layout, axial).items()}


def _ends(box: Box, axis: int) -> tuple[int, int]:
    return box.start[axis], box.stop[axis] - 1


def _definition(name: str) -> ViewLayoutDefinition:
    if name == SURFACE_VIEW:
        return ViewLayoutDefinition.threed_view(name=name, background_color=_BACKGROUND)
    properties = ViewProps(label=name, orientation=plane_of(name), background_color=_BACKGROUND, group=0)
    return ViewLayoutDefinition(name, ViewType.SLICE_VIEW, properties)
