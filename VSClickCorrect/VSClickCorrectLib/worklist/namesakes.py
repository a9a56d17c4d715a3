"""Cases of other lists that bear the name of one at hand, and whose work lies in the same folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.io.outputs import same_place
from VSClickCorrectLib.worklist.records import CaseRecord, CaseState
from VSClickCorrectLib.worklist.work_case import WorkCase, is_gone

# Of a file so much is compared in three places: images of two patients differ wherever one looks.
_PART = 1 << 16


def check_namesakes(cases: Iterable[WorkCase], records: Mapping[str, CaseRecord], output: Path) -> None:
    """Refuse results that hold the work on another case of the same name, which would pass for this one's.

    A case whose files were moved is the same, and so is one of which there is a copy now.

    Parameters
    ----------
    cases : iterable of WorkCase
        The cases at hand.
    records : mapping of CaseRecord
        What the results know, by case.
    output : Path
        The folder of the results.

    Raises
    ------
    WorklistError
        If there is one: its images are there, and are others than this case's.
    """
    for case in cases:
        record = records.get(case.name)
        known = record.files if record is not None and record.state is not CaseState.TODO else {}
        # The T1ce decides: beside it a T2 may have been exchanged.
        role = next((role for role in ("t1ce", "t2") if role in known and role in case.files), None)
        if role is not None and _are_others(Path(str(known[role])), case.files[role]):
            raise WorklistError(
                f"{output} holds the work on another case '{case.name}', of {known[role]}; choose another "
                "folder for the results."
            )


def _are_others(known: Path, path: Path) -> bool:
    if not known.is_absolute() or same_place(known, path) or is_gone(known) or is_gone(path):
        return False
    try:
        ours, theirs = _files(path), _files(known)
        return len(ours) != len(theirs) or not all(map(_are_alike, ours[:1], theirs[:1]))
    except OSError:
        return False  # of a drive that is not there any more, say; whoever opens the case is told of its own


def _files(path: Path) -> list[Path]:
    return sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]


def _are_alike(one: Path, other: Path) -> bool:
    size = one.stat().st_size
    places = (0, max(0, size // 2), max(0, size - _PART))
    return size == other.stat().st_size and all(_part(one, at) == _part(other, at) for at in places)


def _part(path: Path, at: int) -> bytes:
    with open(path, "rb") as stream:
        stream.seek(at, os.SEEK_SET)
        return stream.read(_PART)
