"""The DICOM files from which Slicer loaded a volume, and what is written of a mask on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import slicer

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid

if TYPE_CHECKING:
    from VSClickCorrectLib.io.dicom_source import SourceSeries


_INSTANCES = "DICOM.instanceUIDs"


def save_dicom(
    path: Path,
    volume_node: slicer.vtkMRMLVolumeNode,
    values: np.ndarray,
    grid: Grid,
    source: SourceSeries | None = None,
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
    source : SourceSeries, optional
        The images from which the volume was read, where it was not Slicer that read them.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ImageError
        If highdicom is not installed, the volume did not come as DICOM, or it cannot be written.
    """
    # Who writes no DICOM waits for none of it; so below.
    from VSClickCorrectLib.io.dicom_out import dicom_objects, write_beside

    return write_beside(path, dicom_objects(source or source_of(volume_node, grid), values, grid))


def source_of(volume_node: slicer.vtkMRMLVolumeNode, grid: Grid) -> SourceSeries:
    """Return the series from which Slicer loaded a volume; raises `ImageError` if there is none."""
    from VSClickCorrectLib.io.dicom_headers import needed, read_header
    from VSClickCorrectLib.io.dicom_source import TASK, matching

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
    files = [_file(instance) for instance in instances_of(volume_node)]
    if not all(files):
        raise ImageError(
            f"the DICOM files of the volume '{volume_node.GetName()}' are not in Slicer's database any more; "
            "import them again."
        )
    return [Path(file) for file in files]


def file_of(volume_node: slicer.vtkMRMLVolumeNode) -> str | None:
    """Return a file of a volume, None if it did not come as DICOM or the database does not know it."""
    return next((file for instance in instances_of(volume_node) if (file := _file(instance))), None)


def instances_of(volume_node: slicer.vtkMRMLVolumeNode) -> list[str]:
    """Return the UIDs of the images of a volume, none where Slicer has no database of DICOM."""
    if getattr(slicer, "dicomDatabase", None) is None:
        return []
    return (volume_node.GetAttribute(_INSTANCES) or "").split()


def _file(instance: str) -> str:
    return slicer.dicomDatabase.fileForInstance(instance)
