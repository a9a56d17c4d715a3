"""An evaluation: every method plays every case, from the same start, with the same simulated user."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import Case

from VSClickCorrectResearch.datasets.cases import LazyCase
from VSClickCorrectResearch.datasets.fingerprints import fingerprint
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.records import PlayedCase, RecordFolder, RoundRecord
from VSClickCorrectResearch.evaluation.rounds import Method, Play, Round, Start, play_rounds
from VSClickCorrectResearch.simulation.mask_perturbations import spoiled
from VSClickCorrectResearch.simulation.user import middle_click, random_click

if TYPE_CHECKING:
    from VSClickCorrectLib.inference.initial import InitialSegmenter

# Where the first click is meant to be.
MIDDLE, RANDOM = "in the middle", "anywhere inside"
StartOf = Callable[[LabelledCase], Start]


@dataclass(frozen=True)
class EvaluationRun:
    """What is done with each case.

    Parameters
    ----------
    methods : sequence of Method
        Each plays from the same start.
    start_of : callable
        Returns what to begin with.
    sequences : {"both", "t1ce", "t2"}
        Which are shown.
    play : Play
        How the simulated user works.
    also_first : callable, optional
        Where the start is a click: returns one with the click elsewhere. The first method plays it, without
        rounds.
    """

    methods: Sequence[Method]
    start_of: StartOf
    sequences: str
    play: Play
    also_first: StartOf | None = None

    def record(self, case: LazyCase, folder: RecordFolder) -> PlayedCase:
        """Return the record of a case; one that ``folder`` has is played again only if its files changed."""
        inputs = fingerprint(case.files)
        record = folder.read(case.name, inputs)
        if record is None:
            record = replace(self._record(self._shown(case)), inputs=inputs)
            folder.write(record)
        # It stands in the list, which may have changed though the files have not.
        return record if case.kind is None else replace(record, kind=case.kind)

    def replay(self, case: LazyCase) -> tuple[LabelledCase, list[Round]]:
        """Return a case and the rounds of the first method on it, masks included."""
        shown = self._shown(case)
        return shown, list(play_rounds(shown, self.start_of(shown), self.methods[0], self.play))

    def _shown(self, case: LazyCase) -> LabelledCase:
        loaded = case.load()
        return replace(loaded, case=with_sequences(loaded, self.sequences))

    def _record(self, case: LabelledCase) -> PlayedCase:
        volume = case.grid.volume_of(case.truth)
        if volume == 0:
            return PlayedCase(case.name, 0.0, {}, case.kind)
        start = self.start_of(case)
        rounds = {
            method.name: tuple(map(_numbers, play_rounds(case, start, method, self.play)))
            for method in self.methods
        }
        first = {}
        if self.also_first:
            elsewhere = next(play_rounds(case, self.also_first(case), self.methods[0], self.play))
            first = {MIDDLE: rounds[self.methods[0].name][0], RANDOM: _numbers(elsewhere)}
        return PlayedCase(case.name, volume, rounds, case.kind, start.confidence, first)


def with_sequences(case: LabelledCase, sequences: str) -> Case:
    """Return the case's sequences, or one of them.

    Raises
    ------
    ImageError
        If that one is missing.
    """
    chosen = {n: v for n, v in case.case.sequences.items() if sequences in ("both", n)}
    if not any(chosen.values()):
        raise ImageError(f"case {case.name} has no {sequences}; choose other sequences.")
    return Case(chosen.get("t1ce"), chosen.get("t2"))


def given_mask(case: LabelledCase) -> Start:
    """Start with the case's own mask.

    Raises
    ------
    ImageError
        If it has none.
    """
    if case.start is None:
        raise ImageError(f"case {case.name} has no mask to begin with; choose another start.")
    return Start(case.start)


def perturbed_truth(seed: int) -> StartOf:
    """Return a start that spoils the truth on purpose: one seed and one name, one mask."""

    def start_of(case: LabelledCase) -> Start:
        return Start(spoiled(case.grid, case.truth, _chance(seed, case)))

    return start_of


def click_in_the_middle(case: LabelledCase) -> Start:
    """Start with one include click in the middle of the tumour, on an empty mask."""
    return Start(np.zeros_like(case.truth), click=middle_click(case.grid, case.truth))


def click_anywhere_inside(seed: int) -> StartOf:
    """Return a start with one include click anywhere in the tumour: one seed and one name, one place."""

    def start_of(case: LabelledCase) -> Start:
        click = random_click(case.grid, case.truth, _chance(seed, case))
        return Start(np.zeros_like(case.truth), click=click)

    return start_of


def initial_mask(segmenter: InitialSegmenter) -> StartOf:
    """Return a start with the mask of the initial networks, and how sure they are of it if they say so."""

    def start_of(case: LabelledCase) -> Start:
        found = segmenter.segment(case.case)
        return Start(found.on(case.grid), found.certainty)

    return start_of


def _chance(seed: int, case: LabelledCase) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(case.name.encode())])


def _numbers(played: Round) -> RoundRecord:
    return RoundRecord(len(played.clicks), played.scores, played.dice, played.milliseconds, played.refused)
