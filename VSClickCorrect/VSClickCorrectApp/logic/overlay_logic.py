"""Scale bars, the lines in which views cut each other, and measured distances, kept up to date."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.views import SliceView
from VSClickCorrectLib.geometry.triples import Point3

from VSClickCorrectApp.layouts import SLICE_VIEWS, plane_of
from VSClickCorrectApp.logic.views_logic import ViewsLogic
from VSClickCorrectApp.overlay import Picture, cut, length_mm, picture_of, scale_bar

# What would be told as 0.0 mm.
_SHORTEST_MM = 0.05


@dataclass
class OverlayState:
    """What the page draws over each slice view; places are percent of the view."""

    lines: bool = False
    measuring: bool = False
    scales: dict = field(default_factory=dict)
    cuts: dict = field(default_factory=dict)
    distances: dict = field(default_factory=dict)


@dataclass
class _Distance:
    number: int
    start: Point3
    end: Point3
    dragged: bool

    @property
    def is_short(self) -> bool:
        """Whether there is no length yet that could be told."""
        return length_mm(self.start, self.end) < _SHORTEST_MM

    @property
    def text(self) -> str:
        """How long it is, or what is awaited."""
        return "second point?" if self.is_short else f"{length_mm(self.start, self.end):.1f} mm"


class OverlayLogic:
    """Follows the views; nothing of this is part of the mask, the journal or the scene.

    Parameters
    ----------
    server : Server
        Its state holds `OverlayState`.
    views : ViewsLogic
        The views.
    """

    def __init__(self, server: Server, views: ViewsLogic) -> None:
        self._views = views
        self._distances: list[_Distance] = []
        # No distance has the number of an earlier one, which the page may still show.
        self._numbers = count(1)
        self._open: _Distance | None = None
        self.typed_state = TypedState(server.state, OverlayState)
        name = self.typed_state.name
        self.typed_state.bind_changes(
            {
                name.lines: lambda _: self._draw_cuts(),
                name.measuring: lambda _: self._drop_open(),
            }
        )
        views.typed_state.bind_changes({views.typed_state.name.shown: lambda _: self._draw_cuts()})
        views.moved.connect(self._on_moved)

    @property
    def measuring(self) -> bool:
        """Whether the pointer measures."""
        return bool(self.typed_state.data.measuring)

    def toggle_lines(self) -> None:
        """Show or hide where the other views cut each view."""
        self.typed_state.data.lines = not self.typed_state.data.lines

    def toggle_measuring(self) -> None:
        """Let the pointer measure, or no more."""
        self.typed_state.data.measuring = not self.typed_state.data.measuring

    def rest(self) -> None:
        """Let the pointer measure no more."""
        self.typed_state.data.measuring = False

    def press(self, view: SliceView, picture: Picture, ras: Point3, dragged: bool = False) -> None:
        """Begin a distance at a point, RAS mm, of a picture, or end the one that is being measured there.

        One that was begun in another slice is left: no view would show it.
        """
        if self._views.slices is None:
            return
        begun = self._open
        if begun is not None and picture.distance(begun.start) > view.get_slice_step() / 2:
            self._distances.remove(begun)
            begun = None
        if begun is not None:
            begun.end, begun.dragged = ras, dragged
            # Who clicks twice in one place has not said how far.
            self._open = begun if begun.is_short else None
        else:
            self._open = _Distance(next(self._numbers), ras, ras, dragged)
            self._distances.append(self._open)
        self._draw_distances()

    def move(self, ras: Point3) -> None:
        """Let the distance that is being measured end at a point, RAS mm, for now."""
        if self._open is not None:
            self._open.end = ras
            self._draw_distances()

    def release(self) -> None:
        """End a distance that is dragged; where it has no length, the next press ends it."""
        if self._open is not None and self._open.dragged:
            self._open.dragged = False
            self._open = self._open if self._open.is_short else None

    def remove(self, number: int | None = None) -> None:
        """Remove the distance of a number, the last one if left out."""
        numbers = [distance.number for distance in self._distances]
        gone = number if number is not None else next(reversed(numbers), None)
        if gone in numbers:
            self._distances.pop(numbers.index(gone))
            self._open = None
            self._draw_distances()

    def clear(self) -> None:
        """Remove all distances, as with another case."""
        self._distances.clear()
        self._open = None
        self.typed_state.data.measuring = False
        self._draw_distances()

    def _drop_open(self) -> None:
        if not self.measuring and self._open is not None:
            self.remove()

    def _on_moved(self, name: str) -> None:
        data, picture = self.typed_state.data, picture_of(self._views.view(name))
        percent, text = scale_bar(picture)
        scale = {"width": round(percent, 3), "text": text}
        if data.scales.get(name) != scale:
            data.scales = {**data.scales, name: scale}
        self._draw_cuts()
        self._draw_distances()

    def _draw_cuts(self) -> None:
        shown = [name for name in SLICE_VIEWS if name in self._views.typed_state.data.shown]
        cuts: dict[str, list] = {name: [] for name in SLICE_VIEWS}
        if self.typed_state.data.lines:
            pictures = {name: picture_of(self._views.view(name)) for name in shown}
            for name in shown:
                # Twins lie in one plane, which cuts the others once.
                others = {plane_of(other): other for other in shown if plane_of(other) != plane_of(name)}
                for plane, other in others.items():
                    ends = cut(pictures[name], pictures[other])
                    if ends is not None:
                        cuts[name].append({"plane": plane, **_line(*ends)})
        if cuts != self.typed_state.data.cuts:
            self.typed_state.data.cuts = cuts

    def _draw_distances(self) -> None:
        drawn: dict[str, list] = {name: [] for name in SLICE_VIEWS}
        for name in SLICE_VIEWS if self._distances else ():
            picture = picture_of(self._views.view(name))
            near = self._views.view(name).get_slice_step() / 2
            for distance in self._distances:
                if max(picture.distance(distance.start), picture.distance(distance.end)) <= near:
                    ends = picture.place(distance.start), picture.place(distance.end)
                    drawn[name].append({"number": distance.number, "text": distance.text, **_line(*ends)})
        if drawn != self.typed_state.data.distances:
            self.typed_state.data.distances = drawn


def _line(start: tuple[float, float], end: tuple[float, float]) -> dict[str, str]:
    places = dict(zip(("x1", "y1", "x2", "y2"), (*start, *end), strict=True))
    return {name: f"{value}%" for name, value in places.items()}
