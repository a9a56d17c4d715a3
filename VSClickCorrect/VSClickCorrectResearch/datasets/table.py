"""Cases of any kind, listed in a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.dicom_masks import scan_of_mask
from VSClickCorrectLib.io.images import read_mask, read_volume
from VSClickCorrectLib.io.pairing import remark_on_mask
from VSClickCorrectLib.measure.tumour_parts import tumour_numbers
from VSClickCorrectLib.worklist.case_list import FILE_COLUMNS, listed_file, read_rows
from VSClickCorrectLib.worklist.names import case_name

from VSClickCorrectResearch.datasets.class_map import read_class_map
from VSClickCorrectResearch.datasets.fingerprints import files_of_image
from VSClickCorrectResearch.datasets.importing import CaseSource, Imported
from VSClickCorrectResearch.datasets.listed import RowFiles, files_of
from VSClickCorrectResearch.datasets.placing import Placed, place, read_matrix

TRANSFORM = "t1_to_t2"


def find_cases(
    path: Path,
    labels: Sequence[int | str] | None = None,
    registered: bool = False,
    different_patients: bool = False,
    classes: Sequence[str] = (),
) -> list[CaseSource]:
    """Find the cases that a table lists.

    Parameters
    ----------
    path : Path
        A CSV file with the columns ``case``, ``t1ce``, ``t2``, ``label``, and, where wanted, ``mask`` and
        ``t1_to_t2``: a rigid transform of ITK that maps points of the T1ce to points of the T2, as
        resampling the T2 onto the T1ce takes it. Files are given relative to the table.
    labels : sequence of int or str, optional
        The labels that are the tumour, where label maps hold several.
    registered : bool
        Whether to register the T2 where no transform is given and the grids differ.
    different_patients : bool
        Whether to take sequences of different PatientIDs for one patient's.
    classes : sequence of str
        What the numbers of the label maps stand for, from 1 on, where classes are to be kept; the tumour is
        then what ``labels`` says, else `measure.tumour_parts.tumour_numbers`.

    Returns
    -------
    list of CaseSource
        In the order of the table.

    Raises
    ------
    ImageError
        If the table cannot be read or lists no case, or the same one twice. A file that is missing fails its
        case alone.
    """
    sources: dict[str, CaseSource] = {}
    for line, row in read_rows(path, (*FILE_COLUMNS, TRANSFORM), required=("case", "label")):
        where = f"{path}, line {line}"
        row["case"] = name = case_name(row["case"])
        if name in sources:
            raise ImageError(f"{where}, column case: '{name}' stands there twice; rename one of the two.")
        settings = {"labels": labels, "registered": registered, "different_patients": different_patients}
        settings["classes"] = tuple(classes)
        sources[name] = _source(row, path.parent, where, settings)
    if not sources:
        raise ImageError(f"{path} lists no case; add a line for each.")
    return list(sources.values())


def _source(row: dict[str, str], folder: Path, where: str, given: dict[str, Any]) -> CaseSource:
    paths = {name: listed_file(folder, value) for name, value in row.items() if name != "case" and value}
    labels = sorted(given["labels"] or (), key=str)
    settings = {"dataset": "csv", "tumour_label": labels, "register": given["registered"]}
    if given["classes"]:
        settings["classes"] = list(given["classes"])
    if given["different_patients"]:
        settings["different_patients"] = True
    # A folder without files is told of by who reads it.
    files = {name: found for name, path in paths.items() if (found := files_of_image(path))}
    read = partial(_read, row, folder, where, **given)
    return CaseSource(row["case"], files, read, settings)


def _with_masks(placed: Placed, files: RowFiles, different_patients: bool) -> dict[str, Any]:
    """Return what is recorded of a case, with what is to be known of label and mask on its grid."""
    on = placed.case.reference.scan
    masks = [scan_of_mask(path) for path in (files.label, files.mask) if path is not None]
    told = [remark for mask in masks if (remark := remark_on_mask(on, mask, different_patients))]
    if not told:
        return placed.record
    return {**placed.record, "remarks": list(dict.fromkeys([*placed.record.get("remarks", ()), *told]))}


def _read(
    row: dict[str, str],
    folder: Path,
    where: str,
    labels: Sequence[int | str] | None,
    registered: bool,
    different_patients: bool,
    classes: tuple[str, ...],
) -> Imported:
    files = files_of(row, folder, where)
    transform = listed_file(folder, row[TRANSFORM]) if row[TRANSFORM] else None
    if transform is not None and not transform.is_file():
        raise ImageError(f"{where}, column {TRANSFORM}: {transform} does not exist.")
    volumes = [
        None if path is None else read_volume(path, name)
        for name, path in (("t1ce", files.t1ce), ("t2", files.t2))
    ]
    matrix = read_matrix(transform) if transform else None
    placed = place(volumes, matrix, registered, different_patients)
    numbers, record = None, _with_masks(placed, files, different_patients)
    if classes:
        numbers = read_class_map(files.label, placed.case.grid, len(classes), classes)
        record = {**record, "classes": list(classes)}
    if numbers is None or labels:
        label = read_mask(files.label, placed.case.grid, labels)
    else:
        label = np.isin(numbers, tumour_numbers(classes))
    mask = None if files.mask is None else read_mask(files.mask, placed.case.grid)
    return Imported(placed.case, label, mask, numbers, record=record)
