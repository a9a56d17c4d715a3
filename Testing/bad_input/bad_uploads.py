"""Bad uploads of the browser app: zip archives."""

from __future__ import annotations

import io
import struct
import zipfile

from bad_case import BadInput, Room
from made_images import header
from VSClickCorrectApp.uploads import Uploads

TITLE = "Uploads to the browser app"
_MB = 1 << 20


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _slices(room: Room, prefix: str = "") -> dict[str, bytes]:
    return {prefix + path.name: path.read_bytes() for path in room.good.series.iterdir()}


def _upload(content, name: str = "series.zip", slot: str = "t1ce"):
    """Send what a function makes of the room, and read it; the folder of uploads must be empty again."""

    def make(room: Room):
        sent = content(room)

        def receive() -> str:
            uploads = Uploads(limit_mb=8)
            try:
                uploads.begin(slot, name, len(sent))
                uploads.part(slot, 0, sent)
                opened = uploads.case().checked()
                outside = [p for p in uploads.folder.parent.glob("IMG*.dcm")]
                return f"a scan of {opened.grid.shape}, {len(outside)} files elsewhere"
            finally:
                uploads.close()

        return receive

    return make


def _encrypted(room: Room) -> bytes:
    content = bytearray(zipped(_slices(room)))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = content.find(signature)
        while position >= 0:
            content[position + at] |= 1
            position = content.find(signature, position + 4)
    return bytes(content)


def _understated(room: Room) -> bytes:
    """A bomb whose directory says that it holds 10 bytes."""
    content = bytearray(zipped({"a": bytes(50 * _MB)}))
    at = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, at + 24, 10)
    return bytes(content)


def _link(room: Room) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        link = zipfile.ZipInfo("series")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, str(room.good.series))
    return stream.getvalue()


def _metres(room: Room) -> bytes:
    values = {"dim": (3, 4, 4, 4, 1, 1, 1, 1), "pixdim": (1.0, *[1000.0] * 3, 0, 0, 0, 0), "codes": (1, 0)}
    return header(room.good.t1ce.read_bytes(), **values)[:480]


def _from_two_windows(_room: Room):
    def send() -> str:
        uploads = Uploads(limit_mb=8)
        try:
            uploads.begin("t1ce", "first.nii", 8, sender="one window")
            uploads.begin("t1ce", "second.nii", 8, sender="another")
            return "both were taken"
        finally:
            uploads.close()

    return send


CASES = [
    BadInput(
        "archive whose names lead out of it",
        _upload(lambda room: zipped(_slices(room, "../../"))),
        happens="is read; its names are not used, and nothing is written elsewhere",
        prints="a scan of (24, 64, 64), 0 files elsewhere",
    ),
    BadInput(
        "archive that unpacks to 200 times its size",
        _upload(lambda room: zipped({"a": bytes(4 * _MB)})),
        ("archive", "too much", "zip"),
    ),
    BadInput(
        "archive that understates what it holds",
        _upload(_understated),
        ("archive", "series.zip", "password"),
    ),
    BadInput(
        "archive with a password",
        _upload(_encrypted),
        ("archive", "series.zip", "password"),
    ),
    BadInput(
        "archive of an archive",
        _upload(lambda room: zipped({"series.zip": zipped(_slices(room))})),
        ("archive", "no DICOM series", "zip"),
    ),
    BadInput(
        "archive that holds a link",
        _upload(_link),
        ("archive", "no DICOM series", "zip"),
    ),
    BadInput(
        "archive of 20 001 files",
        _upload(lambda room: zipped({str(n): b"" for n in range(20_001)}, zipfile.ZIP_STORED)),
        ("archive", "too much", "zip"),
    ),
    BadInput(
        "archive cut short",
        _upload(lambda room: zipped(_slices(room))[:-500]),
        ("archive", "series.zip", "password"),
    ),
    BadInput(
        "archive with a byte changed",
        _upload(
            lambda room: (c := bytearray(zipped(_slices(room)))).__setitem__(90, c[90] ^ 255) or bytes(c)
        ),
        ("archive", "series.zip", "password"),
    ),
    BadInput(
        "archive that is a text",
        _upload(lambda room: b"Dear colleague"),
        ("archive", "series.zip", "password"),
    ),
    BadInput(
        "empty archive",
        _upload(lambda room: zipped({})),
        ("archive", "no DICOM series", "zip"),
    ),
    BadInput(
        "upload of 9 MB where 8 are allowed",
        _upload(lambda room: bytes(9 * _MB)),
        ("series.zip", "9", "8", "empty"),
    ),
    BadInput(
        "upload of nothing",
        _upload(lambda room: b""),
        ("series.zip", "0", "8", "empty"),
    ),
    BadInput(
        "upload of another kind",
        _upload(lambda room: b"MZ", "scan.exe"),
        ("scan.exe", "known", "zipped"),
    ),
    BadInput(
        "mask as an archive",
        _upload(lambda room: zipped(_slices(room)), slot="mask"),
        ("series.zip", "known", "zipped"),
    ),
    BadInput(
        "480 bytes sent as NIfTI whose voxels are a metre large",
        _upload(_metres, "scan.nii"),
        ("scan.nii", "1000×1000×1000", "large", "export"),
    ),
    BadInput(
        "NRRD that names a file of the server",
        _upload(lambda room: b"NRRD0004\ndata file: /etc/passwd\n\n", "scan.nrrd"),
        ("scan.nrrd", "proper"),
    ),
    BadInput(
        "file for a place into which another window sends one",
        _from_two_windows,
        ("first.nii", "second.nii", "window"),
    ),
]
