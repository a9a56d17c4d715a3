"""A network learns a little more: small steps on a copy, with examples of old beside each new one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

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

# What is kept is an average of the weights on the way, over about so many steps: a single step is noise.
_AVERAGED = 20
_SMOOTH = 1.0
Progress = Callable[[float], object]


@dataclass(frozen=True)
class Course:
    """How a network learns on.

    Parameters
    ----------
    steps : int
        How many.
    rate : float
        Of Adam.
    batch : int
        Examples of each kind, new and old, in one step.
    harm : float
        How much more it costs to spoil a voxel of the mask that was right, as when it was trained.
    together : int
        How many examples are scored at once.
    finds_nothing : bool
        Whether to find nothing where nothing is counts as a DSC of 1; else such examples do not count.
    """

    steps: int
    rate: float
    batch: int
    harm: float
    together: int
    finds_nothing: bool


# By the network's role; the corrector's chosen on a made-up scanner with validation cases, the other's set
# by what a box costs (Resources/Docs/choices.md).
COURSES = {
    "corrector": Course(80, 3e-4, 6, 3.0, 32, False),
    "click": Course(40, 1e-4, 1, 1.0, 1, True),
}


@enough_memory()
def learned(
    network: nn.Module,
    entry: ModelEntry,
    new: Examples,
    old: Examples,
    progress: Progress = lambda fraction: None,
) -> nn.Module:
    """Return a copy of a network that has learned from examples.

    One input, one result: nothing in it is left to chance.

    Parameters
    ----------
    network : nn.Module
        As `ModelFolder.load_as_trained` gives it; it stays as it is.
    entry : ModelEntry
        What it is; its role has a course in `COURSES`.
    new, old : Examples
        What to learn, and what not to forget; at least one of each. Both may be of different sizes.
    progress : callable, optional
        Told the fraction done.
    """
    course = COURSES[entry.role]
    # In evaluation mode: so few examples tell no statistics of a batch.
    student = copy.deepcopy(network).eval().requires_grad_(True)
    adam = torch.optim.Adam(student.parameters(), lr=course.rate, betas=(0.9, 0.99))
    average = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    rng = np.random.default_rng(0)
    with one_thread(), torch.enable_grad():
        for step in range(course.steps):
            adam.zero_grad()
            for seen, right in _batches([new, old], course.batch, rng):
                logits = student(network_input(seen, dimensions(entry.network))).reshape(right.shape)
                (_loss(logits, right, seen[:, 2], course.harm) / 2).backward()
            adam.step()
            _follow(average, student, min(1 - 1 / _AVERAGED, (2 + step) / (11 + step)))
            progress((step + 1) / course.steps)
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
def score(network: nn.Module, entry: ModelEntry, *cases: Examples) -> float:
    """Return the mean DSC of what a network says of examples, of those that count in its role's course.

    Each case counts with the mean of its own, however many clicks it took; a case without any does not count.
    """
    means = [float(np.mean(some)) for one in cases if (some := _scores(network, entry, one))]
    return float(np.mean(means)) if means else 0.0


def _scores(network: nn.Module, entry: ModelEntry, examples: Examples) -> list[float]:
    scores: list[float] = []
    course = COURSES[entry.role]
    with one_thread():
        for first in range(0, len(examples), course.together):
            some = slice(first, first + course.together)
            seen = torch.from_numpy(examples.channels[some]).float()
            right = torch.from_numpy(examples.targets[some]).float().flatten(1) >= 0.5
            logits = network(network_input(seen, dimensions(entry.network))).flatten(1)
            found = torch.sigmoid(logits) >= entry.threshold
            both, all_in_all = (found & right).sum(1), found.sum(1) + right.sum(1)
            overlap = torch.where(all_in_all > 0, 2 * both / all_in_all.clamp(min=1), 1.0)
            scores += overlap[right.any(1) | course.finds_nothing].tolist()
    return scores


def _batches(sources: list[Examples], size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Draw a batch of each source; every second example is mirrored left to right."""
    chosen = [rng.integers(len(source), size=size) for source in sources]
    mirrored = torch.from_numpy(rng.random((len(sources), size)) < 0.5)
    for source, which, turned in zip(sources, chosen, mirrored, strict=True):
        channels, targets = (
            torch.from_numpy(kept[which]).float() for kept in (source.channels, source.targets)
        )
        channels[turned], targets[turned] = channels[turned].flip(-1), targets[turned].flip(-1)
        yield channels, targets


def _loss(logits: Tensor, right: Tensor, before: Tensor, harm: float) -> Tensor:
    """Return soft Dice loss plus a cross-entropy in which voxels that were right before count more.

    As the released networks were trained (`losses.sparing_loss` of the research package; without harm its
    `dice` with cross-entropy).
    """
    found = torch.sigmoid(logits)
    overlap = (2 * (found * right).flatten(1).sum(1) + _SMOOTH) / (
        (found + right).flatten(1).sum(1) + _SMOOTH
    )
    weights = 1 + (harm - 1) * (1 - (before - right).abs())
    entropy = weights * functional.binary_cross_entropy_with_logits(logits, right, reduction="none")
    return (1 - overlap).mean() + (entropy.flatten(1).sum(1) / weights.flatten(1).sum(1)).mean()


@torch.no_grad()
def _follow(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    """Move an average of weights towards those of a network."""
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            average[name].lerp_(tensor, 1 - decay)
