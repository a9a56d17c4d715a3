"""Lists of cases: a CSV file that says which files make up each case."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from VSClickCorrectLib.datasets.labelled import LabelledCase
from VSClickCorrectLib.datasets.names import case_name, for_spreadsheet, from_spreadsheet
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.files import check_file, reading, write_text
from VSClickCorrectLib.imaging.io import read_case, read_mask

_FILES = ("t1ce", "t2", "label", "mask")
_KIND = "kind"
# Of files, and of a list of cases: there the kind of head may stand beside them.
FILE_COLUMNS = ("case", *_FILES)
COLUMNS = (*FILE_COLUMNS, _KIND)
_LONGEST_LINE = 4096


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
        return {role: path for role in _FILES if (path := getattr(self, role)) is not None}

    def load(self) -> LabelledCase:
        """Read the files, as ``vsclick segment`` and ``vsclick correct`` do.

        The T2 is resampled to the grid of the T1ce. Label and mask must lie on the case's grid, or on a part
        of it: a file does not say whether another grid is of the same scan, so they are never resampled.

        Raises
        ------
        ImageError
            If a file cannot be used; the message names the case.
        """
        try:
            case = read_case(self.t1ce, self.t2)
            truth = read_mask(self.label, case.grid)
            start = read_mask(self.mask, case.grid) if self.mask else None
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
        cases.append(ListedCase(name, **files_of(row, path.parent, where), kind=row[_KIND]))
    if not cases:
        raise ImageError(f"{path} lists no case; add a line for each.")
    return cases


def write_case_list(path: Path, cases: Sequence[ListedCase]) -> None:
    """Write a list of cases; files are written relative to it, and it appears whole or not at all.

    Raises
    ------
    ImageError
        If it cannot be written.
    """
    rows = [{"case": c.name, **{name: _relative(getattr(c, name), path) for name in _FILES}} for c in cases]
    columns = COLUMNS if any(c.kind for c in cases) else FILE_COLUMNS
    kinds = [{_KIND: c.kind} if _KIND in columns else {} for c in cases]
    write_rows(path, columns, [row | kind for row, kind in zip(rows, kinds, strict=True)])


def read_rows(
    path: Path, columns: Sequence[str], required: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a table, row by row.

    Parameters
    ----------
    path : Path
        A CSV file, UTF-8, its first line the columns' names; blank lines do not count.
    columns : sequence of str
        The columns there may be.
    required : sequence of str
        Those that must be there and filled in every row.

    Yields
    ------
    line : int
        Where the row stands in the file, the first line being 1.
    row : dict of str
        The value of every column, empty where there is none, without the spaces around it and without the
        quote by which `write_rows` keeps it from being a formula.

    Raises
    ------
    ImageError
        If it cannot be read, or columns or values are unknown or missing.
    """
    check_file(path)
    try:
        # What spreadsheets write may begin with a byte order mark.
        with reading(path):
            text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ImageError(
            f"the list {path} cannot be read: it is not UTF-8 text; save it as CSV UTF-8."
        ) from None
    reader = csv.DictReader(StringIO(text, newline=""), strict=True)
    try:
        yield from _rows_of(reader, path, columns, required)
    except csv.Error as error:
        raise ImageError(
            f"{path}, line {reader.line_num} cannot be understood ({error}); look for quotes that do not end."
        ) from None


def _rows_of(
    reader: csv.DictReader, path: Path, columns: Sequence[str], required: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    _check_columns(path, [(name or "").strip() for name in reader.fieldnames or ()], columns, required)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    for raw in reader:
        where = f"{path}, line {reader.line_num}"
        if None in raw:
            raise ImageError(f"{where} has more values than columns; put values with commas in quotes.")
        row = {name: from_spreadsheet((raw.get(name) or "").strip()) for name in columns}
        for name in required:
            if not row[name]:
                raise ImageError(f"{where}, column {name}: nothing stands there; fill it in.")
        yield reader.line_num, row


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[dict[str, str]]) -> None:
    """Write a table as CSV, UTF-8; it appears whole or not at all.

    No cell is a formula to a spreadsheet, and `read_rows` returns the same values.

    Raises
    ------
    ImageError
        If it cannot be written.
    """
    write_text(path, csv_text(columns, rows))


def csv_text(columns: Sequence[str], rows: Iterable[dict[str, str]]) -> str:
    """Return a table as the CSV that `write_rows` writes."""
    table = StringIO()
    writer = csv.DictWriter(table, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: for_spreadsheet(cell) for name, cell in row.items()} for row in rows)
    return table.getvalue()


def has_columns(path: Path, columns: Sequence[str]) -> bool:
    """Whether a file's first line names these columns, whatever a spreadsheet has put between them since.

    Raises
    ------
    ImageError
        If there is a file that cannot be read.
    """
    with reading(path):
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            line = stream.readline(_LONGEST_LINE)
    return set(re.findall(rb"\w+", line)) >= {column.encode() for column in columns}


def files_of(row: dict[str, str], folder: Path, where: str) -> dict[str, Path | None]:
    """Return the files of a row by column, None where there is none.

    Raises
    ------
    ImageError
        If one does not exist, or there is neither a T1ce nor a T2.
    """
    files = {name: folder / row[name] if row[name] else None for name in _FILES}
    if files["t1ce"] is None and files["t2"] is None:
        raise ImageError(f"{where}, columns t1ce and t2: both are empty; a T1ce or a T2 volume is needed.")
    for name, file in files.items():
        if file is not None and not os.path.exists(file):
            raise ImageError(f"{where}, column {name}: {file} does not exist.")
    return files


def _check_columns(path: Path, found: list[str], columns: Sequence[str], required: Sequence[str]) -> None:
    where = f"{path}, line 1"
    if len(found) == 1 and ";" in found[0]:
        raise ImageError(f"{where}: the columns are parted by semicolons; save the list with commas.")
    for name in found:
        if name not in columns or found.count(name) > 1:
            fault = "is unknown" if name not in columns else "stands there twice"
            raise ImageError(f"{where}: the column '{name}' {fault}; there may be {', '.join(columns)}.")
    for name in required:
        if name not in found:
            raise ImageError(f"{where}: the column '{name}' is missing; there may be {', '.join(columns)}.")


def _relative(file: Path | None, path: Path) -> str:
    if file is None:
        return ""
    return Path(os.path.relpath(file.resolve(), path.parent.resolve())).as_posix()
