"""``vsclick serve`` on the command line, and the unit by which systemd starts it."""

import argparse
import os
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from raw_http import ask, request
from volume_files import SHAPE, written
from VSClickCorrectApp.cli import app, serve
from VSClickCorrectLib.cli.main import main

if find_spec("aiohttp") is None or sys.platform == "win32":
    pytest.skip("groups are served by aiohttp, on Linux and macOS", allow_module_level=True)

DEPLOY = Path(__file__).resolve().parents[2] / "Resources" / "Deploy"
SECRET = "known-to-the-proxy-alone"


@pytest.fixture
def place():
    """A folder with a worklist, and a name short enough for a socket."""
    with TemporaryDirectory(prefix="vs-") as name:
        case = Path(name) / "cases" / "VS-1"
        case.mkdir(parents=True)
        written(case / "T1ce.nii.gz", np.zeros(SHAPE, np.int16))
        yield Path(name)


def words_of(place, models, *more):
    return [
        *("serve", place / "cases", "--output", place / "results", "--people", 2),
        *("--models", models, "--device", "cpu", *more),
    ]


@pytest.fixture
def served(place, own_models):
    """Start the command; return its process once it answers, and what it says."""
    processes = []

    def start(*more, **environment):
        words = [sys.executable, "-m", "VSClickCorrectLib.cli.main", *words_of(place, own_models, *more)]
        process = subprocess.Popen(
            [str(word) for word in words],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
            text=True,
        )
        processes.append(process)
        return process, process.stdout.readline()

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def refused(capsys, *words):
    assert main([str(word) for word in words]) == 2
    return capsys.readouterr().err


def test_the_socket_lets_owner_and_group_in_and_goes_with_the_server(served, place):
    path = place / "serve.sock"
    # A socket that a killed server has left.
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    process, said = served("--socket", path)
    assert said == f"VSClickCorrect answers its proxy at {path} (Ctrl+C ends it)\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM
    assert not path.exists()


def test_a_socket_that_answers_and_a_file_are_not_replaced(place, own_models, capsys):
    path = place / "serve.sock"
    with socket.socket(socket.AF_UNIX) as answering:
        answering.bind(str(path))
        answering.listen()
        assert "Address already in use" in refused(capsys, *words_of(place, own_models, "--socket", path))
    file = place / "notes.txt"
    file.write_text("mine")
    said = refused(capsys, *words_of(place, own_models, "--socket", file))
    assert said.startswith(f"vsclick: Cannot listen on {file} (") and file.read_text() == "mine"
    long = place / ("a" * 200)
    assert "choose another place." in refused(capsys, *words_of(place, own_models, "--socket", long))


def test_an_address_beside_a_socket_is_refused(place, own_models, capsys):
    words = words_of(place, own_models, "--socket", place / "serve.sock", "--host", "10.0.0.2")
    assert "leave it out beside --socket" in refused(capsys, *words)
    assert not (place / "serve.sock").exists()


def test_at_a_port_the_proxys_secret_is_wanted(served, place, own_models, monkeypatch, capsys):
    monkeypatch.setenv(serve.SECRET_VARIABLE, "short")
    assert "at least 16" in refused(capsys, *words_of(place, own_models, "--port", 0))
    _, said = served("--port", 0, **{serve.SECRET_VARIABLE: SECRET})
    port = int(re.search(r"port (\d+)", said)[1])
    person = {"Host": "a", "X-Remote-User": "anna", "Connection": "close"}
    assert ask(port, request("GET", "/x", person)).status == 403
    assert ask(port, request("GET", "/x", {**person, "X-Proxy-Secret": SECRET})).status == 409


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda place: (place / "cases" / "VS-1" / "T1ce.nii.gz").unlink(), "cases"),
        (lambda place: (place / "models" / "manifest.json").unlink(), "manifest.json"),
    ],
)
def test_what_would_stop_everybody_is_told_at_once(place, own_models, spoil, said, capsys):
    (place / "models").symlink_to(own_models)
    spoil(place)
    words = words_of(place, place / "models", "--socket", place / "serve.sock")
    assert said in refused(capsys, *words)


def test_the_unit_s_command_is_understood():
    unit = (DEPLOY / "vsclick-serve.service").read_text(encoding="utf-8")
    command, name, *words = shlex.split(re.search(r"^ExecStart=(.+)$", unit, re.MULTILINE)[1])
    assert Path(command).name == "vsclick" and name == "serve"
    options = parsed(serve, words)
    assert (options.people, options.socket) == (8, Path("/run/vsclick/serve.sock"))
    # As it ends where it is told to.
    assert f"SuccessExitStatus={128 + signal.SIGTERM}\n" in unit
    # Who proxies and who is proxied name one socket.
    assert f"proxy_pass http://unix:{options.socket};" in (DEPLOY / "nginx.conf").read_text(encoding="utf-8")


def test_each_process_is_the_app_on_this_worklist_and_no_other(place, own_models):
    words = [str(word) for word in words_of(place, own_models, "--socket", "s", "--upload-limit", 7)]
    options = parsed(serve, words[1:])
    command = serve.app_command(options)
    assert command[1:4] == ["-m", "VSClickCorrectLib.cli.main", "app"]
    given = parsed(app, [*command[4:], "--annotator=-anna"])
    assert (given.worklist, given.output) == (place / "cases", place / "results")
    assert (given.host, given.port, given.annotator, given.upload_limit) == ("127.0.0.1", 0, "-anna", 7)
    assert given.no_browser and given.timeout == 120 and given.models == own_models
    assert not parsed(app, command[4:]).different_patients
    assert "--different-patients" in serve.app_command(parsed(serve, [*words[1:], "--different-patients"]))


def parsed(command, words):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return parser.parse_args(words)
