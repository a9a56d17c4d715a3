"""What tells whether the files of a case have changed."""

from __future__ import annotations

import filecmp
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from VSClickCorrectLib.errors import ImageError

_PART_BYTES = 1 << 20


def files_of_image(path: Path) -> tuple[Path, ...]:
    """Return the files of an image, which may be a folder with a DICOM series."""
    if path.is_dir():
        return tuple(sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith(".")))
    return (path,)


def the_file(paths: Sequence[Path]) -> Path:
    """Return the only file of a role; the same again elsewhere, as in later editions, is no other.

    Raises
    ------
    ImageError
        If there are several that differ.
    """
    for other in paths[1:]:
        if not filecmp.cmp(paths[0], other, shallow=False):
            raise ImageError(f"{paths[0]} and {other} differ; keep the right one.")
    return paths[0]


def each_file(found: Mapping[str, Sequence[Path]]) -> dict[str, tuple[Path, ...]]:
    """Return every file under a role of its own, as ``label`` and ``label 2``: each is to be looked at."""
    return {
        role if number == 1 else f"{role} {number}": (path,)
        for role, paths in found.items()
        for number, path in enumerate(paths, 1)
    }


def sha256_of(files: Sequence[Path]) -> str:
    """Return the SHA-256 of files, one after the other.

    Raises
    ------
    ImageError
        If one cannot be read.
    """
    digest = hashlib.sha256()
    for path in files:
        try:
            with path.open("rb") as stream:
                while part := stream.read(_PART_BYTES):
                    digest.update(part)
        except OSError as error:
            raise ImageError(f"{path} cannot be read: {error.strerror}.") from None
    return digest.hexdigest()


def fingerprint(images: Mapping[str, Path]) -> str:
    """Return what is another text once any image of a case has changed.

    Parameters
    ----------
    images : mapping of str to Path
        Files, or folders with a DICOM series, by their role.

    Raises
    ------
    ImageError
        If one cannot be read.
    """
    hashes = {role: sha256_of(files_of_image(path)) for role, path in images.items()}
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
