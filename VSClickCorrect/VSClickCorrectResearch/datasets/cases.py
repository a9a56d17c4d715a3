"""Cases whose tumour is known, wherever they are listed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from VSClickCorrectResearch.datasets.cohort import list_cohort
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.datasets.listed import read_case_list


class LazyCase(Protocol):
    """A case that is read when it is its turn: a `ListedCase` or a `CohortCase`."""

    @property
    def name(self) -> str:
        """What reports and tables call it; unique."""

    @property
    def files(self) -> dict[str, Path]:
        """What it is read from, by role; a folder is a DICOM series."""

    @property
    def kind(self) -> str | None:
        """What kind of head it is by the list that names it; None where the files say so."""

    def load(self) -> LabelledCase:
        """Read it."""


def inputs_of(path: Path, cases: Sequence[LazyCase]) -> list[Path]:
    """Return all that is read of cases that `list_cases` returned for ``path``."""
    return [path, *(file for case in cases for file in case.files.values())]


def list_cases(path: Path) -> Sequence[LazyCase]:
    """Return the cases of a cohort's folder or of a CSV list; none is read yet.

    Raises
    ------
    ImageError
        If there is no case, or the list cannot be used.
    """
    return list_cohort(path) if os.path.isdir(path) else read_case_list(path)
