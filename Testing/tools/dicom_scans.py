"""DICOM of a head with one bright ball, whose place is a formula, in all ways in which scanners write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

MR, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
CENTER_LPS = np.array([-9.0, 6.0, 3.0])
CENTER_RAS = CENTER_LPS * (-1, -1, 1)
RADIUS_MM = 8.0
HEAD, BALL = 300, 900
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def values_at(lps: np.ndarray) -> np.ndarray:
    """Intensity at places, LPS mm (..., 3); the ball's edge is soft, so that its middle is found finely."""
    distance = np.linalg.norm(lps - CENTER_LPS, axis=-1)
    head = np.where(np.linalg.norm(lps, axis=-1) < 60, HEAD, 0)
    return head + (BALL - HEAD) * np.clip((RADIUS_MM + 1 - distance) / 2, 0, 1)


@dataclass
class Slice:
    """One slice: where it lies, LPS, and what is written of it."""

    position: np.ndarray
    orientation: tuple[float, ...] = AXIAL
    pixel_mm: float = 1.5
    size: tuple[int, int] = (40, 44)
    rescale: tuple[float, float] | None = None
    echo: float = 3.0
    uid: str = field(default_factory=generate_uid)

    @property
    def stored(self) -> np.ndarray:
        """Pixels as they are stored."""
        j, i = np.indices(self.size)[..., None] * self.pixel_mm
        axes = np.reshape(self.orientation, (2, 3))
        values = values_at(self.position + i * axes[0] + j * axes[1])
        slope, intercept = self.rescale or (1, 0)
        return np.rint((values - intercept) / slope).astype(np.uint16)


def stack(count=24, step=(0.0, 0.0, 2.0), orientation=AXIAL, **given) -> list[Slice]:
    """Slices about the scanner's zero, each a step from the last."""
    one = Slice(np.zeros(3), orientation, **given)
    rows, columns = (n - 1 for n in one.size)
    axes = np.reshape(orientation, (2, 3)) * one.pixel_mm
    first = -(columns * axes[0] + rows * axes[1] + (count - 1) * np.asarray(step)) / 2
    return [Slice(first + n * np.asarray(step), orientation, **given) for n in range(count)]


def _image(sop_class: str, pixels: np.ndarray) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = sop_class, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid()
    image = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    image.SOPClassUID, image.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    image.Modality, image.PatientID, image.StudyInstanceUID = "MR", "P1", "1.2.3"
    image.Rows, image.Columns = pixels.shape[-2:]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation = 15, 0
    image.PixelData = np.ascontiguousarray(pixels, "<u2").tobytes()
    return image


def _text(numbers, decimals: int) -> list[str]:
    return [f"{n:.{decimals}f}" for n in numbers]


def write_slices(folder: Path, slices: list[Slice], change=None, decimals: int = 8) -> Path:
    """Write a file a slice; ``change(image, number)`` may change what its header says."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(slices):
        image = _image(MR, one.stored)
        image.SeriesInstanceUID, image.FrameOfReferenceUID = "1.2.3.4", "1.2.3.9"
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = one.uid
        image.InstanceNumber, image.EchoTime = number + 1, str(one.echo)
        image.ImagePositionPatient = _text(one.position, 6)
        image.ImageOrientationPatient = _text(one.orientation, decimals)
        image.PixelSpacing = [str(one.pixel_mm)] * 2
        image.SliceThickness = "2"
        if one.rescale:
            image.RescaleSlope, image.RescaleIntercept = map(str, one.rescale)
        if change:
            change(image, number)
        # In no order, and with names that cannot be sorted by number.
        image.save_as(folder / f"{number * 7 % 31:02d}-{number}.dcm", enforce_file_format=True)
    return folder


def write_frames(path: Path, slices: list[Slice], shared: bool = True, change=None) -> Path:
    """Write one enhanced MR file; what all frames have in common stands with each unless it is shared."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = _image(ENHANCED_MR, np.stack([one.stored for one in slices]))
    image.SeriesInstanceUID, image.FrameOfReferenceUID = "1.2.3.5", "1.2.3.9"
    image.NumberOfFrames, image.InstanceNumber = len(slices), 1
    common, groups = Dataset(), []
    for one in slices:
        group = Dataset()
        group.PlanePositionSequence = [_item(ImagePositionPatient=_text(one.position, 6))]
        group.MREchoSequence = [_item(EffectiveEchoTime=one.echo)]
        if one.rescale:
            slope, intercept = map(str, one.rescale)
            values = _item(RescaleSlope=slope, RescaleIntercept=intercept, RescaleType="US")
            group.PixelValueTransformationSequence = [values]
        kept = common if shared else group
        kept.PlaneOrientationSequence = [_item(ImageOrientationPatient=_text(one.orientation, 8))]
        kept.PixelMeasuresSequence = [_item(PixelSpacing=[str(one.pixel_mm)] * 2, SliceThickness="2")]
        groups.append(group)
    image.SharedFunctionalGroupsSequence = [common]
    image.PerFrameFunctionalGroupsSequence = groups
    if change:
        change(image)
    image.save_as(path, enforce_file_format=True)
    return path


def _item(**values) -> Dataset:
    item = Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return item
