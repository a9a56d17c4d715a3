"""The list of what the wheel holds and needs."""

import hashlib
import json
import subprocess
import sys
import zipfile
from shutil import copytree, ignore_patterns

import hashes
import pytest
import sbom

DOCUMENT = json.loads(sbom.PLACE.read_text(encoding="utf-8"))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="older versions are installed, which need others")
def test_it_is_up_to_date():
    assert sbom.PLACE.read_text(encoding="utf-8") == sbom.text(), "run: make sbom"


def test_it_is_cyclonedx_and_refers_to_what_is_there():
    assert (DOCUMENT["bomFormat"], DOCUMENT["specVersion"]) == ("CycloneDX", "1.6")
    names = [component["bom-ref"] for component in DOCUMENT["components"]]
    assert len(names) == len(set(names)) > 60
    [root] = DOCUMENT["dependencies"]
    assert root["ref"] == DOCUMENT["metadata"]["component"]["bom-ref"]
    assert set(root["dependsOn"]) <= set(names)


def test_every_requirement_of_users_is_there_as_it_is_pinned():
    pins, found = hashes.pinned(), {}
    for component in DOCUMENT["components"]:
        found.setdefault(component["name"], []).append(component.get("version"))
    for name in hashes.names_for("demo") + ["torch", "monai", "pydicom"]:
        if name != hashes.BUILD:
            assert found[name] == [next(iter(pin.specifier)).version for pin in pins[name]]
    required = {c["name"] for c in DOCUMENT["components"] if c["scope"] == "required"}
    assert {"numpy", "scipy", "torch", "simpleitk", "safetensors"} <= required
    assert not {"aiohttp", "matplotlib", "slicer-core"} & required


@pytest.mark.parametrize(
    "component", [c for c in DOCUMENT["components"] if c["type"] != "library"], ids=lambda c: c["name"]
)
def test_models_have_the_hashes_of_their_files(component):
    file = hashes.ROOT / "models" / f"{component['name']}.safetensors"
    assert component["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}
    ]


def test_it_is_in_the_wheel(tmp_path):
    source = tmp_path / "source"
    large = ignore_patterns("*.safetensors", "__pycache__", "*.egg-info")
    for name in ("VSClickCorrect", "models", "Resources/Samples"):
        copytree(hashes.ROOT / name, source / name, ignore=large)
    for name in ("pyproject.toml", "LICENSE"):
        (source / name).write_bytes((hashes.ROOT / name).read_bytes())
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=source, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert json.loads(archive.read("VSClickCorrectLib/sbom.cdx.json")) == DOCUMENT
