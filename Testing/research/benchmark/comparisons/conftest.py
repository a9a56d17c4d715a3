"""A ball whose truth is a formula, and handmade networks that find it."""

from importlib.util import find_spec

import pytest
from bright_ball import GRID, ball, ball_case

_NEEDS = {
    "slicer": ("test_segment_*.py", "test_editor_undo.py"),
    "trame_slicer": ("test_editor_undo.py",),
    "monai": ("test_monai_inference.py", "test_deepedit.py"),
}
_MISSING = [package for package in _NEEDS if find_spec(package) is None]
collect_ignore_glob = [name for package in _MISSING for name in _NEEDS[package]]


@pytest.fixture(scope="session")
def case():
    return ball_case()


@pytest.fixture(scope="session")
def truth():
    return ball(GRID)


@pytest.fixture(scope="session")
def models(bright_models):
    from VSClickCorrectLib.inference.manifest import ModelFolder

    return ModelFolder(bright_models)
