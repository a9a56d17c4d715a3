"""The networks that every correction needs, loaded together."""

from __future__ import annotations

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
        Finds the tumour, and begins a new part where an include click lies far from the mask.
    """

    corrector: Corrector
    segmenter: InitialSegmenter

    @classmethod
    def load(cls, models: ModelFolder, device: str = "auto", corrector: str | None = None) -> Networks:
        """Load both, ready to run.

        Parameters
        ----------
        models : ModelFolder
            Where they lie.
        device : str
            As for `Corrector.load`.
        corrector : str, optional
            Which corrector; the folder's first if left out.

        Raises
        ------
        ModelError
            If a model or the device cannot be used.
        """
        return cls(Corrector.load(models, corrector, device), InitialSegmenter.load(models, device))
