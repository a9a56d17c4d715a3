"""Undo of one correction, against trame-slicer's editor, which keeps copies of the whole segmentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from VSClickCorrectLib.benchmark.rivals.comparison import Comparison, in_turns, require, timed
from VSClickCorrectLib.benchmark.rivals.correction import Correction, correction_of
from VSClickCorrectLib.evaluation.metrics import dice
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.session.journal import change_event
from VSClickCorrectLib.simulation.oracle import Oracle

if TYPE_CHECKING:
    from VSClickCorrectLib.benchmark.rivals.segment_nodes import SegmentNodes


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
    RivalMissing
        If Slicer's Python packages or trame-slicer are not installed.
    """
    return _compared(case, truth, repeats, whole, lambda recording, undo: undo, "undo of one correction")


def compare_with_record(case: Case, truth: np.ndarray, repeats: int, whole: bool = True) -> Comparison:
    """As `compare`, but with what it takes to be able to undo: two copies, or the record of what flipped."""
    return _compared(
        case,
        truth,
        repeats,
        whole,
        lambda recording, undo: recording + undo,
        "record and undo of one correction",
    )


def _compared(
    case: Case,
    truth: np.ndarray,
    repeats: int,
    whole: bool,
    counted: Callable[[float, float], float],
    what: str,
) -> Comparison:
    require("slicer", "slicer-core")
    require("trame_slicer", "trame-slicer")
    from VSClickCorrectLib.benchmark.rivals.segment_nodes import segment_nodes

    correction, scores = correction_of(case, truth), []
    with segment_nodes(case, correction.start) as nodes:
        if whole:
            with nodes.slicer_modules():
                nodes.write_as_slicer(correction.start.astype(np.uint8))

        def undone(side: _Side) -> float:
            recording = side.correct()
            scores.append(dice(nodes.mask.read(case.grid.box), correction.corrected))
            seconds = counted(recording, timed(side.undo))
            scores.append(dice(nodes.mask.read(case.grid.box), correction.start))
            return seconds

        ours, theirs = _Ours(case, truth, nodes, correction), _Theirs(nodes, correction)
        undone(ours)
        undone(theirs)
        seconds = in_turns(repeats, lambda: undone(ours), lambda: undone(theirs))
    covered = "the whole volume" if whole else "the tumour with a margin"
    return Comparison(
        f"{what}, against trame-slicer's editor",
        *seconds,
        equal=min(scores),
        target=100.0,
        note="CorrectionSession.undo and the undo stack of trame-slicer's SegmentationEditor took back the "
        f"same correction of {sum(correction.change.count)} voxels in the same segment, whose labelmap "
        f"covers {covered}, no view open.",
    )


class _Side(Protocol):
    def correct(self) -> float:
        """Make the correction; return the seconds of what is done to be able to undo it."""

    def undo(self) -> object:
        """Take it back."""


class _Ours:
    def __init__(self, case: Case, truth: np.ndarray, nodes: SegmentNodes, correction: Correction) -> None:
        self._session = CorrectionSession(case, nodes.mask, Oracle(truth))
        self._correction = correction
        self.undo = self._session.undo

    def correct(self) -> float:
        edit = self._session.apply(self._correction.clicks[0])
        # Its record was made within `apply`: make it once more to time it.
        box = edit.change.box
        before, after = (
            values[box.slices] for values in (self._correction.start, self._correction.corrected)
        )
        return timed(lambda: change_event("edit", Change.between(box, before, after)))


class _Theirs:
    def __init__(self, nodes: SegmentNodes, correction: Correction) -> None:
        from trame_slicer.core.segmentation_editor import SegmentationEditor
        from undo_stack import UndoStack

        stack = UndoStack()
        # Without views: the editor needs them for its tools, which are not used here.
        self._editor = SegmentationEditor(
            nodes.scene, nodes.application.GetModuleLogic("Segmentations"), None
        )
        self._editor.set_undo_stack(stack)
        self._editor.set_active_segmentation(nodes.segmentation, nodes.volume)
        self._nodes, self._correction = nodes, correction
        self.undo = stack.undo

    def correct(self) -> float:
        from trame_slicer.segmentation.segmentation_undo_command import SegmentationLabelMapUndoCommand

        writing: list[float] = []

        def record() -> None:
            # What every tool of the editor does round its own change of the segment.
            with SegmentationLabelMapUndoCommand.push_state_change(self._editor.active_segmentation):
                writing.append(timed(lambda: self._correction.change.apply(self._nodes.mask)))

        return timed(record) - sum(writing)
