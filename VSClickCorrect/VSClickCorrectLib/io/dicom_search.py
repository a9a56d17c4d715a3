"""DICOM series of a folder of any layout, found by what their headers say."""

from __future__ import annotations

from pathlib import Path

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.files import is_text
from VSClickCorrectLib.io.folders import walk
from VSClickCorrectLib.io.series_choice import Series, series_in

# No DICOM, so that none of them is opened to see.
_OTHERS = (".nii", ".nii.gz", ".nrrd")


def find_series(root: Path) -> tuple[list[Series], list[Path]]:
    """Find all series of MR images in a folder and the folders in it.

    Returns
    -------
    series : list of Series
        In the order of their folders.
    others : list of Path
        The files that belong to none: documents, transforms, structure sets.

    Raises
    ------
    ImageError
        If the folder does not exist.
    """
    series, others = find_all_series(root)
    return [one for one in series if one.modality == "MR"], others


def find_all_series(root: Path) -> tuple[list[Series], list[Path]]:
    """Find all series of images, of any kind, in a folder and the folders in it; else as `find_series`."""
    if not root.is_dir():
        raise ImageError(f"the folder {root} does not exist; give the folder that holds the download.")
    series: list[Series] = []
    others: list[Path] = []
    for folder, _, names in walk(root):
        files = {folder / n for n in names if not n.startswith(".")}
        some = not all(is_other(path) for path in files)
        for found in series_in(folder) if some and is_text(folder) else ():
            files -= set(found.files)
            series.append(found)
        others += sorted(files)
    return series, others


def is_other(path: Path) -> bool:
    """Whether a file's name says that it is an image of another format than DICOM."""
    return path.name.lower().endswith(_OTHERS)


def unnamed_folders(root: Path) -> list[Path]:
    """Return the folders in which no series can be looked for: of no file is the whole path UTF-8 text."""
    return [f for f, _, names in walk(root) if names and not any(is_text(f / name) for name in names)]
