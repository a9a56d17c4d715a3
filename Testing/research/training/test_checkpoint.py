"""Checkpoints as files: what Lightning gives comes back as it was, and runs no code."""

import json

import pytest
import torch
from safetensors import safe_open
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectResearch.training import checkpoint
from VSClickCorrectResearch.training.checkpoint import SafetensorsIO


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint.safetensors"


def again(state, path):
    SafetensorsIO({}).save_checkpoint(state, path)
    return SafetensorsIO({}).load_checkpoint(path)


def test_plain_data_keeps_its_kinds(path):
    state = {
        "betas": (0.9, 0.999),
        "state": {0: {"rows": [1, 2.5, None, True]}, 1: {}},
        "limit": float("inf"),
        "": [()],
    }
    found = again(state, path)
    assert found == state
    assert isinstance(found["betas"], tuple)
    assert list(found["state"]) == [0, 1]


def test_tensors_keep_value_kind_and_layout(path):
    fast = torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last)
    state = {"fast": fast, "step": torch.tensor(3), "half": [torch.ones(2, dtype=torch.bfloat16)]}
    found = again(state, path)
    assert torch.equal(found["fast"], fast)
    assert found["fast"].stride() == fast.stride()
    assert (found["step"].item(), found["step"].dtype) == (3, torch.int64)
    assert torch.equal(found["half"][0], state["half"][0])


def test_tensors_that_share_memory_are_kept_one_by_one(path):
    whole = torch.arange(6.0)
    found = again({"whole": whole, "same": whole, "part": whole[2:4], "spread": whole[:1].expand(3)}, path)
    assert found["same"].tolist() == found["whole"].tolist() == whole.tolist()
    assert found["part"].tolist() == [2.0, 3.0]
    assert found["spread"].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", {("a", 1): 2}, lambda: 0])
def test_what_is_neither_tensor_nor_plain_data_is_refused_in_a_sentence(path, value):
    SafetensorsIO({}).save_checkpoint({"old": 1}, path)
    with pytest.raises(ModelError, match="a checkpoint cannot hold callbacks/0/mine, of the type "):
        SafetensorsIO({}).save_checkpoint({"callbacks": [{"mine": value}]}, path)
    assert SafetensorsIO({}).load_checkpoint(path) == {"old": 1}


def test_checkpoint_of_another_version_is_refused(path, monkeypatch):
    with monkeypatch.context() as later:
        later.setattr(checkpoint, "FORMAT", 3)
        SafetensorsIO({}).save_checkpoint({"w": torch.zeros(2)}, path)
    with pytest.raises(ModelError, match="is no checkpoint that can be read; remove it to begin anew"):
        SafetensorsIO({}).load_checkpoint(path)


def test_file_is_tensors_and_text_alone(path):
    SafetensorsIO({"seed": 1}).save_checkpoint({"w": torch.zeros(2), "epoch": 4}, path)
    with safe_open(path, "pt") as file:
        assert list(file.keys()) == ["w"]
        said = json.loads(file.metadata()["vsclickcorrect_training"])
    assert said["settings"] == {"seed": 1}
    assert said["state"] == {"dict": [["w", {"tensor": ["w", [0]]}], ["epoch", 4]]}


@pytest.mark.parametrize("state", [{"set": [1]}, {"tensor": ["gone", [0]]}, {"tensor": ["w", [0, 1]]}, {}])
def test_text_that_does_not_fit_its_tensors_is_refused(path, state, monkeypatch):
    monkeypatch.setattr(
        checkpoint, "_taken_apart", lambda value, name, tensors: tensors.update(value) or state
    )
    SafetensorsIO({}).save_checkpoint({"w": torch.zeros(2)}, path)
    with pytest.raises(ModelError, match="is no checkpoint that can be read"):
        SafetensorsIO({}).load_checkpoint(path)
