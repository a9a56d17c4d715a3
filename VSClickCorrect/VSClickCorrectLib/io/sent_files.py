"""Files of unknown origin: limited before they are read, and archives unpacked under names of our own.

Made for a process of its own (`jobs.reading`): what a header does not tell is left to native code.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.dicom_search import find_series
from VSClickCorrectLib.io.dicom_source import slim_headers
from VSClickCorrectLib.io.files import DAMAGED_ZIP, changing
from VSClickCorrectLib.io.image_files import read_header
from VSClickCorrectLib.io.images import read_lone_mask, read_mask, read_series, read_volume
from VSClickCorrectLib.io.offered_series import OfferedSeries, offered
from VSClickCorrectLib.io.series_choice import Series, meant_as

_MB = 1 << 20
# An archive may hold no more than this many times what was sent: MRI rarely halves its size.
_MAX_RATIO = 20
_MAX_FILES = 20_000
_MAX_SERIES = 200
# Of headers as text; those of a thousand slices take a tenth of it.
_MAX_HEADERS = 1 << 25
# Others may ask for gigabytes of memory before a byte is unpacked.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_sent_volume(path: Path, sequence: str, most_bytes: int, uid: str = "") -> Volume:
    """Read a sequence, ``t1ce`` or ``t2``, from a file or from an archive of DICOM slices.

    Of an archive the series of a SeriesInstanceUID, if it is given.

    Raises
    ------
    ImageError
        If it cannot be used, has voxels of more than ``most_bytes``, or it is not clear which series to take.
    """
    if path.suffix == ".zip":
        return _unpacked(path, sequence, most_bytes, uid)
    _check_bytes(path, most_bytes)
    return read_volume(path)


def read_sent_mask(path: Path, grid: Grid, most_bytes: int) -> np.ndarray:
    """Read a mask, ``(K, J, I)`` bool on ``grid``; raises as `read_sent_volume`."""
    _check_bytes(path, most_bytes)
    return read_mask(path, grid)


def read_sent_lone_mask(path: Path, most_bytes: int) -> tuple[np.ndarray, Grid]:
    """Read a mask and its own grid; raises as `read_sent_volume`."""
    _check_bytes(path, most_bytes)
    return read_lone_mask(path)


def sent_headers(path: Path, series: str) -> list[dict[str, Any]]:
    """Return what results in DICOM need of the headers of a series that was read, as JSON.

    Nothing of other kinds of files, and nothing where pydicom is not installed or they are of no use for it.
    """
    folder = path.with_suffix("")
    if path.suffix != ".zip":
        return []
    try:
        headers = [header.to_json_dict() for header in slim_headers(folder, series)]
    except ImageError:
        return []
    return headers if len(json.dumps(headers)) <= _MAX_HEADERS else []


def _check_bytes(path: Path, most_bytes: int, files: int = 1) -> None:
    """Refuse an image that is too large; a few bytes can announce voxels that no memory holds."""
    if read_header(path).voxel_bytes * files > most_bytes:
        raise ImageError(f"{path} holds a larger image than {most_bytes / _MB:.0f} MB; crop it first.")


def sent_series(path: Path, most_bytes: int) -> list[OfferedSeries]:
    """Return the series of MR images in an archive, for a person to choose from.

    Raises
    ------
    ImageError
        If it cannot be unpacked, holds none, or too many to choose from.
    """
    series = _series_in(path, path.with_suffix(""), most_bytes)
    if not series:
        raise ImageError(
            f"{path} holds no DICOM series of MR images; send DICOM here, and NIfTI or NRRD in fields of "
            "their own."
        )
    if len(series) > _MAX_SERIES:
        raise ImageError(f"{path} holds {len(series)} MR series; give the folder of one examination.")
    return offered(series)


def _unpacked(archive: Path, sequence: str, most_bytes: int, uid: str) -> Volume:
    series = unpacked_series(archive, archive.with_suffix(""), sequence, most_bytes, uid)
    return read_series(series.folder, series.uid)


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
    series = _series_in(archive, folder, most_bytes)
    if not series:
        raise ImageError("the archive holds no DICOM series of MR images; zip the slices of one series.")
    fitting = [s for s in series if s.uid == uid] if uid else meant_as(sequence, series)
    if len(fitting) != 1:
        raise ImageError(
            f"the archive holds {len(series)} MR series, so it is not clear which to take; "
            "zip the slices of one series."
        )
    _check_bytes(fitting[0].files[0], most_bytes, len(fitting[0].files))
    return fitting[0]


def _series_in(archive: Path, folder: Path, most_bytes: int) -> list[Series]:
    if not folder.is_dir():
        _unpack(archive, folder, min(most_bytes, _MAX_RATIO * archive.stat().st_size))
    return find_series(folder)[0]


def _unpack(archive: Path, folder: Path, limit: int) -> None:
    """Unpack an archive into one flat folder of numbered files, whatever its names say, or nothing."""
    # A child that died may have left a part.
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with changing(folder), zipfile.ZipFile(archive) as zipped:
            part.mkdir()
            members = [info for info in zipped.infolist() if not info.is_dir()]
            if len(members) > _MAX_FILES or sum(info.file_size for info in members) > limit:
                raise ImageError("the archive holds too much; zip the slices of one series.")
            if any(info.compress_type not in _METHODS for info in members):
                raise zipfile.BadZipFile("a method that DICOM archives do not need")
            for number, info in enumerate(members):
                with zipped.open(info) as source, (part / f"{number:05d}").open("wb") as target:
                    shutil.copyfileobj(source, target)
            part.rename(folder)
    except (ImageError, StorageError):
        raise
    except OSError as error:
        raise StorageError(f"{archive} cannot be unpacked ({error.strerror}); try again.") from None
    except DAMAGED_ZIP:
        raise ImageError(
            f"{archive} is no whole zip archive without a password; zip the series again."
        ) from None
