"""The section Worklist: many cases, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import slicer
from slicer.i18n import tr as _

from VSClickCorrectLib.errors import (
    CaseLost,
    CaseTaken,
    CorrectionError,
    VSClickError,
    WorklistError,
    enough_memory,
)
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.mrml.observers import Observers
from VSClickCorrectLib.panel.section import Connection, Section
from VSClickCorrectLib.worklist.overview import Progress, Row
from VSClickCorrectLib.worklist.work_case import WorkCase
from VSClickCorrectLib.worklist.worklist import Worklist

BEAT_MS = 10_000
_CASE_BUTTONS = ("previousCaseButton", "nextCaseButton", "skipCaseButton", "doneCaseButton")


class WorklistSection(Section):
    """Opens cases, keeps what is done on them and goes on to the next."""

    def __init__(self, panel) -> None:
        super().__init__(panel)
        self.worklist: Worklist | None = None
        self._nodes: CaseNodes | None = None
        # Looking them up asks for every case's file, too often for a click.
        self._rows: list[Row] | None = None
        self._observers = Observers(self)
        self.ui.annotatorEdit.text = self.desktop.setting("Annotator")
        self.ui.worklistSourcePath.currentPath = self.desktop.setting("WorklistSource")
        self.ui.worklistOutputPath.currentPath = self.desktop.setting("WorklistOutput")

    @property
    def is_open(self) -> bool:
        """Whether a case of a worklist is open."""
        return self.worklist is not None and self.worklist.current is not None

    @property
    def origin(self) -> Path | None:
        """The file or folder from which the open case's images were read, None without a worklist."""
        current = self.worklist.current if self.worklist is not None else None
        return (current.t1ce or current.t2) if current is not None else None

    @property
    def journal_path(self) -> Path | None:
        """Where the present case's journal is kept, None without a worklist."""
        return self.worklist.journal_path if self.worklist is not None and self.is_open else None

    @property
    def journal_guard(self) -> Callable[[], None]:
        """What keeps the present case's journal from being written once the case is not ours."""
        return self.worklist.journal_guard if self.worklist is not None and self.is_open else lambda: None

    def check_volumes(self) -> None:
        """Raise `WorklistError` if a case is open and other volumes than its own are chosen."""
        if self.worklist is None or self.worklist.current is None:
            return
        parameters = self.panel.parameters
        if self._nodes is None or not self._nodes.has_volumes(parameters.t1ce, parameters.t2):
            sentence = _("other volumes than those of case {case} are chosen; choose its own, or leave it.")
            raise WorklistError(sentence.format(case=self.worklist.current.name))

    def check_own(self) -> None:
        """Raise `WorklistError` if a case is open and volumes or segment that are chosen are not its own."""
        self.check_volumes()
        case, nodes = self.worklist.current if self.worklist is not None else None, self._nodes
        if case is None or nodes is None or nodes.has_segmentation(self.panel.parameters.segmentation):
            return
        sentence = _(
            "the segment was not made on the images of case {case}; choose the case's own, or copy the "
            "segment into it."
        )
        raise WorklistError(sentence.format(case=case.name))

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [
            Connection("worklistFileButton", "clicked()", self.browse),
            Connection("openWorklistButton", "clicked()", self.open),
            Connection("caseSelector", "activated(int)", self.choose),
            Connection("previousCaseButton", "clicked()", self.previous),
            Connection("nextCaseButton", "clicked()", self.next),
            Connection("skipCaseButton", "clicked()", self.skip),
            Connection("doneCaseButton", "clicked()", self.done),
            Connection("commentEdit", "editingFinished()", self.comment),
        ]

    def browse(self) -> None:
        """Choose a CSV list of cases; a folder is chosen beside the path."""
        path = self.ui.worklistSourcePath.currentPath.strip()
        chosen = self.desktop.ask_to_open(_("Choose a list of cases"), path, _("List of cases (*.csv)"))
        if chosen:
            self.ui.worklistSourcePath.currentPath = chosen

    def open(self) -> None:
        """Open the worklist and go to the case where the annotator stopped."""
        source, output = (
            edit.currentPath.strip() for edit in (self.ui.worklistSourcePath, self.ui.worklistOutputPath)
        )
        annotator = self.ui.annotatorEdit.text.strip()
        if not (source and output and annotator):
            raise WorklistError(_("a worklist needs its cases, a folder for the results and your initials."))
        if not self.leave():
            return
        for name, value in (
            ("Annotator", annotator),
            ("WorklistSource", source),
            ("WorklistOutput", output),
        ):
            self.desktop.keep_setting(name, value)
        self.worklist = Worklist.open(Path(source), Path(output), annotator)
        self._watch_views()
        self._go(self.worklist, self.worklist.resume)
        self.desktop.later(BEAT_MS, self._beat)

    def next(self) -> None:
        """Keep the mask and go to the next case that waits."""
        self._move(lambda worklist: worklist.next())

    def previous(self) -> None:
        """Keep the mask and go to the case before."""
        self._move(lambda worklist: worklist.previous())

    def choose(self) -> None:
        """Keep the mask and go to the case that is chosen in the list, whatever its state."""
        worklist = self.worklist
        if worklist is None:
            return
        case = worklist.cases[self.ui.caseSelector.currentIndex]
        if case is not worklist.current and self._let_go():
            self._go(worklist, lambda: self._taken(worklist, case.name))
        self.panel.refresh()

    def skip(self) -> None:
        """Leave the case out and go on."""
        self._keep()
        worklist = self._opened()
        worklist.skip(self.ui.commentEdit.text.strip())
        self._go(worklist, worklist.next)

    def done(self) -> None:
        """Write the label and go on."""
        worklist = self._opened()
        if self.panel.correction is None:
            raise CorrectionError(_("this case has no segment yet; find the tumour first, or skip the case."))
        self.comment()
        worklist.done(*self._mask())
        self._go(worklist, worklist.next)
        if worklist.remark:
            self.panel.say(worklist.remark)

    def comment(self) -> None:
        """Keep the reader's comment."""
        text = self.ui.commentEdit.text.strip()
        if self.worklist is not None and self.is_open:
            self.worklist.update(comment=text)

    def edited(self) -> None:
        """Tell the worklist how the case stands."""
        correction = self.panel.correction
        if self.worklist is None or not self.is_open or correction is None:
            return
        session = correction.session
        self.worklist.update(
            clicks=len(session.clicks), rounds=session.round, models=[session.corrector.identity]
        )

    def starting_over(self) -> None:
        """Forget the journal of the open case: another mask takes the place of the one it tells of.

        Raises
        ------
        WorklistError
            As `check_volumes`, as the mask would be that of other images.
        """
        self.check_volumes()
        if self.worklist is not None and self.is_open:
            self.worklist.start_over()

    def leave(self) -> bool:
        """Keep the mask, take the case and its images out of the scene; return whether that was done."""
        if not self._let_go():
            return False
        self.close()
        self._clear()
        return True

    def close(self) -> None:
        """Close the worklist; the scene stays as it is."""
        self._observers.close()
        if self.worklist is not None:
            self.worklist.close()
        self.worklist = self._rows = None

    def refresh(self) -> None:
        """See `Section.refresh`."""
        ready = self.is_open and not self.panel.running.busy
        for name in (*_CASE_BUTTONS, "commentEdit"):
            getattr(self.ui, name).enabled = ready
        self.ui.doneCaseButton.enabled = ready and self.panel.correction is not None
        self.ui.caseSelector.enabled = self.worklist is not None and not self.panel.running.busy
        if self.worklist is None:
            self.ui.caseSelector.clear()
            self.ui.caseLabel.text = _("No worklist is open.")
            return
        if self._rows is None:
            self._rows = self.worklist.rows()
            self.ui.caseSelector.clear()
            self.ui.caseSelector.addItems([_row_text(row) for row in self._rows])
        current = self.worklist.current
        self.ui.caseSelector.currentIndex = self.worklist.cases.index(current) if current else -1
        progress = Progress.of(self._rows)
        self.ui.worklistProgress.maximum = max(progress.total, 1)
        self.ui.worklistProgress.value = progress.done + progress.skipped
        self.ui.caseLabel.text = self._case_text(self.worklist, progress)

    def _case_text(self, worklist: Worklist, progress: Progress) -> str:
        if worklist.current is None:
            return _("No case is open; {progress}.").format(progress=progress)
        record = worklist.record(worklist.current.name)
        return _("{case}, {state}; {progress}.").format(
            case=record.case, state=_(record.state.value), progress=progress
        )

    def _watch_views(self) -> None:
        """Count looking as work: moving over a slice view moves Slicer's crosshair node along."""
        crosshair = self.panel.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshair is not None:
            event = slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent
            self._observers.add(crosshair, event, WorklistSection._worked)

    def _worked(self, _index: int | None) -> None:
        if self.worklist is not None:
            self.worklist.work()

    def _opened(self) -> Worklist:
        if self.worklist is None or not self.is_open:
            raise WorklistError(_("no case is open; open a worklist first."))
        return self.worklist

    def _move(self, step) -> None:
        worklist = self._opened()
        if not self._let_go():
            return
        before = worklist.current
        self._go(worklist, lambda: step(worklist))
        if worklist.current is before:
            self.panel.say(_("There is no other case in that direction."))

    def _keep(self) -> None:
        """Keep the mask of the open case, painting by hand included."""
        if self.worklist is not None and self.is_open and self.panel.correction is not None:
            self.worklist.keep(*self._mask())

    def _mask(self) -> tuple[np.ndarray, Grid, str]:
        """Return the open case's mask, which its journal gives back too, its grid and whose it is."""
        self.check_own()
        workbench = self.panel.workbench
        workbench.under_way.note_painting()
        return workbench.values(), workbench.grid, self._nodes.name if self._nodes is not None else ""

    def _let_go(self) -> bool:
        """Keep comment and mask before another case is opened; return whether to go on.

        What was done after somebody took the case over cannot be kept, which the annotator is told.
        """
        try:
            self.comment()
            self._keep()
        except CaseLost as error:
            return self.desktop.confirm(_("{error} Leave it?").format(error=error.sentence))
        return True

    def _taken(self, worklist: Worklist, name: str) -> WorkCase | None:
        """Open a case, where somebody else has it only if the annotator says so."""
        try:
            return worklist.go_to(name)
        except CaseTaken as taken:
            question = _(
                "Case {case} is open with {holder}. Take it over? What they did until now is kept; what they "
                "go on to do is not."
            )
            if not self.desktop.confirm(question.format(case=taken.case, holder=taken.holder)):
                return None
            return worklist.go_to(name, take_over=True)

    def _go(self, worklist: Worklist, step: Callable[[], WorkCase | None]) -> None:
        """Open another case by ``step`` and show it."""
        case, self._rows = step(), None
        if case is None and self.is_open:
            return
        self._clear()
        if case is None:
            self.panel.refresh()
            self.panel.say(_("No case waits any more: {progress}.").format(progress=worklist.progress()))
            return
        with self.desktop.waiting():
            # Showing that the program is busy lets a second click of a button through.
            if worklist.current is case:
                self._show(worklist, case, *self._read(worklist, case))

    def _read(self, worklist: Worklist, case: WorkCase) -> tuple[Case, np.ndarray | None]:
        """Read a case as work on it was left; one that cannot be read is given up."""
        try:
            with enough_memory():
                images = worklist.load()
                return images, worklist.saved_mask(images.grid, images)
        except VSClickError as error:
            worklist.give_up(error)
            self._rows = None
            self.panel.refresh()
            raise

    def _show(self, worklist: Worklist, case: WorkCase, images: Case, start: np.ndarray | None) -> None:
        self._nodes = CaseNodes(self.panel.scene, images.t1ce, images.t2, case.name)
        self.panel.parameters.t1ce, self.panel.parameters.t2 = self._nodes.t1ce, self._nodes.t2
        self.desktop.show_volumes(self._nodes.t1ce or self._nodes.t2, self._nodes.t2)
        self.ui.commentEdit.text = worklist.record(case.name).comment
        if start is not None and self.panel.advanced.install():
            segmentation, segment_id, _mask = self._nodes.add_mask(start, case.name)
            self.panel.start.choose(segmentation, segment_id)
            self.panel.begin()
        self.panel.refresh()
        task = _("{case}: correct the segment.") if start is not None else _("{case}: find the tumour.")
        self.panel.say(" ".join([*images.remarks, task.format(case=case.name)]))

    def _clear(self) -> None:
        """Take the images and the segment of the case that was shown out of the scene."""
        self.panel.stop()
        if self.panel.parameters is not None and self._nodes is not None:
            chosen = self.panel.parameters.segmentation
            self._nodes.remove(chosen if self._nodes.has_segmentation(chosen) else None)
        self._nodes = None

    def _beat(self) -> None:
        if self.worklist is not None:
            self.desktop.later(BEAT_MS, self._beat)
            self.worklist.beat()


def _row_text(row: Row) -> str:
    text = _("{case}, {state}").format(case=row.case.name, state=_(row.record.state.value))
    return _("{case}, open with {holder}").format(case=text, holder=row.holder) if row.holder else text
