"""An evaluation in plain words, from which every process that plays its cases makes the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder

from VSClickCorrectResearch.datasets.cases import LazyCase
from VSClickCorrectResearch.evaluation.baselines import BASELINES
from VSClickCorrectResearch.evaluation.experiment import (
    EvaluationRun,
    StartOf,
    click_anywhere_inside,
    click_in_the_middle,
    given_mask,
    initial_mask,
    perturbed_truth,
)
from VSClickCorrectResearch.evaluation.records import EvaluationSettings, PlayedCase, RecordFolder
from VSClickCorrectResearch.evaluation.rounds import LED, Method, Play


@dataclass(frozen=True)
class EvaluationPlan:
    """What is evaluated, and how.

    Parameters
    ----------
    models : Path or None
        A folder of models; None for those that ship with the product.
    corrector : str or None
        Its name in the manifest; None for the first.
    device : str
        As for `InitialSegmenter.load`.
    start, sequences, merge, baselines, seed
        As in `EvaluationSettings`.
    play : Play
        How the simulated user works.
    hold_clicks : bool
        As for `InitialSegmenter.load`.
    """

    models: Path | None
    corrector: str | None
    device: str
    start: str
    sequences: str
    merge: str
    baselines: bool
    seed: int
    play: Play
    hold_clicks: bool = False

    def prepared(self) -> PreparedPlan:
        """Load the networks, once in a process as long as the folder holds the same.

        Raises
        ------
        ModelError
            If a model or the device cannot be used.
        """
        return _prepared(self, ModelFolder(self.models).digest)


@dataclass(frozen=True)
class PreparedPlan:
    """A plan with its networks loaded.

    Parameters
    ----------
    run : EvaluationRun
        What is done with each case.
    models : tuple of str
        Name and hash of every model that takes part.
    manifest : str
        Another one where the manifest says anything else of one of them: a threshold, how sure it is.
    """

    run: EvaluationRun
    models: tuple[str, ...]
    manifest: str


def recorded(plan: EvaluationPlan, output: Path, settings: EvaluationSettings, case: LazyCase) -> PlayedCase:
    """Play a case, unless that is done, and keep its record; raises as `EvaluationRun.record`.

    Parameters
    ----------
    plan : EvaluationPlan
        What is done with the case.
    output : Path
        The evaluation's folder.
    settings : EvaluationSettings
        The evaluation's.
    case : LazyCase
        The case.
    """
    return plan.prepared().run.record(case, RecordFolder(output, settings))


@lru_cache(maxsize=1)
def _prepared(plan: EvaluationPlan, _digest: str) -> PreparedPlan:
    models = ModelFolder(plan.models, plan.corrector or "")
    segmenter = InitialSegmenter.load(models, plan.device, plan.hold_clicks) if _finds(plan, models) else None
    corrector = (segmenter and segmenter.corrector) or Corrector.load(models, None, plan.device)
    methods = _methods(plan, corrector, segmenter)
    also = click_anywhere_inside(plan.seed) if plan.start == "first-click" else None
    run = EvaluationRun(methods, _start_of(plan, segmenter), plan.sequences, plan.play, also)
    finds = [model.entry for model in segmenter.models] if segmenter else []
    told = [corrector.identity, *(entry.identity for entry in finds)]
    held = ["clicks held"] if plan.hold_clicks else []
    said = json.dumps([asdict(entry) for entry in (corrector.entry, *finds)], sort_keys=True)
    return PreparedPlan(run, (*told, *held), hashlib.sha256(said.encode()).hexdigest()[:12])


def _finds(plan: EvaluationPlan, models: ModelFolder) -> bool:
    """Whether the initial networks take part: where there are any, since in use they answer deep clicks."""
    wanted = plan.start in ("initial", "first-click") or plan.play.user == LED
    return wanted or (models.has("locator") and (models.has("click") or models.has("initial")))


def _methods(
    plan: EvaluationPlan, corrector: Corrector, segmenter: InitialSegmenter | None
) -> Sequence[Method]:
    """Return the corrector and the baselines."""
    # The baselines begin with the same first click: an empty mask is the network's alone.
    initial_proposer = segmenter.propose if segmenter else None
    doubter = segmenter.doubts if segmenter else None
    methods = [Method(corrector.entry.name, corrector, plan.merge, initial_proposer, doubter)]
    if plan.baselines:
        methods += [Method(one.identity, one, one.merge, initial_proposer, doubter) for one in BASELINES]
    return methods


def _start_of(plan: EvaluationPlan, segmenter: InitialSegmenter | None) -> StartOf:
    starts: dict[str, StartOf] = {
        "first-click": click_in_the_middle,
        "spoiled": perturbed_truth(plan.seed),
        "mask": given_mask,
    }
    if segmenter:
        starts["initial"] = initial_mask(segmenter)
    return starts[plan.start]
