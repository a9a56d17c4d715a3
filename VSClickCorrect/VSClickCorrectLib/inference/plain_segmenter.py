"""A segmentation network that is shown a part of the head, and what is asked of any such network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.preprocessing import covering_grid, sample_sequences
from VSClickCorrectLib.geometry.resampling import ResamplingGrid
from VSClickCorrectLib.geometry.triples import Index3, index3
from VSClickCorrectLib.geometry.volume import Case

if TYPE_CHECKING:
    from torch import nn

    from VSClickCorrectLib.inference.model_entry import ModelEntry

# Around a candidate, so that the network sees what the tumour lies in.
MARGIN_MM = 14.0


class Model(NamedTuple):
    """An entry of the manifest, and its network on its device and in evaluation mode."""

    entry: ModelEntry
    network: nn.Module


class Look(NamedTuple):
    """What a network sees in a window.

    Parameters
    ----------
    probability : ndarray of float32
        Of tumour, at the native voxels of the window's ``box``.
    features : tuple of ndarray of float32
        What the deepest and the last stage of its decoder see, ``(c, k, j, i)``: a value for several samples
        along each axis, and one for each; none if not known.
    """

    probability: np.ndarray
    features: tuple[np.ndarray, ...] = ()


class PlainSegmenter:
    """A network of two channels, which sees a place with a margin, whatever size that has.

    Parameters
    ----------
    model : Model
        ``geometry["spacing"]`` of its entry is the working voxel size.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def window(self, case: Case, place: Box) -> ResamplingGrid:
        """Return what the network is shown of a place, a box in axial order."""
        margin = axial_voxels(case.grid, MARGIN_MM)
        return covering_grid(case.grid, place.padded(margin), tuple(self.model.entry.geometry["spacing"]))

    def channels(self, case: Case, window: ResamplingGrid) -> np.ndarray:
        """Return what the network sees, float32 ``(2, slices, rows, columns)``."""
        return sample_sequences(case, window)

    def probability(
        self,
        case: Case,
        window: ResamplingGrid,
        mask: ReadableMask | None = None,
        clicks: Sequence[Click] = (),
    ) -> np.ndarray:
        """Return the probability of tumour at the native voxels of ``window.box``.

        Neither the mask nor clicks are seen by the network.
        """
        del mask, clicks
        return window.resample_back(run(self.model.network, self.channels(case, window)))

    def look(self, case: Case, window: ResamplingGrid) -> Look:
        """Return what is seen, see `Look`; of its features nothing is known."""
        return Look(self.probability(case, window))


def axial_voxels(grid: Grid, length_mm: float) -> Index3:
    """Return a length as whole voxels in axial order, rounded up."""
    return index3(np.ceil(length_mm / grid.axial_spacing))


def run(network: nn.Module, channels: np.ndarray) -> np.ndarray:
    """Return a network's probabilities, float32 ``(k, j, i)``, for channels ``(c, k, j, i)``."""
    return run_together(network, [channels])[0]


def run_together(network: nn.Module, each: Sequence[np.ndarray]) -> np.ndarray:
    """Return a network's probabilities, float32 ``(n, k, j, i)``, for channels ``(c, k, j, i)`` of one shape.

    Together they take less time than one by one: threads meet half as often, once a layer.
    """
    import torch

    from VSClickCorrectLib.inference.device import probabilities

    return probabilities(network, torch.from_numpy(np.stack(each)))[:, 0].numpy()


def run_mirrored(network: nn.Module, channels: np.ndarray) -> np.ndarray:
    """Return the mean of what a network sees as it is and with left and right mirrored, as `run`."""
    # What it sees in the mirror differs where it errs.
    seen, mirrored = run_together(network, [channels, np.flip(channels, -1)])
    return (seen + np.flip(mirrored, -1)) / 2
