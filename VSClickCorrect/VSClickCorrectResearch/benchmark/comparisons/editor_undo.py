"""Undo of one correction, against trame-slicer's editor, which keeps copies of the whole segmentation."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.edit import Edit
from VSClickCorrectLib.session.journal import edit_event
from VSClickCorrectLib.session.oracle import Oracle

from VSClickCorrectResearch.benchmark.comparisons.click_correction import Correction, correction_of
from VSClickCorrectResearch.benchmark.comparisons.comparison import Comparison, in_turns, require
from VSClickCorrectResearch.benchmark.timing import timed
from VSClickCorrectResearch.evaluation.metrics import dice

if TYPE_CHECKING:
    from VSClickCorrectResearch.benchmark.comparisons.segment_nodes import SegmentNodes

_TARGET = 100.0


def compare(case: Case, truth: np.ndarray, repeats: int, whole: bool = True) -> Comparison:
    """Take one correction back by our session and by the editor's undo, on the same nodes.

    Parameters
    ----------
    case : Case
        Its reference volume's grid is the segment's.
    truth : ndarray of bool
        The true mask, not empty, ``(K, J, I)``.
    repeats : int
        How often each takes it back.
    whole : bool
        Whether the segment's labelmap covers the whole volume, as that of an automatic mask written through
        ``slicer.util`` does; else it covers the tumour with a margin, and the editor has little to copy.

    Raises
    ------
    ProgramMissing
        If Slicer's Python packages or trame-slicer are not installed.
    """
    ours, reference, equal = _compared(case, truth, repeats, whole, _Copies, lambda written, undone: undone)
    covered = "the whole volume" if whole else "the tumour with a margin"
    return Comparison(
        f"undo alone / trame-slicer's editor, labelmap of {covered}",
        ours,
        reference,
        equal,
        target=_TARGET,
        note="CorrectionSession.undo and the undo stack of trame-slicer's SegmentationEditor took the same "
        f"correction back in the same segment, whose labelmap covers {covered}, no view open.",
    )


def compare_round_trip(case: Case, truth: np.ndarray, repeats: int) -> Comparison:
    """Write one correction so that it can be undone, and undo it; parameters and errors as for `compare`."""
    ours, reference, equal = _compared(case, truth, repeats, True, _Editor, operator.add)
    return Comparison(
        "write, record and undo / trame-slicer's editor",
        ours,
        reference,
        equal,
        target=_TARGET,
        note="What a session does with a change once it is known, its journal in memory, and the editor's "
        "set_segment_labelmap with the whole corrected array; then each one's undo; no view open.",
    )


def _compared(
    case: Case,
    truth: np.ndarray,
    repeats: int,
    whole: bool,
    editor: type[_Editor],
    counted: Callable[[float, float], float],
) -> tuple[tuple[float, ...], tuple[float, ...], float]:
    """Return our seconds, the other's, and how equal the masks were; ``counted`` takes write and undo."""
    require("slicer", "slicer-core")
    require("trame_slicer", "trame-slicer")
    from VSClickCorrectResearch.benchmark.comparisons.segment_nodes import segment_nodes

    correction = correction_of(case, truth)
    with segment_nodes(case, correction.start) as nodes:
        if whole:
            with nodes.slicer_modules():
                nodes.write_as_slicer(correction.start.astype(np.uint8))
        bout = _Bout(nodes, correction)
        ours = _Ours(CorrectionSession(case, nodes.mask, Oracle(truth)), correction)
        reference = editor(nodes, correction)
        # The first time, code and memory are cold.
        bout.times(ours)
        bout.times(reference)
        seconds = in_turns(
            repeats, lambda: counted(*bout.times(ours)), lambda: counted(*bout.times(reference))
        )
    return *seconds, bout.equal


class _Side(Protocol):
    """One that writes the correction into the segment, and takes it back."""

    def write(self) -> None:
        """Write it so that it can be undone."""

    def undo(self) -> None:
        """Take it back."""


class _Ours:
    def __init__(self, session: CorrectionSession, correction: Correction) -> None:
        self._session, self._correction = session, correction

    def write(self) -> None:
        """Do what `CorrectionSession.apply` does once it knows what a click changes."""
        change = self._correction.change.apply(self._session.mask)
        numbers = self._session.history.next_numbers(1)
        edit = Edit((self._correction.clicks[0],), 1, change, 0.0, numbers=numbers)
        self._session.journal.append(edit_event(edit, Oracle.identity, self._session.merge))
        self._session.history.push(edit)

    def undo(self) -> None:
        self._session.undo()


class _Editor:
    """The editor with its undo stack; it needs views for its tools alone, which are not used here."""

    def __init__(self, nodes: SegmentNodes, correction: Correction) -> None:
        from trame_slicer.core.segmentation_editor import SegmentationEditor
        from undo_stack import UndoStack

        self._stack = UndoStack()
        self._editor = SegmentationEditor(
            nodes.scene, nodes.application.GetModuleLogic("Segmentations"), None
        )
        self._editor.set_undo_stack(self._stack)
        self._editor.set_active_segmentation(nodes.segmentation, nodes.volume)
        self._nodes, self._correction = nodes, correction

    def write(self) -> None:
        """Write the whole array, as the editor does for a program."""
        modifier = self._editor.active_segment_modifier
        modifier.set_segment_labelmap(self._nodes.segment_id, self._correction.corrected)

    def undo(self) -> None:
        self._stack.undo()


class _Copies(_Editor):
    """The editor's copies and its undo, round our own write, which leaves the labelmap as large as it is."""

    def write(self) -> None:
        from trame_slicer.segmentation.segmentation_undo_command import SegmentationLabelMapUndoCommand

        # What each of the editor's tools does round its own change of the segment.
        with SegmentationLabelMapUndoCommand.push_state_change(self._editor.active_segmentation):
            self._correction.change.apply(self._nodes.mask)


class _Bout:
    """Both sides on one segment, and whether what they left there was right."""

    def __init__(self, nodes: SegmentNodes, correction: Correction) -> None:
        self._nodes, self._correction = nodes, correction
        self._scores: list[float] = []

    @property
    def equal(self) -> float:
        """The least Dice score of what a write or an undo left with what it should have left."""
        return min(self._scores)

    def times(self, side: _Side) -> tuple[float, float]:
        """Let a side write and undo; return the seconds of each."""
        written = timed(side.write)
        self._check(self._correction.corrected)
        undone = timed(side.undo)
        self._check(self._correction.start)
        return written, undone

    def _check(self, expected: np.ndarray) -> None:
        self._scores.append(dice(self._nodes.mask.read(self._nodes.mask.grid.box), expected))
