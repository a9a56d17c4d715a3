"""Files of unknown origin, limited before they are read.

Made for a process of its own (`apart`): what a header does not tell is left to native code.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.archives import check_bytes, series_within, unpacked_series
from VSClickCorrectLib.io.dicom_source import slim_headers
from VSClickCorrectLib.io.images import read_lone_mask, read_mask, read_volume

from VSClickCorrectApp.reading.offered_series import OfferedSeries, offered

_MAX_SERIES = 200
# Of headers as text; those of a thousand slices take a tenth of it.
_MAX_HEADERS = 1 << 25


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
    check_bytes(path, most_bytes)
    return read_volume(path)


def read_sent_mask(path: Path, grid: Grid, most_bytes: int) -> np.ndarray:
    """Read a mask, ``(K, J, I)`` bool on ``grid``; raises as `read_sent_volume`."""
    check_bytes(path, most_bytes)
    return read_mask(path, grid)


def read_sent_lone_mask(path: Path, most_bytes: int) -> tuple[np.ndarray, Grid]:
    """Read a mask and its own grid; raises as `read_sent_volume`."""
    check_bytes(path, most_bytes)
    return read_lone_mask(path)


def sent_headers(path: Path, series: str) -> list[dict[str, Any]]:
    """Return what results in DICOM need of the headers of a series that was read, as JSON.

    Nothing of other kinds of files, and nothing where pydicom is not installed or they are of no use for it.
    """
    for folder in sorted(path.with_suffix("").iterdir()) if path.suffix == ".zip" else ():
        with suppress(ImageError):
            if headers := [header.to_json_dict() for header in slim_headers(folder, series)]:
                return headers if len(json.dumps(headers)) <= _MAX_HEADERS else []
    return []


def sent_series(path: Path, most_bytes: int) -> list[OfferedSeries]:
    """Return the series of MR images in an archive, for a person to choose from.

    Raises
    ------
    ImageError
        If it cannot be unpacked, holds none, or too many to choose from.
    """
    series = series_within(path, path.with_suffix(""), most_bytes)
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
    return read_volume(series.folder, sequence, series.uid)
