"""What DICOM says of its pixels: bits, tables, padding, scales, and which of two scans they are of."""

import tracemalloc

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


def of_twelve_bits(image, high=11):
    image.BitsStored, image.HighBit = 12, high


@written
def test_a_table_of_values_is_refused(tmp_path, write):
    def inverted(image):
        put(image, 1000 - pixels(image))
        table = item(ModalityLUTType="US", LUTDescriptor=[1001, 0, 16], LUTData=list(range(1000, -1, -1)))
        table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
        image.ModalityLUTSequence = [table]

    with pytest.raises(ImageError, match=r"maps its values by a Modality LUT, .*; export it without\."):
        read_volume(write(tmp_path, inverted))


@written
def test_a_table_that_was_taken_out_maps_nothing(tmp_path, write):
    def emptied(image):
        image.ModalityLUTSequence = []

    np.testing.assert_array_equal(read_volume(write(tmp_path, emptied)).array, EXPECTED)


@written
def test_pixels_in_the_upper_bits_are_refused(tmp_path, write):
    def aligned_left(image):
        put(image, pixels(image) << 4)
        of_twelve_bits(image, high=15)

    with pytest.raises(ImageError, match=BITS):
        read_volume(write(tmp_path, aligned_left))


@written
def test_pixels_larger_than_their_bits_are_refused(tmp_path, write):
    def brighter(image):
        # 900 becomes 4500, of which GDCM leaves 404.
        put(image, 5 * pixels(image))
        of_twelve_bits(image)

    with pytest.raises(ImageError, match=BITS):
        read_volume(write(tmp_path, brighter))


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_compressed_pixels_in_the_upper_bits_are_refused(tmp_path, syntax):
    def aligned_left(image):
        put(image, pixels(image) << 4)
        image.compress(syntax, generate_instance_uid=False)
        of_twelve_bits(image, high=15)

    with pytest.raises(ImageError, match=BITS):
        read_volume(as_slices(tmp_path, aligned_left))


@written
@pytest.mark.parametrize("high", [11, 15])
def test_pixels_in_the_lower_bits_are_read_whatever_the_high_bit(tmp_path, write, high):
    array = read_volume(write(tmp_path, lambda image: of_twelve_bits(image, high))).array
    np.testing.assert_array_equal(array, EXPECTED)


@written
@pytest.mark.parametrize("above", [0, 0xF000])
def test_signed_pixels_are_read_with_and_without_the_sign_in_all_upper_bits(tmp_path, write, above):
    def signed(image):
        values = pixels(image) - 500
        put(image, np.where(values < 0, values & 0xFFF | above, values))
        of_twelve_bits(image)
        image.PixelRepresentation = 1

    np.testing.assert_array_equal(read_volume(write(tmp_path, signed)).array, EXPECTED - 500)


@written
def test_an_overlay_in_a_bit_of_the_pixels_is_passed_over(tmp_path, write):
    def overlaid(image):
        values = pixels(image)
        values[:, 2:5, 3:7] |= 0x8000
        put(image, values)
        of_twelve_bits(image)
        for tag, kind, value in ((0x60000100, "US", 16), (0x60000102, "US", 15)):
            image.add_new(tag, kind, value)

    np.testing.assert_array_equal(read_volume(write(tmp_path, overlaid)).array, EXPECTED)


def padded(value, kind, named="US"):
    def change(image):
        values = pixels(image)
        values[:, :, :4] = value
        # A slice of which nothing was taken.
        if image.InstanceNumber == 1:
            values[0] = value
        put(image, values, kind)
        image.PixelRepresentation = int(kind == "<i2")
        image.add_new(0x00280120, named, value % (1 << 16) if named == "US" else value)

    return change


@written
@pytest.mark.parametrize(
    ("value", "kind", "named"),
    [(-32768, "<i2", "SS"), (-2000, "<i2", "US"), (65535, "<u2", "US")],
)
def test_padding_beyond_all_values_is_as_dark_as_the_darkest(tmp_path, write, value, kind, named):
    expected = EXPECTED.copy()
    expected[:, :, :4] = EXPECTED[1:].min()
    expected[0] = EXPECTED[1:].min()
    array = read_volume(write(tmp_path, padded(value, kind, named))).array
    np.testing.assert_array_equal(array, expected)


def test_padding_is_found_by_what_each_slice_is_scaled_with(tmp_path):
    slices = [
        Slice(one.position, size=one.size, rescale=(4.0 - n / 2, -10.0 * n)) for n, one in enumerate(SLICES)
    ]
    expected = np.stack([one.stored * (4.0 - n / 2) - 10.0 * n for n, one in enumerate(slices)])
    expected[:, :, :4] = expected[:, :, 4:].min()

    def change(image):
        values = pixels(image)
        values[:, :, :4] = 60000
        put(image, values)
        image.add_new(0x00280120, "US", 60000)

    for path in (as_slices(tmp_path, change, slices), as_frames(tmp_path, change, slices)):
        np.testing.assert_allclose(read_volume(path).array, expected)


def test_padding_of_many_frames_takes_little_memory(tmp_path):
    path = as_frames(tmp_path, padded(65535, "<u2"), stack(count=64, size=(128, 128), step=(0, 0, 1)))
    tracemalloc.start()
    array = read_volume(path).array
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Filled, and as a volume; in numbers of eight bytes all frames together would take four times as much.
    assert array.max() <= 900 and peak < 5 * array.nbytes


@pytest.mark.parametrize("value", [0, 400])
def test_a_value_among_the_others_is_no_padding(tmp_path, value):
    def change(image):
        values = pixels(image)
        values[:, :, :2], values[:, :, 2:4] = 0, 400
        put(image, values)
        image.add_new(0x00280120, "US", value)

    expected = EXPECTED.copy()
    expected[:, :, :2], expected[:, :, 2:4] = 0, 400
    np.testing.assert_array_equal(read_volume(as_slices(tmp_path, change)).array, expected)


def test_frames_of_another_kind_that_are_scaled_each_are_refused(tmp_path):
    slices = [Slice(one.position, size=one.size, rescale=(4.0 - n / 2, 0.0)) for n, one in enumerate(SLICES)]

    def capture(image):
        image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = SECONDARY_CAPTURE

    with pytest.raises(ImageError, match=r"scan.dcm scales each frame otherwise .*; export it as that\."):
        read_volume(as_frames(tmp_path, capture, slices))


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


def test_slices_in_big_endian_and_of_own_scales_are_read(tmp_path):
    slices = [Slice(one.position, size=one.size, rescale=(4.0 - n / 2, -n)) for n, one in enumerate(SLICES)]
    folder = write_slices(tmp_path / "scan", slices)
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        image.PixelData = pixels(image).astype(">u2").tobytes()
        image.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        pydicom.dcmwrite(path, image, implicit_vr=False, little_endian=False, force_encoding=True)
    # Rounded to whole steps of at most 4.
    np.testing.assert_allclose(read_volume(folder).array, EXPECTED, atol=2)
