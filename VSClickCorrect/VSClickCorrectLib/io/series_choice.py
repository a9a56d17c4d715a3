"""DICOM series: what their headers say of them, and which of a folder is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.triples import Index3
from VSClickCorrectLib.io.dicom_length import sop_class
from VSClickCorrectLib.io.dicom_text import text_of, value_of
from VSClickCorrectLib.io.files import is_text
from VSClickCorrectLib.io.naming import Kind, kind_of, kind_of_series
from VSClickCorrectLib.io.pairing import Scan, scan_of

_SERIES = "0020|000e"
_TAGS = {
    "modality": "0008|0060",
    "patient": "0010|0020",
    "description": "0008|103e",
    "protocol": "0018|1030",
    "sequence": "0018|0024",
    "frame": "0020|0052",
    "agent": "0018|0010",
    "study": "0020|000d",
    "date": "0008|0020",
    "image_type": "0008|0008",
}
# What lies beside the slices and holds none, though some of it holds an image.
_NO_SCANS = {"RTDOSE", "RTSTRUCT", "RTPLAN", "RTRECORD", "RTIMAGE", "SEG", "REG", "PR", "KO", "SR", "DOC"}
# Image types, as Siemens, GE and Philips write them: fat alone, fat against water, phases, differences.
_COMPUTED = re.compile(
    r"(?i)(?:.*\\)?\s*(?:fat|f|op|(?:out|opp|opposed)_?(?:of_)?phase|p|phase map|sub|subtraction)\s*(?:\\.*)?"
)
# Decimal, or hexadecimal as in names made of check sums.
_NUMBER = re.compile("[0-9a-fA-F]+")
_MAX_NAMED = 4
_WEIGHTINGS = {Kind.T1CE: "t1", Kind.T1: "t1", Kind.NATIVE: "t1", Kind.T2: "t2"}


@dataclass(frozen=True)
class Series:
    """One DICOM series of images.

    Parameters
    ----------
    folder, uid : Path and str
        Where it lies, and its SeriesInstanceUID.
    files : tuple of Path
        Its slices.
    modality, patient, description, protocol, sequence, frame, agent, study, date, image_type : str
        Modality, PatientID, SeriesDescription, ProtocolName, SequenceName, FrameOfReferenceUID,
        ContrastBolusAgent, StudyInstanceUID, StudyDate and ImageType of its first slice, empty where they are
        not given.
    size : tuple of 3 int
        Columns, rows and slices.
    """

    folder: Path
    uid: str
    files: tuple[Path, ...]
    modality: str = ""
    patient: str = ""
    description: str = ""
    protocol: str = ""
    sequence: str = ""
    frame: str = ""
    agent: str = ""
    study: str = ""
    date: str = ""
    image_type: str = ""
    size: Index3 = (0, 0, 0)

    @property
    def kind(self) -> Kind:
        """What it is by its header."""
        # Projections and maps may be called as the scan of which they were made.
        if kind_of(self.image_type) is Kind.OTHER or _COMPUTED.fullmatch(self.image_type):
            return Kind.OTHER
        return kind_of_series((self.description, self.protocol, self.sequence), self.agent)

    @property
    def weighting(self) -> str | None:
        """``"t1"`` or ``"t2"``, None where the header does not tell or tells of something else."""
        return _WEIGHTINGS.get(self.kind)

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.description or self.protocol or self.modality or self.uid


def series_in(folder: Path) -> list[Series]:
    """Return all DICOM series of images in a folder, scans or not, in the order of their UIDs."""
    return [_series(folder, uid, files) for uid, files in sorted(_files_by_series(folder).items())]


def files_of_series(folder: Path, uid: str) -> tuple[Path, ...]:
    """Return the image files of a series in a folder, in the order of their names.

    Raises
    ------
    ImageError
        If there is none.
    """
    files = _files_by_series(folder).get(uid)
    if files is None:
        raise ImageError(
            f"the DICOM series {uid} is not in {folder} any more; put it back or choose another folder."
        )
    return files


def lost_slices(folder: Path, files: Sequence[Path]) -> list[Path]:
    """Return what is called as slices of a folder, but for numbers, and cannot be read, or leads nowhere.

    Where they are the last ones no gap tells of them.
    """
    names, kinds = {_NUMBER.sub("", path.name) for path in files} - {""}, ("", sop_class(files[0]))
    others = (path for path in sorted(set(folder.iterdir()) - set(files)) if not path.is_dir())
    alike = (path for path in others if _NUMBER.sub("", path.name) in names)
    return [p for p in alike if not p.is_file() or (sop_class(p) in kinds and _header(p) is None)]


def scan_in(path: Path) -> Scan | None:
    """Return what the header of a DICOM file says of the scan, None if it is none."""
    reader = _header(path)
    return scan_of(reader) if reader is not None else None


def _files_by_series(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Return the image files of a folder by SeriesInstanceUID.

    GDCM's own list of them is sorted by numbers in their headers, and crashes where these are empty; a link
    that leads nowhere cuts it short, and of one header that makes no sense there is none.
    """
    found: dict[str, tuple[Path, ...]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            reader = _header(path)
            if reader is not None:
                uid = value_of(reader, _SERIES)
                found[uid] = (*found.get(uid, ()), path)
    return found


def the_series(folder: Path, sequence: str | None = None) -> Series:
    """Return the series of a folder that is meant.

    Parameters
    ----------
    folder : Path
        A folder of DICOM files; doses, structures and plans beside the slices are passed over.
    sequence : {"t1ce", "t2"}, optional
        Which is wanted where there are several.

    Raises
    ------
    ImageError
        If there is none, or it is not clear which; the message names them.
    """
    found = series_in(folder)
    scans = [s for s in found if s.modality not in _NO_SCANS]
    if not scans:
        others = f" but {', '.join(sorted({s.modality for s in found}))}" if found else ""
        raise ImageError(f"the folder {folder} holds no DICOM series{others}; give the folder of one series.")
    meant = meant_as(sequence, [s for s in scans if s.modality == "MR"] or scans)
    if len(meant) == 1:
        return meant[0]
    names = ", ".join(f"'{s.name}'" for s in scans[:_MAX_NAMED])
    raise ImageError(
        f"the folder {folder} holds {len(scans)} DICOM series; give each a folder of its own ({names})."
    )


def scattered(what: str, folders: Sequence[Path]) -> str:
    """Return the sentence on one series in several folders, each of which may hold a part of the scan."""
    which = " and ".join(map(str, folders[:_MAX_NAMED]))
    return (
        f"{what} is one DICOM series in {len(folders)} folders ({which}), in parts or as copies; "
        "put all its slices into one folder, each once."
    )


def meant_as(sequence: str | None, series: Sequence[Series]) -> Sequence[Series]:
    """Return those of several series that may be meant by ``t1ce`` or ``t2``; of one it is clear."""
    if len(series) < 2 or sequence is None:
        return series
    wanted = ((Kind.T1CE,), (Kind.T1,)) if sequence == "t1ce" else ((Kind.T2,),)
    for kinds in wanted:
        if fitting := [s for s in series if s.kind in kinds]:
            return fitting
    return series


def _series(folder: Path, uid: str, files: tuple[Path, ...]) -> Series:
    if (reader := _header(files[0])) is None:
        return Series(folder, uid, ())
    values = {name: text_of(reader, tag) for name, tag in _TAGS.items()}
    columns, rows, frames = [*reader.GetSize(), 1][:3]
    return Series(folder, uid, files, **values, size=(columns, rows, frames * len(files)))


def _header(path: Path) -> sitk.ImageFileReader | None:
    """Return the header of a DICOM image, None if the file is none or its name is no text."""
    if not is_text(path):
        return None
    # A window that opens needs no reader yet.
    from VSClickCorrectLib.io.image_files import reader_of

    reader = reader_of(path)
    try:
        reader.ReadImageInformation()
    except (RuntimeError, UnicodeDecodeError):
        return None
    return reader
