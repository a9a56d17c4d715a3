"""``vsclick app`` on the command line, and how the demo ends in it."""

import asyncio
import os
import re
import socket
import time
from types import SimpleNamespace

import numpy as np
import pytest
from bright_ball import GRID, ball, ball_case, write_image
from raw_http import ask, request
from VSClickCorrectApp import browser_launch as door
from VSClickCorrectApp.cli import app
from VSClickCorrectApp.guard import ServerError
from VSClickCorrectApp.server import Serving, address
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.worklist.worklist import Worklist
from VSClickCorrectResearch.cli import demo


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--worklist", "cases", "--t1ce", "t1.nii"], "--worklist brings its own files"),
        (["--mask", "mask.nii"], "--mask needs the scan"),
        (["--t1ce", "t1.nii", "--output", "results"], "--output and --annotator are a worklist's"),
        (["--annotator", "AB"], "--output and --annotator are a worklist's"),
        (["--t1ce", "t1.nii", "--label", "2"], "--label chooses from the labels of a mask"),
        (["--worklist", "cases", "--label", "2"], "--label chooses from the labels of a mask"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments, said, capsys):
    assert main(["app", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("given", ["t1ce", "t2", "mask"])
def test_a_file_that_is_missing_is_told_before_the_page_is_there(case_files, monkeypatch, capsys, given):
    monkeypatch.setattr(app, "start", lambda source, options: pytest.fail("the page was served"))
    words = ["--t1ce", case_files.t1ce, f"--{given}", "missing.nii.gz"]
    assert main(["app", *map(str, words)]) == 2
    assert capsys.readouterr().err == "vsclick: missing.nii.gz does not exist.\n"


def test_the_mask_s_label_is_chosen(case_files, tmp_path, monkeypatch, capsys):
    labels = np.where(ball(radius=5.0), 1, 3 * ball()).astype(np.uint8)
    several = write_image(tmp_path / "labels.nii.gz", labels)
    opened = []
    monkeypatch.setattr(app, "start", lambda source, options: opened.append(source()))
    words = ["app", "--t1ce", str(case_files.t1ce), "--mask", str(several)]
    assert main(words) == 2
    assert "holds several labels (1, 3)" in capsys.readouterr().err
    assert main([*words, "--label", "3"]) == 0
    np.testing.assert_array_equal(opened[0].mask, labels == 3)


def test_a_mask_that_covers_a_part_of_the_image_is_taken_as_by_correct(case_files, tmp_path, monkeypatch):
    # Its voxels begin at 20, 18, 5 of the image's.
    first = np.eye(4)
    first[:3, 3] = 20, 18, 5
    part = ball(radius=5.0)[5:, 18:, 20:]
    cropped = write_image(tmp_path / "part.nii.gz", part.astype(np.uint8), GRID.affine @ first)
    opened = []
    monkeypatch.setattr(app, "start", lambda source, options: opened.append(source()))
    given = ["--t1ce", str(case_files.t1ce), "--mask", str(cropped)]
    assert main(["app", *given]) == 0
    kept = np.zeros(GRID.shape, bool)
    kept[5:, 18:, 20:] = part
    np.testing.assert_array_equal(opened[0].mask, kept)
    # So `correct` reads it.
    np.testing.assert_array_equal(read_mask(cropped, GRID), kept)


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_is_a_number(port, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["app", "--port", port])
    assert ended.value.code == 2 and "is no port" in capsys.readouterr().err


def test_a_port_that_is_taken_ends_in_a_sentence(serve_app, case_files, bright_models):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = serve_app("--t1ce", case_files.t1ce, "--models", bright_models, "--port", port)
        assert server.status() == 2
    lines = server.log.read_text().splitlines()
    assert lines[-1].startswith(f"vsclick: Cannot listen on 127.0.0.1, port {port}")


def test_a_server_that_nobody_visits_ends_and_leaves_its_case_to_others(serve_app, tmp_path, bright_models):
    case = tmp_path / "cases" / "one"
    case.mkdir(parents=True)
    write_image(case / "T1ce.nii.gz", ball_case().t1ce.array)
    worklist = ("--worklist", tmp_path / "cases", "--output", tmp_path / "results", "--annotator", "anna")
    server = serve_app(*worklist, "--models", bright_models, "--device", "cpu", "--timeout", 1)
    assert server.status() == 0
    [row] = Worklist.open(tmp_path / "cases", tmp_path / "results").rows()
    assert row.holder == ""


def test_cases_that_somebody_has_begun_are_not_passed_over_for_want_of_a_name(tmp_path, monkeypatch, capsys):
    for name in ("one", "two"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        write_image(tmp_path / "cases" / name / "T1ce.nii.gz", ball_case().t1ce.array)
    opened = []
    monkeypatch.setattr(app, "start", lambda source, options: opened.append(source.annotator))
    words = ["app", "--worklist", str(tmp_path / "cases"), "--output", str(tmp_path / "results")]
    # Nobody has a name yet.
    assert main(words) == 0
    begun = Worklist.open(tmp_path / "cases", tmp_path / "results", "AB")
    begun.resume()
    begun.update(comment="half done")
    begun.close()
    assert main(words) == 2
    assert "begun by AB" in capsys.readouterr().err
    assert main([*words, "--annotator", "CD"]) == 0
    assert opened == ["", "CD"]


@pytest.mark.parametrize(
    ("host", "token", "url"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:80/"),
        ("0.0.0.0", "a", "http://127.0.0.1:80/?secret=a"),
        ("::1", None, "http://[::1]:80/"),
    ],
)
def test_the_address_can_be_typed_into_a_browser(host, token, url):
    assert address(Serving(host), 80, token) == url


def test_the_command_line_takes_no_token(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["app", "--token", "sixteen-letters-and-more"])
    assert ended.value.code == 2 and "--token" in capsys.readouterr().err


def test_the_token_comes_from_the_environment_and_child_processes_do_not_get_it(monkeypatch, bright_models):
    monkeypatch.setenv("VSCLICK_TOKEN", "short")
    with pytest.raises(ServerError, match="the token is too short"):
        app.start(lambda: None, app.defaults(bright_models, "cpu"))
    assert "VSCLICK_TOKEN" not in os.environ


def test_others_reach_the_server_only_with_a_warning_and_the_token_that_it_made_up(serve_app, bright_models):
    server = serve_app("--models", bright_models, "--host", "0.0.0.0")
    found = re.fullmatch(r"http://127.0.0.1:(\d+)/\?secret=([\w-]{32})", server.url)
    assert "Others on the network can reach this server, and what passes is not encrypted" in warned(server)
    port = int(found[1])
    assert ask(port, request("GET", "/index.html", {"Host": "ward.example"})).status == 403
    assert ask(port, request("GET", f"/logo.png?secret={found[2]}", {"Host": "ward.example"})).status == 200


def warned(server):
    """Return the output, once the line after the address is there."""
    while len(server.log.read_text().splitlines()) < 2 and server.process.poll() is None:
        time.sleep(0.05)
    return server.log.read_text()


def test_the_browser_is_opened_by_a_file_that_nobody_else_can_read(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(door.webbrowser, "open", opened.append)

    async def run():
        door.open_browser("http://127.0.0.1:80/?secret=a&b")

    asyncio.run(run())
    [file] = tmp_path.iterdir()
    assert opened == [file.as_uri()]
    assert 'url=http://127.0.0.1:80/?secret=a&amp;b"' in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def demo_run(bright_models, tmp_path, monkeypatch):
    """Run the demo on the ball, at a terminal or not; return what it would have opened."""
    opened = []
    monkeypatch.setattr(demo, "read_sample", lambda: SimpleNamespace(case=ball_case(), truth=ball()))
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
