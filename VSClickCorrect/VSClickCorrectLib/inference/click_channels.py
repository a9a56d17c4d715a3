"""How a click-conditioned network sees clicks: a channel of soft balls for each kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from VSClickCorrectLib.geometry.triples import Index3

# Large enough to be seen after two poolings, small enough to tell neighbours apart.
BALL_VOXELS = 3.0


def draw_clicks(shape: Index3, clicks: Iterable[Sequence[float] | np.ndarray]) -> np.ndarray:
    """Return a channel of clicks, float32, 1 at each and falling to 0 at `BALL_VOXELS`.

    Parameters
    ----------
    shape : tuple of int
        ``(k, j, i)`` of the box.
    clicks : iterable of 3 float
        Positions, ``(k, j, i)`` of the box; those outside are not seen.
    """
    channel = np.zeros(shape, np.float32)
    for click in clicks:
        low = np.maximum(np.ceil(np.array(click) - BALL_VOXELS).astype(int), 0)
        high = np.minimum(np.floor(np.array(click) + BALL_VOXELS).astype(int) + 1, shape)
        if (low >= high).any():
            continue
        place = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        k, j, i = np.ogrid[place]
        distance = np.sqrt((k - click[0]) ** 2 + (j - click[1]) ** 2 + (i - click[2]) ** 2)
        ball = np.clip(1.5 - 1.5 * distance / BALL_VOXELS, 0, 1).astype(np.float32)
        np.maximum(channel[place], ball, out=channel[place])
    return channel
