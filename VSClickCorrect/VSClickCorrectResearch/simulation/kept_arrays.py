"""Arrays made of files, kept in a folder for as long as the files are those that they were made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from VSClickCorrectLib.io.files import make_folder, write_atomically

_MADE_OF = "made_of"


def kept_arrays(path: Path | None, files: Sequence[Path]) -> dict[str, np.ndarray] | None:
    """Return what `keep_arrays` has kept of those files; None if that is nothing, or they are others now.

    What was made of files that are not there any more is still returned.
    """
    if path is None or not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files}
    made_of = str(arrays.pop(_MADE_OF, ""))
    return arrays if made_of == _told(files) or not all(file.is_file() for file in files) else None


def keep_arrays(
    path: Path, files: Sequence[Path], arrays: Mapping[str, np.ndarray], compressed: bool = True
) -> None:
    """Write arrays that were made of files, and of which ones; raises `StorageError` if that cannot be."""
    make_folder(path.parent)
    save = np.savez_compressed if compressed else np.savez
    every: dict[str, Any] = {**arrays, _MADE_OF: np.array(_told(files))}
    write_atomically(path, lambda beside: save(beside, **every))


def _told(files: Sequence[Path]) -> str:
    hashes = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()]
    return " ".join(hashes)
