"""Whether a T1ce and a T2 belong together, by what the headers of DICOM say whose they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import SimpleITK as sitk

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.imaging.dicom_text import header_text
from VSClickCorrectLib.imaging.naming import Kind, kind_of_series

if TYPE_CHECKING:
    from VSClickCorrectLib.imaging.volume import Volume

_CHARACTER_SET = "0008|0005"
# PatientID, FrameOfReferenceUID and SeriesDescription.
_SCAN_TAGS = ("0010|0020", "0020|0052", "0008|103e")
OTHER_FRAME = "T1ce and T2 have different frames of reference; look whether they are registered."
_OPTION = "--different-patients"
_NOT_T1CE = {Kind.T2: "a T2", Kind.NATIVE: "a T1 without contrast", Kind.OTHER: "neither T1 nor T2"}
_NOT_T2 = {Kind.T1CE: "a T1", Kind.T1: "a T1", Kind.NATIVE: "a T1", Kind.OTHER: "neither T1 nor T2"}


@dataclass(frozen=True)
class Scan:
    """Whose a sequence is, where and as what it was made, by its header; empty where that does not say.

    Parameters
    ----------
    patient, frame, description : str
        PatientID, FrameOfReferenceUID and SeriesDescription.
    """

    patient: str
    frame: str
    description: str


def scan_of(image: sitk.Image) -> Scan | None:
    """Return what the dictionary of an image that ITK read says of the scan, None if it was no DICOM."""
    if not any(image.HasMetaDataKey(tag) for tag in _SCAN_TAGS):
        return None
    said = [
        image.GetMetaData(tag) if image.HasMetaDataKey(tag) else "" for tag in (_CHARACTER_SET, *_SCAN_TAGS)
    ]
    return Scan(*(header_text(value, said[0]) for value in said[1:]))


def paired(
    t1ce: Volume | None, t2: Volume | None, different_patients: bool = False
) -> tuple[Volume | None, Volume | None]:
    """Return the sequences of one examination with what is to be known of them beside each other.

    Parameters
    ----------
    t1ce, t2 : Volume or None
        As they were read.
    different_patients : bool
        Whether to take sequences of different PatientIDs for one patient's.

    Raises
    ------
    ImageError
        If they are of different PatientIDs.
    """
    t1ce, t2 = _named_otherwise(t1ce, "T1ce", _NOT_T1CE), _named_otherwise(t2, "T2", _NOT_T2)
    if t1ce is None or t2 is None or t1ce.scan is None or t2.scan is None:
        return t1ce, t2
    patients = t1ce.scan.patient, t2.scan.patient
    if all(patients) and patients[0].casefold() != patients[1].casefold():
        if not different_patients:
            raise ImageError(
                f"the T1ce is of patient '{patients[0]}' and the T2 of '{patients[1]}'; give scans of one "
                f"patient, or name the option {_OPTION} if the two are one."
            )
        remark = f"The T1ce of '{patients[0]}' and the T2 of '{patients[1]}' are taken for one patient's."
        # Whoever opens them further on need not ask again.
        return t1ce, replace(_with(t2, remark), scan=None)
    frames = t1ce.scan.frame, t2.scan.frame
    if all(frames) and frames[0] != frames[1]:
        t2 = _with(t2, OTHER_FRAME)
    return t1ce, t2


def _named_otherwise(volume: Volume | None, role: str, kinds: dict[Kind, str]) -> Volume | None:
    """Add a remark to a sequence whose description calls it something else."""
    if volume is None or volume.scan is None:
        return volume
    description = volume.scan.description
    what = kinds.get(kind_of_series([description]))
    return (
        _with(volume, f"The {role} is called '{description}', which is {what}; check it.") if what else volume
    )


def _with(volume: Volume, remark: str) -> Volume:
    return volume if remark in volume.remarks else replace(volume, remarks=(*volume.remarks, remark))
