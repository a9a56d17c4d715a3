"""Which label belongs to which case, for all lists whose results go into one folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from VSClickCorrectLib.io.files import check_file, make_folder, reading, write_once
from VSClickCorrectLib.io.json_files import parse_json
from VSClickCorrectLib.worklist.names import case_name


class LabelClaims:
    """Labels that were given, a small file each, which nobody takes away.

    Parameters
    ----------
    folder : Path
        Where the files are; made once there is one.
    worked_on : callable
        Returns the case that a label set names for a label, None if it knows none: there are labels that are
        older than claims.
    """

    def __init__(self, folder: Path, worked_on: Callable[[str], str | None] = lambda label: None) -> None:
        self._folder = folder
        self._worked_on = worked_on

    def claim(self, label: str, case: str) -> bool:
        """Claim a label for a case; return whether it is the case's, from now on or before.

        Raises
        ------
        ImageError
            If the folder cannot be read or written.
        """
        case = case_name(case)
        # Drives that take capitals and small letters for one would mix up their files.
        path = self._folder / f"sub-{label.casefold()}.json"
        if not os.path.lexists(path):
            owner = self._worked_on(label)
            if owner is not None and case_name(owner) != case:
                return False
            make_folder(self._folder)
            if write_once(path, json.dumps({"case": case}, ensure_ascii=False) + "\n"):
                return True
        return _owner(path) == case


def _owner(path: Path) -> str | None:
    """Return whose a claim is, None if it is damaged."""
    check_file(path)
    try:
        with reading(path):
            return case_name(parse_json(path.read_bytes())["case"])
    except (ValueError, KeyError, TypeError):
        return None
