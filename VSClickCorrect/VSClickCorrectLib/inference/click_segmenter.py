"""The click-conditioned network: a box of the head, with the mask and the clicks so far as channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from VSClickCorrectLib.imaging.click import Click, ClickKind
from VSClickCorrectLib.imaging.cuts import Readable
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.preprocessing import sample_sequences
from VSClickCorrectLib.imaging.sampling import Window, WindowGeometry, axial_coordinates
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.inference.click_channels import draw_clicks

if TYPE_CHECKING:
    from torch import nn

    from VSClickCorrectLib.inference.models import ModelEntry

# Large enough for the largest tumour, 32 mm across, and what it lies in.
BOX_SAMPLES = 80


class Model(NamedTuple):
    """An entry of the manifest, and its network on its device and in evaluation mode."""

    entry: ModelEntry
    network: nn.Module


class ClickSegmenter:
    """Segments the tumour in a box; without clicks and mask it gives the initial mask.

    Parameters
    ----------
    model : Model
        ``geometry["spacing"]`` of its entry is the working voxel size.

    References
    ----------
    Sofiiuk et al.: Reviving Iterative Training with Mask Guidance for Interactive Segmentation, 2021.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def window(self, grid: Grid, center: Sequence[float]) -> Window:
        """Return the box around continuous axial coordinates."""
        spacing = tuple(self.model.entry.geometry["spacing"])
        return Window(grid, center, WindowGeometry((BOX_SAMPLES,) * 3, spacing))

    def probability(
        self, case: Case, window: Window, mask: Readable | None = None, clicks: Sequence[Click] = ()
    ) -> np.ndarray:
        """Return the probability of tumour at the native voxels of ``window.box``.

        Parameters
        ----------
        case : Case
            The sequences.
        window : Window
            From `window`.
        mask : Readable, optional
            The mask as it is; empty if left out.
        clicks : sequence of Click
            Include and exclude clicks; others, and those outside the box, are not seen.
        """
        import torch

        from VSClickCorrectLib.inference.device import probabilities

        channels = torch.from_numpy(self.channels(case, window, mask, clicks))
        return window.restore(probabilities(self.model.network, channels[None])[0, 0].numpy())

    def channels(
        self, case: Case, window: Window, mask: Readable | None, clicks: Sequence[Click]
    ) -> np.ndarray:
        """Return what the network sees, float32 ``(5, slices, rows, columns)``."""
        shape = window.geometry.shape
        before = np.zeros(shape, np.float32)
        if mask is not None:
            before = (window.sample(mask.read(window.source_box)) >= 0.5).astype(np.float32)
        drawn = [
            draw_clicks(shape, [_sample_of(window, c) for c in clicks if c.kind is kind])
            for kind in (ClickKind.INCLUDE, ClickKind.EXCLUDE)
        ]
        return np.concatenate([sample_sequences(case, window), before[None], np.stack(drawn)])


def _sample_of(window: Window, click: Click) -> np.ndarray:
    """Return where a click lies among a window's samples."""
    offset = (axial_coordinates(window.grid, click.position_ras) - window.center) / window.steps
    return offset + (np.array(window.geometry.shape) - 1) / 2
