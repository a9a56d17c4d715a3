"""The section Worklist: many cases, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.mrml.observers import Observers
from VSClickCorrectLib.panel.section import Connection, Section
from VSClickCorrectLib.worklist.overview import Row

if TYPE_CHECKING:
    from VSClickCorrectLib.worklist.work_case import WorkCase


_CASE_BUTTONS = ("previousCaseButton", "nextCaseButton", "skipCaseButton", "noTumourButton", "doneCaseButton")


class WorklistSection(Section):
    """Shows the cases and how far they are."""

    def __init__(self, ui, desktop, flow) -> None:
        super().__init__(ui, desktop, flow)
        self.worklist = flow.worklist
        self.next, self.previous = self.bound(flow.worklist.next), self.bound(flow.worklist.previous)
        self.done, self.no_tumour = self.bound(flow.worklist.done), self.bound(flow.worklist.no_tumour)
        self.skip = self.bound(flow.worklist.skip)
        self._listed: list[Row] | None = None
        self._commented: WorkCase | None = None
        self._observers = Observers(self)
        # A button that is greyed out hands the focus to the comment, which would take the keys.
        for signal in (flow.workbench.opened, flow.workbench.closed):
            signal.connect(self.desktop.focus_views)
        self.ui.annotatorEdit.text = self.desktop.setting("Annotator")
        self.ui.worklistSourcePath.currentPath = self.desktop.setting("WorklistSource")
        self.ui.worklistOutputPath.currentPath = self.desktop.setting("WorklistOutput")

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [
            Connection("worklistFileButton", "clicked()", self.browse),
            Connection("openWorklistButton", "clicked()", self.open),
            Connection("caseSelector", "activated(int)", self.choose),
            Connection("previousCaseButton", "clicked()", self.previous),
            Connection("nextCaseButton", "clicked()", self.next),
            Connection("skipCaseButton", "clicked()", self.skip),
            Connection("noTumourButton", "clicked()", self.no_tumour),
            Connection("doneCaseButton", "clicked()", self.done),
            Connection("commentEdit", "textChanged(QString)", self._typed),
            Connection("commentEdit", "editingFinished()", self.worklist.keep_comment),
            Connection("commentEdit", "returnPressed()", self.desktop.focus_views),
        ]

    @property
    def actions(self) -> dict[str, Callable[[], None]]:
        """What the keys do, by the names that `workflow.keys` has."""
        return {"done": self.done, "next": self.next, "previous": self.previous, "skip": self.skip}

    def browse(self) -> None:
        """Choose a CSV list of cases; a folder is chosen beside the path."""
        path = self.ui.worklistSourcePath.currentPath.strip()
        chosen = self.desktop.ask_to_open(_("Choose a list of cases"), path, _("List of cases (*.csv)"))
        if chosen:
            self.ui.worklistSourcePath.currentPath = chosen

    def open(self) -> None:
        """Open the worklist and go to the case where the annotator stopped."""
        # Here a worklist begins: who corrects without one needs neither its store nor its readers.
        from VSClickCorrectLib.worklist.worklist import Worklist

        source, output = (
            edit.currentPath.strip() for edit in (self.ui.worklistSourcePath, self.ui.worklistOutputPath)
        )
        annotator = self.ui.annotatorEdit.text.strip()
        if not (source and output and annotator):
            raise WorklistError(_("a worklist needs its cases, a folder for the results and your initials."))
        for name, value in (("Annotator", annotator), ("WorklistSource", source), ("WorklistOutput", output)):
            self.desktop.keep_setting(name, value)
        self._watch_views()
        self.host.start(self.worklist.begin(Worklist.open(Path(source), Path(output), annotator)))

    def choose(self) -> None:
        """Keep the mask and go to the case that is chosen in the list, whatever its state."""
        self.host.start(self.worklist.go_to(self.worklist.rows[self.ui.caseSelector.currentIndex].case.name))

    def close(self) -> None:
        """Close the worklist; the scene stays as it is."""
        self._observers.close()
        self.worklist.close()

    def refresh(self) -> None:
        """See `Section.refresh`."""
        current, busy = self.worklist.current, self.flow.jobs.busy
        for name in (*_CASE_BUTTONS, "commentEdit"):
            getattr(self.ui, name).enabled = current is not None and not busy
        self.ui.doneCaseButton.enabled &= self.workbench.correction is not None
        self.ui.caseWidget.visible = self.worklist.worklist is not None
        self.ui.caseSelector.enabled = self.worklist.worklist is not None and not busy
        if self.worklist.rows is not self._listed:
            self._listed = self.worklist.rows
            self.ui.caseSelector.clear()
            self.ui.caseSelector.addItems([_row_text(row) for row in self._listed])
        cases = [row.case for row in self._listed]
        self.ui.caseSelector.currentIndex = cases.index(current) if current in cases else -1
        progress = self.worklist.progress
        self.ui.worklistProgress.maximum = max(progress.total, 1)
        self.ui.worklistProgress.value = progress.done + progress.skipped
        self.ui.caseLabel.text = self._case_text(current)
        if current is not self._commented:
            self._commented = current
            self.ui.commentEdit.text = self.worklist.comment

    def _case_text(self, current: WorkCase | None) -> str:
        if self.worklist.worklist is None:
            return _("No worklist is open.")
        if current is None:
            return _("No case is open; {progress}.").format(progress=self.worklist.progress)
        record = self.worklist.worklist.record(current.name)
        return _("{case}, {state}; {progress}.").format(
            case=record.case, state=_(record.state.value), progress=self.worklist.progress
        )

    def _typed(self) -> None:
        self.worklist.comment = self.ui.commentEdit.text.strip()

    def _watch_views(self) -> None:
        """Count looking as work: moving over a slice view moves Slicer's crosshair node along."""
        self._observers.close()
        crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshair is not None:
            event = slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent
            self._observers.add(crosshair, event, WorklistSection._worked)

    def _worked(self, _index: int | None) -> None:
        self.worklist.work()


def _row_text(row: Row) -> str:
    text = _("{case}, {state}").format(case=row.case.name, state=_(row.record.state.value))
    if row.holder:
        return _("{case}, open with {holder}").format(case=text, holder=row.holder)
    return f"{text}; {row.note}" if row.note else text
