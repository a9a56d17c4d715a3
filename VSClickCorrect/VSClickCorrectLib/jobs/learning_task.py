"""What networks are to learn from, and what came of it: what passes between a window and its child."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class AcceptedCase:
    """A case that a reader has accepted, in plain words that any process understands.

    Parameters
    ----------
    case : str
        Its name.
    files, series, different_patients
        As for `Preparation`.
    label, journal : str
        The files of its label and its journal.
    """

    case: str
    files: dict[str, str]
    series: dict[str, str]
    label: str
    journal: str
    different_patients: bool = False


@dataclass(frozen=True)
class Adaptation:
    """What is to be learned from.

    Parameters
    ----------
    cases : tuple of AcceptedCase
        In the order in which they were accepted.
    models : str
        A folder of models; empty for those that ship with the product.
    corrector : str
        What is used of it, a corrector or what has learned, as ``version`` of `ModelFolder`; empty for the
        first. Of what has learned, those learn anew with which it began.
    """

    cases: tuple[AcceptedCase, ...]
    models: str = ""
    corrector: str = ""

    @classmethod
    def of(cls, told: dict[str, Any]) -> Adaptation:
        """Return that of which JSON holds what `asdict` made."""
        cases = tuple(AcceptedCase(**case) for case in told["cases"])
        return cls(cases, told["models"], told["corrector"])


@dataclass(frozen=True)
class Learned:
    """What came of the learning of one network.

    Parameters
    ----------
    what : str
        What the network gives, as `jobs.lessons.Lesson` has it.
    name : str
        The version that was kept; empty if none was.
    cases : int
        How many cases were used, those that were only scored included.
    scored : int
        How many of them were only scored.
    own, builtin : tuple of 2 float
        Mean DSC before and after, in examples of the reader's own last cases and of the built-in set.
    """

    what: str
    name: str
    cases: int
    scored: int
    own: tuple[float, float]
    builtin: tuple[float, float]

    @property
    def numbers(self) -> str:
        """What decided."""
        return (
            f"{self.what}: mean DSC on your last {self.scored} cases {_change(self.own)}, "
            f"on the built-in ones {_change(self.builtin)}"
        )


@dataclass(frozen=True)
class Adapted:
    """What came of an adaptation.

    Parameters
    ----------
    networks : tuple of Learned
        Of each network that learned.
    left_out : tuple of str
        Why cases could not be used, or networks not learn, a sentence each.
    """

    networks: tuple[Learned, ...]
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: dict[str, Any]) -> Adapted:
        """Return that of which JSON holds what `asdict` made."""
        pairs = ("own", "builtin")
        networks = (Learned(**one | {name: tuple(one[name]) for name in pairs}) for one in told["networks"])
        return cls(tuple(networks), tuple(told["left_out"]))

    @property
    def name(self) -> str:
        """The version by which all that was kept is used; empty if nothing was."""
        return next((one.name for one in reversed(self.networks) if one.name), "")

    @property
    def sentence(self) -> str:
        """What to tell the reader, with the numbers that decided."""
        kept = " and ".join(one.what for one in self.networks if one.name)
        cases = max(one.cases for one in self.networks)
        numbers = "; ".join(one.numbers for one in self.networks)
        if kept:
            return f"Learned from {cases} cases: {kept}, kept as {self.name} ({numbers})."
        return f"Nothing that was learned from {cases} cases is kept, as it does not help ({numbers})."


def _change(scores: tuple[float, float]) -> str:
    return f"{scores[0]:.4f} before and {scores[1]:.4f} after"
