"""Ctrl+C, the end of a session and a closed terminal: one line, a status, and nothing half done or left."""

import random
import signal
import sys
from importlib.util import find_spec

import pytest
from interrupted import SIGNALS, Commands

pytestmark = pytest.mark.long

if sys.platform != "linux" or find_spec("trame_slicer") is None or find_spec("matplotlib") is None:
    pytest.skip(
        "interrupts every command, and looks at processes as Linux tells them", allow_module_level=True
    )

COMMANDS = ("segment", "correct", "prepare", "import", "evaluate", "demo", "app", "simulate", "job")


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    return Commands(tmp_path_factory.mktemp("interrupted"))


@pytest.mark.parametrize("name", COMMANDS)
def test_at_any_moment(commands, name):
    number, moment = random.choice(SIGNALS), random.uniform(0.0, 2.0)
    assert commands.run(name, number, moment).faults(number) == [], f"{number!r} after {moment} s"


def test_while_a_case_is_imported_nothing_of_it_stays(commands):
    ended = commands.run("import", signal.SIGTERM, until=lambda: any(commands.out.rglob(".writing-P*")))
    assert (ended.status, ended.faults(signal.SIGTERM)) == (128 + signal.SIGTERM, [])
    assert (commands.out / "cases" / "report.csv").is_file()


def test_while_a_job_holds_images_they_go_with_it(commands):
    ended = commands.run(
        "job", signal.SIGHUP, until=lambda: any(commands.temporary.glob("vsclick-job-*/progress.txt"))
    )
    assert (ended.status, ended.faults(signal.SIGHUP)) == (128 + signal.SIGHUP, [])


def test_while_the_app_serves_it_keeps_its_work_and_clears_up(commands):
    ended = commands.run(
        "app", signal.SIGHUP, 1.0, until=lambda: any(commands.temporary.glob("vsclick-upload-*"))
    )
    assert (ended.status, ended.faults(signal.SIGHUP)) == (128 + signal.SIGHUP, [])


def test_journal_and_mask_are_both_there_or_neither(commands):
    ended = commands.run("correct", signal.SIGINT, until=(commands.out / "clicks.jsonl").exists)
    assert ended.faults(signal.SIGINT) == []
    assert {path.name for path in commands.out.iterdir()} == {"clicks.jsonl", "corrected.nrrd"}
