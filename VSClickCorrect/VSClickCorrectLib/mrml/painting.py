"""What is painted by hand between clicks, written into the journal of the segment's correction too."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import slicer

from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.mrml.observers import Observers, weakly
from VSClickCorrectLib.mrml.persistence import SceneJournal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.session.correction import CorrectionSession

Later = Callable[[Callable[[], None]], None]


class Painting:
    """Knows whether others may have changed a segment since its session did, and keeps the journal whole.

    Parameters
    ----------
    session : CorrectionSession
        On a `SegmentMask`.
    segmentation_node : vtkMRMLSegmentationNode
        The mask's node, with which the journal is kept in the scene.
    """

    def __init__(self, session: CorrectionSession, segmentation_node: slicer.vtkMRMLSegmentationNode) -> None:
        self._session = session
        self._mask = cast(SegmentMask, session.mask)
        self._journal = SceneJournal(segmentation_node, self._mask.segment_id)
        self.settle()

    def note(self) -> None:
        """Write down what was painted, if anything; raises as `CorrectionSession.note_painting`."""
        stamp = self._mask.stamp
        if stamp is not None and stamp != self._stamp:
            self._session.note_painting()
            self.settle()

    def settle(self) -> None:
        """Take the segment for written down as it is, and keep the journal in the scene."""
        self._stamp = self._mask.stamp
        self._journal.keep(self._session.journal)


class PaintingWatch:
    """Notes painting as it happens and, if some is not noted by then, when it is closed.

    Parameters
    ----------
    painting : Painting
        Of which segment.
    segmentation_node : vtkMRMLSegmentationNode
        Its node.
    on_error : callable
        Told why the painting could not be written down; it is noted with what comes next then.
    later : callable, optional
        Calls a function once the present event is over; without it painting is noted at the end alone.
    """

    def __init__(
        self,
        painting: Painting,
        segmentation_node: slicer.vtkMRMLSegmentationNode,
        on_error: Callable[[VSClickError], None],
        later: Later | None = None,
    ) -> None:
        self._painting, self._on_error, self._later = painting, on_error, later
        self._due = self._closed = False
        self._observers = Observers(self)
        # Of Slicer's own undo only the second tells.
        for changed in (
            slicer.vtkSegmentation.SourceRepresentationModified,
            slicer.vtkSegmentation.SegmentModified,
        ):
            self._observers.add(segmentation_node, changed, PaintingWatch._changed)

    def close(self) -> None:
        """Stop watching."""
        if not self._closed:
            self._observers.close()
            self.note()
        self._closed = True

    def note(self) -> None:
        """Write down what was painted, if anything, or tell why it could not be."""
        self._due = False
        if self._closed:
            return
        try:
            self._painting.note()
        except VSClickError as error:
            self._on_error(error)

    def _changed(self, _index: int | None) -> None:
        if self._later is not None and not self._due:
            self._due = True
            self._later(weakly(self.note))
