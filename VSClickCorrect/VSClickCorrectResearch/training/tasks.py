"""What a training is made of: batches by their step, and a score on the held-back cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import nn
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.inference.corrector import network_input
from VSClickCorrectLib.networks.registry import dimensions
from VSClickCorrectLib.session.correction import Proposer

from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.metrics import dice
from VSClickCorrectResearch.simulation.mask_perturbations import spoiled
from VSClickCorrectResearch.training.augmentation import augment, leave_out
from VSClickCorrectResearch.training.cut_making import making_of
from VSClickCorrectResearch.training.examples import Example, patch_examples, random_crop
from VSClickCorrectResearch.training.experiments import Experiment
from VSClickCorrectResearch.training.learner import Batch

# Of each held-back case, so that a look takes seconds.
_HELD_BACK_MASKS = 2
_SCORED_TOGETHER = 32

Starts = Callable[[LabelledCase, np.random.Generator], np.ndarray]


def perturbed_start(case: LabelledCase, rng: np.random.Generator) -> np.ndarray:
    """Return a mask spoiled on purpose."""
    return spoiled(case.grid, case.truth, rng)


class Task(Protocol):
    """Gives a training its batches and scores."""

    def batch_at(self, step: int) -> Batch:
        """Return inputs and targets of a step: the same for the same step, whatever came before."""

    def score(self, network: nn.Module) -> float:
        """Return the mean soft DSC on the held-back examples with tumour, 0 to 1."""

    def measure(self, network: nn.Module) -> dict[str, float]:
        """Return what the thesis's tables hold, on the held-back cases."""


class CutTask:
    """Cuts around clicks, for correctors.

    Parameters
    ----------
    experiment : Experiment
        What is trained.
    training, validation : iterable of LabelledCase
        The cohorts.
    start : callable
        Gives a mask to correct for a case.
    corrector : Proposer, optional
        Plays the rounds before the last.
    seed : int
        Of examples and batches.
    """

    def __init__(
        self,
        experiment: Experiment,
        training: Iterable[LabelledCase],
        validation: Iterable[LabelledCase],
        start: Starts,
        corrector: Proposer | None,
        seed: int,
    ) -> None:
        self._experiment, self._seed = experiment, seed
        self._geometry = PatchGeometry(**experiment.geometry)
        self._dimensions = dimensions(experiment.network["name"])
        examples, making = experiment.examples, making_of(experiment.examples)

        def cuts(cases: Iterable[LabelledCase], masks: int, seed: int) -> Iterator[Example]:
            rng = np.random.default_rng(seed)
            for case in cases:
                for _ in range(masks if case.truth.any() else 0):
                    yield from patch_examples(
                        case, self._geometry, start(case, rng), rng, making, examples.rounds, corrector
                    )

        self._training = _stacked(cuts(training, examples.masks, seed))
        # The same held-back examples whatever the training's seed.
        self._held_back = _stacked(cuts(validation, _HELD_BACK_MASKS, 0))
        print(f"{len(self._training[0])} training and {len(self._held_back[0])} validation cuts", flush=True)

    def batch_at(self, step: int) -> Batch:
        """See `Task`."""
        rng = np.random.default_rng([self._seed, step])
        chosen = rng.integers(len(self._training[0]), size=self._experiment.course.batch)
        channels, targets = _augmented([array[chosen] for array in self._training], self._experiment, rng)
        return network_input(channels, self._dimensions), targets

    def score(self, network: nn.Module) -> float:
        """See `Task`."""
        values: list[float] = []
        for probability, targets in self._predictions(network, left_out=True):
            values += _soft_dice(probability, targets[:, 0])
        return float(np.mean(values))

    def measure(self, network: nn.Module) -> dict[str, float]:
        """Return the mean DSC of the clicked slices, as in the thesis's tables, and before correction."""
        middle = self._geometry.slices // 2
        corrected, before = [], []
        for probability, targets in self._predictions(network, left_out=False):
            for found, (truth, mask) in zip(probability[:, middle], targets[:, :, middle], strict=True):
                if truth.any():
                    corrected.append(dice(_hard(found), _hard(truth)))
                    before.append(dice(_hard(mask), _hard(truth)))
        return {"dsc": float(np.mean(corrected)), "uncorrected": float(np.mean(before)), "cuts": len(before)}

    @torch.inference_mode()
    def _predictions(self, network: nn.Module, left_out: bool) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        generator = torch.Generator().manual_seed(0)
        for n in range(0, len(self._held_back[0]), _SCORED_TOGETHER):
            channels, targets = (
                torch.from_numpy(a[n : n + _SCORED_TOGETHER]).float() for a in self._held_back
            )
            if left_out:
                examples = self._experiment.examples
                channels = leave_out(channels, examples.missing_t1ce, examples.missing_t2, generator)
            logits = network(_onto(network, network_input(channels, self._dimensions)))
            yield torch.sigmoid(logits.float()).cpu().reshape(targets[:, 0].shape), targets


class CropTask:
    """Crops of volumes, for locators and initial models.

    Parameters
    ----------
    experiment : Experiment
        What is trained.
    training, validation : sequence of Example
        Volumes at working resolution.
    seed : int
        Of batches.
    """

    def __init__(
        self,
        experiment: Experiment,
        training: Sequence[Example],
        validation: Sequence[Example],
        seed: int,
    ) -> None:
        self._experiment, self._seed = experiment, seed
        self._training = training
        self._held_back = validation
        print(f"{len(self._training)} training and {len(self._held_back)} validation cases", flush=True)

    def batch_at(self, step: int) -> Batch:
        """See `Task`."""
        rng = np.random.default_rng([self._seed, step])
        crop = self._experiment.examples.crop
        cases = rng.integers(len(self._training), size=self._experiment.course.batch)
        crops = _stacked(random_crop(self._training[n], crop, rng) for n in cases)
        return _augmented(crops, self._experiment, rng)

    def score(self, network: nn.Module) -> float:
        """See `Task`."""
        examples, rng = self._experiment.examples, np.random.default_rng(0)
        generator = torch.Generator().manual_seed(0)
        values: list[float] = []
        for source in self._held_back:
            channels, targets = (
                torch.from_numpy(a[None]).float() for a in random_crop(source, examples.crop, rng)
            )
            channels = leave_out(channels, examples.missing_t1ce, examples.missing_t2, generator)
            values += _soft_dice(_probability(network, channels), targets)
        return float(np.mean(values))

    def measure(self, network: nn.Module) -> dict[str, float]:
        """Return the mean DSC over the whole held-back volumes with a tumour."""
        scores = []
        for channels, targets in self._held_back:
            if targets.any():
                whole, shape = _divisible(torch.from_numpy(channels[None]).float()), targets.shape
                found = _probability(network, whole)[0, :, : shape[1], : shape[2], : shape[3]]
                scores.append(dice(_hard(found), _hard(torch.from_numpy(targets))))
        return {"dsc": float(np.mean(scores)), "volumes": len(scores)}


def _augmented(arrays: Sequence[np.ndarray], experiment: Experiment, rng: np.random.Generator) -> Batch:
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    channels, targets = (torch.from_numpy(array).float() for array in arrays)
    examples = experiment.examples
    if examples.augmented:
        channels, targets = augment(channels, targets, generator)
    return leave_out(channels, examples.missing_t1ce, examples.missing_t2, generator), targets


def _stacked(examples: Iterable[Example]) -> tuple[np.ndarray, ...]:
    return tuple(np.stack(arrays) for arrays in zip(*examples, strict=True))


@torch.inference_mode()
def _probability(network: nn.Module, channels: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(network(_onto(network, channels)).float()).cpu()


def _onto(network: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    return inputs.to(next(network.parameters()).device)


def _divisible(volume: torch.Tensor) -> torch.Tensor:
    """Fill a volume up with zeros at its far ends, as three poolings want it."""
    return nn.functional.pad(volume, [n for size in volume.shape[:1:-1] for n in (0, -size % 8)])


def _soft_dice(probability: torch.Tensor, target: torch.Tensor) -> list[float]:
    """Return the DSC of probabilities, unthresholded, of each sample that has a tumour.

    Early on no probability passes a threshold, and the score must tell even then whether it gets better.
    """
    found, true = probability.flatten(1), target.flatten(1)
    overlap = 2 * (found * true).sum(1) / (found.sum(1) + true.sum(1)).clamp(min=1e-3)
    return overlap[true.any(1)].tolist()


def _hard(values: torch.Tensor) -> np.ndarray:
    return (values >= 0.5).numpy()
