"""Brush and eraser on the page: from where the pointer went in a view to a stroke in the patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
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
from VSClickCorrectApp.overlay import Picture, picture_of
from VSClickCorrectApp.page_host import PageHost

SMALLEST_MM, LARGEST_MM = 0.5, 20.0
# Where the page finds by what names its state is called.
_NAMES = "vs_brush"
# A hand that draws for ten minutes.
_MOST_POINTS = 100_000
# Of how many pictures it is known where they lay: some seconds of the quickest paging in six views.
_MOST_PICTURES = 2000


@dataclass
class BrushState:
    """What the page knows of the brush.

    That is its radius, mm, and by view how many mm the shorter side shows, and the number of what is shown.
    """

    radius: float = 3.0
    widths: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, int] = field(default_factory=dict)


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
            "pictures": name.pictures,
            "range": [SMALLEST_MM, LARGEST_MM],
        }
        self._views = {view: slicer_app.view_manager.get_view(view) for view in (*AXIAL_VIEWS, *PLANE_VIEWS)}
        self._pictures: dict[int, Picture] = {}
        # By view what it shows now; what the page says of it is not relied upon.
        self._shown: dict[str, int] = {}
        self._numbers = count(1)
        for view in self._views.values():
            view.modified.connect(self._measure)
        server.trigger("vs_stroke")(host.bound_to_shown(self.stroke))

    def stroke(self, tool: str, number: int, radius_mm: float, places: Sequence[Sequence[Any]]) -> None:
        """Paint along a line that was drawn over a view, where that showed it as the line was begun.

        Parameters
        ----------
        tool : str
            `BRUSH` or `ERASER`.
        number : int
            Of what the view showed, whatever it shows by now.
        radius_mm : float
            The disc's.
        places : sequence of 2 float
            Where the pointer was: 0 to 1 from left to right and from top to bottom of the view.

        Raises
        ------
        CorrectionError
            If no page of ours would send that, or as `MaskTools.paint`.
        """
        picture = self._pictures.get(number) if isinstance(number, int) else None
        radius = float(radius_mm)
        known = tool in (BRUSH, ERASER) and SMALLEST_MM <= radius <= LARGEST_MM and _are_places(places)
        if picture is None or not known:
            raise CorrectionError("the stroke cannot be understood; load the page again.")
        points = [picture.at(x, y) for x, y in places]
        self._tools.paint(Stroke(points, point3(picture.normal), radius), adds=tool == BRUSH)

    def _measure(self, view: SliceView) -> None:
        widths, name = self.typed_state.data.widths, view.get_singleton_tag()
        width = round(frame_of(view).width_mm, 3)
        if widths.get(name) != width:
            self.typed_state.data.widths = {**widths, name: width}
        self._number(name, picture_of(view))

    def _number(self, name: str, picture: Picture) -> None:
        """Give what a view shows a number, and forget what was shown long ago."""
        if name in self._shown and picture.is_same(self._pictures[self._shown[name]]):
            return
        self._shown[name] = number = next(self._numbers)
        self._pictures[number] = picture
        self.typed_state.data.pictures = dict(self._shown)
        if len(self._pictures) > _MOST_PICTURES:
            shown = self._shown.values()
            del self._pictures[next(one for one in self._pictures if one not in shown)]


def _are_places(places: Sequence[Sequence[Any]]) -> bool:
    return 0 < len(places) <= _MOST_POINTS and all(
        # A pointer may leave its view, but not by much more than the screen.
        len(place) == 2 and all(isfinite(value) and abs(value) < 100 for value in place)
        for place in places
    )
