"""Training in several processes: the same gradients as in one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import small_training
import torch
from safetensors.torch import load_file
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectResearch.training import parallel
from VSClickCorrectResearch.training.parallel import is_first, share

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The output folder of a training that two processes shared."""
    folder = tmp_path_factory.mktemp("shared")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run(
        [*launch, small_training.__file__, str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "VSClickCorrect"), "OMP_NUM_THREADS": "1"},
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return small_training.train_shared(tmp_path_factory.mktemp("alone"))


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.allclose(found[name], tensor, rtol=1e-9, atol=1e-12), name


@pytest.mark.long
def test_two_processes_have_the_gradients_of_one_at_every_step(shared, alone):
    _, gradients, _ = alone
    assert {name.split(".")[0] for name in gradients} == {"0", "1", "2"}
    assert min(gradient.abs().max() for gradient in gradients.values()) > 1e-4
    for rank in (0, 1):
        assert_close(load_file(shared / f"gradients-{rank}.safetensors"), gradients)


@pytest.mark.long
def test_both_processes_end_with_the_weights_of_one(shared, alone):
    weights, _, _ = alone
    start = small_training.plain_network().state_dict()
    assert all((weights[name] - start[name]).abs().max() > 0.02 for name in weights)
    for rank in (0, 1):
        assert_close(load_file(shared / f"weights-{rank}.safetensors"), weights)


@pytest.mark.long
def test_only_the_first_process_scores_and_writes(shared):
    assert [(shared / f"looks-{rank}").read_text() for rank in (0, 1)] == ["[0, 1, 2]", "[]"]
    assert len((shared / "log.jsonl").read_text().splitlines()) == 1 + 3
    assert_close(load_file(shared / "best.safetensors"), load_file(shared / "weights-0.safetensors"))


def test_shares_are_equal_and_together_the_batch():
    batch = torch.arange(6.0)[:, None], torch.arange(10, 16)
    shares = [share(batch, rank, 3) for rank in range(3)]
    assert [share[0].flatten().tolist() for share in shares] == [[0, 3], [1, 4], [2, 5]]
    assert [share[1].tolist() for share in shares] == [[10, 13], [11, 14], [12, 15]]


def test_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(ModelError, match="a batch of 5 cannot be shared evenly by 2 processes"):
        share((torch.zeros(5, 1), torch.zeros(5)), 1, 2)


@pytest.fixture
def environment(monkeypatch):
    """Set variables of the environment in which no launcher has started this process."""
    for name in os.environ:
        if name.startswith("SLURM_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)

    def change(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return change


def placed(device="cpu"):
    found = parallel.team(device)
    return found["devices"], found["num_nodes"], found["strategy"] != "auto"


def test_processes_and_machines_are_those_that_torchrun_or_slurm_started(environment):
    assert placed() == (1, 1, False)
    environment(SLURM_NTASKS="1", SLURM_JOB_NAME="train")
    assert placed() == (1, 1, False)
    environment(SLURM_NTASKS="6", SLURM_NNODES="2", SLURM_NTASKS_PER_NODE="3", SLURM_STEP_ID="0")
    assert placed() == (3, 2, True)
    environment(WORLD_SIZE="8", LOCAL_WORLD_SIZE="4")
    assert placed() == (4, 2, True)


@pytest.mark.parametrize(
    ("started", "first"),
    [
        ({}, True),
        ({"LOCAL_WORLD_SIZE": "2", "WORLD_SIZE": "2", "RANK": "0"}, True),
        ({"LOCAL_WORLD_SIZE": "2", "WORLD_SIZE": "4", "RANK": "2", "LOCAL_RANK": "0"}, False),
        ({"LOCAL_WORLD_SIZE": "1", "WORLD_SIZE": "1", "RANK": "0"}, True),
    ],
)
def test_one_process_of_a_team_holds_the_folder(environment, started, first):
    environment(**started)
    assert is_first() is first


@pytest.mark.parametrize("more", [{"SLURM_STEP_ID": "0"}, {"SLURM_NTASKS_PER_NODE": "2"}])
def test_job_of_slurm_whose_processes_would_never_come_is_refused(environment, more):
    environment(SLURM_NTASKS="2", SLURM_NNODES="1", SLURM_JOB_NAME="train", **more)
    with pytest.raises(ModelError, match="'srun' before the command, --nodes and --ntasks-per-node"):
        parallel.team("cpu")


@pytest.mark.parametrize(
    ("device", "message"),
    [("mps", "cannot share"), ("cuda", "start torchrun with --nproc-per-node 2")],
)
def test_devices_that_are_too_few_are_refused_before_processes_meet(
    environment, monkeypatch, device, message
):
    environment(WORLD_SIZE="3", LOCAL_WORLD_SIZE="3")
    # A machine with two GPUs, or Apple's one.
    monkeypatch.setattr(parallel, "choose_device", torch.device)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ModelError, match=message):
        parallel.team(device)
