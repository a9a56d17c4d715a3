"""What the file of a volume says of where it lies, which Slicer does not keep."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import slicer

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.image_files import Header, read_header
from VSClickCorrectLib.io.stated_positions import names_sides, remarks_on
from VSClickCorrectLib.mrml.transforms import array_from
from VSClickCorrectLib.mrml.volumes import SIDES_UNKNOWN


def sides_known(volume_node: slicer.vtkMRMLVolumeNode) -> bool:
    """Whether it is known which way a volume's axes run in the patient, whoever read it from its file."""
    if volume_node.GetAttribute(SIDES_UNKNOWN) is None and not names_sides(_header_of(volume_node)):
        # The file in which a scene is saved names sides all the same.
        volume_node.SetAttribute(SIDES_UNKNOWN, "1")
    return volume_node.GetAttribute(SIDES_UNKNOWN) is None


def remarks_of(volume_node: slicer.vtkMRMLVolumeNode) -> tuple[str, ...]:
    """Return what is to be known of where the file says that a volume lies which Slicer loaded from it."""
    # As long as the file is there from which the volume came.
    sides_known(volume_node)
    header, image = _header_of(volume_node), volume_node.GetImageData()
    if header is None or image is None:
        return ()
    own = array_from(volume_node.GetIJKToRASMatrix)
    # Slicer turns the slices of a left-handed volume round.
    turned = np.eye(4)
    turned[2, 2:] = -1, image.GetDimensions()[2] - 1
    for affine in (own, own @ turned):
        try:
            grid = Grid(image.GetDimensions()[::-1], affine)
            return remarks_on(header, grid, stored_in(volume_node) or Path())
        # It was moved or resampled since.
        except ImageError:
            continue
    return ()


def _header_of(volume_node: slicer.vtkMRMLVolumeNode) -> Header | None:
    """Return the header of the file from which a volume was loaded, None if there is none to be read."""
    path = stored_in(volume_node)
    try:
        return read_header(path) if path is not None else None
    except ImageError:
        return None


def stored_in(volume_node: slicer.vtkMRMLVolumeNode) -> Path | None:
    """Return the file from which a volume was loaded or in which it was saved, None if there is none."""
    storage = volume_node.GetStorageNode()
    name = storage.GetFileName() if storage is not None else None
    return Path(name) if name else None
