"""Damage of a journal is noticed, whatever it is; what a crash leaves at its end is not damage."""

import builtins
import os
from errno import EIO
from itertools import product

import numpy as np
import pytest
from session_doubles import EXCLUDE, INCLUDE, OracleCorrector, click_at
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.session.chain import JournalPoint, decode, read_lines
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.journal import Journal, session_event
from VSClickCorrectLib.session.start_mask import restored, start_json
from written_journals import chained, events_of, older

DAMAGED = r"of the journal( \S+journal\.jsonl)? (is not what was written there|cannot be understood)"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


@pytest.fixture
def session(session_on, grid, path):
    """Three clicks, the last of them undone, in a file."""
    session = session_on(journal=Journal(path))
    for voxel in ((5, 30, 30), (5, 5, 5), (6, 18, 18)):
        session.apply(click_at(grid, voxel, INCLUDE))
    session.undo()
    return session


def lines(session):
    return session.journal.text.splitlines(keepends=True)


def test_no_bit_can_be_turned_unnoticed(session, path):
    content, events, unnoticed = path.read_bytes(), session.journal.events, []
    for place, bit in product(range(len(content)), range(8)):
        turned = content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]
        try:
            if [line.event for line in read_lines(decode(turned)).lines] != events:
                unnoticed.append((place, bit))
        except CorrectionError:
            pass
    assert unnoticed == []


@pytest.mark.parametrize("number", range(4))
def test_a_line_that_is_missing_or_double_is_noticed(session, number):
    text = lines(session)
    for spoiled in (text[:number] + text[number + 1 :], text[: number + 1] + text[number:]):
        with pytest.raises(CorrectionError, match=DAMAGED):
            Journal(text="".join(spoiled))


def test_lines_that_changed_places_are_noticed(session):
    first, second, third, *rest = lines(session)
    with pytest.raises(CorrectionError, match="line 2 " + DAMAGED):
        Journal(text="".join([first, third, second, *rest]))


def test_a_line_of_another_session_is_noticed(session, session_on, grid):
    other = session_on()
    other.apply(click_at(grid, (5, 30, 30), INCLUDE))
    with pytest.raises(CorrectionError, match="line 2 " + DAMAGED):
        Journal(text=lines(session)[0] + lines(other)[1])


def test_a_line_without_its_checksum_is_noticed(session):
    text = lines(session)
    bare = older(session.journal.text, 2).splitlines(keepends=True)
    for number in range(len(text)):
        with pytest.raises(CorrectionError, match=DAMAGED):
            # Of the first line the version says that it has one.
            spoiled = [bare[0].replace('"format": 2', '"format": 3'), *bare[1:]][number]
            Journal(text="".join([*text[:number], spoiled, *text[number + 1 :]]))


@pytest.mark.parametrize("left", [b"\x00" * 4096, b"\xff\xfe\x80", b"\x9c\x00\n\xff\n\x01", b'{"event": "ed'])
def test_what_a_crash_left_is_left_out_and_written_over(session, session_on, grid, path, left):
    text = path.read_bytes()
    path.write_bytes(text + left)
    again = session_on(session.mask.values, journal=Journal(path))
    assert again.journal.events == session.journal.events
    assert path.read_bytes() == text + left
    again.apply(click_at(grid, (6, 18, 18), INCLUDE))
    assert path.read_text(encoding="utf-8") == again.journal.text
    np.testing.assert_array_equal(restored(Journal(path).events, grid), again.mask.values)


def test_a_damaged_last_line_is_no_crash(session, path):
    content = path.read_bytes()
    # Its last click would be gone without a word.
    path.write_bytes(content[:-60] + b"\xff" + content[-59:])
    with pytest.raises(CorrectionError, match="line 5 " + DAMAGED):
        Journal(path)


@pytest.mark.parametrize("version", [1, 2])
def test_older_journals_are_read_and_continued_with_checksums(session, session_on, grid, path, version):
    text = older(session.journal.text, version)
    path.write_text(text, encoding="utf-8")
    again = session_on(session.mask.values, journal=Journal(path))
    assert again.clicks == session.clicks
    again.redo()
    again.apply(click_at(grid, (6, 30, 30), INCLUDE))
    assert path.read_text(encoding="utf-8").startswith(text)
    assert Journal(path).point.events == 7
    content = path.read_bytes()
    place = content.rindex(b'"voxels": "') + 20
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with pytest.raises(CorrectionError, match="line 7 " + DAMAGED):
        Journal(path)


def test_a_journal_knows_its_own_points_alone(session, session_on, grid):
    points = []
    again = session_on()
    for voxel in ((5, 30, 30), (5, 5, 5)):
        points.append(again.journal.point)
        again.apply(click_at(grid, voxel, INCLUDE))
    assert [again.journal.position(point) for point in points] == [1, 2]
    assert [session.journal.position(point) for point in points] == [None, None]
    assert Journal(text=lines(again)[0]).position(points[1]) is None
    assert session.journal.position(JournalPoint()) == 0
    # Earlier versions told the number of events alone.
    assert session.journal.position(JournalPoint(4)) == 4
    assert session.journal.position(JournalPoint(6)) is None


def test_of_several_sessions_in_a_journal_the_last_one_counts(session, session_on, grid, truth):
    point = session.journal.point
    journal = Journal(text=session.journal.text)
    journal.append(session_event(grid, "", "", start_json(ArrayMask(grid, truth)), since=point))
    assert journal.position(point) == 6
    again = session_on(truth, journal=journal)
    assert (again.clicks, again.journal.events) == ([], journal.events)
    again.apply(click_at(grid, (5, 13, 13), EXCLUDE))
    assert again.history.done[0].numbers == (1,)
    np.testing.assert_array_equal(restored(Journal(text=again.journal.text).events, grid), again.mask.values)


def volume(grid, value):
    return Volume(np.full(grid.shape, value, np.int16), grid)


@pytest.mark.parametrize("sequences", [(1,), (1, 0), (None, 1)])
def test_another_image_on_the_same_grid_is_refused(session, grid, sequences):
    case = Case(*(None if value is None else volume(grid, value) for value in sequences))
    corrector = OracleCorrector(session.mask.values)
    with pytest.raises(CorrectionError, match="belongs to another image on the same grid"):
        CorrectionSession(case, session.mask, corrector, journal=session.journal)
    with pytest.raises(CorrectionError, match="belongs to another image on the same grid"):
        restored(session.journal.events, grid, case=case)


@pytest.mark.parametrize(
    ("began", "goes_on"),
    [
        # A T2 that comes, goes or was registered anew beside the same T1ce; a T1ce that comes or goes.
        ((0,), (0, 1)),
        ((0, 1), (0,)),
        ((0, 1), (0, 2)),
        ((0, 1), (None, 1)),
        ((None, 1), (0, 1)),
        # Images whose sequences were mistaken for each other.
        ((0,), (None, 0)),
        ((0, 1), (1, 0)),
    ],
)
def test_the_same_examination_is_not(grid, truth, began, goes_on):
    cases = [Case(*(None if v is None else volume(grid, v) for v in values)) for values in (began, goes_on)]
    first = CorrectionSession(cases[0], ArrayMask(grid), OracleCorrector(truth))
    first.apply(click_at(grid, (6, 18, 18), INCLUDE))
    left = restored(first.journal.events, grid, case=cases[1])
    np.testing.assert_array_equal(left, first.mask.values)


def test_an_older_journal_does_not_say_which_image_it_was(session, grid):
    other = Case(volume(grid, 1))
    for text in (older(session.journal.text, 2), chained(events_of(older(session.journal.text, 2)))):
        left = restored(Journal(text=text).events, grid, case=other)
        np.testing.assert_array_equal(left, session.mask.values)


class Failing:
    """A file of which the methods of some names are others."""

    def __init__(self, file, methods):
        self._file, self._methods = file, methods

    def __getattr__(self, name):
        method = getattr(self._file, name)
        return self._methods[name](method) if name in self._methods else method


@pytest.fixture
def failing(monkeypatch):
    """Wrap the methods of files that are opened to be appended to."""

    def fail(**methods):
        real = builtins.open

        def opened(path, mode="r", **options):
            file = real(path, mode, **options)
            return Failing(file, methods) if "a" in mode else file

        monkeypatch.setattr(builtins, "open", opened)

    return fail


def input_output_error(*_arguments):
    raise OSError(EIO, os.strerror(EIO))


def test_closing_that_fails_takes_nothing_back_and_stops_nobody(session, grid, path, failing):
    def close(method):
        def closed():
            method()
            input_output_error()

        return closed

    failing(close=close)
    session.redo()
    session.apply(click_at(grid, (6, 30, 30), INCLUDE))
    assert path.read_text(encoding="utf-8") == session.journal.text
    np.testing.assert_array_equal(restored(Journal(path).events, grid), session.mask.values)


def test_a_line_that_could_neither_be_synced_nor_taken_back_stops_nobody(session, path, failing, monkeypatch):
    before, sizes, sync = session.mask.values.copy(), [path.stat().st_size], os.fsync
    # Cutting the file to what it held works, and no longer once the line was written.
    failing(truncate=lambda method: method if path.stat().st_size == sizes[0] else input_output_error)
    monkeypatch.setattr(os, "fsync", input_output_error)
    with pytest.raises(CorrectionError, match="cannot be written"):
        session.redo()
    np.testing.assert_array_equal(session.mask.values, before)
    assert path.stat().st_size > sizes[0]
    sizes[0] = path.stat().st_size
    monkeypatch.setattr(os, "fsync", sync)
    session.next_round()
    assert path.read_text(encoding="utf-8") == session.journal.text
    assert Journal(path).events[-1] == {"event": "round", "round": 2}


def test_a_journal_that_cannot_be_read_now_is_a_sentence(session, path, monkeypatch):
    monkeypatch.setattr(type(path), "read_bytes", input_output_error)
    with pytest.raises(CorrectionError, match=r"cannot be read \(Input/output error\); check the disk"):
        Journal(path)
