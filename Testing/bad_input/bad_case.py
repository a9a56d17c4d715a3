"""A bad input: how it is made, what takes it, and what the sentence that it gets must name."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import SimpleITK as sitk
from forking import CAN_FORK, Forked
from good_files import GoodFiles
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.errors import VSClickError

Arguments = Sequence[str | Path]
# A guard against hanging, far above what any case takes.
LIMIT_S = 120
_NOBODY = 65534
_LIBRARY = Path(__file__).resolve().parents[2] / "VSClickCorrect"


@dataclass(frozen=True)
class Room:
    """An empty folder in which a bad input is made, and good files beside it."""

    folder: Path
    good: GoodFiles

    def file(self, name: str, content: bytes | str | dict | list) -> Path:
        """Write a file; what is neither bytes nor text becomes JSON."""
        path = self.folder / name
        if isinstance(content, dict | list):
            content = json.dumps(content)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    def inside(self, name: str) -> Path:
        """Make a folder."""
        path = self.folder / name
        path.mkdir()
        return path

    @property
    def out(self) -> Path:
        """Where a command is told to write."""
        return self.folder / "out.nii.gz"

    def segment(self, scan: Path, *more: str | Path) -> Arguments:
        """Return ``vsclick segment`` on a scan."""
        return ["segment", "--t1ce", scan, "--output", self.out, *self.models(), *more]

    def correct(self, *more: str | Path, **given: str | Path) -> Arguments:
        """Return ``vsclick correct`` on good files but for those given."""
        files = {"t1ce": self.good.t1ce, "mask": self.good.mask, "clicks": self.good.clicks, **given}
        named = [word for name, path in files.items() for word in (f"--{name}", path)]
        return ["correct", *named, "--output", self.out, *self.models(), *more]

    def resume(self, journal: Path, *more: str | Path) -> Arguments:
        """Return ``vsclick resume`` of a journal on the good scan."""
        return ["resume", journal, "--t1ce", self.good.t1ce, "--output", self.out, *more]

    def evaluate(self, cases: Path) -> Arguments:
        """Return ``vsclick evaluate`` of a list of cases."""
        return ["evaluate", "--cases", cases, "--output", self.folder / "tables", *self.models()]

    def models(self) -> Arguments:
        """Return the options that name the good models."""
        return ["--models", self.good.models, "--device", "cpu"]


@dataclass(frozen=True)
class Outcome:
    """What became of an input: exit status, what was said and printed, and the files that are new."""

    status: int
    said: str
    printed: str
    new: list[str]

    @property
    def sentence(self) -> str:
        """What was said, without the name of the command before it and the line's end."""
        return self.said.removeprefix("vsclick: ").removesuffix("\n")


@dataclass(frozen=True)
class BadInput:
    """One row of the table.

    Parameters
    ----------
    name : str
        What the input is, in a few words.
    make : callable
        Makes it in a `Room` and returns the arguments of ``vsclick``, or a function to call where no command
        takes such an input.
    names : tuple of str
        What the sentence that it gets must name: the input, what is wrong with it, what to do; paths without
        their folder. Empty if the input is accepted.
    happens : str
        What happens to an input that is accepted.
    prints : str
        What is printed of an input that is accepted; empty if it is refused.
    apart : bool
        Whether it runs in a process of its own, because it could hang.
    nobody : bool
        Whether it runs without the rights of root.
    """

    name: str
    make: Callable[[Room], Arguments | Callable[[], object]]
    names: tuple[str, ...] = ()
    happens: str = ""
    prints: str = ""
    apart: bool = False
    nobody: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the input is of use after all."""
        return bool(self.prints)

    def run(self, good: GoodFiles) -> Outcome:
        """Make the input in a folder of its own and hand it over."""
        with TemporaryDirectory(prefix="bad-input-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            made = self.make(Room(folder, good))
            before = _listing(folder)
            status, said, printed = _run_apart(made) if self.apart else _run_here(made, self.nobody)
            new = sorted(p for p, content in _listing(folder).items() if before.get(p, ...) != content)
            return Outcome(status, _without(said, folder, good.folder), _without(printed, folder), new)


def _run_here(made: Arguments | Callable[[], object], nobody: bool) -> tuple[int, str, str]:
    # What captures is made first: nobody may be unable to make a file.
    with _captured() as (out, err), _rights_of_nobody(nobody):
        status = _status(made)
    return status, err.getvalue(), out.getvalue()


def _status(made: Arguments | Callable[[], object]) -> int:
    if not callable(made):
        try:
            return main([str(word) for word in made])
        except SystemExit as end:
            return int(end.code or 0)
    # As `main` has it.
    sitk.ProcessObject.GlobalWarningDisplayOff()
    try:
        print(made())
    except VSClickError as error:
        message = str(error)
        first = message.partition(" ")[0]
        # As `main` has it, which leaves names alone.
        print(f"vsclick: {message if '.' in first else message[:1].upper() + message[1:]}", file=sys.stderr)
        return 2
    return 0


def _run_apart(made: Arguments) -> tuple[int, str, str]:
    with TemporaryFile("w+", encoding="utf-8") as out, TemporaryFile("w+", encoding="utf-8") as err:
        process = _started([str(word) for word in made], out.fileno(), err.fileno())
        try:
            status = process.wait(LIMIT_S)
        finally:
            process.kill()
        for file in (out, err):
            file.seek(0)
        return status, err.read(), out.read()


def _started(words: list[str], out: int, err: int) -> subprocess.Popen | Forked:
    if CAN_FORK:
        return Forked("forking:run_command", words, out, err, "apps")
    command = [sys.executable, "-m", "VSClickCorrectLib.cli.main", *words]
    return subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, "PYTHONPATH": str(_LIBRARY)})


@contextmanager
def _captured() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Capture what Python and, on standard error, what native code writes."""
    out, err = io.StringIO(), io.StringIO()
    saved = os.dup(2)
    with TemporaryFile() as native:
        os.dup2(native.fileno(), 2)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                yield out, err
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            native.seek(0)
            err.write(native.read().decode("utf-8", "replace"))


@contextmanager
def _rights_of_nobody(wanted: bool) -> Iterator[None]:
    if not wanted or os.geteuid() != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def _listing(folder: Path) -> dict[str, bytes | None]:
    """Return all files by name with their content, None for folders and what is no ordinary file."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def _without(text: str, *folders: Path) -> str:
    """Take out what differs from run to run: folders, and quotes by which versions of Python differ."""
    for folder in folders:
        text = text.replace(f"{folder}/", "").replace(str(folder), "")
    return re.sub(r"\(choose from .*\)", lambda match: match[0].replace("'", ""), text)
