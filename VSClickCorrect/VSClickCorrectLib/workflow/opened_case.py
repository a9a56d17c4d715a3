"""A case that is about to be opened, before it has nodes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from VSClickCorrectLib.errors import VSClickError, WorklistError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Scan, Volume
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.io.one_grid import case_of
from VSClickCorrectLib.io.pairing import paired
from VSClickCorrectLib.mrml.begin_correction import begin_anew
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.session.journal import Guard, Journal, holds_work, session_start
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.origin import Origin


@dataclass(eq=False)
class JournalPlace:
    """Where a journal is kept beside the scene, what keeps others from writing it, and of what it tells.

    Parameters
    ----------
    path : Path, optional
        The file, if there is one.
    guard : callable
        As for `Journal`.
    segment : tuple of vtkMRMLSegmentationNode and str, optional
        The segment of which the file tells.
    """

    path: Path | None = None
    guard: Guard = lambda: None
    segment: tuple[Any, str] | None = None

    def path_for(self, segment: tuple[Any, str], volumes: tuple[Any, Any]) -> Path | None:
        """Return the file, which tells of this segment from now on; raises as `begin_anew`."""
        if segment[0] is not None:
            if self.path is not None and self.segment not in (None, segment):
                begin_anew(volumes, segment, self.path, self.guard)
            self.segment = segment
        return self.path

    def kept(self, volume: Any) -> SegmentMask | None:
        """Return the segment that is kept though nobody corrects it; None if it or its volume is gone."""
        place = self.segment if self.path is not None and volume.GetScene() is not None else None
        return SegmentMask(*place, volume) if place is not None and _segment_in(place) is not None else None

    async def ask(self, segment: tuple[Any, str], volume: Any, host: Host) -> None:
        """Ask before another segment takes the place of the one of which the file tells.

        Raises
        ------
        WorklistError
            If it is not to; the mask that the case came with would go without a trace of work.
        """
        told = _segment_in(self.segment)
        if self.path is None or self.segment == segment or told is None or self._is_empty(volume):
            return
        question = _("Segment '{name}' takes the place of '{told}' as the mask of this case. Go on?")
        if not await host.confirm(question.format(name=_name_of(segment), told=told.GetName())):
            sentence = _("segment '{told}' stays the mask of this case; choose it to correct it.")
            raise WorklistError(sentence.format(told=told.GetName()))

    def _is_empty(self, volume: Any) -> bool:
        try:
            return self.segment is not None and SegmentMask(*self.segment, volume).extent() is None
        except VSClickError:
            return False

    def check(self, segment: tuple[Any, str], case: str) -> None:
        """Refuse a segment if the file holds work on another one, which would go with the case.

        Raises
        ------
        WorklistError
            If so; what the file tells of a segment that was deleted is no obstacle.
        """
        told = _segment_in(self.segment)
        if self.path is None or self.segment == segment or told is None:
            return
        events = Journal(self.path).events
        if holds_work(events[session_start(events) :]):
            sentence = _(
                "the work on case {case} is on its segment '{name}'; choose that one, or delete it to "
                "correct another."
            )
            raise WorklistError(sentence.format(case=case, name=told.GetName()))


def _segment_in(place: tuple[Any, str] | None) -> Any:
    """Return a segment, None if it is gone."""
    if place is None or place[0] is None or place[0].GetScene() is None:
        return None
    node, segment_id = place
    return node.GetSegmentation().GetSegment(segment_id)


def _name_of(place: tuple[Any, str]) -> str:
    segment = _segment_in(place)
    return segment.GetName() if segment is not None else ""


@dataclass(frozen=True, eq=False)
class OpenedCase:
    """What a case is made of before it has nodes.

    Parameters
    ----------
    name : str
        What the windows call it.
    t1ce, t2 : Volume or None
        The sequences, each on its own grid.
    mask : ndarray of bool or None
        ``(K, J, I)`` on the T1ce's grid, or the T2's where it stands alone.
    origin : Origin
        Where the sequence on that grid is from.
    journal : str
        The journal of earlier work on it, to go on with; empty if there is none.
    prepared : InitialMask or None
        What the networks found ahead, where there is no mask.
    mask_scan : Scan or None
        What the mask's header says of whose it is and in which frame it lies, if it is DICOM.
    """

    name: str
    t1ce: Volume | None
    t2: Volume | None
    mask: np.ndarray | None = None
    origin: Origin = field(default_factory=Origin)
    journal: str = ""
    prepared: InitialMask | None = None
    mask_scan: Scan | None = None

    @property
    def grid(self) -> Grid:
        """The native grid."""
        return cast(Volume, self.t1ce or self.t2).grid

    def with_remarks(self, sentence: str) -> str:
        """Return a sentence after what is to be known of how the sequences were read."""
        remarks = [r for volume in (self.t1ce, self.t2) if volume is not None for r in volume.remarks]
        return " ".join([*remarks, sentence])

    def checked(self, different_patients: bool = False) -> OpenedCase:
        """Return the case with what is to be known of its sequences, if all can be used together.

        Raises
        ------
        ImageError
            As `case_of`.
        """
        t1ce, t2 = paired(self.t1ce, self.t2, different_patients, self.mask_scan)
        case_of(t1ce, t2)
        # Whoever opens them further on need not ask again.
        return replace(self, t1ce=t1ce, t2=t2, mask_scan=None)
