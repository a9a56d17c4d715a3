"""What an accepted case teaches: standing clicks, each on the mask on which it was given."""

import numpy as np
import pytest
from session_doubles import BOUNDARY, EXCLUDE, INCLUDE, OracleCorrector, case_on, click_at, with_blocks
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.teaching import accepted_mask, clicks_on, displaced, drawn_clicks, given_clicks

GRID = Grid((12, 40, 40), np.diag([-1.0, -1.0, 2.0, 1.0]))
TRUTH = with_blocks(GRID.shape, ((3, 9), (12, 28), (12, 28)))
START = with_blocks(GRID.shape, ((3, 9), (12, 28), (12, 20)))


@pytest.fixture
def session():
    return CorrectionSession(case_on(GRID), ArrayMask(GRID, START), OracleCorrector(TRUTH))


def test_each_click_comes_with_the_mask_on_which_it_was_given(session):
    clicks, before = [click_at(GRID, (5, 20, 19)), click_at(GRID, (8, 14, 24), INCLUDE)], []
    for click in clicks:
        before.append(session.mask.values.copy())
        session.apply(click)
    # Painting in between belongs to what the second click saw.
    given = [(click, mask.values.copy()) for click, mask in given_clicks(session.journal.events, GRID)]
    assert [click for click, _ in given] == clicks
    for (_, mask), known in zip(given, before, strict=True):
        np.testing.assert_array_equal(mask, known)
    assert (before[0] != before[1]).any()


def test_clicks_that_were_undone_or_taken_back_teach_nothing(session):
    undone, removed, stands, together = (
        click_at(GRID, index) for index in ((4, 20, 19), (5, 16, 19), (6, 20, 27), (8, 20, 27))
    )
    session.apply(undone)
    session.undo()
    session.apply(removed)
    session.remove(session.standing[0])
    before = session.mask.values.copy()
    session.apply_together([stands, together])
    given = [(click, mask.values.copy()) for click, mask in given_clicks(session.journal.events, GRID)]
    assert [click for click, _ in given] == [stands, together]
    for _, mask in given:
        np.testing.assert_array_equal(mask, before)
    session.undo()
    assert list(given_clicks(session.journal.events, GRID)) == []
    session.redo()
    assert len(list(given_clicks(session.journal.events, GRID))) == 2


def test_a_label_counts_only_as_the_mask_of_its_journal(session):
    session.apply(click_at(GRID, (5, 20, 19)))
    events, label = session.journal.events, session.mask.values
    np.testing.assert_array_equal(accepted_mask(events, session.case, label).values, label)
    other = label.copy()
    other[0, 0, 0] = True
    with pytest.raises(CorrectionError, match="not the mask that its journal gives"):
        accepted_mask(events, session.case, other)
    with pytest.raises(CorrectionError, match="no journal"):
        accepted_mask([], session.case, label)
    brighter = case_on(GRID)
    brighter.t1ce.array[0, 0, 0] = 7
    with pytest.raises(CorrectionError, match="another image"):
        accepted_mask(events, brighter, label)


def test_drawn_clicks_say_what_is_true_and_would_mend_the_mask():
    rng = np.random.default_rng(0)
    drawn = [(click, mask.values) for click, mask in drawn_clicks(GRID, TRUTH, START, rng)]
    assert {click.kind for click, _ in drawn} == {BOUNDARY, INCLUDE, EXCLUDE}
    np.testing.assert_array_equal(drawn[0][1], START)
    for click, mask in drawn:
        index = GRID.ras_to_index(click.position_ras)
        assert TRUTH[index] == (click.kind is not EXCLUDE)
        if click.kind is not BOUNDARY:
            assert mask[index] != TRUTH[index]
        else:
            row, column = index[1:]
            beside = [TRUTH[index[0], row + a, column + b] for a, b in ((0, 1), (0, -1), (1, 0), (-1, 0))]
            assert not all(beside)


def test_a_right_mask_asks_for_no_click_and_small_tumours_do_not_vanish():
    rng = np.random.default_rng(1)
    assert clicks_on(GRID, TRUTH, TRUTH, rng) == []
    tiny = with_blocks(GRID.shape, ((5, 6), (20, 22), (20, 22)))
    assert all(mask.any() for mask in displaced(GRID, tiny, rng, 20))
    # No mask at all to begin with is no reason to draw none.
    assert list(drawn_clicks(GRID, TRUTH, np.zeros_like(TRUTH), rng))
