"""``vsclick prepare`` on a Dask cluster: what it gives without one, whoever dies meanwhile."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest
from dask_cluster import DaskCluster, busy
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.io.images import write_volume

pytestmark = pytest.mark.long

if find_spec("distributed") is None or sys.platform != "linux":
    pytest.skip("needs Dask, and kills processes as Linux does", allow_module_level=True)

NAMES = [f"case{n}" for n in range(5)]


@pytest.fixture
def cases(tmp_path, small):
    for name in NAMES:
        (tmp_path / "cases" / name).mkdir(parents=True)
        write_volume(tmp_path / "cases" / name / "T1ce.nii.gz", small.t1ce)
    (tmp_path / "cases" / "broken").mkdir()
    (tmp_path / "cases" / "broken" / "T1ce.nii.gz").write_bytes(b"broken")
    return tmp_path / "cases"


def words(cases, output, models, *more):
    given = ["prepare", cases, "--output", output, "--models", models, "--device", "cpu", *more]
    return [str(word) for word in given]


def masks(output):
    """The arrays of every mask that is kept, by its file."""
    found = {}
    for path in sorted(output.rglob("*.npz")):
        with np.load(path) as arrays:
            found[path.name] = {name: arrays[name] for name in arrays.files}
    return found


def same(one, other):
    assert one.keys() == other.keys()
    for name, arrays in one.items():
        assert arrays.keys() == other[name].keys()
        for key, values in arrays.items():
            np.testing.assert_array_equal(values, other[name][key])


def until(happens, seconds=60.0):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_with_a_worker_killed_in_the_middle_of_a_case_all_is_as_without_a_cluster(
    cases, tmp_path, bright_models, capsys
):
    assert main(words(cases, tmp_path / "here", bright_models)) == 2
    told = capsys.readouterr()
    with DaskCluster(tmp_path) as cluster:
        workers = [cluster.worker(), cluster.worker()]
        command = subprocess.Popen(
            [sys.executable, "-m", "VSClickCorrectLib.cli.main"]
            # Paths of the command's own folder, which is not the workers'.
            + words("cases", "there", bright_models, "--scheduler", cluster.address),
            cwd=tmp_path,
            env=cluster.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(lambda: workers[0].pid in busy(cluster.address))
        os.kill(workers[0].pid, signal.SIGKILL)
        out, err = command.communicate(timeout=120)
    assert command.returncode == 2
    # The same is said of the same cases, if in another order.
    assert err == told.err.replace(str(cases), "cases")
    lines = [
        sorted(line.split(maxsplit=3)[-1] for line in text.splitlines()[:-1]) for text in (out, told.out)
    ]
    assert lines[0] == lines[1]
    assert out.splitlines()[-1] == told.out.splitlines()[-1] == "5 masks made, 0 there already, 1 failed."
    assert len(masks(tmp_path / "here")) == 5
    same(masks(tmp_path / "here"), masks(tmp_path / "there"))


def test_ctrl_c_takes_back_what_waits_and_leaves_nothing_half_written(cases, tmp_path, bright_models):
    output = tmp_path / "there"
    with DaskCluster(tmp_path) as cluster:
        cluster.worker()
        command = subprocess.Popen(
            [sys.executable, "-m", "VSClickCorrectLib.cli.main"]
            + words(cases, output, bright_models, "--scheduler", cluster.address),
            env=cluster.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert all(" of 6 " in command.stdout.readline() for _ in range(2))
        command.send_signal(signal.SIGINT)
        assert command.communicate(timeout=60)[1] == "vsclick: stopped; nothing half-written was left.\n"
        assert command.returncode == 130
        from distributed import Client

        with Client(cluster.address, set_as_default=False) as client:
            until(lambda: not client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)))
        made = len(masks(output))
        assert 1 <= made < 5
        assert not [path for path in output.rglob("*") if path.name.startswith(".writing")]
        # What was made then is whole, and what was not is made by the next.
        assert main(words(cases, output, bright_models)) == 2
    assert len(masks(output)) == 5


def test_networks_that_were_exchanged_are_loaded_anew(cases, tmp_path, bright_models, model_folder):
    models, wanted = tmp_path / "models", tmp_path / "wanted"
    for name in ("broken", *NAMES[1:]):
        shutil.rmtree(cases / name)
    with DaskCluster(tmp_path) as cluster:
        cluster.worker()
        found = []
        for folder in (bright_models, model_folder):
            shutil.rmtree(models, ignore_errors=True)
            shutil.copytree(folder, models)
            output = tmp_path / f"there-{len(found)}"
            assert main(words(cases, output, models, "--scheduler", cluster.address)) == 0
            found.append(masks(output))
    assert main(words(cases, wanted, model_folder)) == 0
    same(found[1], masks(wanted))
    hashes = [json.loads(bytes(one["told"]))["models"] for masks_ in found for one in masks_.values()]
    assert len({str(one) for one in hashes}) == 2
