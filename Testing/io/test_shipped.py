"""Where the product's own files are looked for."""

import json

import pytest
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.io import shipped
from VSClickCorrectLib.io.shipped import sample_folder


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An installation and a checkout, both empty."""
    checkout = {"models": tmp_path / "models", "samples": tmp_path / "Resources" / "Samples"}
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "package")
    monkeypatch.setattr(shipped, "_IN_CHECKOUT", checkout)
    return tmp_path / "package", checkout


def fill(models, samples):
    for folder in (models, samples):
        folder.mkdir(parents=True)
    (models / "manifest.json").write_text(json.dumps({"models": []}))


def test_models_and_sample_are_looked_for_in_the_package_then_in_the_checkout(places):
    package, checkout = places
    fill(checkout["models"], checkout["samples"])
    assert (ModelFolder().folder, sample_folder()) == (checkout["models"], checkout["samples"])
    fill(package / "models", package / "samples")
    assert (ModelFolder().folder, sample_folder()) == (package / "models", package / "samples")


def test_what_is_missing_is_named_where_an_installation_has_it(places):
    package, _ = places
    with pytest.raises(ImageError, match="package/samples with the sample case is missing; install"):
        sample_folder()
    assert shipped.shipped_folder("models") == package / "models"
