"""Signals while Lightning trains: SIGTERM stays the program's, Slurm's warning puts the job back."""

import os
import signal
import sys

import pytest
import torch
from torch import nn
from VSClickCorrectResearch.training.loop import Schedule, fit

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Slurm and its signals are not there"),
    pytest.mark.usefixtures("undrawn_curves"),
]


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """What a `scontrol` is asked for, as a file of lines; the environment is that of a job of Slurm."""
    (tmp_path / "bin").mkdir()
    file, program = tmp_path / "asked", tmp_path / "bin" / "scontrol"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{file}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    job = {"JOB_ID": "77", "JOB_NAME": "train", "NTASKS": "1", "NNODES": "1"}
    for name, value in {**job, "PROCID": "0", "LOCALID": "0", "NODEID": "0"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    return file


def train(output, number):
    """Train for three looks, with a signal at the second; return how many there were."""
    looks = []

    def score(_network):
        looks.append(len(looks))
        if len(looks) == 2:
            signal.raise_signal(number)
        return 1.0

    def batch_at(_step):
        return torch.ones(2, 1), torch.ones(2, 1)

    def loss(answer, wanted):
        return (answer - wanted).square().mean()

    fit(nn.Linear(1, 1), batch_at, loss, score, Schedule(3, 1, threads=1, device="cpu"), output, seed=0)
    return len(looks)


@pytest.mark.parametrize(("array", "job"), [({}, "77"), ({"JOB_ID": "70", "TASK_ID": "3"}, "70_3")])
def test_warning_of_slurm_puts_the_job_back_and_nothing_else(asked, tmp_path, monkeypatch, array, job):
    for name, value in array.items():
        monkeypatch.setenv(f"SLURM_ARRAY_{name}", value)
    before = signal.getsignal(signal.SIGUSR1)
    assert train(tmp_path / "run", signal.SIGUSR1) == 3
    assert asked.read_text().splitlines() == [f"requeue {job}"]
    assert not list((tmp_path / "run").glob("*.ckpt"))
    assert signal.getsignal(signal.SIGUSR1) == before


def test_training_goes_on_where_slurm_cannot_be_asked(asked, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert train(tmp_path / "run", signal.SIGUSR1) == 3
    assert "not asked to start the job again: scontrol: No such file or directory." in capfd.readouterr().err


def test_sigterm_is_the_program_s_alone(tmp_path):
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        # Lightning's own handler would end the training after the step.
        assert train(tmp_path, signal.SIGTERM) == 3
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]
