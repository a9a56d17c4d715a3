"""Running an experiment: from cohort folders to weights, figures and a released model."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from bright_ball import GRID, ball, ball_case
from handmade_models import read_manifest, write_manifest
from safetensors.torch import load_file, save_file
from small_experiments import experiment_text, write_balls
from volume_files import written
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.errors import ModelError, StorageError
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.io.outputs import writing_into
from VSClickCorrectLib.networks.registry import build
from VSClickCorrectResearch.training import train as training_of_experiments
from VSClickCorrectResearch.training.experiments import read_experiment
from VSClickCorrectResearch.training.schedule import Schedule
from VSClickCorrectResearch.training.train import train

pytestmark = pytest.mark.usefixtures("undrawn_curves")
COURSE = {"batch": 4, "steps": 4, "val_every": 2}
CORRECTOR = experiment_text(
    "corrector", examples={"rounds": 1, "start": "spoiled"}, loss={"sparing": 1.0}, course=COURSE
)
INITIAL = experiment_text(
    "initial", loss={"name": "focal_tversky", "entropy": 1.0}, course={**COURSE, "batch": 2}
)
SLICES = experiment_text(
    "initial",
    network={"name": "unet2d", "channels": None, "depth": 2, "features": 2},
    examples={"crop": [1, 16, 16]},
    course={"batch": 8, "steps": 6, "val_every": 2, "learning_rate": 1e-2, "epoch": 2, "milestones": [1, 2]},
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_balls(tmp_path_factory.mktemp("cohort"))


def experiment(folder: Path, text: str = CORRECTOR, rounds: int = 1, start: str = "spoiled") -> Path:
    path = folder / "small.toml"
    path.write_text(text.replace("rounds = 1", f"rounds = {rounds}").replace("spoiled", start))
    return path


def run(path, cohort, output, **more):
    schedule = Schedule(4, val_every=2, threads=1, device="cpu")
    return train(read_experiment(path), (cohort, cohort), output, schedule, seed=1, **more)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"loss": {"sparing": 0.5}}, r"with loss .*'sparing': 1.0.*, not .*'sparing': 0.5"),
        ({"course": {**COURSE, "batch": 2}}, "with batch 4, not 2"),
        ({"examples": {"rounds": 1, "start": "spoiled", "missing_t2": 0.5}}, "with examples "),
    ],
)
def test_a_training_goes_on_with_the_experiment_with_which_it_began_and_no_other(
    cohort, tmp_path, change, told
):
    as_it_was = {"examples": {"rounds": 1, "start": "spoiled"}, "loss": {"sparing": 1.0}, "course": COURSE}
    output = tmp_path / "trained"
    first = run(experiment(tmp_path), cohort, output)
    with pytest.raises(ModelError, match=f"holds a training {told}"):
        run(experiment(tmp_path, experiment_text("corrector", **(as_it_was | change))), cohort, output)
    assert run(experiment(tmp_path), cohort, output) == first


@pytest.mark.parametrize("which", ["training", "validation"])
def test_a_training_goes_on_with_the_cases_with_which_it_began_and_no_others(cohort, tmp_path, which, capsys):
    for name in ("moved", "more"):
        (tmp_path / name).mkdir()
    moved, more = write_balls(tmp_path / "moved"), write_balls(tmp_path / "more", count=2)
    small, output = read_experiment(experiment(tmp_path)), tmp_path / "trained"

    def trained(*cohorts):
        return train(small, cohorts, output, Schedule(4, val_every=2, threads=1, device="cpu"), seed=1)

    first = trained(cohort, moved)
    assert "also learned from" not in capsys.readouterr().out
    with pytest.raises(ModelError, match=f"holds a training with other {which} cases; give the same"):
        trained(*((more, moved) if which == "training" else (cohort, more)))
    # Where they lie does not matter; what chooses weights is not to be learned from.
    assert trained(cohort, cohort) == first
    assert "1 of 1 validation cases are also learned from" in capsys.readouterr().out


def test_a_training_of_a_version_that_kept_no_experiment_goes_on(cohort, tmp_path, monkeypatch):
    output = tmp_path / "trained"
    with monkeypatch.context() as earlier:
        earlier.setattr(training_of_experiments, "_taught", lambda experiment: {})
        earlier.setattr(training_of_experiments, "made_of", lambda *_: {})
        first = run(experiment(tmp_path), cohort, output)
    assert run(experiment(tmp_path), cohort, output) == first


def test_two_trainings_at_once_do_not_share_a_folder(cohort, tmp_path):
    output = tmp_path / "trained"
    with writing_into(output), pytest.raises(StorageError, match="another command is writing into"):
        run(experiment(tmp_path), cohort, output)
    assert list(output.iterdir()) == []
    run(experiment(tmp_path), cohort, output)
    assert not (output / ".vsclick.lock").exists()


def test_a_training_goes_on_with_the_weights_with_which_it_began(cohort, tmp_path):
    """They play the rounds of what is learned from; another time they would play them otherwise."""
    small, output = experiment(tmp_path, rounds=2), tmp_path / "trained"
    first = run(small, cohort, output, weights=weights(tmp_path))
    with pytest.raises(ModelError, match="holds a training that began with other weights; give the same"):
        run(small, cohort, output, weights=weights(tmp_path, seed=6))
    assert run(small, cohort, output, weights=weights(tmp_path)) == first


def test_a_training_goes_on_with_the_masks_of_the_same_networks(cohort, tmp_path, own_models):
    small, output = experiment(tmp_path, start="initial"), tmp_path / "trained"
    run(small, cohort, output, models=ModelFolder(own_models))
    entries = read_manifest(own_models)
    (finds,) = (entry for entry in entries if entry["role"] == "initial")
    tensors = {name: tensor * 0.5 for name, tensor in load_file(own_models / finds["file"]).items()}
    save_file(tensors, own_models / finds["file"])
    finds["sha256"] = hashlib.sha256((own_models / finds["file"]).read_bytes()).hexdigest()
    write_manifest(own_models, entries)
    with pytest.raises(ModelError, match="holds a training of other networks' masks; give the same"):
        run(small, cohort, output, models=ModelFolder(own_models))


def test_command_trains_writes_figures_and_releases(cohort, tmp_path, capsys):
    models = tmp_path / "models"
    models.mkdir()
    (models / "manifest.json").write_text('{"format": 1, "models": []}')
    path = experiment(tmp_path, INITIAL)
    command = ["train", str(path), "--training", str(cohort), "--validation", str(cohort), "--threads", "1"]
    release = ["--release", "tiny", "--threshold", "0.4", "--models", str(models), "--device", "cpu"]
    assert main([*command, "--output", str(tmp_path / "run"), *release]) == 0
    assert "Released as tiny.safetensors" in capsys.readouterr().out
    entry = ModelFolder(models).entry("initial")
    assert (entry.name, entry.threshold, entry.geometry) == ("tiny", 0.4, {"spacing": [2.0, 2.0, 2.0]})
    written = json.loads((tmp_path / "run" / "result.json").read_text())
    assert written["experiment"]["loss"]["name"] == "focal_tversky"
    assert 0.0 <= written["result"]["dsc"] <= 1.0
    assert written["result"]["volumes"] == 1
    # Released once more, with itself: the mean of the two is either.
    again = ["--mean-with", str(tmp_path / "run"), "--output", str(tmp_path / "run")]
    released = (models / "tiny.safetensors").read_bytes()
    assert main([*command, *release, *again]) == 0
    assert (models / "tiny.safetensors").read_bytes() == released


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--release", "tiny", "--mean-with", "nowhere"], "nowhere/best.safetensors does not exist"),
        (["--mean-with", "nowhere"], "--mean-with is of what is released; name it with --release"),
    ],
)
def test_a_mean_that_cannot_be_released_is_refused_before_anything_is_read(
    more, told, tmp_path, own_models, capsys
):
    command = ["train", str(experiment(tmp_path, INITIAL)), "--training", str(tmp_path / "nowhere")]
    command += ["--validation", str(tmp_path / "nowhere"), "--output", str(tmp_path / "run")]
    assert main([*command, *more, "--models", str(own_models)]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [("taken", "this command did not write it"), ("../up", "'../up' cannot be a model's name")],
)
def test_a_name_that_cannot_be_released_is_refused_before_anything_is_read(
    name, told, tmp_path, own_models, capsys
):
    (own_models / "taken.safetensors").write_bytes(b"somebody's")
    command = ["train", str(experiment(tmp_path, INITIAL)), "--training", str(tmp_path / "nowhere")]
    command += ["--validation", str(tmp_path / "nowhere"), "--output", str(tmp_path / "run")]
    assert main([*command, "--release", name, "--models", str(own_models)]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_cases_without_a_tumour_teach_no_corrector_and_that_is_said(cohort, tmp_path, capsys):
    healthy, case = tmp_path / "healthy", ball_case()
    healthy.mkdir()
    arrays = {"t1ce": case.t1ce.array, "t2": case.t2.array, "truth": ball() & False, "affine": GRID.affine}
    np.savez(healthy / "case-00000.npz", **arrays)
    command = ["train", str(experiment(tmp_path)), "--output", str(tmp_path / "run"), "--device", "cpu"]
    assert main([*command, "--training", str(healthy), "--validation", str(cohort)]) == 2
    assert "No training case has a tumour to click on" in capsys.readouterr().err
    assert main([*command, "--training", str(cohort), "--validation", str(healthy)]) == 2
    assert "the validation set needs cases with a tumour" in capsys.readouterr().err


def test_model_of_slices_is_trained_released_and_finds_by_its_entry(cohort, tmp_path, own_models):
    command = ["train", str(experiment(tmp_path, SLICES)), "--training", str(cohort), "--threads", "1"]
    command += ["--validation", str(cohort), "--output", str(tmp_path / "run"), "--device", "cpu"]
    entries = [entry for entry in read_manifest(own_models) if entry["role"] != "initial"]
    write_manifest(own_models, entries)
    assert main([*command, "--release", "slices", "--models", str(own_models)]) == 0
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["learning_rate"] for row in log[1:]] == pytest.approx([1e-3, 1e-4, 1e-4])
    segmenter = InitialSegmenter.load(ModelFolder(own_models), "cpu")
    assert segmenter.segmenter.entry.network == "unet2d"
    assert segmenter.segment(ball_case()).on(GRID).shape == GRID.shape


def test_package_that_is_missing_is_named(cohort, tmp_path, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("VSClickCorrectResearch.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pytorch_lightning", None)
    command = ["train", str(experiment(tmp_path)), "--training", str(cohort), "--validation", str(cohort)]
    assert main([*command, "--output", str(tmp_path / "run")]) == 2
    assert (
        "needs the package pytorch_lightning: pip install 'vsclickcorrect[train]'" in capsys.readouterr().err
    )
    assert not (tmp_path / "run").exists()


def test_one_seed_gives_the_same_weights(cohort, tmp_path):
    path = experiment(tmp_path)
    first, second = (run(path, cohort, tmp_path / name) for name in ("a", "b"))
    assert first == second
    one, other = (load_file(tmp_path / name / "best.safetensors") for name in ("a", "b"))
    assert all(torch.equal(one[n], other[n]) for n in one)


def test_cases_may_come_from_a_list_of_files(cohort, tmp_path):
    case = ball_case()
    written(tmp_path / "t1ce.nii.gz", case.t1ce.array, GRID)
    written(tmp_path / "t2.nii.gz", case.t2.array, GRID)
    written(tmp_path / "label.nii.gz", ball().astype(np.uint8), GRID)
    listed = tmp_path / "cases.csv"
    listed.write_text("case,t1ce,t2,label\nball,t1ce.nii.gz,t2.nii.gz,label.nii.gz\n")
    path = experiment(tmp_path)
    assert run(path, listed, tmp_path / "a") == run(path, cohort, tmp_path / "b")


def weights(folder, seed=5):
    torch.manual_seed(seed)
    path = folder / "weights.safetensors"
    save_file(build("attention_unet2d", in_channels=3, channels=[8, 16]).state_dict(), path)
    return path


def test_later_rounds_are_played_by_the_weights_to_go_on_from(cohort, tmp_path):
    first = run(experiment(tmp_path), cohort, tmp_path / "one")
    both = run(experiment(tmp_path, rounds=2), cohort, tmp_path / "two", weights=weights(tmp_path))
    assert both["cuts"] > first["cuts"]


def test_later_rounds_without_weights_are_refused(cohort, tmp_path):
    with pytest.raises(ModelError, match="'small' learns from later rounds; name --weights"):
        run(experiment(tmp_path, rounds=2), cohort, tmp_path / "run")


def test_mistakes_of_the_initial_model_can_be_what_is_corrected(cohort, tmp_path, bright_models):
    """Their initial mask is nearly the ball itself; masks spoiled on purpose are not."""
    own = run(
        experiment(tmp_path, start="initial"), cohort, tmp_path / "a", models=ModelFolder(bright_models)
    )
    mixed = run(
        experiment(tmp_path, start="mixed"), cohort, tmp_path / "b", models=ModelFolder(bright_models)
    )
    assert own["uncorrected"] > 0.9
    assert own["cuts"] > 0
    assert 0 < mixed["uncorrected"] < own["uncorrected"]


def test_cuts_of_the_truth_can_be_spoiled_one_by_one(cohort, tmp_path):
    """A fifth of the cuts is right, and no error reaches far."""
    text = CORRECTOR.replace("masks = 1", 'masks = 1\nclicks = "drawn"\nborder_clicks = 3')
    found = run(experiment(tmp_path, text, start="each-cut"), cohort, tmp_path / "run")
    assert found["cuts"] > 20
    assert 0.5 < found["uncorrected"] < 1.0


def test_cuts_can_be_where_the_thesis_user_clicks_on_the_models_mistakes(cohort, tmp_path, bright_models):
    text = CORRECTOR.replace("masks = 1", 'masks = 1\nclicks = "algorithm-1"')
    found = run(
        experiment(tmp_path, text, start="found"), cohort, tmp_path / "a", models=ModelFolder(bright_models)
    )
    assert found["uncorrected"] > 0.8
    assert found["cuts"] > 10


SLABS = INITIAL.replace("spacing = [2.0, 2.0, 2.0]", 'shape = [16, 32, 40]\nintensities = "min-max"')


def test_model_of_slabs_is_trained_released_and_finds_by_its_entry(cohort, tmp_path, own_models):
    text = SLABS.replace("crop = [8, 8, 8]", "crop = [16, 32, 40]\naugmented = false")
    command = ["train", str(experiment(tmp_path, text)), "--training", str(cohort), "--threads", "1"]
    command += ["--validation", str(cohort), "--output", str(tmp_path / "run"), "--device", "cpu"]
    entries = [entry for entry in read_manifest(own_models) if entry["role"] != "initial"]
    write_manifest(own_models, entries)
    assert main([*command, "--release", "slabs", "--models", str(own_models)]) == 0
    segmenter = InitialSegmenter.load(ModelFolder(own_models), "cpu")
    (window,) = segmenter.windows(ball_case())
    assert window.geometry.shape == (16, 32, 40)
    assert segmenter.segment(ball_case()).on(GRID).shape == GRID.shape


def test_weights_of_another_network_are_refused(cohort, tmp_path):
    path = tmp_path / "other.safetensors"
    save_file(build("attention_unet2d", in_channels=3, channels=[8, 24]).state_dict(), path)
    with pytest.raises(ModelError, match=r"other.safetensors do not fit 'small' .*; name others"):
        run(experiment(tmp_path), cohort, tmp_path / "run", weights=path)


def test_what_is_learnt_from_is_not_written_over(cohort, tmp_path):
    with pytest.raises(StorageError, match="is or lies in .*cohort.*, which is to be read"):
        run(experiment(tmp_path), cohort, cohort / "run")
    own = weights(tmp_path)
    with pytest.raises(StorageError, match=r"holds .*weights\.safetensors, which is to be read"):
        run(experiment(tmp_path), cohort, tmp_path, weights=own)


@pytest.mark.parametrize("name", ["best.safetensors", "log.jsonl", "curves.png", "result.json"])
def test_files_of_somebody_else_s_are_not_written_over(cohort, tmp_path, name):
    output = tmp_path / "run"
    output.mkdir()
    (output / name).write_text('{"mine": 1}')
    with pytest.raises(StorageError, match=f"{name} is there and this command did not write it"):
        run(experiment(tmp_path), cohort, output)
    assert [p.name for p in output.iterdir()] == [name]


def test_a_training_killed_before_its_first_checkpoint_begins_anew(cohort, tmp_path):
    output = tmp_path / "run"
    first = run(experiment(tmp_path), cohort, output)
    for path in output.iterdir():
        if path.is_file() and path.name != "log.jsonl":
            path.unlink()
    assert run(experiment(tmp_path), cohort, output) == first
