"""What DICOM says of its pixels: bits, tables, padding, scales, and which of two scans they are of."""

import numpy as np
import pydicom
import pytest
from dicom_scans import Slice, stack, write_frames, write_slices
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, JPEGLSLossless, RLELossless
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.images import read_volume

SLICES = stack(count=6, size=(14, 16))
EXPECTED = np.stack([one.stored for one in SLICES]).astype(int)
BITS = "holds pixels in other bits than its header names; export it again"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.3"


def pixels(image):
    return np.frombuffer(image.PixelData, "<u2").reshape(-1, image.Rows, image.Columns).astype(int)


def put(image, values, kind="<u2"):
    image.PixelData = np.ascontiguousarray(values).astype(kind).tobytes()


def item(**values):
    dataset = Dataset()
    for name, value in values.items():
        setattr(dataset, name, value)
    return dataset


def as_slices(folder, change, slices=SLICES):
    return write_slices(folder / "scan", slices, lambda image, number: change(image))


def as_frames(folder, change, slices=SLICES):
    return write_frames(folder / "scan.dcm", slices, change=change)


written = pytest.mark.parametrize("write", [as_slices, as_frames])


@pytest.mark.parametrize(
    ("sequence", "keyword", "values", "told"),
    [
        ("MRImageFrameTypeSequence", "ComplexImageComponent", ("MAGNITUDE", "PHASE"), "complex component"),
        ("MRTimingAndRelatedParametersSequence", "FlipAngle", (5.0, 15.0), "flip angle"),
        ("MRModifierSequence", "InversionTimes", (700.0, 2500.0), "inversion time"),
    ],
)
def test_frames_of_two_scans_by_turns_are_refused_by_what_they_differ_in(
    tmp_path, sequence, keyword, values, told
):
    def by_turns(image):
        for number, group in enumerate(image.PerFrameFunctionalGroupsSequence):
            setattr(group, sequence, [item(**{keyword: values[number % 2]})])

    with pytest.raises(ImageError, match=f"2 scans .* of {told} {values[0]} and {values[1]}"):
        read_volume(as_frames(tmp_path, by_turns))


@pytest.mark.parametrize(
    ("keyword", "values", "told"),
    [
        ("ComplexImageComponent", ("REAL", "IMAGINARY"), "complex component"),
        ("FlipAngle", ("5", "15"), "flip angle"),
        ("InversionTime", ("700", "2500"), "inversion time"),
    ],
)
def test_slices_of_two_scans_by_turns_are_refused_by_what_they_differ_in(tmp_path, keyword, values, told):
    def by_turns(image, number):
        setattr(image, keyword, values[number % 2])

    with pytest.raises(ImageError, match=f"2 scans .* of {told} {values[0]} and {values[1]}"):
        read_volume(write_slices(tmp_path / "scan", SLICES, by_turns))
