"""A kept mask and the journal of its case: which of them knows more, and whether they belong together."""

import numpy as np
import pytest
from session_doubles import INCLUDE, OracleCorrector, click_at
from volume_files import PLAIN, SHAPE, blob, written
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.session import start_mask
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.journal import Journal
from written_journals import older

FIRST = ((0, 0, 0), (0, 0, 2), (0, 2, 0))
THEN = ((0, 2, 2), (2, 0, 0), (2, 0, 2))


@pytest.fixture
def begin(open_list):
    """Opens VS-2 as after a crash and goes on with it as an app does: (worklist, session)."""

    def begin():
        worklist = open_list()
        case = worklist.go_to("VS-2", take_over=True).load()
        mask = ArrayMask(case.grid, worklist.opened.saved_mask(case.grid, case))
        journal = Journal(worklist.opened.journal_path, guard=worklist.opened.check_held)
        corrector = OracleCorrector(np.zeros(SHAPE, bool))
        return worklist, CorrectionSession(case, mask, corrector, journal=journal)

    return begin


def click(session, voxels):
    for voxel in voxels:
        session.apply(click_at(PLAIN, voxel, INCLUDE))


def keep(worklist, session):
    worklist.opened.keep(session.mask.values, PLAIN)


@pytest.fixture
def kept(begin):
    """Three clicks, of which the mask was kept; the state of the journal before the last two."""
    worklist, session = begin()
    click(session, FIRST[:1])
    early = worklist.opened.journal_path.read_bytes()
    click(session, FIRST[1:])
    keep(worklist, session)
    return worklist.opened.journal_path, early, session.mask.values.copy()


def lose(journal, early, how):
    journal.unlink()
    if how == "behind":
        journal.write_bytes(early)


@pytest.mark.parametrize("how", ["deleted", "behind"])
def test_clicks_after_the_journal_was_lost_are_not(begin, kept, how):
    journal, early, values = kept
    lose(journal, early, how)
    _, session = begin()
    np.testing.assert_array_equal(session.mask.values, values)
    click(session, THEN)
    # Killed here, and again after more.
    for voxels in ([(2, 2, 0)], [(2, 2, 2)]):
        left = session.mask.values.copy()
        assert all(left[voxel] for voxel in (*FIRST, *THEN))
        _, session = begin()
        np.testing.assert_array_equal(session.mask.values, left)
        click(session, voxels)
    assert [event["event"] for event in session.journal.events].count("paint") == 0
    # The clicks since can be taken back, and what was kept stays.
    for _ in range(5):
        session.undo()
    np.testing.assert_array_equal(session.mask.values, values)


@pytest.mark.parametrize("how", ["deleted", "behind"])
def test_so_are_those_after_the_journal_of_a_finished_case_was_lost(begin, kept, how):
    journal, early, values = kept
    worklist, session = begin()
    label = worklist.done(session.mask.values, PLAIN)
    lose(journal, early, how)
    worklist, session = begin()
    click(session, THEN)
    left = session.mask.values.copy()
    worklist, session = begin()
    np.testing.assert_array_equal(session.mask.values, left)
    np.testing.assert_array_equal(read_mask(label, PLAIN), values)
    keep(worklist, session)
    np.testing.assert_array_equal(worklist.opened.saved_mask(PLAIN), left)


def test_a_journal_of_as_many_other_events_is_not_replayed_over_a_kept_mask(begin, kept):
    journal, _, values = kept
    journal.unlink()
    # Somebody else's work on the same image.
    other = CorrectionSession(
        begin_case(begin), ArrayMask(PLAIN), OracleCorrector(np.zeros(SHAPE, bool)), journal=Journal(journal)
    )
    click(other, THEN * 3)
    _, session = begin()
    np.testing.assert_array_equal(session.mask.values, values)
    click(session, THEN[:1])
    left = session.mask.values.copy()
    _, session = begin()
    np.testing.assert_array_equal(session.mask.values, left)


def begin_case(begin):
    worklist, session = begin()
    worklist.opened.journal_path.unlink()
    return session.case


def test_masks_that_earlier_versions_kept_are_gone_on_with(begin, kept):
    journal, _, values = kept
    (path,) = journal.parent.glob("sub-VS2_events-*_mask.nii.gz")
    journal.write_text(older(journal.read_text(encoding="utf-8"), 2), encoding="utf-8")
    path.rename(path.with_name("sub-VS2_events-4_mask.nii.gz"))
    worklist, session = begin()
    np.testing.assert_array_equal(session.mask.values, values)
    assert len(session.standing) == 3
    click(session, THEN)
    worklist, again = begin()
    np.testing.assert_array_equal(again.mask.values, session.mask.values)
    keep(worklist, again)
    assert [p.name for p in journal.parent.glob("sub-VS2_events-*")] == [
        f"sub-VS2_events-7_chain-{again.journal.point.checksum}_mask.nii.gz"
    ]


def test_of_two_kept_masks_that_of_the_present_journal_counts(begin, kept):
    journal, early, _ = kept
    (path,) = journal.parent.glob("sub-VS2_events-*_mask.nii.gz")
    stale = path.read_bytes()
    lose(journal, early, "deleted")
    worklist, session = begin()
    click(session, THEN[:1])
    keep(worklist, session)
    # It could not be removed.
    path.write_bytes(stale)
    _, again = begin()
    np.testing.assert_array_equal(again.mask.values, session.mask.values)


def test_a_journal_of_another_image_on_the_same_grid_is_refused(begin, open_list):
    worklist, session = begin()
    click(session, FIRST)
    other = Case(Volume(np.flip(session.case.t1ce.array).copy(), PLAIN))
    with pytest.raises(CorrectionError, match="belongs to another image on the same grid"):
        worklist.opened.saved_mask(PLAIN, other)
    keep(worklist, session)
    with pytest.raises(CorrectionError, match="belongs to another image on the same grid"):
        worklist.opened.saved_mask(PLAIN, other)
    assert worklist.opened.saved_mask(PLAIN, session.case)[FIRST[0]]


def test_a_mask_that_was_kept_before_any_event_is_where_its_journal_begins(begin, open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    worklist.opened.keep(blob(), PLAIN)
    worklist.close()
    _, session = begin()
    click(session, FIRST)
    _, again = begin()
    np.testing.assert_array_equal(again.mask.values, session.mask.values)
    assert len(again.standing) == 3


def test_a_scattered_mask_whose_file_was_exchanged_is_gone_on_with_after_a_crash(begin, folder, monkeypatch):
    # As of one that reaches over a whole head.
    monkeypatch.setattr(start_mask, "LARGEST_BOX", 0)
    _, session = begin()
    click(session, FIRST)
    written(folder / "VS-2" / "mask.nii.gz", blob().astype(np.uint8))
    _, again = begin()
    np.testing.assert_array_equal(again.mask.values, session.mask.values)
    assert [again.undo().clicks for _ in FIRST] and np.argwhere(again.mask.values).tolist() == [[1, 1, 1]]
