"""The DICOM objects of a case's label, which lie beside the label set where the images are DICOM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from VSClickCorrectLib.errors import CorrectionError, ImageError, StorageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.io.dicom_out import NAMES, dicom_objects, remove_objects, write_objects
from VSClickCorrectLib.io.dicom_search import is_other
from VSClickCorrectLib.io.dicom_source import read_source
from VSClickCorrectLib.io.files import changing, check_inside, is_there, reading
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.session.journal import Journal, check_case
from VSClickCorrectLib.worklist.work_case import WorkCase

# BIDS has no place for results in DICOM.
DICOM = "dicom"


class LabelDicom:
    """Segmentation, report and contours of one case as DICOM; nothing where its images are not DICOM.

    Parameters
    ----------
    case : WorkCase
        The case.
    output : Path
        The folder of the worklist's results.
    is_ours : callable
        Whether the case is still ours; asked once what is to be written was worked out, which takes seconds.
    """

    def __init__(self, case: WorkCase, output: Path, is_ours: Callable[[], bool] = lambda: True) -> None:
        self._is_ours = is_ours
        self._reference, self._output = case.t1ce or case.t2, output
        self._folder = output / DICOM / f"sub-{case.label}"

    @property
    def _images(self) -> Path | None:
        """The images on which the label lies, if they are DICOM."""
        return None if self._reference is None or is_other(self._reference) else self._reference

    @property
    def is_whole(self) -> bool:
        """Whether all objects of a label that is not empty are there, if any are due; raises `ImageError`."""
        if self._images is None:
            return True
        with reading(self._folder):
            return all(is_there(self._folder / name) for name in NAMES)

    def complete(self, label: Path, images: Case, journal: Callable[[], Journal]) -> str:
        """Write what a death left unwritten of a label that is not empty; returns as `write`.

        It is not written onto images of which the journal does not tell: they were exchanged since.
        """
        try:
            if self.is_whole:
                return ""
            if events := journal().events:
                check_case(events, images)
            return self.write(read_mask(label, images.grid), images.grid, images.reference.series)
        except (CorrectionError, ImageError) as error:
            return f"No DICOM was written: {error}"

    def write(self, values: np.ndarray, grid: Grid, series: str) -> str:
        """Write a mask that lies on a series of the images; return why not, if it cannot be written.

        An empty mask is not written.
        """
        images = self._images
        if images is None or not values.any():
            return ""
        try:
            objects = dicom_objects(read_source(images, grid, series), values, grid)
            if not self._is_ours():
                return "No DICOM was written: somebody else has the case now."
            check_inside(self._folder, self._output)
            write_objects(self._folder, objects)
        except (ImageError, StorageError) as error:
            return f"No DICOM was written: {error}"
        return ""

    def remove(self) -> None:
        """Remove what was written of an older label, which it is not to outlive; raises `StorageError`."""
        check_inside(self._folder, self._output)
        remove_objects(self._folder)
        with changing(self._output):
            if self._folder.is_dir() and not any(self._folder.iterdir()):
                self._folder.rmdir()
