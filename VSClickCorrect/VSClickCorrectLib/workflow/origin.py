"""Where the images of a case are from, to which results in DICOM refer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid

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
        # Who writes no DICOM waits for none of it.
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
