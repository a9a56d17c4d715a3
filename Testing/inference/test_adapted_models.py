"""Versions that have learned here: beside the released ones, whole or not at all, and checked like them."""

import json

import numpy as np
import pytest
import torch
from handmade_models import change_entry
from VSClickCorrectLib.errors import ModelError, StorageError
from VSClickCorrectLib.inference import adapted_models
from VSClickCorrectLib.inference.adapted_models import keep_adapted
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.manifest import VERSIONS, ModelFolder, adapted_folder

TOLD = {"cases": 12, "own": [0.8, 0.9], "builtin": [0.9, 0.9]}


@pytest.fixture
def kept(user_data, bright_models):
    """Keep weights that are moved by so much; returns the entry."""

    def keep(by, told=TOLD):
        models = ModelFolder(bright_models)
        tensors = models.load_as_trained(models.entry("corrector")).state_dict()
        tensors["head.bias"] = tensors["head.bias"] + by
        return keep_adapted(models.entry("corrector"), {n: t.half() for n, t in tensors.items()}, told)

    return keep


def test_a_version_is_offered_beside_the_one_it_began_with(kept, bright_models, user_data):
    released = ModelFolder(bright_models)
    entry = kept(0.5)
    models = ModelFolder(bright_models)
    assert (entry.name, list(models.adapted)) == ("mend adapted to 12 cases", [entry.name])
    assert models.entry("corrector").name == "mend" and models.digest == released.digest
    assert list(models.entries) == list(released.entries)
    assert entry.adapted["parent"] == models.entry("corrector").sha256
    corrector = Corrector.load(models, entry.name, "cpu")
    assert corrector.identity == f"{entry.name}@{entry.sha256[:12]}"
    assert adapted_folder() == user_data / "adapted"


def test_no_other_folder_of_models_has_it(kept, model_folder, bright_models):
    entry = kept(0.5)
    other = ModelFolder(model_folder)
    assert other.adapted == {} and other.remark == ""
    with pytest.raises(ModelError, match="has no model"):
        other.entry("corrector", entry.name)


def test_the_last_versions_are_kept_and_older_weights_go(kept, bright_models):
    names = [kept(0.1 * n).name for n in range(1, VERSIONS + 3)]
    assert len(set(names)) == len(names)
    models = ModelFolder(bright_models)
    assert list(models.adapted) == names[-VERSIONS:]
    files = {path.name for path in adapted_folder().glob("*.safetensors")}
    assert files == {entry.file for entry in models.adapted.values()}
    for entry in models.adapted.values():
        models.check(entry)


def test_who_goes_back_gets_both_networks_as_they_were_then(user_data, click_models):
    models = ModelFolder(click_models)

    def keep(role, by, beside):
        parent = models.entry(role)
        tensors = models.load_as_trained(parent).state_dict()
        tensors["head.bias"] = tensors["head.bias"] + by
        told = TOLD | {"beside": beside.sha256}
        return keep_adapted(parent, {n: t.half() for n, t in tensors.items()}, told)

    first = keep("click", 0.1, models.entry("corrector"))
    corrector = keep("corrector", 0.1, first)
    # From then on the initial mask alone gets better.
    later = [keep("click", 0.1 * n, corrector) for n in range(2, 2 + VERSIONS)]
    back = ModelFolder(click_models, corrector.name)
    assert (back.entry("corrector"), back.entry("click")) == (corrector, first)
    back.check(first)
    # It is there for that, and offered no longer by itself.
    assert list(back.adapted) == [corrector.name, *(entry.name for entry in later)]
    # Its weights go with the last version that needs them.
    for n in range(2, 2 + VERSIONS):
        keep("corrector", 0.1 * n, later[-1])
    files = {path.name for path in adapted_folder().glob("*.safetensors")}
    assert first.file not in files
    assert files == {entry.file for entry in (*ModelFolder(click_models).adapted.values(), corrector)}


def test_a_version_is_as_sure_as_the_one_it_began_with_is_by_now(kept, own_models):
    """Those that learned before that was calibrated anew are not lost, nor sure by old features."""
    entry = kept(0.5)
    path = adapted_folder() / "manifest.json"
    manifest = json.loads(path.read_text())
    old = {"intercept": 1.0, "confidence": 2.0, "log_volume": 0.0, "located_log_odds": 0.0}
    manifest["models"][0]["certainty"] = old | {"features": [0.5], "features_with_t1ce": [0.5]}
    path.write_text(json.dumps(manifest))
    now = old | {"intercept": -3.0}
    change_entry(own_models, "mend", certainty=now)
    models = ModelFolder(own_models)
    assert models.remark == "" and models.adapted[entry.name].certainty == now
    # The next one that is kept finds it there.
    assert kept(0.6).name != entry.name


@pytest.mark.parametrize("dies_at", ["write_atomically", "write_text"])
def test_a_death_while_it_is_kept_leaves_the_version_before(kept, bright_models, dies_at, monkeypatch):
    before = kept(0.5)

    def dies(*_):
        raise StorageError("the drive is full.")

    with monkeypatch.context() as dying:
        dying.setattr(adapted_models, dies_at, dies)
        with pytest.raises(StorageError):
            kept(0.75)
    models = ModelFolder(bright_models)
    assert list(models.adapted) == [before.name]
    models.check(models.adapted[before.name])
    # What was left without a name goes with the next version.
    kept(1.0)
    assert len(list(adapted_folder().glob("*.safetensors"))) == 2


def test_weights_that_were_exchanged_are_refused(kept, bright_models):
    entry = kept(0.5)
    path = adapted_folder() / entry.file
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    models = ModelFolder(bright_models)
    with pytest.raises(ModelError, match="not those of the manifest"):
        Corrector.load(models, entry.name, "cpu")
    Corrector.load(models, None, "cpu")


@pytest.mark.parametrize("content", ["", "[]", '{"models": [{"name": "x"}]}', "{"])
def test_a_damaged_manifest_hinders_no_released_model_and_is_not_written_over(kept, bright_models, content):
    kept(0.5)
    path = adapted_folder() / "manifest.json"
    path.write_text(content)
    models = ModelFolder(bright_models)
    assert (
        models.adapted == {} and "cannot be read" in models.remark and "move that file away" in models.remark
    )
    Corrector.load(models, None, "cpu")
    with pytest.raises(ModelError, match="move that file away"):
        kept(0.75)
    assert path.read_text() == content


def test_a_manifest_leads_to_no_other_folder(kept, bright_models, tmp_path):
    entry = kept(0.5)
    path = adapted_folder() / "manifest.json"
    document = json.loads(path.read_text())
    for file in ("../weights.safetensors", str(tmp_path / "weights.safetensors")):
        document["models"][0]["file"] = file
        path.write_text(json.dumps(document))
        assert entry.name not in ModelFolder(bright_models).adapted


def test_the_released_weights_stay_as_they_are(kept, bright_models):
    models = ModelFolder(bright_models)
    before = models.load_as_trained(models.entry("corrector")).state_dict()
    kept(0.5)
    after = ModelFolder(bright_models).load_as_trained(models.entry("corrector")).state_dict()
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name])
    assert np.isfinite(before["head.bias"].numpy()).all()
