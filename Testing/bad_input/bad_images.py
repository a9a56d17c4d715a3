"""Bad images: NIfTI and NRRD files that are damaged, of the wrong kind, or lie nowhere."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from bad_case import BadInput, Room
from bright_ball import AXIAL, SHAPE, ball_volume, write_image
from good_files import FOUND

TITLE = "Images"
_IMAGE = ball_volume().array
# Where the fields of a NIfTI-1 header lie, and how they are packed.
_FIELDS = {
    "dim": (40, "8h"),
    "datatype": (70, "h"),
    "pixdim": (76, "8f"),
    "vox_offset": (108, "f"),
    "codes": (252, "2h"),
    "srow": (280, "12f"),
    "magic": (344, "4s"),
}
_SIZE = (64, 64, 24)


def header(content: bytes, **fields) -> bytes:
    """Return a NIfTI file with other values in its header."""
    changed = bytearray(content)
    for name, values in fields.items():
        offset, layout = _FIELDS[name]
        struct.pack_into(f"<{layout}", changed, offset, *(values if isinstance(values, tuple) else (values,)))
    return bytes(changed)


def _changed(**fields):
    """Segment the good scan with other values in its header."""
    return lambda room: room.segment(room.file("T1ce.nii", header(room.good.t1ce.read_bytes(), **fields)))


def _bytes(name: str, change):
    """Segment what a function makes of the good scan's bytes."""
    return lambda room: room.segment(room.file(name, change(room.good.t1ce.read_bytes())))


def _values(change, name: str = "T1ce.nii"):
    """Segment what a function makes of the good scan's voxels."""

    def make(room: Room):
        return room.segment(write_image(room.folder / name, change(_IMAGE)))

    return make


def _with(array: np.ndarray, value: float) -> np.ndarray:
    spoiled = array.astype(np.float32)
    spoiled[12, 30, 30:33] = value
    return spoiled


def _written(room: Room, image: sitk.Image, name: str) -> Path:
    path = room.folder / name
    sitk.WriteImage(image, str(path))
    return path


def _four_dimensional(room: Room):
    image = sitk.JoinSeries([sitk.GetImageFromArray(_IMAGE)] * 2)
    return room.segment(_written(room, image, "T1ce.nii"))


def _coloured(room: Room):
    return room.segment(_written(room, sitk.GetImageFromArray(np.stack([_IMAGE] * 3, -1), True), "T1ce.nrrd"))


def _complex(room: Room):
    part = sitk.GetImageFromArray(_IMAGE.astype(np.float32))
    return room.segment(_written(room, sitk.RealAndImaginaryToComplex(part, part), "T1ce.nii"))


def _flat(room: Room):
    return room.segment(_written(room, sitk.GetImageFromArray(_IMAGE[12]), "T1ce.nii"))


def _far(room: Room):
    affine = AXIAL.copy()
    affine[0, 3] += 500
    return room.segment(room.good.t1ce, "--t2", write_image(room.folder / "T2.nii", _IMAGE, affine))


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


_SHEARED = (1.0, 0.3, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
_SINGULAR = (1.0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0)
_TURNED = (0, 0.75, 0, 38, -0.75, 0, 0, -2, 0, 0, 1.5, 0)
_OTHER = (-1.5, 0, 0, 82, 0, -1.5, 0, -2, 0, 0, 3, 0)

CASES = [
    BadInput(
        "empty file",
        _bytes("T1ce.nii", lambda c: b""),
        "T1ce.nii is not an image that can be read; give NIfTI, NRRD or a DICOM folder.",
    ),
    BadInput(
        "NIfTI cut short in its header",
        _bytes("T1ce.nii", lambda c: c[:200]),
        "T1ce.nii is not an image that can be read; give NIfTI, NRRD or a DICOM folder.",
    ),
    BadInput(
        "NIfTI cut short in its voxels",
        _bytes("T1ce.nii", lambda c: c[:60_000]),
        "T1ce.nii is incomplete; copy or download it again.",
    ),
    BadInput(
        "compressed NIfTI cut short",
        _bytes("T1ce.nii.gz", lambda c: gzip.compress(c)[:-900]),
        "T1ce.nii.gz is incomplete; copy or download it again.",
    ),
    BadInput(
        "compressed NIfTI whose check sum is wrong",
        _bytes("T1ce.nii.gz", lambda c: gzip.compress(c)[:-8] + bytes(8)),
        "T1ce.nii.gz is incomplete or damaged; copy it again or export it again.",
    ),
    BadInput(
        ".nii.gz that is no gzip but text",
        _bytes("T1ce.nii.gz", lambda c: b"Dear colleague, ..."),
        "T1ce.nii.gz is not an image that can be read; give NIfTI, NRRD or a DICOM folder.",
    ),
    BadInput(".nii.gz that is an uncompressed NIfTI", _bytes("T1ce.nii.gz", lambda c: c), "is read", FOUND),
    BadInput(
        "gzip of 20 kB whose header names 35 GB",
        _bomb,
        "T1ce.nii.gz is incomplete; copy or download it again.",
    ),
    BadInput(
        "NIfTI whose header names 30000×30000×30000 voxels",
        _changed(dim=(3, 30000, 30000, 30000, 1, 1, 1, 1)),
        "T1ce.nii is incomplete; copy or download it again.",
    ),
    BadInput(
        "480 bytes of NIfTI whose voxels are a metre large",
        _tiny(1000.0),
        "T1ce.nii: the image's voxels are 1000×1000×1000 mm large, which cannot be; export the image again.",
    ),
    BadInput(
        "480 bytes of NIfTI whose voxels are a micrometre large",
        _tiny(1e-3),
        "T1ce.nii: the image's voxels are 0.001×0.001×0.001 mm large, which cannot be; export the image again.",
    ),
    BadInput(
        "NIfTI that is longer than any patient",
        _changed(pixdim=(1.0, 50.0, 0.75, 1.5, 0, 0, 0, 0), codes=(1, 0)),
        "T1ce.nii: the image is 3200×48×36 mm large, more than any patient; export it again.",
    ),
    BadInput(
        "NIfTI with a side of no voxels",
        _changed(dim=(3, 64, 0, 24, 1, 1, 1, 1)),
        "The header of T1ce.nii is damaged (its size is 64×0×24); export the image again.",
    ),
    BadInput(
        "NIfTI with a negative side",
        _changed(dim=(3, 64, -64, 24, 1, 1, 1, 1)),
        "The header of T1ce.nii is damaged (its size is 64×-64×24); export the image again.",
    ),
    BadInput(
        "NIfTI whose voxels begin behind its end",
        _changed(vox_offset=1e9),
        "T1ce.nii is incomplete; copy or download it again.",
    ),
    BadInput(
        "NIfTI whose voxels begin nowhere (NaN)",
        _changed(vox_offset=np.nan),
        "is read; the voxels begin after the header, as ITK has it",
        FOUND,
    ),
    BadInput(
        "NIfTI whose voxels begin before the file",
        _changed(vox_offset=-352.0),
        "is read; the voxels begin after the header, as ITK has it",
        FOUND,
    ),
    BadInput(
        "NIfTI of an unknown type of voxels",
        _changed(datatype=7777),
        "The voxels of T1ce.nii are of an unknown type (7777); export the image again.",
    ),
    BadInput(
        "NIfTI without its magic word",
        _changed(magic=b"xyz\0"),
        "T1ce.nii is not an image that can be read; give NIfTI, NRRD or a DICOM folder.",
    ),
    BadInput(
        "NIfTI with negative spacing",
        _changed(pixdim=(1.0, -0.75, 0.75, 1.5, 0, 0, 0, 0), codes=(1, 0)),
        "The header of T1ce.nii names a negative voxel size (-0.75×0.75×1.5 mm), by which some programs mirror the image and others do not; export the image again.",
    ),
    BadInput(
        "NIfTI with spacing 0",
        _changed(pixdim=(1.0, 0.0, 0.75, 1.5, 0, 0, 0, 0), codes=(1, 0)),
        "The header of T1ce.nii names no voxel size (0×0.75×1.5 mm); export the image again.",
    ),
    BadInput(
        "NIfTI with spacing NaN",
        _changed(pixdim=(1.0, np.nan, 0.75, 1.5, 0, 0, 0, 0), codes=(1, 0)),
        "The header of T1ce.nii names no voxel size (nan×0.75×1.5 mm); export the image again.",
    ),
    BadInput(
        "NIfTI whose sform is sheared",
        _changed(srow=_SHEARED, codes=(0, 1)),
        "T1ce.nii: the image's axes are not at right angles; resample it to an orthogonal grid first.",
    ),
    BadInput(
        "NIfTI whose sform is singular",
        _changed(srow=_SINGULAR, codes=(0, 1)),
        "T1ce.nii: the image's axes are not at right angles; resample it to an orthogonal grid first.",
    ),
    BadInput(
        "NIfTI whose sform holds NaN",
        _changed(srow=(np.nan,) * 12, codes=(0, 1)),
        "The header of T1ce.nii does not say where the image lies; export the image again.",
    ),
    BadInput(
        "NIfTI whose sform names another voxel size",
        _changed(srow=_OTHER, codes=(1, 1)),
        "The header of T1ce.nii names two voxel sizes (0.75×0.75×1.5 and 1.5×1.5×3 mm); export the image again.",
    ),
    BadInput(
        "NIfTI whose sform and qform are turned differently",
        _changed(srow=_TURNED, codes=(1, 1)),
        "is read; the sform counts, as in Slicer, and that is told",
        "names two places: the image lies where the sform says",
    ),
    BadInput(
        "NIfTI with neither sform nor qform",
        _changed(codes=(0, 0)),
        "is read, placed as Slicer does; it is told that nobody knows the sides",
        "does not say where the image lies nor which side is left",
    ),
    BadInput(
        "NRRD without orientation",
        _nrrd(space="", space_directions="", space_origin="", spacings="1 1 1"),
        "is read, placed as Slicer does; it is told that nobody knows the sides",
        "does not say where the image lies nor which side is left",
    ),
    BadInput(
        "four-dimensional image",
        _four_dimensional,
        "T1ce.nii is not a volume (its size is 64×64×24×2); give a three-dimensional image.",
    ),
    BadInput(
        "single slice", _flat, "T1ce.nii is not a volume (its size is 64×64); give a three-dimensional image."
    ),
    BadInput(
        "colour image",
        _coloured,
        "T1ce.nrrd has several channels or complex values; give a plain greyscale image.",
    ),
    BadInput(
        "complex image",
        _complex,
        "T1ce.nii has several channels or complex values; give a plain greyscale image.",
    ),
    BadInput(
        "image with some NaN",
        _values(lambda a: _with(a, np.nan)),
        "T1ce.nii: the image holds NaN or infinite values; export it again or replace them first.",
    ),
    BadInput(
        "image with some NaN, NRRD",
        _values(lambda a: _with(a, np.nan), "T1ce.nrrd"),
        "T1ce.nrrd: the image holds NaN or infinite values; export it again or replace them first.",
    ),
    BadInput(
        "image with one infinite voxel",
        _values(lambda a: _with(a, np.inf)),
        "T1ce.nii: the image holds NaN or infinite values; export it again or replace them first.",
    ),
    BadInput(
        "image of nothing but NaN",
        _values(lambda a: np.full(SHAPE, np.nan, np.float32)),
        "T1ce.nii: the image holds NaN or infinite values; export it again or replace them first.",
    ),
    BadInput(
        "constant image",
        _values(lambda a: np.full(SHAPE, 7, np.int16)),
        "is read; nothing is found, and that is said",
        "No tumour was found",
    ),
    BadInput(
        "image of nothing but zeros",
        _values(lambda a: np.zeros(SHAPE, np.int16)),
        "is read; nothing is found, and that is said",
        "No tumour was found",
    ),
    BadInput("image of int64", _values(lambda a: a.astype(np.int64)), "is read", FOUND),
    BadInput("image of uint64", _values(lambda a: a.astype(np.uint64)), "is read", FOUND),
    BadInput("image of float64", _values(lambda a: a.astype(np.float64)), "is read", FOUND),
    BadInput(
        "image of float64 up to 1e300",
        _values(lambda a: a * 1e297),
        "T1ce.nii: the image holds values as large as 1e+300; export it again.",
    ),
    BadInput(
        "NRRD that lacks voxels",
        _nrrd(sizes="64 64 64"),
        "T1ce.nrrd is incomplete or damaged; copy it again or export it again.",
    ),
    BadInput(
        "NRRD whose header names 1.7 TB",
        _nrrd(sizes="9500 9500 9500"),
        "T1ce.nrrd is incomplete or damaged; copy it again or export it again.",
    ),
    BadInput(
        "NRRD whose voxels lie in a file that is not there",
        _nrrd(data_file="voxels.raw"),
        "T1ce.nrrd keeps its voxels in another file or has no proper header; save it as one file.",
    ),
    BadInput(
        "NRRD whose voxels are a device without end",
        _nrrd(data_file="/dev/zero"),
        "T1ce.nrrd keeps its voxels in another file or has no proper header; save it as one file.",
    ),
    BadInput(
        "NRRD of 99999999 dimensions",
        _nrrd(dimension="99999999"),
        "T1ce.nrrd is incomplete or damaged; copy it again or export it again.",
    ),
    BadInput(
        "MetaImage of 99999999 dimensions",
        lambda room: room.segment(
            room.file("T1ce.mha", "ObjectType = Image\nNDims = 99999999\nElementDataFile = LOCAL\n")
        ),
        "T1ce.mha is not an image that can be read; give NIfTI, NRRD or a DICOM folder.",
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
        "T1ce.nii is not an image that can be read; give NIfTI, NRRD or a DICOM folder.",
    ),
    BadInput(
        "header of a NRRD whose voxels lie beside it",
        lambda room: room.segment(_written(room, sitk.GetImageFromArray(_IMAGE), "T1ce.nhdr")),
        "T1ce.nhdr keeps its voxels in another file; save it as one file, NIfTI or NRRD.",
    ),
    BadInput(
        "NRRD with a negative side",
        _nrrd(sizes="4 -4 4"),
        "T1ce.nrrd is incomplete or damaged; copy it again or export it again.",
    ),
    BadInput(
        "NRRD with NaN as direction",
        _nrrd(space_directions="(nan,0,0) (0,1,0) (0,0,1)"),
        "T1ce.nrrd is incomplete or damaged; copy it again or export it again.",
    ),
    BadInput(
        "photograph as PNG",
        lambda room: room.segment(
            _written(room, sitk.GetImageFromArray(_IMAGE[12].astype(np.uint8)), "T1ce.png")
        ),
        "T1ce.png is not an image that can be read; give NIfTI, NRRD or a DICOM folder.",
    ),
    BadInput(
        "T1ce and T2 that do not overlap",
        _far,
        "The fields of view of the T1ce and the T2 do not meet; check that both are of the same patient and registered.",
    ),
]
