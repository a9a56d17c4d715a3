"""What tests have done with cases, in whatever process."""

from __future__ import annotations

import os
import time
from pathlib import Path
from signal import SIGKILL

from VSClickCorrectLib.errors import DifferentPatients, ImageError

# What a case is told to do: its number times ten, unless it is one of these.
TORN, STRANGERS, FATAL, FATAL_ONCE = 3, 5, 7, 8
# A process with a fatal case lives until this one was done: who did it has given its other answers by then.
BEFORE_FATAL = 1


def worked(folder: str, number: int) -> int:
    """Return ten times the number, and note that it was done; some numbers end otherwise."""
    if number == TORN:
        raise ImageError("the scan is torn.")
    if number == STRANGERS:
        raise DifferentPatients("Ada", "Eve")
    while number == FATAL and not (Path(folder) / f"{BEFORE_FATAL}.txt").exists():
        time.sleep(0.01)
    if number == FATAL or (number == FATAL_ONCE and not _seen(folder, number)):
        os.kill(os.getpid(), SIGKILL)
    with open(Path(folder) / f"{number}.txt", "a", encoding="ascii") as file:
        file.write("done\n")
    return number * 10


def slept(folder: str, number: int) -> int:
    """Note who does a case, take a while, and return its number."""
    (Path(folder) / f"{number}.pid").write_text(str(os.getpid()), encoding="ascii")
    time.sleep(0.3)
    return number


def _seen(folder: str, number: int) -> bool:
    path = Path(folder) / f"{number}.seen"
    seen = path.exists()
    path.touch()
    return seen
