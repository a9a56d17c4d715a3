"""Taking single clicks back, on six voxels in a row."""

import numpy as np
import pytest
from session_doubles import BOUNDARY, EXCLUDE, INCLUDE, case_on, click_at, with_blocks
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session import click_rules
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.journal import Journal, history_of, replay

# Voxel i lies at R = i mm.
GRID = Grid((1, 1, 6), np.eye(4))
WHOLE = GRID.box


def row(text):
    return np.array([[[letter == "#" for letter in text]]])


@pytest.fixture(autouse=True)
def _as_proposed(monkeypatch):
    """Clicks on one place do not insist: what is proposed is taken as it is."""
    monkeypatch.setattr(click_rules, "through_click", lambda grid, proposal, insisted: proposal)


class Scripted:
    """Proposes what it was told, for the whole row."""

    identity = "scripted@000000000000"

    def propose(self, case, mask, clicks):
        return [Proposal(click, WHOLE, self.says.astype(np.float32)) for click in clicks]


class Row:
    """A session on a row of voxels drawn with # and a dot; clicks are known by their numbers."""

    def __init__(self, text, journal=None):
        self.corrector, self.mask = Scripted(), ArrayMask(GRID, row(text))
        self.session = CorrectionSession(
            case_on(GRID), self.mask, self.corrector, merge="replace", journal=journal
        )

    def click(self, text, *places):
        """Click at the voxels of these indices, the first if none is given; the row becomes ``text``."""
        self.corrector.says = row(text)
        return self.session.apply_together([click_at(GRID, (0, 0, i)) for i in places or (0,)])

    def paint(self, text):
        self.mask.write(WHOLE, row(text))

    def remove(self, number):
        (standing,) = [s for s in self.session.standing if s.number == number]
        edit = self.session.remove(standing)
        return self.text, edit.change.count

    @property
    def text(self):
        return "".join(".#"[int(v)] for v in self.mask.values[0, 0])

    @property
    def numbers(self):
        return [s.number for s in self.session.standing]


def test_last_click_taken_back_is_as_if_undone():
    line = Row("##....")
    line.click("####..")
    assert line.remove(1) == ("##....", (0, 2))
    assert (line.numbers, line.session.clicks) == ([], [])


def test_what_later_clicks_flipped_again_stays():
    line = Row("......")
    line.click("####..")
    line.click("##..##")
    assert line.remove(1) == ("....##", (0, 2))
    assert line.numbers == [2]


def test_painting_by_hand_survives():
    line = Row("......")
    line.click("####..")
    line.paint("#..#.#")
    assert line.remove(1) == (".....#", (0, 2))


def test_painting_between_two_clicks_survives():
    line = Row("......")
    line.click("#.....")
    line.paint("......")
    line.click("#.....")
    assert line.remove(2) == ("......", (0, 1))
    line = Row("......")
    line.click("#.....")
    line.paint("......")
    line.remove(1)
    line.paint("#.....")
    line.click("......")
    assert line.remove(2) == ("#.....", (1, 0))


@pytest.mark.parametrize("order", [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)])
def test_in_any_order_the_first_mask_comes_back(order):
    line = Row(".#..#.")
    for text in ("#..##.", ".##..#", "#.#.##"):
        line.click(text)
    for number in order:
        line.remove(number)
    assert line.text == ".#..#."


def test_value_of_a_click_that_went_before_does_not_come_back():
    line = Row("......")
    line.click("#.....")
    line.click("......")
    assert line.remove(1) == ("......", (0, 0))
    # Without its second click the first voxel would be set, had the first click not gone.
    assert line.remove(2) == ("......", (0, 0))


def test_click_under_one_that_was_taken_back_shows_again():
    line = Row("......")
    line.click("#.....")
    line.click("......")
    assert line.remove(2) == ("#.....", (1, 0))
    line.click("......")
    assert line.remove(1) == ("......", (0, 0))
    assert line.remove(3) == ("......", (0, 0))


def test_clicks_applied_together_share_voxels_by_distance():
    line = Row("......")
    edit = line.click("######", 0, 4)
    shares = [s.share for s in line.session.standing]
    # Voxel 2 is 2 mm from both; it is the first click's.
    assert [share.box for share in shares] == [Box((0, 0, 0), (1, 1, 3)), Box((0, 0, 3), (1, 1, 6))]
    assert [s.voxels for s in line.session.standing] == [3, 3]
    assert edit.numbers == (1, 2)
    assert line.remove(2) == ("###...", (0, 3))
    assert line.remove(1) == ("......", (0, 3))


def test_distance_is_in_millimetres():
    grid = Grid((2, 1, 4), np.diag([1.0, 1.0, 5.0, 1.0]))
    corrector = Scripted()
    corrector.says = np.ones((1, 1, 4), bool)
    corrector.propose = lambda case, mask, clicks: [
        Proposal(c, grid.box, np.ones(grid.shape, np.float32)) for c in clicks
    ]
    session = CorrectionSession(case_on(grid), ArrayMask(grid), corrector, merge="replace")
    session.apply_together([click_at(grid, (0, 0, 0)), click_at(grid, (1, 0, 3))])
    # Three voxels along a row are 3 mm, one voxel across slices is 5 mm.
    np.testing.assert_array_equal(session.standing[0].share.voxels()[0], np.ones((1, 1, 4), bool))
    assert session.standing[0].share.box == Box((0, 0, 0), (1, 1, 4))


def test_two_clicks_at_one_place_are_two():
    line = Row("......")
    line.click("#.....")
    line.click("##....")
    assert line.session.clicks == [click_at(GRID, (0, 0, 0))] * 2
    assert line.remove(1) == (".#....", (0, 1))
    assert (line.numbers, len(line.session.clicks)) == ([2], 1)


def test_undo_and_redo_of_a_removal_are_exact():
    line = Row("......")
    line.click("####..")
    line.click("##..##")
    line.remove(1)
    assert line.session.undo().removed == (click_at(GRID, (0, 0, 0)),)
    assert (line.text, line.numbers) == ("##..##", [1, 2])
    line.session.redo()
    assert (line.text, line.numbers) == ("....##", [2])
    for state in ("##..##", "####..", "......"):
        line.session.undo()
        assert line.text == state


def test_click_that_no_longer_stands_is_refused():
    line = Row("......")
    line.click("#.....")
    (standing,) = line.session.standing
    line.session.remove(standing)
    with pytest.raises(CorrectionError, match="taken back or undone already"):
        line.session.remove(standing)
    line.session.undo()
    line.session.undo()
    with pytest.raises(CorrectionError, match="taken back or undone already"):
        line.session.remove(standing)
    # Done again it stands again, though it is another edit now.
    line.session.redo()
    line.session.remove(standing)
    assert line.text == "......"


def test_description_says_what_was_taken_back():
    line = Row("......")
    line.click("####..")
    line.session.next_round()
    (standing,) = line.session.standing
    assert (standing.round, standing.voxels) == (1, 4)
    assert line.session.remove(standing).description == "boundary click taken back, round 2 (+0 −4 voxels)"


def test_removed_click_no_longer_holds_its_voxel():
    corrector = Scripted()
    corrector.says = row("......")
    session = CorrectionSession(case_on(GRID), ArrayMask(GRID), corrector, merge="replace")
    session.apply(click_at(GRID, (0, 0, 2), INCLUDE))
    session.apply(click_at(GRID, (0, 0, 5)))
    assert session.mask.values[0, 0, 2]
    session.remove(session.standing[0])
    session.apply(click_at(GRID, (0, 0, 5), BOUNDARY))
    assert not session.mask.values.any()


def test_journal_brings_removal_back_and_replays_it():
    journal = Journal()
    line = Row("......", journal)
    line.click("####..", 0, 3)
    line.click("##..##")
    line.remove(1)
    line.remove(3)
    line.session.undo()
    event = journal.events[3]
    assert (event["event"], event["click"], event["kind"], event["ras"]) == (
        "remove",
        1,
        "boundary",
        [0.0, 0.0, 0.0],
    )
    again = Row("......", Journal(text=journal.text))
    replay(journal.events, again.mask)
    assert (again.text, again.numbers) == (line.text, line.numbers) == ("....##", [2, 3])
    assert again.session.redo().description == "boundary click taken back, round 1 (+2 −2 voxels)"
    again.click("######")
    assert again.numbers == [2, 4]


def test_journal_without_removals_reads_as_before():
    old = (
        '{"event": "edit", "round": 1, "clicks": [{"ras": [0, 0, 0], "kind": "exclude"}], "milliseconds": 1, '
        '"change": {"start": [0, 0, 0], "stop": [0, 0, 0], "voxels": ""}}\n'
    )
    history, current = history_of(Journal(text=old * 2).events)
    assert [edit.numbers for edit in history.done] == [(1,), (2,)]
    assert (history.done[0].clicks, current) == ((Click((0, 0, 0), EXCLUDE),), 1)


def test_removal_of_a_click_that_never_was_is_damage():
    journal = Journal()
    line = Row("......", journal)
    line.click("#.....")
    line.remove(1)
    events = [event | {"click": 7} if event["event"] == "remove" else event for event in journal.events]
    with pytest.raises(CorrectionError, match="line 3 of the journal cannot be understood"):
        history_of(events)


def test_removal_that_cannot_be_written_down_changes_nothing():
    line = Row("......")
    line.click("##....")

    def full(event):
        raise CorrectionError("the journal cannot be written.")

    line.session.journal.append = full
    with pytest.raises(CorrectionError, match="cannot be written"):
        line.remove(1)
    assert (line.text, line.numbers) == ("##....", [1])


@pytest.mark.parametrize("seed", range(20))
def test_mask_is_always_what_the_topmost_standing_click_made_of_each_voxel(seed):
    rng = np.random.default_rng(seed)
    first = "".join(rng.choice([".", "#"], 6))
    line, flips = Row(first), {}
    for _ in range(25):
        numbers = line.numbers
        if numbers and rng.random() < 0.45:
            line.remove(int(rng.choice(numbers)))
        else:
            before = line.mask.values.copy()
            edit = line.click("".join(rng.choice([".", "#"], 6)))
            flips[edit.numbers[0]] = (before != line.mask.values, line.mask.values.copy())
        expected = row(first)
        for number in line.numbers:
            flipped, after = flips[number]
            expected[flipped] = after[flipped]
        np.testing.assert_array_equal(line.mask.values, expected)
    while line.numbers:
        line.remove(int(rng.choice(line.numbers)))
    assert line.text == first


def test_removal_reads_and_writes_only_the_clicks_own_box():
    grid = Grid((4, 40, 40), np.eye(4))
    boxes = []

    class Recorder(ArrayMask):
        def read(self, box):
            boxes.append(box)
            return super().read(box)

    corrector = Scripted()
    block = Box((1, 5, 5), (3, 9, 9))
    corrector.propose = lambda case, mask, clicks: [
        Proposal(c, block, np.ones(block.shape, np.float32)) for c in clicks
    ]
    session = CorrectionSession(case_on(grid), Recorder(grid), corrector, merge="replace")
    session.apply(click_at(grid, (2, 7, 7)))
    boxes.clear()
    session.remove(session.standing[0])
    assert set(boxes) == {block}
    np.testing.assert_array_equal(session.mask.values, with_blocks(grid.shape))
