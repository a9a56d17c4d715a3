"""A corrector learns a little more: small steps on a copy, with examples of old beside each new one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from VSClickCorrectLib.errors import enough_memory
from VSClickCorrectLib.inference.corrector import network_input
from VSClickCorrectLib.inference.device import one_thread
from VSClickCorrectLib.inference.examples import Examples
from VSClickCorrectLib.inference.model_entry import ModelEntry
from VSClickCorrectLib.networks.registry import dimensions

# Chosen on a made-up scanner with validation cases (Resources/Docs/experiments.md).
STEPS, RATE = 80, 3e-4
# Of each kind, new and old, in one step.
BATCH = 6
# What is kept is an average of the weights on the way, over about so many steps: a single step is noise.
_AVERAGED = 20
# How much more it costs to spoil a voxel that was right, as when the released corrector was trained.
_HARM = 3.0
_SMOOTH = 1.0
_SCORED_TOGETHER = 32
Progress = Callable[[float], object]


@enough_memory()
def learned(
    network: nn.Module,
    entry: ModelEntry,
    new: Examples,
    old: Examples,
    progress: Progress = lambda fraction: None,
) -> nn.Module:
    """Return a copy of a corrector's network that has learned from examples.

    One input, one result: nothing in it is left to chance.

    Parameters
    ----------
    network : nn.Module
        As `ModelFolder.load_as_trained` gives it; it stays as it is.
    entry : ModelEntry
        What it is.
    new, old : Examples
        What to learn, and what not to forget; at least one of each.
    progress : callable, optional
        Told the fraction done.
    """
    # In evaluation mode: so few examples tell no statistics of a batch.
    student = copy.deepcopy(network).eval().requires_grad_(True)
    adam = torch.optim.Adam(student.parameters(), lr=RATE, betas=(0.9, 0.99))
    average = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    rng = np.random.default_rng(0)
    with one_thread(), torch.enable_grad():
        for step in range(STEPS):
            seen, right = _batch([new, old], rng)
            logits = student(network_input(seen, dimensions(entry.network))).reshape(right.shape)
            adam.zero_grad()
            _loss(logits, right, seen[:, 2]).backward()
            adam.step()
            _follow(average, student, min(1 - 1 / _AVERAGED, (2 + step) / (11 + step)))
            progress((step + 1) / STEPS)
    student.load_state_dict(average)
    return student.requires_grad_(False)


def part_way(network: nn.Module, student: nn.Module, share: float) -> nn.Module:
    """Return a network between two, rounded to fp16 as it is kept.

    Half-way it has most of what the student learned, and has forgotten less (Wortsman et al., Robust
    fine-tuning of zero-shot models, 2022).

    Parameters
    ----------
    network, student : nn.Module
        Before and after `learned`.
    share : float
        How much of the way, 0 to 1.
    """
    found, later = copy.deepcopy(network), student.state_dict()
    between = {
        name: torch.lerp(tensor, later[name], share) if tensor.is_floating_point() else tensor
        for name, tensor in network.state_dict().items()
    }
    kept = half(between)
    found.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in kept.items()})
    return found


def half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as they are kept: fp16, whole numbers as they are."""
    return {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}


@enough_memory()
@torch.inference_mode()
def score(network: nn.Module, entry: ModelEntry, examples: Examples) -> float:
    """Return the mean DSC of what a corrector's network proposes in examples, of those that hold tumour."""
    scores: list[float] = []
    with one_thread():
        for first in range(0, len(examples), _SCORED_TOGETHER):
            some = slice(first, first + _SCORED_TOGETHER)
            seen = torch.from_numpy(examples.channels[some]).float()
            right = torch.from_numpy(examples.targets[some]).float().flatten(1) >= 0.5
            logits = network(network_input(seen, dimensions(entry.network))).flatten(1)
            found = torch.sigmoid(logits) >= entry.threshold
            overlap = 2 * (found & right).sum(1) / (found.sum(1) + right.sum(1)).clamp(min=1)
            scores += overlap[right.any(1)].tolist()
    return float(np.mean(scores)) if scores else 0.0


def _batch(sources: list[Examples], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Draw a batch, as many of each source; every second one is mirrored left to right."""
    seen, right = [], []
    for source in sources:
        chosen = rng.integers(len(source), size=BATCH)
        seen.append(source.channels[chosen])
        right.append(source.targets[chosen])
    channels, targets = (torch.from_numpy(np.concatenate(each)).float() for each in (seen, right))
    mirrored = torch.from_numpy(rng.random(len(channels)) < 0.5)
    channels[mirrored], targets[mirrored] = channels[mirrored].flip(-1), targets[mirrored].flip(-1)
    return channels, targets


def _loss(logits: Tensor, right: Tensor, before: Tensor) -> Tensor:
    """Return soft Dice loss plus a cross-entropy in which voxels that were right before count more.

    As the released corrector was trained (`losses.sparing_loss` of the research package).
    """
    found = torch.sigmoid(logits)
    overlap = (2 * (found * right).flatten(1).sum(1) + _SMOOTH) / (
        (found + right).flatten(1).sum(1) + _SMOOTH
    )
    weights = 1 + (_HARM - 1) * (1 - (before - right).abs())
    entropy = weights * functional.binary_cross_entropy_with_logits(logits, right, reduction="none")
    return (1 - overlap).mean() + (entropy.flatten(1).sum(1) / weights.flatten(1).sum(1)).mean()


@torch.no_grad()
def _follow(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    """Move an average of weights towards those of a network."""
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            average[name].lerp_(tensor, 1 - decay)
