"""``vsclick segment``."""

import shutil
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bright_ball import (
    AXIAL,
    CENTER,
    GRID,
    SHAPE,
    ball,
    ball_case,
    ball_volume,
    dice,
    read_image,
    write_image,
    write_points,
)
from handmade_models import bright_unet3d, pickled_trap, vouch_for
from safetensors.numpy import save
from source_series import write_slices
from vs_seg_files import write_series
from VSClickCorrectLib.cli.main import main

NEAR = 0.93
ELSEWHERE = AXIAL + np.array([[0, 0, 0, 500.0], [0] * 4, [0] * 4, [0] * 4])


def same_place(image, other):
    return (
        image.GetSize() == other.GetSize()
        and np.allclose(image.GetOrigin(), other.GetOrigin(), atol=1e-3)
        and np.allclose(image.GetDirection(), other.GetDirection(), atol=1e-5)
        and np.allclose(image.GetSpacing(), other.GetSpacing(), atol=1e-5)
    )


@pytest.mark.parametrize("name", ["mask.nii.gz", "mask.nii", "mask.nrrd", "mask.seg.nrrd"])
def test_tumour_is_written_where_the_t1ce_lies(vsclick, files, tmp_path, capsys, name):
    output = tmp_path / name
    assert vsclick("segment", "--t1ce", files.t1ce, "--t2", files.t2, "--output", output) == 0
    assert list(tmp_path.iterdir()) == [output]
    assert same_place(sitk.ReadImage(str(output)), sitk.ReadImage(str(files.t1ce)))
    mask = read_image(output)
    assert set(np.unique(mask)) == {0, 1}
    assert dice(mask != 0, ball()) > NEAR
    # The volume it prints is that of the written voxels, 0.75 x 0.75 x 1.5 mm.
    assert f"{mask.sum() * 0.84375:.0f} mm³" in capsys.readouterr().out


def test_seg_nrrd_is_a_segmentation_to_slicer(vsclick, files, tmp_path):
    output = tmp_path / "mask.seg.nrrd"
    assert vsclick("segment", "--t1ce", files.t1ce, "--output", output) == 0
    image = sitk.ReadImage(str(output))
    assert image.GetMetaData("Segment0_Name") == "tumour"
    assert image.GetMetaData("Segment0_LabelValue") == "1"
    assert image.GetMetaData("Segment0_Extent") == "0 63 0 63 0 23"


@pytest.mark.parametrize("given, said", [("t1ce", "No T2 given"), ("t2", "No T1ce given")])
def test_one_sequence_is_enough_and_the_command_says_so(vsclick, files, tmp_path, capsys, given, said):
    output = tmp_path / "mask.nii.gz"
    assert vsclick("segment", f"--{given}", getattr(files, given), "--output", output) == 0
    assert said in capsys.readouterr().out
    assert dice(read_image(output) != 0, ball()) > NEAR


def test_t2_on_another_grid_is_brought_to_the_t1ces(vsclick, files, tmp_path):
    # The T2 alone shows the ball; it is stored from the top down.
    affine = AXIAL.copy()
    affine[:3, 2] *= -1
    affine[2, 3] = 1.5 * (SHAPE[0] - 1)
    turned = write_image(tmp_path / "turned.nii.gz", ball_volume(t2=True).array[::-1], affine)
    assert vsclick("segment", "--t2", turned, "--output", tmp_path / "own.nii.gz") == 0
    assert dice(read_image(tmp_path / "own.nii.gz")[::-1] != 0, ball()) > NEAR
    air = write_image(tmp_path / "air.nii.gz", np.zeros(SHAPE, np.int16))
    assert vsclick("segment", "--t1ce", air, "--t2", turned, "--output", tmp_path / "t1ce.nii.gz") == 0
    assert dice(read_image(tmp_path / "t1ce.nii.gz") != 0, ball()) > NEAR


def test_another_patient_s_t2_is_taken_only_if_that_is_said_to_be_right(vsclick, tmp_path, capsys):
    voxels = {"t1": ball_volume().array, "t2": ball_volume(t2=True).array}
    for name, array in voxels.items():
        given = {"patient": f"P-{name}", "description": name, "frame": name}
        write_series(tmp_path / name, array, ball_volume().grid, f"1.2.{name[1]}", **given)
    given = [
        "segment",
        "--t1ce",
        tmp_path / "t1",
        "--t2",
        tmp_path / "t2",
        "--output",
        tmp_path / "mask.nii.gz",
    ]
    assert vsclick(*given) == 2
    assert (
        "T1ce is of patient 'P-t1' and the T2 of 'P-t2'; give scans of one patient" in capsys.readouterr().err
    )
    assert not (tmp_path / "mask.nii.gz").exists()
    assert vsclick(*given, "--different-patients") == 0
    assert "The T1ce of 'P-t1' and the T2 of 'P-t2' are taken for one patient's." in capsys.readouterr().out
    assert dice(read_image(tmp_path / "mask.nii.gz") != 0, ball()) > NEAR


@pytest.fixture
def terminal(monkeypatch):
    """A person at the terminal who answers."""

    def answers(answer):
        asked = []
        monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or answer)
        return asked

    return answers


def test_output_that_exists_is_replaced_by_force(vsclick, refused, files, older):
    assert "--force" in refused("segment", "--t1ce", files.t1ce, "--output", older)
    assert vsclick("segment", "--t1ce", files.t1ce, "--output", older, "--force") == 0
    assert dice(read_image(older) != 0, ball()) > NEAR


def test_at_a_terminal_it_is_asked_whether_to_replace_what_is_there(vsclick, refused, files, older, terminal):
    asked = terminal("n")
    message = refused("segment", "--t1ce", files.t1ce, "--output", older)
    assert message == f"vsclick: {older} was left as it is; name another.\n"
    assert asked == [f"{older} is there already. Replace it? [y/N] "]
    terminal("y")
    assert vsclick("segment", "--t1ce", files.t1ce, "--output", older) == 0
    assert dice(read_image(older) != 0, ball()) > NEAR


@pytest.fixture
def tree(tmp_path):
    """A patient's folder as archives export it: T1ce and T2, each in a folder of its study."""
    root = tmp_path / "P-1"
    for name, t2 in (("t1_post", False), ("t2_space", True)):
        write_slices(root / "study" / name, ball_volume(t2=t2), description=name)
    (root / "DICOMDIR").write_bytes(b"no image")
    return root


@pytest.mark.parametrize("zipped", [False, True])
def test_series_are_found_in_folders_within_the_one_named_and_in_an_archive(
    vsclick, tree, tmp_path, zipped, capsys
):
    given = Path(shutil.make_archive(str(tree), "zip", tree)) if zipped else tree
    words = [
        "--t1ce",
        given,
        "--t2",
        given,
        "--output",
        tmp_path / "mask.nii.gz",
        "--dicom",
        tmp_path / "out",
    ]
    assert vsclick("segment", *words) == 0
    assert "T2 given" not in capsys.readouterr().out
    assert dice(read_image(tmp_path / "mask.nii.gz") != 0, ball()) > NEAR
    [series] = pydicom.dcmread(tmp_path / "out" / "segmentation.dcm").ReferencedSeriesSequence
    slices = next((tree / "study" / "t1_post").iterdir())
    assert series.SeriesInstanceUID == pydicom.dcmread(slices).SeriesInstanceUID
    assert not list(Path(gettempdir()).glob("vsclick-scan-*"))


def test_which_of_several_series_is_meant_is_not_guessed(refused, tree, tmp_path):
    write_slices(tree / "study" / "again", ball_volume(), description="t1_sag post")
    message = refused("segment", "--t1ce", tree, "--output", tmp_path / "mask.nii.gz")
    assert f"{tree} holds 3 DICOM series; give the folder of one" in message
    assert "'t1_post' in study/t1_post" in message and "t2_space" not in message
    archive = tmp_path / "broken.ZIP"
    archive.write_bytes(b"PK no archive")
    message = refused("segment", "--t1ce", archive, "--output", tmp_path / "mask.nii.gz")
    assert f"{archive} is no whole zip archive" in message


def test_an_archive_of_no_use_is_named(refused, files, tmp_path):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("no image")
    archive = shutil.make_archive(str(tmp_path / "sent"), "zip", tmp_path / "text")
    words = ["--t1ce", files.t1ce, "--t2", archive, "--output", tmp_path / "mask.nii.gz"]
    assert f"The archive {archive} holds no DICOM series of MR images" in refused("segment", *words)


def test_nothing_found_is_an_empty_mask_and_says_so(vsclick, files, own_models, tmp_path, capsys):
    never = save({n: t.astype(np.float16) for n, t in bright_unet3d(3.0).items()})
    vouch_for(own_models, "find", never)
    vouch_for(own_models, "first", never)
    output = tmp_path / "mask.nii.gz"
    assert vsclick("segment", "--t1ce", files.t1ce, "--output", output, models=own_models) == 0
    told = capsys.readouterr().out
    assert "No tumour was found; place an include click inside it" in told
    assert f"An empty mask was written to {output}." in told
    assert read_image(output).shape == SHAPE
    assert not read_image(output).any()


def test_progress_is_printed_up_to_the_whole(vsclick, files, tmp_path, capsys):
    vsclick("segment", "--t1ce", files.t1ce, "--output", tmp_path / "mask.nii.gz")
    percent = [
        int(line.split("%")[0])
        for line in capsys.readouterr().out.splitlines()
        if line[:4].strip().endswith("%")
    ]
    assert percent[0] == 0
    assert percent[-1] == 100
    assert percent == sorted(percent)


def not_an_image(folder):
    (folder / "letter.nii.gz").write_text("Dear colleague")
    return folder / "letter.nii.gz"


def torn(folder):
    path = write_image(folder / "torn.nii.gz", ball_volume().array)
    path.write_bytes(path.read_bytes()[:-2000])
    return path


def flat(folder):
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((64, 64), np.int16)), str(folder / "flat.nii.gz"))
    return folder / "flat.nii.gz"


def single_slice(folder):
    return write_image(folder / "slice.nrrd", ball_volume().array[:1])


def with_nan(folder):
    values = ball_volume().array.astype(np.float32)
    values[3, 4, 5] = np.nan
    return write_image(folder / "nan.nrrd", values)


def coloured(folder):
    image = sitk.GetImageFromArray(np.zeros((*SHAPE, 3), np.uint8), isVector=True)
    sitk.WriteImage(image, str(folder / "colour.nrrd"))
    return folder / "colour.nrrd"


def empty_folder(folder):
    (folder / "dicom").mkdir()
    return folder / "dicom"


@pytest.mark.parametrize("option", ["--t1ce", "--t2"])
@pytest.mark.parametrize(
    "make, said",
    [
        (lambda folder: folder / "nowhere.nii.gz", "does not exist"),
        (not_an_image, "is not an image that can be read"),
        (torn, ""),
        (flat, "is not a volume"),
        (single_slice, "is not a volume"),
        (with_nan, "NaN"),
        (coloured, "several channels"),
        (empty_folder, "holds no DICOM series"),
    ],
)
def test_file_of_no_use_is_refused_by_name(refused, tmp_path, option, make, said, older):
    path = make(tmp_path)
    message = refused("segment", option, path, "--output", older, "--force")
    assert path.name in message
    assert said in message


def test_no_sequence_at_all_is_refused(refused, older):
    assert "a T1ce or a T2 volume is needed" in refused("segment", "--output", older, "--force")


def test_fields_of_view_that_do_not_meet_are_refused(refused, files, tmp_path, older):
    far = write_image(tmp_path / "far.nii.gz", ball_volume(t2=True).array, ELSEWHERE)
    assert "do not meet" in refused(
        "segment", "--t1ce", files.t1ce, "--t2", far, "--output", older, "--force"
    )


@pytest.mark.parametrize("name", ["mask.png", "mask", "mask.nii.gz.txt", "mask.mha"])
def test_unknown_suffix_is_refused_before_any_work(refused, tmp_path, name):
    # The image does not exist: the suffix is looked at first.
    message = refused("segment", "--t1ce", tmp_path / "nowhere.nii", "--output", tmp_path / name)
    assert name in message
    assert ".seg.nrrd" in message


def test_missing_output_folder_is_refused_before_any_work(refused, tmp_path):
    output = tmp_path / "missing" / "mask.nii.gz"
    assert str(output.parent) in refused("segment", "--t1ce", tmp_path / "nowhere.nii", "--output", output)


def test_output_that_is_a_folder_is_refused(refused, files, tmp_path):
    (tmp_path / "mask.nii.gz").mkdir()
    refused("segment", "--t1ce", files.t1ce, "--output", tmp_path / "mask.nii.gz")


def test_full_disk_leaves_the_older_mask_and_no_scrap(refused, files, older, monkeypatch):
    def fail(_image, path, **_):
        with open(path, "wb") as file:
            file.write(b"half")
        raise RuntimeError("sitk::ERROR")

    monkeypatch.setattr(sitk, "WriteImage", fail)
    assert "older.nii.gz" in refused("segment", "--t1ce", files.t1ce, "--output", older, "--force")


def wrong_hash(folder):
    path = folder / "first.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def no_manifest(folder):
    (folder / "manifest.json").unlink()


def broken_manifest(folder):
    (folder / "manifest.json").write_text("{", encoding="utf-8")


def pickled(folder):
    vouch_for(folder, "find", pickled_trap(folder / "sprung"))


def cut_short(folder):
    vouch_for(folder, "find", (folder / "find.safetensors").read_bytes()[:-9])


@pytest.mark.parametrize("spoil", [wrong_hash, no_manifest, broken_manifest, pickled, cut_short])
def test_models_of_no_use_are_refused(refused, files, own_models, older, spoil):
    spoil(own_models)
    assert str(own_models) in refused(
        "segment", "--t1ce", files.t1ce, "--output", older, "--force", models=own_models
    )


def test_models_folder_that_does_not_exist_is_refused(refused, files, tmp_path, older):
    message = refused(
        "segment", "--t1ce", files.t1ce, "--output", older, "--force", models=tmp_path / "nowhere"
    )
    assert "manifest.json" in message


def test_written_mask_lies_on_the_ball_in_the_world(vsclick, files, tmp_path):
    output = tmp_path / "mask.nii.gz"
    vsclick("segment", "--t1ce", files.t1ce, "--output", output)
    image = sitk.ReadImage(str(output))
    middle = np.argwhere(sitk.GetArrayFromImage(image) != 0).mean(axis=0)[::-1]
    left, back, up = image.TransformContinuousIndexToPhysicalPoint([float(v) for v in middle])
    assert np.allclose((-left, -back, up), CENTER, atol=0.8)


def test_the_second_candidate_is_told_and_written_when_asked_for(vsclick, tmp_path, capsys):
    big, small = (CENTER[0] + 8, CENTER[1], 12.0), (CENTER[0] - 12, CENTER[1], 38.0)
    case = ball_case(GRID, big, small)
    scan = write_image(tmp_path / "t1ce.nii.gz", case.t1ce.array, AXIAL)
    first, second = tmp_path / "1.nii.gz", tmp_path / "2.nii.gz"
    assert vsclick("segment", "--t1ce", scan, "--output", first) == 0
    assert "Candidate 2: " in capsys.readouterr().out
    assert vsclick("segment", "--t1ce", scan, "--output", second, "--candidate", 2) == 0
    assert "Candidate 1: " in capsys.readouterr().out
    assert dice(read_image(first) != 0, ball(GRID, big)) > NEAR
    assert dice(read_image(second) != 0, ball(GRID, small)) > 0.8
    nowhere = tmp_path / "3.nii.gz"
    assert vsclick("segment", "--t1ce", scan, "--output", nowhere, "--candidate", 3) == 2
    assert "There is no candidate 3, only 2" in capsys.readouterr().err
    assert not nowhere.exists()


def test_a_mask_of_an_image_of_no_place_names_none_either(vsclick, files, tmp_path):
    """Else other programs, which do not place such images as Slicer does, lay it elsewhere."""
    image = nib.Nifti1Image(ball_volume().array.transpose(), None)
    image.header.set_zooms((0.75, 0.75, 1.5))
    nib.save(image, tmp_path / "t1.nii.gz")
    expected = nib.load(tmp_path / "t1.nii.gz").affine
    words = ["--t1ce", tmp_path / "t1.nii.gz", "--output"]
    assert vsclick("segment", *words, tmp_path / "found.nii.gz") == 0
    # The image's middle voxel, where Slicer places it.
    click = write_points(tmp_path / "c.mrk.json", [(-24.0, -24.0, 18.0, "include")])
    more = ["--mask", tmp_path / "found.nii.gz", "--clicks", click, "--journal", tmp_path / "j.jsonl"]
    assert vsclick("correct", *words, tmp_path / "corrected.nii", *more) == 0
    assert main(["resume", *map(str, (tmp_path / "j.jsonl", *words, tmp_path / "again.nii.gz"))]) == 0
    for name in ("found.nii.gz", "corrected.nii", "again.nii.gz"):
        mask = nib.load(tmp_path / name)
        np.testing.assert_allclose(mask.affine, expected, err_msg=name)
        assert np.asarray(mask.dataobj).any()
