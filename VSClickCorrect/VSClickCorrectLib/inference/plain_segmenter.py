"""A segmentation network that is shown a part of the head, and what is asked of any such network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.click import Click
from VSClickCorrectLib.imaging.cuts import Readable
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.preprocessing import covering_window, sample_sequences
from VSClickCorrectLib.imaging.sampling import Window
from VSClickCorrectLib.imaging.volume import Case

if TYPE_CHECKING:
    from torch import nn

    from VSClickCorrectLib.inference.models import ModelEntry

# Around a candidate, so that the network sees what the tumour lies in.
MARGIN_MM = 14.0


class Model(NamedTuple):
    """An entry of the manifest, and its network on its device and in evaluation mode."""

    entry: ModelEntry
    network: nn.Module


class Segmenter(Protocol):
    """What segments a tumour in a part of the head."""

    model: Model

    def window(self, grid: Grid, place: Box) -> Window:
        """Return what the network is shown of a place, a box in axial order."""

    def probability(
        self, case: Case, window: Window, mask: Readable | None = None, clicks: Sequence[Click] = ()
    ) -> np.ndarray:
        """Return the probability of tumour at the native voxels of ``window.box``."""


class PlainSegmenter:
    """A network of two channels, which sees a place with a margin, whatever size that has.

    Parameters
    ----------
    model : Model
        ``geometry["spacing"]`` of its entry is the working voxel size.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def window(self, grid: Grid, place: Box) -> Window:
        """See `Segmenter.window`."""
        margin = axial_voxels(grid, MARGIN_MM)
        return covering_window(grid, place.padded(margin), tuple(self.model.entry.geometry["spacing"]))

    def probability(
        self, case: Case, window: Window, mask: Readable | None = None, clicks: Sequence[Click] = ()
    ) -> np.ndarray:
        """See `Segmenter.probability`; neither the mask nor clicks are seen by the network."""
        del mask, clicks
        return window.restore(run(self.model.network, sample_sequences(case, window)))


def axial_voxels(grid: Grid, length_mm: float) -> tuple[int, int, int]:
    """Return a length as whole voxels in axial order, rounded up."""
    k, j, i = (int(n) for n in np.ceil(length_mm / grid.axial_spacing))
    return k, j, i


def sampled(model: Model, case: Case, window: Window) -> np.ndarray:
    """Return the sequences in a window, and zeros where a model takes mask and clicks, too; float32."""
    sequences = sample_sequences(case, window)
    missing = model.entry.parameters["in_channels"] - len(sequences)
    return np.concatenate([sequences, np.zeros((missing, *sequences.shape[1:]), np.float32)])


def run(network: nn.Module, channels: np.ndarray) -> np.ndarray:
    """Return a network's probabilities, float32 ``(k, j, i)``, for channels ``(c, k, j, i)``."""
    import torch

    from VSClickCorrectLib.inference.device import probabilities

    return probabilities(network, torch.from_numpy(channels)[None])[0, 0].numpy()
