"""Training in several processes: the same gradients as in one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import small_training
import torch
from safetensors.torch import load_file
from torch import nn
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectResearch.training import parallel
from VSClickCorrectResearch.training.parallel import DistributedContext, init_distributed

ROOT = Path(__file__).resolve().parents[3]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The output folder of a training that two processes shared."""
    folder = tmp_path_factory.mktemp("shared")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run(
        [*launch, small_training.__file__, str(folder), "--shared"],
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
    _, gradients = alone
    assert {name.split(".")[0] for name in gradients} == {"0", "1", "2"}
    assert min(gradient.abs().max() for gradient in gradients.values()) > 1e-4
    assert_close(load_file(shared / "gradients-0.safetensors"), gradients)


@pytest.mark.long
def test_both_processes_end_with_the_weights_of_one(shared, alone):
    weights, _ = alone
    start = small_training.plain_network().state_dict()
    assert all((weights[name] - start[name]).abs().max() > 0.02 for name in weights)
    for rank in (0, 1):
        assert_close(load_file(shared / f"weights-{rank}.safetensors"), weights)


@pytest.mark.long
def test_only_the_first_process_scores_and_writes(shared):
    assert not (shared / "gradients-1.safetensors").exists()
    assert len((shared / "log.jsonl").read_text().splitlines()) == 1 + 3
    assert_close(load_file(shared / "best.safetensors"), load_file(shared / "weights-0.safetensors"))


def test_shares_are_equal_and_together_the_batch():
    batch = torch.arange(6.0)[:, None], torch.arange(10, 16)
    shares = [DistributedContext(CPU, rank, 3).share(batch) for rank in range(3)]
    assert [share[0].flatten().tolist() for share in shares] == [[0, 3], [1, 4], [2, 5]]
    assert [share[1].tolist() for share in shares] == [[10, 13], [11, 14], [12, 15]]


def test_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(ModelError, match="a batch of 5 cannot be shared evenly by 2 processes"):
        DistributedContext(CPU, 1, 2).share((torch.zeros(5, 1), torch.zeros(5)))


def test_one_process_is_a_team_that_agrees_with_itself():
    network = nn.Linear(2, 1)
    with init_distributed("cpu") as team:
        assert team == DistributedContext(CPU, 0, 1)
        assert team.is_main_process
        assert team.agree(0.25) == 0.25
        assert team.mean(torch.tensor(0.5)) == 0.5
        assert team.join(team.prepare(network)) is network


@pytest.mark.parametrize(
    ("device", "local_rank", "message"),
    [("mps", "0", "cannot share"), ("cuda", "2", "start torchrun with --nproc-per-node 2")],
)
def test_devices_that_are_too_few_are_refused_before_processes_meet(monkeypatch, device, local_rank, message):
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("LOCAL_RANK", local_rank)
    # A machine with two GPUs, or Apple's one.
    monkeypatch.setattr(parallel, "choose_device", torch.device)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ModelError, match=message), init_distributed(device):
        pass
