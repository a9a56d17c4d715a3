"""Networks adapt to a scanner and a reader: they learn from cases that were accepted, on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from VSClickCorrectLib.errors import CorrectionError, ImageError, ModelError, on_one_line
from VSClickCorrectLib.inference.adapted_models import keep_adapted, make_adapted_folder
from VSClickCorrectLib.inference.examples import Examples
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import ModelEntry
from VSClickCorrectLib.io.outputs import writing_into
from VSClickCorrectLib.jobs.accepted_case import AcceptedWork, read_accepted
from VSClickCorrectLib.jobs.learning_task import AcceptedCase, Adaptation, Adapted, Learned
from VSClickCorrectLib.jobs.lessons import Lesson, lessons_of

# Fewer cases say nothing of a scanner.
FEWEST = 5
# Of the last cases this share, two at least, is scored and not learned from.
_OWN_SHARE, _FEWEST_OWN = 0.2, 2
# What is kept must gain so much mean DSC on the last cases, and lose no more on the built-in examples.
LEAST_GAIN, TOLERANCE = 0.002, 0.005
# Where the whole way loses more, half of it is tried.
_SHARES = (1.0, 0.5)
# How far it is once the cases are read; how far each network then is once it has learned.
_READ, _STUDIED = 0.3, 0.9
Progress = Callable[[float, str], object]


def adapt(task: Adaptation, progress: Progress = lambda fraction, message: None) -> Adapted:
    """Let copies of networks learn from accepted cases; keep of each what helps and harms nothing.

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
    models = ModelFolder(Path(task.models) if task.models else None, task.corrector)
    lessons, remarks = lessons_of(models)
    with writing_into(make_adapted_folder()):
        taught, left_out = _taught(task.cases, lessons, progress)
        # What is used of each role; what is kept of one goes with what is used of the other.
        used = {role: models.entry(role) for role in ("click", "corrector") if models.has(role)}
        networks = []
        for number, one in enumerate(taught):
            step = partial(_told, progress, number, len(taught))
            networks.append(_learned(models, one, used, step))
    return Adapted(tuple(networks), (*remarks, *left_out))


@dataclass(frozen=True, eq=False)
class _Taught:
    """A lesson, and what cases gave for it, the last case first; so many score, the others teach."""

    lesson: Lesson
    scored: int
    own: list[Examples] = field(default_factory=list)
    new: list[Examples] = field(default_factory=list)
    scoring: list[AcceptedCase] = field(default_factory=list)

    def asked(self, work: AcceptedWork) -> list[Examples]:
        """Return what the next case gives, nothing if there are enough."""
        if len(self.own) < self.scored:
            return [self.lesson.scored_by(work)]
        enough = len(self.own) + len(self.new) == self.lesson.most
        return [] if enough else [self.lesson.taught_by(work)]

    def take(self, case: AcceptedCase, examples: list[Examples]) -> None:
        """Take what the case was asked for."""
        if len(self.own) < self.scored:
            self.own.extend(examples)
            self.scoring.append(case)
        else:
            self.new.extend(examples)

    def divide(self) -> None:
        """Let cases teach that were to score, where so many were left out that too few teach."""
        scored = _scored(len(self.own) + len(self.new))
        for case in self.scoring[scored:]:
            self.new.append(self.lesson.taught_by(read_accepted(case)))
        del self.own[scored:], self.scoring[scored:]


def _taught(
    cases: Sequence[AcceptedCase], lessons: Sequence[Lesson], progress: Progress
) -> tuple[list[_Taught], tuple[str, ...]]:
    """Return what the last cases teach, and why some may not; raises `ModelError` if too few are left."""
    last = cases[-max(lesson.most for lesson in lessons) :]
    left_out: list[str] = []
    taught = [_Taught(lesson, _scored(min(len(last), lesson.most))) for lesson in lessons]
    for number, case in enumerate(reversed(last)):
        progress(_READ * number / len(last), "reading the accepted cases")
        try:
            work = read_accepted(case)
            # Where too few are left already, the others are read to tell which of them are of no use, too.
            enough = len(last) - len(left_out) >= FEWEST
            given = [one.asked(work) if enough else [] for one in taught]
        except (CorrectionError, ImageError) as error:
            left_out.append(f"{on_one_line(case.case)}: {error}")
            continue
        for one, examples in zip(taught, given, strict=True):
            one.take(case, examples)
    if len(last) - len(left_out) < FEWEST:
        raise ModelError(_too_few(len(last) - len(left_out), left_out))
    for one in taught:
        one.divide()
    return taught, tuple(left_out)


def _scored(count: int) -> int:
    """Return how many of so many cases are scored."""
    return max(_FEWEST_OWN, round(_OWN_SHARE * count))


def _learned(
    models: ModelFolder, taught: _Taught, used: dict[str, ModelEntry], progress: Progress
) -> Learned:
    """Let one network learn and keep it if that helps; ``used`` then names the version in its place."""
    from VSClickCorrectLib.inference.learning import half, learned, part_way, score

    lesson, parent = taught.lesson, taught.lesson.entry
    new, own, builtin = Examples.joined(taught.new), taught.own, lesson.built_in
    released = models.load_as_trained(parent).eval()
    # What is in use now may be a version of its own: a new one must be better than that, too.
    rivals = [released, *(models.load_as_trained(e).eval() for e in _versions(models, parent)[-1:])]
    what = f"learning: {lesson.what}"
    student = learned(released, parent, new, builtin.replay, lambda done: progress(_STUDIED * done, what))
    progress(_STUDIED, "comparing")
    before = max(score(rival, parent, *own) for rival in rivals), score(released, parent, builtin.held_out)
    for share in _SHARES:
        found = part_way(released, student, share)
        forgets = before[1], score(found, parent, builtin.held_out)
        if _loses_little(forgets):
            break
    gain = before[0], score(found, parent, *own)
    name, cases = "", len(taught.new) + len(taught.own)
    if _loses_little(forgets) and gain[1] - gain[0] >= LEAST_GAIN:
        told = {"cases": cases, "own": _rounded(gain), "builtin": _rounded(forgets)}
        beside = [("beside", other.sha256) for role, other in used.items() if role != parent.role]
        used[parent.role] = keep_adapted(parent, half(found.state_dict()), told | dict(beside))
        name = used[parent.role].name
    return Learned(lesson.what, name, cases, len(taught.own), gain, forgets)


def _told(progress: Progress, number: int, count: int, fraction: float, message: str) -> None:
    """Tell how far all is, of how far one of several networks is."""
    progress(_READ + (1 - _READ) * (number + fraction) / count, message)


def _loses_little(builtin: tuple[float, float]) -> bool:
    return builtin[0] - builtin[1] <= TOLERANCE


def _versions(models: ModelFolder, parent: ModelEntry) -> list[ModelEntry]:
    return [entry for entry in models.adapted.values() if entry.adapted["parent"] == parent.sha256]


def _too_few(count: int, left_out: Sequence[str]) -> str:
    why = f" ({'; '.join(sentence.rstrip('.') for sentence in left_out)})" if left_out else ""
    return f"{count} accepted cases can be learned from{why}; accept at least {FEWEST} with a tumour first."


def _rounded(scores: Iterable[float]) -> list[float]:
    return [round(value, 4) for value in scores]
