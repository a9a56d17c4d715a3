"""After each case of a worklist the panel holds what it held before: nodes, observers, files, objects."""

import gc
import sys
import weakref
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
import vtk

if sys.platform != "linux" or find_spec("trame_slicer") is None:
    pytest.skip("needs trame-slicer's slice view, and /proc", allow_module_level=True)

from day_cases import write_cases
from panel_day import PanelDay
from process_figures import figures

pytestmark = pytest.mark.long

CASES = 3


@pytest.fixture(scope="module")
def day(tmp_path_factory, small, bright_models):
    """A day of a few small cases: what was held while each was open, and what of them is alive after it."""
    root = tmp_path_factory.mktemp("day")
    day = PanelDay(root, write_cases(root / "cases", CASES, [small]), clicks=6, models=bright_models)
    held, cases, images = [], [], []
    day.begin()
    for _ in day.work():
        gc.collect()
        held.append({**counts_of(day), "of earlier cases": sum(map(alive, cases))})
        cases.append([weakref.ref(thing) for thing in things_of_the_case(day)])
        images += watched(day.panel.parameters)
    gc.collect()
    yield SimpleNamespace(held=held, alive=sum(map(alive, cases)), images=images, scene=day.scene)
    day.end()


def counts_of(day):
    process, nodes = figures(), day.scene.GetNodes()
    # VTK counts observers nowhere, but lists them.
    observers = sum(
        str(nodes.GetItemAsObject(n)).count("vtkObserver (") for n in range(nodes.GetNumberOfItems())
    )
    return {"files": process.files, "threads": process.threads, "observers": observers, **day.counts()}


def things_of_the_case(day):
    session = day.panel.correction.session
    parts = (session.mask, session.case, session.case.t1ce, session.journal, session.history.done[0])
    return [day.panel.correction, session, *parts]


def alive(references):
    return sum(reference() is not None for reference in references)


def watched(parameters):
    """Return lists that are no longer empty once VTK has freed an image's voxels."""
    freed = []
    for node in (parameters.t1ce, parameters.t2):
        freed.append([])
        node.GetImageData().AddObserver(
            vtk.vtkCommand.DeleteEvent, lambda *_, gone=freed[-1]: gone.append(True)
        )
    return freed


def test_every_case_was_done(day):
    assert len(day.held) == CASES
    assert day.held[0]["Edit"] > 0 and day.held[0]["observers"] > 50


# The first case is left out: it loads the networks and opens fonts.
def test_each_case_holds_what_the_one_before_held(day):
    assert day.held[2:] == day.held[1:-1]


def test_nothing_of_earlier_cases_is_alive(day):
    assert [held["of earlier cases"] for held in day.held] == [0] * CASES
    assert day.alive == 0


def test_voxels_of_every_case_are_freed(day):
    # The view keeps the last image until it is given the next.
    assert day.images[:-2] == [[True]] * 2 * (CASES - 1)


def test_the_scene_has_no_image_mask_point_or_journal_left(day):
    for kind in ("ScalarVolume", "Segmentation", "Markups", "Text", "Display"):
        nodes = day.scene.GetNodesByClass(f"vtkMRML{kind}Node")
        left = {nodes.GetItemAsObject(n).GetName() for n in range(nodes.GetNumberOfItems())}
        assert not any("case" in name for name in left), left
