"""What a training is made of: batches by their step, and a score on the held-back cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import nn
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.inference.corrector import network_input
from VSClickCorrectLib.networks.registry import dimensions
from VSClickCorrectLib.session.correction import Proposer

from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.training.augmentation import augment, leave_out
from VSClickCorrectResearch.training.cut_making import Starts, experiment_cuts
from VSClickCorrectResearch.training.examples import Example, random_crop, stacked
from VSClickCorrectResearch.training.experiments import Experiment
from VSClickCorrectResearch.training.held_back import HeldBackCuts, HeldBackVolumes
from VSClickCorrectResearch.training.learner import Batch


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

    Raises
    ------
    ImageError
        If no training case has a tumour.
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
        cuts = experiment_cuts(experiment, training, experiment.examples.masks, start, corrector, seed)
        self._training = stacked(cut for _, cut in cuts)
        if not self._training:
            raise ImageError("no training case has a tumour to click on; give cases that do.")
        self._held_back = HeldBackCuts(experiment, validation, start, corrector)
        print(f"{len(self._training[0])} training and {len(self._held_back)} validation cuts", flush=True)

    def batch_at(self, step: int) -> Batch:
        """See `Task`."""
        rng = np.random.default_rng([self._seed, step])
        chosen = rng.integers(len(self._training[0]), size=self._experiment.course.batch)
        channels, targets = _augmented([array[chosen] for array in self._training], self._experiment, rng)
        return network_input(channels, dimensions(self._experiment.network["name"])), targets

    def score(self, network: nn.Module) -> float:
        """See `Task`."""
        return self._held_back.score(network)

    def measure(self, network: nn.Module) -> dict[str, float]:
        """Return the mean DSC of the clicked slices, as in the thesis's tables, and before correction."""
        found = np.concatenate(list(self._held_back.dice(network).values()))
        before, after = found.mean(axis=0).tolist()
        return {"dsc": after, "uncorrected": before, "cuts": len(found)}


class CropTask:
    """Crops of volumes, for locators and initial models.

    Parameters
    ----------
    experiment : Experiment
        What is trained.
    training : sequence of Example
        Volumes at working resolution.
    validation : mapping
        The same, by the names of their cases.
    seed : int
        Of batches.
    """

    def __init__(
        self,
        experiment: Experiment,
        training: Sequence[Example],
        validation: Mapping[str, Example],
        seed: int,
    ) -> None:
        self._experiment, self._seed = experiment, seed
        self._training = training
        self._held_back = HeldBackVolumes(experiment, validation)
        print(f"{len(self._training)} training and {len(validation)} validation cases", flush=True)

    def batch_at(self, step: int) -> Batch:
        """See `Task`."""
        rng = np.random.default_rng([self._seed, step])
        crop = self._experiment.examples.crop
        cases = rng.integers(len(self._training), size=self._experiment.course.batch)
        crops = stacked(random_crop(self._training[n], crop, rng) for n in cases)
        return _augmented(crops, self._experiment, rng)

    def score(self, network: nn.Module) -> float:
        """See `Task`."""
        return self._held_back.score(network)

    def measure(self, network: nn.Module) -> dict[str, float]:
        """Return the mean DSC over the whole held-back volumes with a tumour."""
        found = np.concatenate(list(self._held_back.dice(network).values()))
        return {"dsc": float(found[:, 1].mean()), "volumes": len(found)}


def _augmented(arrays: Sequence[np.ndarray], experiment: Experiment, rng: np.random.Generator) -> Batch:
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    channels, targets = (torch.from_numpy(array).float() for array in arrays)
    examples = experiment.examples
    if examples.augmented:
        channels, targets = augment(channels, targets, generator)
    return leave_out(channels, examples.missing_t1ce, examples.missing_t2, generator), targets
