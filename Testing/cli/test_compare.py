"""``vsclick compare``: masks of two examinations, with and without their scans."""

import shutil

import numpy as np
import pydicom
import pytest
from bright_ball import AXIAL, GRID, RADIUS_MM, ball, ball_volume, write_image
from scipy.spatial.transform import Rotation
from source_series import FRAME, write_segmentation_of, write_slices
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.dicom_out import segmentation_object, write_segmentation
from VSClickCorrectLib.io.dicom_source import read_source
from VSClickCorrectLib.io.examinations import Examination, compare_examinations, register_examinations
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectResearch.simulation import synthesis


@pytest.fixture
def compare(capsys):
    """Run the command; returns what it prints."""

    def run(before, after, *more):
        capsys.readouterr()
        assert main(["compare", "--before", str(before), "--after", str(after), *map(str, more)]) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def refused(capsys):
    def run(*arguments):
        capsys.readouterr()
        assert main(["compare", *map(str, arguments)]) == 2
        return capsys.readouterr().err

    return run


def volume(text):
    line = next(line for line in text.splitlines() if line.startswith("Volume"))
    return [float(line.split(word)[0].split()[-1]) for word in (" mm³ before", " mm³ after")]


def test_masks_on_one_grid_are_compared_as_they_lie(compare, tmp_path):
    before = write_image(tmp_path / "before.nii.gz", ball().astype(np.uint8))
    after = write_image(tmp_path / "after.nii.gz", ball(radius=RADIUS_MM + 1.5).astype(np.uint8))
    text = compare(before, after)
    sizes = [ball().sum() * 0.84375, ball(radius=RADIUS_MM + 1.5).sum() * 0.84375]
    assert volume(text) == [pytest.approx(s, abs=0.06) for s in sizes]
    assert "Threshold of growth (20 % of the volume): growth by that threshold" in text
    assert "Threshold of growth (more than 2 mm): " in text
    assert "Both masks lie on one grid" in text


def test_masks_of_different_grids_and_kinds_are_compared_each_in_its_own_slices(compare, tmp_path):
    scan = Volume(np.zeros(GRID.shape, np.int16), GRID)
    source = read_source(write_slices(tmp_path / "t1ce", scan), GRID)
    write_segmentation(tmp_path / "before.dcm", segmentation_object(source, ball(), GRID))
    thick = Grid((12, 64, 64), AXIAL @ np.diag([1, 1, 2, 1]))
    write_mask(tmp_path / "after.seg.nrrd", ball(thick), thick)
    text = compare(tmp_path / "before.dcm", tmp_path / "after.seg.nrrd")
    assert volume(text) == [
        pytest.approx(ball().sum() * 0.84375, abs=0.06),
        pytest.approx(ball(thick).sum() * 1.6875, abs=0.06),
    ]
    assert "does not reach that threshold" in text
    assert "Name both scans to have them laid into one frame." in text


def test_segmentations_of_one_scan_that_leave_out_empty_slices_are_not_told_as_of_two(compare, tmp_path):
    scan = write_slices(tmp_path / "t1ce", Volume(np.zeros(GRID.shape, np.int16), GRID))
    source = read_source(scan, GRID)
    for name, radius in (("before", RADIUS_MM), ("after", RADIUS_MM + 3)):
        write_segmentation(tmp_path / f"{name}.dcm", segmentation_object(source, ball(radius=radius), GRID))
    masks = tmp_path / "before.dcm", tmp_path / "after.dcm"
    text = compare(*masks)
    assert "different scans" not in text and "The masks do not lie on one grid" in text
    assert "Both masks lie on one grid" in compare(*masks, "--before-scan", scan, "--after-scan", scan)


def moved_head():
    """A synthetic case whose head lay 11 mm aside and turned by 7 degrees in the later scan."""
    made = synthesis.small_case(0)
    tumour = made.grid.index_to_ras(np.argwhere(made.truth)).mean(axis=0)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(7) * np.array([0.5, 0.6, 0.62])).as_matrix()
    matrix[:3, 3] = tumour + [6.0, -8.0, 5.0] - matrix[:3, :3] @ tumour
    return made, Grid(made.grid.shape, matrix @ made.grid.affine)


def test_two_scans_are_registered_even_if_planned_on_one_grid(compare, tmp_path):
    made, moved = moved_head()
    for name, grid in (("before", made.grid), ("after", moved)):
        write_volume(tmp_path / f"{name}-scan.nii.gz", Volume(made.t1ce.array, grid))
        write_mask(tmp_path / f"{name}.nii.gz", made.truth, grid)
    scans = [w for n in ("before", "after") for w in (f"--{n}-scan", tmp_path / f"{n}-scan.nii.gz")]
    text = compare(tmp_path / "before.nii.gz", tmp_path / "after.nii.gz", *scans)
    assert "registering the later scan to the earlier scan" in text
    assert "The scans were registered rigidly" in text
    dice = float(text.partition("in one frame: ")[2].split()[0])
    assert dice > 0.9
    assert text.count("does not reach that threshold") == 2
    # The same scan twice is one frame, and not registered to itself.
    same = [w for n in ("before", "after") for w in (f"--{n}-scan", tmp_path / "before-scan.nii.gz")]
    text = compare(tmp_path / "before.nii.gz", tmp_path / "before.nii.gz", *same)
    assert "Both masks lie on one grid" in text and "1.000" in text


@pytest.mark.parametrize("zipped", [False, True])
def test_a_scan_is_found_in_folders_within_the_one_named_and_zipped(compare, refused, tmp_path, zipped):
    for description, scan in (("t1_post", ball_volume()), ("t2_space", ball_volume(t2=True))):
        write_slices(tmp_path / "P 1" / "study" / description, scan, description=description)
    given = tmp_path / "P 1"
    if zipped:
        given = shutil.make_archive(str(given), "zip", given)
    mask = write_image(tmp_path / "mask.nii.gz", ball().astype(np.uint8))
    text = compare(mask, mask, "--before-scan", given, "--after-scan", given)
    assert "Both masks lie on one grid" in text
    assert volume(text) == [pytest.approx(ball().sum() * 0.84375, abs=0.06)] * 2
    (tmp_path / "empty").mkdir()
    words = ["--before", mask, "--after", mask, "--before-scan", given, "--after-scan", tmp_path / "empty"]
    assert "holds no DICOM series" in refused(*words)


def test_other_voxels_on_the_same_grid_are_another_scan():
    made, _ = moved_head()
    noisy = Volume(made.t1ce.array + 1, made.grid)
    before = Examination(made.truth, made.grid, made.t1ce)
    after = Examination(made.truth, made.grid, noisy)
    registration = register_examinations(before, after)
    assert registration is not None and not registration.improved
    assert compare_examinations(before, after, registration).placed_by == "header"


def test_scans_of_two_patients_are_told_without_their_names(compare, tmp_path):
    mask = write_image(tmp_path / "mask.nii.gz", ball().astype(np.uint8))
    scans = [
        write_slices(tmp_path / name, ball_volume(), patient=name) for name in ("MILLER", "SMITH", "Smith")
    ]
    text = compare(mask, mask, "--before-scan", scans[0], "--after-scan", scans[1])
    assert text.startswith("Note: the headers of the two examinations name different patients")
    assert "MILLER" not in text and "SMITH" not in text
    assert "patients" not in compare(mask, mask, "--before-scan", scans[1], "--after-scan", scans[2])


def dated(series, date):
    """Let a DICOM series say when it was made; empty, as anonymised."""
    for path in series.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.StudyDate = date
        dataset.save_as(path)
    return series


def test_examinations_in_the_wrong_order_are_told(compare, tmp_path):
    years = ("20231231", "20240101", "")
    scans = {y: dated(write_slices(tmp_path / f"scan{y}", ball_volume()), y) for y in years}
    masks = {y: write_segmentation_of(scans[y], tmp_path / f"{y}mask.dcm", ball(), GRID) for y in years}
    plain = write_image(tmp_path / "mask.nii.gz", ball().astype(np.uint8))
    first, second, none = years
    for before, after, wrong in (
        (first, second, False),
        (second, first, True),
        (second, second, False),
        (second, none, False),
        (none, first, False),
    ):
        both = ["--before-scan", scans[before], "--after-scan", scans[after]]
        for text in (compare(masks[before], masks[after]), compare(plain, plain, *both)):
            assert text.startswith("Note: by the headers' dates the earlier") is wrong
            assert "2024" not in text and "2023" not in text


def written_mask(folder, values, patient):
    """A DICOM SEG on the slices of a scan that names a patient, and the folder of that scan."""
    scan = write_slices(folder, ball_volume(), patient=patient)
    return write_segmentation_of(scan, folder.with_suffix(".dcm"), values, GRID, patient), scan


def test_a_mask_of_another_patient_than_its_scan_is_refused_unless_it_is_told_to_be_right(
    compare, refused, tmp_path
):
    eve, _ = written_mask(tmp_path / "eve", ball(), "Eve")
    adam, scan = written_mask(tmp_path / "adam", ball(), "Adam")
    words = ["--before", eve, "--after", adam, "--before-scan", scan, "--after-scan", scan]
    assert "image is of patient 'Adam' and the mask of 'Eve'" in refused(*words)
    assert "Both masks lie on one grid" in compare(eve, adam, *words[4:], "--different-patients")


def test_masks_alone_that_name_different_patients_are_told(compare, tmp_path):
    (eve, _), (adam, _) = (written_mask(tmp_path / name, ball(), name) for name in ("Eve", "Adam"))
    assert compare(eve, adam).startswith("Note: the headers of the two examinations name different patients")
    assert "patients" not in compare(eve, eve)


def test_whether_segmentations_of_two_patients_are_told(compare, tmp_path):
    scan = write_slices(tmp_path / "t1ce", ball_volume(), patient="MILLER")
    masks = {
        name: write_segmentation_of(scan, tmp_path / f"{name}.dcm", ball(), GRID, name)
        for name in ("MILLER", "SMITH", "Smith")
    }
    plain = write_image(tmp_path / "mask.nii.gz", ball().astype(np.uint8))
    scans = ["--before-scan", scan, "--after-scan", scan]
    for before, after, more, told in (
        (masks["MILLER"], masks["SMITH"], [], True),
        (masks["Smith"], masks["SMITH"], [], False),
        (masks["MILLER"], plain, [], False),
        (plain, masks["MILLER"], scans, False),
    ):
        text = compare(before, after, *more)
        assert ("Note: the headers of the two examinations name different patients" in text) is told
        assert "SMITH" not in text


def test_a_mask_in_another_frame_than_its_scan_is_told(compare, tmp_path):
    scan = write_slices(tmp_path / "t1ce", ball_volume())
    masks = [
        write_segmentation_of(scan, tmp_path / f"{frame}.dcm", ball(), GRID, frame=frame)
        for frame in (FRAME, "1.2.3")
    ]
    scans = ["--before-scan", scan, "--after-scan", scan]
    earlier, later = (
        f"The {which} scan and mask have different frames of reference; "
        "look whether the mask is of this scan.\n"
        for which in ("earlier", "later")
    )
    assert compare(*masks, *scans).startswith(f"{later}Volume: ")
    assert compare(*masks[::-1], *scans).startswith(f"{earlier}Volume: ")
    assert compare(masks[1], masks[1], *scans).startswith(f"{earlier}{later}Volume: ")
    assert "frames of reference" not in compare(masks[0], masks[0], *scans)


def test_one_scan_alone_is_refused(refused, tmp_path):
    mask = write_image(tmp_path / "mask.nii.gz", ball().astype(np.uint8))
    words = ["--before", mask, "--after", mask]
    assert "name both with --before-scan and --after-scan" in refused(*words, "--after-scan", mask)
    assert "nowhere.nii.gz does not exist" in refused(
        "--before", mask, "--after", tmp_path / "nowhere.nii.gz"
    )


def test_several_labels_are_told_and_one_is_chosen(compare, refused, tmp_path):
    both = ball().astype(np.uint8)
    both[:3] = 2
    path = write_image(tmp_path / "both.nii.gz", both)
    assert "name the tumour's with --label" in refused("--before", path, "--after", path)
    assert "Both masks lie on one grid" in compare(path, path, "--label", 1)
