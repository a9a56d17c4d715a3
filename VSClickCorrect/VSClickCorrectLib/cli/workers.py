"""Who does the cases of a command: the options for that, and what they mean."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from VSClickCorrectLib.cli.options import count
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.jobs.cases import Processes, ThisProcess, Workers


def add_workers(parser: argparse.ArgumentParser, processes: int | None, default: str = "%(default)s") -> None:
    """Add ``--processes`` and ``--scheduler``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The command's.
    processes : int or None
        As many if nothing is said; None for this process itself.
    default : str
        How the help says so.
    """
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--processes",
        type=count,
        default=processes,
        metavar="N",
        help=f"cases at a time (default: {default})",
    )
    either.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="do the cases on the Dask cluster of this scheduler, tcp://HOST:PORT or tls://HOST:PORT; see "
        "Resources/Docs/cluster.md",
    )


@contextmanager
def workers_of(options: argparse.Namespace) -> Iterator[Workers]:
    """Have the workers that the options ask for; with a cluster their paths are made absolute.

    Raises
    ------
    ClusterError
        If the cluster cannot be reached.
    """
    if options.scheduler:
        from VSClickCorrectLib.jobs.cluster import Cluster, connected

        # Workers begin in folders of their own.
        places = {name: value.absolute() for name, value in vars(options).items() if isinstance(value, Path)}
        vars(options).update(places)
        with connected(options.scheduler) as client:
            yield Cluster(client, list(places.values()), lambda line: tell(line, to=sys.stderr))
    else:
        yield Processes(options.processes) if options.processes else ThisProcess()
