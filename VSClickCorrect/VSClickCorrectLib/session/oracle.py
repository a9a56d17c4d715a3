"""A stand-in for the correction network that knows the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.merging import BLEND_MM, Proposal
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.geometry.volume import Case


class Oracle:
    """Proposes the truth around each click, so that sessions run where there is no torch.

    Parameters
    ----------
    truth : ndarray of bool
        ``(K, J, I)``, on the case's grid.
    """

    identity = "oracle"

    def __init__(self, truth: np.ndarray) -> None:
        self._truth = truth

    def propose(self, case: Case, mask: ReadableMask, clicks: Sequence[Click]) -> list[Proposal]:
        """See `inference.corrector.Corrector.propose`."""
        del mask
        boxes = [case.grid.box_around(click.position_ras, BLEND_MM) for click in clicks]
        return [
            Proposal(click, box, self._truth[box.slices].astype(np.float32))
            for click, box in zip(clicks, boxes, strict=True)
        ]
