"""The correction session: the one door through which clicks change a mask."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from VSClickCorrectLib.errors import CorrectionError, ImageError, VSClickError
from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.click import Click, ClickKind
from VSClickCorrectLib.imaging.cuts import Readable
from VSClickCorrectLib.imaging.merging import REACH_MM, Proposal, merge_named
from VSClickCorrectLib.imaging.sampling import distances
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.session.edit import Change, Edit
from VSClickCorrectLib.session.islands import Island, is_largest, island_at
from VSClickCorrectLib.session.journal import (
    Journal,
    change_event,
    check_case,
    edit_event,
    history_of,
    remove_event,
    round_event,
    session_event,
)
from VSClickCorrectLib.session.mask import Mask
from VSClickCorrectLib.session.removal import StandingClick, change_without, standing_clicks
from VSClickCorrectLib.session.start import recorded, start_json

DEFAULT_MERGE = "progressive"
# An include click farther than this from the mask starts a new part instead of correcting a border.
FAR_MM = 10.0
# What an include or exclude click changes at least, where the network would not follow it.
DISC_MM = 1.2


class Proposer(Protocol):
    """What a session needs of a corrector (see `inference.corrector.Corrector`)."""

    @property
    def identity(self) -> str:
        """Name and hash of the model, for the journal."""

    def propose(self, case: Case, mask: Readable, clicks: Sequence[Click]) -> list[Proposal]:
        """Propose corrections around clicks."""


Starter = Callable[[Case, Click], Proposal]


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
    starter : callable, optional
        The initial network's evidence around an include click far from the mask
        (`inference.initial.InitialSegmenter.propose`); without it such a click makes a small disc.
    merge : str
        One of `imaging.merging.MERGES`.
    journal : Journal, optional
        A journal with events is continued: its clicks can be undone, its round goes on, and where the mask is
        no longer what it left, that is noted as painting.

    Raises
    ------
    ImageError
        If the mask lies on another grid than the case.
    CorrectionError
        If the merge is unknown or the journal belongs to another image.
    """

    def __init__(
        self,
        case: Case,
        mask: Mask,
        corrector: Proposer,
        starter: Starter | None = None,
        merge: str = DEFAULT_MERGE,
        journal: Journal | None = None,
    ) -> None:
        if not case.grid.matches(mask.grid):
            raise ImageError("the mask lies on another grid than the image; resample it to the image first.")
        self.case = case
        self.mask = mask
        self.corrector = corrector
        self.merge = merge
        self.journal = journal or Journal()
        self._starter = starter
        self._indices: dict[Click, tuple[int, int, int]] = {}
        self._merge = merge_named(merge)
        check_case(self.journal.events, case)
        self.history, self.round = history_of(self.journal.events)
        # The mask as the journal has it.
        self._recorded = recorded(self.journal.events, mask)
        if self.journal.events:
            self.note_painting()
        else:
            start = start_json(self._recorded)
            event = session_event(case.grid, corrector.identity, merge, start, case)
            self.journal.append(event)

    @property
    def clicks(self) -> list[Click]:
        """The clicks that stand, oldest first."""
        gone = self.history.taken_back
        return [
            click
            for edit in self.history.done
            for number, click in zip(edit.numbers, edit.clicks, strict=False)
            if number not in gone
        ]

    @property
    def standing(self) -> list[StandingClick]:
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
            If there is no click, one lies outside the image, the image was moved since the session began, or
            the journal cannot be written. The mask is then as it was.
        """
        started = time.perf_counter()
        self.check(clicks)
        change = self._change_for(clicks).apply(self.mask)
        elapsed = (time.perf_counter() - started) * 1000
        numbers = self.history.next_numbers(len(clicks))
        edit = Edit(tuple(clicks), self.round, change, elapsed, numbers=numbers)
        self._record(edit_event(edit, self.corrector.identity, self.merge), change)
        self.history.push(edit)
        return edit

    def remove(self, standing: StandingClick) -> Edit:
        """Take one click back, wherever in the history it is; what was done after it stays.

        Taking back is an edit like any other: undoing it brings the click and its correction back exactly.
        See `change_without` for what flips.

        Parameters
        ----------
        standing : StandingClick
            One of `standing`.

        Returns
        -------
        Edit
            What changed, with the click in ``removed``.

        Raises
        ------
        CorrectionError
            If the click no longer stands or the journal cannot be written. The mask is then as it was.
        """
        started = time.perf_counter()
        number = standing.number
        found = next((s for s in self.standing if s.number == number), None)
        if found is None:
            raise CorrectionError("the click was taken back or undone already; choose another one.")
        change = change_without(self.history, found, self.mask).apply(self.mask)
        elapsed = (time.perf_counter() - started) * 1000
        edit = Edit((), self.round, change, elapsed, (found.click,), (number,))
        self._record(remove_event(edit), change)
        self.history.push(edit)
        return edit

    def undo(self) -> Edit:
        """Take the last edit back and return it.

        Raises
        ------
        CorrectionError
            If nothing is left to undo or the journal cannot be written.
        """
        edit, change = self.history.undo(self.mask)
        try:
            self._record(change_event("undo", change), change)
        except VSClickError:
            self.history.undone.pop()
            self.history.done.append(edit)
            raise
        return edit

    def redo(self) -> Edit:
        """Do the last undone edit again and return it; raises as `undo`."""
        taken_back = self.history.undone[-1:]
        edit, change = self.history.redo(self.mask)
        try:
            self._record(change_event("redo", change), change)
        except VSClickError:
            self.history.done.pop()
            self.history.undone.extend(taken_back)
            raise
        return edit

    def check(self, clicks: Sequence[Click]) -> None:
        """Raise `CorrectionError` if clicks cannot be applied, as `apply_together` would."""
        if not clicks:
            raise CorrectionError("there is no click to apply; place at least one.")
        # A transform over the image that changed would let each click mean another voxel.
        if not self.case.grid.matches(self.mask.grid):
            raise CorrectionError(
                "the image was moved since the correction began; "
                "give its transform back what it was and click again."
            )
        for click in clicks:
            self.index_of(click)

    def index_of(self, click: Click) -> tuple[int, int, int]:
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
        if self.mask.grid.shape != self.case.grid.shape:
            raise CorrectionError(
                "the image has another size than when the correction began, so painting is not written down; "
                "begin to correct the segment anew."
            )
        boxes = [box for box in (self.mask.extent(), self._recorded.extent()) if box is not None]
        box = _union(boxes) if boxes else Box((0, 0, 0), (0, 0, 0))
        change = Change.between(box, self._recorded.read(box), self.mask.read(box))
        if not change.box.empty:
            self._write_down(change_event("paint", change), change)
        return change

    def next_round(self) -> int:
        """Begin the next round of clicks and return its number."""
        self.journal.append(round_event(self.round + 1))
        self.round += 1
        return self.round

    def _record(self, event: dict, change: Change) -> None:
        """Write an event to the journal; where that fails, take its change back."""
        try:
            self._write_down(event, change)
        except VSClickError:
            change.revert(self.mask)
            raise

    def _write_down(self, event: dict, change: Change) -> None:
        self.journal.append(event)
        change.impose(self._recorded)

    def _change_for(self, clicks: Sequence[Click]) -> Change:
        """Return what the clicks mean, without touching the mask."""
        islands = {
            click: self._island_under(click, clicks) for click in clicks if click.kind is ClickKind.EXCLUDE
        }
        removed = [island for island in islands.values() if island is not None]
        started = [self._starter(self.case, c) for c in clicks if self._starter and self._starts_anew(c)]
        handled = {p.click for p in started} | {c for c, island in islands.items() if island is not None}
        local = [c for c in clicks if c not in handled]
        proposals = self.corrector.propose(self.case, self.mask, local) if local else []
        boxes = [p.box for p in (*proposals, *started)] + [island.box for island in removed]
        box = _union(boxes + [self._disc_box(c) for c in clicks])
        current = self.mask.read(box)
        result = self._merge(self.case.grid, box, current, proposals) if proposals else current.copy()
        for proposal in started:
            result[proposal.box.slices_in(box)] |= proposal.values
        for island in removed:
            result[island.box.slices_in(box)] &= ~island.values
        self._enforce(result, current, box, clicks)
        return Change.between(box, current, result)

    def _island_under(self, click: Click, together: Sequence[Click]) -> Island | None:
        """Return the part of the mask under an exclude click if it is not the tumour itself."""
        island = island_at(self.mask, self.index_of(click))
        if island is None:
            return None
        said = [c for c in (*self.clicks, *together) if c.kind is not ClickKind.EXCLUDE]
        if any(self._near(island, c) for c in said):
            return None
        # Where the clinician has worked on another part, that one is the tumour; else it is the largest.
        elsewhere = any(self._mask_within(c, REACH_MM) for c in reversed(said))
        return island if elsewhere or not is_largest(self.mask, island) else None

    def _near(self, island: Island, click: Click) -> bool:
        reach = np.ceil(REACH_MM / self.case.grid.spacing[::-1]).astype(int) + 1
        if not island.box.padded(tuple(map(int, reach))).contains(Box.of_voxel(self.index_of(click))):
            return False
        distance = distances(self.case.grid, island.box, click.position_ras)
        return bool((island.values & (distance <= REACH_MM)).any())

    def _starts_anew(self, click: Click) -> bool:
        return click.kind is ClickKind.INCLUDE and not self._mask_within(click, FAR_MM)

    def _mask_within(self, click: Click, radius_mm: float) -> bool:
        box = self.case.grid.box_around(click.position_ras, radius_mm)
        near = distances(self.case.grid, box, click.position_ras) <= radius_mm
        return bool((self.mask.read(box) & near).any())

    def _disc_box(self, click: Click) -> Box:
        return self.case.grid.box_around(click.position_ras, DISC_MM)

    def _enforce(self, result: np.ndarray, current: np.ndarray, box: Box, clicks: Sequence[Click]) -> None:
        """Make the result true to what include and exclude clicks, earlier and new, say of their voxels."""
        for click in clicks:
            if click.kind is not ClickKind.BOUNDARY and self._value(result, box, click) is not _wanted(click):
                disc = self._disc_box(click)
                near = distances(self.case.grid, disc, click.position_ras) <= DISC_MM
                result[disc.slices_in(box)][near] = _wanted(click)
        for click in self.clicks:
            if click.kind is ClickKind.BOUNDARY:
                continue
            if self._value(result, box, click) is (not _wanted(click)):
                # What was painted by hand over an earlier click stays: nobody asked for it to change.
                self._hold(result, box, click, bool(self._value(current, box, click)))
        for click in clicks:
            if click.kind is not ClickKind.BOUNDARY:
                self._hold(result, box, click, _wanted(click))

    def _hold(self, result: np.ndarray, box: Box, click: Click, value: bool) -> None:
        """Give a click's voxel, which lies in the box, a value."""
        result[Box.of_voxel(self.index_of(click)).slices_in(box)] = value

    def _value(self, values: np.ndarray, box: Box, click: Click) -> bool | None:
        """Return what ``values`` of ``box`` hold at a click, or None if it lies outside."""
        place = tuple(n - a for n, a in zip(self.index_of(click), box.start, strict=True))
        inside = all(0 <= n < count for n, count in zip(place, values.shape, strict=True))
        return bool(values[place]) if inside else None


def _wanted(click: Click) -> bool:
    return click.kind is ClickKind.INCLUDE


def _union(boxes: list[Box]) -> Box:
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole.union(box)
    return whole
