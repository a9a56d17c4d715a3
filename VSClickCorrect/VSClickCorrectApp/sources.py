"""Where the first case comes from, and how a journal that was sent goes on with one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from VSClickCorrectLib.io.dicom_masks import scan_of_mask
from VSClickCorrectLib.io.given_scans import GivenScans
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.io.one_grid import case_of
from VSClickCorrectLib.io.sample_case import read_sample
from VSClickCorrectLib.io.tumour_label import Label
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import restored, start_of
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.workflow.origin import Origin


def read_files(
    scans: GivenScans, mask: Path | None, label: Label | None = None, different_patients: bool = False
) -> OpenedCase:
    """Read a case from files.

    Parameters
    ----------
    scans : GivenScans
        The sequences; entered as long as results in DICOM may be wanted.
    mask : Path or None
        The mask to correct.
    label : int or str, optional
        The tumour's label or segment, where the mask holds several.
    different_patients : bool
        Whether to take sequences of different PatientIDs for one patient's.

    Raises
    ------
    ImageError
        If a file cannot be used, there is no sequence, or both are of different PatientIDs and
        ``different_patients`` does not say that this is right.
    """
    t1ce, t2 = scans.read("t1ce"), scans.read("t2")
    reference = t1ce or t2
    origin = Origin(scans.place, reference.scan if reference is not None else None)
    name = scans.given[0].name if scans.given else "case"
    opened = OpenedCase(name, t1ce, t2, origin=origin)
    if mask is not None:
        values = read_mask(mask, opened.grid, label)
        opened = replace(opened, mask=values, mask_scan=scan_of_mask(mask))
    return opened.checked(different_patients)


def sample() -> OpenedCase:
    """Open the sample case, with a mask whose border is wrong here and there."""
    read = read_sample()
    return OpenedCase("Sample case", read.case.t1ce, read.case.t2, read.start)


def resumed(opened: OpenedCase, journal: str) -> OpenedCase:
    """Return a case as a journal left it; a mask that is there counts, as painted since.

    Raises
    ------
    CorrectionError
        If the journal is damaged, belongs to other images, or holds no start and there is no mask.
    """
    events, images = Journal(text=journal).events, case_of(opened.t1ce, opened.t2)
    held = start_of(events, opened.grid) is not None
    left = restored(events, opened.grid, None if held else opened.mask, images)
    return replace(opened, mask=opened.mask if held and opened.mask is not None else left, journal=journal)
