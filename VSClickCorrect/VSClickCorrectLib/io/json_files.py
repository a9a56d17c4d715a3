"""JSON, read from files of any origin and written whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from VSClickCorrectLib.io.files import write_text


def parse_json(content: str | bytes) -> Any:
    """Read JSON from a file of any origin.

    Raises
    ------
    ValueError
        If it is not JSON; brackets within brackets without end are none.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON file; it appears whole or not at all, and is on the disk when this returns.

    Raises
    ------
    StorageError
        If it cannot be written; an older file stays as it was.
    ValueError
        If a number is NaN or infinite, which JSON does not know.
    """
    write_text(path, json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
