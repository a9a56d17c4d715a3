"""What a training remembers of its cases, to go on with the same ones; and whether any are in both lists."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from VSClickCorrectLib.errors import ImageError

from VSClickCorrectResearch.datasets.cases import LazyCase
from VSClickCorrectResearch.datasets.class_cases import LazyClassCase
from VSClickCorrectResearch.datasets.fingerprints import files_of_image

Cases = Sequence[LazyCase] | Sequence[LazyClassCase]


def told(cases: Cases) -> str:
    """Return what is another text for other cases, by their names and the sizes of their files.

    What they hold is not read: a training may have thousands, and begin again many times.

    Raises
    ------
    ImageError
        If a file cannot be looked at.
    """
    try:
        each = [[case.name, [path.stat().st_size for path in _files(case)]] for case in cases]
    except OSError as error:
        raise ImageError(f"{error.filename} cannot be read: {error.strerror}.") from None
    return hashlib.sha256(json.dumps(each).encode()).hexdigest()[:16]


def shared(learnt: Cases, held_back: Cases) -> int:
    """Return how many of the cases that choose weights are also learned from: a file of theirs is."""
    known = {path.resolve() for case in learnt for path in _files(case)}
    return sum(any(path.resolve() in known for path in _files(case)) for case in held_back)


def _files(case: LazyCase | LazyClassCase) -> Iterator[Path]:
    files = case.files
    for image in files.values() if isinstance(files, Mapping) else files:
        yield from files_of_image(image)
