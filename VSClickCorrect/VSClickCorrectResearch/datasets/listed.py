"""Lists of cases whose tumour is known: a CSV file that says which files make up each case."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from VSClickCorrectLib.errors import DifferentPatients, ImageError
from VSClickCorrectLib.io.dicom_masks import scan_of_mask
from VSClickCorrectLib.io.images import read_case, read_mask
from VSClickCorrectLib.io.pairing import remark_on_mask
from VSClickCorrectLib.worklist.case_list import (
    COLUMNS,
    FILE_COLUMNS,
    FILES,
    KIND,
    listed_file,
    read_rows,
    write_rows,
)
from VSClickCorrectLib.worklist.names import case_name

from VSClickCorrectResearch.datasets.labelled import LabelledCase


@dataclass(frozen=True)
class RowFiles:
    """The files of a row, which are there.

    Parameters
    ----------
    t1ce, t2, mask : Path or None
        None where nothing stands in the column; one of the two sequences is there.
    label : Path
        The tumour as it is known.
    """

    t1ce: Path | None
    t2: Path | None
    label: Path
    mask: Path | None


def files_of(row: dict[str, str], folder: Path, where: str) -> RowFiles:
    """Return the files of a row that has a label.

    Raises
    ------
    ImageError
        If one does not exist, or there is neither a T1ce nor a T2.
    """
    t1ce, t2, mask = (
        listed_file(folder, row[name]) if row[name] else None for name in ("t1ce", "t2", "mask")
    )
    files = RowFiles(t1ce, t2, listed_file(folder, row["label"]), mask)
    if files.t1ce is None and files.t2 is None:
        raise ImageError(f"{where}, columns t1ce and t2: both are empty; a T1ce or a T2 volume is needed.")
    for name, file in vars(files).items():
        if file is not None and not os.path.exists(file):
            raise ImageError(f"{where}, column {name}: {file} does not exist.")
    return files


@dataclass(frozen=True)
class ListedCase:
    """A case by its files.

    Parameters
    ----------
    name : str
        What reports and tables call it.
    t1ce, t2 : Path or None
        The sequences; one of them may be missing.
    label : Path
        The tumour as it is known, a label map with one label on the case's grid.
    mask : Path or None
        A segmentation to be corrected, on the case's grid.
    kind : str
        What kind of head it is, in any words that reports may group cases by; may be empty.
    """

    name: str
    t1ce: Path | None
    t2: Path | None
    label: Path
    mask: Path | None = None
    kind: str = ""

    @property
    def files(self) -> dict[str, Path]:
        """The files that there are by role."""
        return {role: path for role in FILES if (path := getattr(self, role)) is not None}

    def load(self) -> LabelledCase:
        """Read the files, as ``vsclick segment`` and ``vsclick correct`` do.

        The T2 is resampled to the grid of the T1ce. Label and mask must lie on the case's grid, or on a part
        of it: a file does not say whether another grid is of the same scan, so they are never resampled.

        Raises
        ------
        ImageError
            If a file cannot be used, or is of another patient; the message names the case.
        """
        try:
            case = read_case(self.t1ce, self.t2)
            truth = read_mask(self.label, case.grid)
            start = read_mask(self.mask, case.grid) if self.mask else None
            for path in filter(None, (self.label, self.mask)):
                remark_on_mask(case.reference.scan, scan_of_mask(path))
        except DifferentPatients as error:
            first, second = error.names
            raise ImageError(
                f"case {self.name}: the {first} is of patient '{error.first}' and the {second} of "
                f"'{error.second}'; correct the list or, if the two are one, import it first by "
                "'vsclick import csv' with --different-patients."
            ) from None
        except ImageError as error:
            raise ImageError(f"case {self.name}: {error}") from None
        return LabelledCase(self.name, case, truth, start, self.kind)


def read_case_list(path: Path) -> list[ListedCase]:
    """Read a list of cases.

    Parameters
    ----------
    path : Path
        A CSV file with the columns ``case``, ``t1ce``, ``t2``, ``label``, ``mask`` and ``kind``. Files are
        given relative to the list; a sequence or the mask that is missing is left empty, and the columns
        ``t1ce``, ``t2``, ``mask`` and ``kind`` may be left out altogether.

    Returns
    -------
    list of ListedCase
        In the order of the list. No image is opened yet.

    Raises
    ------
    ImageError
        If the list cannot be read or is empty, a column is unknown or missing, a case appears twice or has
        neither sequence, or a file does not exist; the message names line and column.
    """
    cases: list[ListedCase] = []
    lines: dict[str, int] = {}
    for line, row in read_rows(path, COLUMNS, required=("case", "label")):
        where = f"{path}, line {line}"
        name = case_name(row["case"])
        if name in lines:
            raise ImageError(
                f"{where}, column case: '{name}' stands in line {lines[name]} already; "
                "give each case a name of its own."
            )
        lines[name] = line
        files = files_of(row, path.parent, where)
        cases.append(ListedCase(name, files.t1ce, files.t2, files.label, files.mask, row[KIND]))
    if not cases:
        raise ImageError(f"{path} lists no case; add a line for each.")
    return cases


def write_case_list(path: Path, cases: Sequence[ListedCase]) -> None:
    """Write a list of cases; files are written relative to it, and it appears whole or not at all.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    rows = [{"case": c.name, **{name: _relative(getattr(c, name), path) for name in FILES}} for c in cases]
    columns = COLUMNS if any(c.kind for c in cases) else FILE_COLUMNS
    kinds = [{KIND: c.kind} if KIND in columns else {} for c in cases]
    write_rows(path, columns, [row | kind for row, kind in zip(rows, kinds, strict=True)])


def _relative(file: Path | None, path: Path) -> str:
    if file is None:
        return ""
    return Path(os.path.relpath(file.resolve(), path.parent.resolve())).as_posix()
