"""Zip archives of DICOM slices, unpacked under numbers and what is harmless of their names, within limits."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.dicom_search import find_series
from VSClickCorrectLib.io.files import DAMAGED_ZIP, changing
from VSClickCorrectLib.io.image_files import read_header
from VSClickCorrectLib.io.series_choice import Series, meant_as

_MB = 1 << 20
# An archive may hold no more than this many times what was sent: MRI rarely halves its size.
_MAX_RATIO = 20
_MAX_FILES = 20_000
# Others may ask for gigabytes of memory before a byte is unpacked.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def unpacked_series(archive: Path, folder: Path, sequence: str, most_bytes: int, uid: str = "") -> Series:
    """Unpack an archive and return the DICOM series in it that is meant.

    Parameters
    ----------
    archive : Path
        A zip archive.
    folder : Path
        Where to; made, unless the archive was unpacked there before.
    sequence : {"t1ce", "t2"}
        Which series of several is wanted.
    most_bytes : int
        What the archive, and the image in it, may hold at most.
    uid : str, optional
        The SeriesInstanceUID of the one that was chosen.

    Raises
    ------
    ImageError
        If it cannot be unpacked, holds more, or it is not clear which series to take.
    """
    series = series_within(archive, folder, most_bytes)
    if not series:
        raise ImageError(
            f"the archive {archive} holds no DICOM series of MR images; zip the slices of one series."
        )
    fitting = [s for s in series if s.uid == uid] if uid else meant_as(sequence, series)
    if len(fitting) != 1:
        raise ImageError(
            f"the archive {archive} holds {len(series)} MR series, so it is not clear which to take; "
            "zip the slices of one series."
        )
    check_bytes(fitting[0].files[0], most_bytes, len(fitting[0].files))
    return fitting[0]


def series_within(archive: Path, folder: Path, most_bytes: int) -> list[Series]:
    """Return the DICOM series of MR images in an archive, unpacked as by `unpacked_series`, each in a folder.

    Of a series in several folders of the archive all that lies in these is put into one.
    """
    if not folder.is_dir():
        _unpack(archive, folder, min(most_bytes, _MAX_RATIO * archive.stat().st_size))
    series = find_series(folder)[0]
    while len(homes := {one.uid: one.folder for one in reversed(series)}) < len(series):
        # With a series a part of another one may be moved, whose rest lies in a third folder.
        with changing(folder):
            for one in reversed(series):
                for path in one.folder.iterdir() if one.folder != homes[one.uid] else ():
                    path.rename(homes[one.uid] / path.name)
        series = find_series(folder)[0]
    return series


def _unpack(archive: Path, folder: Path, limit: int) -> None:
    """Unpack an archive's folders beside each other, and the files in each, all numbered, or nothing."""
    # A child that died may have left a part.
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with changing(folder), zipfile.ZipFile(archive) as zipped:
            part.mkdir()
            members = [info for info in zipped.infolist() if not info.is_dir()]
            if len(members) > _MAX_FILES or sum(info.file_size for info in members) > limit:
                raise ImageError(f"the archive {archive} holds too much; zip the slices of one series.")
            if any(info.compress_type not in _METHODS for info in members):
                raise zipfile.BadZipFile("a method that DICOM archives do not need")
            homes: dict[str, Path] = {}
            for number, info in enumerate(members):
                parent, _, name = info.filename.replace("\\", "/").rpartition("/")
                home = homes.setdefault(parent, part / _numbered(len(homes), parent.rpartition("/")[2]))
                home.mkdir(exist_ok=True)
                with zipped.open(info) as source, (home / _numbered(number, name)).open("wb") as target:
                    shutil.copyfileobj(source, target)
            part.rename(folder)
    except DAMAGED_ZIP:
        raise ImageError(
            f"{archive} is no whole zip archive without a password; zip the series again."
        ) from None


def _numbered(number: int, name: str) -> str:
    """Return a harmless name, by which a slice that cannot be read is known as one, and found by a person."""
    # The length of a UID, twice: such a path is still short enough for Windows.
    return f"{number:05d}-{re.sub('[^A-Za-z0-9._-]', '', name)[-64:]}".rstrip(".")


def check_bytes(path: Path, most_bytes: int, files: int = 1) -> None:
    """Refuse an image that is too large; a few bytes can announce voxels that no memory holds."""
    if read_header(path).voxel_bytes * files > most_bytes:
        raise ImageError(f"{path} holds a larger image than {most_bytes / _MB:.0f} MB; crop it first.")
