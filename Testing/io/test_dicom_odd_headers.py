"""DICOM of masks on series whose headers are odd, as anonymised, older and foreign ones are."""

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid
from source_series import ENHANCED, FRAME, headers, write_frames, write_slices
from volume_files import GRID
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.dicom_out import CONTOURS, NAMES, SEGMENTATION, dicom_objects, write_objects
from VSClickCorrectLib.io.dicom_source import read_source
from VSClickCorrectLib.io.images import read_lone_mask, read_mask, read_volume

# Oblique, its slices 1.5 mm apart.
SHAPE = (9, 14, 17)
OBLIQUE = Grid(SHAPE, GRID.affine)
STEP_MM = 1.5
MASK = np.zeros(SHAPE, bool)
MASK[2:6, 3:9, 4:13] = True


def series(folder, change=lambda image, number: None):
    """Write a file a slice, each header changed, by whatever rules."""
    write_slices(folder, Volume(np.zeros(SHAPE, np.int16), OBLIQUE))
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        change(image, image.InstanceNumber - 1)
        image.save_as(path)
    return folder


def frames(path, change):
    write_frames(path, Volume(np.zeros(SHAPE, np.int16), OBLIQUE))
    image = pydicom.dcmread(path)
    change(image)
    image.save_as(path)
    return path


def written(source, folder):
    write_objects(folder, dicom_objects(read_source(source, OBLIQUE), MASK, OBLIQUE))
    return folder


def assert_lies_right(folder):
    """As highdicom reads it, and as we do with and without the image."""
    volume = hd.seg.segread(folder / SEGMENTATION).get_volume(segment_numbers=[1], combine_segments=True)
    np.testing.assert_allclose(volume.spacing[0], STEP_MM, rtol=1e-6)
    np.testing.assert_array_equal(read_mask(folder / SEGMENTATION, OBLIQUE), MASK)
    values, grid = read_lone_mask(folder / SEGMENTATION)
    assert values.sum() == MASK.sum()
    assert grid.volume_of(values) == pytest.approx(OBLIQUE.volume_of(MASK))


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientSex", "W"),
        ("PatientSex", "UNKNOWN"),
        ("PatientBirthDate", "00000000"),
        ("PatientBirthDate", "1950"),
        ("StudyDate", "anonymous"),
        ("StudyTime", "10:11:12"),
        ("StudyTime", "101112.123456789"),
    ],
)
def test_what_dicom_does_not_allow_is_left_empty(tmp_path, keyword, value):
    def change(image, _):
        kind = pydicom.datadict.dictionary_VR(keyword)
        image[keyword] = pydicom.DataElement(keyword, kind, value, already_converted=True)

    folder = written(series(tmp_path / "t1ce", change), tmp_path / "dicom")
    assert_lies_right(folder)
    for name in NAMES:
        found = pydicom.dcmread(folder / name)
        assert not found[keyword].value
        assert found.PatientID == "T-1"


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["ISO 2022 IR 6", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("ISO 2022 IR 100", "Müller^Jürgen"),
        ("ISO_IR 144", "Люксембург"),
        ("ISO_IR 6", "Doe^John"),
        ("", "Doe^John"),
    ],
)
def test_names_of_any_alphabet_are_written_as_they_are_read(tmp_path, character_set, name):
    def change(image, _):
        image.SpecificCharacterSet, image.PatientName = character_set, name

    folder = written(series(tmp_path / "t1ce", change), tmp_path / "dicom")
    for file in NAMES:
        assert str(pydicom.dcmread(folder / file).PatientName) == name


@pytest.mark.parametrize("told", [0.3, 0, -STEP_MM, None])
def test_slices_lie_as_far_apart_as_their_positions_say_whatever_the_header_calls_it(tmp_path, told):
    def change(image, _):
        image.SpacingBetweenSlices = told
        del image.SliceThickness

    folder = written(series(tmp_path / "t1ce", change), tmp_path / "dicom")
    found = pydicom.dcmread(folder / SEGMENTATION)
    [measures] = found.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert float(measures.SpacingBetweenSlices) == pytest.approx(STEP_MM)
    assert_lies_right(folder)


def test_slices_turned_alike_but_for_a_last_digit_are_one_series(tmp_path):
    def change(image, number):
        image.ImageOrientationPatient[0] = f"{float(image.ImageOrientationPatient[0]) + number * 1e-8:.9f}"

    assert_lies_right(written(series(tmp_path / "t1ce", change), tmp_path / "dicom"))


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "PatientID"])
@pytest.mark.parametrize("blank", [(0,), (0, 3, 8)])
def test_slices_that_leave_blank_whose_or_where_they_are_are_as_the_others(tmp_path, blank, keyword):
    def change(image, number):
        if number in blank:
            image[keyword].value = ""

    path = series(tmp_path / "t1ce", change)
    volume = read_volume(path)
    assert volume.grid.matches(OBLIQUE)
    assert (volume.scan.patient, volume.scan.frame) == ("T-1", FRAME)
    folder = written(path, tmp_path / "dicom")
    assert_lies_right(folder)
    for name in (SEGMENTATION, CONTOURS):
        found = pydicom.dcmread(folder / name)
        assert (found.PatientID, found.FrameOfReferenceUID) == ("T-1", FRAME)


@pytest.mark.parametrize(("place", "turn"), [(1, 9), (6, 2), (6, 3), (1, 2)])
def test_places_written_to_few_decimals_are_referred_to(tmp_path, place, turn):
    def change(image, _):
        image.ImagePositionPatient = [f"{float(n):.{place}f}" for n in image.ImagePositionPatient]
        image.ImageOrientationPatient = [f"{float(n):.{turn}f}" for n in image.ImageOrientationPatient]

    path = series(tmp_path / "t1ce", change)
    grid = read_volume(path).grid
    assert grid.shape == SHAPE
    write_objects(tmp_path / "dicom", dicom_objects(read_source(path, grid), MASK, grid))
    np.testing.assert_array_equal(read_mask(tmp_path / "dicom" / SEGMENTATION, grid), MASK)
    volume = hd.seg.segread(tmp_path / "dicom" / SEGMENTATION).get_volume(segment_numbers=[1])
    # A mask's middle, which is a formula, LPS.
    truth = OBLIQUE.affine_lps @ [8, 5.5, 3.5, 1]
    middle = np.argwhere(volume.array[..., 0]).mean(axis=0)
    np.testing.assert_allclose((volume.affine @ [*middle, 1])[:3], truth[:3], atol=0.1)


@pytest.mark.parametrize("decimals", [1, 6])
def test_to_slices_of_a_tilted_gantry_nothing_refers(tmp_path, decimals):
    aside = np.tan(np.radians(1.5)) * STEP_MM * OBLIQUE.affine_lps[:3, 0] / OBLIQUE.spacing[0]

    def change(image, number):
        place = np.array(image.ImagePositionPatient, float) + number * aside
        image.ImagePositionPatient = [f"{n:.{decimals}f}" for n in place]

    with pytest.raises(ImageError, match="do not lie one above the other"):
        read_source(series(tmp_path / "t1ce", change), OBLIQUE)


def each_its_own(image):
    """What all frames have in common is said of each, as some scanners do."""
    [shared] = image.SharedFunctionalGroupsSequence
    for name in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
        for group in image.PerFrameFunctionalGroupsSequence:
            setattr(group, name, getattr(shared, name))
        delattr(shared, name)


def nothing_shared(image):
    each_its_own(image)
    del image.SharedFunctionalGroupsSequence


@pytest.mark.parametrize("change", [each_its_own, nothing_shared])
def test_frames_may_each_say_how_they_lie(tmp_path, change):
    path = frames(tmp_path / "enhanced.dcm", change)
    folder = written(path, tmp_path / "dicom")
    assert_lies_right(folder)
    numbers = [
        group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
        for group in pydicom.dcmread(folder / SEGMENTATION).PerFrameFunctionalGroupsSequence
    ]
    assert sorted(map(int, numbers)) == [3, 4, 5, 6]


def parted(path, folder, count):
    """Write one file of many frames as several, of so many frames each."""
    folder.mkdir()
    pixels = pydicom.dcmread(path).pixel_array.reshape(-1, count, *SHAPE[1:])
    for number, part in enumerate(pixels):
        image = pydicom.dcmread(path)
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.InstanceNumber, image.NumberOfFrames, image.PixelData = number + 1, count, part.tobytes()
        groups = image.PerFrameFunctionalGroupsSequence[number * count : (number + 1) * count]
        image.PerFrameFunctionalGroupsSequence = list(groups)
        image.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    return folder


def test_files_of_one_frame_each_are_referred_to_as_what_they_are(tmp_path):
    source = parted(frames(tmp_path / "all.dcm", lambda image: None), tmp_path / "t1ce", 1)
    folder = written(source, tmp_path / "dicom")
    assert_lies_right(folder)
    places = {
        uid: image.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient
        for uid, image in headers(source).items()
    }
    found = pydicom.dcmread(folder / SEGMENTATION)
    for group in found.PerFrameFunctionalGroupsSequence:
        [of] = group.DerivationImageSequence[0].SourceImageSequence
        assert of.ReferencedSOPClassUID == ENHANCED
        np.testing.assert_allclose(
            np.array(group.PlanePositionSequence[0].ImagePositionPatient, float),
            np.array(places[of.ReferencedSOPInstanceUID], float),
        )
    referred = found.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert {item.ReferencedSOPClassUID for item in referred} == {ENHANCED}
    contours = pydicom.dcmread(folder / CONTOURS).ROIContourSequence[0].ContourSequence
    assert {c.ContourImageSequence[0].ReferencedSOPClassUID for c in contours} == {ENHANCED}


def test_several_files_of_many_frames_each_are_refused_as_what_they_are(tmp_path):
    source = parted(frames(tmp_path / "all.dcm", lambda image: None), tmp_path / "t1ce", 3)
    with pytest.raises(ImageError, match="3 files of many frames each"):
        written(source, tmp_path / "dicom")
