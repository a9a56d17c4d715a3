"""``vsclick evaluate``, ``import`` and ``simulate`` by other processes and on a cluster: the same files."""

import csv
import json
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from bright_ball import SHAPE, ball, write_image
from dask_cluster import DaskCluster, busy
from VSClickCorrectLib.cli.main import main

pytestmark = pytest.mark.long

if any(find_spec(name) is None for name in ("distributed", "matplotlib", "pandas")):
    pytest.skip("needs Dask, and what the evaluation needs", allow_module_level=True)

SIMULATED = Path(__file__).resolve().parents[2] / "tools" / "simulated.py"


@pytest.fixture
def cluster(tmp_path):
    (tmp_path / "dask").mkdir()
    preload = {"DASK_DISTRIBUTED__WORKER__PRELOAD": f'["{tmp_path / "preload.py"}"]'}
    (tmp_path / "preload.py").write_text("from simulated import put_in_place\n\nput_in_place()\n")
    with DaskCluster(tmp_path / "dask", preload) as cluster:
        yield cluster


def killed_while_busy(cluster, words):
    """Run a command on two workers, of which one is killed in the middle of a case."""
    workers = [cluster.worker(), cluster.worker()]
    command = subprocess.Popen(
        [sys.executable, "-m", "VSClickCorrectLib.cli.main", *words, "--scheduler", cluster.address],
        env=cluster.environment,
        stdout=subprocess.DEVNULL,
    )
    while command.poll() is None and workers[0].pid not in busy(cluster.address):
        time.sleep(0.02)
    assert command.poll() is None
    workers[0].kill()
    return command.wait(timeout=120)


def without_times(value):
    if isinstance(value, dict):
        return {name: without_times(one) for name, one in value.items() if "milliseconds" not in name}
    return [without_times(one) for one in value] if isinstance(value, list) else value


def evaluated(output):
    with (output / "cases.csv").open(encoding="utf-8", newline="") as stream:
        rows = [{n: v for n, v in row.items() if "milliseconds" not in n} for row in csv.DictReader(stream)]
    records = {p.name: without_times(json.loads(p.read_text("utf-8"))) for p in output.glob("cases/*")}
    return without_times(json.loads((output / "results.json").read_text("utf-8"))), rows, records


def test_an_evaluation_has_the_same_numbers_in_the_same_order(cluster, files, bright_models, tmp_path):
    label = write_image(tmp_path / "label.nii.gz", ball().astype(np.uint8))
    healthy = write_image(tmp_path / "healthy.nii.gz", np.zeros(SHAPE, np.uint8))
    rows = [(f"c{n}", files.t1ce, healthy if n == 2 else label, files.mask) for n in range(6)]
    lines = [("case", "t1ce", "label", "mask"), *rows]
    listed = tmp_path / "cases.csv"
    listed.write_text("".join(",".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")

    def words(name):
        given = ["evaluate", "--cases", listed, "--start", "first-click", "--rounds", 1, "--no-baselines"]
        given += ["--output", tmp_path / name, "--models", bright_models, "--device", "cpu"]
        return [str(word) for word in given]

    assert main(words("here")) == 0
    assert main([*words("processes"), "--processes", "2"]) == 0
    assert killed_while_busy(cluster, words("cluster")) == 0
    here = evaluated(tmp_path / "here")
    assert len(here[2]) == 6
    assert evaluated(tmp_path / "processes") == here
    assert evaluated(tmp_path / "cluster") == here


def imported(output):
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }


def test_an_import_has_the_same_cases_twins_and_reasons(cluster, files, tmp_path, capsys):
    label = write_image(tmp_path / "label.nii.gz", ball().astype(np.uint8))
    (tmp_path / "broken.nii.gz").write_bytes(b"broken")
    images = [files.t1ce, tmp_path / "broken.nii.gz", files.t1ce, files.t1ce]
    rows = [(f"P{n}", image, label, files.mask if n > 2 else "") for n, image in enumerate(images)]
    listed = tmp_path / "list.csv"
    lines = [("case", "t1ce", "label", "mask"), *rows]
    listed.write_text("".join(",".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")

    def words(name):
        return ["import", "csv", str(listed), "--output", str(tmp_path / name / "cases")]

    assert main(words("here")) == 2
    cluster.worker(), cluster.worker()
    told = []
    for name, more in (("processes", ["--processes", "2"]), ("cluster", ["--scheduler", cluster.address])):
        capsys.readouterr()
        assert main([*words(name), *more]) == 2
        told.append(capsys.readouterr().err)
        assert imported(tmp_path / name / "cases") == imported(tmp_path / "here" / "cases")
    with (tmp_path / "here" / "cases" / "report.csv").open(encoding="utf-8", newline="") as stream:
        report = [(row["case"], row["status"]) for row in csv.DictReader(stream)]
    assert report == [("P0", "imported"), ("P1", "failed"), ("P2", "duplicate"), ("P3", "imported")]
    assert all("1 case of 4 could not be imported" in one for one in told)


def test_a_cohort_is_the_same(cluster, tmp_path):
    (tmp_path / "data").mkdir()

    def words(name):
        return [
            "simulate",
            "--data",
            str(tmp_path / "data"),
            "--output",
            str(tmp_path / name),
            "--count",
            "4",
        ]

    for name, processes in (("one", "1"), ("two", "2")):
        command = [sys.executable, str(SIMULATED), *words(name), "--processes", processes]
        subprocess.run(command, check=True, env=cluster.environment)
    cluster.worker(), cluster.worker()
    command = [sys.executable, str(SIMULATED), *words("cluster"), "--scheduler", cluster.address]
    subprocess.run(command, check=True, env=cluster.environment)
    for name in ("two", "cluster"):
        for n in range(4):
            paths = [tmp_path / folder / f"case-{n:05d}.npz" for folder in ("one", name)]
            with np.load(paths[0]) as one, np.load(paths[1]) as other:
                assert one.files == other.files
                assert all(np.array_equal(one[key], other[key]) for key in one.files)
