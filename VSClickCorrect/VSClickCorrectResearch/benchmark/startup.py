"""How long it takes until something can be done: interpreters started anew, one after another."""

from __future__ import annotations

import subprocess
import sys

from VSClickCorrectResearch.benchmark.timing import Timing, milliseconds, timed

_READY = """
import VSClickCorrectLib.mrml.segment_correction
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_set import Networks
Networks.load(ModelFolder(), "cpu")
"""
_STARTS = {
    "Python alone": ["-c", "pass"],
    "command line, `vsclick --version`": ["-m", "VSClickCorrectLib.cli.main", "--version"],
    "import of everything a correction needs": [
        "-c",
        "import VSClickCorrectLib.mrml.segment_correction, torch",
    ],
    "from nothing to networks loaded and warm": ["-c", _READY],
}


def start_times(repeats: int) -> list[Timing]:
    """Measure each start, in turn with the others, after one that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in _STARTS}
    for number in range(repeats + 1):
        for name, arguments in _STARTS.items():
            seconds = timed(lambda arguments=arguments: _run(arguments))  # type: ignore[misc]
            if number:
                times[name].append(seconds)
    return [milliseconds(name, seconds) for name, seconds in times.items()]


def _run(arguments: list[str]) -> None:
    # What _STARTS says, by our own interpreter.
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
