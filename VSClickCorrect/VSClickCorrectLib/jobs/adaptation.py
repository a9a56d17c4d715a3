"""A corrector adapts to a scanner and a reader: it learns from cases that were accepted, on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.errors import CorrectionError, ImageError, ModelError, on_one_line
from VSClickCorrectLib.inference.adapted_models import keep_adapted, make_adapted_folder
from VSClickCorrectLib.inference.examples import BuiltIn, Examples, example_at, read_builtin
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import ModelEntry
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.io.outputs import writing_into
from VSClickCorrectLib.jobs.preparation import images_of
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import start_of
from VSClickCorrectLib.session.teaching import accepted_mask, drawn_clicks, given_clicks

# Fewer cases say nothing of a scanner; more than so many, the last, take long to read.
FEWEST, MOST = 5, 40
# Of the last cases this share, two at least, is scored and not learned from.
_OWN_SHARE, _FEWEST_OWN = 0.2, 2
# What is kept must gain so much mean DSC on the last cases, and lose no more on the built-in examples.
LEAST_GAIN, TOLERANCE = 0.002, 0.005
# Where the whole way loses more, half of it is tried.
_SHARES = (1.0, 0.5)
_READ, _LEARNED = 0.3, 0.95
Progress = Callable[[float, str], object]


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
    """What a corrector is to learn from.

    Parameters
    ----------
    cases : tuple of AcceptedCase
        In the order in which they were accepted.
    models : str
        A folder of models; empty for those that ship with the product.
    corrector : str
        Which of its correctors; empty for the first. Of an adapted one, the one that it began with.
    """

    cases: tuple[AcceptedCase, ...]
    models: str = ""
    corrector: str = ""

    @classmethod
    def of(cls, told: dict[str, Any]) -> Adaptation:
        """Return what `to_json` was called on; other entries are left out."""
        cases = tuple(AcceptedCase(**case) for case in told["cases"])
        return cls(cases, told["models"], told["corrector"])

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True)
class Adapted:
    """What came of an adaptation.

    Parameters
    ----------
    name : str
        The version that was kept; empty if none was.
    parent : str
        The released corrector with which it began.
    cases : int
        How many cases were used, those that were only scored included.
    scored : int
        How many of them were only scored.
    own, builtin : tuple of 2 float
        Mean DSC in patches before and after, of the reader's own last cases and of the built-in set.
    left_out : tuple of str
        Why cases could not be used, a sentence each.
    """

    name: str
    parent: str
    cases: int
    scored: int
    own: tuple[float, float]
    builtin: tuple[float, float]
    left_out: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What to tell the reader, with the numbers that decided."""
        numbers = (
            f"mean DSC on your last {self.scored} cases {_change(self.own)}, on the built-in ones "
            f"{_change(self.builtin)}"
        )
        if self.name:
            return f"Learned from your cases: {self.name} is kept, {numbers}."
        learned = f"Nothing that {self.parent} learned from {self.cases} cases is kept"
        return f"{learned}, as it does not help: {numbers}."


def adapt(task: Adaptation, progress: Progress = lambda fraction, message: None) -> Adapted:
    """Let a copy of a corrector learn from accepted cases; keep it only if that helps and harms nothing.

    It always begins with the released weights, so that steps do not add up over months. A case counts only if
    its label is still there and is the mask that its journal gives. Nothing is sent anywhere.

    Parameters
    ----------
    task : Adaptation
        Which cases.
    progress : callable, optional
        Told the fraction done and what is going on.

    Raises
    ------
    ModelError
        If the models cannot be used, or too few cases are left.
    StorageError
        If it cannot be written, or another process adapts at the moment.
    """
    models = ModelFolder(Path(task.models) if task.models else None)
    parent = _released(models, task.corrector)
    geometry = PatchGeometry(**parent.geometry)
    built_in = read_builtin(geometry)
    with writing_into(make_adapted_folder()):
        taught, left_out = _taught(task.cases[-MOST:], geometry, progress)
        if len(taught) < FEWEST:
            raise ModelError(_too_few(len(taught), left_out))
        return _adapted(models, parent, taught, left_out, built_in, progress)


def _adapted(
    models: ModelFolder,
    parent: ModelEntry,
    taught: list[Examples],
    left_out: tuple[str, ...],
    built_in: BuiltIn,
    progress: Progress,
) -> Adapted:
    from VSClickCorrectLib.inference.learning import half, learned, part_way, score

    scored = max(_FEWEST_OWN, round(_OWN_SHARE * len(taught)))
    new, own = Examples.joined(taught[:-scored]), Examples.joined(taught[-scored:])
    released = models.load_as_trained(parent).eval()
    # What is in use now may be a version of its own: a new one must be better than that, too.
    rivals = [released, *(models.load_as_trained(e).eval() for e in _versions(models, parent)[-1:])]
    student = learned(
        released,
        parent,
        new,
        built_in.replay,
        lambda done: progress(_READ + (_LEARNED - _READ) * done, "learning"),
    )
    progress(_LEARNED, "comparing")
    own_before = max(score(rival, parent, own) for rival in rivals)
    builtin_before = score(released, parent, built_in.held_out)
    for share in _SHARES:
        found = part_way(released, student, share)
        builtin = builtin_before, score(found, parent, built_in.held_out)
        if _loses_little(builtin):
            break
    gain = own_before, score(found, parent, own)
    name = ""
    if _loses_little(builtin) and gain[1] - gain[0] >= LEAST_GAIN:
        told = {"cases": len(taught), "own": _rounded(gain), "builtin": _rounded(builtin)}
        name = keep_adapted(parent, half(found.state_dict()), told).name
    return Adapted(name, parent.name, len(taught), scored, gain, builtin, left_out)


def _loses_little(builtin: tuple[float, float]) -> bool:
    return builtin[0] - builtin[1] <= TOLERANCE


def _released(models: ModelFolder, name: str) -> ModelEntry:
    entry = models.entry("corrector", name or None)
    if not entry.adapted:
        return entry
    return next(own for own in models.entries.values() if own.sha256 == entry.adapted["parent"])


def _versions(models: ModelFolder, parent: ModelEntry) -> list[ModelEntry]:
    return [entry for entry in models.adapted.values() if entry.adapted["parent"] == parent.sha256]


def _taught(
    cases: Iterable[AcceptedCase], geometry: PatchGeometry, progress: Progress
) -> tuple[list[Examples], tuple[str, ...]]:
    """Return the examples of each case that may be used, and why others may not."""
    taught, left_out, cases = [], [], list(cases)
    for number, case in enumerate(cases):
        progress(_READ * number / len(cases), "reading the accepted cases")
        try:
            taught.append(examples_of(case, geometry))
        except (CorrectionError, ImageError) as error:
            left_out.append(f"{on_one_line(case.case)}: {error}")
    return taught, tuple(left_out)


def examples_of(accepted: AcceptedCase, geometry: PatchGeometry) -> Examples:
    """Return what one accepted case teaches: the reader's own clicks, and some that are drawn.

    Raises
    ------
    CorrectionError, ImageError
        If its images, label or journal cannot be read, or do not belong together.
    """
    images = images_of(accepted.files, accepted.series, accepted.different_patients)
    label = read_mask(Path(accepted.label), images.grid)
    events = Journal(Path(accepted.journal)).events
    right = accepted_mask(events, images, label)
    if not label.any():
        raise CorrectionError("its label is empty.")
    start = start_of(events, images.grid)
    # One case, one series of numbers.
    rng = np.random.default_rng(list(images.reference.fingerprint.encode("ascii")[:8]))
    drawn = drawn_clicks(images.grid, label, np.zeros_like(label) if start is None else start, rng)
    pairs = [
        example_at(images, mask, right, click, geometry)
        for clicks in (given_clicks(events, images.grid), drawn)
        for click, mask in clicks
    ]
    return Examples.of(pairs, geometry)


def _too_few(count: int, left_out: tuple[str, ...]) -> str:
    why = f" ({'; '.join(sentence.rstrip('.') for sentence in left_out)})" if left_out else ""
    return f"{count} accepted cases can be learned from{why}; accept at least {FEWEST} with a tumour first."


def _change(scores: tuple[float, float]) -> str:
    return f"{scores[0]:.4f} before and {scores[1]:.4f} after"


def _rounded(scores: Iterable[float]) -> list[float]:
    return [round(value, 4) for value in scores]
