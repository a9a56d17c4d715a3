"""A mask as DICOM, in one file that a browser can take."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.files import temporary_folder
from VSClickCorrectLib.workflow.origin import Origin


def zip_dicom(path: Path, origin: Origin, values: np.ndarray, grid: Grid) -> None:
    """Write a mask as a zip archive of DICOM SEG, report and RTSTRUCT.

    Raises
    ------
    ImageError
        As `Origin.source`, or if the mask is empty or the archive cannot be written.
    """
    # Who writes no DICOM waits for none of it.
    from VSClickCorrectLib.io.dicom_out import dicom_objects, write_objects

    objects = dicom_objects(origin.source(grid), values, grid)
    with temporary_folder("vsclick-dicom-") as folder, zipfile.ZipFile(path, "w") as archive:
        write_objects(folder, objects)
        for name in objects:
            archive.write(folder / name, name)
