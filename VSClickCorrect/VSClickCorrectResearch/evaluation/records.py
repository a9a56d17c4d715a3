"""What was measured of each case, and the folder that keeps it while an evaluation runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import isinf
from pathlib import Path
from typing import Any
from urllib.parse import quote

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.files import make_folder
from VSClickCorrectLib.io.json_files import parse_json, write_json

from VSClickCorrectResearch.evaluation.metrics import Scores

SETTINGS = "settings.json"
CASES = "cases"


@dataclass(frozen=True)
class EvaluationSettings:
    """All that an evaluation's numbers depend on.

    Parameters
    ----------
    cases : str
        The list of cases or the cohort.
    start : {"initial", "first-click", "spoiled", "mask"}
        The masks to begin with: the initial networks', what one include click makes of an empty mask, the
        truth spoiled on purpose, or the case's own.
    sequences : {"both", "t1ce", "t2"}
        Which are shown.
    rounds, clicks : int
        Rounds and clicks a round at most.
    one_by_one : bool
        Whether clicks are applied one by one, not a round at once.
    merge : str
        The corrector's.
    baselines : bool
        Whether they play too.
    seed : int
        Of spoiled masks, of the hand and of the bootstrap.
    models : tuple of str
        Name and hash of every model that takes part.
    version : str
        Of the product.
    jitter_mm, off_target : float
        Of the hand that clicks, see `simulation.hand.Hand`.
    user : str
        Who clicks, see `rounds.Play`.
    manifest : str
        Of what the manifest says of the models, see `plan.PreparedPlan`.
    """

    cases: str
    start: str
    sequences: str
    rounds: int
    clicks: int
    one_by_one: bool
    merge: str
    baselines: bool
    seed: int
    models: tuple[str, ...]
    version: str
    jitter_mm: float = 0.0
    off_target: float = 0.0
    user: str = "knowing"
    manifest: str = ""


@dataclass(frozen=True)
class RoundRecord:
    """The numbers of a `rounds.Round`; ``refused`` of its clicks were."""

    clicks: int
    scores: Scores
    dice: tuple[float, ...] = ()
    milliseconds: tuple[float, ...] = ()
    refused: int = 0

    @property
    def applied(self) -> int:
        """How many of the clicks could do good or harm."""
        return self.clicks - self.refused


@dataclass(frozen=True)
class PlayedCase:
    """The numbers of one case.

    Parameters
    ----------
    name : str
        The case's.
    volume_mm3 : float
        Of the true tumour; 0 where there is none, and then nothing was played.
    rounds : dict of str to tuple of RoundRecord
        By method; round 0 is the start.
    kind : str
        Of its head; empty if nobody said.
    confidence : float or None
        The initial networks' own, 0 to 1, where they made the start.
    first : dict of str to RoundRecord
        What one include click made of an empty mask, by where it was meant to be placed.
    inputs : str
        The `fingerprint` of the files that were read.
    """

    name: str
    volume_mm3: float
    rounds: dict[str, tuple[RoundRecord, ...]]
    kind: str = ""
    confidence: float | None = None
    first: dict[str, RoundRecord] = field(default_factory=dict)
    inputs: str = ""

    def to_json(self) -> dict:
        """Return plain values; an infinite one, which JSON does not know, is the text ``inf``."""
        return plain(asdict(self))

    @classmethod
    def from_json(cls, values: dict) -> PlayedCase:
        """Read what `to_json` returned."""
        rounds = {name: tuple(map(_round_of, every)) for name, every in values["rounds"].items()}
        first = {place: _round_of(one) for place, one in values["first"].items()}
        return cls(**values | {"rounds": rounds, "first": first})


class RecordFolder:
    """The finished cases of one evaluation.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    settings : EvaluationSettings
        Of the evaluation.

    Raises
    ------
    StorageError
        If the folder cannot be made or holds an evaluation with other settings.
    """

    def __init__(self, folder: Path, settings: EvaluationSettings) -> None:
        self._cases = folder / CASES
        make_folder(folder)
        _claim(folder, plain(asdict(settings)))
        make_folder(self._cases)

    def read(self, name: str, inputs: str) -> PlayedCase | None:
        """Return the record of a case, or None if it has not been played, or not from these inputs."""
        path = self._path(name)
        if not path.exists():
            return None
        try:
            record = PlayedCase.from_json(parse_json(path.read_bytes()))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        return record if (record.name, record.inputs) == (name, inputs) else None

    def write(self, record: PlayedCase) -> None:
        """Keep the record of a case."""
        write_json(self._path(record.name), record.to_json())

    def _path(self, name: str) -> Path:
        return self._cases / f"{quote(name, safe=' ')}.json"


def plain(value: Any) -> Any:
    """Return nested values as JSON knows them: lists for tuples, ``"inf"`` for an infinite number."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, float) and isinf(value) else value


def _round_of(values: dict) -> RoundRecord:
    scores = Scores(**{name: float(value) for name, value in values["scores"].items()})
    lists = {name: tuple(values[name]) for name in ("dice", "milliseconds")}
    return RoundRecord(**values | lists | {"scores": scores})


def _claim(folder: Path, settings: dict) -> None:
    """Write down whose folder this is, or refuse if it is another evaluation's."""
    path = folder / SETTINGS
    if not path.exists():
        write_json(path, settings)
        return
    try:
        found = dict(parse_json(path.read_bytes()))
    except (ValueError, TypeError):
        raise ImageError(f"{path} is damaged, or not of an evaluation; choose another folder.") from None
    differing = [name for name in settings if found.get(name) != settings[name]]
    if differing:
        name = differing[0]
        raise ImageError(
            f"{folder} holds another evaluation ({name}: {found.get(name)}, not {settings[name]}); "
            "choose another folder."
        )
