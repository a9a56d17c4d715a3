"""Where a command writes its mask: a file by its suffix, and DICOM objects beside."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from VSClickCorrectLib.imaging.dicom_out import (
    SEGMENTATION,
    SUFFIX,
    check_objects_folder,
    dicom_objects,
    segmentation_object,
    write_objects,
    write_segmentation,
)
from VSClickCorrectLib.imaging.dicom_source import SourceSeries, check_source, read_source
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.io import MASK_SUFFIXES, check_mask_path, write_mask

_SUFFIXES = (*MASK_SUFFIXES, SUFFIX)


def add_results(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--output`` and ``--dicom``."""
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="MASK",
        help=f"{what} to write: {', '.join(MASK_SUFFIXES)} or, where the T1ce is DICOM, {SUFFIX} (DICOM SEG)",
    )
    parser.add_argument(
        "--dicom",
        type=Path,
        metavar="FOLDER",
        help="where the T1ce is DICOM, also write DICOM SEG, structured report (TID 1500) and RTSTRUCT into "
        "this folder",
    )


class MaskResults:
    """What a command was asked to write, checked before any work is done.

    Parameters
    ----------
    options : argparse.Namespace
        With ``t1ce``, ``t2``, ``output`` and ``dicom``.
    *inputs : Path or None
        What else is read.
    automatic : bool
        Whether no person has a part in the mask.

    Raises
    ------
    ImageError
        If it cannot be written there, or DICOM is wanted of what is not DICOM.
    """

    def __init__(self, options: argparse.Namespace, *inputs: Path | None, automatic: bool = False) -> None:
        read = (options.t1ce, options.t2, *inputs)
        check_mask_path(options.output, *read, suffixes=_SUFFIXES)
        self._output, self._folder = options.output, options.dicom
        self._reference = options.t1ce or options.t2
        self._automatic = automatic
        self._source: SourceSeries | None = None
        if self._wants_dicom and self._reference is not None:
            check_source(self._reference)
        if self._folder is not None:
            check_objects_folder(self._folder, [path for path in read if path is not None])

    def find_source(self, grid: Grid) -> None:
        """Find the images on whose grid the mask lies, where DICOM is wanted; raises as `read_source`."""
        if self._wants_dicom:
            self._source = read_source(self._reference, grid)

    def write(self, values: np.ndarray, grid: Grid) -> str:
        """Write a mask, ``(K, J, I)`` bool; return where, for a person. Of an empty one there is only a mask.

        Raises
        ------
        ImageError
            If it cannot be written.
        """
        objects = None
        if self._source is not None and self._folder is not None and values.any():
            objects = dicom_objects(self._source, values, grid, self._automatic)
            write_objects(self._folder, objects)
        if self._source is not None and self._is_segmentation:
            segmentation = objects and objects[SEGMENTATION]
            segmentation = segmentation or segmentation_object(self._source, values, grid, self._automatic)
            write_segmentation(self._output, segmentation)
        else:
            write_mask(self._output, values, grid)
        return f"{self._output} and {self._folder}" if objects is not None else str(self._output)

    @property
    def _is_segmentation(self) -> bool:
        return self._output.name.endswith(SUFFIX)

    @property
    def _wants_dicom(self) -> bool:
        return self._folder is not None or self._is_segmentation
