"""Rounds of clicks in a session."""

import pytest
from session_doubles import click_at
from VSClickCorrectLib.errors import CorrectionError


class TestRounds:
    def test_edits_carry_the_round_they_were_made_in(self, session_on, grid):
        session = session_on()
        rounds = [session.apply(click_at(grid, (6, 18, 18))).round]
        assert session.next_round() == session.round == 2
        rounds += [session.apply(click_at(grid, (6, 18, 18))).round for _ in range(2)]
        session.next_round()
        rounds.append(session.apply(click_at(grid, (6, 18, 18))).round)
        assert rounds == [1, 2, 2, 3]

    def test_undo_does_not_turn_the_round_back(self, session_on, grid):
        session = session_on()
        session.apply(click_at(grid, (6, 18, 18)))
        session.next_round()
        assert session.undo().round == 1
        assert session.round == 2

    def test_new_click_after_undo_clears_redo(self, session_on, grid):
        session = session_on()
        session.apply(click_at(grid, (6, 18, 12)))
        session.undo()
        session.apply(click_at(grid, (6, 18, 24)))
        with pytest.raises(CorrectionError, match="nothing to redo"):
            session.redo()
