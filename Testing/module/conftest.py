"""The module file in a scene, with stand-ins for desktop Slicer and a panel of real widgets."""

import os

# No display is needed; a run under Xvfb sets its own platform.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import importlib.util
import shutil
import sys
import time
from importlib.util import find_spec

import pytest
from module_files import MODULE

_LEAST_ROUNDS = 10
collect_ignore_glob = ["test_*.py"] if find_spec("slicer") is None or find_spec("PySide6") is None else []


@pytest.fixture(scope="module", autouse=True)
def _forked(forked_children):
    """What the children of jobs do is tested with the jobs."""


@pytest.fixture(scope="session")
def qt_application():
    from slicer_desktop import application

    return application()


@pytest.fixture
def headless():
    from VSClickCorrectApp.headless_scene import HeadlessScene

    with HeadlessScene() as headless:
        yield headless


@pytest.fixture
def desktop(qt_application, headless, monkeypatch):
    """What stands in for Slicer's application and windows."""
    from slicer_desktop import install

    return install(monkeypatch, headless.scene)


@pytest.fixture
def module(desktop, monkeypatch):
    """The module file, imported as Slicer imports it."""
    path = MODULE / "VSClickCorrect.py"
    spec = importlib.util.spec_from_file_location("VSClickCorrect", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "VSClickCorrect", module)
    spec.loader.exec_module(module)
    module.VSClickCorrectWidget.folder = str(MODULE)
    return module


@pytest.fixture
def widget(module):
    """The module's widget, entered; left and cleaned up at the end."""
    widget = module.VSClickCorrectWidget()
    widget.setup()
    widget.parent.isEntered = True
    widget.enter()
    yield widget
    widget.cleanup()
    widget.ui.segmentSelector.setMRMLScene(None)
    widget.ui.t1ceSelector.setMRMLScene(None)
    widget.ui.t2Selector.setMRMLScene(None)


@pytest.fixture
def wait(qt_application):
    """Let Qt work until something holds, as a person waits."""

    def wait(holds=lambda: False, seconds=120.0):
        until, rounds = time.monotonic() + seconds, 0
        # On a busy machine a moment is over before Qt had its turn.
        while not holds() and (time.monotonic() < until or rounds < _LEAST_ROUNDS):
            qt_application.processEvents()
            time.sleep(0.005)
            rounds += 1
        return holds()

    return wait


def moved_away(small):
    import numpy as np
    from VSClickCorrectResearch.simulation.mask_perturbations import shifted

    return shifted(small.truth, small.grid.spacing[::-1], np.random.default_rng(1))


@pytest.fixture
def spoiled(small):
    """The small case's mask, moved away from the tumour."""
    return moved_away(small)


@pytest.fixture
def example(widget, headless, small, spoiled):
    """The small case in the scene, chosen on the panel, with a spoiled mask and the truth as network."""
    from VSClickCorrectLib.mrml.examples import add_example
    from VSClickCorrectLib.session.oracle import Oracle

    example = add_example(headless.scene, small.case, spoiled)
    widget.panel.flow.networks.corrector = Oracle(small.truth)
    widget.ui.t1ceSelector.setCurrentNode(example.t1ce)
    widget.ui.t2Selector.setCurrentNode(example.t2)
    widget.ui.segmentSelector.setCurrentNode(example.segmentation)
    return example


@pytest.fixture
def begun(widget, example):
    """The example, being corrected."""
    widget.ui.correctButton.click()
    assert widget.panel.correction is not None, widget.ui.statusLabel.text
    return example


@pytest.fixture
def border(small, spoiled):
    """Four clicks on the tumour's border."""
    from VSClickCorrectResearch.simulation.user import border_clicks

    return border_clicks(small.grid, small.truth, spoiled, 4)


@pytest.fixture(scope="session")
def written(tmp_path_factory, small):
    """The small case as files, its mask spoiled; not to be changed."""
    from VSClickCorrectLib.io.images import write_mask, write_volume

    folder = tmp_path_factory.mktemp("small-case")
    write_volume(folder / "T1ce.nii.gz", small.t1ce)
    write_volume(folder / "T2.nii.gz", small.t2)
    write_mask(folder / "mask.nii.gz", moved_away(small), small.grid)
    return folder


@pytest.fixture
def folder(tmp_path, written):
    """Three cases, of which the second has no mask and the third no readable image."""
    for name in ("case1", "case2", "case3"):
        shutil.copytree(written, tmp_path / "cases" / name)
        if name != "case1":
            (tmp_path / "cases" / name / "mask.nii.gz").unlink()
    (tmp_path / "cases" / "case3" / "T1ce.nii.gz").write_bytes(b"broken")
    return tmp_path


@pytest.fixture
def opened(widget, folder, small):
    from VSClickCorrectLib.session.oracle import Oracle
    from worklist_panel import open_worklist

    widget.panel.flow.networks.corrector = Oracle(small.truth)
    return open_worklist(widget, folder)
