"""Where the images of a case are from, to which results in DICOM refer."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.files import temporary_folder

if TYPE_CHECKING:
    from VSClickCorrectLib.geometry.volume import Scan
    from VSClickCorrectLib.io.dicom_source import SourceSeries


@dataclass(frozen=True, eq=False)
class Origin:
    """The files of the sequence on whose grid a case lies.

    Parameters
    ----------
    path : Path or None
        Where they are; None if they were sent and are gone.
    scan : Scan or None
        Whose it is, and which series; None if it is no DICOM.
    headers : tuple of dict
        Of sent DICOM files, as JSON.
    """

    path: Path | None = None
    scan: Scan | None = None
    headers: tuple[dict[str, Any], ...] = ()

    def source(self, grid: Grid) -> SourceSeries:
        """Return the series that lies on a grid.

        Raises
        ------
        ImageError
            If highdicom is not installed, or the images did not come as DICOM.
        """
        # Who writes no DICOM waits for none of it; so below.
        from VSClickCorrectLib.io.dicom_headers import needed
        from VSClickCorrectLib.io.dicom_source import TASK, matching, read_source

        if self.path is not None:
            return read_source(self.path, grid, self.scan.series if self.scan is not None else "")
        if not self.headers:
            raise ImageError(
                "the images did not come as DICOM, so nothing can be written that refers to them; "
                "save the mask as NIfTI or for Slicer."
            )
        needed("highdicom", TASK)
        dataset = needed("pydicom", TASK).Dataset
        return matching([dataset.from_json(one) for one in self.headers], grid, Path("the archive"))

    def zip_dicom(self, path: Path, values: np.ndarray, grid: Grid) -> None:
        """Write a mask as a zip archive of DICOM SEG, report and RTSTRUCT.

        Raises
        ------
        ImageError
            As `source`, or if the mask is empty or the archive cannot be written.
        """
        from VSClickCorrectLib.io.dicom_out import dicom_objects, write_objects

        objects = dicom_objects(self.source(grid), values, grid)
        with temporary_folder("vsclick-dicom-") as folder, zipfile.ZipFile(path, "w") as archive:
            write_objects(folder, objects)
            for name in objects:
                archive.write(folder / name, name)
