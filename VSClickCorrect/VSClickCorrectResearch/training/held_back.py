"""What a network makes of cases that it does not learn from: those that choose its weights, and a test's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np
import torch
from torch import nn
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.triples import index3
from VSClickCorrectLib.inference.corrector import network_input
from VSClickCorrectLib.inference.plain_segmenter import MARGIN_MM
from VSClickCorrectLib.networks.registry import dimensions
from VSClickCorrectLib.session.correction import Proposer

from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.metrics import dice
from VSClickCorrectResearch.training.augmentation import leave_out
from VSClickCorrectResearch.training.cut_making import Starts, experiment_cuts
from VSClickCorrectResearch.training.examples import Example, random_crop, stacked
from VSClickCorrectResearch.training.experiments import Experiment

# Of each case, so that a look takes seconds.
_MASKS = 2
_SCORED_TOGETHER = 32
# A voxel is tumour which tumour fills by half, or which is as likely tumour as not.
_FILLED = 0.5


class HeldBack(Protocol):
    """Cases that a network does not learn from."""

    def score(self, network: nn.Module) -> float:
        """Return the mean soft DSC of the examples with tumour, 0 to 1: what chooses weights."""

    def dice(self, network: nn.Module) -> dict[str, np.ndarray]:
        """Return the DSC of each case with a tumour, by its name: ``(examples, before and after)``.

        An example of which the tumour fills no voxel by half has no mask to agree with, and is left out.
        """


class HeldBackCuts:
    """Cuts around clicks, for correctors: the same whatever a training's seed.

    Parameters
    ----------
    experiment : Experiment
        Whose cuts.
    cases : iterable of LabelledCase
        What they are cut from.
    start : callable
        Gives a mask to correct for a case.
    corrector : Proposer, optional
        Plays the rounds before the last.
    """

    def __init__(
        self,
        experiment: Experiment,
        cases: Iterable[LabelledCase],
        start: Starts,
        corrector: Proposer | None,
    ) -> None:
        self._experiment = experiment
        cuts = list(experiment_cuts(experiment, cases, _MASKS, start, corrector, seed=0))
        self._names = [name for name, _ in cuts]
        self._cuts = stacked(cut for _, cut in cuts)

    def __len__(self) -> int:
        return len(self._names)

    def score(self, network: nn.Module) -> float:
        """See `HeldBack`."""
        values: list[float] = []
        for probability, targets in self._predictions(network, left_out=True):
            values += _soft_dice(probability, targets[:, 0])
        return _mean(values)

    def dice(self, network: nn.Module) -> dict[str, np.ndarray]:
        """See `HeldBack`; of the clicked slices, as in the thesis's tables."""
        found, names = defaultdict(list), iter(self._names)
        for probability, targets in self._predictions(network, left_out=False):
            middle = targets.shape[2] // 2
            for corrected, (truth, mask) in zip(probability[:, middle], targets[:, :, middle], strict=True):
                name = next(names)
                if (tumour := _hard(truth)).any():
                    found[name].append([dice(_hard(one), tumour) for one in (mask, corrected)])
        return {name: np.array(values) for name, values in found.items()}

    @torch.inference_mode()
    def _predictions(self, network: nn.Module, left_out: bool) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        generator = torch.Generator().manual_seed(0)
        examples, shape = self._experiment.examples, dimensions(self._experiment.network["name"])
        for n in range(0, len(self), _SCORED_TOGETHER):
            channels, targets = (torch.from_numpy(a[n : n + _SCORED_TOGETHER]).float() for a in self._cuts)
            if left_out:
                channels = leave_out(channels, examples.missing_t1ce, examples.missing_t2, generator)
            found = _probability(network, network_input(channels, shape))
            yield found.reshape(targets[:, 0].shape), targets


class HeldBackVolumes:
    """Whole volumes, for locators and initial models.

    Parameters
    ----------
    experiment : Experiment
        Whose volumes.
    volumes : mapping
        Examples at working resolution, by the names of their cases.
    """

    def __init__(self, experiment: Experiment, volumes: Mapping[str, Example]) -> None:
        self._experiment, self._volumes = experiment, volumes

    def __len__(self) -> int:
        return len(self._volumes)

    def score(self, network: nn.Module) -> float:
        """See `HeldBack`; of one crop of each."""
        examples, rng = self._experiment.examples, np.random.default_rng(0)
        generator = torch.Generator().manual_seed(0)
        values: list[float] = []
        for source in self._volumes.values():
            channels, targets = (
                torch.from_numpy(a[None]).float() for a in random_crop(source, examples.crop, rng)
            )
            channels = leave_out(channels, examples.missing_t1ce, examples.missing_t2, generator)
            values += _soft_dice(_probability(network, channels), targets)
        return _mean(values)

    def dice(self, network: nn.Module) -> dict[str, np.ndarray]:
        """See `HeldBack`; before there is nothing.

        A locator is shown all, an initial model what it is shown of a candidate: the tumour with a margin.
        """
        return {
            name: np.array([[0.0, _whole_dice(network, *self._shown(example))]])
            for name, example in self._volumes.items()
            if (example[1] >= _FILLED).any()
        }

    def _shown(self, example: Example) -> Example:
        spacing = self._experiment.geometry.get("spacing")
        tumour = Box.of_array(example[1][0])
        if self._experiment.role != "initial" or spacing is None or tumour is None:
            return example
        margin = index3(np.ceil(MARGIN_MM / np.array(spacing)))
        place = tumour.padded(margin).clipped(index3(example[1].shape[1:])).slices
        return tuple(array[(slice(None), *place)] for array in example)


@torch.inference_mode()
def _whole_dice(network: nn.Module, channels: np.ndarray, targets: np.ndarray) -> float:
    whole, shape = _divisible(torch.from_numpy(channels[None]).float()), targets.shape
    found = _probability(network, whole)[0, :, : shape[1], : shape[2], : shape[3]]
    return dice(_hard(found), _hard(torch.from_numpy(targets)))


@torch.inference_mode()
def _probability(network: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    device = next(network.parameters()).device
    return torch.sigmoid(network(inputs.to(device)).float()).cpu()


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


def _mean(values: list[float]) -> float:
    """Return a mean; NaN of nothing, which ends a training in words."""
    return float(np.mean(values)) if values else float("nan")


def _hard(values: torch.Tensor) -> np.ndarray:
    return (values >= _FILLED).numpy()
