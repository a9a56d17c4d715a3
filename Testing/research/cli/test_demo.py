"""``vsclick demo``: three rounds on real MRML nodes."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from bright_ball import AXIAL, ball, ball_case, dice, world, write_image
from bright_ball import GRID as BALL_GRID
from handmade_models import write_bright_models
from VSClickCorrectResearch.cli import demo
from VSClickCorrectResearch.evaluation import pictures

if find_spec("slicer") is None or find_spec("matplotlib") is None:
    pytest.skip("the demo needs slicer-core and matplotlib", allow_module_level=True)

PICTURES = [f"round-{n}.png" for n in range(4)]


@pytest.fixture(scope="module", autouse=True)
def small_pictures():
    """Two slices on each picture, whose contents are tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "_SLICES", 2)
        yield


@pytest.fixture(scope="module")
def careful_models(tmp_path_factory):
    """An initial model that sees the ball's core only; the corrector sees the whole."""
    return write_bright_models(tmp_path_factory.mktemp("careful"), initial_threshold=0.85)


@pytest.fixture(scope="module")
def shown(careful_models, tmp_path_factory):
    """One demo on the ball: its folder and what it printed."""
    from contextlib import redirect_stdout
    from io import StringIO

    from VSClickCorrectLib.cli.main import main

    output, said = tmp_path_factory.mktemp("demo") / "out", StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.setattr(demo, "read_sample", lambda: SimpleNamespace(case=ball_case(), truth=ball()))
        assert (
            main(["demo", "--output", str(output), "--models", str(careful_models), "--device", "cpu"]) == 0
        )
    return SimpleNamespace(output=output, text=said.getvalue())


@pytest.fixture
def scene(shown):
    from VSClickCorrectApp.reading.saved_scenes import load_scene

    headless = load_scene(shown.output / "scene.mrb")
    yield headless.scene
    headless.close()


def printed_scores(text):
    return [float(score) for score in re.findall(r"DSC (\d\.\d+)", text)]


def journal_of(shown):
    return [json.loads(line) for line in (shown.output / "journal.jsonl").read_text().splitlines()]


def mask_in_file(path):
    """The segment's voxels on the ball's grid; Slicer crops what it writes."""
    image = sitk.ReadImage(str(path))
    back = sitk.Resample(image, reference(), sitk.Transform(), sitk.sitkNearestNeighbor, 0.0)
    return sitk.GetArrayFromImage(back) != 0


def reference():
    image = sitk.GetImageFromArray(np.zeros(BALL_GRID.shape, np.uint8))
    image.SetSpacing((0.75, 0.75, 1.5))
    image.SetOrigin((-AXIAL[0, 3], -AXIAL[1, 3], AXIAL[2, 3]))
    return image


def test_demo_leaves_scene_mask_journal_and_four_pictures_and_nothing_else(shown):
    names = {path.name for path in shown.output.iterdir()}
    assert names == {"scene.mrb", "tumour.seg.nrrd", "journal.jsonl", *PICTURES}
    for name in PICTURES:
        assert (shown.output / name).read_bytes().startswith(b"\x89PNG")


def test_score_is_printed_before_the_first_round_and_after_each_and_rises(shown):
    scores = printed_scores(shown.text)
    assert len(scores) == 4
    # What a processor rounds may cost a voxel once nearly all is right.
    assert scores[0] < min(scores[1:])
    assert all(after > before - 0.001 for before, after in pairwise(scores))
    # The core alone, up to 0.85 of the brightest, ends 5.75 mm from the middle of a ball of 7 mm.
    core = ball(radius=5.75)
    assert scores[0] == pytest.approx(dice(core, ball()), abs=0.06)
    assert scores[-1] > 0.93


def test_milliseconds_are_printed_for_each_round_with_clicks(shown):
    rounds = [line for line in shown.text.splitlines() if line.startswith("Round")]
    assert len(rounds) == 3
    assert re.search(r"\d+ ms a click \(\d+ clicks\)", rounds[0])


def test_saved_segmentation_is_what_the_last_score_speaks_of(shown):
    mask = mask_in_file(shown.output / "tumour.seg.nrrd")
    assert dice(mask, ball()) == pytest.approx(printed_scores(shown.text)[-1], abs=5e-5)


def test_journal_tells_three_rounds_and_that_all_was_undone_and_redone(shown):
    events = journal_of(shown)
    kinds = [event["event"] for event in events]
    clicks = kinds.count("edit")
    assert kinds[0] == "session"
    assert kinds.count("round") == 2
    assert clicks >= 1
    assert kinds[-2 * clicks :] == ["undo"] * clicks + ["redo"] * clicks
    assert f"redo of {clicks} click" in shown.text
    for event in events:
        if event["event"] == "edit":
            assert [click["kind"] for click in event["clicks"]] == ["boundary"]


def test_scene_reloads_with_volumes_clicks_and_journal(shown, scene):
    from VSClickCorrectLib.mrml.persistence import stored_journal

    assert {scene.GetNthNodeByClass(n, "vtkMRMLScalarVolumeNode").GetName() for n in range(2)} == {
        "T1ce",
        "T2",
    }
    points = scene.GetFirstNodeByClass("vtkMRMLMarkupsFiducialNode")
    clicked = [click["ras"] for event in journal_of(shown) for click in event.get("clicks", [])]
    placed = [points.GetNthControlPointPositionWorld(n) for n in range(points.GetNumberOfControlPoints())]
    assert np.allclose(placed, clicked, atol=1e-3)
    assert {points.GetNthControlPointDescription(n) for n in range(len(placed))} == {"boundary"}
    journal = (shown.output / "journal.jsonl").read_text()
    segmentation = scene.GetFirstNodeByName("tumour")
    assert stored_journal(segmentation, segmentation.GetSegmentation().GetNthSegmentID(0)) == journal


def test_clicks_lie_on_the_true_border(shown):
    # Every click is the centre of a voxel of the ball that has a neighbour outside.
    middle = world(BALL_GRID)[ball()].mean(axis=0)
    for event in journal_of(shown):
        for click in event.get("clicks", []):
            assert ball()[BALL_GRID.ras_to_index(click["ras"])]
            assert 5.0 < np.linalg.norm(np.array(click["ras"]) - middle) <= 7.1


def test_reloaded_segment_is_the_saved_one(shown, scene):
    from VSClickCorrectLib.mrml.segment_mask import SegmentMask

    segmentation = scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    volume = scene.GetFirstNodeByName("T1ce")
    mask = SegmentMask(segmentation, segmentation.GetSegmentation().GetNthSegmentID(0), volume)
    assert np.array_equal(mask.read(BALL_GRID.box), mask_in_file(shown.output / "tumour.seg.nrrd"))


def test_own_files_are_shown_on_a_spoiled_copy_of_the_initial_mask(
    files, vsclick, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(demo, "ROUNDS", 1)
    output = tmp_path / "out"
    assert vsclick("demo", "--t1ce", files.t1ce, "--output", output) == 0
    text = capsys.readouterr().out
    assert "No truth is known" in text
    assert "DSC" not in text
    assert {p.name for p in output.iterdir()} >= {"scene.mrb", "tumour.seg.nrrd", "journal.jsonl"}
    assert dice(mask_in_file(output / "tumour.seg.nrrd"), ball()) > 0.9


def test_own_files_without_a_tumour_are_refused(vsclick, tmp_path, capfd):
    grey = write_image(tmp_path / "grey.nii.gz", np.zeros(BALL_GRID.shape, np.int16))
    assert vsclick("demo", "--t1ce", grey, "--output", tmp_path / "out") == 2
    assert "no tumour was found" in capfd.readouterr().err.lower()
    assert not any((tmp_path / "out").iterdir())


def test_a_scene_of_somebody_else_s_is_not_written_over(refused, files, tmp_path):
    (tmp_path / "scene.mrb").write_bytes(b"an afternoon's work")
    assert "scene.mrb is there and this command did not write it" in refused("demo", "--output", tmp_path)
    own = tmp_path / "T1ce.nii.gz"
    own.write_bytes(files.t1ce.read_bytes())
    told = refused("demo", "--t1ce", own, "--output", tmp_path)
    assert "T1ce.nii.gz, which is to be read; choose another folder." in told


@pytest.mark.parametrize("blocked", ["", "below"])
def test_output_that_is_a_file_is_refused(refused, tmp_path, blocked):
    (tmp_path / "taken").write_text("here already")
    assert "taken" in refused("demo", "--output", tmp_path / "taken" / blocked)


def test_models_of_no_use_are_refused_and_nothing_is_left(refused, files, own_models, tmp_path):
    (own_models / "mend.safetensors").write_bytes(b"x")
    (tmp_path / "out").mkdir()
    refused("demo", "--t1ce", files.t1ce, "--output", tmp_path / "out", models=own_models)


def test_missing_drawing_library_is_named_with_what_to_install(tmp_path):
    # In a process of its own: here, modules imported anew would stand beside those that other tests hold.
    without_slicer = (
        "import sys; sys.modules['slicer'] = None\n"
        "from VSClickCorrectLib.cli.main import main; sys.exit(main())"
    )
    arguments = [sys.executable, "-c", without_slicer, "demo", "--output", tmp_path / "out"]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert ended.returncode == 2
    assert "slicer" in ended.stderr
    assert "vsclickcorrect[demo]" in ended.stderr
    assert not (tmp_path / "out").exists()


def test_shipped_models_climb_on_a_small_case(shipped_models, small, tmp_path, monkeypatch, capsys):
    from VSClickCorrectLib.cli.main import main

    monkeypatch.setattr(demo, "read_sample", lambda: small)
    assert main(["demo", "--output", str(tmp_path / "out")]) == 0
    scores = printed_scores(capsys.readouterr().out)
    assert scores[0] > 0.5
    assert scores[-1] > scores[0]
