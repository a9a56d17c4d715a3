"""DICOM SEG read as a mask: frames in any order, of one segment among several, of each kind of file."""

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from pydicom.uid import RLELossless
from source_series import headers, write_slices
from volume_files import GRID, PLAIN
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io import dicom_headers
from VSClickCorrectLib.io.images import read_lone_mask, read_mask, read_volume

SHAPE = (9, 14, 17)
OBLIQUE = Grid(SHAPE, GRID.affine)
TUMOUR, COCHLEA = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
TUMOUR[2:5, 3:9, 4:13], TUMOUR[7, 1, 1] = True, True
COCHLEA[4:6, 10:12, 2:5] = True


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    volume = Volume(np.zeros(SHAPE, np.int16), OBLIQUE)
    return write_slices(tmp_path_factory.mktemp("study") / "t1ce", volume)


def described(number, name):
    return hd.seg.SegmentDescription(
        number,
        name,
        codes.SCT.MorphologicallyAbnormalStructure,
        codes.SCT.Neoplasm,
        hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


@pytest.fixture
def seg(folder, tmp_path):
    """Write a DICOM SEG as another program would; returns its path."""

    def write(*masks, kind="BINARY", **options):
        source = sorted(headers(folder).values(), key=lambda d: d.InstanceNumber)
        for dataset in source:
            for keyword in ("AccessionNumber", "PatientBirthDate", "PatientSex", "StudyID"):
                setattr(dataset, keyword, "")
            dataset.PositionReferenceIndicator = ""
        pixels = np.stack(masks, axis=-1)
        if kind != "FRACTIONAL":
            pixels = pixels.astype(np.uint8)
        names = ["Vestibular schwannoma", "Cochlea"][: len(masks)]
        path = tmp_path / "mask.dcm"
        hd.seg.Segmentation(
            source,
            pixels,
            kind,
            [described(n, name) for n, name in enumerate(names, 1)],
            hd.UID(),
            9,
            hd.UID(),
            1,
            "Other",
            "Other",
            "1",
            "1",
            **options,
        ).save_as(path)
        return path

    return write


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize("omit", [True, False])
def test_a_segment_lies_where_it_was_drawn(seg, kind, omit):
    np.testing.assert_array_equal(read_mask(seg(TUMOUR, kind=kind, omit_empty_frames=omit), OBLIQUE), TUMOUR)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_of_several_segments_one_is_chosen_by_number_and_none_by_chance(seg, kind):
    path = seg(TUMOUR, COCHLEA & ~TUMOUR, kind=kind)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, 1), TUMOUR)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, (2, 5)), COCHLEA & ~TUMOUR)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, " cochlea"), COCHLEA & ~TUMOUR)
    with pytest.raises(ImageError, match=r"several segments \(1 Vestibular schwannoma, 2 Cochlea\).*--label"):
        read_mask(path, OBLIQUE)
    with pytest.raises(ImageError, match="does not hold the segment 3"):
        read_mask(path, OBLIQUE, 3)


def test_of_two_segments_of_one_name_both_are_taken_by_number_alone(seg):
    path = seg(TUMOUR, COCHLEA & ~TUMOUR)
    dataset = pydicom.dcmread(path)
    for segment in dataset.SegmentSequence:
        segment.SegmentLabel = "Neoplasm"
    dataset.save_as(path)
    with pytest.raises(ImageError, match=r"several segments 'neoplasm' \(1 'Neoplasm', 2 'Neoplasm'\)"):
        read_mask(path, OBLIQUE, "neoplasm")
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, 2), COCHLEA & ~TUMOUR)


def test_a_segmentation_without_segments_is_said_to_hold_none(seg):
    path = seg(TUMOUR)
    dataset = pydicom.dcmread(path)
    dataset.SegmentSequence = []
    dataset.save_as(path)
    with pytest.raises(ImageError, match=r"does not hold the segment 1; it holds none\.$"):
        read_mask(path, OBLIQUE, 1)


def test_the_folder_of_a_segmentation_will_do_even_with_its_images_in_it(seg, folder, tmp_path):
    path = seg(TUMOUR)
    np.testing.assert_array_equal(read_mask(path.parent, OBLIQUE), TUMOUR)
    for slice_path in folder.iterdir():
        (tmp_path / slice_path.name).write_bytes(slice_path.read_bytes())
    np.testing.assert_array_equal(read_mask(path.parent, OBLIQUE), TUMOUR)
    (tmp_path / "again.dcm").write_bytes(path.read_bytes())
    with pytest.raises(ImageError, match="holds 2 DICOM segmentations"):
        read_mask(path.parent, OBLIQUE)


def test_full_fractions_are_a_mask_and_others_are_refused(seg):
    values = TUMOUR.astype(float)
    np.testing.assert_array_equal(read_mask(seg(values, kind="FRACTIONAL"), OBLIQUE), TUMOUR)
    values[3, 4, 5] = 0.5
    with pytest.raises(ImageError, match="holds fractions"):
        read_mask(seg(values, kind="FRACTIONAL"), OBLIQUE)


def test_packed_pixels_are_read(seg):
    path = seg(TUMOUR, kind="LABELMAP", transfer_syntax_uid=RLELossless)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE), TUMOUR)


def shuffled(path):
    """Give a file its frames in another order, each with its own pixels."""
    dataset = pydicom.dcmread(path)
    order = np.random.default_rng(1).permutation(int(dataset.NumberOfFrames))
    frames = dataset.PerFrameFunctionalGroupsSequence
    pixels = dataset.pixel_array[order]
    dataset.PerFrameFunctionalGroupsSequence = [frames[n] for n in order]
    dataset.PixelData = np.packbits(pixels.ravel() != 0, bitorder="little").tobytes()
    if len(dataset.PixelData) % 2:
        dataset.PixelData += b"\0"
    dataset.save_as(path)
    return path


def test_frames_in_another_order_lie_where_they_say(seg):
    np.testing.assert_array_equal(read_mask(shuffled(seg(TUMOUR)), OBLIQUE), TUMOUR)


def test_a_grid_with_other_axes_is_the_same_place(seg):
    affine = OBLIQUE.affine @ np.array([[0, 1, 0, 0], [-1, 0, 0, 13], [0, 0, -1, 8], [0, 0, 0, 1]])
    grid = Grid((9, 17, 14), affine)
    found = read_mask(seg(TUMOUR), grid)
    np.testing.assert_array_equal(found[::-1].transpose(0, 2, 1)[:, ::-1], TUMOUR)


def test_a_distance_of_0_is_none(seg):
    path = seg(TUMOUR)
    dataset = pydicom.dcmread(path)
    [measures] = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    measures.SpacingBetweenSlices = measures.SliceThickness = 0
    dataset.save_as(path)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE), TUMOUR)
    values, grid = read_lone_mask(path)
    assert grid.volume_of(values) == pytest.approx(OBLIQUE.volume_of(TUMOUR))


def moved(dataset):
    for group in dataset.PerFrameFunctionalGroupsSequence:
        place = group.PlanePositionSequence[0]
        place.ImagePositionPatient = [float(v) + 0.2 for v in place.ImagePositionPatient]


def outside(dataset):
    for group in dataset.PerFrameFunctionalGroupsSequence:
        place = group.PlanePositionSequence[0]
        step = OBLIQUE.affine_lps[:3, 2] * 6
        place.ImagePositionPatient = (np.array(place.ImagePositionPatient, float) + step).round(6).tolist()


def coarse(dataset):
    [measures] = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    measures.PixelSpacing = [0.8, 0.5]


def thick(dataset):
    [measures] = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    measures.SpacingBetweenSlices = 3


def half(dataset):
    """Keep every second pixel of a frame, as a program does that works at half the resolution."""
    pixels = dataset.pixel_array[:, ::2, ::2]
    [measures] = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    measures.PixelSpacing = [2 * float(mm) for mm in measures.PixelSpacing]
    dataset.Rows, dataset.Columns = pixels.shape[1:]
    packed = np.packbits(pixels.ravel() != 0, bitorder="little").tobytes()
    dataset.PixelData = packed + bytes(len(packed) % 2)


@pytest.mark.parametrize("change", [moved, outside, coarse, thick, half])
def test_frames_beside_the_images_slices_are_refused(seg, change):
    path = seg(TUMOUR)
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    with pytest.raises(ImageError, match="lies on another grid than the image"):
        read_mask(path, OBLIQUE)


@pytest.mark.parametrize("told", [True, False])
def test_frames_on_every_second_slice_are_refused_whatever_distance_they_tell(seg, told):
    tumour = np.zeros(SHAPE, bool)
    tumour[::2, 3:9, 4:13] = True
    path = seg(tumour)
    dataset = pydicom.dcmread(path)
    [measures] = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    if not told:
        del measures.SpacingBetweenSlices
    dataset.save_as(path)
    with pytest.raises(ImageError, match="lies on another grid than the image"):
        read_mask(path, OBLIQUE)


@pytest.mark.parametrize("slices", [(3, 5), (0, 2, 5)])
def test_parts_with_slices_between_them_are_a_mask(seg, slices):
    parts = np.zeros(SHAPE, bool)
    parts[slices, 4:8, 4:13] = True
    np.testing.assert_array_equal(read_mask(seg(parts), OBLIQUE), parts)


@pytest.mark.parametrize("slices, sure", [((3, 4), True), ((2, 7), False), ((3, 5, 7), False)])
def test_without_a_distance_slices_are_not_taken_for_thicker_than_they_are(seg, slices, sure):
    """Of a mask alone: between frames that lie apart others may be left out, for being empty."""
    parts = np.zeros(SHAPE, bool)
    parts[slices, 4:8, 4:13] = True
    path = seg(parts)
    dataset = pydicom.dcmread(path)
    [measures] = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    del measures.SpacingBetweenSlices
    dataset.save_as(path)
    if sure:
        values, grid = read_lone_mask(path)
        assert grid.volume_of(values) == pytest.approx(OBLIQUE.volume_of(parts))
    else:
        with pytest.raises(ImageError, match="does not say how far its slices lie apart; name its scan"):
            read_lone_mask(path)


def test_another_image_is_refused(seg):
    with pytest.raises(ImageError, match="another grid"):
        read_mask(seg(TUMOUR), PLAIN)


def lost(path):
    path.write_bytes(path.read_bytes()[:-40])


def without(keyword):
    def spoil(path):
        dataset = pydicom.dcmread(path)
        del dataset[keyword]
        dataset.save_as(path)

    return spoil


def endless(path):
    dataset = pydicom.dcmread(path)
    dataset.NumberOfFrames = 2**31 - 1
    dataset.save_as(path)


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lost, "damaged"),
        (without("PerFrameFunctionalGroupsSequence"), "damaged"),
        (without("SegmentSequence"), "damaged"),
        (without("Rows"), "damaged"),
        (endless, "more voxels than any scan"),
    ],
)
def test_damaged_files_are_refused(seg, spoil, said):
    path = seg(TUMOUR)
    spoil(path)
    with pytest.raises(ImageError, match=said):
        read_mask(path, OBLIQUE)


def test_a_segmentation_is_no_scan(seg):
    path = seg(TUMOUR)
    for given in (path, path.parent):
        with pytest.raises(ImageError, match="is a DICOM segmentation, not a scan"):
            read_volume(given)


def test_pydicom_alone_is_enough_and_a_sentence_says_what_to_install(seg, monkeypatch):
    path, import_module = seg(TUMOUR), dicom_headers.import_module

    def only(*there):
        def imported(name):
            if name.partition(".")[0] not in there:
                raise ImportError(name)
            return import_module(name)

        monkeypatch.setattr(dicom_headers, "import_module", imported)

    only("pydicom")
    np.testing.assert_array_equal(read_mask(path, OBLIQUE), TUMOUR)
    only()
    with pytest.raises(ImageError, match="to read a DICOM SEG pydicom is needed; install"):
        read_mask(path, OBLIQUE)
