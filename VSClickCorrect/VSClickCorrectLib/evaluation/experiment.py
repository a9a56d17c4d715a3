"""An evaluation: every method plays every case, from the same start, with the same simulated user."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from VSClickCorrectLib.datasets.cases import LazyCase
from VSClickCorrectLib.datasets.labelled import LabelledCase
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.evaluation.records import CaseRecord, RecordFolder, RoundRecord
from VSClickCorrectLib.evaluation.rounds import Play, Round, play_rounds
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.session.correction import Proposer, Starter
from VSClickCorrectLib.simulation.errors import spoiled

StartOf = Callable[[LabelledCase], np.ndarray]


@dataclass(frozen=True)
class Method:
    """One way of correcting.

    Parameters
    ----------
    name : str
        What tables and curves call it.
    proposer : Proposer
        The network or baseline.
    merge : str
        How its proposals enter the mask.
    starter : callable, optional
        As for `CorrectionSession`.
    """

    name: str
    proposer: Proposer
    merge: str
    starter: Starter | None = None


@dataclass(frozen=True)
class Experiment:
    """What is done with each case.

    Parameters
    ----------
    methods : sequence of Method
        Each plays from the same start.
    start_of : callable
        Returns the mask to begin with.
    sequences : {"both", "t1ce", "t2"}
        Which are shown.
    play : Play
        How the simulated user works; the merge is the method's.
    """

    methods: Sequence[Method]
    start_of: StartOf
    sequences: str
    play: Play

    def run(self, cases: Iterable[LazyCase], folder: RecordFolder) -> Iterator[CaseRecord]:
        """Yield the record of every case; those that ``folder`` has are not played again."""
        for case in cases:
            record = folder.read(case.name)
            if record is None:
                record = self._record(self._shown(case))
                folder.write(record)
            yield record

    def replay(self, case: LazyCase) -> tuple[LabelledCase, list[Round]]:
        """Return a case and the rounds of the first method on it, masks included."""
        shown = self._shown(case)
        return shown, list(self._played(self.methods[0], shown, self.start_of(shown)))

    def _shown(self, case: LazyCase) -> LabelledCase:
        loaded = case.load()
        return replace(loaded, case=with_sequences(loaded, self.sequences))

    def _record(self, case: LabelledCase) -> CaseRecord:
        volume = int(np.count_nonzero(case.truth)) * case.grid.voxel_volume
        if volume == 0:
            return CaseRecord(case.name, 0.0, {})
        start = self.start_of(case)
        rounds = {
            method.name: tuple(_numbers(one) for one in self._played(method, case, start))
            for method in self.methods
        }
        return CaseRecord(case.name, volume, rounds)

    def _played(self, method: Method, case: LabelledCase, start: np.ndarray) -> Iterator[Round]:
        play = replace(self.play, merge=method.merge)
        return play_rounds(case.case, case.truth, start, method.proposer, play, method.starter)


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


def given_mask(case: LabelledCase) -> np.ndarray:
    """Return the case's own mask.

    Raises
    ------
    ImageError
        If it has none.
    """
    if case.start is None:
        raise ImageError(f"case {case.name} has no mask to begin with; choose another start.")
    return case.start


def spoiled_truth(seed: int) -> StartOf:
    """Return a start that spoils the truth on purpose: one seed and one name, one mask."""

    def start_of(case: LabelledCase) -> np.ndarray:
        rng = np.random.default_rng([seed, zlib.crc32(case.name.encode())])
        return spoiled(case.grid, case.truth, rng)

    return start_of


def _numbers(played: Round) -> RoundRecord:
    return RoundRecord(len(played.clicks), played.scores, played.dice, played.milliseconds)
