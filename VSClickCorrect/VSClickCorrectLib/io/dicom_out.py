"""What is written of a mask in DICOM: segmentation, report and contours, all for one series."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io import dicom_codes
from VSClickCorrectLib.io.dicom_headers import read_header, undamaged
from VSClickCorrectLib.io.dicom_report import report_of
from VSClickCorrectLib.io.dicom_rtstruct import structure_set_of
from VSClickCorrectLib.io.dicom_seg import segmentation_object
from VSClickCorrectLib.io.dicom_source import TASK, SourceSeries
from VSClickCorrectLib.io.files import changing, is_there, make_folder, write_atomically
from VSClickCorrectLib.io.outputs import check_apart, check_ours, same_place
from VSClickCorrectLib.io.suffixes import DICOM_SUFFIX
from VSClickCorrectLib.io.together import write_together
from VSClickCorrectLib.measure.measurements import measure

if TYPE_CHECKING:
    from pydicom import Dataset

SEGMENTATION, REPORT, CONTOURS = "segmentation.dcm", "report.dcm", "rtstruct.dcm"
NAMES = (SEGMENTATION, REPORT, CONTOURS)


def dicom_objects(
    source: SourceSeries, values: np.ndarray, grid: Grid, automatic: bool = False
) -> dict[str, Dataset]:
    """Return a mask as DICOM SEG and RTSTRUCT, with the report that refers to the former, by `NAMES`.

    Parameters
    ----------
    source : SourceSeries
        The images on which it was drawn.
    values : ndarray of bool
        ``(K, J, I)``, not empty.
    grid : Grid
        The grid of these images.
    automatic : bool
        Whether no person had a part in it.

    Raises
    ------
    ImageError
        If highdicom is not installed, the mask is empty or lies on another grid than the images.
    """
    if not values.any():
        raise ImageError("the mask is empty, so there is nothing to report or to outline.")
    measured = measure(grid, grid.box, values)
    segmentation = segmentation_object(source, values, grid, automatic)
    with undamaged(source.path):
        return {
            SEGMENTATION: segmentation,
            REPORT: report_of(source, segmentation, measured),
            CONTOURS: structure_set_of(source, values, grid, automatic),
        }


def write_objects(folder: Path, objects: dict[str, Dataset]) -> None:
    """Write what `dicom_objects` returned into a folder, all or nothing; the folder is made if need be.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    make_folder(folder)
    writers = {name: partial(dataset.save_as, enforce_file_format=True) for name, dataset in objects.items()}
    write_together(folder, writers)


def remove_objects(folder: Path, but: Path | None = None) -> None:
    """Remove what `write_objects` wrote into a folder of an older mask, all or nothing, but for one file.

    Raises
    ------
    StorageError
        If one of them cannot be removed; all stay as they were.
    """
    paths = [folder / name for name in NAMES]
    with changing(folder):
        there = [path.name for path in paths if is_there(path) and not (but and same_place(path, but))]
    if there:
        write_together(folder, dict.fromkeys(there))


def write_beside(path: Path, objects: dict[str, Dataset]) -> list[Path]:
    """Write the segmentation under a name, the others beside it under names that begin alike; return them.

    Raises
    ------
    StorageError
        If they cannot be written; none is then.
    """
    paths = paths_beside(path)
    write_objects(path.parent, {paths[name].name: dataset for name, dataset in objects.items()})
    return [paths[name] for name in objects]


def paths_beside(path: Path) -> dict[str, Path]:
    """Return where `write_beside` writes each of `NAMES`."""
    stem = path.name.removesuffix(DICOM_SUFFIX)
    return {name: path if name == SEGMENTATION else path.with_name(f"{stem}.{name}") for name in NAMES}


def write_segmentation(
    path: Path, segmentation: Dataset, before: Callable[[], object] = lambda: None
) -> None:
    """Write a DICOM SEG; the file appears whole or not at all, and ``before`` is as for `write_mask`.

    Raises
    ------
    StorageError
        If it cannot be written.
    """

    def write(temporary: Path) -> None:
        segmentation.save_as(temporary, enforce_file_format=True)
        before()

    write_atomically(path, write)


def check_objects_folder(folder: Path, inputs: Iterable[Path]) -> None:
    """Refuse a folder for DICOM objects that is read from, or holds somebody else's files of their names.

    Raises
    ------
    ImageError
        If it does.
    """
    check_apart(folder, inputs)
    if folder.exists() and not folder.is_dir():
        raise ImageError(f"{folder} is a file; name a folder for the DICOM objects.")
    there = [name for name in NAMES if (folder / name).is_file()]
    check_ours(folder, NAMES, ours=bool(there) and all(_is_ours(folder / name) for name in there))


def _is_ours(path: Path) -> bool:
    try:
        return read_header(path, TASK).get("ManufacturerModelName") == dicom_codes.MAKER
    except ImageError:
        return False
