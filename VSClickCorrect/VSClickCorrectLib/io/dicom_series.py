"""DICOM: the slices of one scan, in files of their own or as frames of a file, checked and then stacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from VSClickCorrectLib.errors import ImageError, enough_memory
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.dicom_frames import ENHANCED, SOP_CLASS, Frame, frames_of
from VSClickCorrectLib.io.dicom_length import UNDEFINED, is_whole, values_at
from VSClickCorrectLib.io.dicom_stack import stacked
from VSClickCorrectLib.io.dicom_text import value_of
from VSClickCorrectLib.io.files import check_name, temporary_folder
from VSClickCorrectLib.io.image_files import reader_of
from VSClickCorrectLib.io.pairing import scan_of
from VSClickCorrectLib.io.series_choice import files_of_series, lost_slices, the_series

# What all slices of a scan have in common.
_COMMON = {"0010|0020": "patients", "0020|0052": "frames of reference"}
# Of slices that name 0 as the distance between them, a gap that is none, ITK says so and reads nothing.
_NO_DISTANCE, _DISTANCE = "Zero-valued spacing", (0x0018, 0x0088)
_TABLE, _PIXELS = (0x0028, 0x3000), (0x7FE0, 0x0010)
_BITS_ALLOCATED, _BITS_STORED, _HIGH_BIT, _SIGNED, _PADDING = (
    f"0028|01{n}" for n in ("00", "01", "02", "03", 20)
)
# Bits in which overlays stand among those of the pixels, 0 for those that stand elsewhere.
_OVERLAY_BITS = [f"60{group:02x}|0102" for group in range(0, 32, 2)]


def read_dicom(folder: Path, uid: str | None = None, sequence: str | None = None) -> Volume:
    """Read a DICOM series: that of a SeriesInstanceUID, or the one of the folder that `the_series` chooses.

    Raises
    ------
    ImageError
        If there is none or it is not clear which, it cannot be read, mixes slices of several scans, or its
        slices are refused by `stacked`.
    """
    _check_files_of(folder)
    files = files_of_series(folder, uid) if uid else the_series(folder, sequence).files
    for path in folder.iterdir():
        check_name(path)
    try:
        with enough_memory():
            images = [_read(path) for path in files]
    except (RuntimeError, UnicodeDecodeError):
        raise ImageError(f"the DICOM series in {folder} cannot be read; export it again.") from None
    _check_common(images, folder)
    volume = _stacked(files, images, f"the DICOM series in {folder}")
    if lost := lost_slices(folder, files):
        raise ImageError(f"{lost[0]} is called as a slice and cannot be read as one; copy the series again.")
    return volume


def placed_frames(path: Path, image: sitk.Image) -> Volume:
    """Return what ITK read of one DICOM file with its frames where their own headers say.

    Raises
    ------
    ImageError
        As `frames_of` and `stacked`.
    """
    return _stacked([path], [image], str(path))


def _stacked(paths: Sequence[Path], images: Sequence[sitk.Image], what: str) -> Volume:
    frames: list[Frame] = []
    slices: list[np.ndarray] = []
    padding: list[np.ndarray] = []
    for path, image in zip(paths, images, strict=True):
        if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
            raise ImageError(f"{path} has several channels or complex values; give a plain greyscale image.")
        _check_pixels(path, image)
        found, array = frames_of(path, image), sitk.GetArrayViewFromImage(image)
        frames += found
        # Frame by frame: for all at once it would take many times the memory of the pixels.
        padding += [_padding(one, image, found[0].rescale) for one in array]
        slices += list(_rescaled(array, found, image, path))
    # A slice that leaves its patient or its frame of reference blank says nothing; others do.
    telling = max(images, key=lambda image: [bool(value_of(image, tag)) for tag in _COMMON])
    return replace(stacked(frames, _filled(slices, padding), what), scan=scan_of(telling))


def _check_pixels(path: Path, image: sitk.Image) -> None:
    """Refuse pixels that GDCM takes for others: it puts what was in the memory for those that are missing."""
    if value_of(image, "0028|0004") == "MONOCHROME1":
        raise ImageError(f"{path} is a negative (MONOCHROME1), dark where others are bright; invert it.")
    table, place = values_at(path, _TABLE, _PIXELS)
    # Empty, as some programs leave what they take out, it maps nothing.
    if table is not None and table[1]:
        raise ImageError(f"{path} maps its values by a Modality LUT, which is not read; export it without.")
    bits = _number(image, _BITS_ALLOCATED)
    if place is not None and 8 * place[1] < bits * image.GetNumberOfPixels():
        raise ImageError(f"{path} holds fewer pixels than its header names; export it again.")
    if place is not None and bits == 16 > _number(image, _BITS_STORED) > 0 and _is_cut(path, image, *place):
        raise ImageError(f"{path} holds pixels in other bits than its header names; export it again.")


def _is_cut(path: Path, image: sitk.Image, start: int, length: int) -> bool:
    """Whether GDCM cuts off bits that are neither sign nor overlay, so that what is bright turns dark."""
    stored = _number(image, _BITS_STORED)
    if length == UNDEFINED:
        # Of compressed pixels the header alone tells.
        return _number(image, _HIGH_BIT) >= stored
    above = np.fromfile(path, "<u2", image.GetNumberOfPixels(), offset=start) >> stored
    # The bits of a sign are all 0 or all 1.
    steps = (1 << 16 - stored) - (_number(image, _SIGNED) == 1)
    return bool((above % steps).any()) and not any(_number(image, tag) for tag in _OVERLAY_BITS)


def _number(image: sitk.Image, tag: str) -> int:
    """Return a whole number of a header, 0 where there is none."""
    word = value_of(image, tag)
    return int(word) if word.removeprefix("-").isdecimal() else 0


def _padding(array: np.ndarray, image: sitk.Image, rescale: tuple[float, float]) -> np.ndarray:
    """Return which pixels are padding by their header, none where it is 0, which is as dark as air."""
    value, (slope, intercept) = _number(image, _PADDING), rescale
    if value == 0:
        return np.broadcast_to(np.False_, array.shape)
    # Some headers name it without its sign.
    return (np.rint((array - intercept) / (slope or 1.0)) - value) % (1 << 16) == 0


def _filled(slices: Sequence[np.ndarray], padding: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """Give padding beyond all other values, where it would take all contrast, the least of these."""
    if not any(map(np.any, padding)):
        return slices
    pairs = list(zip(slices, padding, strict=True))
    ends = [(part.min(), part.max()) for array, pad in pairs if (part := array[~pad]).size]
    least, most = min((low for low, _ in ends), default=0), max((high for _, high in ends), default=0)
    return [np.where(pad & ((array < least) | (array > most)), least, array) for array, pad in pairs]


def _rescaled(array: np.ndarray, frames: Sequence[Frame], image: sitk.Image, path: Path) -> np.ndarray:
    """Give each frame its own slope and intercept: ITK takes those of the first for all."""
    if len({frame.rescale for frame in frames}) == 1:
        return array
    if value_of(image, SOP_CLASS) not in ENHANCED:
        # Of these ITK takes none at all.
        raise ImageError(f"{path} scales each frame otherwise and is no enhanced MR; export it as that.")
    slopes, intercepts = (np.array(n)[:, None, None] for n in zip(*(f.rescale for f in frames), strict=True))
    if not (np.isfinite([slopes, intercepts]).all() and slopes.all()):
        raise ImageError(f"{path} names a rescale slope of 0 or no number; export it again.")
    return np.rint((array.astype(np.float64) - intercepts[0]) / slopes[0]) * slopes + intercepts


def _read(path: Path) -> sitk.Image:
    try:
        return reader_of(path).Execute()
    except RuntimeError as error:
        place = values_at(path, _DISTANCE)[0] if _NO_DISTANCE in str(error) else None
        if place is None:
            raise
    with temporary_folder("vsclick-") as folder:
        copy, (start, length) = folder / "slice", place
        content = path.read_bytes()
        # Any other distance will do: where a slice lies its position says.
        copy.write_bytes(content[:start] + b"1".ljust(length) + content[start + length :])
        return reader_of(copy).Execute()


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


def _check_common(images: Sequence[sitk.Image], folder: Path) -> None:
    """Refuse slices of several scans under one series' number: they would be stacked all."""
    for tag, what in _COMMON.items():
        # Blanks say nothing.
        count = len({value_of(image, tag) for image in images} - {""})
        if count > 1:
            raise ImageError(
                f"the DICOM series in {folder} mixes slices of {count} {what}; export each scan on its own."
            )
