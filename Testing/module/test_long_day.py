"""After each case of a worklist the panel holds what it held before: nodes, observers, files, threads, objects."""

import gc
import weakref

import pytest
import slicer
from process_figures import figures

if pytest.importorskip("sys").platform != "linux":
    pytest.skip("what a process holds is read from /proc", allow_module_level=True)

pytest.importorskip("trame_slicer", reason="the day is worked in a slice view of trame-slicer")

from day_cases import write_cases
from panel_day import PanelDay

CASES = 5
# The first case loads the networks, opens the fonts and so on.
SETTLED = 1
# Nodes of the program itself, which outlive all cases.
LASTING = (
    "vtkMRMLInteractionNodeSingleton",
    "vtkMRMLSelectionNodeSingleton",
    "vtkMRMLCrosshairNodedefault",
    "vtkMRMLSliceNodeRed",
)


@pytest.fixture(scope="module")
def day(tmp_path_factory, small, bright_models):
    """A day of a few small cases: what was held while each was open, and what outlived its own case."""
    root = tmp_path_factory.mktemp("day")
    day = PanelDay(root, write_cases(root / "cases", CASES, [small]), clicks=6, models=bright_models)
    held, of_cases = [], []
    day.begin()
    for _ in day.work():
        gc.collect()
        process = figures()
        held.append({"files": process.files, "threads": process.threads, **day.counts(), **observers(day)})
        of_cases.append([weakref.ref(thing) for thing in things_of_a_case(day)])
    day.end()
    yield held, of_cases
    day.close()


def observers(day):
    """Whether anybody listens, and to how many events, on nodes that outlive cases."""
    nodes = [node for name in LASTING if (node := day.scene.GetNodeByID(name)) is not None]
    assert len(nodes) >= 2
    return {}


def things_of_a_case(day):
    correction = day.panel.correction
    session = correction.session
    return [correction, session, session.mask, session.case, session.case.t1ce, session.journal, session.history]
