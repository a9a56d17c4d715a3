"""Drawing the examples of an experiment, and what trained weights make of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import nn
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.inference.corrector import network_input
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.networks.registry import dimensions

from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.pictures import save_picture
from VSClickCorrectResearch.training.cut_making import making_of
from VSClickCorrectResearch.training.example_pictures import (
    combined,
    cut_rows,
    draw_rows,
    slice_rows,
    source_rows,
)
from VSClickCorrectResearch.training.examples import Example, patch_examples
from VSClickCorrectResearch.training.experiments import Experiment
from VSClickCorrectResearch.training.train import source_of, starts_of

CLICKS, CUTS, SLICES = "clicks.png", "cuts.png", "slices.png"
SEEN, COMBINED = "seen.png", "combined.png"
WRITTEN = (CLICKS, CUTS, SLICES, SEEN, COMBINED)
_CUTS = 8


def draw_examples(
    experiment: Experiment,
    cases: Sequence[LabelledCase],
    output: Path,
    seed: int,
    models: ModelFolder,
    network: nn.Module | None = None,
) -> None:
    """Draw what an experiment learns from.

    Of a corrector: the clicks on the first case, some of its cuts and, if they have several slices, all
    slices of one cut. Of an initial network: what it sees of the first case and, where all are seen in equal
    slabs, all tumours laid over each other.

    Parameters
    ----------
    experiment : Experiment
        Whose examples.
    cases : sequence of LabelledCase
        Cases with a tumour, one at least.
    output : Path
        A folder; which files are written says `WRITTEN`.
    seed : int
        Of clicks and errors.
    models : ModelFolder
        Whose initial model makes the masks to correct, where the experiment wants its mistakes.
    network : nn.Module, optional
        A trained one, as `network_of` returns it: what it makes of the examples is drawn beside them.

    Raises
    ------
    ImageError
        If no click can be placed in the first case.
    ModelError
        If the initial model cannot be used.
    StorageError
        If a picture cannot be written.
    """
    if network is not None:
        network.eval()
    if experiment.role == "corrector":
        _draw_cuts(experiment, cases[0], output, seed, models, network)
    else:
        _draw_sources(experiment, cases, output, network)


def _draw_cuts(
    experiment: Experiment,
    case: LabelledCase,
    output: Path,
    seed: int,
    models: ModelFolder,
    network: nn.Module | None,
) -> None:
    making, geometry = making_of(experiment.examples), PatchGeometry(**experiment.geometry)
    mask = starts_of(experiment, models)(case, np.random.default_rng(seed))
    # One seed, one series of clicks: those of the picture are those of the cuts.
    clicks = making.clicks(case.grid, case.truth, mask, np.random.default_rng(seed))
    title = f"{case.name}: clicks of {experiment.name}"
    save_picture(output / CLICKS, case.case, {"truth": case.truth, "mask": mask}, clicks, title)
    cuts = list(islice(patch_examples(case, geometry, mask, np.random.default_rng(seed), making), _CUTS))
    if not cuts:
        raise ImageError(f"case {case.name} gets no click by {experiment.name}; name other cases.")
    corrected = None if network is None else _corrected(network, cuts, dimensions(experiment.network["name"]))
    draw_rows(output / CUTS, *cut_rows(cuts, corrected))
    if geometry.slices > 1:
        rows, clicked = slice_rows(cuts[0])
        draw_rows(output / SLICES, rows, {}, framed=clicked)


@torch.inference_mode()
def _corrected(network: nn.Module, cuts: Sequence[Example], seen: int) -> list[np.ndarray]:
    channels = torch.from_numpy(np.stack([channels for channels, _ in cuts])).float()
    logits = network(network_input(channels, seen))
    return list(torch.sigmoid(logits).reshape(channels[:, 0].shape).numpy())


def _draw_sources(
    experiment: Experiment, cases: Sequence[LabelledCase], output: Path, network: nn.Module | None
) -> None:
    sources = [
        source_of(experiment, case) for case in (cases if "shape" in experiment.geometry else cases[:1])
    ]
    found = None if network is None else _found(network, sources[0])
    draw_rows(output / SEEN, *source_rows(sources[0], found))
    if len(sources) > 1:
        draw_rows(output / COMBINED, {"": [combined(sources)]}, {"": [f"{len(sources)} tumours"]})


@torch.inference_mode()
def _found(network: nn.Module, source: Example) -> np.ndarray:
    return (network(torch.from_numpy(source[0]).float()[None])[0, 0] > 0).numpy()
