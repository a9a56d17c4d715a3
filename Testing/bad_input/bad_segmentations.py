"""Bad DICOM segmentations, scans to which nothing can refer, and examinations that cannot be compared."""

from __future__ import annotations

import numpy as np
import pydicom
from bad_case import BadInput, Room
from bright_ball import GRID, ball, ball_volume
from source_series import write_slices
from VSClickCorrectLib.io.dicom_out import REPORT, segmentation_object, write_segmentation
from VSClickCorrectLib.io.dicom_source import read_source

TITLE = "DICOM out and in, and follow-up"


def _segmentation(room: Room, values: np.ndarray, spoil=lambda dataset: None):
    source = read_source(write_slices(room.folder / "t1ce", ball_volume()), GRID)
    path = room.folder / "seg.dcm"
    write_segmentation(path, segmentation_object(source, values, GRID))
    dataset = pydicom.dcmread(path)
    spoil(dataset)
    dataset.save_as(path)
    return path


def _two_segments(dataset) -> None:
    [first] = dataset.SegmentSequence
    second = pydicom.Dataset()
    second.SegmentNumber, second.SegmentLabel = 2, "Cochlea"
    dataset.SegmentSequence = [first, second]


def _shifted(dataset) -> None:
    for group in dataset.PerFrameFunctionalGroupsSequence:
        place = group.PlanePositionSequence[0]
        place.ImagePositionPatient = [float(v) + 0.4 for v in place.ImagePositionPatient]


def _with_mask(spoil=lambda dataset: None):
    return lambda room: room.correct(mask=_segmentation(room, ball(), spoil))


def _into_a_folder_of_letters(room: Room):
    (room.inside("results") / REPORT).write_text("Dear colleague")
    return room.segment(write_slices(room.folder / "t1ce", ball_volume()), "--dicom", room.folder / "results")


def _compare(*more: str):
    return lambda room: ["compare", "--before", room.good.mask, "--after", room.good.mask, *more]


CASES = [
    BadInput("DICOM SEG as the mask", _with_mask(), "is read as a mask", "1 click: "),
    BadInput(
        "DICOM SEG as the scan",
        lambda room: room.segment(_segmentation(room, ball())),
        "seg.dcm is a DICOM segmentation, not a scan; give it as the mask.",
    ),
    BadInput(
        "DICOM SEG of two segments",
        _with_mask(_two_segments),
        "seg.dcm holds several segments (1 Vestibular schwannoma, 2 Cochlea); name the tumour's with --label.",
    ),
    BadInput(
        "DICOM SEG half a millimetre off",
        _with_mask(_shifted),
        "seg.dcm lies on another grid than the image; resample it to the image first.",
    ),
    BadInput(
        "DICOM SEG that does not say where its frames lie",
        _with_mask(lambda dataset: dataset.__delitem__("PerFrameFunctionalGroupsSequence")),
        "seg.dcm is damaged, or no whole DICOM file; export it again.",
    ),
    BadInput(
        "DICOM SEG asked for of a NIfTI scan",
        lambda room: ["segment", "--t1ce", room.good.t1ce, "--output", room.folder / "out.dcm"],
        "T1ce.nii is no DICOM series, so nothing can be written that refers to it; save the mask as NIfTI or NRRD.",
    ),
    BadInput(
        "DICOM report over somebody's letter",
        _into_a_folder_of_letters,
        "results/report.dcm is there and this command did not write it; move it away or choose another folder.",
    ),
    BadInput(
        "comparison with one scan",
        _compare("--before-scan", "scan.nii"),
        "One scan cannot be registered; name both with --before-scan and --after-scan.",
    ),
    BadInput(
        "comparison with a mask that is not there",
        lambda room: ["compare", "--before", room.good.mask, "--after", room.folder / "later.nii"],
        "later.nii does not exist.",
    ),
]
