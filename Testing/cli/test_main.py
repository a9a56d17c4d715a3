"""The command as a whole: help, version, exit status."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import VSClickCorrectLib
from VSClickCorrectLib.cli import segment
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.errors import Cancelled

LIBRARY = Path(VSClickCorrectLib.__file__).parents[1]
COMMANDS = ("segment", "correct", "app", "serve", "demo", "evaluate", "simulate", "train")


def left_by(*arguments):
    """Return the status with which argparse leaves."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    return left.value.code


def test_module_runs_and_its_help_imports_next_to_nothing():
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "VSClickCorrectLib.cli.main", "--help"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(LIBRARY)},
        check=False,
    )
    assert result.returncode == 0
    text = " ".join(result.stdout.split())
    for word in ("usage: vsclick", *COMMANDS, "not a medical device"):
        assert word in text
    # Python's own list of imports is all that stands on standard error.
    assert all(line.startswith("import time:") for line in result.stderr.splitlines())
    imported = {line.split("|")[-1].strip() for line in result.stderr.splitlines()}
    # Nothing but the table of commands is needed for a list of them.
    ours = {name for name in imported if name.startswith("VSClickCorrect")}
    assert ours == {
        "VSClickCorrectLib",
        "VSClickCorrectLib.cli",
        "VSClickCorrectLib.cli.commands",
        "VSClickCorrectLib.errors",
        "VSClickCorrectLib.signals",
    }
    assert not imported & {"torch", "slicer", "vtk", "matplotlib", "numpy", "SimpleITK"}


@pytest.mark.parametrize(
    "package, absent, there",
    [
        ("VSClickCorrectApp", ["app", "serve"], ["segment", "train"]),
        ("VSClickCorrectResearch", ["simulate", "train"], ["segment", "serve"]),
    ],
)
def test_without_a_package_its_commands_are_absent_without_complaint(
    package, absent, there, monkeypatch, capsys
):
    monkeypatch.setattr(
        "VSClickCorrectLib.cli.commands.find_spec", lambda name: None if name == package else object()
    )
    assert left_by("--help") == 0
    text = capsys.readouterr().out
    assert [word for word in (*absent, *there) if f"\n    {word} " in text] == there
    for word in absent:
        assert left_by(word) == 2
        assert f"invalid choice: '{word}'" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_says_what_every_option_is_for(command, capsys):
    assert left_by(command, "--help") == 0
    text = capsys.readouterr().out
    assert f"usage: vsclick {command}" in text
    assert "--output" in text


@pytest.mark.parametrize(
    "command, words",
    [
        (
            "segment",
            [
                "--t1ce",
                "--t2",
                "NIfTI or NRRD",
                "DICOM",
                "may be missing",
                ".seg.nrrd",
                "--models",
                "--device",
            ],
        ),
        (
            "correct",
            [
                "--mask",
                "--clicks",
                ".mrk.json",
                "boundary",
                "include",
                "exclude",
                "one round",
                "--label",
                "--journal",
            ]
            + ["progressive", "blend", "replace"],
        ),
        ("demo", ["three rounds", "sample case", "vsclick-demo", "in a browser"]),
    ],
)
def test_help_names_what_a_clinicians_assistant_must_know(command, words, capsys):
    left_by(command, "--help")
    text = " ".join(capsys.readouterr().out.split())
    for word in words:
        assert word in text


def test_version_is_the_librarys(capsys):
    assert left_by("--version") == 0
    assert capsys.readouterr().out == f"vsclick {VSClickCorrectLib.__version__}\n"


@pytest.mark.parametrize(
    "arguments, named",
    [
        ([], "COMMAND"),
        (["paint"], "paint"),
        (["segment"], "--output"),
        (["segment", "--output", "a.nii", "--device", "tpu"], "tpu"),
        (["correct", "--output", "a.nii", "--mask", "m.nii"], "--clicks"),
        (["correct", "--output", "a.nii", "--mask", "m.nii", "--clicks", "c", "--merge", "sum"], "sum"),
        (["correct", "--output", "a.nii", "--mask", "m.nii", "--clicks", "c", "--label", "0"], "--label"),
        (["segment", "--output", "a.nii", "--colour", "red"], "--colour"),
        (["simulate", "--seed", "x"], "x"),
    ],
)
def test_wrong_options_are_one_line_that_names_them_and_points_to_the_help(arguments, named, capsys):
    assert left_by(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("vsclick: ")
    assert error.count("\n") == 1
    assert named in error
    assert "--help" in error


@pytest.mark.parametrize(
    "error, status", [(Cancelled("the work was cancelled."), 2), (KeyboardInterrupt(), 130)]
)
def test_stopped_command_says_so_in_one_line(error, status, monkeypatch, capsys):
    def stop(*_):
        raise error

    monkeypatch.setattr(segment.GivenScans, "case", stop)
    assert main(["segment", "--output", "a.nii.gz"]) == status
    assert capsys.readouterr().err.count("\n") == 1


def test_fault_of_the_program_is_not_dressed_up_as_wrong_input(monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(segment.GivenScans, "case", fail)
    with pytest.raises(ZeroDivisionError):
        main(["segment", "--output", "a.nii.gz"])


def test_names_of_files_keep_their_first_letter(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["segment", "--t1ce", "scan.nii", "--output", "mask.nii"]) == 2
    assert capsys.readouterr().err == "vsclick: scan.nii does not exist.\n"
    assert main(["segment", "--t1ce", "scan.nii", "--output", "none/mask.nii"]) == 2
    assert capsys.readouterr().err.startswith("vsclick: The folder none does not exist")


def test_memory_that_runs_out_is_said_plainly(monkeypatch, tmp_path, capsys):
    def fill(_):
        raise MemoryError

    monkeypatch.setattr("VSClickCorrectLib.cli.segment.run", fill)
    assert main(["segment", "--t1ce", "scan.nii", "--output", str(tmp_path / "mask.nii")]) == 2
    assert "not enough memory" in capsys.readouterr().err


@pytest.mark.parametrize("unknown", ["--t1 plain.nii", "stray", "--candidates 2"])
def test_what_a_command_does_not_know_is_no_part_of_what_it_knows(tmp_path, capsys, unknown):
    output = tmp_path / "mask.nii.gz"
    assert left_by("segment", "--t1ce", "T1ce.nii.gz", "--output", str(output), *unknown.split()) == 2
    assert f"Unrecognized arguments: {unknown}; see 'vsclick segment --help'" in capsys.readouterr().err
    assert not output.exists()
