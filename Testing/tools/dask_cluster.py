"""A Dask scheduler and its workers, each a process of its own as on machines of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from VSClickCorrectLib.jobs.process import child_environment

_PATIENCE_S = 60.0
_HERE = Path(__file__).resolve().parent


class DaskCluster:
    """A scheduler; workers are started when they are asked for. All end with the ``with`` statement.

    Parameters
    ----------
    folder : Path
        For what they write.
    settings : dict of str, optional
        More of Dask's settings, as variables of the environment.
    protocol : str
        ``"tcp"`` or ``"tls"``.

    Attributes
    ----------
    scheduler : subprocess.Popen
        Its process.
    address : str
        Where it listens.
    environment : dict of str
        Of its processes.
    """

    def __init__(self, folder: Path, settings: dict[str, str] | None = None, protocol: str = "tcp") -> None:
        self.environment = {**cluster_environment(), **(settings or {})}
        self._folder = folder
        self._started: list[subprocess.Popen] = []
        told = folder / "scheduler.json"
        self.scheduler = self._start(
            *("scheduler", "--host", f"{protocol}://127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(told)),
        )
        self.address = _told(told, self.scheduler)

    def worker(self, settings: dict[str, str] | None = None) -> subprocess.Popen:
        """Start a worker of one thread, with more variables of its environment, and return its process."""
        return self._start(
            *("worker", self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny"),
            *("--local-directory", str(self._folder)),
            settings=settings,
        )

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(self, *_exception: object) -> None:
        for process in reversed(self._started):
            process.kill()
            process.wait()

    def _start(self, *words: str, settings: dict[str, str] | None = None) -> subprocess.Popen:
        number = len(self._started)
        with open(self._folder / f"dask-{number}-{words[0]}.log", "wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *words],
                stdout=log,
                stderr=log,
                env={**self.environment, **(settings or {})},
            )
        self._started.append(process)
        return process


def cluster_environment() -> dict[str, str]:
    """Return this process's environment, for others that import what it does."""
    places = os.pathsep.join([child_environment()["PYTHONPATH"], str(_HERE)])
    return {**os.environ, "PYTHONPATH": places}


def _told(path: Path, scheduler: subprocess.Popen) -> str:
    """Return the address that a scheduler writes once it listens."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and scheduler.poll() is None:
        try:
            return json.loads(path.read_text(encoding="utf-8"))["address"]
        except (FileNotFoundError, ValueError):
            time.sleep(0.05)
    raise RuntimeError("the scheduler did not start")


def busy(address: str) -> list[int]:
    """Return the processes of those workers that are doing a case."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        running = client.processing()
        return [pid for worker, pid in client.run(os.getpid).items() if running.get(worker)]
