"""Whether a T1ce, a T2 and a mask belong together, by what the headers of DICOM say whose they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from VSClickCorrectLib.errors import DifferentPatients
from VSClickCorrectLib.geometry.volume import Scan, Volume
from VSClickCorrectLib.io.dicom_text import text_of
from VSClickCorrectLib.io.naming import Kind, kind_of, kind_of_series

# PatientID, FrameOfReferenceUID, SeriesDescription, SeriesInstanceUID and StudyDate.
_SCAN_TAGS = ("0010|0020", "0020|0052", "0008|103e", "0020|000e", "0008|0020")
SAME_VOXELS = "T1ce and T2 hold the same voxels; look whether one image was named for both."
OTHER_FRAME = "T1ce and T2 have different frames of reference; look whether they are registered."
MASK_FRAME = "Image and mask have different frames of reference; look whether the mask is of this scan."
_NOT_T1CE = {Kind.T2: "a T2", Kind.NATIVE: "a T1 without contrast", Kind.OTHER: "neither T1 nor T2"}
_NOT_T2 = {Kind.T1CE: "a T1", Kind.T1: "a T1", Kind.NATIVE: "a T1", Kind.OTHER: "neither T1 nor T2"}
_NO_SCAN = {Kind.MASK: "a mask", Kind.LABEL: "a mask"}


def scan_of(image: sitk.Image | sitk.ImageFileReader) -> Scan | None:
    """Return what the dictionary that ITK read of an image says of the scan, None if it was no DICOM."""
    if not any(image.HasMetaDataKey(tag) for tag in _SCAN_TAGS):
        return None
    return Scan(*(text_of(image, tag) for tag in _SCAN_TAGS))


def paired(
    t1ce: Volume | None, t2: Volume | None, different_patients: bool = False, mask: Scan | None = None
) -> tuple[Volume | None, Volume | None]:
    """Return the sequences of one examination with what is to be known of them beside each other.

    Parameters
    ----------
    t1ce, t2 : Volume or None
        As they were read.
    different_patients : bool
        Whether to take what names different PatientIDs for one patient's.
    mask : Scan or None
        What the header says of a mask of the T1ce, or of the T2 where it stands alone.

    Raises
    ------
    DifferentPatients
        If they are.
    """
    if t1ce is not None:
        t1ce = _with(t1ce, _named_otherwise(t1ce.scan, "T1ce", _NOT_T1CE))
        t1ce = _with(t1ce, remark_on_mask(t1ce.scan, mask, different_patients))
    elif t2 is not None:
        t2 = _with(t2, remark_on_mask(t2.scan, mask, different_patients))
    if t2 is not None:
        t2 = _with(t2, _named_otherwise(t2.scan, "T2", _NOT_T2))
    if t1ce is None or t2 is None:
        return t1ce, t2
    if np.array_equal(t1ce.array, t2.array):
        t2 = _with(t2, SAME_VOXELS)
    if t1ce.scan is None or t2.scan is None:
        return t1ce, t2
    first, second = t1ce.scan, t2.scan
    t2 = _with(t2, _beside(first, second))
    if are_of_two(first, second):
        if not different_patients:
            raise DifferentPatients(first.patient, second.patient)
        # Whoever opens them further on need not ask again.
        t2 = replace(t2, scan=None)
    return t1ce, t2


def remarks_on_name(path: Path, sequence: str | None) -> tuple[str, ...]:
    """Return what is to be known of a file that is given as ``t1ce`` or ``t2`` and called something else."""
    role, kinds = ("T1ce", _NOT_T1CE) if sequence == "t1ce" else ("T2", _NOT_T2)
    what = (kinds | _NO_SCAN).get(kind_of(path.name.partition(".")[0])) if sequence else None
    return (f"The {role} is the file '{path.name}', by its name {what}; check it.",) if what else ()


def remarks_on_scans(t1ce: Scan | None, t2: Scan | None) -> tuple[str, ...]:
    """Return what is to be known of sequences that somebody else has read and put beside each other."""
    remarks = [_named_otherwise(t1ce, "T1ce", _NOT_T1CE), _named_otherwise(t2, "T2", _NOT_T2)]
    if t1ce is not None and t2 is not None:
        remarks.append(_beside(t1ce, t2))
    return tuple(filter(None, remarks))


def remark_on_mask(scan: Scan | None, mask: Scan | None, different_patients: bool = False) -> str:
    """Return what is to be known of a mask on an image, empty if nothing is; raises `DifferentPatients`."""
    if scan is None or mask is None:
        return ""
    if are_of_two(scan, mask) and not different_patients:
        raise DifferentPatients(scan.patient, mask.patient, ("image", "mask"))
    return MASK_FRAME if differ(scan.frame, mask.frame) else ""


def are_of_two(first: Scan | None, second: Scan | None) -> bool:
    """Whether two scans name different patients."""
    return first is not None and second is not None and differ(first.patient, second.patient)


def differ(first: str, second: str) -> bool:
    """Whether two PatientIDs, or UIDs, name different ones; an empty one names none."""
    return bool(first and second) and first.casefold() != second.casefold()


def _beside(t1ce: Scan, t2: Scan) -> str:
    """Return what is to be known of two scans that are used together, empty if nothing is."""
    if are_of_two(t1ce, t2):
        return f"The T1ce of '{t1ce.patient}' and the T2 of '{t2.patient}' are taken for one patient's."
    return OTHER_FRAME if differ(t1ce.frame, t2.frame) else ""


def _named_otherwise(scan: Scan | None, role: str, kinds: dict[Kind, str]) -> str:
    """Return a remark on a sequence whose description calls it something else, empty if it does not."""
    what = kinds.get(kind_of_series([scan.description])) if scan is not None else None
    return f"The {role} is called '{scan.description}', which is {what}; check it." if scan and what else ""


def _with(volume: Volume, remark: str) -> Volume:
    if not remark or remark in volume.remarks:
        return volume
    return replace(volume, remarks=(*volume.remarks, remark))
