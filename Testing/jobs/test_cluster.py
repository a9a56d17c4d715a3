"""Cases on Dask clusters: one of this machine, and processes as on machines of their own."""

import os
import re
import subprocess
import sys
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
from doing_cases import FATAL, FATAL_ONCE, STRANGERS, TORN, slept, worked
from VSClickCorrectLib import __version__
from VSClickCorrectLib.errors import ClusterError, DifferentPatients, ImageError, ProcessDied
from VSClickCorrectLib.jobs.cluster import Cluster, _done_by_worker, connected

if find_spec("distributed") is None or sys.platform != "linux":
    pytest.skip("needs Dask, and kills processes as Linux does", allow_module_level=True)

from dask_cluster import DaskCluster, cluster_environment


def answers(address, folder, numbers, do=worked):
    told = []
    with connected(address) as client:
        found = list(Cluster(client, [folder], told.append).each(partial(do, str(folder)), numbers))
    assert sorted(outcome.task for outcome in found) == sorted(numbers)
    return {outcome.task: outcome.answer for outcome in found}, told


def refusal(address):
    """Why a cluster is not taken; empty if it is."""
    try:
        with connected(address):
            return ""
    except ClusterError as error:
        return str(error)


def until(happens, seconds=30.0):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_two_workers_of_this_machine_do_all_cases(tmp_path):
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        found, told = answers(cluster.scheduler_address, tmp_path, [0, 1, TORN, 2, STRANGERS, 4])
    assert [found[number] for number in (0, 1, 2, 4)] == [0, 10, 20, 40]
    assert (type(found[TORN]), str(found[TORN])) == (ImageError, "the scan is torn.")
    assert isinstance(found[STRANGERS], DifferentPatients) and found[STRANGERS].second == "Eve"
    assert told == []


@pytest.mark.long
def test_the_case_of_a_worker_that_dies_goes_to_another(tmp_path):
    with DaskCluster(tmp_path) as cluster:
        for _ in range(6):
            cluster.worker()
        found, _ = answers(cluster.address, tmp_path, [0, 1, FATAL_ONCE, 2, FATAL, 4])
    assert [found[number] for number in (0, 1, 2, 4, FATAL_ONCE)] == [0, 10, 20, 40, 80]
    # After so many deaths as Dask allows, it is the case that is at fault.
    assert isinstance(found[FATAL], ProcessDied)


@pytest.mark.long
def test_a_killed_worker_loses_no_answer_that_was_given(tmp_path):
    with DaskCluster(tmp_path) as cluster, connected(cluster.address) as client:
        told = []
        found = Cluster(client, [tmp_path], told.append).each(partial(slept, str(tmp_path)), range(12))
        killed = cluster.worker()
        numbers = [next(found).task]
        assert {path.read_text() for path in tmp_path.glob("*.pid")} == {str(killed.pid)}
        cluster.worker()
        until(lambda: len({path.read_text() for path in tmp_path.glob("*.pid")}) == 2)
        killed.kill()
        numbers += [outcome.task for outcome in found]
    assert sorted(numbers) == list(range(12))


@pytest.mark.long
def test_a_scheduler_that_goes_away_is_told(tmp_path):
    with DaskCluster(tmp_path) as cluster, connected(cluster.address) as client:
        told = []
        found = Cluster(client, [tmp_path], told.append).each(partial(slept, str(tmp_path)), range(20))
        cluster.worker()
        next(found)
        assert told == ["The scheduler has no worker yet; the cases wait for one."]
        cluster.scheduler.kill()
        with pytest.raises(ClusterError, match="the scheduler is not there any longer; what is done is kept"):
            list(found)


@pytest.mark.long
@pytest.mark.parametrize("who", ["scheduler", "worker"])
def test_who_does_not_know_this_package_is_told(who, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['VSClickCorrectLib'] = None\n")
    bare = {"PYTHONPATH": str(tmp_path)}
    with DaskCluster(tmp_path, bare if who == "scheduler" else None) as cluster:
        cluster.worker(settings=bare)
        until(lambda: "has no vsclickcorrect; install version" in refusal(cluster.address))
        assert refusal(cluster.address).startswith(f"the {who} ")


@pytest.mark.parametrize(
    "address, why",
    [
        ("nonsense", "missing port number"),
        ("carrier-pigeon://here:1", "unknown address scheme"),
        ("tls://127.0.0.1:9", "TLS"),
    ],
)
def test_an_address_that_is_of_no_use_is_one_sentence(address, why):
    assert re.match(rf"the scheduler {address} cannot be reached \(.*{why}.*\); check", refusal(address))


@pytest.mark.long
def test_a_worker_in_place_of_the_scheduler_is_told(tmp_path):
    with DaskCluster(tmp_path) as cluster:
        cluster.worker()
        with connected(cluster.address) as client:
            until(client.nthreads)
            (worker,) = client.nthreads()
        assert refusal(worker).startswith(f"the scheduler {worker} cannot be reached (a worker is there); ")


@pytest.mark.long
def test_a_scheduler_that_does_not_answer_is_not_waited_for_long():
    assert refusal("tcp://127.0.0.1:9").startswith("the scheduler tcp://127.0.0.1:9 cannot be reached (")


@pytest.mark.long
def test_over_tls_with_the_certificates_of_dask_s_settings(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
        + ["-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    tls = {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(certificate)}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        tls[f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY"] = str(key)
        tls[f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT"] = str(certificate)
    with DaskCluster(tmp_path, tls, "tls") as cluster:
        assert cluster.address.startswith("tls://")
        cluster.worker()
        program = (
            "import sys\nfrom pathlib import Path\nfrom functools import partial\n"
            "from doing_cases import worked\nfrom VSClickCorrectLib.jobs.cluster import Cluster, connected\n"
            "folder = Path(sys.argv[2])\n"
            "with connected(sys.argv[1]) as client:\n"
            "    found = Cluster(client, [folder], print).each(partial(worked, str(folder)), [2])\n"
            "    print([outcome.answer for outcome in found])\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, cluster.address, str(tmp_path)],
            env=cluster.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.stdout.endswith("[20]\n"), done.stderr


def test_without_dask_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert refusal("tcp://127.0.0.1:9") == "a cluster needs Dask; install vsclickcorrect[cluster]."


@pytest.mark.long
def test_a_worker_of_another_version_or_without_the_drive_is_told(tmp_path):
    with DaskCluster(tmp_path) as cluster:
        cluster.worker()
        with connected(cluster.address) as client:
            there = Cluster(client, [tmp_path], lambda _: None)
            assert [one.answer for one in there.each(partial(worked, str(tmp_path)), [1])] == [10]
            lost = client.submit(_done_by_worker, "0.0.0", (), partial(worked, str(tmp_path)), 1)
            with pytest.raises(ClusterError, match=r"has version .* of vsclickcorrect, not 0\.0\.0; install"):
                lost.result()
            lost = client.submit(_done_by_worker, __version__, ("/nowhere",), worked, 1)
            with pytest.raises(ClusterError, match="does not see /nowhere; mount the drive there too"):
                lost.result()


@pytest.mark.long
@pytest.mark.skipif(find_spec("dask_jobqueue") is None, reason="needs dask-jobqueue")
def test_the_page_s_example_for_slurm_brings_workers(tmp_path):
    page = Path(__file__).resolve().parents[2] / "Resources" / "Docs" / "cluster.md"
    (example,) = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    # In place of Slurm: what is queued runs at once, two jobs at most. All are queued in the same moment.
    queue = tmp_path / "sbatch"
    queue.write_text(
        f"#!/bin/sh\ncd {tmp_path}\necho >> jobs\n"
        "if mkdir first 2> /dev/null || mkdir second 2> /dev/null; then\n"
        '  sh "$1" > /dev/null 2>&1 & echo $! >> pids\n'
        "fi\n"
        "echo Submitted batch job $$\n"
    )
    queue.chmod(0o755)
    (tmp_path / "scancel").write_text("#!/bin/sh\n")
    (tmp_path / "scancel").chmod(0o755)
    (tmp_path / "example.py").write_text(example)
    environment = cluster_environment()
    cluster = subprocess.Popen(
        [sys.executable, str(tmp_path / "example.py")],
        env={**environment, "PATH": f"{tmp_path}{os.pathsep}{environment['PATH']}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        found, _ = answers(cluster.stdout.readline().strip(), tmp_path, [0, 1, 2])
        assert found == {0: 0, 1: 10, 2: 20}
    finally:
        cluster.communicate("\n", timeout=60)
    assert len((tmp_path / "jobs").read_text()) == 20
