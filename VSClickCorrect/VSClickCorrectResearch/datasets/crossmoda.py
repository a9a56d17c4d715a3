"""CrossMoDA (2021 to 2023): NIfTI files by name, with label maps of tumour and cochlea.

In 2021 and 2022 label 1 is the tumour and 2 the cochlea; in 2023 labels 1 and 2 are the tumour's intra- and
extrameatal part and 3 is the cochlea.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.folders import walk
from VSClickCorrectLib.io.images import read_mask, read_volume
from VSClickCorrectLib.measure.tumour_parts import PARTS, tumour_numbers
from VSClickCorrectLib.worklist.names import natural
from VSClickCorrectLib.worklist.trees import of_crossmoda

from VSClickCorrectResearch.datasets.class_map import read_class_map
from VSClickCorrectResearch.datasets.derived_parts import DERIVED, derived_parts
from VSClickCorrectResearch.datasets.fingerprints import each_file, the_file
from VSClickCorrectResearch.datasets.importing import CaseSource, Imported
from VSClickCorrectResearch.datasets.placing import place

# Of editions before 2023.
_COCHLEA = 2


def find_cases(
    root: Path, labels: Sequence[int | str] | None, registered: bool = False, classes: bool = False
) -> list[CaseSource]:
    """Find the labelled cases of a crossMoDA download.

    Parameters
    ----------
    root : Path
        A folder that holds ``crossmoda2021_ldn_1_ceT1.nii.gz`` and the like, in the first edition
        ``crossmoda_1_ceT1.nii.gz``, in any folders.
    labels : sequence of int or str, or None
        The labels that are the tumour; the others, the cochlea, are left out.
    registered : bool
        Whether to register the T2 of a case that has both sequences, on different grids.
    classes : bool
        Whether to keep the tumour's parts and the cochlea, too. Before 2023 the parts were not told apart:
        they are derived, see `simulation.porus`.

    Returns
    -------
    list of CaseSource
        Scans without a label map are no cases.

    Raises
    ------
    ImageError
        If there is no labelled case, or no label is named; the message lists those found.
    """
    cases: dict[str, dict[str, list[Path]]] = {}
    paths = [folder / name for folder, _, names in walk(root) for name in names]
    for path in sorted(paths):
        if (told := of_crossmoda(path)) is not None:
            cases.setdefault(told.case, {}).setdefault(told.kind.value, []).append(path)
    labelled = {name: files for name, files in cases.items() if "label" in files}
    if not labelled:
        raise ImageError(
            f"{root} holds no labelled case of crossMoDA; give the folder of its '…_Label.nii.gz' files."
        )
    if not labels and not classes:
        raise ImageError(_which_labels([files["label"][0] for files in labelled.values()]))
    return [
        _source(name, labelled[name], labels or (), registered, classes)
        for name in sorted(labelled, key=natural)
    ]


def _which_labels(paths: Sequence[Path]) -> str:
    """Ask for the tumour's label; a few files are enough to see which there are."""
    found = {float(v) for path in paths[:5] for v in np.unique(read_volume(path).array) if v != 0}
    names = ", ".join(f"{v:g}" for v in sorted(found)) or "none"
    return f"the label maps hold the labels {names}; say with --tumour-label which of them are the tumour."


def _source(
    name: str,
    files: dict[str, list[Path]],
    labels: Sequence[int | str],
    registered: bool,
    classes: bool,
) -> CaseSource:
    settings = {"dataset": "crossmoda", "tumour_label": sorted(labels, key=str), "register": registered}
    if classes:
        settings["classes"] = True
    read = partial(_read, name, files, sorted(labels, key=str), registered, classes)
    return CaseSource(name, each_file(files), read, settings)


def _read(
    name: str,
    files: dict[str, list[Path]],
    labels: Sequence[int | str],
    registered: bool,
    classes: bool,
) -> Imported:
    paths = {role: the_file(found) for role, found in files.items()}
    if "t1ce" not in paths and "t2" not in paths:
        raise ImageError(
            f"there is no image beside {paths['label']}; download the ceT1 or hrT2 scan as well."
        )
    volumes = [read_volume(paths[role]) if role in paths else None for role in ("t1ce", "t2")]
    placed = place(volumes, registered=registered)
    if told := _told_labels(name, paths["label"], labels):
        placed.record["remarks"] = [*placed.record.get("remarks", ()), told]
    if not classes:
        label = read_mask(paths["label"], placed.case.grid, labels)
        return Imported(placed.case, label, record=placed.record)
    grid = placed.case.grid
    numbers = read_class_map(paths["label"], grid, len(PARTS))
    tumour = read_mask(paths["label"], grid, labels) if labels else np.isin(numbers, _tumour_labels(name))
    if _tells_parts(name):
        return Imported(
            placed.case, tumour, classes=numbers, record={**placed.record, "classes": list(PARTS)}
        )
    if (numbers > _COCHLEA).any():
        raise ImageError(f"{paths['label']} holds label 3, which editions before 2023 do not have; check it.")
    parts = derived_parts(grid, tumour, numbers == _COCHLEA)
    return Imported(placed.case, tumour, classes=parts, record={**placed.record, **DERIVED})


def _told_labels(name: str, path: Path, labels: Sequence[int | str]) -> str:
    """Return what is to be known where other labels are taken for the tumour than a case's edition has."""
    taken, ours = (set(map(str, some)) for some in (labels, _tumour_labels(name)))
    if not taken or not (taken ^ ours) & {f"{value:g}" for value in np.unique(read_volume(path).array)}:
        return ""
    these, those = (", ".join(sorted(some)) for some in (taken, ours))
    return (
        f"label {these} is taken for the tumour, which in this edition is label {those}; check --tumour-label"
    )


def _tells_parts(name: str) -> bool:
    """Whether a case is of an edition whose labels are `PARTS`: that of 2023 or a later one."""
    year = re.match(r"crossmoda(\d{4})", name)
    return year is not None and int(year[1]) >= 2023


def _tumour_labels(name: str) -> tuple[int, ...]:
    return tumour_numbers(PARTS) if _tells_parts(name) else (1,)
