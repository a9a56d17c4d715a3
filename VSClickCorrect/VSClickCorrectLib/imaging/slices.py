"""DICOM series: the slices of one scan, checked for what ITK stacks without a word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from VSClickCorrectLib.errors import ImageError, enough_memory
from VSClickCorrectLib.files import is_text
from VSClickCorrectLib.imaging.dicom_length import is_whole
from VSClickCorrectLib.imaging.dicom_text import header_text
from VSClickCorrectLib.imaging.pairing import CHARACTER_SET, SCAN_TAGS
from VSClickCorrectLib.imaging.series import the_series

_IMAGE_POSITION = "0020|0032"
_ORIENTATION = "0020|0037"
# What all slices of a scan have in common.
_COMMON = {"0010|0020": "patients", "0020|0052": "frames of reference", _ORIENTATION: "orientations"}


def read_dicom(folder: Path, uid: str | None = None, sequence: str | None = None) -> sitk.Image:
    """Read a DICOM series: that of a SeriesInstanceUID, or the one of the folder that `the_series` chooses.

    Raises
    ------
    ImageError
        If there is none or it is not clear which, it cannot be read, lacks slices or holds some twice, or
        mixes slices of several scans.
    """
    _check_files_of(folder)
    reader = sitk.ImageSeriesReader()
    reader.SetImageIO("GDCMImageIO")
    names = reader.GetGDCMSeriesFileNames(str(folder), uid or the_series(folder, sequence).uid)
    _check_names(names)
    reader.SetFileNames(names)
    reader.MetaDataDictionaryArrayUpdateOn()
    try:
        with enough_memory():
            image = reader.Execute()
    except (RuntimeError, UnicodeDecodeError):
        raise ImageError(f"the DICOM series in {folder} cannot be read; export it again.") from None
    _check_common(reader, folder)
    _check_positions(reader, folder)
    _describe(image, reader)
    return image


def _describe(image: sitk.Image, reader: sitk.ImageSeriesReader) -> None:
    """Give an image what the header of its first slice says of the scan."""
    said = {tag: reader.GetMetaData(0, tag) for tag in SCAN_TAGS if reader.HasMetaDataKey(0, tag)}
    has_set = reader.HasMetaDataKey(0, CHARACTER_SET)
    character_set = reader.GetMetaData(0, CHARACTER_SET) if has_set else ""
    for tag, value in said.items():
        image.SetMetaData(tag, header_text(value, character_set))


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not is_text(Path(name)):
            raise ImageError(f"the name {name} is not UTF-8 text; rename the file.")


def _check_files_of(folder: Path) -> None:
    """Refuse a folder with files on which GDCM would wait, or fill the memory."""
    try:
        paths = sorted(folder.iterdir())
        others = [path for path in paths if path.is_fifo() or path.is_char_device()]
        damaged = [] if others else [path for path in paths if path.is_file() and not is_whole(path)]
    except OSError as error:
        raise ImageError(f"the folder {folder} cannot be read ({error.strerror}); name another.") from None
    if others:
        raise ImageError(f"{others[0]} is a pipe or a device; remove it from the folder.")
    if damaged:
        raise ImageError(f"the slice {damaged[0]} is incomplete or damaged; export the series again.")


def _values(reader: sitk.ImageSeriesReader, tag: str) -> list[str]:
    """Return what every slice says, as far as it does."""
    slices = range(len(reader.GetFileNames()))
    return [reader.GetMetaData(n, tag).strip("\0 ") for n in slices if reader.HasMetaDataKey(n, tag)]


def _check_common(reader: sitk.ImageSeriesReader, folder: Path) -> None:
    """Refuse slices of several scans under one series' number: ITK would stack them all."""
    for tag, what in _COMMON.items():
        count = len(set(_values(reader, tag)))
        if count > 1 and not (tag == _ORIENTATION and _agree(_values(reader, tag))):
            raise ImageError(
                f"the DICOM series in {folder} mixes slices of {count} {what}; export each scan on its own."
            )


def _agree(orientations: Sequence[str]) -> bool:
    """Whether orientations that are written differently are the same but for rounding."""
    numbers = [_numbers(text) for text in orientations]
    if any(n is None or len(n) != 6 for n in numbers):
        return False
    return bool(np.ptp(numbers, axis=0).max() < 1e-3)


def _numbers(text: str) -> list[float] | None:
    try:
        return [float(word) for word in text.split("\\")]
    except ValueError:
        return None


def _check_positions(reader: sitk.ImageSeriesReader, folder: Path) -> None:
    """Refuse slices that do not follow at one distance: ITK spaces them evenly whatever is missing."""
    texts = _values(reader, _IMAGE_POSITION)
    if len(reader.GetFileNames()) < 2 or len(texts) < len(reader.GetFileNames()):
        return
    positions = [_numbers(text) for text in texts]
    if any(position is None or len(position) != 3 for position in positions):
        raise ImageError(f"a slice in {folder} does not say where it lies; export the series again.")
    # Slices at one place are left in the order of their names, so neighbours tell nothing.
    if len(np.unique(np.round(positions, 3), axis=0)) < len(positions):
        raise ImageError(f"the DICOM series in {folder} holds slices twice; remove the copies.")
    gaps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    # Of NaN nothing is greater, so it must be not smaller.
    if not np.ptp(gaps) <= 0.1 * np.median(gaps):
        raise ImageError(f"the DICOM series in {folder} lacks slices or is unevenly spaced; export it again.")
