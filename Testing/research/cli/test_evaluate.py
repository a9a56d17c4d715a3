"""``vsclick evaluate`` on files, with models that find what is bright."""

import csv
import json
import shutil
from importlib.util import find_spec

import numpy as np
import pytest
from bright_ball import SHAPE, ball, ball_case, dice, write_image
from handmade_models import change_entry, read_manifest, write_manifest
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectResearch.evaluation import experiment, progress
from VSClickCorrectResearch.evaluation.report import WRITTEN

if any(find_spec(name) is None for name in ("matplotlib", "pandas", "skimage")):
    pytest.skip("the evaluation needs matplotlib, pandas and scikit-image", allow_module_level=True)

FILES = {"results.json", "cases.csv", "summary.md", "dice.png", "settings.json", "cases", "worst"}
FILES |= {f"case-{which}.png" for which in ("best", "middle", "worst")}
METHODS = ["mend", "no correction", "disc", "half-way threshold", "random walker"]


@pytest.fixture(scope="module", autouse=True)
def small_pictures():
    """One slice on each picture, whose contents are tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "_ROWS", 1)
        yield


@pytest.fixture(scope="module")
def cases(files, tmp_path_factory):
    """Two cases with masks and one without a tumour; not to be changed."""
    folder = tmp_path_factory.mktemp("cases")
    label = write_image(folder / "label.nii.gz", ball().astype(np.uint8))
    healthy = write_image(folder / "healthy.nii.gz", np.zeros(SHAPE, np.uint8))
    small = write_image(folder / "small.nii.gz", ball(radius=5.0).astype(np.uint8))
    path = folder / "cases.csv"
    rows = [
        ("half", files.t1ce, files.t2, label, files.mask, "real"),
        ("small", files.t1ce, "", label, small, ""),
        ("healthy", files.t1ce, "", healthy, "", ""),
    ]
    lines = [("case", "t1ce", "t2", "label", "mask", "kind"), *rows]
    path.write_text("".join(",".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def evaluated(cases, bright_models, tmp_path_factory):
    """One round on all cases from their own masks; not to be changed."""
    output = tmp_path_factory.mktemp("evaluated")
    assert main([*map(str, options(cases, output, bright_models))]) == 0
    return output


def options(cases, output, models, *more):
    return (
        ["evaluate", "--cases", cases, "--start", "mask", "--rounds", 1, "--output", output, *more]
        + ["--models", models, "--device", "cpu"]
    )  # fmt: skip


def test_folder_holds_tables_and_pictures_and_nothing_half_written(evaluated):
    assert {path.name for path in evaluated.iterdir()} == FILES
    # Of each name it is looked whether somebody else has such a file.
    assert {"settings.json", "cases", *WRITTEN} >= FILES
    assert [path.name for path in sorted((evaluated / "worst").iterdir())] == ["01.png", "02.png"]
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in evaluated.rglob("*.png"))


def test_results_are_those_of_the_masks(evaluated, files):
    results = json.loads((evaluated / "results.json").read_text("utf-8"))
    assert list(results["methods"]) == METHODS
    assert (results["cases_with_tumour"], results["cases_without_tumour"]) == (2, 1)
    half, small, healthy = results["cases"]
    assert healthy["rounds"] == {}
    starts = [dice(files.half, ball()), dice(ball(radius=5.0), ball())]
    for case, start in zip((half, small), starts, strict=True):
        for method in METHODS:
            assert case["rounds"][method][0]["scores"]["dice"] == pytest.approx(start)
        # What is bright is tumour: the network knows the ball.
        assert case["rounds"]["mend"][1]["scores"]["dice"] > max(0.9, start)
        assert case["rounds"]["no correction"][1]["scores"]["dice"] == pytest.approx(start)
    assert results["settings"]["models"][0].startswith("mend@")


def test_csv_and_summary_tell_the_same(evaluated):
    with (evaluated / "cases.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 2 * len(METHODS) * 2
    results = json.loads((evaluated / "results.json").read_text("utf-8"))
    mean = np.mean([float(r["dice"]) for r in rows if r["method"] == "mend" and r["round"] == "1"])
    assert mean == pytest.approx(results["methods"]["mend"]["dice"][1]["mean"], abs=1e-5)
    assert f"{mean:.4f} [" in (evaluated / "summary.md").read_text("utf-8")


def test_groups_are_told_in_summary_and_json(evaluated):
    results = json.loads((evaluated / "results.json").read_text("utf-8"))
    half, small = (case["rounds"]["mend"][0]["scores"]["dice"] for case in results["cases"][:2])
    volume = ball().sum() * 0.75 * 0.75 * 1.5
    (size,) = results["methods"]["mend"]["by_size"]
    assert (size["name"], size["cases"]) == ("600 to 1500 mm³", 2)
    assert 600 < volume < 1500
    assert size["dice"][0] == pytest.approx((half + small) / 2)
    kinds = results["methods"]["mend"]["by_kind"]
    assert [(kind["name"], kind["cases"], kind["dice"][0]) for kind in kinds] == [
        ("real", 1, pytest.approx(half)),
        ("not said", 1, pytest.approx(small)),
    ]
    assert "confidence" not in results
    summary = (evaluated / "summary.md").read_text("utf-8")
    assert "## By size: mend" in summary
    assert "## By kind of head: mend" in summary


def test_first_click_begins_with_an_empty_mask_and_the_products_starter(cases, vsclick, tmp_path):
    arguments = ["--start", "first-click", "--rounds", 1, "--limit", 1, "--jitter-mm", 0.5, "--seed", 2]
    assert vsclick("evaluate", "--cases", cases, "--output", tmp_path / "out", *arguments) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert [name.split("@")[0] for name in results["settings"]["models"]] == ["mend", "find", "first"]
    assert (results["settings"]["jitter_mm"], results["settings"]["off_target"]) == (0.5, 0.0)
    (case,) = results["cases"]
    start, after = case["rounds"]["mend"]
    # What is bright where the click was is tumour.
    assert start["clicks"] == 1
    assert start["scores"]["dice"] > 0.85
    assert after["clicks"] > 0
    # Every method begins alike.
    assert {rounds[0]["scores"]["dice"] for rounds in case["rounds"].values()} == {start["scores"]["dice"]}
    assert case["first"]["in the middle"] == start
    assert case["first"]["anywhere inside"]["scores"]["dice"] > 0.85
    summary = (tmp_path / "out" / "summary.md").read_text("utf-8")
    assert "One include click on an empty mask: mend" in summary
    assert "a normal error of 0.5 mm in each direction of the slice, 0.0% of them anywhere" in summary


def test_deep_clicks_are_answered_by_the_products_starter_from_whatever_start(
    files, bright_models, own_models, tmp_path, monkeypatch
):
    label = write_image(tmp_path / "label.nii.gz", ball().astype(np.uint8))
    far = np.zeros(SHAPE, np.uint8)
    far[1, 1:3, 1:3] = 1
    mask = write_image(tmp_path / "far.nii.gz", far)
    path = tmp_path / "cases.csv"
    path.write_text(f"case,t1ce,t2,label,mask\na,{files.t1ce},{files.t2},{label},{mask}\n", encoding="utf-8")
    more = ["--user", "guided", "--clicks-per-round", 1, "--no-baselines"]

    def scores(models):
        assert main([*map(str, options(path, tmp_path / "out", models, *more))]) == 0
        results = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
        shutil.rmtree(tmp_path / "out")
        return [one["scores"]["dice"] for one in results["cases"][0]["rounds"]["mend"]], results["settings"]

    asked, original = [], InitialSegmenter.propose

    def propose(self, case, click, *more):
        asked.append(click.kind)
        return original(self, case, click, *more)

    monkeypatch.setattr(InitialSegmenter, "propose", propose)
    # The mask lies elsewhere; one include click in the middle of the tumour has it found whole.
    (start, after), settings = scores(bright_models)
    assert [name.split("@")[0] for name in settings["models"]] == ["mend", "find", "first"]
    assert start == 0.0 and after > 0.8
    assert set(asked) == {ClickKind.INCLUDE}
    # A folder with nothing but a corrector is evaluated as before.
    asked.clear()
    write_manifest(own_models, [entry for entry in read_manifest(own_models) if entry["role"] == "corrector"])
    _, settings = scores(own_models)
    assert [name.split("@")[0] for name in settings["models"]] == ["mend"]
    assert asked == []


@pytest.mark.parametrize(
    "option, value", [("--jitter-mm", -1), ("--jitter-mm", "nan"), ("--off-target", 1.5)]
)
def test_hand_that_nobody_has_is_refused(option, value, cases, vsclick, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        vsclick("evaluate", "--cases", cases, "--output", tmp_path / "out", option, value)
    assert left.value.code == 2
    assert f"'{value}' is not a" in capsys.readouterr().err


def test_evaluation_that_was_stopped_goes_on_with_the_next_case(
    cases, vsclick, tmp_path, monkeypatch, capsys
):
    played = []
    original = experiment.EvaluationRun._record

    def record(self, case):
        if case.name == "small" and played == ["half"]:
            played.append("stopped")
            raise KeyboardInterrupt
        played.append(case.name)
        return original(self, case)

    monkeypatch.setattr(experiment.EvaluationRun, "_record", record)
    arguments = ["evaluate", "--cases", cases, "--start", "mask", "--rounds", 1, "--no-baselines"]
    arguments += ["--output", tmp_path / "out"]
    assert vsclick(*arguments) == 130
    assert not (tmp_path / "out" / "results.json").exists()
    assert vsclick(*arguments) == 0
    assert played == ["half", "stopped", "small", "healthy"]
    assert list(json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))["methods"]) == ["mend"]
    assert "2/3 small: DSC 0." in capsys.readouterr().out


def test_folder_of_another_evaluation_is_refused(evaluated, cases, refused):
    before = {path: path.stat().st_mtime_ns for path in evaluated.rglob("*")}
    error = refused(
        "evaluate", "--cases", cases, "--start", "mask", "--rounds", 1, "--seed", 5, "--output", evaluated
    )
    assert "another evaluation (seed: 0, not 5)" in error
    assert {path: path.stat().st_mtime_ns for path in evaluated.rglob("*")} == before


def test_fewer_cases_leave_no_picture_of_those_before(cases, bright_models, tmp_path):
    for limit, pictures in ((2, ["01.png", "02.png"]), (1, ["01.png"])):
        more = ["--no-baselines", "--limit", limit]
        assert main([*map(str, options(cases, tmp_path / "out", bright_models, *more))]) == 0
        assert sorted(path.name for path in (tmp_path / "out" / "worst").iterdir()) == pictures


def test_folder_of_the_same_weights_with_another_threshold_is_refused(cases, own_models, tmp_path, capsys):
    """Cases that were played before would stand beside cases of another mask."""
    words = [*map(str, options(cases, tmp_path / "out", own_models, "--limit", 1, "--no-baselines"))]
    assert main(words) == 0
    change_entry(own_models, "find", threshold=0.9)
    assert main(words) == 2
    assert "holds another evaluation (manifest: " in capsys.readouterr().err


def test_initial_masks_are_the_products_own_and_clicks_may_come_one_by_one(cases, vsclick, tmp_path):
    arguments = ["--start", "initial", "--one-by-one", "--clicks-per-round", 2, "--limit", 1]
    arguments += ["--no-baselines", "--rounds", 1, "--sequences", "t1ce"]
    assert vsclick("evaluate", "--cases", cases, "--output", tmp_path / "out", *arguments) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert [name.split("@")[0] for name in results["settings"]["models"]] == ["mend", "find", "first"]
    (case,) = results["cases"]
    start, after = case["rounds"]["mend"]
    assert start["scores"]["dice"] > 0.85
    # How sure the networks were of that mask, and that it is right.
    (sure,) = results["confidence"]["bins"]
    assert case["confidence"] > 0.5
    assert sure["confidence"] == pytest.approx(case["confidence"])
    assert (sure["cases"], sure["found"], results["confidence"]["area"]) == (1, 1.0, None)
    assert results["confidence"]["error"] == pytest.approx(1 - case["confidence"])
    assert (tmp_path / "out" / "calibration.png").read_bytes()[:4] == b"\x89PNG"
    assert after["clicks"] == len(after["dice"]) == len(after["milliseconds"]) > 0


def test_cohort_is_evaluated_from_spoiled_masks(vsclick, tmp_path):
    cohort = tmp_path / "cohort"
    cohort.mkdir()
    case = ball_case()
    arrays = {"t1ce": case.t1ce.array, "t2": case.t2.array, "truth": ball(), "affine": case.grid.affine}
    np.savez_compressed(cohort / "case-00000.npz", **arrays)
    arguments = ["--start", "spoiled", "--rounds", 1, "--no-baselines", "--seed", 3]
    assert vsclick("evaluate", "--cases", cohort, "--output", tmp_path / "out", *arguments) == 0
    (record,) = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))["cases"]
    start, after = record["rounds"]["mend"]
    assert start["scores"]["dice"] < 1
    assert after["scores"]["dice"] > 0.9


@pytest.mark.parametrize(
    "more, named",
    [
        (["--corrector", "nobody"], "'nobody'"),
        (["--sequences", "t2", "--start", "mask"], "Case small has no t2"),
        (["--start", "mask"], "Case healthy has no mask"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(more, named, cases, vsclick, tmp_path, capsys):
    if named.endswith("mask"):
        # A healthy case needs no mask; this one is ill.
        text = cases.read_text("utf-8").replace("healthy.nii.gz", "label.nii.gz")
        cases = tmp_path / "cases.csv"
        cases.write_text(text, encoding="utf-8")
    output = tmp_path / "out"
    assert (
        vsclick("evaluate", "--cases", cases, "--rounds", 1, "--no-baselines", "--output", output, *more) == 2
    )
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1
    assert not (output / "results.json").exists()


def test_cases_without_any_tumour_are_refused(cases, vsclick, tmp_path, capsys):
    lines = cases.read_text("utf-8").splitlines()
    alone = tmp_path / "healthy.csv"
    alone.write_text("\n".join([lines[0], lines[3]]) + "\n", encoding="utf-8")
    output = tmp_path / "out"
    assert vsclick("evaluate", "--cases", alone, "--start", "mask", "--no-baselines", "--output", output) == 2
    assert "has a tumour" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--rounds", "--clicks-per-round", "--limit"])
def test_counts_below_one_are_refused(option, cases, vsclick, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        vsclick("evaluate", "--cases", cases, "--output", tmp_path / "out", option, 0)
    assert left.value.code == 2
    assert "1 or more" in capsys.readouterr().err


@pytest.mark.parametrize("output", [".", "../lists", "alias"])
def test_list_is_not_written_over(cases, refused, tmp_path, output):
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "cases.csv").write_text(cases.read_text("utf-8"), encoding="utf-8")
    (folder / "alias").symlink_to(".")
    told = refused(
        "evaluate", "--cases", folder / "cases.csv", "--start", "mask", "--output", folder / output
    )
    assert "cases.csv, which is to be read; choose another folder." in told


def test_tables_of_somebody_else_s_are_not_written_over(cases, refused, tmp_path):
    (tmp_path / "results.json").write_text("{}")
    told = refused("evaluate", "--cases", cases, "--start", "mask", "--output", tmp_path)
    assert "results.json is there and this command did not write it" in told


def test_case_whose_label_has_changed_is_played_again(files, vsclick, tmp_path):
    label = write_image(tmp_path / "label.nii.gz", ball().astype(np.uint8))
    path = tmp_path / "cases.csv"
    path.write_text(f"case,t1ce,label,mask\na,{files.t1ce},{label},{files.mask}\n", encoding="utf-8")
    arguments = ["evaluate", "--cases", path, "--start", "mask", "--rounds", 1, "--no-baselines"]
    arguments += ["--output", tmp_path / "out"]

    def volume():
        assert vsclick(*arguments) == 0
        (case,) = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))["cases"]
        return case["volume_mm3"]

    before = volume()
    write_image(label, ball(radius=5.0).astype(np.uint8))
    assert volume() == pytest.approx(before * ball(radius=5.0).sum() / ball().sum())
