"""The corrector: from clicks to proposals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.clicks.patches import PatchGeometry, ReadableMask, extract_patch, patch_grid
from VSClickCorrectLib.errors import ModelError, enough_memory
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import ModelEntry
from VSClickCorrectLib.inference.sharpening import seen_from_around

if TYPE_CHECKING:
    import torch
    from torch import nn


class Corrector:
    """A correction network and the cuts it was trained on.

    Parameters
    ----------
    entry : ModelEntry
        What the network is.
    network : torch.nn.Module
        On its device, in evaluation mode.

    Attributes
    ----------
    beside : str
        The identity of a network that has learned and answers clicks, too; empty if there is none.
    """

    def __init__(self, entry: ModelEntry, network: nn.Module) -> None:
        self.entry = entry
        self.network = network
        self.beside = ""
        self.geometry = PatchGeometry(**entry.geometry)

    @property
    def identity(self) -> str:
        """Name of the model and the beginning of its weights' hash; of the one beside it, too."""
        return ", ".join(filter(None, (self.entry.identity, self.beside)))

    @property
    def patch_shape(self) -> tuple[int, int, int, int]:
        """Channels, slices, rows and columns of a cut."""
        return (4 if self.geometry.click_map else 3, *self.geometry.window.shape)

    @classmethod
    def load(cls, models: ModelFolder, name: str | None = None, device: str = "auto") -> Corrector:
        """Load a corrector and run it once, so that the first click is as fast as the tenth.

        Raises
        ------
        ModelError
            If the model or the device cannot be used.
        """
        entry = models.entry("corrector", name)
        corrector = cls(entry, models.load(entry, device))
        try:
            corrector.run(np.zeros((1, *corrector.patch_shape), np.float32))
        except RuntimeError as error:
            raise ModelError(
                f"the corrector {entry.name} cannot run here ({str(error).splitlines()[0]}); "
                "install the models again or choose another device."
            ) from None
        return corrector

    @enough_memory()
    def propose(self, case: Case, mask: ReadableMask, clicks: Sequence[Click]) -> list[Proposal]:
        """Propose corrections around clicks, all seen on the mask as it is now.

        Boundary clicks are looked at from places around them, too.

        Parameters
        ----------
        case : Case
            The sequences on their native grid.
        mask : ReadableMask
            The mask.
        clicks : sequence of Click
            The clicks of one application.

        Raises
        ------
        ImageError
            If a click lies outside the image.
        """
        return seen_from_around(self, case, mask, self.see(case, mask, clicks))

    def see(
        self, case: Case, mask: ReadableMask, clicks: Sequence[Click], narrower: bool = False
    ) -> list[Proposal]:
        """Return what the network says of each click by itself; other arguments and errors as `propose`.

        Narrower cuts take less time: by one pixel of the network's last stage, if that is a quarter at most.
        That is 40 pixels instead of 48 after three halvings.
        """
        from VSClickCorrectLib.networks.registry import halvings

        step, size = 2 ** halvings(self.entry.network, self.entry.parameters), self.geometry.size
        geometry = replace(self.geometry, size=size - step if narrower and 1 < step <= size / 4 else size)
        windows = [patch_grid(case.grid, click, geometry) for click in clicks]
        cuts = [
            extract_patch(case, mask, window, geometry, click)
            for window, click in zip(windows, clicks, strict=True)
        ]
        outputs = self.run(np.stack(cuts))
        return [
            Proposal(click, window.box, window.resample_back(output), self.entry.threshold)
            for click, window, output in zip(clicks, windows, outputs, strict=True)
        ]

    def run(self, cuts: np.ndarray) -> np.ndarray:
        """Run the network.

        Parameters
        ----------
        cuts : ndarray of float32
            ``(clicks, channels, slices, size, size)``.

        Returns
        -------
        ndarray of float32
            Probabilities, ``(clicks, slices, size, size)``.
        """
        import torch

        from VSClickCorrectLib.inference.device import one_thread, probabilities
        from VSClickCorrectLib.networks.registry import dimensions

        seen = network_input(torch.from_numpy(cuts), dimensions(self.entry.network))
        with one_thread():
            outputs = probabilities(self.network, seen)
        return outputs.reshape(len(cuts), *cuts.shape[2:]).numpy()


def network_input(cuts: torch.Tensor, dimensions: int) -> torch.Tensor:
    """Return cuts ``(b, channels, slices, size, size)`` as a network of 2 or 3 dimensions takes them.

    A 2D network sees the slices of each channel side by side as channels of its own.
    """
    return cuts.flatten(1, 2) if dimensions == 2 else cuts
