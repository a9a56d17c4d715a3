"""The commands of ``vsclick``, and what becomes of their errors."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from errno import ENOSPC, EPIPE
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from io import TextIOWrapper
from typing import Any, NoReturn

from VSClickCorrectLib import __version__
from VSClickCorrectLib.errors import VSClickError, enough_memory, on_one_line

_DESCRIPTION = """\
Segment a vestibular schwannoma on co-registered contrast-enhanced T1 and T2 MRI, and correct the
segmentation by clicks. Research software, not a medical device.
"""
# Module and help of each command; modules are imported when they are needed.
Commands = dict[str, tuple[str, str]]
_LIBRARY = "VSClickCorrectLib.cli"
_COMMANDS: Commands = {
    "segment": (f"{_LIBRARY}.segment", "make the initial mask"),
    "correct": (f"{_LIBRARY}.correct", "correct a mask by clicks"),
    "compare": (f"{_LIBRARY}.compare", "compare two examinations"),
    "worklist": (f"{_LIBRARY}.worklist", "list cases and their states"),
    "prepare": (f"{_LIBRARY}.prepare", "make a worklist's initial masks ahead"),
    "adapt": (f"{_LIBRARY}.adapt", "let the networks learn from accepted cases"),
    "resume": (f"{_LIBRARY}.resume", "rebuild a mask from a journal"),
}
# Packages beside the library add commands under this name.
_ENTRY_POINTS = "vsclick.commands"


def _installed() -> Commands:
    """Return the library's commands and those of the packages that are installed beside it."""
    found = dict(_COMMANDS)
    for entry in entry_points(group=_ENTRY_POINTS):
        # Slicer and small installations have the library alone.
        if find_spec(entry.module.partition(".")[0]):
            found |= entry.load()
    return found


class _Parser(argparse.ArgumentParser):
    """A parser, also of the commands, that says what is wrong in one line and completes no option.

    A plain T1 that is given as ``--t1`` is no T1ce.
    """

    def __init__(self, prog: str | None = None, **options: Any) -> None:
        super().__init__(prog, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """See `argparse.ArgumentParser.error`."""
        self.exit(2, f"vsclick: {message[:1].upper()}{on_one_line(message[1:])}; see '{self.prog} --help'.\n")


def run(arguments: Sequence[str] | None) -> int:
    """Run a command line; see `cli.main.main`."""
    parser = _Parser("vsclick", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"vsclick {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    words = sys.argv[1:] if arguments is None else arguments
    for name, (module, text) in _installed().items():
        command = commands.add_parser(name, help=text)
        if name in words:
            import_module(module).configure(command)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        commands.choices[options.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    # A file's name need not be text that the terminal can show.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    import SimpleITK as sitk

    # What ITK has to say about a file would stand beside the one plain line.
    sitk.ProcessObject.GlobalWarningDisplayOff()
    try:
        with enough_memory():
            options.run(options)
        sys.stdout.flush()
    except VSClickError as error:
        print(f"vsclick: {_sentence(str(error), words)}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"vsclick: {_unforeseen(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("vsclick: stopped; nothing half-written was left.", file=sys.stderr)
        return 130
    return 0


def _unforeseen(error: OSError) -> str:
    """Return a sentence on what no command foresees: a drive that goes away while it is read, say."""
    if error.filename:
        return f"{error.strerror}: {on_one_line(str(error.filename))}; nothing half-written was left."
    if error.errno in (ENOSPC, EPIPE):
        # Else Python would try once more, as it ends, to print what was refused.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return f"{error.strerror}; nothing half-written was left."


def _sentence(message: str, words: Sequence[str]) -> str:
    """Begin with a capital letter, unless the first word is a name that was given."""
    named = any(word and message.startswith(word) for word in words)
    return message if named else message[:1].upper() + message[1:]
