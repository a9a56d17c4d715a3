"""Bad NIfTI files: damaged, of impossible sizes, or lying nowhere, aslant or in two places."""

from __future__ import annotations

import gzip

import numpy as np
from bad_case import BadInput, Room
from good_files import FOUND
from made_images import changed, header, with_bytes

TITLE = "NIfTI"
_SHEARED = (1.0, 0.3, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
_SINGULAR = (1.0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0)
_TURNED = (0, 0.75, 0, 38, -0.75, 0, 0, -2, 0, 0, 1.5, 0)
_OTHER = (-1.5, 0, 0, 82, 0, -1.5, 0, -2, 0, 0, 3, 0)


def _tiny(size_mm: float):
    """Segment a NIfTI file of 480 bytes: 4×4×4 voxels."""

    def make(room: Room):
        values = {
            "dim": (3, 4, 4, 4, 1, 1, 1, 1),
            "pixdim": (1.0, *[size_mm] * 3, 0, 0, 0, 0),
            "codes": (1, 0),
        }
        content = header(room.good.t1ce.read_bytes(), **values)[:480]
        return room.segment(room.file("T1ce.nii", content))

    return make


def _bomb(room: Room):
    # 20 kB that unpack to 20 MB of the 35 GB that the header names.
    content = header(room.good.t1ce.read_bytes()[:352], dim=(3, 2600, 2600, 2600, 1, 1, 1, 1))
    return room.segment(room.file("T1ce.nii.gz", gzip.compress(content + bytes(20_000_000))))


CASES = [
    BadInput(
        "empty file",
        with_bytes("T1ce.nii", lambda c: b""),
        ("T1ce.nii", "read", "folder"),
    ),
    BadInput(
        "NIfTI cut short in its header",
        with_bytes("T1ce.nii", lambda c: c[:200]),
        ("T1ce.nii", "read", "folder"),
    ),
    BadInput(
        "NIfTI cut short in its voxels",
        with_bytes("T1ce.nii", lambda c: c[:60_000]),
        ("T1ce.nii", "incomplete", "download"),
    ),
    BadInput(
        "compressed NIfTI cut short",
        with_bytes("T1ce.nii.gz", lambda c: gzip.compress(c)[:-900]),
        ("T1ce.nii.gz", "incomplete", "download"),
    ),
    BadInput(
        "compressed NIfTI whose check sum is wrong",
        with_bytes("T1ce.nii.gz", lambda c: gzip.compress(c)[:-8] + bytes(8)),
        ("T1ce.nii.gz", "incomplete", "export"),
    ),
    BadInput(
        ".nii.gz that is no gzip but text",
        with_bytes("T1ce.nii.gz", lambda c: b"Dear colleague, ..."),
        ("T1ce.nii.gz", "read", "folder"),
    ),
    BadInput(
        ".nii.gz that is an uncompressed NIfTI",
        with_bytes("T1ce.nii.gz", lambda c: c),
        happens="is read",
        prints=FOUND,
    ),
    BadInput(
        "gzip of 20 kB whose header names 35 GB",
        _bomb,
        ("T1ce.nii.gz", "incomplete", "download"),
    ),
    BadInput(
        "NIfTI whose header names 30000×30000×30000 voxels",
        changed(dim=(3, 30000, 30000, 30000, 1, 1, 1, 1)),
        ("T1ce.nii", "incomplete", "download"),
    ),
    BadInput(
        "480 bytes of NIfTI whose voxels are a metre large",
        _tiny(1000.0),
        ("T1ce.nii", "1000×1000×1000", "large", "export"),
    ),
    BadInput(
        "480 bytes of NIfTI whose voxels are a micrometre large",
        _tiny(1e-3),
        ("T1ce.nii", "0.001×0.001×0.001", "large", "export"),
    ),
    BadInput(
        "NIfTI that is longer than any patient",
        changed(pixdim=(1.0, 50.0, 0.75, 1.5, 0, 0, 0, 0), codes=(1, 0)),
        ("T1ce.nii", "3200×48×36", "large", "export"),
    ),
    BadInput(
        "NIfTI with a side of no voxels",
        changed(dim=(3, 64, 0, 24, 1, 1, 1, 1)),
        ("T1ce.nii", "64×0×24", "size", "export"),
    ),
    BadInput(
        "NIfTI with a negative side",
        changed(dim=(3, 64, -64, 24, 1, 1, 1, 1)),
        ("T1ce.nii", "64×-64×24", "size", "export"),
    ),
    BadInput(
        "NIfTI whose voxels begin behind its end",
        changed(vox_offset=1e9),
        ("T1ce.nii", "incomplete", "download"),
    ),
    BadInput(
        "NIfTI whose voxels begin nowhere (NaN)",
        changed(vox_offset=np.nan),
        happens="is read; the voxels begin after the header",
        prints=FOUND,
    ),
    BadInput(
        "NIfTI whose voxels begin before the file",
        changed(vox_offset=-352.0),
        happens="is read; the voxels begin after the header",
        prints=FOUND,
    ),
    BadInput(
        "NIfTI of an unknown type of voxels",
        changed(datatype=7777),
        ("T1ce.nii", "7777", "unknown", "export"),
    ),
    BadInput(
        "NIfTI without its magic word",
        changed(magic=b"xyz\0"),
        ("T1ce.nii", "read", "folder"),
    ),
    BadInput(
        "NIfTI with negative spacing",
        changed(pixdim=(1.0, -0.75, 0.75, 1.5, 0, 0, 0, 0), codes=(1, 0)),
        ("T1ce.nii", "-0.75×0.75×1.5", "negative", "export"),
    ),
    BadInput(
        "NIfTI with spacing 0",
        changed(pixdim=(1.0, 0.0, 0.75, 1.5, 0, 0, 0, 0), codes=(1, 0)),
        ("T1ce.nii", "0×0.75×1.5", "voxel", "export"),
    ),
    BadInput(
        "NIfTI with spacing NaN",
        changed(pixdim=(1.0, np.nan, 0.75, 1.5, 0, 0, 0, 0), codes=(1, 0)),
        ("T1ce.nii", "nan×0.75×1.5", "voxel", "export"),
    ),
    BadInput(
        "NIfTI whose sform is sheared",
        changed(srow=_SHEARED, codes=(0, 1)),
        ("T1ce.nii", "angles", "orthogonal"),
    ),
    BadInput(
        "NIfTI whose sform is singular",
        changed(srow=_SINGULAR, codes=(0, 1)),
        ("T1ce.nii", "angles", "orthogonal"),
    ),
    BadInput(
        "NIfTI whose sform holds NaN",
        changed(srow=(np.nan,) * 12, codes=(0, 1)),
        ("T1ce.nii", "header", "export"),
    ),
    BadInput(
        "NIfTI whose sform names another voxel size",
        changed(srow=_OTHER, codes=(1, 1)),
        ("T1ce.nii", "0.75×0.75×1.5", "1.5×1.5×3", "voxel", "export"),
    ),
    BadInput(
        "NIfTI whose sform and qform are turned differently",
        changed(srow=_TURNED, codes=(1, 1)),
        happens="is read; the sform counts, as in Slicer, and that is told",
        prints="names two places: the image lies where the sform says",
    ),
    BadInput(
        "NIfTI with neither sform nor qform",
        changed(codes=(0, 0)),
        happens="is read, placed as Slicer does; it is told that nobody knows the sides",
        prints="does not say where the image lies nor which side is left",
    ),
]
