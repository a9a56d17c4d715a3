"""Tables as CSV files, and what a list of cases says in one: which files make up each case."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from unicodedata import normalize

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.files import check_file, reading, write_text
from VSClickCorrectLib.worklist.names import for_spreadsheet, from_spreadsheet

# What a list of cases is called in its folder.
CASES = "cases.csv"
FILES = ("t1ce", "t2", "label", "mask")
KIND = "kind"
# Of files, and of a list of cases: there the kind of head may stand beside them.
FILE_COLUMNS = ("case", *FILES)
COLUMNS = (*FILE_COLUMNS, KIND)
_MAX_LINE_LENGTH = 4096
# What may part the columns, the first where there is one column only.
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


def read_rows(
    path: Path, columns: Sequence[str], required: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a table, row by row.

    Parameters
    ----------
    path : Path
        A CSV file, UTF-8, its first line the columns' names, parted by commas, or by semicolons or tabs as
        spreadsheets write them in some languages; blank lines do not count, and nor do empty cells beyond the
        columns, which spreadsheets write where something stood once.
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
            text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImageError(
            f"the list {path} cannot be read: it is not UTF-8 text; save it as CSV UTF-8."
        ) from None
    delimiter = _delimiter_of(text)
    reader = csv.DictReader(StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        yield from _rows_of(reader, path, columns, required)
    except csv.Error as error:
        raise ImageError(
            f"{path}, line {reader.line_num} cannot be understood ({error}); look for quotes that do not end."
        ) from None


def listed_file(folder: Path, cell: str) -> Path:
    """Return a file that a table names, relative to it, be the table written on another kind of system.

    Windows parts folders by backslashes, and macOS writes a letter and its accent as two characters.

    Parameters
    ----------
    folder : Path
        Of the table.
    cell : str
        What stands there.
    """
    parted = cell.replace("\\", "/")
    spelled = (cell, parted, *(normalize(form, parted) for form in ("NFC", "NFD")))
    there = (folder / one for one in spelled if os.path.exists(folder / one))
    return next(there, folder / cell)


def column_names(path: Path) -> list[str]:
    """Return what the columns of a table are called; raises `ImageError` if it cannot be read."""
    check_file(path)
    with reading(path), path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        first = _header_in(stream.read(_MAX_LINE_LENGTH))
    names = next(csv.reader([first], delimiter=_delimiter_of(first)), [])
    return [name.strip() for name in names if name.strip()]


def _delimiter_of(text: str) -> str:
    """Return what parts the columns: what stands most often in the first line that holds names."""
    return max(_DELIMITERS, key=_header_in(text[:_MAX_LINE_LENGTH]).count)


def _header_in(text: str) -> str:
    """Return the first line that holds names."""
    found = re.search(r"[^\r\n]*\w[^\r\n]*", text)
    return found[0] if found else ""


def _rows_of(
    reader: csv.DictReader, path: Path, columns: Sequence[str], required: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    names = next((found for row in reader.reader if any(found := [cell.strip() for cell in row])), [])
    _check_columns(path, [name for name in names if name], columns, required)
    # Columns without a name are told apart by one that no column can have.
    reader.fieldnames = [name or f" {number}" for number, name in enumerate(names)]
    for raw in reader:
        where = f"{path}, line {reader.line_num}"
        cells = {name: (raw.get(name) or "").strip() for name in reader.fieldnames}
        beyond = [*raw.get(None, ()), *(cell for name, cell in cells.items() if name not in columns)]
        if any(cell.strip() for cell in beyond):
            parted = _DELIMITERS[reader.reader.dialect.delimiter]
            raise ImageError(f"{where} has more values than columns; put values with {parted} in quotes.")
        if not any(cells.values()):
            continue
        row = {name: from_spreadsheet(cells.get(name, "")) for name in columns}
        for name in required:
            if not row[name]:
                raise ImageError(f"{where}, column {name}: nothing stands there; fill it in.")
        yield reader.line_num, row


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[dict[str, str]]) -> None:
    """Write a table as CSV, UTF-8; it appears whole or not at all.

    No cell is a formula to a spreadsheet, and `read_rows` returns the same values.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    write_text(path, csv_text(columns, rows))


def csv_text(columns: Sequence[str], rows: Iterable[dict[str, str]]) -> str:
    """Return a table as the CSV that `write_rows` writes."""
    table = StringIO()
    # Of line breaks in a cell Python quotes those alone that end its rows.
    writer = csv.DictWriter(table, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: for_spreadsheet(cell) for name, cell in row.items()} for row in rows)
    return table.getvalue().replace("\r\n", "\n")


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
            line = stream.readline(_MAX_LINE_LENGTH)
    return set(re.findall(rb"\w+", line)) >= {column.encode() for column in columns}


def _check_columns(path: Path, found: list[str], columns: Sequence[str], required: Sequence[str]) -> None:
    where = f"{path}, line 1"
    for name in found:
        if name not in columns or found.count(name) > 1:
            fault = "is unknown" if name not in columns else "stands there twice"
            raise ImageError(f"{where}: the column '{name}' {fault}; there may be {', '.join(columns)}.")
    for name in required:
        if name not in found:
            raise ImageError(f"{where}: the column '{name}' is missing; there may be {', '.join(columns)}.")
