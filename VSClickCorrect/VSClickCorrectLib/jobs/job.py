"""Seconds of work in a child process, watched from an event loop that must not stand still."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar, cast

from VSClickCorrectLib.errors import Cancelled, ModelError, VSClickError
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.io.files import no_room
from VSClickCorrectLib.io.registration import SEQUENCES, Registration
from VSClickCorrectLib.io.temporary import TemporaryFolder
from VSClickCorrectLib.jobs.exchange import (
    last_progress,
    read_result,
    write_preparation_task,
    write_registration_task,
    write_segmentation_task,
)
from VSClickCorrectLib.jobs.preparation import Preparation
from VSClickCorrectLib.signals import undo_on_signals

_LIBRARY = Path(__file__).resolve().parents[2]
_PAUSE_S = 0.01
# A killed process is gone within a moment, unless a drive keeps it.
_KILLED_PAUSES = 100
# Windows would show a console of its own for the child.
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
Result = TypeVar("Result", InitialMask, Registration)


@dataclass(frozen=True)
class JobState:
    """How far a job is.

    Parameters
    ----------
    fraction : float
        Between 0 and 1.
    message : str
        What is going on.
    done : bool
        Whether `Job.result` answers at once.
    """

    fraction: float
    message: str
    done: bool


class Job(Generic[Result]):
    """Work that goes on in a child process, because threads starve while Slicer waits for events.

    The volumes go over as files in a temporary folder, which is removed when the job is cancelled or
    dropped, or when its result was read. Where this process ends, the child ends too.

    Parameters
    ----------
    folder : TemporaryFolder
        With the task in it; it belongs to the job from now on.
    python : Path, optional
        The interpreter; see `python_executable`.

    Raises
    ------
    ModelError
        If no interpreter is found or it cannot be started.
    """

    def __init__(self, folder: TemporaryFolder, python: Path | None = None) -> None:
        self._folder = folder.path
        try:
            self._process = self._started(python or python_executable())
        except ModelError:
            folder.remove()
            raise
        forget = undo_on_signals(partial(_kill, self._process))
        self._end: weakref.finalize = weakref.finalize(self, _end, self._process, folder, forget)
        self._cancelled = False
        self._outcome: Result | VSClickError | None = None

    @staticmethod
    def start_segmentation(
        case: Case, models: Path | None = None, device: str = "auto", python: Path | None = None
    ) -> Job[InitialMask]:
        """Begin to find the tumour; see `InitialSegmenter.segment`.

        Parameters
        ----------
        case : Case
            The sequences.
        models : Path, optional
            A folder of models; those that ship with the product if left out.
        device : str
            As for `InitialSegmenter.load`.
        python : Path, optional
            As for `Job`, whose errors are raised.
        """
        return Job(_folder(lambda folder: write_segmentation_task(folder, case, models, device)), python)

    @staticmethod
    def start_registration(
        t1ce: Volume, t2: Volume, python: Path | None = None, names: tuple[str, str] = SEQUENCES
    ) -> Job[Registration]:
        """Begin to register a T2 to the T1ce; see `io.registration.register`."""
        return Job(_folder(lambda folder: write_registration_task(folder, t1ce, t2, names)), python)

    @staticmethod
    def start_preparation(preparation: Preparation, python: Path | None = None) -> Job[InitialMask]:
        """Begin to make an initial mask ahead; see `jobs.preparation.prepare`."""
        return Job(_folder(lambda folder: write_preparation_task(folder, preparation)), python)

    def poll(self) -> JobState:
        """Return how far the job is, at once."""
        if self._outcome is not None or self._cancelled:
            return JobState(1.0, "cancelled" if self._cancelled else "done", True)
        done = self._process.poll() is not None
        fraction, message = last_progress(self._folder)
        return JobState(1.0 if done else fraction, message, done)

    def result(self) -> Result:
        """Return what was computed; wait for it where `poll` does not say that it is done.

        Raises
        ------
        Cancelled
            If the job was cancelled.
        VSClickError
            What the computation raised in the child.
        ModelError
            If the child ended without a word, for instance because memory ran out.
        """
        if self._cancelled:
            raise Cancelled("the computation was cancelled.")
        if self._outcome is None:
            while self._process.poll() is None:
                # Not in `wait`, whose lock would keep those out who end the child when a signal comes.
                time.sleep(_PAUSE_S)
            self._outcome = cast("Result | VSClickError", read_result(self._folder, self._process.returncode))
            self._end()
        if isinstance(self._outcome, VSClickError):
            raise self._outcome
        return self._outcome

    def cancel(self) -> None:
        """End the child at once; cancelling twice, or after the end, does no harm."""
        if self._outcome is None:
            self._cancelled = True
        self._end()

    def _started(self, python: Path) -> subprocess.Popen:
        try:
            with open(self._folder / "errors.txt", "wb") as errors:
                return subprocess.Popen(  # noqa: S603, our own module, by our own interpreter
                    [str(python), "-m", "VSClickCorrectLib.jobs.child", str(self._folder)],
                    # The child ends when this pipe closes, however this process may end.
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    env=child_environment(),
                    creationflags=NO_WINDOW,
                )
        except OSError as error:
            raise ModelError(
                f"the Python interpreter {python} cannot be started ({error.strerror}); install Slicer again."
            ) from None


def python_executable() -> Path:
    """Return the interpreter for child processes.

    Desktop Slicer is not a Python interpreter itself, but brings one by the name of PythonSlicer.

    Raises
    ------
    ModelError
        If there is none.
    """
    own = Path(sys.executable)
    if own.stem.lower().startswith("python"):
        return own
    found = shutil.which("PythonSlicer")
    suffix = ".exe" if os.name == "nt" else ""
    beside = [folder / f"PythonSlicer{suffix}" for folder in (own.parent, own.parent.parent / "bin")]
    candidates = [Path(found)] if found else [path for path in beside if path.is_file()]
    if not candidates:
        raise ModelError("Slicer's Python interpreter, PythonSlicer, was not found; install Slicer again.")
    return candidates[0]


def child_environment() -> dict[str, str]:
    """Return this process's environment, with the places from which it imports."""
    places = [str(_LIBRARY), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    places += [p for p in sys.path if p.rstrip("/\\").endswith(("site-packages", "dist-packages"))]
    places += os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(p for p in places if p))}


def _folder(write: Callable[[Path], None]) -> TemporaryFolder:
    try:
        folder = TemporaryFolder("vsclick-job-")
        try:
            write(folder.path)
        except OSError:
            folder.remove()
            raise
    except OSError as error:
        raise ModelError(no_room(error)) from None
    return folder


def _end(process: subprocess.Popen, folder: TemporaryFolder, forget: Callable[[], object]) -> None:
    _kill(process)
    if process.stdin is not None:
        process.stdin.close()
    folder.remove()
    forget()


def _kill(process: subprocess.Popen) -> None:
    process.kill()
    for _ in range(_KILLED_PAUSES):
        if process.poll() is not None:
            return
        time.sleep(_PAUSE_S)
