"""What a session needs of the networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.geometry.volume import Case


class Proposer(Protocol):
    """What a session needs of a corrector (see `inference.corrector.Corrector`).

    Examples
    --------
    A corrector of your own is a class with an identity and `propose`. This one takes what is about as bright
    as the clicked voxel, up to 8 mm from it:

    >>> import numpy as np
    >>> from VSClickCorrectLib.clicks.click import Click, ClickKind
    >>> from VSClickCorrectLib.clicks.mask import ArrayMask
    >>> from VSClickCorrectLib.clicks.merging import Proposal
    >>> from VSClickCorrectLib.geometry.grid import Grid
    >>> from VSClickCorrectLib.geometry.volume import Case, Volume
    >>> class AsBright:
    ...     identity = "as-bright-1"
    ...
    ...     def propose(self, case, mask, clicks):
    ...         return [self.around(case, click) for click in clicks]
    ...
    ...     def around(self, case, click):
    ...         box = case.grid.box_around(click.position_ras, 8.0)
    ...         level = case.t1ce.array[case.grid.ras_to_index(click.position_ras)]
    ...         near = np.abs(case.t1ce.array[box.slices] - level) < 50
    ...         return Proposal(click, box, near.astype(np.float32))

    In a session on a bright cube in a dark image, with an empty mask and one include click:

    >>> from VSClickCorrectLib.session.correction import CorrectionSession
    >>> grid = Grid((20, 20, 20), np.eye(4))
    >>> image = np.zeros(grid.shape, np.int16)
    >>> image[8:12, 8:12, 8:12] = 400
    >>> mask = ArrayMask(grid)
    >>> session = CorrectionSession(Case(Volume(image, grid), None), mask, AsBright())
    >>> edit = session.apply(Click((9.0, 9.0, 9.0), ClickKind.INCLUDE))
    >>> bool((mask.values == (image == 400)).all())
    True
    """

    @property
    def identity(self) -> str:
        """Name and hash of the model, for the journal."""

    def propose(self, case: Case, mask: ReadableMask, clicks: Sequence[Click]) -> list[Proposal]:
        """Propose corrections around clicks."""


class InitialProposer(Protocol):
    """What a session needs of the network that sees the whole tumour (see `InitialSegmenter.propose`)."""

    def __call__(
        self, case: Case, click: Click, mask: ReadableMask | None, standing: Sequence[Click]
    ) -> Proposal:
        """Return where there is tumour around an include click, or after an exclude click.

        At a boundary click: what is seen there without being told of it, if its border may be the one that
        is meant.
        """
