"""What the headers of DICOM say of each slice, be it a file of its own or a frame of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.dicom_headers import undamaged
from VSClickCorrectLib.io.dicom_text import value_of

# Enhanced MR, CT and PET, converted ones too: their frames are described in sequences, which ITK passes over.
ENHANCED = {f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("4.1", "4.4", "2.1", "2.2", "130", "128.1")}
# No scans, though they hold an image.
_OTHERS = {"SEG": "a segmentation", "RTDOSE": "a dose"}
SOP_CLASS, _SOP_INSTANCE, _MODALITY = "0008|0016", "0008|0018", "0008|0060"
# Where a slice and a frame say where and how it lies, how large its pixels are and how they are scaled.
_PLACES = (
    ("0020|0032", "PlanePositionSequence", "ImagePositionPatient"),
    ("0020|0037", "PlaneOrientationSequence", "ImageOrientationPatient"),
    ("0028|0030", "PixelMeasuresSequence", "PixelSpacing"),
    ("0028|1053", "PixelValueTransformationSequence", "RescaleSlope"),
    ("0028|1052", "PixelValueTransformationSequence", "RescaleIntercept"),
)
# By what two images of one slice may differ: the tag of a slice, the sequence and the keyword of a frame.
_MARKS = {
    "echo time": ("0018|0081", "MREchoSequence", "EffectiveEchoTime"),
    "image type": ("0008|0008", "MRImageFrameTypeSequence", "FrameType"),
    "complex component": ("0008|9208", "MRImageFrameTypeSequence", "ComplexImageComponent"),
    "flip angle": ("0018|1314", "MRTimingAndRelatedParametersSequence", "FlipAngle"),
    "inversion time": ("0018|0082", "MRModifierSequence", "InversionTimes"),
    "stack": ("0020|9056", "FrameContentSequence", "StackID"),
    "b-value": ("0018|9087", "MRDiffusionSequence", "DiffusionBValue"),
    "time point": ("0020|0100", "FrameContentSequence", "TemporalPositionIndex"),
}


@dataclass(frozen=True)
class Frame:
    """One slice as its header has it.

    Parameters
    ----------
    name : str
        What a person is told: the file's name, and which frame it is of several.
    identity : tuple of str
        Two of the same are copies.
    position : tuple of 3 float or None
        ImagePositionPatient, LPS mm: the centre of its first pixel; None where it is not told.
    orientation : tuple of 6 float or None
        ImageOrientationPatient as it is written: along a row, then down a column.
    rounding : float
        By how much each number of it may be off, for it was written to so many decimals.
    position_rounding : float
        By how much each number of its position may be off, mm.
    spacing : tuple of 2 float or None
        PixelSpacing, mm: from row to row, from column to column.
    rescale : tuple of 2 float
        Slope and intercept.
    marks : dict of str
        What tells it from another image of the same slice, by name.
    """

    name: str
    identity: tuple[str, ...]
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    rounding: float
    position_rounding: float
    spacing: tuple[float, ...] | None
    rescale: tuple[float, float]
    marks: dict[str, str]


def frames_of(path: Path, image: sitk.Image) -> list[Frame]:
    """Return what the header of a file says of its slices, in the order in which they are stored.

    Parameters
    ----------
    path : Path
        The file.
    image : Image
        What ITK read from it, with its dictionary.

    Raises
    ------
    ImageError
        If it is no scan, is damaged, or holds several frames and pydicom is not installed.
    """
    modality = value_of(image, _MODALITY)
    if modality in _OTHERS:
        raise ImageError(f"{path} holds {_OTHERS[modality]}, no scan; give the images of a scan.")
    if image.GetSize()[2] == 1 and value_of(image, SOP_CLASS) not in ENHANCED:
        return [_slice(path, image)]
    return _described(path, image.GetSize()[2])


def _slice(path: Path, image: sitk.Image) -> Frame:
    words = (value_of(image, tag).split("\\") for tag, _, _ in _PLACES)
    marks = {name: value_of(image, tag) for name, (tag, _, _) in _MARKS.items()}
    return _told(path.name, (value_of(image, _SOP_INSTANCE),), words, marks)


def _described(path: Path, count: int) -> list[Frame]:
    """Read the functional groups of all frames of a file."""
    try:
        import pydicom
    except ImportError:
        raise ImageError(
            f"to read {path}, whose slices are frames of one file, pydicom is needed; "
            "install vsclickcorrect[datasets]."
        ) from None
    with undamaged(path):
        # ITK has read it, be there the bytes with which DICOM files begin or not.
        header = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        own = header.get("PerFrameFunctionalGroupsSequence", ())
        shared: Any = next(iter(header.get("SharedFunctionalGroupsSequence", ())), {})
        groups = [(group, shared) for group in own]
        if len(groups) != count:
            raise ImageError(
                f"{path} says of {len(groups)} of its {count} frames where they lie; export it again."
            )
        return [_frame(path, str(header.SOPInstanceUID), n, group) for n, group in enumerate(groups, 1)]


def _frame(path: Path, instance: str, number: int, groups: Sequence[Any]) -> Frame:
    words = (_values(groups, *place) for _, *place in _PLACES)
    marks = {name: "\\".join(_values(groups, *place)) for name, (_, *place) in _MARKS.items()}
    return _told(f"frame {number} of {path.name}", (instance, str(number)), words, marks)


def _told(
    name: str, identity: tuple[str, ...], words: Iterable[Sequence[str]], marks: dict[str, str]
) -> Frame:
    """Return a slice by what stands at each of `_PLACES`."""
    position, orientation, spacing, slope, intercept = words
    places = _numbers(position, 3), _numbers(orientation, 6)
    roundings = rounding_of(orientation), rounding_of(position)
    rescale = (_numbers(slope, 1) or (1.0,))[0], (_numbers(intercept, 1) or (0.0,))[0]
    return Frame(name, identity, *places, *roundings, _numbers(spacing, 2), rescale, marks)


def _values(groups: Sequence[Any], sequence: str, keyword: str) -> list[str]:
    """Return the values of an element as they are written, from a frame's own group or a shared one."""
    for group in groups:
        for item in group.get(sequence, ()):
            value = item.get(keyword)
            if value is not None:
                return [str(v) for v in ([value] if isinstance(value, str | int | float) else value)]
    return []


def _numbers(words: Sequence[str], count: int) -> tuple[float, ...] | None:
    try:
        numbers = tuple(float(word) for word in words)
    except ValueError:
        return None
    return numbers if len(numbers) == count else None


def rounding_of(words: Sequence[str]) -> float:
    """Return half a unit of the last decimal that any of some numbers has; 0 if all are whole."""
    try:
        decimals = max(-int(Decimal(word.strip()).as_tuple().exponent) for word in words)
        whole = all(Decimal(word.strip()) == int(Decimal(word.strip())) for word in words)
    except (InvalidOperation, ValueError, OverflowError):
        return 0.0
    return 0.0 if whole or decimals < 1 else 0.5 * 10.0**-decimals
