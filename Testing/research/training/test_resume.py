"""Trainings that are interrupted: going on from the last look, as if nothing had been."""

import dataclasses
import json
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import small_training
import torch
from forking import CAN_FORK
from safetensors.torch import load_file
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectResearch.training import reporter
from VSClickCorrectResearch.training.checkpoint import SafetensorsIO
from VSClickCorrectResearch.training.curves import draw_curves
from VSClickCorrectResearch.training.learner import Learner
from VSClickCorrectResearch.training.loop import fit
from VSClickCorrectResearch.training.losses import dice_bce

pytestmark = pytest.mark.usefixtures("undrawn_curves")
LONG = small_training.LONG


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The output folder of a training without an interruption; not to be changed."""
    folder = tmp_path_factory.mktemp("whole")
    small_training.train_long(folder)
    return folder


@pytest.fixture
def trained(whole, tmp_path):
    """A copy of `whole` that a test may spoil."""
    return shutil.copytree(whole, tmp_path / "trained")


def log_of(folder):
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    for row in rows:
        row.pop("seconds", None)
    return rows


def assert_alike(folder, whole):
    """All that the trainings left is the same to the bit, but for the time that they took."""
    for name in ("checkpoint.safetensors", "best.safetensors"):
        found, expected = load_file(folder / name), load_file(whole / name)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert log_of(folder) == log_of(whole)


def kill_while_it_hangs(folder, step):
    # Forked, it has imported all that it needs; where there is a GPU, torch's threads do not survive that.
    forked = CAN_FORK and not torch.cuda.is_available()
    context = multiprocessing.get_context("fork" if forked else "spawn")
    process = context.Process(target=small_training.train_hanging, args=(folder, step))
    process.start()
    while not (folder / "hangs").exists():
        assert process.exitcode is None
        time.sleep(0.05)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_killed_training_ends_with_the_weights_of_one_that_was_not(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(reporter, "draw_curves", draw_curves)
    kill_while_it_hangs(tmp_path, step=21)
    assert [row["step"] for row in log_of(tmp_path)[1:]] == [8, 16]
    network = small_training.train_long(tmp_path)
    assert_alike(tmp_path, whole)
    assert (tmp_path / "curves.png").exists()
    best = load_file(whole / "best.safetensors")
    assert all(torch.equal(tensor, best[name]) for name, tensor in network.state_dict().items())


class Death(BaseException):
    """What nothing holds up."""


@pytest.mark.parametrize("file", ["checkpoint.safetensors", "best.safetensors"])
def test_interruption_before_a_file_is_renamed_does_no_harm(whole, tmp_path, monkeypatch, file):
    written = []

    def replace(source, target):
        written.append(Path(target).name)
        if written.count(file) == 2:
            raise Death
        os.rename(source, target)

    with monkeypatch.context() as patch, pytest.raises(Death):
        patch.setattr(os, "replace", replace)
        small_training.train_long(tmp_path)
    small_training.train_long(tmp_path)
    assert_alike(tmp_path, whole)


def test_training_given_more_steps_goes_on_and_mends_half_a_line_of_its_log(whole, tmp_path):
    small_training.train_long(tmp_path, schedule=dataclasses.replace(LONG, steps=24))
    with open(tmp_path / "log.jsonl", "a") as log:
        log.write('{"step": 32, "lo')
    small_training.train_long(tmp_path)
    assert_alike(tmp_path, whole)


def test_the_whole_training_had_something_to_remember(whole):
    # Else the tests above would say less than they seem to.
    rows = log_of(whole)[1:]
    assert [row["step"] for row in rows] == [8, 16, 24, 32, 40]
    assert rows[-1]["learning_rate"] < rows[0]["learning_rate"]
    # The best look is one after the kill.
    assert max(rows[2:], key=lambda row: row["score"])["score"] > max(row["score"] for row in rows[:2])
    tensors = load_file(whole / "checkpoint.safetensors")
    assert not torch.equal(
        tensors["current_model_state/network.0.weight"], tensors["state_dict/network.0.weight"]
    )


def never(step):
    raise AssertionError("nothing is left to train")


def test_finished_training_gives_its_best_weights_without_training(trained):
    network = small_training.train_long(trained, never)
    best = load_file(trained / "best.safetensors")
    assert all(torch.equal(tensor, best[name]) for name, tensor in network.state_dict().items())


def test_best_weights_that_were_lost_are_written_again(trained, whole):
    (trained / "best.safetensors").unlink()
    small_training.train_long(trained, never)
    assert_alike(trained, whole)


@pytest.mark.parametrize("change", [{"minutes": 59.0}, {"stop_after": 1}])
def test_time_and_looks_without_gain_are_counted_over_interruptions(trained, change):
    path = trained / "checkpoint.safetensors"
    file = SafetensorsIO(
        Learner(small_training.restless_network(), dice_bce, LONG, small_training.SEED).settings
    )
    kept = file.load_checkpoint(path)
    kept["callbacks"]["Timer"]["time_elapsed"]["train"] = 3600.0
    kept["callbacks"]["_Stall{'monitor': 'score', 'mode': 'max'}"]["wait_count"] = 1
    file.save_checkpoint(kept, path)
    schedule = dataclasses.replace(LONG, steps=100, **change)
    small_training.train_long(trained, never, schedule)
    with pytest.raises(AssertionError, match="nothing is left"):
        small_training.train_long(trained, never, dataclasses.replace(LONG, steps=100, minutes=61.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.5}, "with learning_rate 0.1, not 0.5"),
        ({"val_every": 4}, "with val_every 8, not 4"),
        ({"average": 0.0}, "with average 0.8, not 0.0"),
        ({"precision": "bfloat16"}, "with precision float32, not bfloat16"),
    ],
)
def test_other_settings_are_refused_and_nothing_is_touched(trained, change, message):
    before = (trained / "checkpoint.safetensors").read_bytes()
    with pytest.raises(ModelError, match=message):
        small_training.train_long(trained, never, dataclasses.replace(LONG, **change))
    assert (trained / "checkpoint.safetensors").read_bytes() == before


def test_another_seed_or_network_is_refused(trained):
    def go_on(network, seed):
        fit(network, never, dice_bce, small_training.score, LONG, trained, seed=seed)

    with pytest.raises(ModelError, match="with seed 7, not 8"):
        go_on(small_training.restless_network(), 8)
    with pytest.raises(ModelError, match="of another network"):
        go_on(small_training.plain_network().float(), 7)


@pytest.mark.parametrize("content", [b"", b"no checkpoint"])
def test_damaged_checkpoint_is_refused_in_one_sentence(trained, content):
    path = trained / "checkpoint.safetensors"
    path.write_bytes(content or path.read_bytes()[:-9])
    with pytest.raises(ModelError, match="is no checkpoint that can be read"):
        small_training.train_long(trained, never)


def test_weights_of_someone_else_are_no_checkpoint(trained):
    shutil.copy(trained / "best.safetensors", trained / "checkpoint.safetensors")
    with pytest.raises(ModelError, match="is no checkpoint that can be read"):
        small_training.train_long(trained, never)


def test_milestones_are_counted_on_and_belong_to_the_training(tmp_path):
    falling = dataclasses.replace(LONG, milestones=(12, 30))
    small_training.train_long(tmp_path / "whole", schedule=falling)
    part = dataclasses.replace(falling, steps=24)
    small_training.train_long(tmp_path / "parts", schedule=part)
    small_training.train_long(tmp_path / "parts", schedule=falling)
    assert_alike(tmp_path / "parts", tmp_path / "whole")
    for other in (dataclasses.replace(falling, milestones=(12, 31)), LONG):
        with pytest.raises(ModelError, match=r"holds a training with milestones \[12, 30\], not"):
            small_training.train_long(tmp_path / "whole", schedule=other)


def test_training_without_milestones_is_the_same_as_before_there_were_any():
    assert not {"milestones", "decay"} & LONG.settings().keys()
