"""Windows: which intensities of an MR sequence are told apart, from the darkest to the brightest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from VSClickCorrectLib.geometry.volume import without_fill

Window = tuple[float, float]

# Percentiles of the voxels that are no air: narrow for soft tissue, bright for what takes up contrast or is
# fluid, wide for all but stray voxels.
_PERCENTILES: Mapping[str, Window] = MappingProxyType(
    {"narrow": (10.0, 95.0), "bright": (50.0, 99.9), "wide": (0.0, 99.9)}
)
AUTOMATIC, FULL = "automatic", "full"
PRESETS = (AUTOMATIC, *_PERCENTILES, FULL)
# So many voxels tell the percentiles of millions well enough.
_ENOUGH = 500_000
# Pixels of a drag that change a window by its own automatic width.
_DRAG_PX = 300.0


def window_presets(values: np.ndarray, automatic: Window) -> dict[str, Window]:
    """Return the windows that are offered for a sequence.

    Parameters
    ----------
    values : ndarray
        Its intensities, of any shape.
    automatic : tuple of float
        The window with which it was opened.

    Returns
    -------
    dict
        By the names of `PRESETS`: the darkest and the brightest intensity, the second above the first.
    """
    flat = without_fill(values.reshape(-1)[:: max(1, values.size // _ENOUGH)])
    head = flat[flat > flat.mean()] if flat.size and flat.min() < flat.max() else flat
    found = {name: np.percentile(head, ends) for name, ends in _PERCENTILES.items()}
    found["wide"][0] = flat.min()
    windows = {AUTOMATIC: automatic, **found, FULL: (values.min(), values.max())}
    return {name: ordered(float(low), float(high)) for name, (low, high) in windows.items()}


def dragged(window: Window, right: float, up: float, automatic: Window) -> Window:
    """Return a window after a drag: wider to the right, brighter upward.

    Parameters
    ----------
    window : tuple of float
        As it was.
    right, up : float
        The drag, pixels.
    automatic : tuple of float
        The window with which the sequence was opened; its width says how fast a drag changes it.
    """
    unit = (automatic[1] - automatic[0]) / _DRAG_PX
    level = (window[0] + window[1]) / 2 - up * unit
    width = max(unit, window[1] - window[0] + right * unit)
    return level - width / 2, level + width / 2


def ordered(low: float, high: float) -> Window:
    """Return a window whose ends differ, as nothing can be told apart otherwise."""
    return low, high if high > low else low + 1.0
