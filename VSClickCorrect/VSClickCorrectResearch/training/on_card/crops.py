"""Crops of boxes on the card, as other patients and scanners would give them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from VSClickCorrectLib.geometry.triples import Index3, index3

from VSClickCorrectResearch.training.augmentation import augment, leave_out
from VSClickCorrectResearch.training.click_task import PARTIAL_FIELD
from VSClickCorrectResearch.training.examples import TURNED, random_start, random_turn
from VSClickCorrectResearch.training.experiments import Examples
from VSClickCorrectResearch.training.on_card.boxes import STEPS

# Beyond the tumour, where a field of view ends now and then, voxels.
_FIELD_ENDS = (3, 25)
_AXES = (2, 3, 4)

Boxes = list[tuple[Tensor, Tensor]]
AffineMap = tuple[np.ndarray, np.ndarray]


def random_crops(
    boxes: Boxes, count: int, side: int, wanted: Examples, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return crops of boxes at random.

    Parameters
    ----------
    boxes : list
        As of `BoxPool`.
    count, side : int
        Crops, and the voxels along each of their sides.
    wanted : Examples
        How often a sequence is left out.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    images : Tensor
        T1ce and T2, float32 ``(count, 2, side, side, side)``, on the card.
    share : Tensor
        The share of each voxel that is tumour, float32 ``(count, 1, side, side, side)``.
    """
    chosen = [boxes[int(rng.integers(len(boxes)))] for _ in range(count)]
    shape = index3((side,) * 3)
    maps = [_random_map(box, inside, shape, rng) for box, inside in chosen]
    crops = sampled([box for box, _ in chosen], maps, side) / STEPS
    images, share = within_fields(crops[:, :2], crops[:, 2:], rng)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    images, share = augment(images, share, generator)
    return leave_out(images, wanted.missing_t1ce, wanted.missing_t2, generator), share


def _random_map(box: Tensor, inside: Tensor, shape: Index3, rng: np.random.Generator) -> AffineMap:
    start = random_start(box.shape[1:], inside.numpy(), shape, rng)
    return random_turn(start, shape, rng) if rng.random() < TURNED else (np.eye(3), start)


def sampled(boxes: Sequence[Tensor], maps: Sequence[AffineMap], side: int) -> Tensor:
    """Return what boxes hold at the voxels of crops, float32 ``(b, c, side, side, side)``; 0 outside.

    Parameters
    ----------
    boxes : sequence of Tensor
        Each ``(c, k, j, i)``, all with as many channels.
    maps : sequence of tuple
        Matrix and offset from each crop's voxels to its box's, ``(k, j, i)``.
    side : int
        Voxels along each side of a crop.
    """
    shape = [len(boxes), 3, side, side, side]
    grids = [_in_torchs_way(*one, box.shape[1:], side) for one, box in zip(maps, boxes, strict=True)]
    theta = torch.from_numpy(np.stack(grids)).float().to(boxes[0].device)
    places = functional.affine_grid(theta, shape, align_corners=True)
    crops = [
        functional.grid_sample(box[None].float(), place[None], align_corners=True)
        for box, place in zip(boxes, places, strict=True)
    ]
    return torch.cat(crops)


def _in_torchs_way(matrix: np.ndarray, offset: np.ndarray, size: Sequence[int], side: int) -> np.ndarray:
    """Return a map of voxels, ``(k, j, i)``, as one of ranges from -1 to 1, ``(x, y, z)``."""
    half, per_voxel = (side - 1) / 2, 2 / (np.array(size) - 1)
    scaled = per_voxel[:, None] * matrix * half
    moved = per_voxel * (matrix @ np.full(3, half) + offset) - 1
    return np.column_stack([scaled[::-1, ::-1], moved[::-1]])


def within_fields(images: Tensor, share: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return crops whose field of view ends a little beyond the tumour now and then, along one axis."""
    count, side, device = len(images), images.shape[-1], images.device
    voxels = torch.arange(side, device=device)
    kept = torch.ones_like(share, dtype=torch.bool)
    margins = torch.from_numpy(rng.integers(*_FIELD_ENDS, (2, count, 1))).to(device)
    # An axis that no crop has stands for a field that does not end.
    ends = np.where(rng.random(count) < PARTIAL_FIELD, rng.choice(_AXES, count), 0)
    chosen = torch.from_numpy(ends).to(device)
    for axis in _AXES:
        tumour = (share > 0).amax(dim=[a for a in (1, *_AXES) if a != axis])
        low = torch.where(tumour, voxels, side).amin(1, keepdim=True) - margins[0]
        high = torch.where(tumour, voxels, -1).amax(1, keepdim=True) + margins[1]
        outside = ((voxels < low) | (voxels > high)) & (tumour.any(1) & (chosen == axis))[:, None]
        kept &= ~outside.view(count, 1, *(side if a == axis else 1 for a in _AXES))
    return images * kept, share
