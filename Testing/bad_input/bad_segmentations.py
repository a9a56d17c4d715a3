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
    BadInput("DICOM SEG as the mask", _with_mask(), happens="is read as a mask", prints="1 click: "),
    BadInput(
        "DICOM SEG as the scan",
        lambda room: room.segment(_segmentation(room, ball())),
        ("seg.dcm", "segmentation", "mask"),
    ),
    BadInput(
        "DICOM SEG of two segments",
        _with_mask(_two_segments),
        ("seg.dcm", "1", "2", "--label", "several"),
    ),
    BadInput(
        "DICOM SEG half a millimetre off",
        _with_mask(_shifted),
        ("seg.dcm", "grid", "resample"),
    ),
    BadInput(
        "DICOM SEG that does not say where its frames lie",
        _with_mask(lambda dataset: dataset.__delitem__("PerFrameFunctionalGroupsSequence")),
        ("seg.dcm", "whole", "export"),
    ),
    BadInput(
        "DICOM SEG asked for of a NIfTI scan",
        lambda room: ["segment", "--t1ce", room.good.t1ce, "--output", room.folder / "out.dcm"],
        ("T1ce.nii", "no DICOM series", "NIfTI"),
    ),
    BadInput(
        "DICOM report over somebody's letter",
        _into_a_folder_of_letters,
        ("results/report.dcm", "command", "folder"),
    ),
    BadInput(
        "comparison with one scan",
        _compare("--before-scan", "scan.nii"),
        ("--before-scan", "--after-scan", "registered"),
    ),
    BadInput(
        "comparison with a mask that is not there",
        lambda room: ["compare", "--before", room.good.mask, "--after", room.folder / "later.nii"],
        ("later.nii", "exist"),
    ),
]
