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
from VSClickCorrectLib.geometry.triples import point3

from VSClickCorrectApp.brush import Stroke
from VSClickCorrectApp.framing import frame_of
from VSClickCorrectApp.layouts import SLICE_VIEWS
from VSClickCorrectApp.logic.clicks_logic import BRUSH, ERASER, ClicksLogic
from VSClickCorrectApp.mask_tools import MaskTools
from VSClickCorrectApp.page_host import PageHost
from VSClickCorrectApp.sent_pictures import SentPictures

SMALLEST_MM, LARGEST_MM = 0.5, 20.0
# Where the page finds by what names its state is called.
_NAMES = "vs_brush"
# A hand that draws for ten minutes.
_MOST_POINTS = 100_000


@dataclass
class BrushState:
    """What the page knows of the brush.

    That is its radius, mm, and by view how many mm the shorter side shows.
    """

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
    pictures : SentPictures
        What is painted on.
    """

    def __init__(
        self,
        server: Server,
        slicer_app: SlicerApp,
        host: PageHost,
        clicks: ClicksLogic,
        tools: MaskTools,
        pictures: SentPictures,
    ) -> None:
        self._tools, self._pictures = tools, pictures
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
        for name in SLICE_VIEWS:
            slicer_app.view_manager.get_view(name).modified.connect(self._measure)
        server.trigger("vs_stroke")(host.bound_to_shown(self.stroke))

    def stroke(self, tool: str, number: int, radius_mm: float, places: Sequence[Sequence[Any]]) -> None:
        """Paint along a line that was drawn over a view, where that showed it as the line was begun.

        Parameters
        ----------
        tool : str
            `BRUSH` or `ERASER`.
        number : int
            Of the picture that was on the screen, whatever the view shows by now.
        radius_mm : float
            The disc's.
        places : sequence of 2 float
            Where the pointer was: 0 to 1 from left to right and from top to bottom of the view.

        Raises
        ------
        CorrectionError
            If no page of ours would send that, or as `SentPictures.of` and `MaskTools.paint`.
        """
        radius = float(radius_mm)
        known = tool in (BRUSH, ERASER) and SMALLEST_MM <= radius <= LARGEST_MM and _are_places(places)
        if not known:
            raise CorrectionError("the stroke cannot be understood; load the page again.")
        _, picture = self._pictures.of(number)
        points = [picture.at(x, y) for x, y in places]
        self._tools.paint(Stroke(points, point3(picture.normal), radius), adds=tool == BRUSH)

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
