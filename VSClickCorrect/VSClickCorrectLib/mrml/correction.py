"""A correction session on MRML nodes: a point placed in a view becomes a change of the segment."""

from __future__ import annotations

from collections.abc import Callable

import slicer

from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.imaging.click import Click
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.mrml.clicks import ClickObserver
from VSClickCorrectLib.mrml.persistence import store_journal, stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.session.correction import DEFAULT_MERGE, CorrectionSession, Proposer, Starter
from VSClickCorrectLib.session.edit import Edit
from VSClickCorrectLib.session.journal import Journal


class SceneCorrection:
    """Watches a list of points and corrects a segment at each point that is placed.

    The session's journal is kept in the scene, so that clicks, rounds and undo come back with it.

    Parameters
    ----------
    session : CorrectionSession
        On a `SegmentMask`; see `session_on`.
    segmentation_node : vtkMRMLSegmentationNode
        The mask's node, with which the journal is stored and found again.
    markups_node : vtkMRMLMarkupsFiducialNode
        Where clicks are placed.
    on_edit : callable, optional
        Told each `Edit` a click made.
    on_error : callable, optional
        Told why a click could not be applied; the segment is then unchanged.
    """

    def __init__(
        self,
        session: CorrectionSession,
        segmentation_node: slicer.vtkMRMLSegmentationNode,
        markups_node: slicer.vtkMRMLMarkupsFiducialNode,
        on_edit: Callable[[Edit], None] = lambda edit: None,
        on_error: Callable[[VSClickError], None] = lambda error: None,
    ) -> None:
        self.session = session
        self._segmentation_node = segmentation_node
        self._on_edit = on_edit
        self._on_error = on_error
        self._observer = ClickObserver(markups_node, self._clicked, on_error)
        self._store()

    def undo(self) -> Edit:
        """Take the last edit back; raises as `CorrectionSession.undo`."""
        return self._stored(self.session.undo())

    def redo(self) -> Edit:
        """Do the last undone edit again; raises as `CorrectionSession.undo`."""
        return self._stored(self.session.redo())

    def next_round(self) -> int:
        """Begin the next round of clicks and return its number."""
        return self._stored(self.session.next_round())

    def close(self) -> None:
        """Stop watching for clicks; the segment and the journal in the scene stay."""
        self._observer.close()

    def _clicked(self, click: Click, index: int) -> None:
        del index
        try:
            edit = self.session.apply(click)
        except VSClickError as error:
            self._on_error(error)
            return
        self._on_edit(self._stored(edit))

    def _stored(self, result):
        self._store()
        return result

    def _store(self) -> None:
        scene = self._segmentation_node.GetScene()
        if scene is not None:
            store_journal(scene, self._segmentation_node, self.session.journal.text)


def session_on(
    case: Case,
    mask: SegmentMask,
    segmentation_node: slicer.vtkMRMLSegmentationNode,
    corrector: Proposer,
    starter: Starter | None = None,
    merge: str = DEFAULT_MERGE,
) -> CorrectionSession:
    """Return a session on a segment, continuing the journal that the scene holds for it.

    Parameters
    ----------
    case : Case
        The sequences (see `mrml.volumes.case_of`).
    mask : SegmentMask
        The segment to correct.
    segmentation_node : vtkMRMLSegmentationNode
        Its node.
    corrector, starter, merge
        As for `session.correction.CorrectionSession`, whose errors are raised.
    """
    journal = Journal(text=stored_journal(segmentation_node) or "")
    return CorrectionSession(case, mask, corrector, starter, merge, journal)
