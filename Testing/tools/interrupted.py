"""Commands that are interrupted by signals at random moments: ``python interrupted.py --tries 200``."""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import numpy as np
from bright_ball import ball, write_image
from good_files import GoodFiles, write_good_files
from VSClickCorrectLib.cli.main import STOPPED

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
VSCLICK = ("-m", "VSClickCorrectLib.cli.main")
HERE = Path(__file__).resolve().parent
# Longer than any of the commands goes on after a signal.
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Interruption:
    """What a command that was interrupted has left.

    Parameters
    ----------
    status : int
        The command's; 0 if it was done before the signal came.
    said : str
        What it wrote to standard error.
    left : tuple of str
        What is in its folder for temporary files, and what is hidden, so half written, in its output.
    alive : tuple of int
        Processes of its group that are still there.
    """

    status: int
    said: str
    left: tuple[str, ...]
    alive: tuple[int, ...]

    def faults(self, number: int) -> list[str]:
        """Say what is not as it should be after a signal."""
        wrong = [f"left {name}" for name in self.left] + [f"left process {pid}" for pid in self.alive]
        if self.status == 0:
            return wrong
        if self.status != 128 + number:
            wrong.append(f"status {self.status}")
        if "Traceback" in self.said or "Exception ignored" in self.said or not self.said.endswith(STOPPED):
            wrong.append(f"said {self.said!r}")
        return wrong


class Commands:
    """The commands, on small files of their own.

    Parameters
    ----------
    folder : Path
        Where the files are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "good").mkdir()
        good = write_good_files(folder / "good")
        label = write_image(folder / "label.nii", ball().astype(np.uint8))
        self.list = folder / "list.csv"
        rows = [(f"P{n}", good.t1ce, label, good.mask) for n in range(6)]
        lines = [("case", "t1ce", "label", "mask"), *rows]
        self.list.write_text("".join(",".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")
        self.heads = folder / "heads.csv"
        lines = [("case", "t1ce"), *((f"P{n}", good.t1ce) for n in range(6))]
        self.heads.write_text("".join(",".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")
        (self.folder / "data").mkdir(exist_ok=True)
        self.arguments = self._arguments(good)

    def _arguments(self, good: GoodFiles) -> dict[str, tuple[object, ...]]:
        models = ("--models", good.models, "--device", "cpu")
        scan, out = ("--t1ce", good.t1ce), self.out
        clicks = ("--mask", good.mask, "--clicks", good.clicks)
        made = ("--journal", out / "clicks.jsonl", "--output", out / "corrected.nrrd")
        cases = ("--cases", self.list, "--start", "mask", "--output", out / "evaluated")
        cohort = ("--data", self.folder / "data", "--output", out / "cohort", "--count", 30)
        return {
            "segment": (*VSCLICK, "segment", *scan, "--output", out / "mask.nii.gz", *models),
            "correct": (*VSCLICK, "correct", *scan, *clicks, *made, *models),
            "prepare": (*VSCLICK, "prepare", self.heads, "--output", out / "list", "--processes", 2, *models),
            "import": (*VSCLICK, "import", "csv", self.list, "--output", out / "cases"),
            "evaluate": (*VSCLICK, "evaluate", *cases, *models),
            "demo": (*VSCLICK, "demo", *scan, "--output", out / "demo", *models),
            "app": (*VSCLICK, "app", *scan, "--no-browser", "--port", 0, *models),
            "simulate": (HERE / "simulated.py", "simulate", *cohort),
            "job": (HERE / "registering.py", "job"),
        }

    @property
    def temporary(self) -> Path:
        """The commands' folder for temporary files, empty at their start."""
        return self.folder / "tmp"

    @property
    def out(self) -> Path:
        """The folder of their outputs, empty at their start."""
        return self.folder / "out"

    def run(
        self,
        name: str,
        number: int,
        seconds: float = 0.0,
        until: Callable[[], bool] | None = None,
        from_start: bool = False,
    ) -> Interruption:
        """Start a command and send it a signal.

        Parameters
        ----------
        name : str
            The command.
        number : int
            The signal; Ctrl+C goes to the whole group, as a terminal sends it.
        seconds : float
            When, counted from when the command has taken signals into its own hands.
        until : callable, optional
            Says whether the moment has come.
        from_start : bool
            Count from its start instead.
        """
        temporary, out = self.temporary, self.out
        for made in (temporary, out):
            rmtree(made, ignore_errors=True)
            made.mkdir()
        command = subprocess.Popen(
            [sys.executable, *map(str, self.arguments[name])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(temporary)},
            start_new_session=True,
        )
        try:
            if not from_start:
                _until_handled(command)
            time.sleep(seconds)
            while until is not None and command.poll() is None and not until():
                time.sleep(0.001)
            send = os.killpg if number == signal.SIGINT else os.kill
            send(command.pid, number)
            said = command.communicate(timeout=_PATIENCE_S)[1]
        except ProcessLookupError:
            said = command.communicate()[1]
        left = [p.name for p in temporary.iterdir()]
        left += [str(p.relative_to(out)) for p in out.rglob("*") if _hidden(p.relative_to(out))]
        return Interruption(command.returncode, said, tuple(left), tuple(_group(command.pid)))


def _until_handled(command: subprocess.Popen) -> None:
    """Wait until a process catches SIGTERM, which Python by itself does not."""
    while command.poll() is None:
        caught = re.search(
            r"SigCgt:\s*(\w+)", Path(f"/proc/{command.pid}/status").read_text(encoding="ascii")
        )
        if caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.001)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or "unfinished" in part for part in path.parts)


def _group(number: int) -> Iterator[int]:
    """The processes of a group that are alive; those that have just ended are given a moment."""
    for _ in range(50):
        alive = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _, group = path.read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if int(group) == number and state != "Z":
                alive.append(int(path.parent.name))
        if not alive:
            return
        time.sleep(0.1)
    yield from alive


def main() -> int:
    """Interrupt every command many times and print what was found; 1 if anything was left or said wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=24, help="of each command")
    parser.add_argument("--seconds", type=float, default=6.0, help="the latest moment")
    parser.add_argument("--commands", nargs="+")
    parser.add_argument("--from-start", action="store_true", help="also while Python itself starts")
    chosen, chance, counts = parser.parse_args(), random.Random(), Counter()
    with TemporaryDirectory(prefix="interrupted-") as folder:
        commands = Commands(Path(folder))
        for name in chosen.commands or commands.arguments:
            for attempt in range(chosen.tries):
                number = SIGNALS[attempt % len(SIGNALS)]
                moment = chance.uniform(0.0, chosen.seconds)
                ended = commands.run(name, number, moment, from_start=chosen.from_start)
                faults = ended.faults(number)
                counts[name, "done" if ended.status == 0 else "faulty" if faults else "clean"] += 1
                for fault in faults:
                    print(f"{name}, {number.name} after {moment:.3f} s: {fault}", flush=True)
            print(f"{name}: { ({kind: n for (one, kind), n in counts.items() if one == name}) }", flush=True)
    return int(any(kind == "faulty" for _, kind in counts))


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[0] / "bad_input"))
    sys.exit(main())
