"""Segments that Slicer saved, in one layer or several: chosen by name or number."""

import numpy as np
import pytest
import SimpleITK as sitk
from any_grid import itk_image
from volume_files import GRID, PLAIN, blob, written
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.images import read_mask

TUMOUR = blob()
COCHLEA = np.zeros_like(TUMOUR)
COCHLEA[0, 1, 2:4] = True
NONE = np.zeros_like(TUMOUR)


def saved(path, layers, segments, keys=("Layer", "LabelValue")):
    """Write layers with segments of (name, layer, value) as Slicer does."""
    channels = [itk_image(layer.astype(np.uint8), GRID) for layer in layers]
    image = sitk.Compose(channels) if len(channels) > 1 else channels[0]
    for number, (name, layer, value) in enumerate(segments):
        told = {"ID": f"Segment_{number + 1}", "Name": name, "Layer": str(layer), "LabelValue": str(value)}
        for key in ("ID", "Name", *keys):
            image.SetMetaData(f"Segment{number}_{key}", told[key])
    sitk.WriteImage(image, str(path), useCompression=True)
    return path


@pytest.fixture(params=["layers", "one layer", "before Slicer 4.11"])
def both(request, tmp_path):
    path = tmp_path / "both.seg.nrrd"
    if request.param == "one layer":
        return saved(path, [TUMOUR + 2 * COCHLEA], [("VS, left", 0, 1), ("Cochlea", 0, 2)])
    keys = () if request.param == "before Slicer 4.11" else ("Layer", "LabelValue")
    return saved(path, [TUMOUR, COCHLEA], [("VS, left", 0, 1), ("Cochlea", 1, 1)], keys)


def test_of_several_segments_one_must_be_named(both):
    with pytest.raises(
        ImageError,
        match=r"several segments \(1 'VS, left', 2 'Cochlea'\); name the tumour's with --label, or",
    ):
        read_mask(both, GRID)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("VS, left", TUMOUR),
        (" vs, LEFT", TUMOUR),
        ("Segment_2", COCHLEA),
        (1, TUMOUR),
        (2, COCHLEA),
        ((1, 2), TUMOUR | COCHLEA),
        (("Cochlea", "TV"), COCHLEA),
    ],
)
def test_a_segment_is_chosen_by_its_name_or_number(both, label, expected):
    assert np.array_equal(read_mask(both, GRID, label), expected)


@pytest.mark.parametrize(("label", "shown"), [("TV", "TV"), (3, "3"), ((3, "TV"), "3 or TV")])
def test_a_segment_that_is_not_there_is_told_with_those_that_are(both, label, shown):
    with pytest.raises(ImageError, match=f"the segment {shown}; it holds 1 'VS, left', 2 'Cochlea'"):
        read_mask(both, GRID, label)


def test_the_only_segment_with_voxels_is_the_mask(tmp_path):
    path = saved(tmp_path / "m.seg.nrrd", [NONE, TUMOUR], [("Segment_1", 0, 1), ("VS", 1, 1)])
    assert np.array_equal(read_mask(path, GRID), TUMOUR)
    path = saved(tmp_path / "m.seg.nrrd", [NONE, NONE], [("Segment_1", 0, 1), ("VS", 1, 1)])
    assert not read_mask(path, GRID).any()


@pytest.mark.parametrize("count", [1, 2])
def test_voxels_of_no_segment_are_told(tmp_path, count):
    # A program has made 255 of each 1 and kept what Slicer lists, so that the only segment seems empty.
    layers, segments = [255 * TUMOUR, COCHLEA], [("VS", 0, 1), ("Cochlea", 1, 1)]
    path = saved(tmp_path / "m.seg.nrrd", layers[:count], segments[:count])
    for label in (None, "VS"):
        with pytest.raises(ImageError, match=r"holds voxels of 255, which is none of its segments \(1 'VS'"):
            read_mask(path, GRID, label)
    if count > 1:
        assert np.array_equal(read_mask(path, GRID, "Cochlea"), COCHLEA)


def test_two_segments_of_one_name_are_told_apart_by_number(tmp_path):
    path = saved(tmp_path / "m.seg.nrrd", [TUMOUR, COCHLEA], [("VS", 0, 1), ("VS", 1, 1)])
    with pytest.raises(ImageError, match=r"several segments 'VS' \(1 'VS', 2 'VS'\); give a number"):
        read_mask(path, GRID, "VS")
    assert np.array_equal(read_mask(path, GRID, 2), COCHLEA)


def test_a_segment_of_any_value_in_any_layer(tmp_path):
    segments = [("VS", 0, 7), ("Cochlea", 1, 3), ("Meningioma", 1, 4)]
    path = saved(tmp_path / "m.seg.nrrd", [7 * TUMOUR, 3 * COCHLEA], segments)
    assert np.array_equal(read_mask(path, GRID, "vs"), TUMOUR)
    assert np.array_equal(read_mask(path, GRID, 2), COCHLEA)
    path = saved(tmp_path / "m.seg.nrrd", [7 * TUMOUR], [("VS", 0, 7)])
    assert np.array_equal(read_mask(path, GRID, 7), TUMOUR)


def test_a_damaged_list_of_segments_is_told(tmp_path):
    for segment in (("VS", 5, 1), ("VS", "x", 1)):
        path = saved(tmp_path / "m.seg.nrrd", [TUMOUR, COCHLEA], [segment])
        with pytest.raises(
            ImageError, match="the list of segments in .* is damaged; save it again from Slicer"
        ):
            read_mask(path, GRID)


@pytest.mark.parametrize("label", [None, "VS"])
def test_segments_that_slicer_keeps_as_fractions_are_refused(tmp_path, label):
    # Of these 1 is the least fraction, and no whole voxel.
    fractions = np.where(TUMOUR, 1, 0)
    fractions[np.nonzero(TUMOUR)[0][0]] *= 100
    path = saved(tmp_path / "m.seg.nrrd", [fractions], [("VS", 0, 1)])
    image = sitk.ReadImage(str(path))
    image.SetMetaData("Segmentation_MasterRepresentation", "Fractional labelmap")
    sitk.WriteImage(image, str(path))
    with pytest.raises(ImageError, match="holds fractions where a mask should be; save it as a binary"):
        read_mask(path, GRID, label)


def test_a_plain_label_map_knows_no_names(tmp_path):
    path = written(tmp_path / "m.nii.gz", TUMOUR.astype(np.uint8))
    with pytest.raises(ImageError, match="does not hold the label VS; it holds 1"):
        read_mask(path, PLAIN, "VS")


def test_an_inverted_mask_is_told(tmp_path):
    inverted = np.full(TUMOUR.shape, 255, np.uint8)
    inverted[2, 2:4, 3] = 0
    with pytest.raises(ImageError, match="holds 255 nearly everywhere"):
        read_mask(written(tmp_path / "mask.nii.gz", inverted), PLAIN)
    # What we wrote of a mask that was painted over and over is read again.
    own = written(tmp_path / "own.nii.gz", np.ones(TUMOUR.shape, np.uint8))
    assert read_mask(own, PLAIN).all()
