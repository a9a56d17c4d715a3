"""BraTS: four sequences and three classes of glioma, by the names of the files.

Up to 2021 files are called ``BraTS20_Training_001_t1ce.nii.gz`` and numbered 1 for necrosis and non-enhancing
tumour, 2 for oedema and 4 for enhancing tumour (up to 2016 also 3, non-enhancing). From 2023 on they are
called ``BraTS-GLI-00001-000-t1c.nii.gz`` and enhancing tumour is 3. Here 1 is oedema, 2 enhancing, 3
non-enhancing.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.io.folders import walk
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectLib.io.one_grid import resample_to_grid
from VSClickCorrectLib.worklist.names import case_name, natural

from VSClickCorrectResearch.datasets.class_map import read_class_map
from VSClickCorrectResearch.datasets.fingerprints import each_file, the_file
from VSClickCorrectResearch.datasets.importing import CaseSource, Imported

CLASSES = ("oedema", "enhancing", "non-enhancing")
_NAME = re.compile(
    r"(?P<case>brats.*?)[_-](?P<role>t1ce|t1c|t1n|t1|t2w|t2f|t2|flair|seg)\.nii(\.gz)?", re.IGNORECASE
)
# The names of 2023 and later, by which the numbering is told, too.
_LATER = {"t1n": "t1", "t1c": "t1ce", "t2w": "t2", "t2f": "flair"}
_EARLIER_NUMBERS = {1: "non-enhancing", 2: "oedema", 3: "non-enhancing", 4: "enhancing"}
_LATER_NUMBERS = {1: "non-enhancing", 2: "oedema", 3: "enhancing"}
_HIGHEST = 4
# Children's tumours: 2024 numbered 1 for enhancing, 2 non-enhancing, 3 cystic and 4 oedema, 2023 as gliomas.
_CHILDREN = re.compile(r"brats-ped", re.IGNORECASE)


def find_cases(root: Path) -> list[CaseSource]:
    """Find the labelled cases of a BraTS download, in whatever folders.

    Raises
    ------
    ImageError
        If there is none.
    """
    cases: dict[str, dict[str, list[Path]]] = {}
    for path in sorted(folder / name for folder, _, names in walk(root) for name in names):
        told = _NAME.fullmatch(path.name)
        if told is not None:
            role = told["role"].lower()
            cases.setdefault(case_name(told["case"]), {}).setdefault(role, []).append(path)
    labelled = {name: files for name, files in cases.items() if "seg" in files}
    if not labelled:
        raise ImageError(
            f"{root} holds no labelled case of BraTS; give the folder of its '…seg.nii.gz' files."
        )
    settings = {"dataset": "brats"}
    return [
        CaseSource(name, each_file(labelled[name]), partial(_read, labelled[name]), settings)
        for name in sorted(labelled, key=natural)
    ]


def _read(found: dict[str, list[Path]]) -> Imported:
    files = {role: the_file(paths) for role, paths in found.items()}
    if _CHILDREN.match(files["seg"].name):
        raise ImageError(
            f"{files['seg']} is of BraTS-PED, whose numbers mean other classes in other editions; "
            "leave the case out, or list it with classes of your own."
        )
    named = {role in _LATER: path for role, path in files.items() if role != "seg"}
    if len(named) == 2:
        raise ImageError(
            f"{named[False]} and {named[True]} are named as in two editions, which number the classes "
            "otherwise; keep the files of one edition."
        )
    later = True in named
    paths = {_LATER.get(role, role): path for role, path in files.items() if role != "seg"}
    if not {"t1ce", "t2"} & set(paths):
        raise ImageError(
            f"there is neither a T1ce nor a T2 beside {files['seg']}; download the scans as well."
        )
    volumes = {role: read_volume(path) for role, path in paths.items()}
    grid = volumes["t1ce" if "t1ce" in volumes else "t2"].grid
    volumes = {
        role: volume if volume.grid.matches(grid) else resample_to_grid(volume, grid)
        for role, volume in volumes.items()
    }
    classes = _classes(read_class_map(files["seg"], grid, _HIGHEST), later, files["seg"])
    case = Case(volumes.get("t1ce"), volumes.get("t2"))
    others = {role: volume for role, volume in volumes.items() if role not in ("t1ce", "t2")}
    return Imported(case, classes > 0, classes=classes, others=others, record={"classes": list(CLASSES)})


def _classes(numbers: np.ndarray, later: bool, path: Path) -> np.ndarray:
    there = set(np.unique(numbers)) - {0}
    if later and _HIGHEST in there:
        raise ImageError(f"{path} holds label 4, a resection cavity, which is no tumour; leave the case out.")
    if not later and 3 in there and _HIGHEST not in there:
        raise ImageError(
            f"{path} holds label 3 and no 4, so that it is not clear which is enhancing; name its scans as "
            "its edition does (t1c of 2023, t1ce before), or leave the case out."
        )
    classes = np.zeros(numbers.shape, np.uint8)
    for number, name in (_LATER_NUMBERS if later else _EARLIER_NUMBERS).items():
        classes[numbers == number] = 1 + CLASSES.index(name)
    return classes
