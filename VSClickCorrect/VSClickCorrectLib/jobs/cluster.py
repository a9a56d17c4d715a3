"""A command's cases on a Dask cluster that is there already."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from VSClickCorrectLib import __version__
from VSClickCorrectLib.errors import ClusterError, ProcessDied, VSClickError
from VSClickCorrectLib.jobs.cases import Outcome, Result, Task, attempt

if TYPE_CHECKING:
    from distributed import Client, Future

_PATIENCE_S = 10
# Networks and what is cached in a process are for one case at a time, however many threads a worker has.
_ONE_AT_A_TIME = Lock()


class Cluster:
    """The workers of a Dask scheduler; a case whose worker dies is given to another one.

    Parameters
    ----------
    client : distributed.Client
        Connected with the scheduler.
    folders : sequence of Path
        Absolute paths that every worker must see, where they are there.
    say : callable
        Told in a sentence what is waited for.
    """

    def __init__(self, client: Client, folders: Sequence[Path], say: Callable[[str], object]) -> None:
        self._client = client
        self._folders = folders
        self._say = say

    def each(self, do: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Outcome[Task, Result]]:
        """See `Workers.each`."""
        from distributed import as_completed

        folders = tuple(str(folder) for folder in self._folders if folder.exists())
        done = partial(_done_by_worker, __version__, folders, do)
        futures = self._client.map(done, tasks, pure=False, key="vsclick")
        of_key = {future.key: task for future, task in zip(futures, tasks, strict=True)}
        if not self._client.nthreads():
            self._say("The scheduler has no worker yet; the cases wait for one.")
        # They are cancelled once nobody holds them: when this ends, and when this process does.
        left = as_completed(futures, loop=self._client.loop)
        del futures
        for future in left:
            answer = _answer(future)
            # A worker that dies loses what it holds, and what is wanted of that would be done again.
            future.release()
            yield Outcome(of_key[future.key], answer)


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Connect with the scheduler of a Dask cluster.

    Parameters
    ----------
    address : str
        As the scheduler tells it, such as ``tcp://10.0.0.1:8786``. For ``tls://`` Dask reads its certificates
        from its own configuration.

    Yields
    ------
    distributed.Client
        Closed at the end.

    Raises
    ------
    ClusterError
        If Dask is not installed, or the scheduler does not answer or has, as may a worker, another version.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise ClusterError("a cluster needs Dask; install vsclickcorrect[cluster].") from None
    # What it logs would stand between the lines of the command, which says what matters itself.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    _check(address)
    with Client(address, timeout=_PATIENCE_S, set_as_default=False) as client:
        _check_versions(client)
        yield client


def _check(address: str) -> None:
    """Refuse an address at which no scheduler answers; a client that finds none is not closed in a moment."""
    try:
        kind = asyncio.run(asyncio.wait_for(_kind_of(address), _PATIENCE_S))
        if kind != "Scheduler":
            raise ValueError(f"a {kind.lower()} is there")
    # The latter of an address that is none, of missing certificates, and where something else answers.
    except (OSError, asyncio.TimeoutError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines() or ["no answer"]
        raise ClusterError(
            f"the scheduler {address} cannot be reached ({reason[0]}); check the address, and that 'dask "
            "scheduler' runs there."
        ) from None


async def _kind_of(address: str) -> str:
    from distributed.core import rpc
    from distributed.security import Security

    certificates = Security().get_connection_args("client")
    async with rpc(address, timeout=_PATIENCE_S, connection_args=certificates) as there:
        return (await there.identity())["type"]


def _check_versions(client: Client) -> None:
    """Refuse a cluster that does not know this package: a worker would end at its name."""
    asked = _version_there()
    found = {"the scheduler": client.run_on_scheduler(asked)}
    found |= {f"the worker {worker}": there for worker, there in client.run(asked, on_error="ignore").items()}
    for who, version in found.items():
        if version != __version__:
            has = f"version {version} of vsclickcorrect" if version else "no vsclickcorrect"
            raise ClusterError(f"{who} has {has}; install version {__version__} there.")


def _version_there() -> Callable[[], str]:
    # Within a function, so that Dask sends it whole and not by the name of this module.
    def version_there() -> str:
        try:
            from VSClickCorrectLib import __version__
        except ModuleNotFoundError:
            return ""
        return __version__

    return version_there


def _answer(future: Future) -> Any:
    from distributed import CancelledError
    from distributed.scheduler import KilledWorker

    try:
        return future.result()
    except KilledWorker:
        return ProcessDied()
    except CancelledError:
        raise ClusterError(
            "the scheduler is not there any longer; what is done is kept: start it and run this again."
        ) from None


def _done_by_worker(
    version: str, folders: tuple[str, ...], do: Callable[[Task], Result], task: Task
) -> Result | VSClickError:
    """Do a task on a worker; raises `ClusterError` where no case can be done there."""
    if version != __version__:
        raise ClusterError(
            f"a worker on {socket.gethostname()} has version {__version__} of vsclickcorrect, not {version}; "
            "install one version everywhere."
        )
    for folder in folders:
        if not Path(folder).exists():
            raise ClusterError(
                f"a worker on {socket.gethostname()} does not see {folder}; mount the drive there too, under "
                "the same path."
            )
    with _ONE_AT_A_TIME:
        return attempt(do, task)
