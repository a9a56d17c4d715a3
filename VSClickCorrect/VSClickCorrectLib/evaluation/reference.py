"""Expected scores: what the models of a folder reach on cases that are made on the fly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.evaluation.records import write_json
from VSClickCorrectLib.evaluation.rounds import Play, play_rounds
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.models import ModelFolder
from VSClickCorrectLib.simulation.synthesis import SyntheticCase, demo_case, small_case

if TYPE_CHECKING:
    from pathlib import Path

FILE = "expected.json"
# Processors and library versions round differently, and now and then that moves a click to the next voxel.
TOLERANCE = 0.01
# Of phantoms that no training and no other evaluation draws.
CASES: dict[str, Callable[[], SyntheticCase]] = {
    "head, 700 mm³": partial(demo_case, 3001, 700.0),
    "head, 2500 mm³": partial(demo_case, 3002, 2500.0),
    "right side, 300 mm³": partial(small_case, 3003, 300.0, "right"),
    "left side, 1400 mm³": partial(small_case, 3004, 1400.0, "left"),
}


@dataclass(frozen=True)
class Scored:
    """What a corrector reached on one of `CASES`.

    Parameters
    ----------
    corrector : str
        Its name in the manifest.
    case : str
        The case's name.
    dice : tuple of float
        DSC of the initial mask and after each of three rounds of five clicks.
    """

    corrector: str
    case: str
    dice: tuple[float, ...]


def score_models(models: ModelFolder, device: str) -> Iterator[Scored]:
    """Yield what every corrector of a folder reaches on every case, from the same initial masks.

    Raises
    ------
    ModelError
        If a model or the device cannot be used.
    """
    segmenter = InitialSegmenter.load(models, device)
    names = [entry.name for entry in models.entries.values() if entry.role == "corrector"]
    correctors = [Corrector.load(models, name, device) for name in names]
    for case, make in CASES.items():
        made = make()
        start = segmenter.segment(made.case).on(made.grid)
        for corrector in correctors:
            played = play_rounds(made.case, made.truth, start, corrector, Play(), segmenter.propose)
            yield Scored(corrector.entry.name, case, tuple(one.scores.dice for one in played))


def write_expected(models: ModelFolder, scores: list[Scored]) -> Path:
    """Write down beside the manifest what its models reach; returns the file.

    Raises
    ------
    ImageError
        If the file cannot be written.
    """
    path = models.folder / FILE
    found: dict[str, dict[str, list[float]]] = {}
    for one in scores:
        found.setdefault(one.corrector, {})[one.case] = [round(value, 4) for value in one.dice]
    write_json(path, {"tolerance": TOLERANCE, "sha256": _hashes(models), "dice": found})
    return path


class Expected:
    """The scores that stand beside a manifest.

    Parameters
    ----------
    models : ModelFolder
        The manifest's.

    Raises
    ------
    ModelError
        If there are none, they cannot be understood, or they are those of other weights.
    """

    def __init__(self, models: ModelFolder) -> None:
        path = models.folder / FILE
        try:
            content = json.loads(path.read_text("utf-8"))
            self.tolerance = float(content["tolerance"])
            self._dice = {
                (corrector, case): tuple(map(float, values))
                for corrector, cases in content["dice"].items()
                for case, values in cases.items()
            }
            hashes = dict(content["sha256"])
        except FileNotFoundError:
            raise ModelError(
                f"{models.folder} holds no {FILE}; write it with 'vsclick models verify --record'."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} cannot be understood ({error}); install the models again.") from None
        self._check_hashes(path, hashes, _hashes(models))

    def of(self, scored: Scored) -> tuple[float, ...] | None:
        """Return the expected DSC values, or None if the file has none for this case."""
        return self._dice.get((scored.corrector, scored.case))

    def meets(self, scored: Scored) -> bool:
        """Whether every DSC is within the tolerance of what is expected."""
        expected = self.of(scored)
        return (
            expected is not None
            and len(expected) == len(scored.dice)
            and all(abs(a - b) <= self.tolerance for a, b in zip(expected, scored.dice, strict=True))
        )

    @staticmethod
    def _check_hashes(path: Path, expected: dict[str, str], found: dict[str, str]) -> None:
        other = [n for n in {**expected, **found} if expected.get(n) != found.get(n)]
        if other:
            raise ModelError(
                f"{path} was written for other weights of {other[0]}; install the models again, or write it "
                "anew with 'vsclick models verify --record'."
            )


def _hashes(models: ModelFolder) -> dict[str, str]:
    return {entry.name: entry.sha256 for entry in models.entries.values()}
