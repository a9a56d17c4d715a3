"""How a process ends by a signal, and what it finishes first."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import VSClickCorrectLib
from VSClickCorrectLib.io.temporary import TemporaryFolder

if sys.platform == "win32":
    pytest.skip("signals are sent as they are on Linux and macOS", allow_module_level=True)

HEAD = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.signals import *
from VSClickCorrectLib.io.temporary import *
from VSClickCorrectApp.browser_launch import remove_at_end
here = Path(sys.argv[2])
end_on_signals("ended\\n")
def ended(number=signal.SIGTERM):
    os.kill(os.getpid(), number)
"""


@pytest.fixture
def run(tmp_path):
    """Run lines in a process of their own; return its status, and what it wrote."""

    def run(lines, **options):
        library = Path(VSClickCorrectLib.__file__).parents[1]
        ended = subprocess.run(
            [sys.executable, "-c", HEAD + lines, library, tmp_path],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            **options,
        )
        return ended.returncode, ended.stdout, ended.stderr

    return run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_removes_what_is_temporary_and_says_a_line(run, tmp_path, number):
    lines = f"""
folder = TemporaryFolder("t-", here)
(folder.path / "image").write_bytes(b"0")
(here / "door").write_text("")
remove_at_end(here / "door")
print("half", end="")
ended({int(number)})
print("never")
"""
    assert run(lines) == (128 + number, "half", "ended\n")
    assert list(tmp_path.iterdir()) == []


def test_what_is_undone_is_undone_last_first_also_after_one_that_fails(run):
    lines = """
def fail():
    raise ImageError("full")
with undone_by_signals(lambda: print("first")), undone_by_signals(lambda: print("done")):
    pass
with undone_by_signals(lambda: print("outer")), undone_by_signals(fail):
    with undone_by_signals(lambda: print("inner")):
        ended()
"""
    assert run(lines) == (143, "inner\nouter\n", "ended\n")


def test_a_fault_while_undoing_changes_neither_status_nor_shows_a_traceback(run):
    status, _, said = run("undo_on_signals(lambda: 1 / 0)\nended()\n")
    assert (status, said) == (143, "")


def test_what_must_be_whole_is_finished_first_and_told_to_hurry(run):
    lines = """
with finished_before_signals(lambda: print("hurry")):
    with finished_before_signals():
        ended(signal.SIGINT)
        ended()
    print("whole")
print("never")
"""
    assert run(lines) == (130, "hurry\nwhole\n", "ended\n")


def test_an_exception_that_would_be_swallowed_is_none(run):
    lines = """
class Odd:
    def __del__(self):
        ended()
Odd()
print("never")
"""
    assert run(lines) == (143, "", "ended\n")


def test_other_libraries_clear_up_too(run, tmp_path):
    lines = """
from tempfile import TemporaryDirectory
folder = TemporaryDirectory(dir=here)
ended()
"""
    assert run(lines) == (143, "", "ended\n")
    assert list(tmp_path.iterdir()) == []


def test_a_forked_child_leaves_alone_what_is_its_parents(run):
    lines = """
folder = TemporaryFolder("t-", here)
child = os.fork()
if not child:
    ended()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 143
print(folder.path.exists())
"""
    assert run(lines) == (0, "True\n", "")


def test_what_nohup_ignores_stays_ignored(run):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    assert run("ended(signal.SIGHUP)\nprint('on')\n", preexec_fn=ignore) == (0, "on\n", "")


def test_after_the_work_no_signal_makes_another_status(run):
    assert run("ignore_signals()\nended()\nprint('on')\n") == (0, "on\n", "")


def test_a_temporary_folder_is_the_users_own_and_goes_with_its_object(tmp_path):
    folder = TemporaryFolder("t-", tmp_path)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    (folder.path / "a").write_text("")
    del folder
    assert list(tmp_path.iterdir()) == []
    with TemporaryFolder("t-", tmp_path) as path:
        assert path.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_cannot_be_made_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        TemporaryFolder("t-", tmp_path / "none")
