"""What the Extensions Manager and the Extensions Index ask of the extension."""

import json
import re
import struct

import pytest
from module_files import MODULE, ROOT

CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
INDEX = json.loads(
    (ROOT / "Resources" / "ExtensionsIndex" / "VSClickCorrect.json").read_text(encoding="utf-8")
)


def extension(name):
    return re.search(rf'^set\(EXTENSION_{name} "([^"]+)"\)$', CMAKE, re.MULTILINE)[1]


@pytest.mark.parametrize(
    "name", ["HOMEPAGE", "CATEGORY", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS", "DEPENDS"]
)
def test_metadata_is_there(name):
    assert extension(name)


def test_pictures_of_the_metadata_are_in_the_repository():
    base = "https://raw.githubusercontent.com/VSClickCorrect/SlicerVSClickCorrect/main/"
    for url in [extension("ICONURL"), *extension("SCREENSHOTURLS").split()]:
        assert url.startswith(base)
        assert (ROOT / url.removeprefix(base)).is_file(), url


def test_icons_have_the_size_that_slicer_wants():
    for path in (
        ROOT / "Resources" / "VSClickCorrect.png",
        MODULE / "Resources" / "Icons" / "VSClickCorrect.png",
    ):
        assert struct.unpack(">II", path.read_bytes()[16:24]) == (128, 128)


def test_index_entry_follows_the_schema_and_agrees_with_cmake():
    """The keys of the catalogue's schema v1.0.1 that other entries have, and no other."""
    assert set(INDEX) == {
        "$schema",
        "build_dependencies",
        "build_subdirectory",
        "category",
        "scm_revision",
        "scm_url",
        "tier",
    }
    assert INDEX["$schema"].endswith("slicer-extension-catalog-entry-schema-v1.0.1.json#")
    assert INDEX["build_dependencies"] == extension("DEPENDS").split()
    assert INDEX["category"] == extension("CATEGORY")
    assert INDEX["scm_url"] == extension("HOMEPAGE")
    assert INDEX["tier"] == 3


def test_self_test_runs_under_ctest():
    text = (ROOT / "Testing" / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "slicer_add_python_unittest(" in text
    assert (MODULE / "VSClickCorrect.py").is_file()
