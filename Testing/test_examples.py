"""The examples in docstrings do what they show."""

import doctest
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "VSClickCorrect"
MODULES = sorted(
    ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    for path in SOURCE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
# An array, a corrector of one's own, a scene: whoever comes anew begins with these.
SHOWN = {
    "VSClickCorrectLib.session.correction": {"CorrectionSession"},
    "VSClickCorrectLib.session.proposers": {"Proposer"},
    "VSClickCorrectApp.headless_scene": {"HeadlessScene"},
}


def examples_of(name):
    """Return the examples of a module that has any, by the class or function that shows them."""
    if (".mrml." in name or name.endswith(".headless_scene")) and find_spec("slicer") is None:
        pytest.skip("slicer is not installed")
    found = doctest.DocTestFinder().find(import_module(name), name)
    return {test.name.removeprefix(f"{name}."): test for test in found if test.examples}


@pytest.mark.parametrize("name", SHOWN)
def test_the_first_steps_are_shown(name):
    assert SHOWN[name] <= set(examples_of(name))


@pytest.mark.parametrize("name", MODULES)
def test_examples_do_what_they_show(name):
    said = []
    for test in examples_of(name).values():
        doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not said, "".join(said)
