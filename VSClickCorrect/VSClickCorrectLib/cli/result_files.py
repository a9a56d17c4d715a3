"""Where a command writes its mask: a file by its suffix, and DICOM objects beside."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

import numpy as np

from VSClickCorrectLib.cli.telling import ask, may_ask
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.dicom_out import (
    CONTOURS,
    NAMES,
    REPORT,
    SEGMENTATION,
    check_objects_folder,
    dicom_objects,
    remove_objects,
    write_objects,
    write_segmentation,
)
from VSClickCorrectLib.io.dicom_seg import segmentation_object
from VSClickCorrectLib.io.dicom_source import SourceSeries, check_source, read_source
from VSClickCorrectLib.io.given_scans import GivenScans, is_archive
from VSClickCorrectLib.io.images import check_mask_path, write_mask
from VSClickCorrectLib.io.outputs import same_place
from VSClickCorrectLib.io.suffixes import DICOM_SUFFIX, MASK_SUFFIXES
from VSClickCorrectLib.signals import finished_before_signals

_SUFFIXES = (*MASK_SUFFIXES, DICOM_SUFFIX)


def add_results(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--output``, ``--dicom`` and ``--force``."""
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="MASK",
        help=f"{what} to write: {', '.join(MASK_SUFFIXES)} or, where the T1ce is DICOM, {DICOM_SUFFIX} "
        "(DICOM SEG)",
    )
    parser.add_argument(
        "--dicom",
        type=Path,
        metavar="FOLDER",
        help="where the T1ce is DICOM, also write DICOM SEG, structured report (TID 1500) and RTSTRUCT into "
        "this folder",
    )
    parser.add_argument("--force", action="store_true", help="replace what is there without asking")


class MaskResults:
    """What a command was asked to write, checked before any work is done.

    Whether what is there already may be replaced is asked then, too.

    Parameters
    ----------
    options : argparse.Namespace
        With ``output``, ``dicom`` and ``force``.
    scans : GivenScans
        The sequences that are read.
    *inputs : Path or None
        What else is read.
    automatic : bool
        Whether no person has a part in the mask.
    replaced : Path, optional
        A file that the output may replace unasked, as it was named for that.

    Raises
    ------
    StorageError
        If it cannot be written there, or DICOM is wanted of what is not DICOM.
    ImageError
        If what is there is to stay, or there is no terminal at which to ask.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        scans: GivenScans,
        *inputs: Path | None,
        automatic: bool = False,
        replaced: Path | None = None,
    ) -> None:
        read = (*scans.given, *inputs)
        check_mask_path(options.output, *read, suffixes=_SUFFIXES)
        self._output, self._folder, self._scans = options.output, options.dicom, scans
        self._automatic = automatic
        self._source: SourceSeries | None = None
        if self._wants_dicom and scans.given and not is_archive(scans.given[0]):
            check_source(scans.given[0])
        if self._folder is not None:
            check_objects_folder(self._folder, [path for path in read if path is not None])
            # A segmentation there is the mask itself.
            if any(same_place(self._output, self._folder / name) for name in (REPORT, CONTOURS)):
                raise ImageError(
                    f"{self._output} is the place of another DICOM object; choose another name for the mask."
                )
        if not options.force:
            self._ask_to_replace(replaced)

    def find_source(self, reference: Volume) -> None:
        """Find the images on whose grid the mask lies, where DICOM is wanted; raises as `read_source`."""
        if self._wants_dicom and self._scans.place is not None:
            self._source = read_source(self._scans.place, reference.grid, reference.series)

    def write(self, values: np.ndarray, reference: Volume) -> str:
        """Write a mask; return where, for a person.

        Of an empty one there is only a mask, and what is in the folder for DICOM of an older one goes.

        Parameters
        ----------
        values : ndarray of bool
            ``(K, J, I)``.
        reference : Volume
            The sequence on whose grid it lies.

        Raises
        ------
        StorageError
            If it cannot be written; neither mask nor DICOM objects are then.
        """
        where, objects, write_beside = str(self._output), {}, lambda: None
        grid = reference.grid
        if self._folder is not None and not values.any():
            where = f"{where}, and nothing to {self._folder}, as it is empty"
            write_beside = partial(remove_objects, self._folder, self._output)
        elif self._source is not None and self._folder is not None:
            objects = dicom_objects(self._source, values, grid, self._automatic)
            where, write_beside = f"{where} and {self._folder}", partial(write_objects, self._folder, objects)
        with finished_before_signals():
            if self._source is not None and self._is_segmentation:
                segmentation = objects.get(SEGMENTATION) or segmentation_object(
                    self._source, values, grid, self._automatic
                )
                write_segmentation(self._output, segmentation, write_beside)
            else:
                write_mask(self._output, values, grid, sides_known=reference.sides_known, before=write_beside)
        return where

    def _ask_to_replace(self, unasked: Path | None) -> None:
        places = [self._output, *(self._folder / name for name in NAMES)] if self._folder else [self._output]
        if unasked is not None and same_place(self._output, unasked):
            del places[0]
        there = next((place for place in places if os.path.lexists(place)), None)
        if there is None:
            return
        if not may_ask():
            raise ImageError(f"{there} is there already; name another, or replace it with --force.")
        if not ask(f"{there} is there already. Replace it?"):
            raise ImageError(f"{there} was left as it is; name another.")

    @property
    def _is_segmentation(self) -> bool:
        return self._output.name.endswith(DICOM_SUFFIX)

    @property
    def _wants_dicom(self) -> bool:
        return self._folder is not None or self._is_segmentation
