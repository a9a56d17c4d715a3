"""A correction session on MRML nodes: a point placed in a view becomes a change of the segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar, cast

import slicer
import vtk

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import CorrectionError, VSClickError
from VSClickCorrectLib.geometry.triples import Point3
from VSClickCorrectLib.mrml.click_mode import ClickMode
from VSClickCorrectLib.mrml.click_nodes import ClickNodes, Marker, waiting_label
from VSClickCorrectLib.mrml.click_rows import ClickRow, rows_of
from VSClickCorrectLib.mrml.look import SegmentLook
from VSClickCorrectLib.mrml.markers import ClickMarkers
from VSClickCorrectLib.mrml.observers import Observers, weakly
from VSClickCorrectLib.mrml.painting import Later, Painting, PaintingWatch
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, has_surface, refresh_surface
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.edit import Change, Edit

Result = TypeVar("Result")
# A segmentation's own, before somebody begins to correct it: its lists of points serve one correction.
_TAKEN_EVENT = vtk.vtkCommand.UserEvent + 4711


class SceneCorrection:
    """Watches three lists of points, one a kind, and corrects a segment at each point that is placed.

    The points shown are always the clicks that stand and those that wait. A point that a user deletes takes
    its click's correction with it. The session's journal is kept in the scene, so that clicks, rounds and
    undo come back with it.

    Parameters
    ----------
    session : CorrectionSession
        On a `SegmentMask`; see `correct_segment`.
    nodes : ClickNodes
        The points of the mask's segmentation, with which points and journal are stored and found again.
    on_edit : callable, optional
        Told each `Edit` that was made: by a click, by clicks applied together or by taking one back.
    on_error : callable, optional
        Told why a point could not be used or moved, or a deleted one not be taken back; the segment is then
        unchanged. Told of the end, too, where another correction of the segmentation begins.
    on_change : callable, optional
        Called after everything that a panel shows may have changed.
    later : callable, optional
        Calls a function once the present event is over, as ``QTimer.singleShot(0, function)`` does: a point
        must not be removed while Slicer is still placing it, nor painting be read before it is done. Without
        it both wait for the next method.
    mode : ClickMode, optional
        How points are taken, for a panel to choose; they wait for `apply_collected` from the start where
        points of an earlier correction of this segment still do.

    Attributes
    ----------
    mode : ClickMode
        As given.
    look : SegmentLook
        How slices show the segment until the correction ends.
    surface_outdated : bool
        Whether the segmentation had a closed surface, which 3D views show, that a change has dropped.
    ended : bool
        Whether it was closed.
    """

    def __init__(
        self,
        session: CorrectionSession,
        nodes: ClickNodes,
        on_edit: Callable[[Edit], None] = lambda edit: None,
        on_error: Callable[[VSClickError], None] = lambda error: None,
        on_change: Callable[[], None] = lambda: None,
        later: Later | None = None,
        mode: ClickMode | None = None,
    ) -> None:
        self.session = session
        self.mode = mode or ClickMode()
        self.surface_outdated = self.ended = False
        self._nodes, self._segmentation_node = nodes, nodes.segmentation_node
        self._on_edit, self._on_error, self._on_change, self._later = on_edit, on_error, on_change, later
        self._segment_id = cast(SegmentMask, session.mask).segment_id
        self._painting = Painting(session, nodes.segmentation_node)
        self._watch = PaintingWatch(self._painting, nodes.segmentation_node, on_error, later)
        self._observers = Observers(self)
        self._observers.add(nodes.segmentation_node, _TAKEN_EVENT, SceneCorrection._taken)
        self.look = SegmentLook(nodes.segmentation_node, self._segment_id)
        heard = weakly(self._placed), weakly(self._deleted), self._segment_id, weakly(self._moved)
        self._markers = ClickMarkers(self._nodes, *heard)
        # Clicks that wait to be applied, by negative keys; those that stand have their numbers for keys.
        self._waiting: dict[int, Click] = {}
        # How many edits were done when each began to wait.
        self._after: dict[int, int] = {}
        self._last_key = 0
        self._in_event = self._closed = False
        self._untidy = True
        self._take_up_waiting()
        if self._waiting:
            self.mode.collecting = True
        self.tidy()

    @property
    def next_undo(self) -> Edit | None:
        """What `undo` would take back."""
        return next(reversed(self.session.history.done), None)

    @property
    def next_redo(self) -> Edit | None:
        """What `redo` would do again."""
        return next((edit for edit, _ in reversed(self.session.history.undone)), None)

    @property
    def pending(self) -> list[Click]:
        """The clicks that wait for `apply_collected`, oldest first."""
        return list(self._waiting.values())

    @property
    def waits_last(self) -> bool:
        """Whether a click that waits was made after all that `undo` would take back."""
        last = next(reversed(self._waiting), 0)
        return last < 0 and len(self.session.history.done) <= self._after[last]

    @property
    def rows(self) -> list[ClickRow]:
        """The clicks that stand, oldest first, then those that wait."""
        return rows_of(self.session, self._waiting)

    @property
    def markers_visible(self) -> bool:
        """Whether the points are shown."""
        return self._nodes.visible

    @markers_visible.setter
    def markers_visible(self, shown: bool) -> None:
        self._nodes.visible = shown

    def click_node(self, kind: ClickKind | None = None) -> slicer.vtkMRMLMarkupsFiducialNode:
        """Return the list in which points of a kind, or of the chosen one, are placed.

        Raises
        ------
        CorrectionError
            If the segmentation was removed from the scene.
        """
        self.tidy()
        return self._nodes.node(kind or self.mode.kind)

    def kind_of(self, node_id: str | None) -> ClickKind | None:
        """Return the kind whose list of points has an ID, None if none has."""
        return next((kind for kind, node in self._nodes.existing() if node.GetID() == node_id), None)

    def place(self, click: Click) -> Edit | None:
        """Make a click; its point is shown once the click has done its work, or waits.

        Returns
        -------
        Edit or None
            What it changed; None if it was refused, of which ``on_error`` is told, or if it waits.
        """
        try:
            self.click_node(click.kind)
            return self._take(click)
        except VSClickError as error:
            self._on_error(error)
            return None

    def apply_collected(self) -> Edit:
        """Apply the clicks that wait, together; raises as `CorrectionSession.apply_together`."""
        with self._step():
            keys, edit = list(self._waiting), self.session.apply_together(self.pending)
        self._markers.rename(dict(zip(keys, edit.numbers, strict=True)))
        self._waiting.clear()
        self._changed(edit)
        return edit

    def remove(self, row_number: int) -> Edit | None:
        """Take back the click of a row.

        Returns
        -------
        Edit or None
            What changed; None if the click was still waiting.

        Raises
        ------
        CorrectionError
            If there is no such row, or as `CorrectionSession.remove`.
        """
        return self._take_back(self._row(row_number).key)

    def position(self, row_number: int) -> Point3:
        """Return where the click of a row lies, RAS mm; raises `CorrectionError` if there is no such row."""
        return self._row(row_number).position_ras

    def edit_by_hand(self, tool: str, change: Change) -> Edit:
        """Change voxels as one step of undo; raises as `CorrectionSession.edit_by_hand`."""
        with self._step():
            edit = self.session.edit_by_hand(tool, change)
        self._changed(edit)
        return edit

    def undo(self) -> Edit:
        """Take the last edit back; raises as `CorrectionSession.undo`."""
        return self._done(self.session.undo)

    def redo(self) -> Edit:
        """Do the last undone edit again; raises as `CorrectionSession.undo`."""
        return self._done(self.session.redo)

    def next_round(self) -> int:
        """Begin the next round of clicks and return its number."""
        return self._done(self.session.next_round)

    def previous_round(self) -> int:
        """Take a round back in which nothing was done; see `CorrectionSession.previous_round`."""
        return self._done(self.session.previous_round)

    def refresh_surface(self) -> None:
        """Rebuild the closed surface if a change has dropped it; raises as `segment_mask.refresh_surface`."""
        if self.surface_outdated and self._segmentation_node.GetScene() is not None:
            refresh_surface(self._segmentation_node)
        self.surface_outdated = False

    def tidy(self) -> None:
        """Make the points those of the clicks that stand or wait; call it when nothing else happens.

        Every method does so. It does nothing within a point's own event, after `close`, or once the
        segmentation has gone from the scene.
        """
        if self._closed or self._in_event or self._segmentation_node.GetScene() is None:
            return
        if self._markers.watch() or self._untidy:
            standing = {standing.number: standing.click for standing in self.session.standing}
            self._markers.show(standing | self._waiting)
            self._untidy = False

    def note_painting(self) -> None:
        """Write down now what was painted; if it cannot be, ``on_error`` is told."""
        self._watch.note()

    def rest(self) -> None:
        """Stop watching for points; what is painted in the segment is still written down until `close`."""
        self._closed = True
        self.look.restore()
        self._markers.close()

    def close(self) -> None:
        """Stop watching; the segment, the points and the journal in the scene stay."""
        self.rest()
        self._observers.close()
        self._watch.close()
        self.ended = True

    def _taken(self, _index: int | None) -> None:
        self.close()
        name = self._segmentation_node.GetName()
        sentence = f"'{name}' is corrected in another panel from now on; begin anew here to go on here."
        self._on_error(CorrectionError(sentence))

    def _placed(self, marker: Marker, click: Click) -> None:
        with self._event():
            try:
                self._nodes.check_view(marker)
                self._take(click, marker)
            except VSClickError as error:
                self._untidy = True
                self._on_error(error)

    def _take(self, click: Click, marker: Marker | None = None) -> Edit | None:
        """Correct by a click, or let it wait; it gets a point where a view has not placed one."""
        self._check_idle()
        edit = None
        if self.mode.collecting:
            self.session.check([click])
            self._wait(click, marker)
        else:
            with self._step():
                edit = self.session.apply(click)
            self._markers.link(click, edit.numbers[0], marker)
        self._report(edit)
        return edit

    def _wait(self, click: Click, marker: Marker | None) -> None:
        self._last_key -= 1
        self._waiting[self._last_key] = click
        self._after[self._last_key] = len(self.session.history.done)
        self._markers.link(click, self._last_key, marker)

    def _take_up_waiting(self) -> None:
        """Let points wait that waited when the scene was saved or the correction closed, or came since."""
        waited = self._nodes.labelled(waiting_label(self._segment_id))
        for marker, click in (waited | self._nodes.unfixed()).items():
            try:
                # Somebody may have moved it out of the image since.
                self.session.index_of(click)
                if marker not in waited:
                    self._nodes.check_view(marker)
                    self.session.check([click])
                self._wait(click, marker)
            except VSClickError as error:
                # Not yet: who begins tells what to do next.
                (self._later or (lambda tell: tell()))(partial(self._on_error, error))

    def _deleted(self, keys: list[int]) -> None:
        with self._event():
            # The newest first: nothing then lies over the next one.
            for key in sorted(keys, key=abs, reverse=True):
                try:
                    self._take_back(key)
                except VSClickError as error:
                    self._untidy = True
                    self._on_error(error)

    def _moved(self) -> None:
        with self._event():
            told, self._untidy = self._untidy, True
            # Whoever drags a point moves it many times.
            if not told:
                sentence = "a click stays where it was made; take it back and click where you want it."
                self._on_error(CorrectionError(sentence))

    def _take_back(self, key: int) -> Edit | None:
        edit = None
        with self._step():
            if key in self._waiting:
                del self._waiting[key]
            else:
                # Who was told of an edit just before may have taken this click back, too.
                for standing in (one for one in self.session.standing if one.number == key):
                    edit = self.session.remove(standing)
        self._changed(edit)
        return edit

    def _done(self, verb: Callable[[], Result]) -> Result:
        with self._step():
            result = verb()
        self._changed()
        return result

    def _changed(self, edit: Edit | None = None) -> None:
        self._untidy = True
        self.tidy()
        self._report(edit)

    def _report(self, edit: Edit | None) -> None:
        if edit is not None:
            self._on_edit(edit)
        self._on_change()

    @contextmanager
    def _step(self) -> Iterator[None]:
        """Change the session; what was painted before stands in its journal first, all of it in the scene."""
        self._check_idle()
        self._painting.note()
        had_surface = has_surface(self._segmentation_node)
        yield
        self.surface_outdated |= had_surface and not has_surface(self._segmentation_node)
        self._painting.settle()

    @contextmanager
    def _event(self) -> Iterator[None]:
        """Handle a point's own event, during which no point may be removed."""
        outer, self._in_event = self._in_event, True
        try:
            yield
        finally:
            self._in_event = outer
            if self._untidy and self._later is not None:
                self._later(weakly(self.tidy))

    def _check_idle(self) -> None:
        if self.mode.busy:
            raise CorrectionError("something else is being computed; wait until it is done and try again.")

    def _row(self, row_number: int) -> ClickRow:
        rows = self.rows
        if not 1 <= row_number <= len(rows):
            raise CorrectionError(f"there is no click {row_number}; choose one from the list.")
        return rows[row_number - 1]


def end_corrections(segmentation_node: slicer.vtkMRMLSegmentationNode) -> None:
    """End what corrects a segmentation by now, in another panel for instance; what it has done stays."""
    segmentation_node.InvokeEvent(_TAKEN_EVENT)
