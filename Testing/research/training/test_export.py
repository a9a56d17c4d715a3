"""Releasing a model."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from VSClickCorrectLib.errors import ModelError, StorageError
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.networks.registry import build
from VSClickCorrectResearch.training import export as export_module
from VSClickCorrectResearch.training.experiments import (
    Course,
    Examples,
    Experiment,
    Objective,
    read_experiment,
)
from VSClickCorrectResearch.training.export import export

EXPERIMENTS = Path(__file__).parents[3] / "Resources" / "Experiments"
PARAMETERS = {"in_channels": 2, "out_channels": 1, "channels": [2, 3]}


@pytest.fixture
def experiment():
    return Experiment(
        name="small",
        role="initial",
        network={"name": "unet3d", **PARAMETERS},
        geometry={"spacing": [2.0, 1.0, 1.0]},
        loss=Objective("dice"),
        examples=Examples(),
        course=Course(batch=1),
    )


@pytest.fixture
def trained(tmp_path):
    """Weights of a small network, as the training loop leaves them."""
    torch.manual_seed(0)
    tensors = {n: t.numpy() for n, t in build("unet3d", **PARAMETERS).state_dict().items()}
    tensors["head.bias"][:] = 0.1  # which fp16 does not have
    folder = tmp_path / "run"
    folder.mkdir()
    save_file({n: np.ascontiguousarray(t) for n, t in tensors.items()}, folder / "best.safetensors")
    return folder / "best.safetensors"


@pytest.fixture
def models(tmp_path):
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def manifest(models):
    return json.loads((models / "manifest.json").read_text(encoding="utf-8"))


def test_weights_are_written_as_fp16_and_counters_as_they_are(experiment, trained, models):
    export(experiment, trained, "first", models)
    before, after = load_file(trained), load_file(models / "first.safetensors")
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        if tensor.dtype == np.float32:
            assert tensor.ndim > 2 or np.array_equal(after[name], tensor.astype(np.float16))
            assert after[name].dtype == np.float16
        else:
            assert np.array_equal(after[name], tensor)
            assert after[name].dtype == tensor.dtype
    # The nearest fp16 of a tenth is 1638.5 / 2**14, rounded to even.
    assert float(after["head.bias"][0]) == 1638 / 2**14


def test_weights_of_a_filter_have_six_bits(experiment, trained, models):
    export(experiment, trained, "first", models)
    before, after = load_file(trained), load_file(models / "first.safetensors")
    filters = [name for name, tensor in before.items() if tensor.ndim == 5]
    assert filters
    for was, now in ((one, other) for n in filters for one, other in zip(before[n], after[n], strict=True)):
        now = now.astype(np.float64)
        # The power of two nearest to a 31st of the largest is at most the root of two times that.
        assert np.abs(now - was).max() <= 0.51 * 2**0.5 * np.abs(was).max() / 31
        step = np.abs(now[now != 0]).min()
        assert np.abs(now).max() / step <= 2**0.5 * 31 + 1
        assert (now % 2.0 ** np.round(np.log2(np.abs(was).max() / 31)) == 0).all()


def test_a_filter_that_is_zero_stays_so(experiment, trained, models):
    tensors = load_file(trained)
    tensors["head.weight"] = np.zeros_like(tensors["head.weight"])
    save_file(tensors, trained)
    export(experiment, trained, "first", models)
    assert not load_file(models / "first.safetensors")["head.weight"].any()


def test_manifest_tells_all_that_is_needed_to_use_the_model(experiment, trained, models):
    entry = export(experiment, trained, "first", models)
    content = (models / "first.safetensors").read_bytes()
    assert manifest(models) == {
        "format": 1,
        "models": [
            {
                "name": "first",
                "role": "initial",
                "file": "first.safetensors",
                "sha256": hashlib.sha256(content).hexdigest(),
                "network": "unet3d",
                "parameters": PARAMETERS,
                "geometry": {"spacing": [2.0, 1.0, 1.0]},
                "threshold": 0.5,
                "certainty": {},
            }
        ],
    }
    assert entry == ModelFolder(models).entry("initial")


def test_exported_model_loads_and_answers_as_the_trained_one(experiment, trained, models):
    folder = ModelFolder(export(experiment, trained, "first", models) and models)
    network = folder.load(folder.entry("initial"), torch.device("cpu"))
    original = build("unet3d", **PARAMETERS).eval()
    original.load_state_dict({n: torch.from_numpy(t) for n, t in load_file(trained).items()})
    x = torch.rand(1, 2, 4, 4, 4)
    with torch.inference_mode():
        assert torch.allclose(network(x), original(x), atol=5e-3)


def test_other_models_stay_and_one_of_the_same_name_is_replaced(experiment, trained, models):
    export(experiment, trained, "first", models)
    export(replace(experiment, role="locator"), trained, "second", models)
    before = manifest(models)["models"]
    tensors = load_file(trained)
    tensors["head.bias"][:] = 0.25
    save_file(tensors, trained)
    export(experiment, trained, "first", models)
    after = {e["name"]: e for e in manifest(models)["models"]}
    assert set(after) == {"first", "second"}
    assert after["second"] == before[1]
    assert after["first"]["sha256"] != before[0]["sha256"]
    assert ModelFolder(models).entry("initial").name == "first"


def test_weights_too_large_are_refused_and_nothing_is_written(experiment, trained, models, monkeypatch):
    monkeypatch.setattr(export_module, "MAX_BYTES", 100)
    with pytest.raises(ModelError, match="the weights of first take"):
        export(experiment, trained, "first", models)
    assert not any(models.iterdir())


@pytest.mark.parametrize("name", ["locator", "initial", "corrector", "corrector-single-slice"])
def test_networks_of_the_product_fit_the_limit(name):
    network = read_experiment(EXPERIMENTS / f"{name}.toml").network
    weights = build(**network).state_dict().values()
    assert sum(2 * w.numel() for w in weights) < 15_000_000


def test_threshold_goes_into_the_manifest(experiment, trained, models):
    export(experiment, trained, "first", models, threshold=0.6)
    assert ModelFolder(models).entry("initial").threshold == 0.6


def test_a_file_that_is_no_model_s_is_not_written_over(experiment, trained, models):
    (models / "first.safetensors").write_bytes(b"somebody else's")
    with pytest.raises(StorageError, match=r"first\.safetensors is there and this command did not write it"):
        export(experiment, trained, "first", models)
    assert (models / "first.safetensors").read_bytes() == b"somebody else's"
    (models / "first.safetensors").unlink()
    for _ in range(2):
        export(experiment, trained, "first", models)
    assert [entry["name"] for entry in manifest(models)["models"]] == ["first"]


def test_the_mean_of_several_trainings_is_released(experiment, trained, models, tmp_path):
    others = []
    for number in (1, 2):
        # Whole steps of fp16 away, with a mean that it holds, too.
        others.append(tmp_path / f"other-{number}.safetensors")
        save_file(
            {name: values + np.float32(number) for name, values in load_file(trained).items()}, others[-1]
        )
    export(experiment, trained, "mean", models, others=others)
    released, one = load_file(models / "mean.safetensors"), load_file(trained)
    np.testing.assert_allclose(released["head.bias"], one["head.bias"] + 1.0, atol=1e-3)
    # 6 bits of the largest in a filter, which is below 2.
    np.testing.assert_allclose(released["head.weight"], one["head.weight"] + 1.0, atol=2 / 2**5)


def test_the_mean_of_two_networks_is_refused(experiment, trained, models, tmp_path):
    wider = build("unet3d", **{**PARAMETERS, "channels": [3, 4]}).state_dict()
    save_file({name: tensor.numpy() for name, tensor in wider.items()}, tmp_path / "wider.safetensors")
    with pytest.raises(
        ModelError, match=r"wider\.safetensors is of another network than .*best\.safetensors"
    ):
        export(experiment, trained, "mean", models, others=[tmp_path / "wider.safetensors"])
    assert not list(models.iterdir())
