"""Which views there are, and what they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import slicer
from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.core import SlicerApp
from trame_slicer.rca_view import register_rca_factories
from trame_slicer.views import SliceView, ViewLayoutDefinition, ViewProps, ViewType
from undo_stack import Signal

from VSClickCorrectLib.app.layouts import ALL_VIEWS, AXIAL_VIEWS, PLANE_VIEWS, SURFACE_VIEW, places
from VSClickCorrectLib.app.memory import keep_surface
from VSClickCorrectLib.app.pointing import Point, Pointing
from VSClickCorrectLib.app.shown_case import ShownCase
from VSClickCorrectLib.app.slices import AxialSlices
from VSClickCorrectLib.app.ui.views_ui import slice_view_ui, threed_view_ui
from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.volume import Volume
from VSClickCorrectLib.mrml.volumes import add_volume, sides_known

_BACKGROUND = "#000000"
# Priority of an observer that is called once Slicer's own are done.
_AFTER_SLICER = -1.0
# A view zoomed to the segment is this many times as wide, and at least so wide.
_SURROUNDINGS, _SMALLEST_MM = 2.5, 80.0


@dataclass
class ViewsState:
    """What the page knows of the views."""

    layout: str = "axial"
    slice: int = 1
    slices: int = 1
    areas: dict = field(default_factory=lambda: places("planes", AXIAL_VIEWS))
    shown: list = field(default_factory=list)
    sides_known: bool = True


class ViewsLogic:
    """Makes and arranges the views, and keeps slice numbers and crosshair.

    All views stay on the page in every layout, hidden ones where they were last: what trame-rca makes for a
    view in the browser listens to the document even after the view is gone, and a hidden view that keeps its
    size keeps its drawing buffers.

    Parameters
    ----------
    server : Server
        The trame server; its state holds `ViewsState`.
    slicer_app : SlicerApp
        Scene and view manager.
    """

    clicked = Signal(tuple)
    """A point, world RAS mm, was clicked in a slice view."""

    def __init__(self, server: Server, slicer_app: SlicerApp) -> None:
        self._app = slicer_app
        self.typed_state = TypedState(server.state, ViewsState)
        register_rca_factories(
            slicer_app.view_manager,
            server,
            slice_view_ui_f=partial(slice_view_ui, self.typed_state.name),
            three_d_view_ui_f=threed_view_ui,
            blur_fps=20.0,
            interactive_quality=80,
        )
        self._axial_views: Sequence[str] = AXIAL_VIEWS
        self._slices: AxialSlices | None = None
        self._pointings: list[Pointing] = []
        # What gave the views their zoom, done again when they get another size; None once the user zoomed.
        self._refit: Callable[[], None] | None = None
        for name in ALL_VIEWS:
            keep_surface(slicer_app.view_manager.create_view(_definition(name)).render_window())
        self._arrange()
        self.typed_state.bind_changes(
            {
                self.typed_state.name.layout: lambda _: self._arrange(),
                self.typed_state.name.slice: self.page_to,
            }
        )
        self._draw_images_first()
        for name in AXIAL_VIEWS + PLANE_VIEWS:
            self._watch(self._view(name))

    @property
    def slices(self) -> AxialSlices | None:
        """The axial slices of the case that is shown."""
        return self._slices

    @property
    def shows_3d(self) -> bool:
        """Whether the layout has a 3D view."""
        return self.typed_state.data.layout != "axial"

    def show(self, nodes: ShownCase) -> None:
        """Show a case in all views, in the middle of its segment or of the image."""
        grid = nodes.mask.grid
        self._slices = AxialSlices(grid)
        shown = {"T1ce": nodes.t1ce, "T2": nodes.t2}
        self._axial_views = [name for name, node in shown.items() if node is not None]
        self._arrange()
        for name in AXIAL_VIEWS + PLANE_VIEWS:
            view, volume = self._view(name), shown.get(name, nodes.reference)
            view.set_background_volume_id(volume.GetID() if volume else None)
            self._align(view, nodes.reference)
        self.typed_state.data.slices = self._slices.count
        self.typed_state.data.sides_known = sides_known(nodes.reference)
        box = nodes.mask.extent()
        middle = grid.center_ras if box is None else grid.index_to_ras((np.add(box.start, box.stop) - 1) / 2)
        self.jump_to(middle)

    def page_to(self, number: int) -> None:
        """Show the axial slice of a number."""
        if self._slices is not None and number != self._number():
            number = int(number)
            for name in AXIAL_VIEWS:
                self._place(self._slices.moved(self._center(self._axial), number), self._view(name))
            self.crosshair.SetCrosshairRAS(*self._slices.moved(self.crosshair_ras, number))

    def page_by(self, step: int) -> None:
        """Page by some axial slices, upward for positive numbers."""
        self.page_to(self._number() + step)

    def turn_wheel(self, name: str, steps: int, zooms: bool) -> None:
        """Page or zoom one slice view by steps of the wheel, upward for positive numbers."""
        view = self._view(name)
        if zooms:
            self._refit = None
            view.zoom(1 - 0.9**steps)
        elif name in AXIAL_VIEWS:
            self.page_by(steps)
        else:
            view.set_slice_value(view.get_slice_value() + steps * view.get_slice_step())

    def jump_to(self, ras: Point) -> None:
        """Bring a point, world RAS mm, into the slices of all views and put the crosshair there."""
        if self._slices is None:
            return
        # Between two slices an axial view would show a mixture of both.
        whole = self._slices.moved(ras, self._slices.number_at(ras))
        for name in AXIAL_VIEWS:
            self._place(whole, self._view(name))
        for name in PLANE_VIEWS:
            self._place(ras, self._view(name))
        self.crosshair.SetCrosshairRAS(*(float(v) for v in ras))

    def zoom_to(self, grid: Grid, box: Box) -> None:
        """Fill all slice views with a box of voxels and what surrounds it."""
        self._refit = lambda: self.zoom_to(grid, box)
        corners = grid.index_to_ras(
            [(k, j, i) for k in _ends(box, 0) for j in _ends(box, 1) for i in _ends(box, 2)]
        )
        middle, size = corners.mean(axis=0), np.ptp(corners, axis=0).max()
        for name in AXIAL_VIEWS + PLANE_VIEWS:
            self._view(name).get_view_node().JumpSliceByCentering(*(float(v) for v in middle))
            self._set_width(self._view(name), max(_SMALLEST_MM, _SURROUNDINGS * float(size)))
        self.jump_to(middle)

    def move_crosshair(self, columns: int = 0, rows: int = 0) -> None:
        """Move the crosshair by voxels of the axial slice, to the right and down the screen."""
        if self._slices is not None:
            self.jump_to(self._slices.stepped(self.crosshair_ras, columns, rows))

    @property
    def crosshair_ras(self) -> Point:
        """Where the crosshair is, world RAS mm."""
        return tuple(self.crosshair.GetCrosshairRAS())

    def fit(self) -> None:
        """Zoom all slice views to the whole image."""
        self._refit = self.fit
        for name in AXIAL_VIEWS + PLANE_VIEWS:
            self._view(name).fit_view_to_content()

    @property
    def crosshair(self) -> slicer.vtkMRMLCrosshairNode:
        """The scene's crosshair."""
        return self._app.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")

    @property
    def _axial(self) -> SliceView:
        return self._view(self._axial_views[0])

    def _view(self, name: str) -> SliceView:
        return self._app.view_manager.get_view(name)

    def _draw_images_first(self) -> None:
        """Let the views make what draws their images before anything is drawn over these.

        VTK draws in the order in which things were added, and a translucent segment drawn before the image
        hides it.
        """
        blank = add_volume(
            self._app.scene, Volume(np.zeros((2, 2, 2), np.uint8), Grid((2, 2, 2), np.eye(4))), ""
        )
        for name in AXIAL_VIEWS + PLANE_VIEWS:
            self._view(name).set_background_volume_id(blank.GetID())
            self._view(name).set_background_volume_id(None)
        self._app.scene.RemoveNode(blank.GetDisplayNode())
        self._app.scene.RemoveNode(blank)

    def _watch(self, view: SliceView) -> None:
        # Smoothing edges eight times over is dear without a graphics card, and images have no edges.
        view.render_window().SetMultiSamples(0)
        self._pointings.append(Pointing(view, self._on_clicked))
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view.get_view_node())
        composite.SetLinkedControl(True)
        composite.SetHotLinkedControl(True)
        view.modified.connect(self._on_view_modified)
        view.interactor().AddObserver("WindowResizeEvent", self._on_resized, _AFTER_SLICER)
        view.interactor().AddObserver("RightButtonPressEvent", self._on_user_zooms)

    def _on_resized(self, *_event) -> None:
        if self._refit is not None:
            self._refit()

    def _on_user_zooms(self, *_event) -> None:
        self._refit = None

    def _on_clicked(self, point: Point) -> None:
        self.crosshair.SetCrosshairRAS(*point)
        self.clicked.emit(point)

    def _on_view_modified(self, view: SliceView) -> None:
        if self._slices is not None and view is self._axial and self.typed_state.data.slice != self._number():
            self.typed_state.data.slice = self._number()

    def _set_width(self, view: SliceView, width_mm: float) -> None:
        node = view.get_view_node()
        x, y, z = node.GetFieldOfView()
        scale = width_mm / min(x, y)
        node.SetFieldOfView(x * scale, y * scale, z)

    def _number(self) -> int:
        return self._slices.number_at(self._center(self._axial)) if self._slices else 1

    def _center(self, view: SliceView) -> Point:
        matrix = view.get_view_node().GetSliceToRAS()
        return tuple(matrix.GetElement(row, 3) for row in range(3))

    def _place(self, ras, view: SliceView) -> None:
        with view.trigger_modified_once():
            view.get_view_node().JumpSliceByOffsetting(*(float(v) for v in ras))

    def _align(self, view: SliceView, volume: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Lay a view's slices along the voxels of the reference volume and show all of it."""
        node = view.get_view_node()
        node.SetOrientationToDefault()
        node.RotateToVolumePlane(volume)
        view.fit_view_to_content()

    def _arrange(self) -> None:
        state = self.typed_state.data
        shown = places(state.layout, self._axial_views)
        state.areas = {**state.areas, **shown}
        state.shown = list(shown)
        self._app.view_manager.set_current_view_ids(list(shown))


def _ends(box: Box, axis: int) -> tuple[int, int]:
    return box.start[axis], box.stop[axis] - 1


def _definition(name: str) -> ViewLayoutDefinition:
    if name == SURFACE_VIEW:
        return ViewLayoutDefinition.threed_view(name=name, background_color=_BACKGROUND)
    orientation = "Axial" if name in AXIAL_VIEWS else name
    properties = ViewProps(label=name, orientation=orientation, background_color=_BACKGROUND, group=0)
    return ViewLayoutDefinition(name, ViewType.SLICE_VIEW, properties)
