"""A command for which there is not enough memory: one line, and nothing half-written."""

import subprocess
import sys
from pathlib import Path

import pytest
from bright_ball import ball_volume
from source_series import write_slices
from volume_files import left_in
from VSClickCorrectLib.inference import initial

LIBRARY = Path(initial.__file__).resolve().parents[2]
SAID = "vsclick: There is not enough memory for this; close other programs or crop the images.\n"
NO_MEMORY = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes.")
# Runs a command with so many megabytes beyond what the program has when it has loaded everything.
PROGRAM = """
import resource, sys
import numpy as np, scipy.ndimage, SimpleITK as sitk, torch
from VSClickCorrectLib.cli.main import main
command = sys.argv[2:]
torch.set_num_threads(1)
main([*command, "--output", sys.argv[1] + "/first.nii.gz"])
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
for megabytes in (1, 3, 6, 10, 20, 40):
    resource.setrlimit(resource.RLIMIT_AS, (now + (megabytes << 20), resource.RLIM_INFINITY))
    print(megabytes, main([*command, "--output", f"{sys.argv[1]}/{megabytes}.nii.gz"]), flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no such limit")
def test_too_little_memory_is_one_line_and_leaves_nothing(files, bright_models, tmp_path):
    command = [sys.executable, "-c", PROGRAM, tmp_path, "segment", "--t1ce", files.t1ce]
    environment = {"PYTHONPATH": str(LIBRARY), "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    # What the first run gave back is not to be there for the others.
    environment["MALLOC_MMAP_THRESHOLD_"] = "65536"
    run = subprocess.run(
        [*command, "--models", bright_models, "--device", "cpu"],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    statuses = dict(line.split() for line in run.stdout.splitlines() if line[0].isdigit() and "%" not in line)
    refused = [name for name, status in statuses.items() if status == "2"]
    assert set(statuses.values()) <= {"0", "2"} and refused
    assert run.stderr == SAID * len(refused)
    assert left_in(tmp_path) == sorted(
        ["first.nii.gz", *(f"{name}.nii.gz" for name, status in statuses.items() if status == "0")]
    )


def test_a_network_without_memory_is_told_and_leaves_nothing(refused, files, tmp_path, monkeypatch):
    def fail(*_):
        raise NO_MEMORY

    monkeypatch.setattr("VSClickCorrectLib.networks.convolution.Conv3d.forward", fail)
    assert refused("segment", "--t1ce", files.t1ce, "--output", tmp_path / "mask.nii.gz") == SAID


def test_a_round_is_written_with_its_journal_or_not_at_all(refused, files, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("std::bad_alloc")

    monkeypatch.setattr("SimpleITK.WriteImage", fail)
    command = ["correct", "--t1ce", files.t1ce, "--mask", files.mask, "--clicks", files.clicks]
    outputs = ["--output", tmp_path / "mask.nii.gz", "--journal", tmp_path / "journal.jsonl"]
    assert refused(*command, *outputs) == SAID


def test_no_journal_is_left_where_the_dicom_objects_find_no_memory(refused, files, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("highdicom.seg.Segmentation.__init__", fail)
    series, folder = write_slices(tmp_path / "t1ce", ball_volume()), tmp_path / "out"
    folder.mkdir()
    command = ["correct", "--t1ce", series, "--mask", files.mask, "--clicks", files.clicks]
    outputs = ["--output", folder / "mask.dcm", "--journal", folder / "journal.jsonl"]
    assert refused(*command, *outputs) == SAID
    assert left_in(folder) == []
