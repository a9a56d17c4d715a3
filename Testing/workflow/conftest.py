"""The workflow over a scene, in a window that is none."""

import os
import shutil
from importlib.util import find_spec

import numpy as np
import pytest

# No display is needed.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

collect_ignore_glob = [] if find_spec("slicer") is not None else ["test_*.py"]


@pytest.fixture(scope="module", autouse=True)
def _forked(forked_children):
    """What the children of jobs do is tested with the jobs."""


@pytest.fixture
def headless():
    from VSClickCorrectApp.headless_scene import HeadlessScene

    with HeadlessScene() as headless:
        yield headless


@pytest.fixture
def host():
    from plain_host import PlainHost

    return PlainHost()


@pytest.fixture
def flow(host, headless, small):
    """The workflow, with the truth as network."""
    from VSClickCorrectLib.mrml.case_nodes import CaseNodes
    from VSClickCorrectLib.session.oracle import Oracle
    from VSClickCorrectLib.workflow.workflow import Workflow

    def show(case):
        nodes = CaseNodes(headless.scene, case.t1ce, case.t2, case.name)
        if case.mask is not None:
            nodes.put_mask(case.mask)
        return nodes

    flow = Workflow(host, headless.scene, show)
    flow.networks.corrector = Oracle(small.truth)
    yield flow
    flow.workbench.stop()


def moved_away(small):
    from VSClickCorrectResearch.simulation.mask_perturbations import shifted

    return shifted(small.truth, small.grid.spacing[::-1], np.random.default_rng(1))


@pytest.fixture(scope="session")
def start(small):
    """The small case's mask, moved away from the tumour."""
    start = moved_away(small)
    start.setflags(write=False)
    return start


@pytest.fixture
def border(small, start):
    """Four clicks on the tumour's border."""
    from VSClickCorrectResearch.simulation.user import border_clicks

    return border_clicks(small.grid, small.truth, start, 4)


@pytest.fixture
def case(small, start):
    from VSClickCorrectLib.workflow.opened_case import OpenedCase

    return OpenedCase("the case", small.t1ce, small.t2, start)


@pytest.fixture
def begun(flow, host, case):
    """The workbench, correcting the case."""
    flow.workbench.open(case)
    host.run(flow.workbench.correct())
    return flow.workbench


@pytest.fixture(scope="session")
def written(tmp_path_factory, small):
    """The small case as files, its mask moved away; not to be changed."""
    from VSClickCorrectLib.io.images import write_mask, write_volume

    folder = tmp_path_factory.mktemp("small-case")
    write_volume(folder / "T1ce.nii.gz", small.t1ce)
    write_mask(folder / "mask.nii.gz", moved_away(small), small.grid)
    return folder


@pytest.fixture
def folder(tmp_path, written):
    """Four cases, of which the second has no readable image."""
    for name in ("case1", "case2", "case3", "case4"):
        shutil.copytree(written, tmp_path / "cases" / name)
    (tmp_path / "cases" / "case2" / "T1ce.nii.gz").write_bytes(b"broken")
    return tmp_path


@pytest.fixture
def opened(flow, host, folder):
    """The worklist at its first case."""
    from VSClickCorrectLib.worklist.worklist import Worklist

    host.run(flow.worklist.begin(Worklist.open(folder / "cases", folder / "results", "AB")))
    return flow.worklist.worklist


@pytest.fixture
def job(monkeypatch):
    """Let the next job give what the test says."""

    from plain_host import JobByHand

    def job(outcome):
        job = JobByHand(outcome)
        for name in ("start_segmentation", "start_registration"):
            monkeypatch.setattr(f"VSClickCorrectLib.jobs.job.Job.{name}", lambda *_: job)
        return job

    return job
