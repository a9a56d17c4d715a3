"""A case that is left while networks are loaded, which a window does beside its event loop."""

import numpy as np
import pytest
from plain_host import JobByHand, PlainHost
from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.mrml.volumes import add_volume
from VSClickCorrectLib.worklist.worklist import Worklist


class Loading(PlainHost):
    """Does what takes long half a second later, once ``slow``."""

    slow = False

    async def background(self, work):
        if self.slow:
            await self.pause(0.5)
        return work()


@pytest.fixture
def host():
    return Loading()


@pytest.fixture
def opened(flow, host, tmp_path, small):
    for name in ("case1", "case2"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        write_volume(tmp_path / "cases" / name / "T1ce.nii.gz", small.t1ce)
    host.run(flow.worklist.begin(Worklist.open(tmp_path / "cases", tmp_path / "results", "AB")))
    return flow.worklist.worklist


@pytest.fixture
def found(opened, bright_models):
    return InitialSegmenter.load(ModelFolder(bright_models), "cpu").segment(opened.opened.load())


@pytest.mark.parametrize("how", ["found", "made ahead"])
def test_of_a_case_that_was_left_nothing_is_said_of_the_next_one(
    flow, host, opened, found, bright_models, monkeypatch, how
):
    job = JobByHand(found)
    monkeypatch.setattr("VSClickCorrectLib.jobs.job.Job.start_segmentation", lambda *_: job)
    # Networks that are not loaded yet.
    flow.networks.choice = Choice(str(bright_models), "", "cpu")
    flow.networks.corrector, host.slow = None, True
    if how == "found":
        host.run(flow.initial.find())
        job.done = True
        host.pass_time(0.2)
    else:
        host.run(flow.worklist.take("case1", found))
    assert flow.workbench.nodes.mask.extent() is not None and flow.workbench.correction is None
    host.run(flow.worklist.next())
    host.pass_time(0.6, turns=4)
    assert opened.current.name == "case2" and flow.workbench.segment[0] is None
    assert host.status == "Case case2 is ready; find the tumour."
    assert not any("no segment is being corrected" in sentence.lower() for sentence in host.said)
    opened.close()
    assert opened.record("case2").state.value == "todo"


def test_of_a_case_with_a_mask_that_was_left_nothing_is_said_either(flow, host, opened, small, bright_models):
    write_mask(opened.case("case2").t1ce.with_name("mask.nii.gz"), small.truth, small.grid)
    folder = opened.store.output
    host.run(flow.worklist.begin(Worklist.open(folder.parent / "cases", folder, "AB")))
    flow.networks.choice = Choice(str(bright_models), "", "cpu")
    flow.networks.corrector, host.slow = None, True
    host.run(flow.worklist.go_to("case2"))
    # Read, and not yet corrected.
    host.pass_time(0.6)
    assert flow.workbench.segment[0] is not None and flow.workbench.correction is None
    # As where other files are opened in its place.
    host.run(flow.worklist.leave())
    host.pass_time(0.6, turns=4)
    assert flow.workbench.nodes is None and host.status == "Reading case case2 …"


@pytest.mark.parametrize("chosen", ["none", "a smaller one"])
def test_a_mask_that_comes_while_other_volumes_are_chosen_is_refused(
    flow, host, opened, found, headless, chosen
):
    smaller = Volume(np.ones((2, 2, 2)), Grid((2, 2, 2), np.eye(4)))
    volume = add_volume(headless.scene, smaller, "T1ce") if chosen == "a smaller one" else None
    host.run(flow.workbench.choose((volume, None), (None, ""), flow.workbench.settings))
    with pytest.raises(WorklistError, match="other volumes than those of case case1"):
        host.start(flow.worklist.take("case1", found))
    opened.close()
    assert opened.record("case1").state.value == "todo"
