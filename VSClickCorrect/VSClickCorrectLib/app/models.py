"""The networks, loaded beside the event loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.models import ModelFolder


@dataclass(frozen=True)
class Networks:
    """What clicks need.

    Parameters
    ----------
    corrector : Corrector
        Corrects around a click.
    segmenter : InitialSegmenter
        Begins a new part where an include click lies far from the mask.
    """

    corrector: Corrector
    segmenter: InitialSegmenter


class LazyNetworks:
    """Loads the networks once, in a thread: it takes seconds, and the page is to come first.

    Parameters
    ----------
    folder : ModelFolder
        Where the models lie.
    device : str
        As for `Corrector.load`.
    """

    def __init__(self, folder: ModelFolder, device: str) -> None:
        self.folder = folder
        self.device = device
        self._task: asyncio.Task[Networks] | None = None

    async def get(self) -> Networks:
        """Return the networks.

        Raises
        ------
        ModelError
            If they cannot be loaded.
        """
        if self._task is None:
            self._task = asyncio.create_task(asyncio.to_thread(self._load))
        return await asyncio.shield(self._task)

    def _load(self) -> Networks:
        return Networks(
            Corrector.load(self.folder, device=self.device), InitialSegmenter.load(self.folder, self.device)
        )
