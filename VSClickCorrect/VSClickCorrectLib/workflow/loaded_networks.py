"""The networks that are chosen, loaded when they are first needed."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.session.correction import InitialProposer, Proposer
from VSClickCorrectLib.workflow.host import Host

if TYPE_CHECKING:
    from VSClickCorrectLib.inference.doubt_map import Doubter


class LoadedNetworks:
    """Loads networks once and keeps them until others are chosen.

    Parameters
    ----------
    host : Host
        Loads beside the event loop where it can.
    choice : Choice, optional
        Which; it may be set to another one at any time.

    Attributes
    ----------
    corrector : Proposer or None
        Loaded by `load`; anything that proposes may be put here instead.
    segmenter : InitialSegmenter or None
        Loaded with it.
    """

    def __init__(self, host: Host, choice: Choice | None = None) -> None:
        self.choice = choice or Choice()
        self.corrector: Proposer | None = None
        self.segmenter: Any = None
        self._host = host
        self._loaded: Choice | None = None
        self._lock = Lock()

    @property
    def initial_proposer(self) -> InitialProposer | None:
        """What begins a new part of a mask."""
        return self.segmenter.propose if self.segmenter else None

    @property
    def doubts(self) -> Doubter | None:
        """What tells where a mask may be wrong, None if these networks cannot."""
        return self.segmenter.doubts if self.segmenter else None

    def is_loaded(self) -> bool:
        """Whether the chosen networks need no loading."""
        return self.corrector is not None and self._loaded in (None, self.choice)

    async def load(self) -> Proposer:
        """Load the networks, if they are not there yet, and return the corrector.

        Raises
        ------
        ModelError
            If a model or the device cannot be used; those loaded before stay.
        """
        if not self.is_loaded():
            choice = self.choice
            await self._host.background(lambda: self._load(choice))
        assert self.corrector is not None  # noqa: S101, only mypy does not know it
        return self.corrector

    def _load(self, choice: Choice) -> None:
        from VSClickCorrectLib.inference.model_set import Networks

        # Whoever asks while they are being loaded waits for them.
        with self._lock:
            if self._loaded != choice or self.corrector is None:
                networks = Networks.load(choice.models, choice.device)
                self.corrector, self.segmenter, self._loaded = networks.corrector, networks.segmenter, choice
