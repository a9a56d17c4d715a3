"""Networks that are loaded, and whose folder goes or is another one while a worklist is worked on."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from accepted_cases import accept
from plain_host import JobByHand
from VSClickCorrectLib.errors import StorageError
from VSClickCorrectLib.inference.adapted_models import keep_adapted
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder, adapted_folder
from VSClickCorrectLib.io.images import write_volume
from VSClickCorrectLib.workflow.tasks import preparation_of
from VSClickCorrectLib.worklist.worklist import Worklist


@pytest.fixture
def models(tmp_path, bright_models):
    """A folder of models of the test's own."""
    return shutil.copytree(bright_models, tmp_path / "models")


@pytest.fixture
def opened(flow, host, tmp_path, small, models, user_data):
    """A worklist of three cases, with the networks that are chosen loaded."""
    for name in ("case1", "case2", "case3"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        write_volume(tmp_path / "cases" / name / "T1ce.nii.gz", small.t1ce)
    flow.networks.corrector, flow.networks.choice = None, Choice(str(models), "", "cpu")
    host.run(flow.networks.load())
    host.run(flow.worklist.begin(Worklist.open(tmp_path / "cases", tmp_path / "results", "AB")))
    return flow.worklist.worklist


def test_the_next_case_opens_without_a_mask_made_ahead(flow, host, opened, models):
    shutil.rmtree(models)
    host.run(flow.worklist.next())
    assert opened.current is not None and opened.current.name == "case2"
    assert host.status == "Case case2 is ready; find the tumour."


def test_that_no_masks_are_made_ahead_is_said_once(flow, host, opened, models):
    shutil.rmtree(models)
    host.pass_time(turns=3)
    for name in ("case2", "case3", "case1"):
        host.run(flow.worklist.go_to(name))
        host.pass_time(turns=3)
    told = [sentence for sentence in host.said if "manifest.json" in sentence]
    assert told == [f"{models} holds no manifest.json; name a folder with models."]


def test_learning_is_switched_on_and_off(flow, host, opened, models):
    shutil.rmtree(models)
    changes = []
    flow.learning.changed.connect(lambda: changes.append(flow.learning.on))
    flow.learning.on = True
    flow.learning.on = False
    assert changes == [True, False]


@pytest.fixture
def versions(flow, host, opened, models):
    """What has learned, one after the other: the first of it is used and loaded, and no longer offered."""
    folder = ModelFolder(models)
    parent = folder.entry("corrector")
    tensors = {name: tensor.half() for name, tensor in folder.load_as_trained(parent).state_dict().items()}
    names = []
    for cases in (5, 10, 15, 20):
        # Another one each time, as its weights are what tells it from others.
        tensors = {
            name: tensor * 1.01 if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
        }
        told = {"cases": cases, "own": [0.1, 0.2], "builtin": [0.3, 0.3]}
        names.append(keep_adapted(parent, tensors, told).name)
        if cases == 5:
            flow.networks.choice = Choice(str(models), names[0], "cpu")
            host.run(flow.networks.load())
    assert names[0] not in flow.networks.choice.correctors() and flow.networks.is_loaded()
    return names


def test_a_case_opens_though_what_is_used_is_no_longer_offered(flow, host, opened, versions):
    # A mask that was made ahead by other networks is asked which.
    np.savez(preparation_of(opened, opened.case("case2"), flow.networks.choice).path, told=np.zeros(0))
    host.run(flow.worklist.next())
    assert opened.current is not None and opened.current.name == "case2"


def test_the_newest_is_taken_up_in_place_of_what_is_no_longer_offered(flow, versions):
    flow.learning.on = True
    assert flow.networks.choice.corrector == versions[-1]


def test_what_shipped_is_taken_up_where_all_that_was_learned_was_deleted(flow, versions):
    shutil.rmtree(adapted_folder())
    flow.learning.on = True
    assert flow.networks.choice.corrector == ""


def test_it_learns_anew_though_what_is_used_is_no_longer_offered(
    flow, host, tmp_path, opened, versions, small, monkeypatch
):
    tasks = []

    def start(task):
        tasks.append(task)
        return JobByHand(StorageError("nothing is kept."))

    monkeypatch.setattr("VSClickCorrectLib.jobs.job.Job.start_adaptation", start)
    monkeypatch.setattr("VSClickCorrectLib.workflow.learning.EVERY", 1)
    flow.learning.on = True
    # Chosen before the others were learned.
    flow.networks.choice = Choice(str(flow.networks.choice.folder), versions[0], "cpu")
    accept(opened, "case3", small)
    host.run(flow.worklist.go_to("case2"))
    host.pass_time(5.0, turns=2)
    assert [(len(task.cases), task.corrector) for task in tasks] == [(1, "")]


def test_a_mask_made_ahead_that_cannot_be_read_keeps_no_case_closed(flow, host, opened):
    choice = flow.networks.choice
    Path(preparation_of(opened, opened.case("case2"), choice).path).mkdir()
    host.run(flow.worklist.next())
    assert opened.current.name == "case2"
    assert host.status == "Case case2 is ready; find the tumour."
