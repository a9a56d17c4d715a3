"""Bad DICOM folders and structure sets."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
from bad_case import BadInput, Room
from bright_ball import CENTER, GRID, ball_volume
from dicom_scans import Slice, stack, write_frames, write_slices
from vs_seg_files import T1_UID, T2_UID, circle, write_contours, write_rtstruct, write_series
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectResearch.datasets.placing import read_matrix
from VSClickCorrectResearch.datasets.rtstruct import read_structure_set
from VSClickCorrectResearch.datasets.vs_seg import find_cases

TITLE = "DICOM"
_IMAGE = ball_volume().array
_TURNS = ((1.0, 0.0, 0.0, 0.0, 0.0, -1.0), (0.0, 1.0, 0.0, 0.0, 0.0, -1.0))


def _series(room: Room, **options) -> Path:
    return write_series(room.folder / "series", _IMAGE, GRID, **options)


def _scan(room: Room, slices: list[Slice] | None = None, change=None) -> Path:
    return write_slices(room.folder / "scan", slices or stack(), change)


def _echo_by_turns(image, number: int) -> None:
    image.EchoTime = ("3", "12")[number % 2]


def _component_by_turns(image, number: int) -> None:
    image.ComplexImageComponent = ("MAGNITUDE", "PHASE")[number % 2]


def _mapped_by_a_table(image, _number: int) -> None:
    table = pydicom.Dataset()
    table.ModalityLUTType = "US"
    for name, value in (("LUTDescriptor", [2, 0, 16]), ("LUTData", [1, 0])):
        setattr(table, name, value)
        table[name].VR = "US"
    image.ModalityLUTSequence = [table]


def _aligned_left(image, _number: int) -> None:
    image.PixelData = (np.frombuffer(image.PixelData, "<u2") << 4).tobytes()
    image.BitsStored, image.HighBit = 12, 15


def _captured(image) -> None:
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"


def _scaled_each(room: Room):
    slices = stack()
    for number, one in enumerate(slices):
        slices[number] = replace(one, rescale=(1.0 + number, 0.0))
    return room.segment(write_frames(room.folder / "scan.dcm", slices, change=_captured))


def _slices(room: Room, first: range, second: range, **second_options) -> Path:
    """Write some slices one way and the others another way, as one series."""
    _series(room, without=set(range(24)) - set(first))
    return _series(room, without=set(range(24)) - set(second), **second_options)


def _twice(room: Room):
    folder = _series(room)
    shutil.copy(folder / "IMG0000000003.dcm", folder / "copy.dcm")
    return room.segment(folder)


def _two(room: Room):
    _series(room)
    shutil.copytree(room.folder / "series", room.folder / "all")
    other = write_series(room.folder / "other", _IMAGE, GRID, uid=T2_UID)
    for path in other.iterdir():
        shutil.copy(path, room.folder / "all" / f"T2-{path.name}")
    return room.segment(room.folder / "all")


def _halves(room: Room):
    for name, half in (("a", range(12)), ("b", range(12, 24))):
        write_series(room.folder / "study" / name, _IMAGE, GRID, without=set(range(24)) - set(half))
    return room.segment(room.folder / "study")


def _nothing(room: Room):
    (room.folder / "series").mkdir()
    room.file("series/notes.txt", "nothing to see")
    return room.segment(room.folder / "series")


def _gone(room: Room):
    folder = _series(room)
    return lambda: read_volume(folder, uid="1.2.3")


def _damaged(change):
    def make(room: Room):
        folder = _series(room)
        path = folder / "IMG0000000007.dcm"
        path.write_bytes(change(path.read_bytes()))
        return room.segment(folder)

    return make


def _position(content: bytes, value: bytes) -> bytes:
    """Put another text, of the same length, in the place of the slice's position."""
    at = content.index(b"\x20\x00\x32\x00") + 8
    length = int.from_bytes(content[at - 4 : at], "little")
    return content[:at] + value.ljust(length)[:length] + content[at + length :]


def _structure_set(change):
    def make(room: Room):
        path = write_rtstruct(room.folder / "rtstruct.dcm", {"TV": [circle(np.array(CENTER), 5.0)]})
        path.write_bytes(change(path.read_bytes()))
        return lambda: read_structure_set(path)

    return make


def _transform(text: str):
    def make(room: Room):
        header = "#Insight Transform File V1.0\n#Transform 0\n"
        path = room.file("matrix.tfm", (header + text).encode("latin-1"))
        return lambda: read_matrix(path)

    return make


def _contours(old: bytes, new: bytes):
    """Read VS-SEG's contours with the first of some bytes replaced."""

    def make(room: Room):
        patient = room.inside("patient")
        write_series(patient / "t1", _IMAGE, GRID)
        path = write_contours(patient / "contours.json", {"TV": [circle(np.array(CENTER), 5.0)]})
        path.write_bytes(path.read_bytes().replace(old, new, 1))

        def read() -> object:
            try:
                return [source.read() for source in find_cases(patient)]
            except ImageError as error:
                # A patient without any usable contours is told why by the file's own sentence.
                raise ImageError(str(error).rpartition("used: ")[2].replace(f"{patient}/", "")) from None

        return read

    return make


CASES = [
    BadInput(
        "folder without DICOM",
        _nothing,
        ("series", "no DICOM series", "folder"),
    ),
    BadInput(
        "empty folder",
        lambda room: room.segment(room.inside("series")),
        ("series", "no DICOM series", "folder"),
    ),
    BadInput(
        "series that was chosen and is gone",
        _gone,
        ("series", "1.2.3", "any more", "put it back"),
    ),
    BadInput(
        "series that lacks slices",
        lambda room: room.segment(_series(room, without=(8, 9))),
        ("series", "4.5", "IMG0000000007.dcm", "IMG0000000010.dcm", "1.5", "unevenly", "export"),
    ),
    BadInput(
        "series whose slices do not say where they lie",
        lambda room: room.segment(_scan(room, change=lambda image, _: image.pop("ImagePositionPatient"))),
        ("scan", "slice", "export"),
    ),
    BadInput(
        "series with two echoes of each slice",
        lambda room: room.segment(_scan(room, [*stack(), *stack(echo=12.0)])),
        ("scan", "2", "3.0", "12.0", "00-0.dcm", "13-24.dcm", "echo"),
    ),
    BadInput(
        "series with two echoes whose slices lie between each other's",
        lambda room: room.segment(_scan(room, change=_echo_by_turns)),
        ("scan", "2", "3", "12", "00-0.dcm", "07-1.dcm", "14-2.dcm", "21", "echo"),
    ),
    BadInput(
        "series of magnitude and phase by turns",
        lambda room: room.segment(_scan(room, change=_component_by_turns)),
        ("scan", "2", "MAGNITUDE", "PHASE", "complex component", "00-0.dcm", "07-1.dcm", "14-2.dcm", "21"),
    ),
    BadInput(
        "series whose values a table maps",
        lambda room: room.segment(_scan(room, change=_mapped_by_a_table)),
        ("scan", "00-0.dcm", "Modality LUT", "export"),
    ),
    BadInput(
        "series of 12 bits that stand at the left of 16",
        lambda room: room.segment(_scan(room, change=_aligned_left)),
        ("scan", "00-0.dcm", "bits", "export"),
    ),
    BadInput(
        "multi-frame screenshot whose frames are scaled each",
        _scaled_each,
        ("scan.dcm", "frame", "enhanced", "export"),
    ),
    BadInput(
        "multi-frame file with two echoes of each slice",
        lambda room: room.segment(write_frames(room.folder / "scan.dcm", [*stack(), *stack(echo=12.0)])),
        ("scan.dcm", "2", "3.0", "12.0", "1", "25", "frame"),
    ),
    BadInput(
        "multi-frame file that lacks a frame",
        lambda room: room.segment(write_frames(room.folder / "scan.dcm", stack()[:9] + stack()[10:])),
        ("scan.dcm", "4.0", "9", "10", "2.0", "unevenly", "export"),
    ),
    BadInput(
        "series whose slices are tilted, as by a gantry",
        lambda room: room.segment(_scan(room, stack(step=(0.0, 0.5, 2.0)))),
        happens="is read, resampled onto an upright grid, and that is told",
        prints="were resampled within their planes onto an upright grid of 44×48×24 voxels",
    ),
    BadInput(
        "series with slices of three orientations",
        lambda room: room.segment(
            _scan(room, [*stack(5), *(one for turn in _TURNS for one in stack(5, orientation=turn))])
        ),
        ("scan", "3", "00-0.dcm", "01-9.dcm", "05-14.dcm", "orientations", "export"),
    ),
    BadInput(
        "multi-frame file whose frames say nothing of themselves",
        lambda room: room.segment(
            write_frames(
                room.folder / "scan.dcm", stack(), change=lambda i: i.pop("PerFrameFunctionalGroupsSequence")
            )
        ),
        ("scan.dcm", "0", "24", "lie", "export"),
    ),
    BadInput(
        "segmentation of DICOM as a scan",
        lambda room: room.segment(
            write_frames(room.folder / "scan.dcm", stack(), change=lambda i: setattr(i, "Modality", "SEG"))
        ),
        ("scan.dcm", "segmentation"),
    ),
    BadInput(
        "series with a slice twice",
        _twice,
        ("series", "IMG0000000003.dcm", "copy.dcm", "twice", "remove"),
    ),
    BadInput(
        "folder with two series",
        _two,
        ("all", "2", "t1_fl3d_tra_gk_v1", "folder"),
    ),
    BadInput(
        "series in two folders",
        _halves,
        ("study/a", "study/b", "2", "t1_fl3d_tra_gk_v1", "folder", "parts"),
    ),
    BadInput(
        "series of two frames of reference",
        lambda room: room.segment(_slices(room, range(12), range(12, 24), frame=f"{T1_UID}.78")),
        ("series", "2", "reference", "export"),
    ),
    BadInput(
        "series of two patients",
        lambda room: room.segment(_slices(room, range(12), range(12, 24), patient="VS-SEG-003")),
        ("series", "2", "patients", "export"),
    ),
    BadInput(
        "series of one slice",
        lambda room: room.segment(_series(room, without=range(1, 24))),
        ("series", "64×64×1", "size", "three-dimensional"),
    ),
    BadInput(
        "slice cut short",
        _damaged(lambda c: c[:3000]),
        ("series/IMG0000000007.dcm", "incomplete", "export"),
    ),
    BadInput(
        "slice cut short in its header",
        _damaged(lambda c: c[:200]),
        ("series/IMG0000000007.dcm", "incomplete", "export"),
    ),
    BadInput(
        "slice of zeros",
        _damaged(lambda c: bytes(len(c))),
        ("series", "3.0", "IMG0000000006.dcm", "IMG0000000008.dcm", "1.5", "unevenly", "export"),
    ),
    BadInput(
        "slice whose position is no number",
        _damaged(lambda c: _position(c, b"left\\up")),
        ("series", "IMG0000000007.dcm", "lies", "export"),
    ),
    BadInput(
        "slice that names 4 GB for a position",
        _damaged(
            lambda c: c.replace(b"\x20\x00\x32\x00\x0a\x00\x00\x00", b"\x20\x00\x32\x00\xfe\xff\xff\xff")
        ),
        ("series/IMG0000000007.dcm", "incomplete", "export"),
    ),
    BadInput(
        "structure set cut short",
        _structure_set(lambda c: c[: len(c) // 2]),
        ("rtstruct.dcm", "damaged", "download"),
    ),
    BadInput(
        "structure set that is text",
        _structure_set(lambda c: b"Dear colleague"),
        ("rtstruct.dcm", "DICOM", "download"),
    ),
    BadInput(
        "structure set whose coordinates are no numbers",
        _structure_set(lambda c: c.replace(b"\\18.0000", b"\\18.00.0")),
        ("rtstruct.dcm", "damaged", "download"),
    ),
    BadInput(
        "structure set with a coordinate NaN",
        _structure_set(lambda c: c.replace(b"\\18.0000", b"\\NaN    ", 1)),
        ("rtstruct.dcm", "damaged", "download"),
    ),
    BadInput(
        "structure set whose header has a length that cannot be",
        _structure_set(lambda c: c.replace(b"DICM\x02\x00\x00\x00UL", b"DICM\x02\x00\x00\x00[]") + b"\0"),
        ("rtstruct.dcm", "damaged", "download"),
    ),
    BadInput(
        "transform of no known kind, its name no text",
        _transform("Transform: Affine\xd1\xdbTransform\nParameters: 1\nFixedParameters: 0\n"),
        ("matrix.tfm", "read", "ITK"),
    ),
    BadInput(
        "contours with null for a coordinate",
        _contours(b"18.0", b"null"),
        ("contours.json", "structures"),
    ),
    BadInput(
        "contours that are cut short",
        _contours(b"]", b""),
        ("contours.json", "read", "download"),
    ),
]
