"""What is trained: the locator, the initial model and the corrector, each with its data, loss and score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from VSClickCorrectLib.imaging.cuts import CutGeometry
from VSClickCorrectLib.networks.registry import build
from VSClickCorrectLib.training.augmentation import augment
from VSClickCorrectLib.training.cohort import CohortCase, read_cohort
from VSClickCorrectLib.training.examples import Example, crop_source, cut_examples, random_crop
from VSClickCorrectLib.training.loop import Batch, Loss, Schedule, fit
from VSClickCorrectLib.training.losses import focal_tversky, volumetric_correction_loss, weighted_bce

_MASKS_PER_CASE = 8
_VALIDATION_MASKS = 2


@dataclass(frozen=True)
class Recipe:
    """One training.

    Parameters
    ----------
    role : str
        ``"locator"``, ``"initial"`` or ``"corrector"``.
    network, parameters
        Name in the registry and its parameters.
    geometry : dict
        As in the manifest's entry.
    batch : int
        Samples a step.
    crop : tuple of int
        Crop shape (slices, rows, columns) of the initial networks.
    reach_mm : float
        How far the target reaches beyond the tumour.
    """

    role: str
    network: str
    parameters: dict[str, Any]
    geometry: dict[str, Any]
    batch: int
    loss: Loss
    crop: tuple[int, int, int] = (0, 0, 0)
    reach_mm: float = 0.0


def _initial_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Focal Tversky as the thesis chose, with cross-entropy so that crops without a tumour teach too."""
    return focal_tversky(logits, target) + nn.functional.binary_cross_entropy_with_logits(logits, target)


def _locator_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Weigh the few voxels of a tumour at low resolution more, else nothing is learnt from them."""
    return focal_tversky(logits, target) + weighted_bce(logits, target)


def _corrector_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Add cross-entropy, for slices that hold no tumour, to the thesis's loss for cuts of several slices."""
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, target)
    return volumetric_correction_loss(logits[:, None], target[:, None]) + entropy


RECIPES = {
    "locator": Recipe(
        "locator",
        "unet3d",
        {"in_channels": 2, "out_channels": 1, "channels": [8, 16, 32, 64]},
        {"spacing": [3.0, 3.0, 3.0]},
        batch=4,
        crop=(32, 48, 48),
        reach_mm=4.0,
        loss=_locator_loss,
    ),
    "initial": Recipe(
        "initial",
        "unet3d",
        {"in_channels": 2, "out_channels": 1, "channels": [16, 32, 64, 128]},
        {"spacing": [1.5, 0.75, 0.75]},
        batch=2,
        crop=(24, 64, 64),
        loss=_initial_loss,
    ),
    "corrector": Recipe(
        "corrector",
        "multi_encoder_unet2d",
        {
            "image_channels": 10,
            "mask_channels": 10,
            "out_channels": 5,
            "channels": [32, 64, 128, 256],
            "dropout": 0.1,
        },
        {"size": 48, "pixel_mm": 0.6, "slices": 5, "slice_mm": 1.5, "click_map": True},
        batch=32,
        loss=_corrector_loss,
    ),
}


def train(
    recipe: Recipe,
    training: Path,
    validation: Path,
    output: Path,
    schedule: Schedule,
    seed: int,
    weights: Path | None = None,
) -> float:
    """Train one network on a cohort and keep its best weights in ``output``.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    training, validation : Path
        Cohort folders.
    output : Path
        Where weights and log go.
    schedule : Schedule
        How long and how fast.
    seed : int
        Of initial weights, examples and batches.
    weights : Path, optional
        Weights to go on from, as an earlier training wrote them.

    Returns
    -------
    float
        The best validation score: mean soft DSC over the validation examples.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = build(recipe.network, **recipe.parameters)
    if weights is not None:
        network.load_state_dict(load_file(weights))
    layout = torch.channels_last if recipe.role == "corrector" else torch.channels_last_3d
    network = network.to(memory_format=layout)  # type: ignore[call-overload]
    maker = _cut_task if recipe.role == "corrector" else _crop_task
    batches, score = maker(recipe, read_cohort(training), read_cohort(validation), rng, seed)
    return fit(network, batches, recipe.loss, score, schedule, output)


def _cut_task(
    recipe: Recipe, training: Sequence[CohortCase], validation: Sequence[CohortCase], rng, seed: int
):
    geometry = CutGeometry(**recipe.geometry)
    train_set = _stacked(_cuts(training, geometry, _MASKS_PER_CASE, rng))
    # The same validation examples whatever the training's seed.
    held_back = _stacked(_cuts(validation, geometry, _VALIDATION_MASKS, np.random.default_rng(0)))
    print(f"{len(train_set[0])} training and {len(held_back[0])} validation cuts", flush=True)

    def draw() -> Example:
        chosen = rng.integers(len(train_set[0]), size=recipe.batch)
        return train_set[0][chosen], train_set[1][chosen]

    return _batches(draw, seed), _scorer(_in_parts(held_back, 64))


def _crop_task(
    recipe: Recipe, training: Sequence[CohortCase], validation: Sequence[CohortCase], rng, seed: int
):
    spacing = recipe.geometry["spacing"]
    sources = [crop_source(case, spacing, recipe.reach_mm) for case in training]
    fixed = np.random.default_rng(0)
    held_back = [
        random_crop(crop_source(c, spacing, recipe.reach_mm), recipe.crop, fixed) for c in validation
    ]
    print(f"{len(sources)} training and {len(held_back)} validation cases", flush=True)

    def draw() -> Example:
        crops = [
            random_crop(sources[n], recipe.crop, rng) for n in rng.integers(len(sources), size=recipe.batch)
        ]
        return _stacked(crops)

    return _batches(draw, seed), _scorer(_in_parts(_stacked(held_back), 2))


def _cuts(cases: Sequence[CohortCase], geometry: CutGeometry, masks: int, rng) -> Iterator[Example]:
    for case in cases:
        if case.truth.any():
            yield from cut_examples(case, geometry, masks, rng)


def _stacked(examples) -> Example:
    channels, targets = zip(*examples, strict=True)
    return np.stack(channels), np.stack(targets)


def _in_parts(examples: Example, size: int) -> list[Example]:
    return [(examples[0][n : n + size], examples[1][n : n + size]) for n in range(0, len(examples[0]), size)]


def _batches(draw: Callable[[], Example], seed: int) -> Iterator[Batch]:
    generator = torch.Generator().manual_seed(seed)
    while True:
        channels, targets = (torch.from_numpy(array).float() for array in draw())
        channels, targets = augment(channels, targets, generator)
        yield _as_network_sees(channels, targets)


def _as_network_sees(channels: torch.Tensor, targets: torch.Tensor) -> Batch:
    """Cuts (four channels) go to 2D networks slice by slice as channels; crops stay volumes."""
    if channels.shape[1] > 2:  # noqa: PLR2004
        return channels.flatten(1, 2).contiguous(memory_format=torch.channels_last), targets
    return channels.contiguous(memory_format=torch.channels_last_3d), targets[:, None]


def _scorer(parts: list[Example]) -> Callable[[nn.Module], float]:
    """Return the mean soft DSC (of probabilities, unthresholded) over the held-back examples with tumour.

    Early on no probability passes a threshold, and the score must tell even then whether it gets better.
    """

    @torch.inference_mode()
    def score(network: nn.Module) -> float:
        values = []
        for channels, targets in parts:
            inputs, wanted = _as_network_sees(
                torch.from_numpy(channels).float(), torch.from_numpy(targets).float()
            )
            found, true = torch.sigmoid(network(inputs)).flatten(1), wanted.flatten(1)
            overlap = 2 * (found * true).sum(1) / (found.sum(1) + true.sum(1)).clamp(min=1e-3)
            values += overlap[true.any(1)].tolist()
        return float(np.mean(values))

    return score
