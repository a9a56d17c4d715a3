"""Bad NRRD files, and files of other formats that are no NIfTI."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from bad_case import BadInput
from made_images import IMAGE, saved

TITLE = "NRRD and other formats"


def _nrrd(**fields: str):
    """Segment a small NRRD file with other fields."""
    lines = {
        "type": "short",
        "dimension": "3",
        "space": "left-posterior-superior",
        "sizes": "4 4 4",
        "space directions": "(1,0,0) (0,1,0) (0,0,1)",
        "encoding": "raw",
        "endian": "little",
        "space origin": "(0,0,0)",
        **{name.replace("_", " "): value for name, value in fields.items()},
    }
    text = "NRRD0004\n" + "".join(f"{k}: {v}\n" for k, v in lines.items() if v) + "\n"
    return lambda room: room.segment(room.file("T1ce.nrrd", text.encode() + bytes(128)))


CASES = [
    BadInput(
        "NRRD without orientation",
        _nrrd(space="", space_directions="", space_origin="", spacings="1 1 1"),
        happens="is read, placed as Slicer does; it is told that nobody knows the sides",
        prints="does not say where the image lies nor which side is left",
    ),
    BadInput(
        "NRRD that lacks voxels",
        _nrrd(sizes="64 64 64"),
        ("T1ce.nrrd", "incomplete", "export"),
    ),
    BadInput(
        "NRRD whose header names 1.7 TB",
        _nrrd(sizes="9500 9500 9500"),
        ("T1ce.nrrd", "incomplete", "export"),
    ),
    BadInput(
        "NRRD whose voxels lie in a file that is not there",
        _nrrd(data_file="voxels.raw"),
        ("T1ce.nrrd", "proper"),
    ),
    BadInput(
        "NRRD whose voxels are a device without end",
        _nrrd(data_file="/dev/zero"),
        ("T1ce.nrrd", "proper"),
    ),
    BadInput(
        "NRRD of 99999999 dimensions",
        _nrrd(dimension="99999999"),
        ("T1ce.nrrd", "incomplete", "export"),
    ),
    BadInput(
        "MetaImage of 99999999 dimensions",
        lambda room: room.segment(
            room.file("T1ce.mha", "ObjectType = Image\nNDims = 99999999\nElementDataFile = LOCAL\n")
        ),
        ("T1ce.mha", "read", "folder"),
    ),
    BadInput(
        "MetaImage that names /etc/passwd, called NIfTI",
        lambda room: room.segment(
            room.file(
                "T1ce.nii",
                "ObjectType = Image\nNDims = 3\nDimSize = 4 4 4\nElementType = MET_UCHAR\n"
                "ElementDataFile = /etc/passwd\n",
            )
        ),
        ("T1ce.nii", "read", "folder"),
    ),
    BadInput(
        "header of a NRRD whose voxels lie beside it",
        lambda room: room.segment(saved(room, sitk.GetImageFromArray(IMAGE), "T1ce.nhdr")),
        ("T1ce.nhdr", "keeps", "NIfTI"),
    ),
    BadInput(
        "NRRD with a negative side",
        _nrrd(sizes="4 -4 4"),
        ("T1ce.nrrd", "incomplete", "export"),
    ),
    BadInput(
        "NRRD packed by bzip2",
        _nrrd(encoding="bzip2"),
        ("T1ce.nrrd", "bzip2", "gzip"),
    ),
    BadInput(
        "NRRD with NaN as direction",
        _nrrd(space_directions="(nan,0,0) (0,1,0) (0,0,1)"),
        ("T1ce.nrrd", "incomplete", "export"),
    ),
    BadInput(
        "photograph as PNG",
        lambda room: room.segment(
            saved(room, sitk.GetImageFromArray(IMAGE[12].astype(np.uint8)), "T1ce.png")
        ),
        ("T1ce.png", "read", "folder"),
    ),
]
