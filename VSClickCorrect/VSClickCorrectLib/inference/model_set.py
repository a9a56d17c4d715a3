"""The networks that every correction needs, loaded together."""

from __future__ import annotations

from dataclasses import dataclass

from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder


@dataclass(frozen=True)
class Networks:
    """What clicks need.

    Parameters
    ----------
    corrector : Corrector
        Corrects around a click.
    segmenter : InitialSegmenter
        Finds the tumour, and answers clicks far from the border.
    """

    corrector: Corrector
    segmenter: InitialSegmenter

    @classmethod
    def load(
        cls,
        models: ModelFolder,
        device: str = "auto",
        corrector: str | None = None,
        hold_clicks: bool = False,
    ) -> Networks:
        """Load both, ready to run.

        Parameters
        ----------
        models : ModelFolder
            Where they lie.
        device : str
            As for `Corrector.load`.
        corrector : str, optional
            Which corrector; the one that the folder uses if left out.
        hold_clicks : bool
            As for `InitialSegmenter`.

        Raises
        ------
        ModelError
            If a model or the device cannot be used.
        """
        segmenter = InitialSegmenter.load(models, device, hold_clicks)
        same = segmenter.corrector if corrector is None else None
        loaded, initial = same or Corrector.load(models, corrector, device), segmenter.segmenter.entry
        if initial.adapted:
            loaded.beside = initial.identity
        return cls(loaded, segmenter)
