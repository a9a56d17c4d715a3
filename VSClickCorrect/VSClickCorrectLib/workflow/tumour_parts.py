"""The tumour's parts: made beside it, measured, and chosen to be corrected."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError, ModelError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder
from VSClickCorrectLib.measure.tumour_parts import EXTRAMEATAL, INTRAMEATAL, PartMeasurements, measure_parts
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.part_segments import part_ids, part_of, put_parts, worked_parts
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.workflow.correction import Segment, Workbench
from VSClickCorrectLib.workflow.host import Host, telling
from VSClickCorrectLib.workflow.observable import Signal

if TYPE_CHECKING:
    from VSClickCorrectLib.inference.parts import FoundParts, PartsSegmenter


TUMOUR = "tumour"


class TumourParts:
    """Makes a segment for each part of the tumour, on request, and measures them after every change.

    Parameters
    ----------
    host : Host
        Computes beside the event loop where it can.
    workbench : Workbench
        The tumour's segment, or the part that is corrected, and the models that are chosen.

    Attributes
    ----------
    measured : PartMeasurements or None
        What the parts measure; None where they are not known, or cannot be measured.
    names : list of str
        What can be corrected: the tumour, and its parts if there are any.
    changed : Signal
        Parts were made, changed or are gone.
    """

    def __init__(self, host: Host, workbench: Workbench) -> None:
        self._host, self._workbench = host, workbench
        self._segmenter: tuple[Choice, PartsSegmenter] | None = None
        self._offered: tuple[Choice, bool] | None = None
        # The segment that was parted, to go back to.
        self._tumour: Segment = (None, "")
        self.measured: PartMeasurements | None = None
        # In how many voxels the tumour is not what its parts are together.
        self._apart = 0
        self.names: list[str] = []
        self.changed = Signal()
        workbench.settled.connect(self._update)
        workbench.closed.connect(self._update)

    @property
    def offered(self) -> bool:
        """Whether the chosen models can part a tumour."""
        choice = self._workbench.networks.choice
        if self._offered is None or self._offered[0] != choice:
            try:
                self._offered = choice, ModelFolder(choice.path).has("parts")
            except ModelError:
                # Whoever loads the networks is told.
                self._offered = choice, False
        return self._offered[1]

    @property
    def chosen(self) -> str:
        """Which of `names` is corrected now."""
        segmentation, segment_id = self._workbench.segment
        if segmentation is None:
            return ""
        return part_of(segmentation.GetSegmentation().GetSegment(segment_id)) or TUMOUR

    async def make(self) -> None:
        """Part the tumour and put a segment for each part beside it.

        Raises
        ------
        CorrectionError
            If nothing is being corrected, a part is, or the mask is empty.
        ModelError
            If the chosen models have none of parts, or it cannot be used.
        """
        correction = self._workbench.under_way
        if self.chosen != TUMOUR:
            raise CorrectionError(_("a part is being corrected; choose the tumour to part it anew."))
        worked = worked_parts(self._workbench.segment[0], self._workbench.reference)
        if worked and not await self._may_replace(worked):
            return
        # A copy: the scene is not to be touched beside the event loop.
        case = correction.session.case
        mask = ArrayMask.copied(correction.session.mask, case.grid)
        choice, segment = self._workbench.networks.choice, self._workbench.segment
        found = await self._host.background(lambda: self._found(choice, case, mask))
        if self._workbench.correction is not correction or self._workbench.segment != segment:
            return
        self._put(segment, found, worked)
        self._tumour = segment
        self._update()
        self._host.say(
            _("A network parted the tumour into segments beside its own: check where the parts meet.")
        )

    async def correct(self, name: str) -> None:
        """Correct one of `names` from now on.

        Raises
        ------
        CorrectionError
            If there is none of that name, or a worklist's case is open, whose label is the tumour.
        """
        segmentation, _id = self._workbench.segment
        if self._workbench.journal.path is not None:
            raise CorrectionError(_("in a worklist the tumour alone is corrected; open the case by itself."))
        segment_id = self._tumour_id() if name == TUMOUR else self._ids().get(name)
        if segment_id is None:
            raise CorrectionError(_("there is no such part; make the parts first."))
        if self.chosen == TUMOUR:
            self._tumour = self._workbench.segment
        self._workbench.choose_segment(segmentation, segment_id)
        await self._workbench.correct()
        self._update()

    def as_text(self) -> str:
        """Return what the parts measure as plain lines, empty where that is not known."""
        if self.measured is None:
            return ""
        if not self._apart:
            return self.measured.as_text()
        note = _("Note: tumour and parts differ in {count} voxels; make the parts anew, or correct them.")
        return "\n".join((self.measured.as_text(), note.format(count=self._apart)))

    def _found(self, choice: Choice, case, mask: ArrayMask) -> FoundParts:
        # Loaded like all networks, with what runs them.
        from VSClickCorrectLib.inference.parts import PartsSegmenter

        if self._segmenter is None or self._segmenter[0] != choice:
            self._segmenter = choice, PartsSegmenter.load(ModelFolder(choice.path), choice.device)
        return self._segmenter[1].find(case, mask)

    async def _may_replace(self, worked: Iterable[str]) -> bool:
        question = _("Other parts take the place of those that were corrected or painted: {parts}. Go on?")
        return await self._host.confirm(question.format(parts=", ".join(worked)))

    def _put(self, tumour: Segment, found: FoundParts, worked: dict[str, str]) -> None:
        """Put the parts into the scene; those that were worked on go once nothing speaks against it."""
        segmentation, volume = tumour[0], self._workbench.reference
        for segment_id in (tumour[1], *self._ids().values()):
            SegmentMask(segmentation, segment_id, volume)
        for segment_id in worked.values():
            segmentation.GetSegmentation().RemoveSegment(segment_id)
        put_parts(segmentation, volume, found)

    def _ids(self) -> dict[str, str]:
        segmentation = self._workbench.segment[0]
        there = segmentation is not None and segmentation.GetScene() is not None
        return part_ids(segmentation) if there else {}

    def _tumour_id(self) -> str | None:
        """Return the segment that was parted, or the first that is no part."""
        segmentation, segment_id = self._workbench.segment
        if segmentation is None:
            return None
        segments = segmentation.GetSegmentation()
        if self._tumour[0] is segmentation and segments.GetSegment(self._tumour[1]) is not None:
            return self._tumour[1]
        if self.chosen == TUMOUR:
            return segment_id
        others = [one for one in segments.GetSegmentIDs() if not part_of(segments.GetSegment(one))]
        return others[0] if others else None

    def _update(self) -> None:
        ids = self._ids()
        self.names = [TUMOUR, *ids] if ids else []
        self.measured, self._apart = None, 0
        if self._workbench.correction is not None and {INTRAMEATAL, EXTRAMEATAL} <= set(ids):
            with telling(self._host):
                self.measured = self._measure(ids)
        self.changed.emit()

    def _measure(self, ids: dict[str, str]) -> PartMeasurements:
        segmentation, volume = self._workbench.segment[0], self._workbench.reference
        masks = [SegmentMask(segmentation, ids[name], volume) for name in (INTRAMEATAL, EXTRAMEATAL)]
        tumour_id = self._tumour_id()
        if tumour_id is not None:
            masks.append(SegmentMask(segmentation, tumour_id, volume))
        boxes = [box for mask in masks if (box := mask.extent()) is not None]
        if not boxes:
            return measure_parts(masks[0].grid, None, None, None)
        box = reduce(Box.union, boxes)
        inside, outside, *tumour = (mask.read(box) for mask in masks)
        self._apart = sum(int(np.count_nonzero((inside | outside) != values)) for values in tumour)
        return measure_parts(masks[0].grid, box, inside, outside)
