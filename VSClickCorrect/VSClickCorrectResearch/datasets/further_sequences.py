"""Further sequences of a list of cases: columns beside T1ce and T2, by any names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.io.images import read_volume, resample_to_grid


def further_files(
    row: dict[str, str], names: Sequence[str], folder: Path, where: str
) -> dict[str, Path | None]:
    """Return the files in the columns of further sequences, None where nothing stands.

    Raises
    ------
    ImageError
        If one does not exist.
    """
    files = {name: folder / row[name] if row[name] else None for name in names}
    for name, file in files.items():
        if file is not None and not os.path.exists(file):
            raise ImageError(f"{where}, column {name}: {file} does not exist.")
    return files


def read_further(path: Path, name: str, case: Case) -> Volume:
    """Read a further sequence of a case, resampled to the case's grid.

    Raises
    ------
    ImageError
        If it cannot be used, is of another patient, or its field of view does not meet the case's.
    """
    volume = read_volume(path)
    patients = {scan.patient for scan in (volume.scan, case.reference.scan) if scan and scan.patient}
    if len(patients) > 1:
        raise ImageError(f"{path} ({name}) is of another PatientID than the case; name the right file.")
    if volume.grid.matches(case.grid):
        return volume
    try:
        return resample_to_grid(volume, case.grid)
    except ImageError:
        raise ImageError(
            f"the fields of view of {path} ({name}) and of the case do not meet; "
            "check that both are of the same patient and registered."
        ) from None
