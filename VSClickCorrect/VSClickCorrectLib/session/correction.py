"""The correction session: the one door through which clicks change a mask."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache, partial, reduce

import numpy as np

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import Mask
from VSClickCorrectLib.clicks.merging import Proposal, merge_named
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.errors import CorrectionError, ImageError, VSClickError, enough_memory
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.triples import Index3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.session.click_rules import ClickRules, Start
from VSClickCorrectLib.session.edit import Change, Edit
from VSClickCorrectLib.session.journal import (
    Journal,
    change_event,
    check_case,
    edit_event,
    history_of,
    round_event,
    session_event,
)
from VSClickCorrectLib.session.proposers import InitialProposer, Proposer
from VSClickCorrectLib.session.removal import ActiveClick, change_without, standing_clicks
from VSClickCorrectLib.session.start_mask import recorded, start_json

DEFAULT_MERGE = "progressive"


class CorrectionSession:
    """Corrects one mask by clicks, with rounds, undo and a journal.

    Parameters
    ----------
    case : Case
        The sequences on their native grid.
    mask : Mask
        The mask to correct, on the same grid; it is changed in place.
    corrector : Proposer
        The correction network.
    initial_proposer : callable, optional
        What the network that sees the whole tumour says of a click far from the border
        (`inference.initial.InitialSegmenter.propose`); without it the corrector answers such clicks, too.
    merge : str
        One of `clicks.merging.MERGES`.
    journal : Journal, optional
        A journal with events is continued: its clicks can be undone, its round goes on, and where the mask is
        no longer what it left, that is noted as painting.
    others : ReadableMask, optional
        What belongs to other classes, as it is at each click: clicks add none of it.

    Raises
    ------
    ImageError
        If the mask lies on another grid than the case.
    CorrectionError
        If the merge is unknown or the journal belongs to another image.

    Examples
    --------
    Correct an array by a click, here in the sample case and with a stand-in for the network that knows the
    truth (`inference.model_set.Networks.load(ModelFolder(None))` has the real ones, `io.images` reads files):

    >>> import numpy as np
    >>> from VSClickCorrectLib.clicks.click import Click, ClickKind
    >>> from VSClickCorrectLib.clicks.mask import ArrayMask
    >>> from VSClickCorrectLib.io.sample_case import read_sample
    >>> from VSClickCorrectLib.session.oracle import Oracle
    >>> sample = read_sample()
    >>> mask = ArrayMask(sample.grid, sample.start)
    >>> session = CorrectionSession(sample.case, mask, Oracle(sample.truth))
    >>> missed = np.argwhere(sample.truth & ~sample.start)[0]
    >>> edit = session.apply(Click(tuple(sample.grid.index_to_ras(missed)), ClickKind.INCLUDE))
    >>> bool(mask.values[tuple(missed)])
    True
    >>> wrong, still_wrong = (np.count_nonzero(m != sample.truth) for m in (sample.start, mask.values))
    >>> bool(still_wrong < wrong)
    True

    Undo gives back exactly the mask before, and the journal tells all of it:

    >>> undone = session.undo()
    >>> bool((mask.values == sample.start).all())
    True
    >>> [event["event"] for event in session.journal.events]
    ['session', 'edit', 'undo']
    """

    def __init__(
        self,
        case: Case,
        mask: Mask,
        corrector: Proposer,
        initial_proposer: InitialProposer | None = None,
        merge: str = DEFAULT_MERGE,
        journal: Journal | None = None,
        others: ReadableMask | None = None,
    ) -> None:
        if not case.grid.matches(mask.grid):
            raise ImageError("the mask lies on another grid than the image; resample it to the image first.")
        self.case = case
        self.mask = mask
        self.corrector = corrector
        self.merge = merge
        self.journal = journal or Journal()
        self._starter, self._others = initial_proposer, others
        # What is seen of a case at boundary clicks: asked when one is made and again when it is applied.
        self._looks: tuple[Case, dict[Click, Proposal]] = (case, {})
        self._indices: dict[Click, Index3] = {}
        # Every click is applied among all that stand.
        self._in_slice = lru_cache(maxsize=None)(partial(Click.in_slice, grid=case.grid))
        self._merge = merge_named(merge)
        check_case(self.journal.events, case)
        self.history, self.round = history_of(self.journal.events)
        # The mask as the journal has it.
        self._recorded = recorded(self.journal.events, mask)
        if self.journal.events:
            self.note_painting()
        else:
            start = start_json(self._recorded, self.journal.in_file)
            event = session_event(case.grid, corrector.identity, merge, start, case)
            self.journal.append(event)

    @property
    def clicks(self) -> list[Click]:
        """The clicks that stand, oldest first."""
        return [one.click for one in self.standing]

    def meant(self, clicks: Sequence[Click]) -> list[Click]:
        """Return clicks as rules and networks see them, `Click.in_slice`; lists keep them as made."""
        return [self._in_slice(click) for click in clicks]

    @property
    def standing(self) -> list[ActiveClick]:
        """The clicks that were neither undone nor taken back, oldest first, each with what it changed."""
        return standing_clicks(self.history, self.case.grid)

    def apply(self, click: Click) -> Edit:
        """Correct the mask around one click; see `apply_together`."""
        return self.apply_together([click])

    def apply_together(self, clicks: Sequence[Click]) -> Edit:
        """Correct the mask around clicks that were all placed on the mask as it is now.

        Parameters
        ----------
        clicks : sequence of Click
            At least one. After an include click its voxel is in the mask, after an exclude click it is not.

        Returns
        -------
        Edit
            What changed; it can be undone.

        Raises
        ------
        CorrectionError
            If there is no click, one lies outside the image, a boundary click has no border in its reach and
            no tumour is seen at it, the image was moved since the session began, or the journal cannot be
            written. The mask is then as it was.
        """
        started = time.perf_counter()
        self.check(clicks)
        outcome = self._rules().outcome(self.meant(clicks), self._merge, self._propose)
        change = outcome.change.apply(self.mask)
        elapsed = (time.perf_counter() - started) * 1000
        numbers = self.history.next_numbers(len(clicks))
        edit = Edit(tuple(clicks), self.round, change, elapsed, numbers=numbers, remark=outcome.remark)
        return self._push(edit)

    def remove(self, standing: ActiveClick) -> Edit:
        """Take one click back, wherever in the history it is; what was done after it stays.

        Taking back is an edit like any other: undoing it brings the click and its correction back exactly.
        See `change_without` for what flips.

        Parameters
        ----------
        standing : ActiveClick
            One of `standing`.

        Returns
        -------
        Edit
            What changed, with the click in ``removed``.

        Raises
        ------
        CorrectionError
            If the click no longer stands, the image was moved since the session began, or the journal cannot
            be written. The mask is then as it was.
        """
        started = time.perf_counter()
        self._check_place()
        number = standing.number
        found = next((s for s in self.standing if s.number == number), None)
        if found is None:
            raise CorrectionError("the click was taken back or undone already; choose another one.")
        change = change_without(self.history, found, self.mask).apply(self.mask)
        elapsed = (time.perf_counter() - started) * 1000
        edit = Edit((), self.round, change, elapsed, (found.click,), (number,))
        return self._push(edit)

    def edit_by_hand(self, tool: str, change: Change) -> Edit:
        """Change voxels as a hand asks, as one step of undo; clicks leave alone what they did not change.

        Parameters
        ----------
        tool : str
            What is done, as ``brush stroke``.
        change : Change
            What is to flip.

        Returns
        -------
        Edit
            What flipped.

        Raises
        ------
        CorrectionError
            If nothing would change, the image was moved since the session began, or the journal cannot be
            written. The mask is then as it was.
        """
        started = time.perf_counter()
        self._check_place()
        change = change.apply(self.mask)
        if change.box.empty:
            raise CorrectionError("nothing was changed: the mask is like that already.")
        elapsed = (time.perf_counter() - started) * 1000
        edit = Edit((), self.round, change, elapsed, tool=tool)
        return self._push(edit)

    def undo(self) -> Edit:
        """Take the last edit back and return it.

        Raises
        ------
        CorrectionError
            If nothing is left to undo, the image was moved since the session began, or the journal cannot be
            written.
        """
        self._check_place()
        edit, change = self.history.flip_back(self.mask)
        self._record(lambda: change_event("undo", change), change)
        self.history.note_undo(change)
        return edit

    def redo(self) -> Edit:
        """Do the last undone edit again and return it; raises as `undo`."""
        self._check_place()
        edit, change = self.history.flip_again(self.mask)
        self._record(lambda: change_event("redo", change), change)
        self.history.note_redo(change)
        return edit

    def values(self) -> np.ndarray:
        """Return the whole mask, ``(K, J, I)`` bool on the case's grid.

        Raises
        ------
        CorrectionError
            If the image was moved since the session began: what belongs where cannot be told then.
        """
        self._check_place()
        return self.mask.read(self.case.grid.box)

    def check(self, clicks: Sequence[Click]) -> None:
        """Raise `CorrectionError` if clicks cannot be applied, as `apply_together` would."""
        if not clicks:
            raise CorrectionError("there is no click to apply; place at least one.")
        self._check_place()
        for click in clicks:
            self.index_of(click)
        self._rules().check(self.meant(clicks))

    def index_of(self, click: Click) -> Index3:
        """Return the voxel ``(k, j, i)`` that a click means.

        Raises
        ------
        CorrectionError
            If it lies outside the image.
        """
        # Remembered: each click is held against all clicks before it.
        if click not in self._indices:
            try:
                self._indices[click] = self.case.grid.ras_to_index(click.position_ras)
            except ImageError as error:
                raise CorrectionError(str(error)) from None
        return self._indices[click]

    def note_painting(self) -> Change:
        """Write into the journal what else changed the mask since it was last written, as painting does.

        So the journal gives back the mask as it is. Nothing of it is undone by `undo`.

        Returns
        -------
        Change
            What was painted, in an empty box if nothing was.

        Raises
        ------
        CorrectionError
            If the image has another size by now or the journal cannot be written; the painting stays, and is
            noted the next time.
        """
        self._check_size()
        boxes = [box for box in (self.mask.extent(), self._recorded.extent()) if box is not None]
        box = reduce(Box.union, boxes) if boxes else Box((0, 0, 0), (0, 0, 0))
        change = Change.between(box, self._recorded.read(box), self.mask.read(box))
        if not change.box.empty:
            self._write_down(lambda: change_event("paint", change), change)
        return change

    @property
    def round_is_empty(self) -> bool:
        """Whether nothing was done in this round, or all of it was undone."""
        return all(edit.round != self.round for edit in self.history.done)

    def next_round(self) -> int:
        """Begin the next round of clicks and return its number."""
        return self._go_to_round(self.round + 1)

    def previous_round(self) -> int:
        """Go on with the round before, as if this one had not begun, and return its number."""
        if self.round == 1 or not self.round_is_empty:
            raise CorrectionError("only a round in which nothing was done can be taken back.")
        return self._go_to_round(self.round - 1)

    def _go_to_round(self, number: int) -> int:
        self.journal.append(round_event(number))
        self.round = number
        return number

    def _check_place(self) -> None:
        self._check_size()
        # A transform over the image that changed would let each click mean another voxel, and where the image
        # was moved alone, each edit flip voxels beside its own.
        if not self.case.grid.matches(self.mask.grid):
            raise CorrectionError(
                "the image was moved since the correction began; "
                "give its transform back what it was and try again."
            )

    def _check_size(self) -> None:
        if self.case.grid.shape != self.mask.grid.shape:
            raise CorrectionError(
                "the image has another size than when the correction began; put it back as it was, or begin "
                "anew with a copy of the segment in another segmentation."
            )

    def _rules(self) -> ClickRules:
        standing = self.meant(self.clicks)
        return ClickRules(self.case, self.mask, self.index_of, standing, self._others, self._start)

    def _propose(self, clicks: Sequence[Click]) -> list[Proposal]:
        return self.corrector.propose(self.case, self.mask, clicks)

    @property
    def _start(self) -> Start | None:
        return partial(self._answer, self._starter) if self._starter else None

    def _answer(self, starter: InitialProposer, click: Click) -> Proposal:
        if click.kind is not ClickKind.BOUNDARY:
            return starter(self.case, click, self.mask, self.meant(self.clicks))
        if self._looks[0] is not self.case:
            self._looks = (self.case, {})
        looks = self._looks[1]
        if click not in looks:
            looks[click] = starter(self.case, click, None, ())
        return looks[click]

    def _push(self, edit: Edit) -> Edit:
        self._record(lambda: edit_event(edit, self.corrector.identity, self.merge), edit.change)
        self.history.push(edit)
        return edit

    def _record(self, event: Callable[[], dict], change: Change) -> None:
        """Write an event to the journal; where that fails, take its change back."""
        try:
            self._write_down(event, change)
        except VSClickError:
            change.revert(self.mask)
            raise

    @enough_memory()
    def _write_down(self, event: Callable[[], dict], change: Change) -> None:
        # Made here: memory that runs out while the event is made must take the change back, too.
        self.journal.append(event())
        change.overwrite(self._recorded)
