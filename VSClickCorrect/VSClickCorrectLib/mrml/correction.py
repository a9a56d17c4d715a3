"""A correction session on MRML nodes: a point placed in a view becomes a change of the segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import slicer

from VSClickCorrectLib.errors import CorrectionError, VSClickError
from VSClickCorrectLib.imaging.click import Click
from VSClickCorrectLib.mrml.clicks import ClickObserver
from VSClickCorrectLib.mrml.persistence import store_journal, stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.mrml.volumes import case_of
from VSClickCorrectLib.session.correction import CorrectionSession, Proposer, Starter
from VSClickCorrectLib.session.edit import Edit
from VSClickCorrectLib.session.journal import Journal


class SceneCorrection:
    """Watches a list of points and corrects a segment at each point that is placed.

    The session's journal is kept in the scene, so that clicks, rounds and undo come back with it.

    Parameters
    ----------
    session : CorrectionSession
        On a `SegmentMask`; see `correct_segment`.
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
        self._segment_id = cast(SegmentMask, session.mask).segment_id
        self._segmentation_node = segmentation_node
        self._on_edit = on_edit
        self._on_error = on_error
        self._observer = ClickObserver(markups_node, self._clicked, on_error)
        self._store()

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
            store_journal(scene, self._segmentation_node, self.session.journal.text, self._segment_id)


def correct_segment(
    volume_nodes: tuple[slicer.vtkMRMLVolumeNode | None, slicer.vtkMRMLVolumeNode | None],
    segment: tuple[slicer.vtkMRMLSegmentationNode | None, str],
    markups_node: slicer.vtkMRMLMarkupsFiducialNode,
    corrector: Proposer,
    starter: Starter | None = None,
    on_edit: Callable[[Edit], None] = lambda edit: None,
    on_error: Callable[[VSClickError], None] = lambda error: None,
) -> SceneCorrection:
    """Correct a segment at each point that is placed from now on.

    Parameters
    ----------
    volume_nodes : tuple of vtkMRMLVolumeNode or None
        T1ce and T2, of which one may be missing.
    segment : tuple of vtkMRMLSegmentationNode, or None if it is gone, and str
        The segmentation and the segment's ID in it. The journal that the scene holds for it is continued.
    markups_node, corrector, starter, on_edit, on_error
        As for `SceneCorrection` and `CorrectionSession`, whose errors are raised, and those of `SegmentMask`
        and `case_of`.
    """
    t1ce_node, t2_node = volume_nodes
    segmentation_node, segment_id = segment
    if segmentation_node is None:
        raise CorrectionError("there is no segmentation to correct; choose or create one.")
    case = case_of(t1ce_node, t2_node)
    mask = SegmentMask(segmentation_node, segment_id, t1ce_node or t2_node)
    journal = Journal(text=stored_journal(segmentation_node, segment_id) or "")
    session = CorrectionSession(case, mask, corrector, starter, journal=journal)
    return SceneCorrection(session, segmentation_node, markups_node, on_edit, on_error)
