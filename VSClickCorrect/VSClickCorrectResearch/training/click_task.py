"""Training the click-conditioned network: boxes of a head, clicks, and the network's own masks as inputs."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import nn
from VSClickCorrectLib.geometry.triples import Index3, index3
from VSClickCorrectLib.inference.device import precision

from VSClickCorrectResearch.evaluation.metrics import dice
from VSClickCorrectResearch.training.augmentation import augment, leave_out
from VSClickCorrectResearch.training.clicking import Scene
from VSClickCorrectResearch.training.examples import TURNED, Example, random_crop, turned_crop
from VSClickCorrectResearch.training.experiments import Experiment
from VSClickCorrectResearch.training.learner import Batch
from VSClickCorrectResearch.training.stream import CohortStream

# Chances of 0, 1, ... 6 clicks.
CLICKS = (0.4, 0.22, 0.12, 0.1, 0.08, 0.05, 0.03)
PARTIAL_FIELD = 0.15
EMPTY_START, OWN_START = 0.55, 0.25
# So many cases choose the weights, the first ones.
HELD_BACK = 32


class ClickTask:
    """Gives the click-conditioned network its batches and scores; see `training.tasks.Task`.

    Parameters
    ----------
    experiment : Experiment
        What is trained.
    training, validation : CohortStream
        Examples around the angles.
    network : nn.Module
        The network in training: its own masks are among its inputs.
    seed : int
        Of batches.
    """

    def __init__(
        self,
        experiment: Experiment,
        training: CohortStream,
        validation: CohortStream,
        network: nn.Module,
        seed: int,
    ) -> None:
        self._experiment, self._seed, self._network = experiment, seed, network
        self._training = training
        held_back = [validation[n] for n in range(min(len(validation), HELD_BACK))]
        rng = np.random.default_rng(0)
        crops = [random_crop(one, experiment.examples.crop, rng) for one in held_back]
        self._held_back = [one for one in crops if (one[1] >= 0.5).any()]
        print(f"{len(training)} training and {len(self._held_back)} validation examples", flush=True)

    def batch_at(self, step: int) -> Batch:
        """Return inputs ``(b, 5, k, j, i)`` and the truth's share of each voxel ``(b, 1, k, j, i)``."""
        rng = np.random.default_rng([self._seed, step])
        channels, targets = self._crops(rng)
        scenes = [
            Scene(images, truth[0] >= 0.5, np.zeros(truth.shape[1:], bool))
            for images, truth in zip(channels.numpy(), targets.numpy(), strict=True)
        ]
        clicks = rng.choice(len(CLICKS), size=len(scenes), p=CLICKS)
        self._begin([scene for scene, count in zip(scenes, clicks, strict=True) if count], rng)
        for number in range(2, int(clicks.max()) + 1):
            clicked = [scene for scene, count in zip(scenes, clicks, strict=True) if count >= number]
            self._answer(clicked)
            for scene in clicked:
                scene.click_error(rng)
        inputs = np.stack([scene.channels() for scene in scenes])
        return torch.from_numpy(inputs), targets

    def _crops(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        examples = self._experiment.examples
        shape = index3((int(rng.choice(examples.cubes)),) * 3) if examples.cubes else examples.crop
        drawn = [self._training.draw(rng) for _ in range(self._experiment.course.batch)]
        crops = [_partial_field(_crop(one, shape, rng), rng) for one in drawn]
        channels, targets = (
            torch.from_numpy(np.stack(arrays)).float() for arrays in zip(*crops, strict=True)
        )
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        channels, targets = augment(channels, targets, generator)
        return leave_out(channels, examples.missing_t1ce, examples.missing_t2, generator), targets

    def _begin(self, scenes: list[Scene], rng: np.random.Generator) -> None:
        """Give each scene the mask that it starts with, and the first click."""
        for scene in scenes:
            kind = rng.random()
            if kind > EMPTY_START + OWN_START:
                scene.mask = perturbed(scene.truth, rng)
            elif kind > EMPTY_START:
                self._answer([scene])
            if scene.mask.any():
                scene.click_error(rng)
            else:
                scene.click_inside(rng)

    def _answer(self, scenes: list[Scene]) -> None:
        """Let the network, as it is, give each scene its mask."""
        self._network.eval()
        for scene, mask in zip(scenes, _masks_of(self._network, scenes), strict=True):
            scene.mask = mask

    def score(self, network: nn.Module) -> float:
        """Return the mean of what `measure` returns, and print its parts."""
        values = self.measure(network)
        print({name: round(value, 3) for name, value in values.items()}, flush=True)
        return float(np.mean(list(values.values())))

    def measure(self, network: nn.Module) -> dict[str, float]:
        """Return the mean DSC of held-back examples: without clicks, of T2 alone, after one click and two."""
        values: dict[str, list[float]] = {"none": [], "t2": [], "one": [], "two": []}
        for number, (images, target) in enumerate(self._held_back):
            rng = np.random.default_rng(number)
            truth = target[0] >= 0.5
            scene = Scene(images.astype(np.float32), truth, np.zeros(truth.shape, bool))
            values["none"].append(dice(_masks_of(network, [scene])[0], truth))
            scene.click_inside(rng)
            scene.mask = _masks_of(network, [scene])[0]
            values["one"].append(dice(scene.mask, truth))
            scene.click_error(rng)
            values["two"].append(dice(_masks_of(network, [scene])[0], truth))
            alone = Scene(
                scene.images * np.array([0, 1], np.float32)[:, None, None, None], truth, truth & False
            )
            values["t2"].append(dice(_masks_of(network, [alone])[0], truth))
        return {name: float(np.mean(some)) for name, some in values.items()}


def perturbed(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a mask that is wrong as masks are: grown, shrunken, cut in part, or with a stray part."""
    mask = truth.copy()
    kind = rng.integers(4)
    if kind == 0:
        mask = ndimage.binary_dilation(mask, iterations=int(rng.integers(1, 4)))
    elif kind == 1:
        mask = ndimage.binary_erosion(mask, iterations=int(rng.integers(1, 4)))
    elif kind == 2 and mask.any():
        places = np.argwhere(mask)
        way = rng.standard_normal(3)
        along = places @ way
        gone = places[along > np.quantile(along, rng.uniform(0.2, 0.8))]
        mask[tuple(gone.T)] = False
    if rng.random() < 0.3:
        centre, radius = rng.uniform(0, mask.shape, 3), rng.uniform(2, 7)
        k, j, i = np.ogrid[tuple(slice(0, n) for n in mask.shape)]
        mask |= (k - centre[0]) ** 2 + (j - centre[1]) ** 2 + (i - centre[2]) ** 2 < radius**2
    return mask


def _crop(example: Example, shape: Index3, rng: np.random.Generator) -> Example:
    return (turned_crop if rng.random() < TURNED else random_crop)(example, shape, rng)


def _partial_field(example: Example, rng: np.random.Generator) -> Example:
    """Let the field of view end a little beyond the tumour now and then."""
    channels, target = example
    places = np.argwhere(target[0] > 0)
    if rng.random() > PARTIAL_FIELD or not len(places):
        return example
    axis = int(rng.integers(3))
    low, high = places[:, axis].min(), places[:, axis].max()
    channels = channels.copy()
    moved = np.moveaxis(channels, 1 + axis, 0)
    moved[: max(0, low - int(rng.integers(3, 25)))] = 0
    moved[high + int(rng.integers(3, 25)) :] = 0
    return channels, target


@torch.inference_mode()
def _masks_of(network: nn.Module, scenes: list[Scene]) -> np.ndarray:
    """Return what a network makes of scenes, in the precision in which the product asks it."""
    inputs = torch.from_numpy(np.stack([scene.channels() for scene in scenes]))
    device = next(network.parameters()).device
    with precision(device):
        logits = network(inputs.to(device, memory_format=torch.channels_last_3d))
    return (logits[:, 0] > 0).cpu().numpy()
