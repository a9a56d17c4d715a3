"""Training on several classes: crops of any named sequences, and the numbers of the classes as targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.preprocessing import covering_grid
from VSClickCorrectLib.geometry.triples import index3, point3
from VSClickCorrectLib.inference.model_entry import MASK
from VSClickCorrectLib.measure.tumour_parts import tumour_numbers

from VSClickCorrectResearch.datasets.class_cases import ClassCase
from VSClickCorrectResearch.evaluation.class_scores import class_dices, generalised_dice_score
from VSClickCorrectResearch.training.augmentation import augment
from VSClickCorrectResearch.training.class_losses import one_hot
from VSClickCorrectResearch.training.click_task import perturbed
from VSClickCorrectResearch.training.experiments import Experiment
from VSClickCorrectResearch.training.learner import Batch

# Of a batch's masks; the others are as they should be.
_PERTURBED = 0.5
# How far beside a voxel of its class a crop's middle may lie, as a share of its sides.
_JITTER = 0.25

Example = tuple[np.ndarray, np.ndarray]


def class_example(case: ClassCase, experiment: Experiment) -> Example:
    """Return what there is to learn from a case, at the network's voxel size.

    Parameters
    ----------
    case : ClassCase
        Its sequences are those of the experiment.
    experiment : Experiment
        What is trained.

    Returns
    -------
    images : ndarray of float16
        ``(sequences, slices, rows, columns)``, axial order, from 0 to 1; as far around the classes as crops
        may reach.
    labels : ndarray of uint8
        ``(slices, rows, columns)``: the class that fills most of each voxel.
    """
    spacing = point3(experiment.geometry["spacing"])
    axial = case.grid.axial_order().arranged(case.labels)
    whole = Box((0, 0, 0), case.grid.axial_shape)
    reach = np.ceil(np.multiply(experiment.examples.crop, spacing) / case.grid.axial_spacing)
    box = Box.of_array(axial)
    window = covering_grid(
        case.grid, whole if box is None else box.padded(index3(reach)).intersection(whole), spacing
    )
    source = window.source_box
    images = [
        np.zeros(window.geometry.shape, np.float32) if v is None else window.resample(v.normalised(source))
        for v in case.volumes.values()
    ]
    labels = case.labels[source.slices]
    shares = np.stack([window.resample(labels == n) for n in range(1, len(experiment.classes) + 1)])
    background = 1 - shares.sum(axis=0, keepdims=True)
    numbers = np.concatenate([background, shares]).argmax(axis=0)
    return np.stack(images).astype(np.float16), numbers.astype(np.uint8)


class ClassTask:
    """Gives a network of several classes its batches and scores; see `training.tasks.Task`.

    Parameters
    ----------
    experiment : Experiment
        What is trained.
    training, validation : sequence of Example
        From `class_example`.
    seed : int
        Of batches.
    """

    def __init__(
        self, experiment: Experiment, training: Sequence[Example], validation: Sequence[Example], seed: int
    ) -> None:
        self._experiment, self._seed = experiment, seed
        self._training, self._held_back = training, validation
        self._masked = MASK in experiment.channels
        self._tumour = tumour_numbers(experiment.classes)
        sequences = [name for name in experiment.channels if name != MASK]
        missing = {"t1ce": experiment.examples.missing_t1ce, "t2": experiment.examples.missing_t2}
        self._missing = [missing.get(name, 0.0) for name in sequences]
        print(f"{len(training)} training and {len(validation)} validation cases", flush=True)

    def batch_at(self, step: int) -> Batch:
        """See `Task`; targets are numbers of classes, ``(b, 1, slices, rows, columns)``."""
        rng = np.random.default_rng([self._seed, step])
        drawn = rng.integers(len(self._training), size=self._experiment.course.batch)
        crops = [_crop(self._training[n], self._experiment.examples.crop, rng) for n in drawn]
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        images, labels = (torch.from_numpy(np.stack(arrays)).float() for arrays in zip(*crops, strict=True))
        images, labels = augment(images, labels[:, None], generator, images=images.shape[1])
        images = self._left_out(images, rng)
        if not self._masked:
            return images, labels
        tumours = np.isin(labels.numpy(), self._tumour)
        masks = [perturbed(one[0], rng) if rng.random() < _PERTURBED else one[0] for one in tumours]
        return torch.cat([images, torch.from_numpy(np.stack(masks)[:, None]).float()], 1), labels

    def score(self, network: nn.Module) -> float:
        """Return the mean soft DSC over classes and the middles of held-back cases, 0 to 1."""
        values: list[float] = []
        for images, labels in self._middles(self._experiment.examples.crop):
            shares = torch.softmax(_logits(network, images), 1)
            true = one_hot(labels, shares.shape[1])
            both, there = (shares * true).flatten(2).sum(2), true.flatten(2).sum(2)
            dices = 2 * both / (shares.flatten(2).sum(2) + there).clamp_min(1e-3)
            values += dices[:, 1:][there[:, 1:] > 0].tolist()
        return float(np.mean(values)) if values else float("nan")

    def measure(self, network: nn.Module) -> dict[str, float]:
        """Return the mean DSC of each class and the generalised Dice score, in boxes as it is used in."""
        names, together = self._experiment.classes, []
        found: dict[str, list[float]] = {f"dsc_{name}": [] for name in names}
        for images, labels in self._middles(self._experiment.geometry["shape"]):
            guess, truth = _logits(network, images).argmax(1)[0].numpy(), labels[0, 0].numpy()
            for name, value in zip(names, class_dices(guess, truth, len(names)), strict=True):
                if value is not None:
                    found[f"dsc_{name}"].append(value)
            together.append(generalised_dice_score(guess, truth, len(names)))
        means = {name: float(np.mean(some)) for name, some in found.items() if some}
        return {**means, "generalised_dice": float(np.mean(together)), "cases": len(together)}

    def _middles(self, shape: Sequence[int]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield the held-back cases that have a tumour, one by one, cut to a shape around its middle."""
        for source in self._held_back:
            tumour = np.argwhere(np.isin(source[1], self._tumour))
            if len(tumour):
                images, labels = _cut(source, shape, tumour.mean(axis=0))
                inputs = torch.from_numpy(self._inputs(images, labels)[None]).float()
                yield inputs, torch.from_numpy(labels[None, None]).float()

    def _inputs(self, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return what a network is shown of a held-back case: with the right mask, if it takes one."""
        if not self._masked:
            return images
        return np.concatenate([images, np.isin(labels, self._tumour)[None].astype(images.dtype)])

    def _left_out(self, images: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Leave out a sequence now and then: at most one of a sample, and never the only one."""
        images = images.clone()
        for sample in images:
            draw, there = rng.random(), [n for n, image in enumerate(sample) if image.any()]
            for number, chance in enumerate(self._missing):
                if 0 <= draw < chance and len(there) > 1:
                    sample[number] = 0
                draw -= chance
        return images


def _crop(source: Example, shape: Sequence[int], rng: np.random.Generator) -> Example:
    """Return a crop around a voxel of one of the classes that are there, each as often as the others."""
    labels = source[1]
    there = [number for number in np.unique(labels) if number]
    middle = np.array([rng.uniform(0, n) for n in labels.shape])
    if there:
        voxels = np.argwhere(labels == there[int(rng.integers(len(there)))])
        middle = voxels[rng.integers(len(voxels))] + rng.uniform(-_JITTER, _JITTER, 3) * shape
    return _cut(source, shape, middle)


def _cut(source: Example, shape: Sequence[int], middle: np.ndarray) -> Example:
    """Return the part of a shape around a place, as far as the source reaches; what is missing is 0."""
    images, labels = source
    space = np.maximum(0, np.subtract(labels.shape, shape))
    start = np.clip(np.round(middle - np.array(shape) / 2).astype(int), 0, space)
    place = tuple(slice(a, a + n) for a, n in zip(start, shape, strict=True))
    fill = [(0, max(0, n - m)) for n, m in zip(shape, labels.shape, strict=True)]
    return np.pad(images[(slice(None), *place)], [(0, 0), *fill]), np.pad(labels[place], fill)


@torch.inference_mode()
def _logits(network: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    return network(inputs.to(next(network.parameters()).device)).float().cpu()
