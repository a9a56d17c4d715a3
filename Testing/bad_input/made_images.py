"""Images that are odd or damaged, made of the good scan."""

from __future__ import annotations

import struct
from pathlib import Path

import SimpleITK as sitk
from bad_case import Room
from bright_ball import ball_volume, write_image

IMAGE = ball_volume().array
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


def header(content: bytes, **fields) -> bytes:
    """Return a NIfTI file with other values in its header."""
    changed = bytearray(content)
    for name, values in fields.items():
        offset, layout = _FIELDS[name]
        struct.pack_into(f"<{layout}", changed, offset, *(values if isinstance(values, tuple) else (values,)))
    return bytes(changed)


def changed(**fields):
    """Segment the good scan with other values in its header."""
    return lambda room: room.segment(room.file("T1ce.nii", header(room.good.t1ce.read_bytes(), **fields)))


def with_bytes(name: str, change):
    """Segment what a function makes of the good scan's bytes."""
    return lambda room: room.segment(room.file(name, change(room.good.t1ce.read_bytes())))


def with_values(change, name: str = "T1ce.nii"):
    """Segment what a function makes of the good scan's voxels."""

    def make(room: Room):
        return room.segment(write_image(room.folder / name, change(IMAGE)))

    return make


def saved(room: Room, image: sitk.Image, name: str) -> Path:
    """Write an image into the room's folder; return its file."""
    path = room.folder / name
    sitk.WriteImage(image, str(path))
    return path
