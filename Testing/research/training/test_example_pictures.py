"""What is drawn of examples: which picture shows which numbers, and that the files are written."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from bright_ball import GRID, ball, ball_case, dice
from safetensors.torch import save_file
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.networks.registry import build
from VSClickCorrectResearch.training.example_pictures import (
    MISSED,
    RIGHT,
    TOO_MUCH,
    combined,
    cut_rows,
    overlap,
    slice_rows,
    source_rows,
)

CUTS = """\
role = "corrector"
[network]
name = "attention_unet2d"
in_channels = {channels}
out_channels = {slices}
channels = [2, 4]
[geometry]
size = 24
pixel_mm = 1.0
slices = {slices}
[examples]
start = "each-cut"
clicks = "drawn"
border_clicks = 2
foreground_clicks = 1
background_clicks = 1
[loss]
name = "correction"
[course]
batch = 2
"""
SLABS = """\
role = "initial"
[network]
name = "unet3d"
channels = [2, 4]
[geometry]
shape = [16, 32, 32]
intensities = "min-max"
[loss]
name = "dice"
[course]
batch = 2
"""


def cut(seed, slices=3, size=6):
    rng = np.random.default_rng(seed)
    targets = (rng.random((2, slices, size, size)) > 0.4).astype(np.float16)
    return np.concatenate([rng.random((2, slices, size, size)).astype(np.float16), targets[1:]]), targets


def test_rows_of_cuts_are_their_clicked_slices_with_the_dice_above():
    cuts, made = [cut(n) for n in range(4)], [np.random.default_rng(n).random((3, 6, 6)) for n in range(4)]
    rows, titles = cut_rows(cuts, made)
    assert list(rows) == ["T1ce", "T2", "true", "to correct", "corrected"]
    assert list(titles) == ["to correct", "corrected"]
    for n, (channels, (true, wrong)) in enumerate(cuts):
        assert np.array_equal(rows["T1ce"][n], channels[0, 1].astype(np.float32))
        assert np.array_equal(rows["T2"][n], channels[1, 1].astype(np.float32))
        assert np.array_equal(rows["true"][n], true[1])
        assert np.array_equal(rows["to correct"][n], wrong[1])
        assert np.array_equal(rows["corrected"][n], made[n][1] >= 0.5)
        assert titles["to correct"][n] == f"DSC {dice(wrong[1] > 0, true[1] > 0):.3f}"
        assert titles["corrected"][n] == f"DSC {dice(made[n][1] >= 0.5, true[1] > 0):.3f}"
    assert "corrected" not in cut_rows(cuts)[0]


@pytest.mark.parametrize(("slices", "clicked"), [(3, 1), (8, 4)])
def test_all_slices_of_a_volumetric_cut_are_shown(slices, clicked):
    channels, targets = cut(0, slices)
    rows, middle = slice_rows((channels, targets))
    assert middle == clicked
    for k in range(slices):
        assert np.array_equal(rows["T1ce"][k], channels[0, k].astype(np.float32))
        assert np.array_equal(rows["to correct"][k], targets[1, k])


def test_slices_of_a_source_go_through_the_tumour_and_show_what_is_found():
    channels = np.random.default_rng(0).random((2, 20, 5, 5)).astype(np.float16)
    truth = np.zeros((1, 20, 5, 5), np.float16)
    truth[0, 4:9, 1:3, 1:3] = 1.0
    found = np.zeros((20, 5, 5), bool)
    found[:, 2:4, 2:4] = True
    rows, titles = source_rows((channels, truth), found)
    assert titles["T1ce"] == [f"slice {k}" for k in range(5, 10)]
    assert np.array_equal(rows["T2"][2], channels[1, 6].astype(np.float32))
    assert rows["found"][0][1, 1] == pytest.approx(MISSED)
    assert rows["found"][0][2, 2] == pytest.approx(RIGHT)
    assert rows["found"][0][3, 3] == pytest.approx(TOO_MUCH)
    assert not overlap(np.zeros((2, 2), bool), np.zeros((2, 2), bool)).any()


def test_tumours_laid_over_each_other_are_counted():
    one, two = np.zeros((1, 4, 3, 3)), np.zeros((1, 4, 3, 3))
    one[0, :2, 0, 0] = 1
    two[0, 1, 0, 0] = two[0, 1, 2, 2] = 1
    found = combined([(None, one), (None, two)])
    assert found[0, 0] == 1.0
    assert found[2, 2] == pytest.approx(1 / 3)
    assert found.sum() == pytest.approx(4 / 3)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder, case = tmp_path_factory.mktemp("cohort"), ball_case()
    for n in range(2):
        np.savez(
            folder / f"case-{n:05}.npz",
            t1ce=case.t1ce.array,
            t2=case.t2.array,
            truth=ball(),
            affine=GRID.affine,
        )
    return folder


def weights_of(folder, **network):
    torch.manual_seed(0)
    path = folder / "weights.safetensors"
    save_file(build(**network).state_dict(), path)
    return str(path)


def drawn(tmp_path, cohort, text, *more):
    (tmp_path / "mine.toml").write_text(text)
    output = tmp_path / "pictures"
    command = ["examples", str(tmp_path / "mine.toml"), "--cases", str(cohort), "--output", str(output)]
    status = main([*command, *more])
    return status, {path.name for path in output.glob("[!.]*")}, output


def test_command_draws_clicks_cuts_and_slices_and_what_weights_make_of_them(tmp_path, cohort):
    text = CUTS.format(channels=9, slices=3)
    own = weights_of(tmp_path, name="attention_unet2d", in_channels=9, out_channels=3, channels=[2, 4])
    status, names, output = drawn(tmp_path, cohort, text)
    assert (status, names) == (0, {"clicks.png", "cuts.png", "slices.png", "examples.json"})
    assert json.loads((output / "examples.json").read_text())["experiment"] == "mine"
    before = sitk.GetArrayFromImage(sitk.ReadImage(str(output / "cuts.png")))
    # Its own pictures it draws anew, with a row more.
    assert drawn(tmp_path, cohort, text, "--weights", own)[0] == 0
    after = sitk.GetArrayFromImage(sitk.ReadImage(str(output / "cuts.png")))
    assert after.shape[0] > before.shape[0]


def test_command_draws_slabs_and_all_tumours(tmp_path, cohort):
    own = weights_of(tmp_path, name="unet3d", channels=[2, 4])
    status, names, _ = drawn(tmp_path, cohort, SLABS, "--weights", own)
    assert (status, names) == (0, {"seen.png", "combined.png", "examples.json"})


def test_pictures_of_somebody_else_s_are_not_written_over(tmp_path, cohort, capsys):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cuts.png").write_text("mine")
    status, _, output = drawn(tmp_path, cohort, CUTS.format(channels=3, slices=1))
    assert status == 2
    assert "cuts.png is there and this command did not write it" in capsys.readouterr().err
    assert (output / "cuts.png").read_text() == "mine"


def test_weights_of_another_network_and_cases_without_tumour_are_refused(tmp_path, cohort, capsys):
    own = weights_of(tmp_path, name="unet3d", channels=[3, 4])
    assert drawn(tmp_path, cohort, SLABS, "--weights", own)[0] == 2
    assert "weights.safetensors do not fit 'mine'" in capsys.readouterr().err
    assert drawn(tmp_path, cohort, SLABS, "--weights", own + ".old")[0] == 2
    assert "weights.safetensors.old does not exist" in capsys.readouterr().err
    healthy = tmp_path / "healthy"
    healthy.mkdir()
    case = ball_case()
    np.savez(
        healthy / "case-00000.npz",
        t1ce=case.t1ce.array,
        t2=case.t2.array,
        truth=ball() & False,
        affine=GRID.affine,
    )
    assert drawn(tmp_path, healthy, SLABS)[0] == 2
    assert "No case has a tumour" in capsys.readouterr().err
    assert not (tmp_path / "pictures").exists()
