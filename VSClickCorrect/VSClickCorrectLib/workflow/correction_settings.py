"""How the networks' proposals are used."""

from __future__ import annotations

from typing import NamedTuple

from VSClickCorrectLib.session.adjusted import AdjustedCorrector
from VSClickCorrectLib.session.correction import DEFAULT_MERGE, Proposer

# So many slices or more mean: as far as the model sees.
CARRY_ALL = 5


class CorrectionSettings(NamedTuple):
    """How proposals are used: the merge, a threshold (0: the model's own), the slices a click carries to."""

    merge: str = DEFAULT_MERGE
    threshold: float = 0.0
    carry: int = CARRY_ALL

    def adjust(self, corrector: Proposer) -> Proposer:
        """Return a corrector whose proposals have this threshold and reach."""
        carry = self.carry if self.carry < CARRY_ALL else None
        if not self.threshold and carry is None:
            return corrector
        return AdjustedCorrector(corrector, self.threshold or None, carry)
