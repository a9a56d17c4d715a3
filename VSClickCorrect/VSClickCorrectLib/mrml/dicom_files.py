"""The DICOM files from which Slicer loaded a volume, and what is written of a mask on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import slicer

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.imaging.dicom_headers import needed, read_header
from VSClickCorrectLib.imaging.dicom_out import dicom_objects, write_beside
from VSClickCorrectLib.imaging.dicom_source import TASK, SourceSeries, matching, read_source
from VSClickCorrectLib.imaging.grid import Grid

_INSTANCES = "DICOM.instanceUIDs"


def save_dicom(
    path: Path,
    volume_node: slicer.vtkMRMLVolumeNode,
    values: np.ndarray,
    grid: Grid,
    origin: Path | None = None,
) -> list[Path]:
    """Write a mask as DICOM SEG, with report and RTSTRUCT beside it.

    Parameters
    ----------
    path : Path
        The DICOM SEG.
    volume_node : vtkMRMLVolumeNode
        The volume on which the mask lies.
    values : ndarray of bool
        ``(K, J, I)``, on the volume's grid.
    grid : Grid
        That grid.
    origin : Path, optional
        The files from which the volume was read, where it was not Slicer that read them.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ImageError
        If highdicom is not installed, the volume did not come as DICOM, or it cannot be written.
    """
    source = read_source(origin, grid) if origin is not None else source_of(volume_node, grid)
    return write_beside(path, dicom_objects(source, values, grid))


def source_of(volume_node: slicer.vtkMRMLVolumeNode, grid: Grid) -> SourceSeries:
    """Return the series from which Slicer loaded a volume; raises `ImageError` if there is none."""
    needed("highdicom", TASK)
    files = _files(volume_node)
    name = volume_node.GetName()
    if not files:
        raise ImageError(
            f"the volume '{name}' did not come as DICOM, so nothing can be written that refers to it; "
            "save the mask as NIfTI or NRRD."
        )
    return matching([read_header(file, TASK) for file in files], grid, Path(f"the volume '{name}'"))


def _files(volume_node: slicer.vtkMRMLVolumeNode) -> list[Path]:
    """Return the files of a volume, by Slicer's database of DICOM, which knows them by their UIDs."""
    instances = (volume_node.GetAttribute(_INSTANCES) or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if not instances or database is None:
        return []
    files = [database.fileForInstance(instance) for instance in instances]
    if not all(files):
        raise ImageError(
            f"the DICOM files of the volume '{volume_node.GetName()}' are not in Slicer's database any more; "
            "import them again."
        )
    return [Path(file) for file in files]
