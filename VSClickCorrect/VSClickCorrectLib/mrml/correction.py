"""A correction session on MRML nodes: a point placed in a view becomes a change of the segment."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import slicer

from VSClickCorrectLib.errors import CorrectionError, VSClickError
from VSClickCorrectLib.imaging.click import Click, ClickKind
from VSClickCorrectLib.mrml.click_nodes import ClickNodes, Marker
from VSClickCorrectLib.mrml.observers import Observers
from VSClickCorrectLib.mrml.persistence import SceneJournal, stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, has_surface, refresh_surface
from VSClickCorrectLib.mrml.start import keep_start
from VSClickCorrectLib.mrml.volumes import case_of
from VSClickCorrectLib.session.correction import CorrectionSession, Proposer, Starter
from VSClickCorrectLib.session.edit import Edit
from VSClickCorrectLib.session.journal import Journal

_EVENTS = slicer.vtkMRMLMarkupsNode
Later = Callable[[Callable[[], None]], None]


@dataclass(frozen=True)
class ClickRow:
    """A click as a table shows it.

    Parameters
    ----------
    number : int
        The row, from 1.
    kind : ClickKind
        What the click says.
    slice_number : int
        The axial slice it lies in, from 1, counted upward.
    round : int
        Its round, from 1.
    voxels : int or None
        How many voxels it changed; None while it waits to be applied.
    position_ras : tuple of 3 float
        Where, in RAS mm of the world.
    """

    number: int
    kind: ClickKind
    slice_number: int
    round: int
    voxels: int | None
    position_ras: tuple[float, float, float]


class SceneCorrection:
    """Watches three lists of points, one a kind, and corrects a segment at each point that is placed.

    The points shown are always the clicks that stand and those that wait. A point that a user deletes takes
    its click's correction with it. The session's journal is kept in the scene, so that clicks, rounds and
    undo come back with it.

    Parameters
    ----------
    session : CorrectionSession
        On a `SegmentMask`; see `correct_segment`.
    segmentation_node : vtkMRMLSegmentationNode
        The mask's node, with which points and journal are stored and found again.
    on_edit : callable, optional
        Told each `Edit` that was made: by a click, by clicks applied together or by taking one back.
    on_error : callable, optional
        Told why a point could not be used or a deleted one not be taken back; the segment is then unchanged.
    on_change : callable, optional
        Called after everything that a panel shows may have changed.
    later : callable, optional
        Calls a function once the present event is over, as ``QTimer.singleShot(0, function)`` does: a point
        must not be removed while Slicer is still placing it. Without it that waits for the next method.

    Attributes
    ----------
    kind : ClickKind
        The kind of the clicks to come, for a panel to choose; see `click_node`.
    busy : bool
        Whether something else is being computed; points are refused while it is.
    surface_outdated : bool
        Whether the segmentation had a closed surface, which 3D views show, that a change has dropped.
    """

    def __init__(
        self,
        session: CorrectionSession,
        segmentation_node: slicer.vtkMRMLSegmentationNode,
        on_edit: Callable[[Edit], None] = lambda edit: None,
        on_error: Callable[[VSClickError], None] = lambda error: None,
        on_change: Callable[[], None] = lambda: None,
        later: Later | None = None,
    ) -> None:
        self.session = session
        self.kind = ClickKind.BOUNDARY
        self.busy = False
        self.surface_outdated = False
        self._collecting = False
        self._segmentation_node = segmentation_node
        self._on_edit, self._on_error, self._on_change, self._later = on_edit, on_error, on_change, later
        self._journal = SceneJournal(segmentation_node, cast(SegmentMask, session.mask).segment_id)
        self._nodes = ClickNodes(segmentation_node)
        self._observed: dict[ClickKind, tuple[slicer.vtkMRMLMarkupsFiducialNode, Observers]] = {}
        # What each point stands for: the number of a click that stands, or a negative one of `_waiting`.
        self._keys: dict[Marker, int] = {}
        self._waiting: dict[int, Click] = {}
        self._last_waiting = 0
        self._depth = 0
        self._untidy = True
        self._closed = False
        self._result: Edit | None = None
        self._journal.keep(session.journal)
        self.tidy()

    @property
    def next_undo(self) -> Edit | None:
        """What `undo` would take back."""
        done = self.session.history.done
        return done[-1] if done else None

    @property
    def next_redo(self) -> Edit | None:
        """What `redo` would do again."""
        undone = self.session.history.undone
        return undone[-1][0] if undone else None

    @property
    def collecting(self) -> bool:
        """Whether points wait for `apply_collected` instead of correcting at once."""
        return self._collecting

    @collecting.setter
    def collecting(self, collecting: bool) -> None:
        self._collecting = collecting

    @property
    def pending(self) -> list[Click]:
        """The clicks that wait for `apply_collected`, oldest first."""
        return list(self._waiting.values())

    @property
    def rows(self) -> list[ClickRow]:
        """The clicks that stand, oldest first, then those that wait."""
        standing = [(s.click, s.round, s.voxels) for s in self.session.standing]
        waiting = [(click, self.session.round, None) for click in self._waiting.values()]
        return [
            ClickRow(number, click.kind, self._slice_of(click), round_, voxels, click.position_ras)
            for number, (click, round_, voxels) in enumerate([*standing, *waiting], start=1)
        ]

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
        return self._nodes.node(kind or self.kind)

    def place(self, click: Click) -> Edit | None:
        """Place a point, as a view does.

        Returns
        -------
        Edit or None
            What it changed; None if it was refused, of which ``on_error`` is told, or if it waits.
        """
        self.tidy()
        self._result = None
        try:
            node = self._nodes.node(click.kind)
        except CorrectionError as error:
            self._on_error(error)
            return None
        node.AddControlPointWorld(*click.position_ras)
        self.tidy()
        return self._result

    def apply_collected(self) -> Edit:
        """Apply the clicks that wait, together; raises as `CorrectionSession.apply_together`."""
        with self._step():
            keys = list(self._waiting)
            edit = self.session.apply_together(self.pending)
            numbers = dict(zip(keys, edit.numbers, strict=True))
            self._keys = {marker: numbers.get(key, key) for marker, key in self._keys.items()}
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
        return self._take_back(self._key_of(row_number))

    def position(self, row_number: int) -> tuple[float, float, float]:
        """Return where the click of a row lies, RAS mm; raises `CorrectionError` if there is no such row."""
        self._key_of(row_number)
        return self.rows[row_number - 1].position_ras

    def undo(self) -> Edit:
        """Take the last edit back; raises as `CorrectionSession.undo`."""
        with self._step():
            edit = self.session.undo()
        self._changed()
        return edit

    def redo(self) -> Edit:
        """Do the last undone edit again; raises as `CorrectionSession.undo`."""
        with self._step():
            edit = self.session.redo()
        self._changed()
        return edit

    def next_round(self) -> int:
        """Begin the next round of clicks and return its number."""
        with self._step():
            number = self.session.next_round()
        self._changed()
        return number

    def refresh_surface(self) -> None:
        """Rebuild the closed surface if a change has dropped it; raises as `refresh_surface`."""
        if self.surface_outdated and self._segmentation_node.GetScene() is not None:
            refresh_surface(self._segmentation_node)
        self.surface_outdated = False

    def tidy(self) -> None:
        """Make the points those of the clicks that stand or wait; call it when nothing else happens.

        Every method does so first. It does nothing within a point's own event, after `close`, or once the
        segmentation has gone from the scene.
        """
        if self._closed or self._depth or self._segmentation_node.GetScene() is None:
            return
        if self._watch_nodes() or self._untidy:
            with self._deaf():
                self._show_clicks()
            self._untidy = False

    def close(self) -> None:
        """Stop watching for points; the segment, the points and the journal in the scene stay."""
        self._closed = True
        for _, observers in self._observed.values():
            observers.close()
        self._observed.clear()

    def _watch_nodes(self) -> bool:
        """Observe the lists of points; return whether one of them is new."""
        new = False
        for kind in ClickKind:
            node, known = self._nodes.node(kind), self._observed.get(kind)
            if known is not None and known[0] is node:
                continue
            if known is not None:
                known[1].close()
            observers = Observers(self)
            observers.add(node, _EVENTS.PointPositionDefinedEvent, SceneCorrection._point_placed, kind)
            observers.add(node, _EVENTS.PointRemovedEvent, SceneCorrection._point_removed, kind)
            self._observed[kind] = node, observers
            new = True
        return new

    def _show_clicks(self) -> None:
        wanted = {standing.number: standing.click for standing in self.session.standing} | self._waiting
        shown = self._nodes.markers()
        keys = {marker: key for marker, key in self._keys.items() if marker in shown and key in wanted}
        for marker in shown.keys() - keys.keys():
            self._nodes.remove(marker)
        for key in wanted.keys() - set(keys.values()):
            keys[self._nodes.add(wanted[key])] = key
        self._keys = keys

    def _point_placed(self, kind: ClickKind, index: int | None) -> None:
        # Undo, redo and loading send the event without an index: nobody placed a point.
        if self._depth or index is None:
            self._untidy = True
            return
        marker, click = self._nodes.at(kind, index)
        with self._deaf():
            try:
                self._check(click)
                self._keys.pop(marker, None)
                self._take(click, marker)
            except VSClickError as error:
                self._untidy = True
                self._on_error(error)
        self._tidy_later()

    def _take(self, click: Click, marker: Marker) -> None:
        edit = None
        if self._collecting:
            self._last_waiting -= 1
            key = self._last_waiting
            self._waiting[key] = click
        else:
            with self._step():
                edit = self.session.apply(click)
            (key,) = edit.numbers
        self._keys[marker] = key
        self._nodes.fix(marker)
        self._result = edit
        self._changed(edit)

    def _check(self, click: Click) -> None:
        self._check_idle()
        self.session.case.grid.ras_to_index(click.position_ras)

    def _check_idle(self) -> None:
        if self.busy:
            raise CorrectionError("something else is being computed; wait until it is done and click again.")

    def _point_removed(self, kind: ClickKind, index: int | None) -> None:
        del index
        if self._depth:
            return
        shown = self._nodes.markers()
        gone = [marker for marker in self._keys if marker.kind is kind and marker not in shown]
        with self._deaf():
            # The newest first: nothing then lies over the next one.
            for key in sorted((self._keys.pop(marker) for marker in gone), reverse=True):
                try:
                    self._take_back(key)
                except VSClickError as error:
                    self._untidy = True
                    self._on_error(error)
        self._tidy_later()

    def _take_back(self, key: int) -> Edit | None:
        edit = None
        with self._step():
            if key in self._waiting:
                del self._waiting[key]
            else:
                standing = {s.number: s for s in self.session.standing}
                edit = self.session.remove(standing[key])
        self._changed(edit)
        return edit

    def _changed(self, edit: Edit | None = None) -> None:
        self.tidy()
        if edit is not None:
            self._on_edit(edit)
        self._on_change()

    @contextmanager
    def _step(self) -> Iterator[None]:
        """Change the session; afterwards its journal is in the scene and its clicks are to be shown."""
        self._check_idle()
        had_surface = has_surface(self._segmentation_node)
        yield
        self.surface_outdated |= had_surface and not has_surface(self._segmentation_node)
        self._journal.keep(self.session.journal)
        self._untidy = True

    @contextmanager
    def _deaf(self) -> Iterator[None]:
        """Take no notice of points that are placed or removed meanwhile, and remove none."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def _tidy_later(self) -> None:
        if self._untidy and self._later is not None and not self._closed:
            reference = weakref.WeakMethod(self.tidy)
            self._later(lambda: (method := reference()) and method())

    def _key_of(self, row_number: int) -> int:
        keys = [s.number for s in self.session.standing] + list(self._waiting)
        if not 1 <= row_number <= len(keys):
            raise CorrectionError(f"there is no click {row_number}; choose one from the list.")
        return keys[row_number - 1]

    def _slice_of(self, click: Click) -> int:
        grid = self.session.case.grid
        order = grid.axial_order()
        index = grid.ras_to_index(click.position_ras)[order.axes[0]]
        return grid.axial_shape[0] - index if order.flips[0] else index + 1


def correct_segment(
    volume_nodes: tuple[slicer.vtkMRMLVolumeNode | None, slicer.vtkMRMLVolumeNode | None],
    segment: tuple[slicer.vtkMRMLSegmentationNode | None, str],
    corrector: Proposer,
    starter: Starter | None = None,
    journal_path: Path | None = None,
    **callbacks,
) -> SceneCorrection:
    """Correct a segment at each point that is placed from now on.

    The mask with which the first correction of the segment begins is kept in the scene (`mrml.start`).

    Parameters
    ----------
    volume_nodes : tuple of vtkMRMLVolumeNode or None
        T1ce and T2, of which one may be missing.
    segment : tuple of vtkMRMLSegmentationNode, or None if it is gone, and str
        The segmentation and the segment's ID in it. The journal that the scene holds for it is continued.
    corrector, starter
        As for `CorrectionSession`, whose errors are raised, and those of `SegmentMask` and `case_of`.
    journal_path : Path, optional
        A file in which the journal is kept too, each event on the disk before it is reported.
    **callbacks
        ``on_edit``, ``on_error``, ``on_change`` and ``later`` of `SceneCorrection`.

    Raises
    ------
    CorrectionError
        If there is no segmentation, or the file holds another journal than the scene.
    """
    t1ce_node, t2_node = volume_nodes
    segmentation_node, segment_id = segment
    if segmentation_node is None:
        raise CorrectionError("there is no segmentation to correct; choose or create one.")
    case = case_of(t1ce_node, t2_node)
    reference = t1ce_node or t2_node
    mask = SegmentMask(segmentation_node, segment_id, reference)
    journal = _journal_of(stored_journal(segmentation_node, segment_id) or "", journal_path)
    begun = bool(journal.events)
    session = CorrectionSession(case, mask, corrector, starter, journal=journal)
    if not begun:
        keep_start(segmentation_node, segment_id, reference)
    return SceneCorrection(session, segmentation_node, **callbacks)


def _journal_of(text: str, path: Path | None) -> Journal:
    """Return the journal of the scene, which is in the file too from now on if one is given."""
    if path is None:
        return Journal(text=text)
    if not text:
        return Journal(path)
    if not path.exists():
        Journal(text=text).save(path)
    journal = Journal(path)
    if journal.text != Journal(text=text).text:
        raise CorrectionError(
            f"the journal {path} tells of other clicks than the scene does; name another file for it."
        )
    return journal
