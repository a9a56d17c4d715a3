"""A corrector whose proposals are used in another way than its card says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import triple
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.session.proposers import Proposer


class AdjustedCorrector:
    """Gives another corrector's proposals a threshold of one's own, or fewer slices.

    Parameters
    ----------
    corrector : Proposer
        Whose proposals are used.
    threshold : float, optional
        Probability from which a voxel is tumour; the model's own if left out.
    carry : int, optional
        How many slices of the image, as they were acquired, may change on either side of the click's; as many
        as the model sees if left out.
    """

    def __init__(self, corrector: Proposer, threshold: float | None = None, carry: int | None = None) -> None:
        self._corrector = corrector
        self._threshold = threshold
        self._carry = carry

    @property
    def identity(self) -> str:
        """The model's name and hash, and what was adjusted, for the journal."""
        parts = [self._corrector.identity]
        if self._threshold is not None:
            parts.append(f"threshold {self._threshold:g}")
        if self._carry is not None:
            parts.append(f"carry {self._carry}")
        return ", ".join(parts)

    def propose(self, case: Case, mask: ReadableMask, clicks: Sequence[Click]) -> list[Proposal]:
        """See `Corrector.propose`."""
        proposals = self._corrector.propose(case, mask, clicks)
        return [self._adjusted(case.grid, proposal) for proposal in proposals]

    def _adjusted(self, grid: Grid, proposal: Proposal) -> Proposal:
        if self._threshold is not None:
            proposal = replace(proposal, threshold=self._threshold)
        if self._carry is None:
            return proposal
        axis = grid.slice_order().axes[0]
        middle = grid.ras_to_index(proposal.click.position_ras)[axis]
        start, stop = list(proposal.box.start), list(proposal.box.stop)
        start[axis] = max(start[axis], middle - self._carry)
        stop[axis] = min(stop[axis], middle + self._carry + 1)
        box = Box(triple(start), triple(stop))
        return replace(proposal, box=box, probability=proposal.probability[box.slices_in(proposal.box)])
