"""Processes that have imported what takes seconds to import, where how they start is not what is tested.

They are forked off processes that import once. These end with the one that started them, and so do they.
"""

from __future__ import annotations

import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

from process_figures import children_of, parent_of

CAN_FORK = sys.platform == "linux"
# What takes longer to import than to use, by who is forked: an app and a child of a job, or a child that
# reads one file, which may take only so much memory.
_IMPORTED = {
    "apps": (
        "VSClickCorrectLib.cli.main",
        "VSClickCorrectLib.jobs.child",
        "VSClickCorrectLib.inference.corrector",
        "VSClickCorrectLib.inference.device",
        "VSClickCorrectLib.networks.registry",
        "VSClickCorrectApp.reading.scenes_apart",
        "VSClickCorrectApp.application",
        "VSClickCorrectApp.server",
        "VSClickCorrectApp.sources",
        "fastjsonschema",
        "safetensors.torch",
        "trame_slicer.app",
    ),
    "readers": ("VSClickCorrectApp.reading.reading_child", "VSClickCorrectLib.io.dicom_series"),
}
# By what is run, who reads and off which process it is forked; what reads scenes needs Slicer.
_READERS = {
    "VSClickCorrectApp.reading.reading_child": ("forking:run_reader", "readers"),
    "VSClickCorrectApp.reading.scenes_apart": ("forking:run_scene_reader", "apps"),
}
_ADDRESS = "VSCLICK_TESTS_FORKED_{}"
# Threads do not survive a fork.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1"
)
_LARGEST = 1 << 17
_STANDARD = (0, 1, 2)


class Forked:
    """A function of ours that is called in such a process, with what we use of a `subprocess.Popen`.

    Parameters
    ----------
    function : str
        As ``package.module:function``; what it returns is the exit status.
    argument : list of str or str
        What it is given.
    output, errors : int
        Descriptors of what is standard output and standard error there.
    kind : str
        Of which process: "apps" or "readers".
    environment : mapping of str, optional
        Its variables; ours if left out.
    """

    def __init__(
        self,
        function: str,
        argument: Sequence[str] | str,
        output: int,
        errors: int,
        kind: str,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.returncode: int | None = None
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._told.connect(_address(kind))
        # An app asks where we ask.
        asked = _IMPORTED if kind == "apps" else (kind,)
        variables = {**environment, **{_ADDRESS.format(one.upper()): _address(one) for one in asked}}
        task = {"function": function, "argument": argument, "folder": os.getcwd(), "environment": variables}
        read, write = os.pipe()
        socket.send_fds(self._told, [json.dumps(task).encode()], [read, output, errors])
        os.close(read)
        self.stdin = os.fdopen(write, "wb", buffering=0)
        self.pid = int(self._told.recv(_LARGEST))

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status once it is known; raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            self._told.settimeout(timeout)
            try:
                # Nothing is told where the process off which it was forked is gone.
                self.returncode = int(self._told.recv(_LARGEST) or -signal.SIGKILL)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("forked", timeout or 0.0) from None
            self._told.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit status, None as long as it lives."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


@contextmanager
def children_forked() -> Iterator[None]:
    """Fork the children of this process, too: readers, and jobs' where a test names no interpreter."""
    from VSClickCorrectApp.reading import apart
    from VSClickCorrectLib.jobs import process

    if not CAN_FORK:
        yield
        return
    start, run = process._started, apart._run

    def started(python: Path, folder: Path):
        if python != Path(sys.executable):
            return start(python, folder)
        with open(folder / "errors.txt", "wb") as errors, open(os.devnull, "wb") as nothing:
            return Forked("forking:run_child", str(folder), nothing.fileno(), errors.fileno(), "apps")

    def read(folder: Path, path: Path, child: str) -> int:
        if child not in _READERS:
            return run(folder, path, child)
        function, kind = _READERS[child]
        with open(os.devnull, "wb") as nothing:
            forked = Forked(function, str(folder), nothing.fileno(), nothing.fileno(), kind)
        with forked.stdin:
            return forked.wait(apart._LIMIT_S)

    with patch.object(process, "_started", started), patch.object(apart, "_run", read):
        yield


@contextmanager
def next_held(process: subprocess.Popen | Forked) -> Iterator[None]:
    """Stop the next process that is forked for a forked app, as one that takes long, until it is killed."""
    if not isinstance(process, Forked):
        yield
        return
    parent, over = parent_of(process.pid), threading.Event()
    before = set(children_of(parent))

    def hold() -> None:
        while not over.wait(0.002):
            if new := set(children_of(parent)) - before:
                os.kill(new.pop(), signal.SIGSTOP)
                return

    watching = threading.Thread(target=hold)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def run_child(folder: str) -> None:
    """Do the task in the folder of a job."""
    from VSClickCorrectLib.jobs.child import main

    main(Path(folder))


def run_reader(folder: str) -> None:
    """Read what the task in a folder says."""
    from VSClickCorrectApp.reading import reading_child

    reading_child.main(Path(folder), reading_child._read)


def run_scene_reader(folder: str) -> None:
    """Read the scene that the task in a folder names."""
    from VSClickCorrectApp.reading import reading_child, scenes_apart

    reading_child.main(Path(folder), scenes_apart._read)


def run_command(words: list[str]) -> int:
    """Run ``vsclick`` with these words, and fork the children of its jobs."""
    from VSClickCorrectLib.cli.main import main

    with children_forked():
        return main(words)


def _address(kind: str) -> str:
    """Return where the process listens that is forked; it is started if need be."""
    name = _ADDRESS.format(kind.upper())
    if name not in os.environ:
        address = str(Path(tempfile.mkdtemp(prefix="vsclick-forked-"), "socket"))
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; import forking; forking.serve({address!r}, {kind!r})"
        )
        # It lives as long as its standard input is open here.
        server = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_ONE_THREAD | os.environ,
        )
        assert server.stdout is not None and server.stdout.read(1), "nothing can be forked"
        _SERVERS.append(server)
        os.environ[name] = address
    return os.environ[name]


_SERVERS: list[subprocess.Popen] = []


def serve(address: str, kind: str) -> None:
    """Import what one kind needs, then fork for whoever asks at a socket, until standard input is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _IMPORTED[kind]:
        importlib.import_module(name)
    children: dict[int, socket.socket] = {}
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener,
        selectors.DefaultSelector() as asked,
    ):
        listener.bind(address)
        listener.listen()
        os.write(1, b"!")
        asked.register(0, selectors.EVENT_READ)
        asked.register(listener, selectors.EVENT_READ, lambda: _fork(listener, asked, children))
        while _answered(asked):
            pass
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)


def _answered(asked: selectors.BaseSelector) -> bool:
    for key, _ in asked.select():
        if key.data is None:
            return False
        key.data()
    return True


def _fork(listener: socket.socket, asked: selectors.BaseSelector, children: dict[int, socket.socket]) -> None:
    client, _ = listener.accept()
    task, descriptors, _, _ = socket.recv_fds(client, _LARGEST, len(_STANDARD))
    pid = os.fork()
    if pid == 0:
        asked.close()
        for other in (listener, client, *children.values()):
            other.close()
        _become(json.loads(task), descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    client.send(str(pid).encode())
    children[pid] = client
    ended = os.pidfd_open(pid)
    asked.register(ended, selectors.EVENT_READ, lambda: _tell(pid, ended, asked, children))


def _tell(pid: int, ended: int, asked: selectors.BaseSelector, children: dict[int, socket.socket]) -> None:
    asked.unregister(ended)
    os.close(ended)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with children.pop(pid) as client, suppress(OSError):
        client.send(str(status).encode())


def _become(task: dict, descriptors: list[int]) -> None:
    """Be the process that was asked for; never returns."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for descriptor, standard in zip(descriptors, _STANDARD, strict=True):
            os.dup2(descriptor, standard)
            os.close(descriptor)
        os.chdir(task["folder"])
        os.environ.clear()
        os.environ.update(task["environment"])
        tempfile.tempdir = None
        module, name = task["function"].split(":")
        function: Callable[..., int | None] = getattr(importlib.import_module(module), name)
        status = function(task["argument"]) or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001, told as Python does at the end of a process
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
