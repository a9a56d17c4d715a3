"""What a tumour is made of and what lies beside it, told by a softmax network in a box around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from VSClickCorrectLib.clicks.mask import Mask, largest_part
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.errors import CorrectionError, ModelError, enough_memory
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.preprocessing import MULTIPLE, sample_volume
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid
from VSClickCorrectLib.geometry.triples import index3, point3
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import MASK
from VSClickCorrectLib.inference.plain_segmenter import Model
from VSClickCorrectLib.measure.tumour_parts import tumour_numbers

if TYPE_CHECKING:
    import torch
    from torch import nn

# A network sees so much around a tumour at the least, also around one that is larger than its box.
_MARGIN_MM = 10.0
_MAX_SAMPLES = 1 << 22


class Sequences(Protocol):
    """What a tumour is parted on: a `Case`, or one of other sequences."""

    @property
    def grid(self) -> Grid:
        """The native grid."""

    @property
    def sequences(self) -> Mapping[str, Volume | None]:
        """The sequences by name."""


@dataclass(frozen=True, eq=False)
class FoundParts:
    """What a model of parts has found.

    Parameters
    ----------
    classes : tuple of str
        What the numbers stand for, from 1 on.
    box : Box
        Where the model looked; it holds the whole tumour.
    numbers : ndarray of uint8
        The class of each voxel of the box, 0 for none.
    """

    classes: tuple[str, ...]
    box: Box
    numbers: np.ndarray

    def voxels(self, name: str) -> np.ndarray:
        """Return the voxels of a class in the box, bool."""
        return self.numbers == 1 + self.classes.index(name)


class PartsSegmenter:
    """Parts a tumour whose mask is there already; it never adds to the tumour or takes from it.

    Every voxel of the mask gets the likeliest of the tumour's classes. Other classes are what the network
    takes for them outside of the mask, of each the largest connected part.

    Parameters
    ----------
    model : Model
        Of the role ``parts``.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._tumour = tumour_numbers(model.entry.classes)

    @classmethod
    def load(cls, models: ModelFolder, device: str = "auto", name: str | None = None) -> PartsSegmenter:
        """Load the folder's first model of that role, or that of a name.

        Raises
        ------
        ModelError
            If there is none, or it or the device cannot be used.
        """
        entry = models.entry("parts", name)
        return cls(Model(entry, models.load(entry, device)))

    def find(self, case: Sequences, mask: Mask) -> FoundParts:
        """Part a tumour.

        Parameters
        ----------
        case : Sequences
            The sequences.
        mask : Mask
            The tumour; it is read only.

        Raises
        ------
        CorrectionError
            If the mask is empty.
        ModelError
            If the model needs a sequence that no case has.
        """
        extent = mask.extent()
        if extent is None:
            raise CorrectionError("the mask is empty, so there is nothing to part; find the tumour first.")
        window = self.window(case.grid, extent)
        shares = class_shares(self.model.network, self.channels(case.sequences, mask, window))
        likely = np.stack([window.resample_back(share) for share in shares])
        return FoundParts(
            tuple(self.model.entry.classes), window.box, self._numbers(likely, mask.read(window.box))
        )

    def window(self, grid: Grid, extent: Box) -> ResamplingGrid:
        """Return the model's box around a mask, larger if the mask is; ``extent`` is ``(k, j, i)``.

        Raises
        ------
        CorrectionError
            If the mask is larger than any tumour.
        """
        axial = grid.box_in(grid.axial_order(), extent)
        spacing = np.array(self.model.entry.geometry["spacing"])
        needed = np.array(axial.shape) * grid.axial_spacing + 2 * _MARGIN_MM
        counts = np.maximum(self.model.entry.geometry["shape"], np.ceil(needed / spacing))
        shape = index3(MULTIPLE * np.ceil(counts / MULTIPLE))
        if np.prod(shape) > _MAX_SAMPLES:
            raise CorrectionError(
                "the mask is larger than any tumour, so it cannot be parted; correct it first."
            )
        centre = (np.add(axial.start, axial.stop) - 1) / 2
        return ResamplingGrid(grid, centre, ResamplingGeometry(shape, point3(spacing)))

    def channels(
        self, sequences: Mapping[str, Volume | None], mask: ReadableMask, window: ResamplingGrid
    ) -> np.ndarray:
        """Return what the network sees, float32 ``(channels, slices, rows, columns)``; 0 if missing."""
        seen = [self._channel(name, sequences, mask, window) for name in self.model.entry.channels]
        return np.stack(seen).astype(np.float32)

    def _channel(
        self, name: str, sequences: Mapping[str, Volume | None], mask: ReadableMask, window: ResamplingGrid
    ) -> np.ndarray:
        if name == MASK:
            return window.resample(mask.read(window.source_box)) >= 0.5
        if name not in sequences:
            raise ModelError(
                f"the model {self.model.entry.name} needs the sequence '{name}', but here there are "
                f"{', '.join(sequences)}; choose another model."
            )
        return sample_volume(sequences[name], window)

    def _numbers(self, likely: np.ndarray, mask: np.ndarray) -> np.ndarray:
        numbers = np.zeros(mask.shape, np.uint8)
        best = likely.argmax(axis=0)
        for number in range(1, len(likely)):
            if number not in self._tumour:
                numbers[largest_part((best == number) & ~mask)] = number
        ours = np.array(self._tumour)
        numbers[mask] = ours[likely[ours].argmax(axis=0)][mask]
        return numbers


@enough_memory()
def class_shares(network: nn.Module, channels: np.ndarray | torch.Tensor, exact: bool = False) -> np.ndarray:
    """Return a softmax network's probabilities, float32 ``(1 + classes, k, j, i)``, the background first.

    Parameters
    ----------
    network : nn.Module
        On its device, in evaluation mode.
    channels : ndarray of float32
        ``(channels, k, j, i)``.
    exact : bool
        In float32, even where the device has a faster precision.
    """
    import torch

    from VSClickCorrectLib.inference.device import logits_of

    logits = logits_of(network, torch.as_tensor(channels)[None], exact)
    return torch.softmax(logits[0], 0).cpu().numpy()
