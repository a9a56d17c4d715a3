"""What a process holds: memory, open files, threads, children. Linux alone tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figures:
    """What a process holds at one moment.

    Parameters
    ----------
    own_mb : float
        Memory in MB (2**20 bytes) that the process has asked for and written to. Unlike the next two it does
        not depend on who else has the same libraries open.
    pss_mb : float
        All memory, pages shared with other processes by their share.
    uss_mb : float
        All memory that would be free if the process ended.
    files : int
        Open file descriptors.
    threads : int
        Threads.
    """

    own_mb: float
    pss_mb: float
    uss_mb: float
    files: int
    threads: int


def figures(pid: int | str = "self") -> Figures:
    """Return what a process holds now."""
    process = Path("/proc") / str(pid)
    rollup = (process / "smaps_rollup").read_text()
    return Figures(
        _mb(rollup, "Pss_Anon"),
        _mb(rollup, "Pss"),
        _mb(rollup, "Private_Clean") + _mb(rollup, "Private_Dirty"),
        len(list((process / "fd").iterdir())),
        len(list((process / "task").iterdir())),
    )


def children_of(pid: int) -> list[int]:
    """Return the processes that a process's first thread has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def parent_of(pid: int) -> int:
    """Return who started a process."""
    return int(_stat(pid)[1])


def runs(pid: int) -> bool:
    """Return whether a process is there and has not ended."""
    try:
        return _stat(pid)[0] != "Z"
    except FileNotFoundError:
        return False


def _stat(pid: int) -> list[str]:
    """Return what is told of a process after its name, in which anything may stand: state, parent, ..."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def _mb(rollup: str, name: str) -> float:
    return int(re.search(rf"^{name}:\s+(\d+) kB", rollup, re.MULTILINE)[1]) / 1024
