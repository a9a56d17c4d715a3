"""Manifests, and weights that are checked before anything of them is used."""

import hashlib
import json
import pickle

import numpy as np
import pytest
import torch
from handmade_models import (
    UNET,
    bright_unet3d,
    change_entry,
    pickled_trap,
    read_manifest,
    vouch_for,
    write_manifest,
)
from safetensors.numpy import save
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.networks.registry import build

CPU = torch.device("cpu")
ENTRY = {"name": "a", "role": "initial", "file": "a.safetensors", "sha256": "0" * 64, "network": "unet3d"}
SPACING = {"geometry": {"spacing": [1.5, 0.75, 0.75]}}


def refused(act, *arguments):
    """Return what the ModelError says; it must be one sentence."""
    with pytest.raises(ModelError) as error:
        act(*arguments)
    message = str(error.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


def load(folder, name):
    models = ModelFolder(folder)
    return models.load(models.entries[name], CPU)


def without(*keys, **values):
    return {k: v for k, v in (ENTRY | SPACING | values).items() if k not in keys}


def test_folder_without_manifest_is_refused_by_name(tmp_path):
    message = refused(ModelFolder, tmp_path)
    assert str(tmp_path) in message
    assert "manifest.json" in message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        '{"models": [',
        "[]",
        "{}",
        "null",
        '{"models": null}',
        '{"models": [5]}',
        '{"models": {"a": 1}}',
    ],
)
def test_manifest_that_is_no_list_of_models_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    assert str(tmp_path / "manifest.json") in refused(ModelFolder, tmp_path)


def test_manifest_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe\x00\x80")
    refused(ModelFolder, tmp_path)


@pytest.mark.parametrize("key", ENTRY)
def test_entry_that_lacks_a_key_is_refused(tmp_path, key):
    write_manifest(tmp_path, [without(key)])
    assert key in refused(ModelFolder, tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        without(colour="green"),
        without(role="painter"),
        without(role=None),
        without(sha256=5),
        without(file=None),
        without(name=["a"]),
        without(network={}),
        without(parameters=[1, 2]),
        without(geometry=None),
        without(threshold="half"),
        without(geometry={}),
        without(geometry={"spacing": [1.5, 0.75]}),
        without(geometry={"spacing": [1.5, 0.75, 0]}),
        without(geometry={"spacing": "fine"}),
        without(role="corrector", geometry={"size": 48, "pixels": 3}),
        without(role="corrector", geometry={"size": "large"}),
        without(role="corrector", geometry={"slices": 0}),
        without(role="corrector", geometry={"pixel_mm": -0.6}),
        without(role="corrector", geometry={"size": 512, "slices": 512}),
        without(role="corrector", geometry={"pixel_mm": 1e9}),
        without(role="corrector", geometry={"slice_mm": 1e-9}),
        without(geometry={"spacing": [1e-3, 3, 3]}),
        without(geometry={"spacing": [3, 3, 3], "shape": [40, 256, 256]}),
        without(geometry={"shape": [40, 256]}),
        without(geometry={"shape": [40, 512, 512]}),
        without(geometry={"spacing": [3, 3, 3], "intensities": "min-max"}),
        without(role="corrector", geometry={"intensities": "bright"}),
    ],
    ids=str,
)
def test_entry_with_a_value_of_no_use_is_refused(tmp_path, wrong):
    write_manifest(tmp_path, [ENTRY | {"name": "good"} | SPACING, wrong])
    assert str(tmp_path / "manifest.json") in refused(ModelFolder, tmp_path)


SURE = {"intercept": -1.0, "confidence": 2.0, "log_volume": 0.3, "located_log_odds": 0.1}
FEATURES = ("features", "features_with_t1ce", "features_least", "features_most")


@pytest.mark.parametrize("features", ["many", 2.0, [], ["a"], [[1.0]]])
def test_features_that_are_no_list_of_numbers_are_refused(tmp_path, features):
    lists = dict.fromkeys(FEATURES, features)
    write_manifest(tmp_path, [without(role="click", certainty=SURE | lists)])
    assert "a number" in refused(ModelFolder, tmp_path) or "a list of numbers" in refused(
        ModelFolder, tmp_path
    )


def test_two_models_of_one_name_are_refused(tmp_path):
    write_manifest(tmp_path, [ENTRY | SPACING | {"name": name} for name in ("twin", "other", "twin")])
    assert "two models are called 'twin'" in refused(ModelFolder, tmp_path)


@pytest.mark.parametrize("name", ["manifest.json", "first.safetensors"])
def test_files_larger_than_any_here_are_refused_unread(own_models, name):
    with (own_models / name).open("r+b") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(ModelError, match=f"{name} is larger than .* MB, as no .* here; install"):
        load(own_models, "first")


def test_entries_keep_what_the_manifest_says(tmp_path):
    write_manifest(tmp_path, [without(threshold=0.4, parameters={"channels": [4, 8]})])
    entry = ModelFolder(tmp_path).entry("initial")
    assert (entry.name, entry.role, entry.file, entry.network) == ("a", "initial", "a.safetensors", "unet3d")
    assert (entry.threshold, entry.parameters, entry.geometry) == (
        0.4,
        {"channels": [4, 8]},
        SPACING["geometry"],
    )


def test_threshold_is_one_half_where_the_manifest_says_nothing(tmp_path):
    write_manifest(tmp_path, [without()])
    assert ModelFolder(tmp_path).entry("initial").threshold == 0.5


def test_first_model_of_a_role_is_taken_unless_one_is_named(tmp_path):
    write_manifest(tmp_path, [without(), without(name="b"), without(name="c", role="locator")])
    models = ModelFolder(tmp_path)
    assert models.entry("initial").name == "a"
    assert models.entry("initial", "b").name == "b"
    assert models.entry("locator").name == "c"


@pytest.mark.parametrize(
    ("role", "name", "there"),
    [
        ("corrector", None, "a, c"),
        ("painter", None, "a, c"),
        ("initial", "c", "a"),
        ("initial", "d", "a"),
        ("corrector", "a", "none"),
    ],
)
def test_asking_for_a_model_that_is_not_there_names_those_that_would_do(tmp_path, role, name, there):
    write_manifest(tmp_path, [without(), without(name="c", role="locator")])
    message = refused(ModelFolder(tmp_path).entry, role, name)
    assert role in message
    assert message.endswith(f"; it has {there}.")


def test_a_corrector_or_version_that_is_not_there_is_answered_by_those_alone(model_folder):
    """A locator's name would be refused in its place."""
    message = refused(ModelFolder(model_folder, "nobody").entry, "corrector")
    names = [entry["name"] for entry in read_manifest(model_folder) if entry["role"] == "corrector"]
    assert message.endswith(f"no model 'nobody' of role corrector; it has {', '.join(names)}.")
    assert len(names) < len(read_manifest(model_folder))


def test_exported_random_models_load_for_every_role(model_folder):
    models = ModelFolder(model_folder)
    for role in ("locator", "initial", "corrector"):
        models.load(models.entry(role), CPU)


def test_a_loaded_network_answers_by_the_weights_of_its_file(model_folder):
    from safetensors.numpy import load_file

    entry = ModelFolder(model_folder).entry("corrector", "small-corrector")
    released = load_file(model_folder / entry.file)
    assert {values.dtype for values in released.values()} <= {np.dtype(np.float16), np.dtype(np.int64)}
    wide = {
        name: torch.from_numpy(values.astype(np.float32) if values.dtype == np.float16 else values)
        for name, values in released.items()
    }
    expected = build(entry.network, **entry.parameters)
    expected.load_state_dict(wide)
    x = torch.rand(1, 20, 48, 48, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(load(model_folder, "small-corrector")(x), expected.eval()(x))


def test_loaded_network_is_ready_to_predict(model_folder):
    network = load(model_folder, "small-initial")
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_weights_with_another_hash_are_refused_and_both_hashes_named(own_models):
    path = own_models / "first.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    message = refused(load, own_models, "first")
    assert hashlib.sha256(content).hexdigest()[:12] in message
    assert next(e["sha256"] for e in read_manifest(own_models) if e["name"] == "first")[:12] in message


def test_missing_weights_are_refused_by_name(own_models):
    (own_models / "first.safetensors").unlink()
    assert "first.safetensors" in refused(load, own_models, "first")


def test_folder_in_place_of_weights_is_refused(own_models):
    (own_models / "first.safetensors").unlink()
    (own_models / "first.safetensors").mkdir()
    assert "first.safetensors" in refused(load, own_models, "first")


@pytest.mark.parametrize("kept", [0, 4, 8, 100, -1, -1000])
def test_truncated_weights_that_the_manifest_vouches_for_are_refused(own_models, kept):
    vouch_for(own_models, "first", (own_models / "first.safetensors").read_bytes()[:kept])
    assert "first.safetensors" in refused(load, own_models, "first")


def test_pickle_dressed_as_weights_is_refused_and_never_opened(own_models, tmp_path):
    trap = tmp_path / "sprung"
    vouch_for(own_models, "first", pickled_trap(trap))
    assert "first.safetensors" in refused(load, own_models, "first")
    assert not trap.exists()
    # The trap itself works: whoever unpickles it springs it.
    pickle.loads(pickled_trap(trap))["head.weight"].close()
    assert trap.exists()


def test_weights_of_an_unknown_number_type_are_refused(own_models):
    header = json.dumps({"head.bias": {"dtype": "F99", "shape": [1], "data_offsets": [0, 2]}}).encode()
    vouch_for(own_models, "first", len(header).to_bytes(8, "little") + header + b"\0\0")
    assert "first.safetensors" in refused(load, own_models, "first")


def reshaped(tensors):
    tensors["head.weight"] = np.zeros((1, 3, 1, 1, 1), np.float16)


def shortened(tensors):
    del tensors["head.weight"]


def lengthened(tensors):
    tensors["tail.weight"] = np.zeros((1, 2, 1, 1, 1), np.float16)


@pytest.mark.parametrize(
    "spoil, named", [(reshaped, "head.weight"), (shortened, "head.weight"), (lengthened, "tail.weight")]
)
def test_weights_that_do_not_fit_the_network_are_refused_by_the_layer(own_models, spoil, named):
    tensors = {n: np.ascontiguousarray(t) for n, t in bright_unet3d(0.5).items()}
    spoil(tensors)
    vouch_for(own_models, "first", save(tensors))
    message = refused(load, own_models, "first")
    assert named in message
    assert "unet3d" in message


@pytest.mark.parametrize(
    "change, named",
    [
        ({"network": "unet4d"}, "unet4d"),
        ({"parameters": UNET | {"depth": 4}}, "depth"),
        ({"parameters": UNET | {"channels": [2, 0]}}, "channels"),
        ({"parameters": UNET | {"channels": [4, 8]}}, "unet3d"),
    ],
)
def test_network_that_cannot_be_built_as_the_manifest_says_is_refused(own_models, change, named):
    change_entry(own_models, "first", **change)
    assert named in refused(load, own_models, "first")


def test_network_of_other_channels_than_its_role_is_shown_is_refused(own_models):
    parameters = {"in_channels": 4, "out_channels": 1, "channels": [2, 1]}
    network = build("unet3d", **parameters)
    vouch_for(own_models, "first", save({name: t.numpy() for name, t in network.state_dict().items()}))
    change_entry(own_models, "first", parameters=parameters)
    said = refused(load, own_models, "first")
    assert "the network of first takes 4 channels, but a model of role initial is shown 2" in said


def test_corrector_whose_cuts_are_not_those_of_its_network_is_refused(own_models):
    geometry = {"size": 48, "slices": 3, "click_map": True}
    change_entry(own_models, "mend", geometry=geometry)
    assert "mend" in refused(Corrector.load, ModelFolder(own_models))


def test_unknown_or_missing_device_is_refused(bright_models, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    models = ModelFolder(bright_models)
    for device in ("tpu", "cuda", ""):
        assert f"'{device}'" in refused(Corrector.load, models, None, device)
        assert f"'{device}'" in refused(InitialSegmenter.load, models, device)


def test_folder_of_weights_loads_after_it_was_moved(own_models, tmp_path):
    load(own_models.rename(tmp_path / "elsewhere"), "first")


def test_shipped_weights_are_those_of_the_manifest_and_small_enough(shipped_models):
    for entry in read_manifest(shipped_models):
        content = (shipped_models / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        assert len(content) <= 15_000_000


def test_shipped_models_are_found_without_naming_a_folder_and_fill_every_role(shipped_models):
    models = ModelFolder()
    for role in ("locator", "click", "corrector"):
        entry = models.entry(role)
        assert entry.role == role
        assert models.load(entry, CPU) is not None
