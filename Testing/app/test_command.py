"""``vsclick app`` on the command line, and how the demo ends in it."""

import socket
from types import SimpleNamespace

import numpy as np
import pytest
from bright_ball import ball, ball_case
from VSClickCorrectLib.app.server import Serving, address
from VSClickCorrectLib.cli import app, demo
from VSClickCorrectLib.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--worklist", "cases", "--t1ce", "t1.nii"], "--worklist brings its own files"),
        (["--mask", "mask.nii"], "--mask needs the scan"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments, said, capsys):
    assert main(["app", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_is_a_number(port, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["app", "--port", port])
    assert ended.value.code == 2 and "is no port" in capsys.readouterr().err


def test_a_port_that_is_taken_ends_in_a_sentence(start_app, case_files, bright_models):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start_app("--t1ce", case_files.t1ce, "--models", bright_models, "--port", port)
        assert server.process.wait(120) == 2
    lines = server.log.read_text().splitlines()
    assert lines[-1].startswith(f"vsclick: Cannot listen on 127.0.0.1, port {port}")


@pytest.mark.parametrize(
    ("host", "token", "url"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:80/"),
        ("0.0.0.0", "vs-a", "http://127.0.0.1:80/?secret=vs-a"),
        ("::1", None, "http://[::1]:80/"),
    ],
)
def test_the_address_can_be_typed_into_a_browser(host, token, url):
    assert address(Serving(host), 80, token) == url


@pytest.fixture
def demo_run(bright_models, tmp_path, monkeypatch):
    """Run the demo on the ball, at a terminal or not; return what it would have opened."""
    opened = []
    monkeypatch.setattr(demo, "demo_case", lambda seed: SimpleNamespace(case=ball_case(), truth=ball()))
    monkeypatch.setattr(app, "start", lambda source, options: opened.append((source(), options)))

    def run(terminal):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: terminal))
        monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
        arguments = ["demo", "--output", str(tmp_path), "--models", str(bright_models), "--device", "cpu"]
        assert main(arguments) == 0
        return opened

    return run


def test_at_a_terminal_the_demo_opens_its_very_case(demo_run, bright_models):
    [(case, options)] = demo_run(terminal=True)
    np.testing.assert_array_equal(case.t1ce.array, ball_case().t1ce.array)
    np.testing.assert_array_equal(case.t2.array, ball_case().t2.array)
    assert case.mask.any()
    assert options.models == bright_models and options.device == "cpu" and not options.no_browser


def test_without_a_terminal_the_demo_ends_after_its_rounds(demo_run):
    assert demo_run(terminal=False) == []
