"""DICOM lies where its headers say: every slice, in whatever way it is written, or it is refused by name."""

import sys

import numpy as np
import pytest
from dicom_scans import AXIAL, BALL, CENTER_RAS, HEAD, RADIUS_MM, stack, write_frames, write_slices
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from scipy.spatial.transform import Rotation
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.images import read_volume

BALL_MM3 = 4 / 3 * np.pi * RADIUS_MM**3
TILT = np.radians(14)
TILTED = (1.0, 0.0, 0.0, 0.0, np.cos(TILT), -np.sin(TILT))
OBLIQUE = tuple(Rotation.from_euler("xyz", [21, -13, 32], degrees=True).as_matrix()[:, :2].T.ravel())


def normal(orientation):
    return np.cross(orientation[:3], orientation[3:])


def oblique(**given):
    return stack(step=2.0 * normal(OBLIQUE), orientation=OBLIQUE, **given)


def ball(volume):
    """Return the middle of the ball in a volume, RAS mm, and its volume in mm³."""
    share = np.clip((volume.array.astype(float) - HEAD) / (BALL - HEAD), 0, 1)
    index = np.moveaxis(np.indices(share.shape), 0, -1)
    near = np.linalg.norm(volume.grid.index_to_ras(index) - CENTER_RAS, axis=-1) < RADIUS_MM + 5
    weights = share * near
    center = np.tensordot(weights, volume.grid.index_to_ras(index), 3) / weights.sum()
    return center, float(weights.sum() * volume.grid.voxel_volume)


def assert_lies_right(volume, tolerance_mm=0.1):
    center, mm3 = ball(volume)
    np.testing.assert_allclose(center, CENTER_RAS, atol=tolerance_mm)
    assert mm3 == pytest.approx(BALL_MM3, rel=0.03)


# What can be placed


def no_gap(image, _):
    """Name 0 as the distance of the slices, behind a sequence of undefined length."""
    image.SpacingBetweenSlices = 0
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    item.is_undefined_length_sequence_item = True
    image.ReferencedStudySequence = [item, Dataset()]
    image["ReferencedStudySequence"].is_undefined_length = True


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_slices_that_name_no_distance_lie_where_their_positions_say(tmp_path, syntax):
    def change(image, number):
        no_gap(image, number)
        image.file_meta.TransferSyntaxUID = syntax

    volume = read_volume(write_slices(tmp_path / "scan", stack(), change))
    assert volume.grid.spacing[2] == pytest.approx(2.0)
    assert_lies_right(volume)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE], ids=["axial", "oblique"])
def test_slices_lie_where_they_say_upward_and_downward(tmp_path, orientation, sign):
    slices = stack(step=sign * 2.0 * normal(orientation), orientation=orientation)
    volume = read_volume(write_slices(tmp_path / "scan", slices))
    assert volume.grid.shape == (24, 40, 44)
    assert volume.remarks == ()
    assert_lies_right(volume)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("order", ["upward", "downward", "jumbled"])
@pytest.mark.parametrize("make", [stack, oblique])
def test_frames_of_one_file_lie_where_they_say_in_whatever_order_they_are_stored(
    tmp_path, make, order, shared
):
    slices = make()
    stored = {"upward": slices, "downward": slices[::-1], "jumbled": slices[::2] + slices[1::2]}[order]
    path = write_frames(tmp_path / "scan" / "frames.dcm", stored, shared)
    as_file, as_folder = read_volume(path), read_volume(path.parent)
    as_slices = read_volume(write_slices(tmp_path / "slices", slices))
    assert_lies_right(as_file)
    for other in (as_folder, as_slices):
        np.testing.assert_array_equal(as_file.array, other.array)
        np.testing.assert_allclose(as_file.grid.affine, other.grid.affine, atol=1e-4)


def test_enhanced_files_of_one_frame_each_are_one_scan(tmp_path):
    for number, one in enumerate(oblique()):
        write_frames(tmp_path / "scan" / f"{number}.dcm", [one])
    assert_lies_right(read_volume(tmp_path / "scan"))


@pytest.mark.parametrize("write", [write_slices, lambda path, slices: write_frames(path / "a.dcm", slices)])
def test_a_tilted_stack_is_resampled_within_its_slices_and_says_so(tmp_path, write):
    write(tmp_path / "scan", stack(orientation=TILTED))
    volume = read_volume(tmp_path / "scan")
    assert_lies_right(volume)
    (remark,) = volume.remarks
    assert (
        "resampled within their planes onto an upright grid of 44×48×24 voxels; masks lie on that" in remark
    )
    # Slices stay at their heights: where all slices reach, nothing is blurred across them.
    assert volume.grid.spacing == pytest.approx([1.5, 1.5, 2.0 * np.cos(TILT)])
    np.testing.assert_allclose(abs(volume.grid.affine[:3, 2]) @ np.abs(normal(TILTED)), 2 * np.cos(TILT))


def test_a_tilt_of_an_oblique_stack_is_placed(tmp_path):
    step = 2.0 * normal(OBLIQUE) + 0.5 * np.array(OBLIQUE[:3]) - 0.3 * np.array(OBLIQUE[3:])
    assert_lies_right(read_volume(write_slices(tmp_path / "scan", stack(step=step, orientation=OBLIQUE))))


def test_slices_pushed_aside_each_by_its_own_are_placed(tmp_path):
    slices = stack()
    for number, one in enumerate(slices):
        one.position = one.position + (2.0 * (number % 3), 0.7 * (number % 2), 0)
    assert_lies_right(read_volume(write_slices(tmp_path / "scan", slices)))


def test_a_lean_that_a_grid_can_hold_is_held_without_resampling(tmp_path):
    step = 2.0 * normal(AXIAL) + (1.5e-3, 0, 0)
    volume = read_volume(write_slices(tmp_path / "scan", stack(step=step)))
    assert volume.grid.shape == (24, 40, 44)
    np.testing.assert_allclose(volume.grid.affine[:3, 2], step * (-1, -1, 1), atol=1e-5)


def test_an_orientation_rounded_to_two_decimals_is_no_identity(tmp_path):
    volume = read_volume(write_slices(tmp_path / "scan", oblique(), decimals=2))
    assert_lies_right(volume, 0.5)
    (remark,) = volume.remarks
    assert (
        "have their orientation rounded in the headers, so that their far edge may lie 0.3 mm elsewhere"
        in remark
    )


def to_one_decimal(image, _):
    image.ImagePositionPatient = [f"{float(n):.1f}" for n in image.ImagePositionPatient]


@pytest.mark.parametrize(("step_mm", "count"), [(2.0, 12), (1.0, 60), (0.6, 24)])
def test_positions_rounded_to_one_decimal_are_no_tilt(tmp_path, step_mm, count):
    slices = stack(count, step=step_mm * normal(OBLIQUE), orientation=OBLIQUE)
    volume = read_volume(write_slices(tmp_path / "scan", slices, to_one_decimal))
    assert volume.grid.shape == (count, 40, 44)
    assert volume.remarks == ()
    upward = volume.grid.affine[:3, 2] / volume.grid.spacing[2]
    np.testing.assert_allclose(upward, normal(OBLIQUE) * (-1, -1, 1), atol=1e-3)
    for number in (0, count - 1):
        found = volume.grid.index_to_ras((number, 0, 0))
        np.testing.assert_allclose(found, slices[number].position * (-1, -1, 1), atol=0.05)


@pytest.mark.parametrize("degrees", [1, -1.5, 3])
def test_a_tilt_is_one_though_positions_are_rounded_to_one_decimal(tmp_path, degrees):
    tilt = Rotation.from_rotvec(np.radians(degrees) * np.array(OBLIQUE[:3]))
    slices = stack(step=tilt.apply(2.0 * normal(OBLIQUE)), orientation=OBLIQUE)
    volume = read_volume(write_slices(tmp_path / "scan", slices, to_one_decimal))
    assert_lies_right(volume)
    (remark,) = volume.remarks
    assert "resampled within their planes onto an upright grid" in remark


def test_a_missing_slice_is_told_though_positions_are_rounded_to_one_decimal(tmp_path):
    slices = stack(step=0.4 * normal(OBLIQUE), orientation=OBLIQUE)
    del slices[9]
    refused(write_slices(tmp_path / "scan", slices, to_one_decimal), "lacks slices or is unevenly spaced")


def test_a_slope_and_intercept_of_each_slice_are_kept_as_real_numbers(tmp_path):
    slices = stack()
    for number, one in enumerate(slices):
        one.rescale = [(0.37, 0.0), (1.0, 0.0), (2.5, -12.25), (0.01, 3.0)][number % 4]
    for path in (write_slices(tmp_path / "slices", slices), write_frames(tmp_path / "frames.dcm", slices)):
        volume = read_volume(path)
        assert volume.array.dtype.kind == "f"
        for array, one in zip(volume.array, slices, strict=True):
            np.testing.assert_allclose(array, one.stored * one.rescale[0] + one.rescale[1], rtol=1e-6)


# What cannot


def refused(path, *words):
    with pytest.raises(ImageError) as caught:
        read_volume(path)
    for word in words:
        assert word in str(caught.value)


def test_slices_that_do_not_say_where_they_lie_are_refused_by_name(tmp_path):
    def without(*numbers, tag="ImagePositionPatient"):
        return lambda image, number: image.pop(tag) if number in numbers else None

    refused(
        write_slices(tmp_path / "one", stack(), without(5)),
        "04-5.dcm of the DICOM series",
        "does not say where it",
    )
    refused(write_slices(tmp_path / "two", stack(), without(5, 6)), "11-6.dcm", "04-5.dcm")
    refused(write_slices(tmp_path / "all", stack(), without(*range(24))), "every slice of")
    turned = without(*range(24), tag="ImageOrientationPatient")
    refused(write_slices(tmp_path / "turn", stack(), turned), "every slice of", "does not say how it lies")


def test_two_echoes_of_each_slice_are_refused(tmp_path):
    both = stack() + stack(echo=12.0)
    mixed = [one for pair in zip(both[:24], both[24:], strict=True) for one in pair]
    for name, slices in (("after", both), ("mixed", mixed)):
        for path in (write_slices(tmp_path / name, slices), write_frames(tmp_path / f"{name}.dcm", slices)):
            refused(path, "holds 2 images of one slice of echo time 3.0 and 12.0", "give the images of one")


TURNS = {
    "echo time 3 and 90": ("EchoTime", "3", "90"),
    "image type ORIGINAL\\PRIMARY\\M and ORIGINAL\\PRIMARY\\P": (
        "ImageType",
        ["ORIGINAL", "PRIMARY", "M"],
        ["ORIGINAL", "PRIMARY", "P"],
    ),
    "b-value 0 and 1000": ("DiffusionBValue", 0.0, 1000.0),
    "time point 1 and 2": ("TemporalPositionIdentifier", 1, 2),
}


@pytest.mark.parametrize("told", TURNS)
def test_scans_of_one_series_whose_slices_lie_between_each_others_are_refused(tmp_path, told):
    keyword, *values = TURNS[told]
    path = write_slices(tmp_path, stack(), lambda image, n: setattr(image, keyword, values[n % 2]))
    refused(path, "holds 2 scans whose slices lie between each other's of " + told, "one of them alone")


def test_of_scans_that_lie_between_each_other_what_is_told_is_what_comes_by_turns(tmp_path):
    def change(image, n):
        # The echo time of each slice is another one, as some programs write it.
        image.EchoTime, image.DiffusionBValue = str(3 + n / 100), 1000.0 * (n % 2)

    refused(write_slices(tmp_path, stack(), change), "lie between each other's of b-value 0 and 1000 (")


def test_frames_of_two_echoes_that_lie_between_each_other_are_refused(tmp_path):
    slices = stack()
    for one in slices[1::2]:
        one.echo = 90.0
    frames = slices[::2] + slices[1::2]
    refused(write_frames(tmp_path / "a.dcm", frames), "2 scans whose slices", "echo time 3.0 and 90.0")


@pytest.mark.parametrize("echo", [lambda n: 3 + n / 100, lambda n: 3 + n // 12, lambda n: 3 + (n == 7)])
def test_slices_of_one_scan_may_differ_otherwise(tmp_path, echo):
    path = write_slices(tmp_path, stack(), lambda image, n: setattr(image, "EchoTime", str(echo(n))))
    assert_lies_right(read_volume(path))


def test_copies_are_named(tmp_path):
    slices = stack()
    write_slices(tmp_path / "scan", [*slices, slices[4]])
    refused(tmp_path / "scan", "holds slices twice; remove the copies (13-24.dcm and 28-4.dcm)")


@pytest.mark.parametrize("frames", [True, False])
def test_missing_slices_are_told_by_their_neighbours(tmp_path, frames):
    slices = stack()
    del slices[10:13]
    write = write_frames if frames else write_slices
    path = write(tmp_path / "scan.dcm", slices)
    between = "frame 10 of scan.dcm to frame 11 of scan.dcm" if frames else "01-9.dcm to 08-10.dcm"
    refused(path, "lacks slices or is unevenly spaced", f"8.0 mm from {between}, 2.0 mm elsewhere")


def test_slices_that_drift_from_one_distance_are_refused(tmp_path):
    slices = stack()
    for number, one in enumerate(slices):
        one.position = one.position + (0, 0, 0.002 * number**2)
    refused(write_slices(tmp_path / "scan", slices), "mm from where the others would have it")


def test_slices_of_two_orientations_or_pixel_sizes_are_refused(tmp_path):
    turned = stack(12, orientation=(1.0, 0.0, 0.0, 0.0, 0.0, -1.0), step=(0, 2.0, 0))
    refused(
        write_slices(tmp_path / "localizer", stack(12) + turned), "mixes slices of 2 orientations or pixel"
    )
    small = stack(12, pixel_mm=1.4)
    refused(write_slices(tmp_path / "small", stack(12) + small), "mixes slices of 2 orientations or pixel")
    little = oblique()
    little[7].orientation = tuple(np.round(OBLIQUE, 2))
    refused(write_slices(tmp_path / "little", little), "mixes slices of 2 orientations", "18-7.dcm")


def test_slices_that_lie_farther_aside_than_apart_are_no_stack(tmp_path):
    refused(
        write_slices(tmp_path / "scan", stack(step=(0, 2.5, 2.0))), "is no stack", "farther aside than apart"
    )


def test_two_slabs_in_one_series_are_refused(tmp_path):
    slabs = stack(8)
    for one in stack(8):
        one.position = one.position + (0, 0, 60.0)
        slabs.append(one)
    refused(write_slices(tmp_path / "scan", slabs), "lacks slices or is unevenly spaced", "46.0 mm")


@pytest.mark.parametrize("orientation", [(1.0, 0, 0, 0.3, 1.0, 0), (0.0,) * 6, (1.0, 0, 0, 1.0, 0, 0)])
def test_an_orientation_that_is_none_is_refused(tmp_path, orientation):
    path = write_slices(tmp_path / "scan", stack(), lambda image, _: setattr(
        image, "ImageOrientationPatient", [str(n) for n in orientation]))  # fmt: skip
    refused(path, "is no pair of unit vectors at right angles")


def test_frames_that_are_not_described_are_refused(tmp_path):
    path = write_frames(
        tmp_path / "a.dcm", stack(), change=lambda image: image.pop("PerFrameFunctionalGroupsSequence")
    )
    refused(path, "says of 0 of its 24 frames where they lie")
    path = write_frames(
        tmp_path / "b.dcm", stack(), change=lambda image: image.PerFrameFunctionalGroupsSequence.pop()
    )
    refused(path, "says of 23 of its 24 frames where they lie")
    path = write_frames(
        tmp_path / "c.dcm",
        stack(),
        change=lambda image: image.PerFrameFunctionalGroupsSequence[3].pop("PlanePositionSequence"),
    )
    refused(path, "frame 4 of c.dcm of", "does not say where it lies")


def test_a_dicom_segmentation_is_no_scan(tmp_path):
    path = write_frames(tmp_path / "a.dcm", stack(), change=lambda image: setattr(image, "Modality", "SEG"))
    refused(path, "holds a segmentation, no scan")


def test_without_pydicom_frames_are_refused_and_slices_are_read(tmp_path, monkeypatch):
    frames, slices = write_frames(tmp_path / "a.dcm", stack()), write_slices(tmp_path / "slices", stack())
    monkeypatch.setitem(sys.modules, "pydicom", None)
    refused(frames, "pydicom is needed; install vsclickcorrect[datasets]")
    assert_lies_right(read_volume(slices))


def test_the_check_is_on_what_was_placed_not_on_how(tmp_path, monkeypatch):
    from VSClickCorrectLib.io import dicom_stack

    placed = dicom_stack._placed

    def beside(*arguments):
        stack = placed(*arguments)
        stack.affine[0, 3] += 0.2
        return stack

    monkeypatch.setattr(dicom_stack, "_placed", beside)
    refused(write_slices(tmp_path / "scan", stack()), "lies 0.2 mm from where the others would have it")


def test_a_zip_archive_is_read_as_its_files_are(tmp_path):
    import zipfile

    from VSClickCorrectApp.reading.sent_files import read_sent_volume

    path = write_frames(tmp_path / "frames.dcm", oblique())
    with zipfile.ZipFile(tmp_path / "sent.zip", "w") as archive:
        archive.write(path, "DICOM/IM0")
    sent, read = read_sent_volume(tmp_path / "sent.zip", "t1ce", 1 << 30), read_volume(path)
    np.testing.assert_array_equal(sent.array, read.array)
    np.testing.assert_array_equal(sent.grid.affine, read.grid.affine)
