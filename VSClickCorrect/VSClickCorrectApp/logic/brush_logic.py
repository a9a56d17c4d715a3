"""Brush and eraser on the page: from where the pointer went in a view to a stroke in the patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.core import SlicerApp
from trame_slicer.views import SliceView
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.brush import Stroke
from VSClickCorrectLib.geometry.triples import point3
from VSClickCorrectLib.workflow.mask_tools import MaskTools

from VSClickCorrectApp.framing import frame_of
from VSClickCorrectApp.layouts import AXIAL_VIEWS, PLANE_VIEWS
from VSClickCorrectApp.logic.clicks_logic import BRUSH, ERASER, ClicksLogic
from VSClickCorrectApp.page_host import PageHost
from VSClickCorrectApp.pointing import point_at

SMALLEST_MM, LARGEST_MM = 0.5, 20.0
# Where the page finds by what names its state is called.
_NAMES = "vs_brush"
# A hand that draws for ten minutes.
_MOST_POINTS = 100_000


@dataclass
class BrushState:
    """What the page knows of the brush: its radius, mm, and how many mm a view's shorter side shows."""

    radius: float = 3.0
    widths: dict[str, float] = field(default_factory=dict)


class BrushLogic:
    """Takes strokes from the page, which draws them by itself until the pointer is up.

    Parameters
    ----------
    server : Server
        Its state holds `BrushState`.
    slicer_app : SlicerApp
        Has the views.
    host : PageHost
        Tells what goes wrong.
    clicks : ClicksLogic
        Knows the tool.
    tools : MaskTools
        Paint.
    """

    def __init__(
        self, server: Server, slicer_app: SlicerApp, host: PageHost, clicks: ClicksLogic, tools: MaskTools
    ) -> None:
        self._tools = tools
        self.keep_largest = host.bound_to_shown(tools.keep_largest)
        self.remove_islands = host.bound_to_shown(tools.remove_islands)
        self.fill_between = host.bound_to_shown(tools.fill_between)
        self.typed_state = TypedState(server.state, BrushState)
        name = self.typed_state.name
        server.state[_NAMES] = {
            "tool": clicks.typed_state.name.tool,
            "radius": name.radius,
            "widths": name.widths,
            "range": [SMALLEST_MM, LARGEST_MM],
        }
        self._views = {view: slicer_app.view_manager.get_view(view) for view in (*AXIAL_VIEWS, *PLANE_VIEWS)}
        for view in self._views.values():
            view.modified.connect(self._measure)
        server.trigger("vs_stroke")(host.bound_to_shown(self.stroke))

    def stroke(self, tool: str, name: str, radius_mm: float, places: Sequence[Sequence[Any]]) -> None:
        """Paint along a line that was drawn over a view.

        Parameters
        ----------
        tool : str
            `BRUSH` or `ERASER`.
        name : str
            The view's.
        radius_mm : float
            The disc's.
        places : sequence of 2 float
            Where the pointer was: 0 to 1 from left to right and from top to bottom of the view.

        Raises
        ------
        CorrectionError
            If no page of ours would send that, or as `MaskTools.paint`.
        """
        view, radius = self._views.get(name), float(radius_mm)
        known = view is not None and tool in (BRUSH, ERASER) and SMALLEST_MM <= radius <= LARGEST_MM
        if not known or not _are_places(places):
            raise CorrectionError("the stroke cannot be understood; load the page again.")
        self._tools.paint(_stroke(view, radius, places), adds=tool == BRUSH)

    def _measure(self, view: SliceView) -> None:
        widths, name = self.typed_state.data.widths, view.get_singleton_tag()
        width = round(frame_of(view).width_mm, 3)
        if widths.get(name) != width:
            self.typed_state.data.widths = {**widths, name: width}


def _are_places(places: Sequence[Sequence[Any]]) -> bool:
    return 0 < len(places) <= _MOST_POINTS and all(
        # A pointer may leave its view, but not by much more than the screen.
        len(place) == 2 and all(isfinite(value) and abs(value) < 100 for value in place)
        for place in places
    )


def _stroke(view: SliceView, radius: float, places: Sequence[Sequence[Any]]) -> Stroke:
    width, height = view.render_window().GetSize()
    points = [point_at(view, (x * width - 0.5, (1 - y) * height - 0.5)) for x, y in places]
    matrix = view.get_view_node().GetSliceToRAS()
    return Stroke(points, point3(matrix.GetElement(row, 2) for row in range(3)), radius)
