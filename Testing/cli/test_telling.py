"""What is printed cannot steer the terminal, and every command prints that way."""

import ast
from pathlib import Path

import numpy as np
import pytest
from volume_files import SHAPE, blob, written
from VSClickCorrectLib import cli
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.cli.telling import tell

COMMANDS = sorted(Path(cli.__file__).parents[2].glob("VSClickCorrect*/cli/*.py"))
# Clears the screen, names the window, hides what follows, ends the line.
NAME = "P1\x1b[2J\x1b]0;owned\x07\x9b8m"


def is_plain(text):
    return all(c == "\n" or (c.isprintable() or c == " ") for c in text)


@pytest.mark.parametrize("text", [NAME, "a\rb", "a\nb", "a\x08b", "a\u2028b", "a\x85b"])
def test_a_line_is_one_line_of_what_can_be_seen(capsys, text):
    tell(f"case {text}")
    out = capsys.readouterr().out
    assert is_plain(out) and out.count("\n") == 1 and out.startswith("case ")


def test_names_of_cases_cannot_steer_the_terminal(tmp_path, capsys):
    written(tmp_path / "scan.nii.gz", np.zeros(SHAPE, np.int16))
    written(tmp_path / "label.nii.gz", blob().astype(np.uint8))
    table = tmp_path / "list.csv"
    table.write_text(f"case,t1ce,label\n{NAME},scan.nii.gz,label.nii.gz\n", encoding="utf-8")
    assert main(["worklist", str(table), "--output", str(tmp_path / "out")]) == 0
    assert main(["import", "csv", str(table), "--output", str(tmp_path / "cases")]) == 2
    captured = capsys.readouterr()
    assert is_plain(captured.out) and is_plain(captured.err)
    assert captured.out.count("P1\\x1b[2J") == 3


def test_what_was_typed_wrongly_cannot_either(capsys):
    with pytest.raises(SystemExit):
        main(["worklist", NAME, "--" + NAME])
    assert is_plain(capsys.readouterr().err)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_commands_print_by_telling_alone(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prints = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "print"]
    # `commands` prints the sentences of errors, which are one line each.
    assert not prints or path.stem in ("commands", "telling")
