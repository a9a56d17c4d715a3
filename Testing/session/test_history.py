"""Undo and redo."""

import numpy as np
import pytest
from session_doubles import with_blocks
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.edit import Change, Edit
from VSClickCorrectLib.session.history import EditHistory

SHAPE = (1, 1, 6)
WHOLE = Box((0, 0, 0), SHAPE)


def row(text):
    return np.array([[[letter == "#" for letter in text]]])


class Row:
    """A mask of six voxels in a row, drawn with # and a dot, and its history."""

    def __init__(self, text):
        self.mask, self.history = ArrayMask(Grid(SHAPE, np.eye(4)), row(text)), EditHistory()

    def edit(self, text):
        change = Change.between(WHOLE, self.mask.values, row(text)).apply(self.mask)
        self.history.push(Edit((Click((0.0, 0.0, 0.0)),), 1, change, 0.0))

    def paint(self, text):
        self.mask.write(WHOLE, row(text))

    def undo(self):
        _, change = self.history.flip_back(self.mask)
        self.history.note_undo(change)
        return self.text, change.count

    def redo(self):
        _, change = self.history.flip_again(self.mask)
        self.history.note_redo(change)
        return self.text, change.count

    @property
    def text(self):
        return "".join(".#"[int(v)] for v in self.mask.values[0, 0])


def test_undo_and_redo_walk_through_every_state():
    states = ["##....", "####..", ".###..", ".#....", "#....#"]
    line = Row(states[0])
    for state in states[1:]:
        line.edit(state)
    for state in reversed(states[:-1]):
        assert line.undo()[0] == state
    for state in states[1:]:
        assert line.redo()[0] == state


def test_undo_with_nothing_done_is_refused():
    line = Row("##....")
    with pytest.raises(CorrectionError, match="nothing to undo"):
        line.undo()
    assert line.text == "##...."


def test_redo_with_nothing_undone_is_refused():
    line = Row("##....")
    line.edit("###...")
    with pytest.raises(CorrectionError, match="nothing to redo"):
        line.redo()
    assert line.text == "###..."


def test_new_edit_forgets_what_was_undone():
    line = Row("##....")
    line.edit("###...")
    line.undo()
    line.edit("##...#")
    with pytest.raises(CorrectionError, match="nothing to redo"):
        line.redo()
    assert line.undo() == ("##....", (0, 1))


def test_painting_by_hand_survives_undo_and_redo():
    line = Row("##....")
    line.edit("####..")
    # The hand erases one voxel of the edit and adds one of its own.
    line.paint("##.#.#")
    assert line.undo() == ("##...#", (0, 1))
    assert line.redo() == ("##.#.#", (1, 0))
    assert line.undo() == ("##...#", (0, 1))


def test_painting_between_undo_and_redo_survives_both():
    line = Row("##....")
    line.edit("####..")
    line.undo()
    # The hand sets a voxel that redo would have set: it is the hand's from now on.
    line.paint("###...")
    assert line.redo() == ("####..", (1, 0))
    assert line.undo() == ("###...", (0, 1))


def test_undo_of_an_older_edit_leaves_what_a_hand_did_meanwhile():
    line = Row("......")
    line.edit("###...")
    line.edit(".##...")
    line.paint(".##.##")
    assert line.undo()[0] == "###.##"
    line.paint("#.#.##")
    assert line.undo()[0] == "....##"


def test_edit_without_voxels_can_be_undone_and_redone():
    line = Row("##....")
    line.edit("##....")
    assert line.undo() == ("##....", (0, 0))
    assert line.redo() == ("##....", (0, 0))
    assert len(line.history.done) == 1


def test_records_do_not_hold_the_volume():
    line = Row("##....")
    line.edit("##...#")
    np.testing.assert_array_equal(
        line.history.done[0].change.voxels()[0], with_blocks((1, 1, 1), ((0, 1), (0, 1), (0, 1)))
    )
