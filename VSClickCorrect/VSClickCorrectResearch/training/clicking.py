"""Clicks for networks that take them as channels: where a user places them, and how the network sees them.

After RITM (Sofiiuk et al. 2021): first clicks at random inside the object, later ones in the middle of the
largest error, the mask of one step being the input of the next. After RClicks (Antonov et al. 2024): no click
is exactly where it should be, and some are off target.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.geometry.triples import Index3, Point3, index3, point3
from VSClickCorrectLib.inference.click_channels import draw_clicks

JITTER_VOXELS = 1.2
OFF_TARGET = 0.05
OFF_TARGET_VOXELS = 5.0
_NEIGHBOURS = np.ones((3, 3, 3), bool)


@dataclass
class Scene:
    """One example under clicks.

    Parameters
    ----------
    images : ndarray of float32, ``(2, k, j, i)``
        T1ce and T2.
    truth : ndarray of bool, ``(k, j, i)``
        The tumour.
    mask : ndarray of bool, ``(k, j, i)``
        The mask as it is.
    include, exclude : list of tuple
        Clicks so far, voxels ``(k, j, i)``.
    """

    images: np.ndarray
    truth: np.ndarray
    mask: np.ndarray
    include: list[Point3] = field(default_factory=list)
    exclude: list[Point3] = field(default_factory=list)

    @property
    def shape(self) -> Index3:
        """Voxels along each axis."""
        return index3(self.truth.shape)

    def channels(self) -> np.ndarray:
        """Return what the network sees, float32 ``(5, k, j, i)``."""
        clicks = [draw_clicks(self.shape, some) for some in (self.include, self.exclude)]
        return np.concatenate([self.images, self.mask[None].astype(np.float32), np.stack(clicks)])

    def click_inside(self, rng: np.random.Generator) -> None:
        """Place an include click at random inside the tumour, if there is one."""
        inside = np.argwhere(self.truth)
        if len(inside):
            self.include.append(_by_hand(inside[rng.integers(len(inside))], self.shape, rng))

    def click_error(self, rng: np.random.Generator) -> None:
        """Place a click in the middle of the largest error, if there is any."""
        found = largest_error(self.truth, self.mask)
        if found is not None:
            place, missing = found
            (self.include if missing else self.exclude).append(_by_hand(place, self.shape, rng))


def largest_error(truth: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, bool] | None:
    """Return the innermost voxel of the largest connected error, and whether the mask misses it.

    Parameters
    ----------
    truth, mask : ndarray of bool, ``(k, j, i)``
        On one grid.
    """
    best: tuple[int, np.ndarray, bool] | None = None
    for wrong, missing in ((truth & ~mask, True), (mask & ~truth, False)):
        labels, count = ndimage.label(wrong, _NEIGHBOURS)
        if count == 0:
            continue
        sizes = np.bincount(labels.ravel())[1:]
        if best is None or sizes.max() > best[0]:
            best = int(sizes.max()), labels == 1 + int(sizes.argmax()), missing
    if best is None:
        return None
    _, part, missing = best
    depth = ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1, 1:-1]
    return np.array(np.unravel_index(int(depth.argmax()), depth.shape)), missing


def _by_hand(place: np.ndarray, shape: Index3, rng: np.random.Generator) -> Point3:
    spread = OFF_TARGET_VOXELS if rng.random() < OFF_TARGET else JITTER_VOXELS * rng.random()
    moved = np.clip(place + rng.normal(0, spread, 3), 0, np.array(shape) - 1)
    return point3(moved)
