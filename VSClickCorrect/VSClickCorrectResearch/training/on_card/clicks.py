"""Clicks, and masks that are wrong, for many scenes at once on the card; see `training.clicking`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from VSClickCorrectLib.inference.click_channels import BALL_VOXELS

from VSClickCorrectResearch.training.clicking import JITTER_VOXELS, OFF_TARGET, OFF_TARGET_VOXELS

# Errors deeper than this are as deep as one another; around a place counts what is in a cube of that side.
_DEEPEST, _AROUND = 8, 9


@dataclass
class Scenes:
    """Examples under clicks.

    Parameters
    ----------
    images : Tensor
        T1ce and T2, float32 ``(b, 2, k, j, i)``.
    truth, mask : Tensor
        The tumours and the masks as they are, bool ``(b, k, j, i)``.
    include, exclude : Tensor
        Click channels, float32 ``(b, k, j, i)``.
    """

    images: Tensor
    truth: Tensor
    mask: Tensor
    include: Tensor
    exclude: Tensor

    @classmethod
    def of(cls, images: Tensor, truth: Tensor) -> Scenes:
        """Return scenes without masks and clicks."""
        none = torch.zeros_like(images[:, 0])
        return cls(images, truth, torch.zeros_like(truth), none, none.clone())

    def first(self, count: int) -> Scenes:
        """Return the first scenes; what changes them in place changes these."""
        parts = (self.images, self.truth, self.mask, self.include, self.exclude)
        return Scenes(*(part[:count] for part in parts))

    def channels(self) -> Tensor:
        """Return what the network sees, float32 ``(b, 5, k, j, i)``."""
        return torch.cat([self.images, torch.stack([self.mask.float(), self.include, self.exclude], 1)], 1)

    def click_inside(self, where: Tensor, generator: torch.Generator) -> None:
        """Place an include click at random inside the tumour of the scenes ``where`` that have one."""
        chance = _uniform(self.truth.shape, generator)
        self._click(chance * self.truth, where, self.include, generator)

    def click_error(self, where: Tensor, generator: torch.Generator) -> None:
        """Place a click in the middle of a large error of the scenes ``where`` that have one."""
        missing, extra = (
            (wrong, _depth(wrong) + 0.05 * _uniform(wrong.shape, generator) * wrong)
            for wrong in (self.truth & ~self.mask, self.mask & ~self.truth)
        )
        deeper = missing[1].flatten(1).amax(1) >= extra[1].flatten(1).amax(1)
        self._click(missing[1], where & deeper, self.include, generator)
        self._click(extra[1], where & ~deeper, self.exclude, generator)

    def _click(self, score: Tensor, where: Tensor, channel: Tensor, generator: torch.Generator) -> None:
        """Draw a click near the best voxel, of scenes that have one."""
        best, place = score.flatten(1).max(1)
        shape = score.shape[1:]
        places = torch.stack(torch.unravel_index(place, shape), 1).float()
        places = by_hand(places, shape, generator)
        draw_clicks(channel, places, where & (best > 0))


def by_hand(places: Tensor, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Return places as a hand hits them, a few of them off target, voxels ``(b, 3)``."""
    chance = _uniform((2, len(places), 1), generator)
    spread = torch.where(chance[0] < OFF_TARGET, OFF_TARGET_VOXELS, JITTER_VOXELS * chance[1])
    moved = places + spread * torch.randn(places.shape, generator=generator, device=places.device)
    return torch.minimum(moved.clamp(min=0), torch.tensor(shape, device=places.device) - 1)


def draw_clicks(channel: Tensor, places: Tensor, where: Tensor) -> None:
    """Add a click to the channel of each scene ``where`` that is true, as the product draws it.

    Parameters
    ----------
    channel : Tensor
        Float ``(b, k, j, i)``, changed in place.
    places : Tensor
        Voxels ``(b, 3)``.
    where : Tensor
        Bool ``(b,)``.
    """
    squares = torch.zeros_like(channel)
    for axis, size in enumerate(channel.shape[1:]):
        along = torch.arange(size, device=channel.device) - places[:, axis : axis + 1]
        squares += (along**2).view(-1, *(size if a == axis else 1 for a in range(3)))
    balls = (1.5 - 1.5 * squares.sqrt() / BALL_VOXELS).clamp(0, 1)
    torch.maximum(channel, balls * where.view(-1, 1, 1, 1), out=channel)


def perturbed(truth: Tensor, generator: torch.Generator) -> Tensor:
    """Return masks that are wrong as masks are, bool ``(b, k, j, i)``; see `click_task.perturbed`."""
    count, device = len(truth), truth.device
    kind, times = (torch.randint(n, (count, 1, 1, 1), generator=generator, device=device) for n in (4, 3))
    grown = shrunken = result = truth
    for n in range(3):
        grown, shrunken = _grown(grown), ~_grown(~shrunken)
        result = torch.where((kind == 0) & (times == n), grown, result)
        result = torch.where((kind == 1) & (times == n), shrunken, result)
    result = torch.where(kind == 2, truth & _half_space(truth, generator), result)
    stray = _uniform((count, 1, 1, 1), generator) < 0.3
    return result | (_ball(truth, generator) & stray)


def _half_space(truth: Tensor, generator: torch.Generator) -> Tensor:
    """Return a half-space for each scene that cuts off a part of its tumour."""
    way = torch.randn((len(truth), 3), generator=generator, device=truth.device)
    along = sum(way[:, a].view(-1, 1, 1, 1) * axis for a, axis in enumerate(_axes(truth)))
    size = truth.sum((1, 2, 3), keepdim=True).clamp(min=1)
    mean = (along * truth).sum((1, 2, 3), keepdim=True) / size
    deviation = ((along - mean).square() * truth).sum((1, 2, 3), keepdim=True).div(size).sqrt()
    return along <= mean + deviation * (2 * _uniform(mean.shape, generator) - 1)


def _ball(truth: Tensor, generator: torch.Generator) -> Tensor:
    """Return a ball anywhere in each scene, of a radius of 2 to 7 voxels."""
    chance = _uniform((4, len(truth), 1, 1, 1), generator)
    squares = sum((axis - chance[a] * truth.shape[1 + a]).square() for a, axis in enumerate(_axes(truth)))
    return squares < (2 + 5 * chance[3]).square()


def _axes(truth: Tensor) -> list[Tensor]:
    """Return each voxel's place along each axis, to be broadcast to ``(k, j, i)``."""
    return [
        torch.arange(size, device=truth.device, dtype=torch.float32).view(
            *(size if a == axis else 1 for a in range(3))
        )
        for axis, size in enumerate(truth.shape[1:])
    ]


def _grown(masks: Tensor) -> Tensor:
    """Return masks grown by their six neighbours."""
    one = _numbers(masks)
    grown = one
    for axis in range(3):
        around = functional.max_pool3d(one, _along(axis, 3), 1, _along(axis, 1, 0))
        grown = torch.maximum(grown, around)
    return grown[:, 0] > 0


def _depth(wrong: Tensor) -> Tensor:
    """Return how deep inside an error each voxel lies, and a little of how much error there is around it.

    So the deepest voxel of the largest error has the highest value, but for an error that is deeper though
    smaller; 0 where nothing is wrong. Depths are Chebyshev's, float ``(b, k, j, i)``.
    """
    now = _numbers(wrong)
    around, right = now, 1 - now
    layers = right.clone()
    # Axis by axis: a cube of 9 is 27 samples to a card instead of 729, one of 3 is 9 instead of 27.
    for axis in range(3):
        around = functional.avg_pool3d(around, _along(axis, _AROUND), 1, _along(axis, _AROUND // 2, 0))
    for _ in range(_DEEPEST - 1):
        # Beyond the crop lies no error.
        right = functional.pad(right, (1,) * 6, value=1.0)
        for axis in range(3):
            right = functional.max_pool3d(right, _along(axis, 3), 1)
        layers += right
    return ((_DEEPEST - layers + 2 * around)[:, 0] * wrong).float()


def _numbers(masks: Tensor) -> Tensor:
    return masks[:, None].half() if masks.is_cuda else masks[:, None].float()


def _along(axis: int, size: int, others: int = 1) -> list[int]:
    return [size if a == axis else others for a in range(3)]


def _uniform(shape, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device)
