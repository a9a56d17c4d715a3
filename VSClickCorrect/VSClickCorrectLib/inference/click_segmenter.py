"""The click-conditioned network: a box of the head, with the mask and the clicks so far as channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from scipy.special import expit

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.errors import enough_memory
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid, nearest_whole
from VSClickCorrectLib.geometry.preprocessing import sample_sequences
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid, axial_coordinates
from VSClickCorrectLib.geometry.triples import Index3, Point3, index3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.click_channels import draw_clicks
from VSClickCorrectLib.inference.plain_segmenter import Look, Model, PlainSegmenter, run, run_mirrored
from VSClickCorrectLib.inference.refinement import hold_clicks

if TYPE_CHECKING:
    from torch import nn

    from VSClickCorrectLib.networks.unet3d import UNet3D

# Large enough for the largest tumour, 32 mm across, and what it lies in.
BOX_SAMPLES = 80
# It has learned from boxes of this size, and sees better in one what fits well.
LEARNED_SAMPLES = 64


class ClickSegmenter:
    """Segments the tumour in a box; without clicks and mask it gives the initial mask.

    Parameters
    ----------
    model : Model
        ``geometry["spacing"]`` of its entry is the working voxel size.
    hold : bool
        Whether the last layer is adjusted until clicks hold, see `hold_clicks`.

    References
    ----------
    Sofiiuk et al.: Reviving Iterative Training with Mask Guidance for Interactive Segmentation, 2021.
    """

    def __init__(self, model: Model, hold: bool = False) -> None:
        self.model = model
        self._hold = hold

    def window(self, case: Case, place: Box) -> ResamplingGrid:
        """Return a box of one size around the middle of a place, a box in axial order."""
        return self._box(case.grid, (np.add(place.start, place.stop) - 1) / 2, BOX_SAMPLES)

    def window_at(self, grid: Grid, position_ras: Point3, samples: int) -> ResamplingGrid:
        """Return a box of so many samples on a side around a point, RAS mm."""
        return self._box(grid, axial_coordinates(grid, position_ras), samples)

    def _box(self, grid: Grid, center: np.ndarray, samples: int) -> ResamplingGrid:
        spacing = tuple(self.model.entry.geometry["spacing"])
        return ResamplingGrid(grid, center, ResamplingGeometry((samples,) * 3, spacing))

    def probability(
        self,
        case: Case,
        window: ResamplingGrid,
        mask: ReadableMask | None = None,
        clicks: Sequence[Click] = (),
    ) -> np.ndarray:
        """Return the probability of tumour at the native voxels of ``window.box``.

        Without clicks it is, in a box of at most 64³ samples, the mean of what is seen as it is and in the
        mirror; who clicks does not wait for as much.

        Parameters
        ----------
        case : Case
            The sequences.
        window : ResamplingGrid
            From `window`.
        mask : ReadableMask, optional
            The mask as it is; empty if left out.
        clicks : sequence of Click
            Include and exclude clicks; others, and those outside the box, are not seen.
        """
        channels = self.channels(case, window, mask, clicks)
        if self._hold:
            return window.resample_back(_held(self.model.network, channels, window, clicks))
        look = run if clicks or channels[0].size > LEARNED_SAMPLES**3 else run_mirrored
        return window.resample_back(look(self.model.network, channels))

    def look(self, case: Case, window: ResamplingGrid) -> Look:
        """Return what is seen without mask and clicks, see `Look`."""
        features, logits = _activations(self.model.network, self.channels(case, window, None, ()))
        return Look(window.resample_back(expit(logits)), features)

    def channels(
        self, case: Case, window: ResamplingGrid, mask: ReadableMask | None, clicks: Sequence[Click]
    ) -> np.ndarray:
        """Return what the network sees, float32 ``(5, slices, rows, columns)``."""
        shape = window.geometry.shape
        before = np.zeros(shape, np.float32)
        if mask is not None:
            before = (window.resample(mask.read(window.source_box)) >= 0.5).astype(np.float32)
        drawn = [
            draw_clicks(shape, [window.position(c.position_ras) for c in clicks if c.kind is kind])
            for kind in (ClickKind.INCLUDE, ClickKind.EXCLUDE)
        ]
        return np.concatenate([sample_sequences(case, window), before[None], np.stack(drawn)])


# What segments a tumour in a part of the head.
Segmenter = ClickSegmenter | PlainSegmenter


@enough_memory()
def _held(
    network: nn.Module, channels: np.ndarray, window: ResamplingGrid, clicks: Sequence[Click]
) -> np.ndarray:
    """Return probabilities that agree with the clicks in the window."""
    features, plain = _activations(network, channels)
    include, exclude = (
        _voxels_of(window, [click for click in clicks if click.kind is kind])
        for kind in (ClickKind.INCLUDE, ClickKind.EXCLUDE)
    )
    return expit(hold_clicks(features[-1], plain, include, exclude))


@enough_memory()
def _activations(network: nn.Module, channels: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Return the ``features`` of a `Look`, and what the last layer says of them, ``(k, j, i)``."""
    import torch

    from VSClickCorrectLib.inference.device import precision

    network = cast("UNet3D", network)
    device = next(network.parameters()).device
    with torch.inference_mode(), precision(device):
        stages = network.features(torch.from_numpy(channels)[None].to(device))
        logits = network.head(stages[-1])
    features = tuple(stage[0].float().cpu().numpy() for stage in (stages[0], stages[-1]))
    return features, logits[0, 0].float().cpu().numpy()


def _voxels_of(window: ResamplingGrid, clicks: Sequence[Click]) -> list[Index3]:
    """Return the samples nearest to clicks, of those in the window; of two that are, the one farther on."""
    samples = [nearest_whole(window.position(click.position_ras)).astype(int) for click in clicks]
    shape = np.array(window.geometry.shape)
    inside = [sample for sample in samples if (sample >= 0).all() and (sample < shape).all()]
    return [index3(sample) for sample in inside]
