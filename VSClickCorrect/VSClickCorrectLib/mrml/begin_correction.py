"""Beginning to correct a segment of the scene, or going on where its journal ends."""

from __future__ import annotations

from pathlib import Path

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.mrml.click_nodes import ClickNodes
from VSClickCorrectLib.mrml.owners import own_all
from VSClickCorrectLib.mrml.part_segments import OtherParts
from VSClickCorrectLib.mrml.persistence import scene_journal, store_journal
from VSClickCorrectLib.mrml.scene_session import SceneSession
from VSClickCorrectLib.mrml.segment_correction import SceneCorrection, end_corrections
from VSClickCorrectLib.mrml.segment_mask import Segment, SegmentMask
from VSClickCorrectLib.mrml.start_segment import ensure_start, keep_start
from VSClickCorrectLib.mrml.volumes import VolumeNodes, case_of
from VSClickCorrectLib.session.correction import DEFAULT_MERGE, InitialProposer, Proposer
from VSClickCorrectLib.session.journal import Guard, Journal, session_event
from VSClickCorrectLib.session.start_mask import start_json, start_of


def correct_segment(
    volume_nodes: VolumeNodes,
    segment: Segment,
    corrector: Proposer,
    initial_proposer: InitialProposer | None = None,
    journal_path: Path | None = None,
    merge: str = DEFAULT_MERGE,
    guard: Guard = lambda: None,
    **watching,
) -> SceneCorrection:
    """Correct a segment at each point that is placed from now on.

    The mask with which the first correction of the segment began is kept in the scene, see
    `mrml.start_segment`. A correction of the segmentation that is under way elsewhere ends.

    Parameters
    ----------
    volume_nodes : tuple of vtkMRMLVolumeNode or None
        T1ce and T2, of which one may be missing.
    segment : tuple of vtkMRMLSegmentationNode, or None if it is gone, and str
        The segmentation and the segment's ID in it. The journal that the scene holds for it is continued.
    corrector, initial_proposer
        As for `CorrectionSession`, whose errors are raised, and those of `SegmentMask` and `case_of`.
    journal_path : Path, optional
        A file in which the journal is kept too, each event on the disk before it is reported.
    merge : str
        As for `CorrectionSession`.
    guard : callable, optional
        As for `Journal`, of a file that others may come to hold.
    **watching
        ``on_edit``, ``on_error``, ``on_change``, ``later`` and ``mode`` of `SceneCorrection`.

    Raises
    ------
    CorrectionError
        If there is no segmentation, or the file holds another journal than the scene.
    """
    segmentation_node, segment_id = segment
    if segmentation_node is None:
        raise CorrectionError("there is no segmentation to correct; choose or create one.")
    case, reference = case_of(*volume_nodes), volume_nodes[0] or volume_nodes[1]
    mask = SegmentMask(segmentation_node, segment_id, reference)
    mask.check_whole()
    # What was painted stands in its journal then.
    end_corrections(segmentation_node)
    own_all(segmentation_node)
    journal = scene_journal(segmentation_node, segment_id, journal_path, guard)
    begun = bool(journal.events)
    others = OtherParts(segment, reference)
    session = SceneSession(volume_nodes, case, mask, corrector, initial_proposer, merge, journal, others)
    if begun:
        ensure_start(segment, reference, journal.events)
    else:
        untold = start_of(journal.events, case.grid) is None
        keep_start(segmentation_node, segment_id, reference, saved=untold)
    return SceneCorrection(session, ClickNodes(segmentation_node, volume_nodes), **watching)


def begin_anew(volume_nodes: VolumeNodes, segment: Segment, journal_path: Path, guard: Guard) -> None:
    """Begin a session without clicks in a file that tells of another segment, whose place this one takes.

    Parameters and errors are those of `correct_segment`, which goes on with that session.
    """
    case, mask = case_of(*volume_nodes), SegmentMask(*segment, volume_nodes[0] or volume_nodes[1])
    journal = Journal(journal_path, guard=guard)
    journal.append(session_event(case.grid, "", "", start_json(mask, whole=True), case))
    store_journal(segment[0], journal.text, segment[1])
