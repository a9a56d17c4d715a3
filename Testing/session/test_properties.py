"""Any sequence of clicks, hand edits, undos and redos leaves the mask as a plain re-execution would."""

import numpy as np
from example_counts import examples
from hypothesis import given
from hypothesis import strategies as st
from naive_session import initial_proposer
from session_doubles import (
    BOUNDARY,
    INCLUDE,
    ContraryCorrector,
    GuessingCorrector,
    OracleCorrector,
    case_on,
    clicks_in,
    grids,
    lacks_border,
    masks_on,
)
from session_machine import SessionMachine
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import MERGES
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.session.correction import CorrectionSession


@st.composite
def sessions(draw):
    """Sessions on any grid and mask, with a corrector that is right, that guesses or that contradicts."""
    grid = draw(grids())
    geometry = PatchGeometry(
        size=draw(st.sampled_from((8, 16))), pixel_mm=0.75, slices=draw(st.sampled_from((1, 3)))
    )
    corrector = draw(
        st.one_of(
            masks_on(grid).map(lambda truth: OracleCorrector(truth, geometry)),
            st.integers(0, 9).map(lambda seed: GuessingCorrector(geometry, seed)),
            st.just(ContraryCorrector(geometry)),
        )
    )
    mask = ArrayMask(grid, draw(masks_on(grid)))
    merge, start = draw(st.sampled_from(tuple(MERGES))), draw(st.sampled_from((None, initial_proposer)))
    return CorrectionSession(case_on(grid), mask, corrector, start, merge)


def rounds_in(grid):
    """One to six applications of one to three clicks; some fall on voxels that were clicked before."""
    return st.lists(st.lists(clicks_in(grid), min_size=1, max_size=3), min_size=1, max_size=6)


TestSessionAndItsNaiveTwin = SessionMachine.TestCase
TestSessionAndItsNaiveTwin.settings = examples(1, stateful_step_count=20)


@examples(2)
@given(st.data())
def test_include_and_exclude_clicks_hold_whatever_the_network_says(data):
    session = data.draw(sessions())
    said = {}
    for clicks in data.draw(rounds_in(session.case.grid)):
        if any(lacks_border(session.case.grid, session.mask.values, click) for click in clicks):
            continue
        session.apply_together(clicks)
        for click in clicks:
            if click.kind is not BOUNDARY:
                said[session.case.grid.ras_to_index(click.position_ras)] = click.kind is INCLUDE
        assert {index: bool(session.mask.values[index]) for index in said} == said


@examples(2)
@given(st.data())
def test_undoing_everything_gives_the_first_mask_and_redoing_it_the_last(data):
    session = data.draw(sessions())
    states = [session.mask.values.copy()]
    for clicks in data.draw(rounds_in(session.case.grid)):
        if any(lacks_border(session.case.grid, session.mask.values, click) for click in clicks):
            continue
        session.apply_together(clicks)
        states.append(session.mask.values.copy())
    for state in reversed(states[:-1]):
        session.undo()
        np.testing.assert_array_equal(session.mask.values, state)
    for state in states[1:]:
        session.redo()
        np.testing.assert_array_equal(session.mask.values, state)


@examples(2)
@given(st.data())
def test_an_edit_counts_what_it_changed_and_nothing_more(data):
    session = data.draw(sessions())
    for clicks in data.draw(rounds_in(session.case.grid)):
        before = session.mask.values.copy()
        if any(lacks_border(session.case.grid, before, click) for click in clicks):
            continue
        added, removed = session.apply_together(clicks).change.count
        assert added == (session.mask.values & ~before).sum()
        assert removed == (before & ~session.mask.values).sum()
