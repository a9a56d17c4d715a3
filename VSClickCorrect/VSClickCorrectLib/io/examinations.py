"""Two examinations of one tumour, brought into one frame and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Scan, Volume
from VSClickCorrectLib.io.dicom_length import sop_class
from VSClickCorrectLib.io.dicom_masks import scan_of_mask
from VSClickCorrectLib.io.files import reading
from VSClickCorrectLib.io.given_scans import GivenScans
from VSClickCorrectLib.io.images import read_lone_mask, read_mask
from VSClickCorrectLib.io.pairing import differ, remark_on_mask
from VSClickCorrectLib.io.registration import Registration, register
from VSClickCorrectLib.io.tumour_label import Label
from VSClickCorrectLib.measure.change import FollowUp, follow_up
from VSClickCorrectLib.measure.measurements import measure

# What messages call the two scans.
NAMES = ("the earlier scan", "the later scan")
TWO_PATIENTS = "Note: the headers of the two examinations name different patients; check them."
WRONG_ORDER = "Note: by the headers' dates the earlier examination was made after the later one; check them."
_MR_SLICE = "1.2.840.10008.5.1.4.1.1.4"


@dataclass(frozen=True, eq=False)
class Examination:
    """A tumour's mask, with the scan on which it lies if that is known.

    Parameters
    ----------
    values : ndarray of bool
        ``(K, J, I)``.
    grid : Grid
        Where the mask lies: the scan's grid, where there is one.
    scan : Volume or None
        The sequence.
    mask_scan : Scan or None
        What the mask's header says of whose it is and in which frame it lies, if it is DICOM.
    """

    values: np.ndarray
    grid: Grid
    scan: Volume | None = None
    mask_scan: Scan | None = None

    @classmethod
    def read(cls, mask: Path, scan: Path | None = None, label: Label | None = None) -> Examination:
        """Read an examination from files; the scan in whatever folder or archive its DICOM lies.

        Raises
        ------
        ImageError
            If one cannot be used, or the mask does not lie on the scan.
        """
        its = scan_of_mask(mask)
        if scan is None:
            return cls(*read_lone_mask(mask, label), mask_scan=its)
        with GivenScans(scan, None) as scans:
            volume = cast(Volume, scans.read("t1ce"))
        return cls(read_mask(mask, volume.grid, label), volume.grid, volume, its)

    def checked(self, different_patients: bool) -> Examination:
        """Return it if mask and scan are one patient's, or said to be; raises `DifferentPatients`."""
        remark_on_mask(self.whose, self.mask_scan, different_patients)
        return self

    @property
    def whose(self) -> Scan | None:
        """What the scan's header says of it."""
        return self.scan.scan if self.scan is not None else None

    @property
    def patient(self) -> str:
        """The PatientID that the scan's header names, or else the mask's; empty if neither does."""
        return next((scan.patient for scan in (self.whose, self.mask_scan) if scan and scan.patient), "")

    @property
    def date(self) -> str:
        """The date of the study that the scan's header names, or else the mask's; empty if neither does."""
        return next((scan.date for scan in (self.whose, self.mask_scan) if scan and scan.date), "")


def scan_of(path: Path) -> Path:
    """Return the folder of a DICOM slice, which stands for its series; any other file itself."""
    with reading(path):
        return path.parent if sop_class(path) == _MR_SLICE else path


def to_register(before: Examination, after: Examination) -> tuple[Volume, Volume] | None:
    """Return the two scans that have to be registered; None where they are one, or one is not known."""
    if before.scan is None or after.scan is None:
        return None
    # Two visits may well have been planned on the same grid.
    one_scan = before.grid.matches(after.grid) and before.scan.fingerprint == after.scan.fingerprint
    return None if one_scan else (before.scan, after.scan)


def register_examinations(
    before: Examination,
    after: Examination,
    progress: Callable[[float, str], None] = lambda fraction, message: None,
) -> Registration | None:
    """Register the later scan to the earlier one; None where they are one, or one is not known.

    Raises
    ------
    ImageError
        If nothing in the two can be compared.
    """
    scans = to_register(before, after)
    return register(*scans, progress, NAMES) if scans is not None else None


def compare_examinations(
    before: Examination, after: Examination, registration: Registration | None = None
) -> FollowUp:
    """Compare two examinations, given how the later scan was registered to the earlier one.

    Without a registration, masks on different grids are measured each in its own slices.
    """
    matrix, placed_by = None, ""
    if registration is not None:
        matrix, placed_by = registration.matrix, "registration" if registration.improved else "header"
    first, second = (measure(one.grid, one.grid.box, one.values) for one in (before, after))
    found = follow_up(first, second, matrix, placed_by)
    remarks = [TWO_PATIENTS] if differ(before.patient, after.patient) else []
    remarks += [WRONG_ORDER] if after.date and before.date > after.date else []
    masks = [remark_on_mask(one.whose, one.mask_scan, different_patients=True) for one in (before, after)]
    remarks += [m.replace("Image", name.capitalize()) for name, m in zip(NAMES, masks, strict=True) if m]
    return replace(found, remarks=tuple(remarks))
