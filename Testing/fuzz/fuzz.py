"""Hand damaged files to every reader: the outcome must be a value or one plain sentence.

``python fuzz.py --seconds 600`` does so and prints how many each reader was handed. Every reader runs in a
child process with limited memory, so that a crash of native code is seen and a huge header does no harm; what
killed or confused a reader is kept in the folder ``fuzz-failures``.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
_FOLDERS = ("VSClickCorrect", "Testing/tools", "Testing/bad_input", "Testing/fuzz")
sys.path[:0] = [str(ROOT / folder) for folder in _FOLDERS]

import SimpleITK as sitk  # noqa: E402
import torch  # noqa: E402, F401
from damage import damaged  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402
from readers import MAKERS  # noqa: E402
from VSClickCorrectLib.errors import VSClickError  # noqa: E402

# PyTorch alone reserves several GB of addresses.
_MEMORY_BYTES = 10 << 30
# One input takes milliseconds.
_HANG_S = 60
# A child makes its good files and may have one input in work when its time is up.
_LEEWAY_S = 120
_EXAMPLES = 200
# However slow the machine is.
_LEAST = 20
_WORK = "input"


class Confused(Exception):
    """A reader said something that is not one sentence."""


def fuzz_reader(name: str, seconds: float, first_seed: int, folder: Path) -> dict:
    """Hand damaged files to one reader until the time is up or it fails, in this process.

    Returns
    -------
    dict
        ``tried``, ``refused`` and, if it failed, ``failure``: a traceback.
    """
    reader = MAKERS[name](folder)[name]
    # What is good is read, or its damaged copies would prove nothing.
    reader.read(reader.content, folder)
    count = {"tried": 0, "refused": 0}
    end = time.monotonic() + seconds

    def over() -> bool:
        return time.monotonic() > end and count["tried"] >= _LEAST

    def hand_in(content: bytes) -> None:
        if over():
            return
        (folder / _WORK).write_bytes(content)
        count["tried"] += 1
        faulthandler.dump_traceback_later(_HANG_S, exit=True)
        try:
            reader.read(content, folder)
        except VSClickError as error:
            count["refused"] += 1
            if not str(error).endswith(".") or "\n" in str(error):
                raise Confused(str(error)) from None
        finally:
            faulthandler.cancel_dump_traceback_later()

    for number in range(first_seed, sys.maxsize):
        if over():
            return count
        try:
            _round(hand_in, reader.content, number)
        except Exception:  # noqa: BLE001 - whatever a reader raises is what is looked for
            return {**count, "failure": traceback.format_exc(limit=-4)}
    return count


def _round(hand_in, content: bytes, number: int) -> None:
    chosen = settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(chosen(given(damaged(content))(hand_in)))()


def fuzz(names: Sequence[str], seconds: float, first_seed: int) -> dict[str, dict]:
    """Hand damaged files to readers, one after the other, each in a process of its own.

    Returns
    -------
    dict of dict
        By reader, as `fuzz_reader` returns it.
    """
    return {name: _child(name, seconds / len(names), first_seed) for name in names}


def _child(name: str, seconds: float, first_seed: int) -> dict:
    # Forked, so that nothing is imported anew.
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    with TemporaryDirectory(prefix="fuzz-") as folder:
        arguments = (sending, name, seconds, first_seed, Path(folder))
        process = context.Process(target=_in_child, args=arguments)
        process.start()
        process.join(seconds + _LEEWAY_S)
        if process.is_alive():
            process.kill()
            process.join()
        if process.exitcode == 0 and receiving.poll():
            result = receiving.recv()
        else:
            result = {"tried": 0, "refused": 0, "failure": f"it ended with status {process.exitcode}"}
        if "failure" in result:
            _keep(name, Path(folder) / _WORK)
    return result


def _in_child(sending, name: str, seconds: float, first_seed: int, folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    # ITK and GDCM complain on the terminal of each file.
    sitk.ProcessObject.GlobalWarningDisplayOff()
    with tempfile.TemporaryFile() as complaints:
        os.dup2(complaints.fileno(), 1)
        os.dup2(complaints.fileno(), 2)
        sending.send(fuzz_reader(name, seconds, first_seed, folder))


def _keep(name: str, path: Path) -> None:
    kept = Path("fuzz-failures")
    kept.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        content = path.read_bytes()
        (kept / f"{name}-{hashlib.sha256(content).hexdigest()[:8]}").write_bytes(content)


def report(results: dict[str, dict]) -> str:
    """Return the counts, and what went wrong, as text."""
    lines = [f"{name:18}{r['tried']:9} tried{r['refused']:9} refused" for name, r in results.items()]
    lines.append(f"{'all':18}{sum(r['tried'] for r in results.values()):9} tried")
    lines += [f"\n{name}:\n{r['failure']}" for name, r in results.items() if "failure" in r]
    return "\n".join(lines)


def main() -> int:
    """Run the command; as a child, one reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="for all readers together")
    parser.add_argument("--seed", type=int, action="append", help="where to begin (default: anywhere)")
    parser.add_argument("--reader", choices=MAKERS, action="append", help="these alone (default: all)")
    options = parser.parse_args()
    seeds = options.seed or [random.SystemRandom().randrange(10**9)]
    failed = False
    for number in seeds:
        print(f"seed {number}", flush=True)
        results = fuzz(options.reader or list(MAKERS), options.seconds / len(seeds), number)
        print(report(results))
        failed |= any("failure" in result for result in results.values())
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
