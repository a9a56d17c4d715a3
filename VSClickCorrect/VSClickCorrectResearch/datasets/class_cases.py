"""Cases of several classes and of any named sequences, from a list or a synthetic cohort."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectLib.io.one_grid import resample_to_grid
from VSClickCorrectLib.io.pairing import are_of_two
from VSClickCorrectLib.measure.tumour_parts import PARTS
from VSClickCorrectLib.worklist.case_list import column_names, listed_file, read_rows
from VSClickCorrectLib.worklist.names import case_name

from VSClickCorrectResearch.datasets.class_map import read_class_map
from VSClickCorrectResearch.datasets.cohort import CohortCase, list_cohort

# What a list of cases of several classes is called in its folder.
CLASS_LIST = "classes.csv"
# What an import writes into a case's folder: its record, the tumour without its classes, and with them.
RECORD, TUMOUR, CLASS_MAP = "import.json", "label.nii.gz", "classes.nii.gz"


@dataclass(frozen=True, eq=False)
class ClassCase:
    """A case whose classes are known.

    Parameters
    ----------
    name : str
        What reports and tables call it.
    volumes : dict of Volume or None
        The sequences by name, on one grid; None where one is missing.
    labels : ndarray of uint8
        Numbers of the classes from 1, ``(K, J, I)``; 0 is the background.
    """

    name: str
    volumes: dict[str, Volume | None]
    labels: np.ndarray

    @property
    def grid(self) -> Grid:
        """The native grid: that of the first sequence that is there."""
        return next(volume.grid for volume in self.volumes.values() if volume is not None)

    @property
    def sequences(self) -> dict[str, Volume | None]:
        """The sequences by name, as `inference.parts` takes them."""
        return self.volumes


class LazyClassCase(Protocol):
    """A case that is read when it is its turn."""

    @property
    def name(self) -> str:
        """What reports and tables call it; unique."""

    @property
    def files(self) -> Sequence[Path]:
        """All that it is read from."""

    def load(self) -> ClassCase:
        """Read it."""


@dataclass(frozen=True)
class ListedClassCase:
    """A case of a list, by its files; ``classes`` are those of its label, in the order of their numbers."""

    name: str
    images: dict[str, Path | None]
    label: Path
    classes: tuple[str, ...]

    @property
    def files(self) -> Sequence[Path]:
        """All that it is read from."""
        return [self.label, *(path for path in self.images.values() if path is not None)]

    def load(self) -> ClassCase:
        """Read the files; sequences are brought to the grid of the first, labels must lie on it.

        Raises
        ------
        ImageError
            If a file cannot be used, or two are of different patients; the message names the case.
        """
        volumes: dict[str, Volume | None] = {}
        grid: Grid | None = None
        try:
            for name, path in self.images.items():
                volume = read_volume(path) if path is not None else None
                _check_patient(name, volume, volumes)
                if volume is not None and grid is None:
                    grid = volume.grid
                if volume is not None and grid is not None and not volume.grid.matches(grid):
                    volume = resample_to_grid(volume, grid)
                volumes[name] = volume
            if grid is None:
                raise ImageError("no sequence was given; one is needed.")
            labels = read_class_map(self.label, grid, len(self.classes), self.classes)
            return ClassCase(self.name, volumes, labels)
        except ImageError as error:
            raise ImageError(f"case {self.name}: {error}") from None


def _check_patient(name: str, volume: Volume | None, others: Mapping[str, Volume | None]) -> None:
    scan = volume.scan if volume is not None else None
    for other, beside in others.items():
        if scan and beside and beside.scan and are_of_two(beside.scan, scan):
            raise ImageError(
                f"the {other} is of patient '{beside.scan.patient}' and the {name} of '{scan.patient}'; "
                "correct the list or, if the two are one, import it first by 'vsclick import csv' with "
                "--different-patients."
            )


@dataclass(frozen=True)
class CohortClassCase:
    """A case of a synthetic cohort with the sequences that are wanted of it."""

    case: CohortCase
    sequences: tuple[str, ...]

    @property
    def name(self) -> str:
        """See `LazyClassCase`."""
        return self.case.name

    @property
    def files(self) -> Sequence[Path]:
        """See `LazyClassCase`."""
        return [self.case.path]

    def load(self) -> ClassCase:
        """Read it; raises `ImageError` if it is damaged or was written without classes."""
        labelled = self.case.load()
        if labelled.classes is None:
            raise ImageError(
                f"the case {self.case.path} knows the tumour alone; write the cohort with --classes."
            )
        volumes = {name: labelled.case.sequences[name] for name in self.sequences}
        return ClassCase(self.name, volumes, labelled.classes)


def list_class_cases(path: Path, sequences: Sequence[str], classes: Sequence[str]) -> Sequence[LazyClassCase]:
    """Return the cases of a list or of a cohort; none is read yet.

    Parameters
    ----------
    path : Path
        A CSV file with the columns ``case``, ``label`` and one for each sequence, called by its name; files
        are relative to it, a sequence that is missing is left empty, and other columns are not looked at. Or
        a cohort that ``vsclick simulate --classes`` wrote.
    sequences : sequence of str
        Which are wanted, in the order in which a network takes them.
    classes : sequence of str
        The classes, in the order of their numbers.

    Raises
    ------
    ImageError
        If there is no case, the list cannot be used, its labels are an import's tumours without classes or
        its maps of other classes, or a cohort has other classes or sequences.
    """
    if os.path.isdir(path):
        return _of_cohort(path, tuple(sequences), tuple(classes))
    cases: dict[str, ListedClassCase] = {}
    columns = dict.fromkeys(("case", "label", *sequences, *column_names(path)))
    for line, row in read_rows(path, tuple(columns), required=("case", "label")):
        name, where = case_name(row["case"]), f"{path}, line {line}"
        if name in cases:
            raise ImageError(f"{where}, column case: '{name}' stands there twice; rename one of the two.")
        images = {s: listed_file(path.parent, row[s]) if row[s] else None for s in sequences}
        cases[name] = ListedClassCase(name, images, listed_file(path.parent, row["label"]), tuple(classes))
        if not any(images.values()):
            raise ImageError(f"{where}: none of {', '.join(sequences)} is given; one is needed.")
        for file in cases[name].files:
            if not os.path.exists(file):
                raise ImageError(f"{where}: {file} does not exist.")
        _check_classes(cases[name].label, classes, where)
    if not cases:
        raise ImageError(f"{path} lists no case; add a line for each.")
    _check_columns(path, sequences)
    return list(cases.values())


def record_in(folder: Path) -> dict:
    """Return the record of an imported case's folder, empty where there is none that can be read."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _check_classes(label: Path, classes: Sequence[str], where: str) -> None:
    # Its 1 is the tumour, and would be taken for the first class.
    if label.name == TUMOUR and (label.parent / RECORD).exists():
        raise ImageError(
            f"{where}: {label} is the tumour without its classes; name {CLASS_LIST}, which an import with "
            "--classes writes."
        )
    there = label.name == CLASS_MAP and record_in(label.parent).get("classes") or classes
    if list(there) != list(classes):
        raise ImageError(
            f"{where}: {label} holds {', '.join(there)}, not {', '.join(classes)}; list cases of these "
            "classes alone, or import it anew with --classes in this order."
        )


def _check_columns(path: Path, sequences: Sequence[str]) -> None:
    there = column_names(path)
    for name in sequences:
        if name not in there:
            raise ImageError(
                f"{path} has no column '{name}'; it has {', '.join(there)}: add one for each sequence "
                "that is to be learnt from."
            )


def _of_cohort(folder: Path, sequences: tuple[str, ...], classes: tuple[str, ...]) -> list[CohortClassCase]:
    if classes != PARTS:
        raise ImageError(f"a synthetic cohort has the classes {', '.join(PARTS)}, not {', '.join(classes)}.")
    others = [name for name in sequences if name not in ("t1ce", "t2")]
    if others:
        raise ImageError(f"a synthetic cohort has the sequences t1ce and t2, not {others[0]}.")
    return [CohortClassCase(case, sequences) for case in list_cohort(folder)]
