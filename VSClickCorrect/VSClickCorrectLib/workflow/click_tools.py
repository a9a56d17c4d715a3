"""Clicks: placing, rounds, undo and redo, and what is shown of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.geometry.triples import Point3
from VSClickCorrectLib.mrml.click_rows import ClickRow
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.outline import ChangeOutline
from VSClickCorrectLib.mrml.segment_correction import SceneCorrection
from VSClickCorrectLib.mrml.start_segment import show_start
from VSClickCorrectLib.session.edit import Edit
from VSClickCorrectLib.workflow.correction import WAITING, Segment, Workbench
from VSClickCorrectLib.workflow.host import Host


class ClickTools:
    """What a person does with the clicks of the correction under way.

    Every verb but `place` raises `CorrectionError` if nothing is being corrected.

    Parameters
    ----------
    host : Host
        The window.
    workbench : Workbench
        The correction.
    scene : vtkMRMLScene
        Where outlines are shown.
    """

    def __init__(self, host: Host, workbench: Workbench, scene: Any) -> None:
        self._host, self._workbench, self._scene = host, workbench, scene
        self._outline: ChangeOutline | None = None
        # Whose start is shown; when the correction stops, another segment may be chosen already.
        self._begun: Segment = (None, "")
        # How many waited when it was last told.
        self._told = 0
        self._markers, self._start, self._last_change, self._fill = True, False, False, False
        workbench.begun.connect(self._on_begun)
        workbench.edited.connect(self._show_last_change)
        workbench.changed.connect(self._tell_waiting)
        workbench.stopping.connect(self._on_stopping)

    @property
    def actions(self) -> dict[str, Callable[[], None]]:
        """What the keys do, by the names that `workflow.keys` has."""
        return {"next_round": self.next_round, "apply": self.apply, "undo": self.undo, "redo": self.redo}

    @property
    def rows(self) -> list[ClickRow]:
        """The clicks that stand, oldest first, then those that wait; none if nothing is being corrected."""
        correction = self._workbench.correction
        return correction.rows if correction is not None else []

    @property
    def waiting(self) -> int:
        """How many clicks wait to be applied together."""
        correction = self._workbench.correction
        return len(correction.pending) if correction is not None else 0

    @property
    def round(self) -> int:
        """The round, from 1."""
        correction = self._workbench.correction
        return correction.session.round if correction is not None else 1

    @property
    def next_undo(self) -> str:
        """What `undo` would take back, empty if nothing."""
        correction = self._workbench.correction
        if correction is None:
            return ""
        if correction.waits_last:
            return _("the last click that waits")
        if _begins_round(correction):
            return _("the beginning of round {number}").format(number=correction.session.round)
        return _described(correction.next_undo)

    @property
    def next_redo(self) -> str:
        """What `redo` would do again, empty if nothing."""
        correction = self._workbench.correction
        return _described(correction.next_redo) if correction is not None else ""

    def place(self, position_ras: Point3) -> None:
        """Place a click of the chosen kind at a point, world RAS mm."""
        self._workbench.under_way.place(Click(position_ras, self._workbench.mode.kind))

    def apply(self) -> None:
        """Correct by all clicks that wait."""
        self._workbench.under_way.apply_collected()

    def next_round(self) -> None:
        """Begin the next round; clicks that wait are applied first, they belong to this one.

        A round in which nothing was done goes on.
        """
        correction = self._workbench.under_way
        remark = correction.apply_collected().remark if correction.pending else ""
        if correction.session.round_is_empty:
            sentence = _("Nothing was done in round {number} yet, so it goes on.")
            self._host.say(sentence.format(number=correction.session.round))
            return
        begins = _("Round {number} begins.").format(number=correction.next_round())
        self._host.say(f"{begins} {remark}".strip())

    def undo(self) -> None:
        """Take back what was done last: a click that waits, the beginning of a round, or an edit."""
        correction = self._workbench.under_way
        if correction.waits_last:
            self.remove(len(correction.rows))
        elif _begins_round(correction):
            self._host.say(_("Round {number} goes on.").format(number=correction.previous_round()))
        else:
            self._moved(correction.undo(), _("Undone: {edit}."))

    def redo(self) -> None:
        """Do the last undone edit again, in its round."""
        correction = self._workbench.under_way
        edit = correction.next_redo
        if edit is not None and edit.round > correction.session.round:
            correction.next_round()
        self._moved(correction.redo(), _("Done again: {edit}."))

    def remove(self, number: int) -> None:
        """Take the click of a row back, and its correction."""
        if self._workbench.under_way.remove(number) is None:
            self._host.say(_("The waiting click was taken back."))

    def position(self, number: int) -> Point3:
        """Return where the click of a row lies, world RAS mm."""
        return self._workbench.under_way.position(number)

    def show_markers(self, shown: bool) -> None:
        """Show or hide the points of the clicks."""
        self._markers = shown
        if self._workbench.correction is not None:
            self._workbench.correction.markers_visible = shown

    def show_fill(self, shown: bool) -> None:
        """Fill the segment while it is corrected, or show its outline alone, as fill hides the border."""
        self._fill = shown
        if self._workbench.correction is not None:
            self._workbench.correction.look.filled = shown

    def show_start(self, shown: bool) -> None:
        """Show or hide the outline of the mask with which the correction began."""
        self._start = shown
        if self._begun[0] is not None:
            show_start(*self._begun, shown)

    def show_last_change(self, shown: bool) -> None:
        """Show or hide the outline of what the last edit changed."""
        self._last_change = shown
        self._show_last_change()

    def _on_begun(self) -> None:
        self._outline = ChangeOutline(self._scene, self._workbench.reference)
        self._begun = self._workbench.segment
        self.show_markers(self._markers)
        self.show_fill(self._fill)
        self.show_start(self._start)

    def _on_stopping(self) -> None:
        if self._outline is not None:
            self._outline.close()
        self._outline = None
        if self._begun[0] is not None:
            show_start(*self._begun, False)
        self._begun = None, ""

    def _show_last_change(self, _edit: Edit | None = None) -> None:
        if self._outline is None:
            return
        if self._last_change and self._workbench.last_edit is not None:
            self._outline.show(self._workbench.last_edit.change)
        else:
            self._outline.hide()

    def _tell_waiting(self) -> None:
        waiting = self.waiting
        if waiting > self._told:
            self._host.say(WAITING.format(count=waiting))
        self._told = waiting

    def _moved(self, edit: Edit, sentence: str) -> None:
        self._host.say(sentence.format(edit=edit.description))
        self._workbench.last_edit = None
        self._show_last_change()


def _begins_round(correction: SceneCorrection) -> bool:
    return correction.session.round > 1 and correction.session.round_is_empty


def _described(edit: Edit | None) -> str:
    return edit.description if edit is not None else ""
