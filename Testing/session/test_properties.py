"""Any sequence of clicks, hand edits, undos and redos leaves the mask as a plain re-execution would."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from naive_session import SessionMachine, starter
from session_doubles import (
    BOUNDARY,
    INCLUDE,
    ContraryCorrector,
    OracleCorrector,
    case_on,
    clicks_in,
    grids,
    masks_on,
)
from VSClickCorrectLib.imaging.cuts import CutGeometry
from VSClickCorrectLib.imaging.merging import MERGES, Proposal
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.mask import ArrayMask

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class GuessingCorrector:
    """Says something else at every click."""

    identity = "guessing@000000000000"

    def __init__(self, geometry, seed):
        self.oracle = OracleCorrector(np.zeros((1, 1, 1)), geometry)
        self.rng = np.random.default_rng(seed)

    def propose(self, case, mask, clicks):
        self.oracle.truth = np.zeros(case.grid.shape, bool)
        proposals = self.oracle.propose(case, mask, clicks)
        return [Proposal(p.click, p.box, self.rng.random(p.box.shape, np.float32)) for p in proposals]


@st.composite
def sessions(draw):
    """Sessions on any grid and mask, with a corrector that is right, that guesses or that contradicts."""
    grid = draw(grids())
    geometry = CutGeometry(
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
    merge, start = draw(st.sampled_from(tuple(MERGES))), draw(st.sampled_from((None, starter)))
    return CorrectionSession(case_on(grid), mask, corrector, start, merge)


def rounds_in(grid):
    """One to six applications of one to three clicks; some fall on voxels that were clicked before."""
    return st.lists(st.lists(clicks_in(grid), min_size=1, max_size=3), min_size=1, max_size=6)


def test_session_and_its_naive_twin_never_differ():
    run_state_machine_as_test(
        SessionMachine,
        settings=settings(
            max_examples=60,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


@QUICK
@given(st.data())
def test_include_and_exclude_clicks_hold_whatever_the_network_says(data):
    session = data.draw(sessions())
    said = {}
    for clicks in data.draw(rounds_in(session.case.grid)):
        session.apply_together(clicks)
        for click in clicks:
            if click.kind is not BOUNDARY:
                said[session.case.grid.ras_to_index(click.position_ras)] = click.kind is INCLUDE
        assert {index: bool(session.mask.values[index]) for index in said} == said


@QUICK
@given(st.data())
def test_undoing_everything_gives_the_first_mask_and_redoing_it_the_last(data):
    session = data.draw(sessions())
    states = [session.mask.values.copy()]
    for clicks in data.draw(rounds_in(session.case.grid)):
        session.apply_together(clicks)
        states.append(session.mask.values.copy())
    for state in reversed(states[:-1]):
        session.undo()
        np.testing.assert_array_equal(session.mask.values, state)
    for state in states[1:]:
        session.redo()
        np.testing.assert_array_equal(session.mask.values, state)


@QUICK
@given(st.data())
def test_an_edit_counts_what_it_changed_and_nothing_more(data):
    session = data.draw(sessions())
    for clicks in data.draw(rounds_in(session.case.grid)):
        before = session.mask.values.copy()
        added, removed = session.apply_together(clicks).change.count
        assert added == (session.mask.values & ~before).sum()
        assert removed == (before & ~session.mask.values).sum()
