"""After each case the app holds what it held before: nodes, observers, files, threads and objects."""

import asyncio
import gc
import sys
import weakref

import numpy as np
import pytest
import vtk
from bright_ball import CENTER, RADIUS_MM, ball, ball_volume

if sys.platform != "linux":
    pytest.skip("what a process holds is read from /proc", allow_module_level=True)

from process_figures import figures
from trame.app import get_server
from VSClickCorrectApp.application import BrowserApp
from VSClickCorrectApp.memory import give_back
from VSClickCorrectApp.uploads import Uploads
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.workflow.opened_case import OpenedCase

CASES = 4


class Cycle:
    def __init__(self):
        self.itself = self


@pytest.fixture(scope="module")
def held(bright_models):
    """What is held while each case is open, and of how many earlier cases something is left."""
    return asyncio.run(
        work(BrowserApp(Choice(str(bright_models), "", "cpu"), Uploads(), get_server("day", "vue3")))
    )


async def work(app):
    held, cases, freed = [], [], []
    for number in range(CASES):
        images = ball_volume(), ball_volume(t2=True)
        app.flow.workbench.open(OpenedCase(f"case {number}", *images, ball(radius=5.0)))
        await app.flow.workbench.begin()
        await correct(app)
        left = await left_of([reference for case in cases for reference in case])
        held.append({**counts_of(app.flow.workbench), "left": left, "voxels": freed.count([])})
        cases.append([weakref.ref(thing) for thing in things_of_the_case(app.flow.workbench)])
        freed.append(watched(app.flow.workbench.case.t1ce))
    app.close()
    return held


async def correct(app):
    """Click, undo, redo, and let what follows a click follow."""
    for angle in range(3):
        at = np.add(CENTER, RADIUS_MM * np.array([np.cos(angle), np.sin(angle), 0.0]))
        app.flow.workbench.under_way.place(Click(tuple(map(float, at)), ClickKind.BOUNDARY))
    app.clicks.undo()
    app.clicks.redo()
    await asyncio.sleep(1.0)


async def left_of(references):
    """Return how many of them are still there once what was put off to a quiet moment has had it."""
    for _ in range(50):
        gc.collect()
        if not any(reference() is not None for reference in references):
            return 0
        await asyncio.sleep(0.1)
    return sum(reference() is not None for reference in references)


def things_of_the_case(workbench):
    session = workbench.correction.session
    return [workbench.correction, session, session.case, workbench.case, workbench.case.mask]


def watched(volume_node):
    """Return a list that is no longer empty once VTK has freed the image's voxels."""
    gone = []
    volume_node.GetImageData().AddObserver(vtk.vtkCommand.DeleteEvent, lambda *_: gone.append(True))
    return gone


def counts_of(workbench):
    process, nodes = figures(), workbench.case.segmentation.GetScene().GetNodes()
    listed = "".join(str(nodes.GetItemAsObject(n)) for n in range(nodes.GetNumberOfItems()))
    return {
        "nodes": nodes.GetNumberOfItems(),
        "observers": listed.count("vtkObserver ("),
        "files": process.files,
        "threads": process.threads,
    }


@pytest.mark.long
# The first case is left out: it opens fonts and files of VTK.
def test_each_case_holds_what_the_one_before_held(held):
    assert len(held) == CASES and held[0]["observers"] > 50
    assert held[2:] == held[1:-1]


@pytest.mark.long
def test_nothing_of_earlier_cases_is_left(held):
    assert [counts["left"] for counts in held] == [0] * CASES
    assert [counts["voxels"] for counts in held] == [0] * CASES


def test_what_only_the_collector_finds_is_freed_between_cases():
    gc.disable()
    try:
        reference = weakref.ref(Cycle())
        assert reference() is not None
        give_back()
        assert reference() is None
    finally:
        gc.enable()
