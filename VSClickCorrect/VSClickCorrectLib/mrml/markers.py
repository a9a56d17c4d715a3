"""The points shown for the clicks of a correction, and what is done to them in the views."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import slicer

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.triples import triple
from VSClickCorrectLib.mrml.click_nodes import ClickNodes, Marker, point_of, waiting_label
from VSClickCorrectLib.mrml.observers import Observers

_EVENTS = slicer.vtkMRMLMarkupsNode
# Less is rounding, of a transform over the points for instance.
_MOVED_MM = 0.05


class ClickMarkers:
    """Knows which point stands for which click, and hears of points that others place and remove.

    Clicks are known by keys, whole numbers that the owner gives them; those of clicks that wait are negative.

    Parameters
    ----------
    nodes : ClickNodes
        The lists of points.
    placed : callable
        Takes the `Marker` and the `Click` of a point that was placed.
    removed : callable
        Takes the keys of the points that were removed.
    segment_id : str
        The segment that is clicked on. Points of clicks that wait are labelled with it, so that they are
        found again; those that wait for other segments are hidden until it is their turn.
    moved : callable
        Called when a point no longer lies where its click is; `show` lays it there again.
    """

    def __init__(
        self,
        nodes: ClickNodes,
        placed: Callable[[Marker, Click], None],
        removed: Callable[[list[int]], None],
        segment_id: str = "",
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        self._nodes, self._placed, self._removed, self._moved = nodes, placed, removed, moved
        self._segment_id = segment_id
        self._keys: dict[Marker, int] = {}
        self._clicks: dict[Marker, Click] = {}
        self._observed: dict[ClickKind, tuple[slicer.vtkMRMLMarkupsFiducialNode, Observers]] = {}
        self._showing = False

    def watch(self) -> bool:
        """Make the lists that are missing and listen to all; return whether one is new."""
        new = False
        for kind in ClickKind:
            node, known = self._nodes.node(kind), self._observed.get(kind)
            if known is not None and known[0] is node:
                continue
            if known is not None:
                known[1].close()
            observers = Observers(self)
            observers.add(node, _EVENTS.PointPositionDefinedEvent, ClickMarkers._hear_placed, kind)
            observers.add(node, _EVENTS.PointRemovedEvent, ClickMarkers._hear_removed, kind)
            observers.add(node, _EVENTS.PointPositionUndefinedEvent, ClickMarkers._hear_removed, kind)
            observers.add(node, _EVENTS.PointModifiedEvent, ClickMarkers._hear_modified, kind)
            self._observed[kind] = node, observers
            new = True
        return new

    def close(self) -> None:
        """Listen no more; closing twice does no harm."""
        for _, observers in self._observed.values():
            observers.close()
        self._observed.clear()

    def show(self, clicks: dict[int, Click]) -> None:
        """Make the points those of the clicks, given by their keys, and no others.

        Points that are there already, from an earlier correction or a loaded scene, stay.
        """
        with self._own_changes():
            points = self._nodes.markers()
            self._take_over(points, clicks)
            for marker in points.keys() | self._keys.keys():
                key = self._keys.get(marker)
                if key is None and self._nodes.waits_for(marker) not in ("", self._segment_id):
                    self._nodes.hide(marker)
                elif marker not in points or key is None or clicks.get(key) != self._clicks[marker]:
                    self._forget(marker)
                    self._nodes.remove(marker)
                elif _is_away(points[marker], clicks[key]):
                    self._nodes.lay(marker, clicks[key])
                    self.link(clicks[key], key, marker)
            for key in sorted(clicks.keys() - set(self._keys.values()), key=abs):
                self.link(clicks[key], key)

    def link(self, click: Click, key: int, marker: Marker | None = None) -> None:
        """Let a point, or a new one, stand for a click from now on; it cannot be dragged away."""
        with self._own_changes():
            marker = marker or self._nodes.add(click)
            self._nodes.fix(marker, waiting_label(self._segment_id, -key) if key < 0 else "")
        self._keys[marker], self._clicks[marker] = key, click

    def rename(self, keys: dict[int, int]) -> None:
        """Give clicks other keys."""
        for marker, key in self._keys.items():
            if key in keys:
                self._keys[marker] = keys[key]
                self._nodes.fix(marker)

    def _hear_placed(self, kind: ClickKind, index: int | None) -> None:
        if self._showing:
            return
        if index is not None:
            marker, click = point_of(self._observed[kind][0], kind, index)
            # A view may have taken a point that was there for the one under its pointer.
            self._forget(marker)
            self._placed(marker, click)
            return
        # Slicer's own undo and redo, and points given in bulk, name none: all that are new count as placed.
        for marker, click in self._nodes.came(kind).items():
            if marker not in self._keys and self._nodes.waits_for(marker) in ("", self._segment_id):
                self._placed(marker, click)

    def _hear_removed(self, kind: ClickKind, index: int | None) -> None:
        del index
        if self._showing:
            return
        points = self._nodes.markers()
        gone = [marker for marker in self._keys if marker.kind is kind and marker not in points]
        keys = [self._keys[marker] for marker in gone]
        for marker in gone:
            self._forget(marker)
        if keys:
            self._removed(keys)

    def _hear_modified(self, kind: ClickKind, index: int | None) -> None:
        if self._showing:
            return
        node = self._observed[kind][0]
        points = self._nodes.markers() if index is None else dict([point_of(node, kind, index)])
        if any(marker in points and _is_away(points[marker], self._clicks[marker]) for marker in self._keys):
            self._moved()

    def _take_over(self, points: dict[Marker, Click], clicks: dict[int, Click]) -> None:
        """Let points that stand for nothing yet stand for clicks of their kind and place."""
        free: dict[Click, list[Marker]] = {}
        for marker in points.keys() - self._keys.keys():
            free.setdefault(_rounded(points[marker]), []).append(marker)
        for key in clicks.keys() - set(self._keys.values()):
            here = free.get(_rounded(clicks[key]))
            if here:
                self.link(clicks[key], key, here.pop())

    def _forget(self, marker: Marker) -> None:
        self._keys.pop(marker, None)
        self._clicks.pop(marker, None)

    @contextmanager
    def _own_changes(self) -> Iterator[None]:
        showing, self._showing = self._showing, True
        try:
            yield
        finally:
            self._showing = showing


def _is_away(point: Click, click: Click) -> bool:
    return math.dist(point.position_ras, click.position_ras) > _MOVED_MM


def _rounded(click: Click) -> Click:
    # Saved scenes keep positions to some digits only.
    return Click(triple(round(float(v), 2) for v in click.position_ras), click.kind)
