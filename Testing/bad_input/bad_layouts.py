"""Files as people have them: other programs' masks, scans of two patients, trees of every layout."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from any_grid import itk_image
from bad_case import BadInput, Room
from bright_ball import AXIAL, CENTER, GRID, ball, ball_volume, write_image
from good_files import FOUND
from vs_seg_files import (
    T2_UID,
    circle,
    set_headers,
    write_contours,
    write_rtdose,
    write_rtstruct,
    write_series,
)
from VSClickCorrectResearch.datasets.vs_seg import find_cases

TITLE = "Files as people have them"
_IMAGE = ball_volume().array
_PIECE = circle(np.array(CENTER), 5.0)


def _segments(room: Room, stored: int = 1) -> Path:
    """Write two segments that overlap, so in two layers; what is stored of the first may be another value."""
    layers = stored * ball(), np.roll(ball(), 5, axis=2)
    image = sitk.Compose([itk_image(values.astype(np.uint8), GRID) for values in layers])
    for number, name in enumerate(("VS", "Cochlea")):
        for key, value in (
            ("ID", f"Segment_{number}"),
            ("Name", name),
            ("Layer", str(number)),
            ("LabelValue", "1"),
        ):
            image.SetMetaData(f"Segment{number}_{key}", value)
    sitk.WriteImage(image, str(room.folder / "mask.seg.nrrd"))
    return room.folder / "mask.seg.nrrd"


def _stored(values: np.ndarray, affine: np.ndarray):
    return lambda room: room.correct(
        mask=write_image(room.folder / "mask.nii", values.astype(np.uint8), affine)
    )


def _turned() -> np.ndarray:
    affine = AXIAL.copy()
    affine[:3, 2] *= -1
    affine[:3, 3] += AXIAL[:3, 2] * (GRID.shape[0] - 1)
    return affine


def _padded() -> np.ndarray:
    affine = AXIAL.copy()
    affine[:3, 3] = GRID.index_to_ras((-2, -2, -2))
    return affine


def _called(name: str):
    def make(room: Room):
        path = room.folder / name
        shutil.copy(room.good.t1ce, path)
        return room.segment(path)

    return make


def _zipped(room: Room):
    write_image(room.folder / "scan.nii.gz", _IMAGE)
    return room.segment((room.folder / "scan.nii.gz").rename(room.folder / "T1ce.nii"))


def _leaning(degrees: float):
    """Give the scan a sform whose second axis leans toward the first."""

    def make(room: Room):
        content = bytearray(room.good.t1ce.read_bytes())
        sform = np.reshape(struct.unpack_from("<12f", content, 280), (3, 4)).copy()
        first, second = sform[:, 0] / np.linalg.norm(sform[:, 0]), sform[:, 1].copy()
        lean = np.radians(degrees)
        sform[:, 1] = np.cos(lean) * second + np.sin(lean) * first * np.linalg.norm(second)
        struct.pack_into("<2h", content, 252, 0, 1)
        struct.pack_into("<12f", content, 280, *sform.ravel())
        return room.segment(room.file("T1ce.nii", bytes(content)))

    return make


def _pair(*more: str, **t2: str):
    def make(room: Room):
        first = write_series(room.folder / "t1", _IMAGE, GRID, description="t1 post", frame="1.2")
        given = {"description": "t2", "frame": "1.2", **t2}
        second = write_series(room.folder / "t2", ball_volume(t2=True).array, GRID, T2_UID, **given)
        return room.segment(first, "--t2", second, *more)

    return make


def _doses(room: Room):
    folder = room.inside("plan")
    write_rtdose(folder / "dose.dcm")
    return room.segment(folder)


def _beside(room: Room):
    folder = write_series(room.folder / "series", _IMAGE, GRID)
    write_rtdose(folder / "dose.dcm")
    write_rtstruct(folder / "structures.dcm", {})
    return room.segment(folder)


def _contours(contours, kinds=()):
    def make(room: Room):
        write_series(room.folder / "patient", _IMAGE, GRID)
        path = room.folder / "patient" / "rt.dcm"
        if kinds:
            write_rtstruct(path, {"TV": contours}, kinds=kinds)
        else:
            write_contours(path.with_name("contours.json"), {"TV": contours})
        return lambda: [source.read() for source in find_cases(room.folder / "patient")]

    return make


def _worklist(*names: str):
    def make(room: Room):
        for name in names:
            path = room.folder / "cases" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(room.good.t1ce, path)
        return ["worklist", room.folder / "cases", "--output", room.folder / "results"]

    return make


def _umlaut(room: Room):
    folder = write_series(room.folder / "cases" / "P1", _IMAGE, GRID, description="t1 post")
    set_headers(folder, SpecificCharacterSet="ISO_IR 100", PatientID="Prüf-1".encode("latin-1"))
    return ["worklist", room.folder / "cases", "--output", room.folder / "results"]


CASES = [
    BadInput(
        "mask with several segments in layers",
        lambda room: room.correct(mask=_segments(room)),
        ("mask.seg.nrrd", "1", "VS", "2", "Cochlea", "--label", "several"),
    ),
    BadInput(
        "segment that the mask does not hold",
        lambda room: room.correct("--label", "Tumour", mask=_segments(room)),
        ("mask.seg.nrrd", "1", "VS", "2", "Cochlea", "segment", "holds"),
    ),
    BadInput(
        "mask whose voxels are of none of its segments",
        lambda room: room.correct(mask=_segments(room, 255)),
        ("mask.seg.nrrd", "1", "VS", "2", "Cochlea", "255", "voxels", "save"),
    ),
    BadInput(
        "segment by its name",
        lambda room: room.correct("--label", "vs", mask=_segments(room)),
        happens="is read",
        prints="1 click: ",
    ),
    BadInput(
        "mask stored upside down",
        _stored(ball()[::-1], _turned()),
        happens="is read where it lies",
        prints="1 click: ",
    ),
    BadInput(
        "mask with an empty rim beyond the image",
        _stored(np.pad(ball(), 2), _padded()),
        happens="is read without the rim",
        prints="1 click: ",
    ),
    BadInput(
        "mask that reaches beyond the image",
        _stored(np.ones([n + 4 for n in GRID.shape], bool), _padded()),
        ("mask.nii", "grid", "resample"),
    ),
    BadInput("suffix in capitals", _called("T1CE.NII"), happens="is read", prints=FOUND),
    BadInput("suffix in capitals and small letters", _called("T1ce.Nii"), happens="is read", prints=FOUND),
    BadInput("gzip that is called .nii", _zipped, happens="is read", prints=FOUND),
    BadInput(
        "sform that leans by 0.03 degrees",
        _leaning(0.03),
        happens="is read where it lies",
        prints="A mask of 1",
    ),
    BadInput(
        "sform that leans by half a degree",
        _leaning(0.5),
        ("T1ce.nii", "angles", "orthogonal"),
    ),
    BadInput(
        "T2 of another patient",
        _pair(patient="P2"),
        ("T1ce", "VS-SEG-002", "P2", "--different-patients", "option"),
    ),
    BadInput(
        "T2 of another patient, said to be right",
        _pair("--different-patients", patient="P2"),
        happens="is read, and that is told",
        prints="The T1ce of 'VS-SEG-002' and the T2 of 'P2' are taken for one patient's.",
    ),
    BadInput(
        "T2 of another frame of reference",
        _pair(frame="1.3"),
        happens="is read, and that is told",
        prints="T1ce and T2 have different frames of reference; look whether they are registered.",
    ),
    BadInput(
        "FLAIR given as T2",
        _pair(description="t2_tirm_flair"),
        happens="is read, and that is told",
        prints="The T2 is called 't2_tirm_flair', which is neither T1 nor T2; check it.",
    ),
    BadInput("dose and structures beside the slices", _beside, happens="are passed over", prints=FOUND),
    BadInput(
        "folder with a dose alone",
        _doses,
        ("plan", "no DICOM series", "RTDOSE", "folder"),
    ),
    BadInput(
        "contours that cross",
        _contours([_PIECE, _PIECE + (4.0, 0.0, 0.0)]),
        ("patient/contours.json", "60.0", "-25.0", "18.0", "64.0", "crosses", "join"),
    ),
    BadInput(
        "contours that enclose no voxel",
        _contours([circle(np.array(CENTER) + 0.2, 0.1)]),
        ("patient/contours.json", "enclose", "check"),
    ),
    BadInput(
        "structure set with a contour that is not closed",
        _contours([_PIECE], kinds=["OPEN_PLANAR"]),
        ("patient/rt.dcm", "closed", "close"),
    ),
    BadInput(
        "BIDS tree with two runs",
        _worklist("sub-01/anat/sub-01_run-1_T1w.nii", "sub-01/anat/sub-01_run-2_T1w.nii"),
        happens="is listed, and why no run is taken",
        prints="several files for its t1ce (sub-01_run-1_T1w.nii and sub-01_run-2_T1w.nii)",
    ),
    BadInput(
        "folder with a T1 and a FLAIR",
        _worklist("P1/T1.nii", "P1/T2_FLAIR.nii"),
        happens="is listed without a T2, and that the T1 may be without contrast",
        prints="T1.nii does not say that it is with contrast",
    ),
    BadInput("PatientID with an umlaut", _umlaut, happens="is shown as it is written", prints="Prüf-1  todo"),
]
