"""Initial masks made ahead, as they are kept, and what is to be done for one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.candidate_arrays import arrays_of, initial_of
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder
from VSClickCorrectLib.io.dicom_length import is_dicom
from VSClickCorrectLib.io.files import DAMAGED_ZIP, is_there, reading, write_atomically

_TOLD = "told"
# Of each file, by its name: how large and how new it is.
Version = dict[str, list[int]]


@dataclass(frozen=True)
class Preparation:
    """What is to be done for one case, in plain words that any process understands.

    Parameters
    ----------
    case : str
        Its name, for whoever is told.
    files : dict of str
        The sequences by ``t1ce`` and ``t2``.
    series : dict of str
        SeriesInstanceUIDs of those that lie in a folder of several series.
    path : str
        Where the mask goes.
    choice : Choice
        Which networks make it, and where.
    different_patients : bool
        Whether sequences of different PatientIDs are one patient's.
    """

    case: str
    files: dict[str, str]
    series: dict[str, str]
    path: str
    choice: Choice
    different_patients: bool = False


def keep_prepared(
    preparation: Preparation, initial: InitialMask, images: Case, versions: Mapping[str, Version]
) -> None:
    """Keep an initial mask with the models that made it, and the images and files of which.

    Parameters
    ----------
    preparation : Preparation
        Where to, and which models.
    initial : InitialMask
        The mask.
    images : Case
        The images.
    versions : mapping
        What `versions_of` said of their files before they were read.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    told = json.dumps(
        {
            "models": _identities(preparation.choice.models),
            "images": images.fingerprints(),
            "versions": dict(versions),
            "series": preparation.series,
        }
    )
    arrays = {**arrays_of(initial), _TOLD: np.frombuffer(told.encode("ascii"), np.uint8)}
    write_atomically(Path(preparation.path), lambda temporary: np.savez(temporary, **arrays))


def read_prepared(path: Path, images: Case, models: ModelFolder) -> InitialMask | None:
    """Return the mask that was kept; None if there is none, or it is of other images or models, or damaged.

    Raises
    ------
    ModelError
        If the models cannot be read.
    Unreadable
        If the file cannot be.
    """
    arrays = _arrays(path)
    if arrays is None:
        return None
    told = _told(arrays)
    if (told.get("models"), told.get("images")) != (_identities(models), images.fingerprints()):
        return None
    initial = _initial(arrays)
    if initial is None or not all(images.grid.box.contains(one.box) for one in (initial, *initial.others)):
        return None
    return initial


def is_up_to_date(preparation: Preparation) -> bool:
    """Whether a mask of these models is kept, made of the files and series as they are, and can be read.

    Raises `ModelError` as `read_prepared` does.

    No image is opened where none has changed: a window asks while somebody clicks. A file that took the place
    of another of its name, size and time is not told from it; `read_prepared` compares the images themselves.
    """
    models = _identities(preparation.choice.models)
    try:
        arrays = _arrays(Path(preparation.path)) or {}
        told = _told(arrays)
        known = told.get("versions")
        if not isinstance(known, dict) or told.get("models") != models:
            return False
        # Versions before this one did not tell of which series of a folder a mask was made.
        if told.get("series", {}) != preparation.series:
            return False
        return versions_of(preparation.files, known) == known and _initial(arrays) is not None
    except ImageError:
        return False  # whoever reads the images, or writes the mask anew, is told why that cannot be


def versions_of(files: Mapping[str, str], known: Mapping[str, Any] | None = None) -> dict[str, Version]:
    """Return what tells files, by their roles, from others of their name: of each how large and how new.

    Parameters
    ----------
    files : mapping of str
        Files, or folders of DICOM.
    known : mapping, optional
        What this returned before: files in folders that are as they were then are not opened again.

    Raises
    ------
    ImageError
        If one cannot be read.
    """
    return {role: dict(_version(Path(path), (known or {}).get(role))) for role, path in files.items()}


def _version(path: Path, known: Any) -> Iterator[tuple[str, list[int]]]:
    with reading(path):
        if not path.is_dir():
            # The same file on another computer's path is the same.
            yield path.name, _size_and_time(path.stat())
            return
        known = known if isinstance(known, dict) else {}
        with os.scandir(path) as entries:
            for entry in entries:
                # Beside a series may lie what changes with the work: the worklist's table for instance.
                with suppress(OSError):
                    version = _size_and_time(entry.stat())
                    if known.get(entry.name) == version or is_dicom(Path(entry)):
                        yield entry.name, version


def _size_and_time(found: os.stat_result) -> list[int]:
    return [found.st_size, found.st_mtime_ns]


def _identities(models: ModelFolder) -> list[str]:
    """Return what tells masks of some models from those of others: how sure they are decides, too."""
    entries = [(one, json.dumps(one.certainty, sort_keys=True)) for one in models.initial_entries]
    return [f"{one.name}@{one.sha256}, {sha256(sure.encode()).hexdigest()}" for one, sure in entries]


def _arrays(path: Path) -> dict[str, np.ndarray] | None:
    with reading(path):
        if not is_there(path):
            return None
        content = path.read_bytes()
    try:
        with np.load(BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except DAMAGED_ZIP:
        return None


def _told(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    try:
        told = json.loads(arrays[_TOLD].tobytes())
    except (KeyError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _initial(arrays: dict[str, np.ndarray]) -> InitialMask | None:
    try:
        return initial_of({name: array for name, array in arrays.items() if name != _TOLD})
    except (KeyError, ValueError, TypeError):
        return None
