"""Running an experiment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from VSClickCorrectLib.errors import ImageError, ModelError
from VSClickCorrectLib.geometry.triples import index3
from VSClickCorrectLib.geometry.volume import ROBUST
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.device import prepare
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import MASK, ModelEntry
from VSClickCorrectLib.io.files import check_file, write_text
from VSClickCorrectLib.io.outputs import check_apart, check_ours, writing_into
from VSClickCorrectLib.networks.registry import build, dimensions

from VSClickCorrectResearch.datasets.cases import inputs_of, list_cases
from VSClickCorrectResearch.datasets.class_cases import LazyClassCase, list_class_cases
from VSClickCorrectResearch.datasets.fingerprints import sha256_of
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.simulation.user import random_click
from VSClickCorrectResearch.training.checkpoint import EXPERIMENT
from VSClickCorrectResearch.training.class_task import ClassTask, class_example
from VSClickCorrectResearch.training.click_task import HELD_BACK, ClickTask
from VSClickCorrectResearch.training.cut_making import Starts, perturbed_start
from VSClickCorrectResearch.training.examples import Example, crop_source, slab_source
from VSClickCorrectResearch.training.experiments import EACH_CUT, Experiment
from VSClickCorrectResearch.training.held_back import HeldBack, HeldBackCuts, HeldBackVolumes
from VSClickCorrectResearch.training.loop import BEST, CHECKPOINT, fit
from VSClickCorrectResearch.training.objective import loss_of
from VSClickCorrectResearch.training.parallel import is_first
from VSClickCorrectResearch.training.rehearsal import rehearse
from VSClickCorrectResearch.training.reporter import CURVES, LOG, is_log
from VSClickCorrectResearch.training.schedule import Schedule
from VSClickCorrectResearch.training.stream import CohortStream
from VSClickCorrectResearch.training.tasks import CropTask, CutTask, Task
from VSClickCorrectResearch.training.told_cases import shared, told

RESULT = "result.json"
_Any = TypeVar("_Any")


def train(
    experiment: Experiment,
    cohorts: tuple[Path, Path],
    output: Path,
    schedule: Schedule,
    seed: int,
    weights: Path | None = None,
    models: ModelFolder | None = None,
) -> dict[str, float]:
    """Train one network, or go on where an interruption ended, and keep its best weights in ``output``.

    Parameters
    ----------
    experiment : Experiment
        What to train.
    cohorts : (Path, Path)
        The training and the validation cases: folders of cohorts or CSV lists.
    output : Path
        Where weights, checkpoint, log, curves and ``result.json`` go.
    schedule : Schedule
        How long and how fast.
    seed : int
        Of initial weights, examples and batches.
    weights : Path, optional
        Weights to begin with; they also play the rounds of an experiment of several.
    models : ModelFolder, optional
        Whose initial model makes the masks to correct, where the experiment wants its mistakes.

    Returns
    -------
    dict
        The best validation score and what the thesis's tables hold, as written to ``result.json``.

    Raises
    ------
    ModelError
        If network, geometry and loss do not fit each other, the weights do not fit, or rounds are to be
        played and there are none, or workers are to make batches of clicks.
    ImageError
        If cases cannot be read, or ``output`` is, holds or lies in what is read, or holds others' files.
    StorageError
        If another process trains in ``output``.
    """
    torch.manual_seed(seed)
    if experiment.role == "click" and schedule.workers:
        raise ModelError(
            f"workers cannot make the batches of '{experiment.name}': its network's own masks are in them, "
            "and a worker's network does not learn; train without workers."
        )
    network = network_of(experiment, weights)
    if experiment.examples.rounds > 1 and weights is None:
        raise ModelError(f"'{experiment.name}' learns from later rounds; name --weights that play the first.")
    loss = loss_of(experiment)
    rehearse(experiment, network, loss)
    read = [file for path in cohorts for file in _inputs(experiment, path)]
    check_output(output, [*read, *([weights] if weights else [])])
    task = _task(experiment, cohorts, seed, weights, models, network)
    made = made_of(experiment, cohorts, seed, weights, models)
    schedule = replace(schedule, taught={**_taught(experiment), **made})
    # Two trainings at once would each go on from the other's checkpoint, and keep the other's weights.
    with writing_into(output) if is_first() else nullcontext():
        best = fit(network, task.batch_at, loss, task.score, schedule, output, seed=seed)
        result = {"score": best, **task.measure(network.eval())}
        said = {
            "experiment": asdict(experiment),
            "seed": seed,
            "made_of": {**made, "precision": schedule.precision},
            "result": result,
        }
        write_text(output / RESULT, json.dumps(said, indent=2) + "\n")
    return result


def _taught(experiment: Experiment) -> dict[str, Any]:
    """Return what decides, beside schedule and seed, what a network learns, by the names of `EXPERIMENT`."""
    told = {**asdict(experiment), "parameters": experiment.parameters, "batch": experiment.course.batch}
    return {name: told[name] for name in EXPERIMENT}


def made_of(
    experiment: Experiment,
    cohorts: tuple[Path, Path],
    seed: int,
    weights: Path | None,
    models: ModelFolder | None,
) -> dict[str, Any]:
    """Return what tells of which cases, first weights and initial model a training is made.

    Parameters are those of `train`. It is another where any of these is, wherever they lie, and names those
    that are known when a training begins: cohorts that are still being written are not among them.
    """
    first = sha256_of([weights])[:16] if weights else ""
    return {
        **_told_cases(experiment, cohorts, seed),
        "weights": first,
        "models": mask_makers(experiment, models),
    }


def mask_makers(experiment: Experiment, models: ModelFolder | None) -> list[str]:
    """Return the networks that make the masks to correct, none where masks are spoiled on purpose."""
    if experiment.role != "corrector" or experiment.examples.start in ("spoiled", EACH_CUT):
        return []
    return [entry.identity for entry in (models or ModelFolder(None)).initial_entries]


def _told_cases(experiment: Experiment, cohorts: tuple[Path, Path], seed: int) -> dict[str, str]:
    """Return what tells with which cases a training must go on; says if it learns from those that choose."""
    learnt, judged = (_listed(experiment, path) for path in cohorts)
    growing = experiment.role == "click"
    if growing:
        # Its cohorts may be written while it learns; of the second the first cases choose.
        judged = judged[:HELD_BACK]
    else:
        learnt = chosen_cases(learnt, experiment.examples.cases, seed)
    if both := shared(learnt, judged):
        print(f"{both} of {len(judged)} validation cases are also learned from: scores say too much.")
    return {"validation": told(judged), **({} if growing else {"training": told(learnt)})}


def _listed(experiment: Experiment, path: Path) -> Sequence[Any]:
    return _class_cases(experiment, path) if experiment.classes else list_cases(path)


def check_output(output: Path, inputs: Sequence[Path]) -> None:
    """Refuse a folder in which something would be written over that no training wrote, by an `ImageError`."""
    check_apart(output, inputs)
    check_ours(output, (BEST, CURVES, LOG, RESULT), (output / CHECKPOINT).exists() or is_log(output / LOG))


def _inputs(experiment: Experiment, path: Path) -> list[Path]:
    """Return all that is read of a cohort, a folder of examples or a list of cases."""
    if experiment.classes and not path.is_dir():
        return [path, *(file for case in _class_cases(experiment, path) for file in case.files)]
    return [path] if path.is_dir() else inputs_of(path, list_cases(path))


def network_of(experiment: Experiment, weights: Path | None) -> nn.Module:
    """Return an experiment's network, with those weights if any, else with random ones.

    Raises
    ------
    ModelError
        If it cannot be built, or the weights do not fit.
    """
    network = build(**experiment.network)
    if weights is not None:
        check_file(weights, ModelError)
        try:
            network.load_state_dict(load_file(weights))
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ModelError(
                f"the weights {weights} do not fit '{experiment.name}' ({reason}); name others."
            ) from None
    layout = torch.channels_last if dimensions(experiment.network["name"]) == 2 else torch.channels_last_3d
    return network.to(memory_format=layout)  # type: ignore[call-overload]


def _task(
    experiment: Experiment,
    cohorts: tuple[Path, Path],
    seed: int,
    weights: Path | None,
    models: ModelFolder | None,
    network: nn.Module,
) -> Task:
    if experiment.classes:
        return _class_task(experiment, cohorts, seed)
    if experiment.role == "click":
        learnt, held_back = (CohortStream(c, experiment.geometry["spacing"], 0.0) for c in cohorts)
        return ClickTask(experiment, learnt, held_back, network, seed)
    listed = chosen_cases(list_cases(cohorts[0]), experiment.examples.cases, seed), list_cases(cohorts[1])
    # One after the other: a cohort need not fit into memory.
    training, validation = ((case.load() for case in cases) for cases in listed)
    if experiment.role != "corrector":
        learnt_from = [source_of(experiment, case) for case in training]
        return CropTask(experiment, learnt_from, _volumes(experiment, validation), seed)
    player = None if experiment.examples.rounds == 1 else _player(experiment, weights)
    return CutTask(experiment, training, validation, starts_of(experiment, models), player, seed)


def held_back_of(experiment: Experiment, cases: Path, models: ModelFolder | None = None) -> HeldBack:
    """Return a cohort as an experiment of one round is scored on it.

    Parameters
    ----------
    experiment : Experiment
        Of a locator, an initial model or a corrector.
    cases : Path
        A folder of a cohort or a CSV list.
    models : ModelFolder, optional
        Whose initial model makes the masks to correct, where the experiment wants its mistakes.
    """
    loaded = (case.load() for case in list_cases(cases))
    if experiment.role == "corrector":
        return HeldBackCuts(experiment, loaded, starts_of(experiment, models), None)
    return HeldBackVolumes(experiment, _volumes(experiment, loaded))


def _volumes(experiment: Experiment, cases: Iterable[LabelledCase]) -> dict[str, Example]:
    return {case.name: source_of(experiment, case) for case in cases}


def source_of(experiment: Experiment, case: LabelledCase) -> Example:
    """Return a case as an experiment's locator or initial model learns from it."""
    geometry = experiment.geometry
    if "shape" in geometry:
        return slab_source(case, index3(geometry["shape"]), geometry.get("intensities", ROBUST))
    return crop_source(case, geometry["spacing"], experiment.examples.reach_mm)


def chosen_cases(cases: Sequence[_Any], count: int, seed: int) -> Sequence[_Any]:
    """Return so many cases, or all for 0; with one seed fewer cases are a part of more.

    Raises
    ------
    ImageError
        If there are not so many: what fewer have taught must not be told of more.
    """
    if count > len(cases):
        raise ImageError(f"{count} cases are to be learned from, but there are only {len(cases)}; give more.")
    order = np.random.default_rng(seed).permutation(len(cases))
    return [cases[n] for n in order[:count]] if count else cases


def _class_task(experiment: Experiment, cohorts: tuple[Path, Path], seed: int) -> ClassTask:
    learnt, held_back = (_class_cases(experiment, path) for path in cohorts)
    learnt_from, judged_by = (
        [class_example(case.load(), experiment) for case in cases]
        for cases in (chosen_cases(learnt, experiment.examples.cases, seed), held_back)
    )
    return ClassTask(experiment, learnt_from, judged_by, seed)


def _class_cases(experiment: Experiment, path: Path) -> Sequence[LazyClassCase]:
    sequences = [name for name in experiment.channels if name != MASK]
    return list_class_cases(path, sequences, experiment.classes)


def _player(experiment: Experiment, weights: Path | None) -> Corrector:
    entry = ModelEntry(
        name=experiment.name,
        role=experiment.role,
        file="",
        sha256="",
        network=experiment.network["name"],
        parameters=experiment.parameters,
        geometry=experiment.geometry,
    )
    return Corrector(entry, prepare(network_of(experiment, weights), torch.device("cpu")))


def starts_of(experiment: Experiment, models: ModelFolder | None) -> Starts:
    """Return what gives an experiment the masks to correct.

    Raises
    ------
    ModelError
        If they are an initial model's, and that cannot be used.
    """
    if experiment.examples.start == "spoiled":
        return perturbed_start
    if experiment.examples.start == EACH_CUT:
        return lambda case, rng: case.truth
    segmenter = InitialSegmenter.load(models or ModelFolder(None), "cpu")
    if experiment.examples.start == "found":
        return lambda case, rng: _found(segmenter, case)

    def initial(case: LabelledCase, rng: np.random.Generator) -> np.ndarray:
        """Return what the model finds by itself or from a click; a spoiled mask where that misses."""
        if experiment.examples.start == "mixed" and rng.random() < 0.5:
            return perturbed_start(case, rng)
        found = _found(segmenter, case) if rng.random() < 0.5 else _clicked(segmenter, case, rng)
        return found if (found & case.truth).any() else perturbed_start(case, rng)

    return initial


def _found(segmenter: InitialSegmenter, case: LabelledCase) -> np.ndarray:
    found, mask = segmenter.segment(case.case), np.zeros_like(case.truth)
    mask[found.box.slices] = found.values
    return mask


def _clicked(segmenter: InitialSegmenter, case: LabelledCase, rng: np.random.Generator) -> np.ndarray:
    proposal = segmenter.propose(case.case, random_click(case.grid, case.truth, rng))
    mask = np.zeros_like(case.truth)
    mask[proposal.box.slices] = proposal.values
    return mask
