"""DICOM series of a folder of any layout, found by what their headers say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from VSClickCorrectLib.datasets.folders import walk
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.files import check_file, is_text
from VSClickCorrectLib.imaging.dicom_length import begins_as_dicom
from VSClickCorrectLib.imaging.dicom_text import header_text

_CHARACTER_SET = "0008|0005"
_TAGS = {
    "modality": "0008|0060",
    "patient": "0010|0020",
    "description": "0008|103e",
    "protocol": "0018|1030",
    "sequence": "0018|0024",
    "frame": "0020|0052",
}
# Tried in this order: what people call a series, then the names of pulse sequences.
_WEIGHTINGS = (
    {"t1": r"(?<![a-z0-9])t1", "t2": r"(?<![a-z0-9])t2"},
    {"t1": r"fl3d|mpr|spgr|flash|bravo", "t2": r"ci3d|ciss|tse|fse|fiesta|space|drive"},
)


@dataclass(frozen=True)
class Series:
    """One DICOM series of images.

    Parameters
    ----------
    folder, uid : Path and str
        Where it lies, and its SeriesInstanceUID.
    files : tuple of Path
        Its slices.
    modality, patient, description, protocol, sequence, frame : str
        Modality, PatientID, SeriesDescription, ProtocolName, SequenceName and FrameOfReferenceUID of its
        first slice, empty where they are not given.
    """

    folder: Path
    uid: str
    files: tuple[Path, ...]
    modality: str
    patient: str
    description: str
    protocol: str
    sequence: str
    frame: str

    @property
    def weighting(self) -> str | None:
        """``"t1"`` or ``"t2"``, None where the header does not tell."""
        for patterns in _WEIGHTINGS:
            for text in (self.description, self.protocol, self.sequence):
                found = [name for name, pattern in patterns.items() if re.search(pattern, text.lower())]
                if len(found) == 1:
                    return found[0]
        return None


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
    if not root.is_dir():
        raise ImageError(f"the folder {root} does not exist; give the folder that holds the download.")
    series: list[Series] = []
    others: list[Path] = []
    for folder, _, names in walk(root):
        files = {folder / n for n in names if not n.startswith(".")}
        for found in _series_in(folder) if files and is_text(folder) else ():
            files -= set(found.files)
            if found.modality == "MR":
                series.append(found)
        others += sorted(files)
    return series, others


def unnamed_folders(root: Path) -> list[Path]:
    """Return the folders in which no series can be looked for: of no file is the whole path UTF-8 text."""
    return [f for f, _, names in walk(root) if names and not any(is_text(f / name) for name in names)]


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do; what cannot be opened does not."""
    try:
        check_file(path)
    except ImageError:
        return False
    return begins_as_dicom(path)


def _series_in(folder: Path) -> list[Series]:
    return [_series(folder, uid) for uid in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))]


def _series(folder: Path, uid: str) -> Series:
    files = [Path(f) for f in sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid)]
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    named = [path for path in files if is_text(path)]
    if not named:
        return Series(folder, uid, (), *[""] * len(_TAGS))
    reader.SetFileName(str(named[0]))
    try:
        reader.ReadImageInformation()
    except (RuntimeError, UnicodeDecodeError):
        return Series(folder, uid, (), *[""] * len(_TAGS))
    character_set = _value(reader, _CHARACTER_SET)
    values = {name: header_text(_value(reader, tag), character_set) for name, tag in _TAGS.items()}
    return Series(folder, uid, tuple(files), **values)


def _value(reader: sitk.ImageFileReader, tag: str) -> str:
    return reader.GetMetaData(tag) if reader.HasMetaDataKey(tag) else ""
