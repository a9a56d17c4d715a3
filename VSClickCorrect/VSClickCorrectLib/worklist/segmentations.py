"""DICOM segmentations beside the series of a worklist: the masks of the images on which they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.dicom_length import is_dicom, sop_class
from VSClickCorrectLib.io.dicom_masks import SEG_CLASSES, SegmentationHeader, read_segmentation_header
from VSClickCorrectLib.io.dicom_search import is_other
from VSClickCorrectLib.io.naming import Kind, kind_of
from VSClickCorrectLib.io.series_choice import Series
from VSClickCorrectLib.worklist.image_roles import of_several
from VSClickCorrectLib.worklist.label_dicom import DICOM
from VSClickCorrectLib.worklist.labels import PIPELINE
from VSClickCorrectLib.worklist.work_case import WorkCase


class Segmentations:
    """The DICOM segmentations of a folder.

    Parameters
    ----------
    series : sequence of Series
        All series of images that were found in it.
    others : sequence of Path
        The files that belong to none.
    output : Path
        The folder of the results, whose segmentations are none to begin with; nor are those of other results,
        of another reader for instance.
    """

    def __init__(self, series: Sequence[Series], others: Sequence[Path], output: Path) -> None:
        files = [path for one in series if one.modality == "SEG" for path in one.files]
        loose = (path for path in others if not is_other(path) and is_dicom(path))
        files += [path for path in loose if sop_class(path) in SEG_CLASSES]
        self._series = {one.uid: one for one in series}
        self._found: list[tuple[Path, SegmentationHeader]] = []
        self._unread: list[str] = []
        for path in sorted(files):
            if not path.resolve().is_relative_to(output) and not _is_result(path):
                self._read(path)

    def given_to(self, case: WorkCase) -> WorkCase:
        """Return a case of series with the segmentation of the images on whose grid it lies as its mask.

        One that is no tumour's is passed over; of several, or of several segments, none is guessed.
        """
        reference = case.series.get("t1ce") or case.series.get("t2")
        if case.fault or reference is None:
            return case
        its = [(path, header) for path, header in self._found if self._is_of(header, reference)]
        whole = [path for path, header in its if len(header.labels) == 1]
        remarks = [case.remark] if case.remark else []
        remarks += [f"{p.name} holds several segments, so it was not taken" for p, _ in its if p not in whole]
        remarks += self._unread
        if len(whole) > 1:
            return of_several(case.name, "mask", [path.name for path in whole])
        return replace(case, mask=whole[0] if whole else None, remark="; ".join(remarks))

    def _read(self, path: Path) -> None:
        try:
            header = read_segmentation_header(path)
        except ImageError as error:
            self._unread.append(str(error).rstrip("."))
            return
        # A segment's name does not say that it is a mask.
        if any(kind_of(f"{label} mask") is not Kind.OTHER for label in header.labels):
            self._found.append((path, header))

    def _is_of(self, header: SegmentationHeader, reference: str) -> bool:
        if header.series:
            return reference in header.series
        its = self._series[reference]
        return header.scan.frame == its.frame != "" and header.scan.patient == its.patient


def _is_result(path: Path) -> bool:
    """Whether a worklist wrote a file beside its label set."""
    folder = path.parent.parent
    ours = folder.name == DICOM and path.parent.name.startswith("sub-")
    return ours and (folder.parent / "derivatives" / PIPELINE).is_dir()
