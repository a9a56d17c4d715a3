"""The networks, loaded beside the event loop."""

from __future__ import annotations

import asyncio

from VSClickCorrectLib.inference.models import ModelFolder
from VSClickCorrectLib.inference.networks import Networks


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
        # Memory that was short may be there by now.
        if self._task is None or (self._task.done() and self._task.exception() is not None):
            self._task = asyncio.create_task(asyncio.to_thread(Networks.load, self.folder, self.device))
        return await asyncio.shield(self._task)
