"""The process of a child: which interpreter, how it is started, and how it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path

from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.io.files import no_room
from VSClickCorrectLib.io.temporary import TemporaryFolder
from VSClickCorrectLib.signals import undo_on_signals

_LIBRARY = Path(__file__).resolve().parents[2]
_PAUSE_S = 0.01
# A killed process is gone within a moment, unless a drive keeps it.
_KILLED_PAUSES = 100
# Windows would show a console of its own for the child.
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


class Child:
    """A process with a folder of its own, through which it is told what to do and answers.

    It ends, and the folder goes, with `end`, with this object, or with this process, however that ends.

    Parameters
    ----------
    write : callable
        Writes into the folder what the child is to find there; raises OSError if it cannot.
    python : Path, optional
        The interpreter; see `python_executable`.

    Attributes
    ----------
    folder : Path
        The folder.

    Raises
    ------
    ModelError
        If there is no room for the folder, no interpreter, or it cannot be started.
    """

    def __init__(self, write: Callable[[Path], None], python: Path | None = None) -> None:
        temporary = _folder(write)
        self.folder = temporary.path
        try:
            self._process = _started(python or python_executable(), self.folder)
        except ModelError:
            temporary.remove()
            raise
        forget = undo_on_signals(partial(_kill, self._process))
        self._end: weakref.finalize = weakref.finalize(self, _end, self._process, temporary, forget)

    @property
    def status(self) -> int | None:
        """Its exit status; None as long as it lives."""
        return self._process.poll()

    def wake(self, write: Callable[[Path], None]) -> None:
        """Write a task for a child that waits, and tell it so; raises `ModelError` if that cannot be done."""
        try:
            write(self.folder)
            if self._process.stdin is not None:
                self._process.stdin.write(b"\n")
                self._process.stdin.flush()
        except OSError as error:
            raise ModelError(no_room(error)) from None

    def wait(self) -> int:
        """Return its exit status, once it has ended."""
        while (status := self.status) is None:
            # Not in the process's own `wait`, whose lock would keep those out who end it when a signal comes.
            time.sleep(_PAUSE_S)
        return status

    def end(self) -> None:
        """End it at once, if it still lives; its folder goes."""
        self._end()


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


def _started(python: Path, folder: Path) -> subprocess.Popen:
    try:
        with open(folder / "errors.txt", "wb") as errors:
            return subprocess.Popen(  # noqa: S603, our own module, by our own interpreter
                [str(python), "-m", "VSClickCorrectLib.jobs.child", str(folder)],
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
