"""Any sequence of events, played to a session and to its naive twin, which are compared after every one."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from naive_session import HALF, NaiveSession, initial_proposer, insists
from session_doubles import (
    BlockCorrector,
    boxes_in,
    case_on,
    clicks_in,
    grids,
    in_slice,
    masks_on,
)
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import MERGES
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.journal import Journal, replay


class SessionMachine(RuleBasedStateMachine):
    """Clicks, hand edits, undo, redo, rounds and resumed sessions in any order."""

    def make_mask(self, grid, values):
        """Return the mask under test; its grid is the one that counts."""
        return ArrayMask(grid, values)

    def paint(self, box, value):
        """Change the mask behind the session's back."""
        self.mask.write(box, np.full(box.shape, value))

    def saved_and_reopened(self, text):
        """Return a journal's text as it is after the session was closed and opened again."""
        return text

    @initialize(data=st.data(), merge=st.sampled_from(tuple(MERGES)))
    def begin(self, data, merge):
        grid = data.draw(grids())
        self.initial = data.draw(masks_on(grid))
        self.mask = self.make_mask(grid, self.initial)
        self.grid = self.mask.grid
        self.corrector = BlockCorrector(data.draw(masks_on(grid)), HALF)
        self.naive = NaiveSession(self.grid, self.initial, self.corrector.opinion, merge)
        self.merge, self.round, self.painted = merge, 1, False
        self.resume(Journal())

    def resume(self, journal):
        case = case_on(self.grid)
        self.session = CorrectionSession(
            case, self.mask, self.corrector, initial_proposer, self.merge, journal
        )

    @rule(data=st.data())
    def click(self, data):
        self._apply([data.draw(clicks_in(self.grid))])

    @rule(data=st.data())
    def click_together(self, data):
        clicks = data.draw(st.lists(clicks_in(self.grid), min_size=2, max_size=4))
        # The twin knows no way of merging opinions that differ.
        meant, earlier = ([in_slice(self.grid, c) for c in some] for some in (clicks, self.session.clicks))
        together = not any(insists(click, earlier) for click in meant)
        for part in [clicks] if together else [[click] for click in clicks]:
            self._apply(part)

    def _apply(self, clicks):
        if self.naive.refuses(clicks):
            with pytest.raises(CorrectionError, match="no border of the mask within 14 mm"):
                self.session.apply_together(clicks)
        else:
            self.session.apply_together(clicks)
            self.naive.apply(clicks)

    @rule()
    def the_network_changes_its_mind(self):
        # Otherwise the same voxel would hardly ever be flipped more than once.
        self.corrector.opinion = self.naive.opinion = ~self.naive.opinion

    @rule(data=st.data())
    def take_one_back(self, data):
        standing = self.session.standing
        if standing:
            chosen = data.draw(st.sampled_from(standing))
            edit = self.session.remove(chosen)
            assert (edit.clicks, edit.removed, edit.numbers) == ((), (chosen.click,), (chosen.number,))
            self.naive.remove(chosen.number)

    @rule(data=st.data(), value=st.booleans())
    def paint_by_hand(self, data, value):
        self._paint_both(data.draw(boxes_in(self.grid.shape)), value)

    @rule(data=st.data())
    def touch_up_an_edit_by_hand(self, data):
        changed = [np.argwhere(voxels) for _, _, voxels in (*self.naive.done, *self.naive.undone)]
        changed = np.concatenate([np.empty((0, 3), int), *changed])
        if len(changed):
            index = tuple(map(int, changed[data.draw(st.integers(0, len(changed) - 1))]))
            self._paint_both(Box.of_voxel(index), not self.naive.mask[index])

    def _paint_both(self, box, value):
        self.paint(box, value)
        self.naive.mask[box.slices] = value
        self.painted = True

    @rule()
    def undo(self):
        self._step(self.session.undo, self.naive.undo, self.naive.done)

    @rule()
    def redo(self):
        self._step(self.session.redo, self.naive.redo, self.naive.undone)

    def _step(self, step, naive_step, entries):
        if entries:
            edit, what = step(), entries[-1][0]
            assert edit.numbers == ((what,) if isinstance(what, int) else tuple(n for n, _ in what))
            naive_step()
        else:
            with pytest.raises(CorrectionError, match="nothing to"):
                step()

    @rule()
    def next_round(self):
        self.round += 1
        assert self.session.next_round() == self.round

    @rule()
    def close_and_resume(self):
        self.resume(Journal(text=self.saved_and_reopened(self.session.journal.text)))

    @invariant()
    def both_are_alike(self):
        np.testing.assert_array_equal(self.mask.read(self.grid.box), self.naive.mask)
        assert [(s.number, s.click) for s in self.session.standing] == self.naive.standing()
        assert self.session.clicks == [click for _, click in self.naive.standing()]
        assert [s.voxels for s in self.session.standing] == [
            self.naive.share(number).sum() for number, _ in self.naive.standing()
        ]
        assert len(self.session.history.done) == len(self.naive.done)
        assert len(self.session.history.undone) == len(self.naive.undone)
        assert self.session.round == self.round

    @invariant()
    def without_hand_edits_the_mask_is_what_standing_clicks_made_of_it(self):
        if not self.painted:
            np.testing.assert_array_equal(self.naive.mask, self.naive.layered(self.initial))

    def teardown(self):
        # Hand edits are not in the journal; without them it holds everything.
        if hasattr(self, "session") and not self.painted:
            again = ArrayMask(self.grid, self.initial)
            replay(self.session.journal.events, again)
            np.testing.assert_array_equal(again.values, self.naive.mask)
