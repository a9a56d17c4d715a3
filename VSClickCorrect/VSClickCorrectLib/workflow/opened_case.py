"""A case that is about to be opened, before it has nodes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.io import case_of
from VSClickCorrectLib.imaging.pairing import paired
from VSClickCorrectLib.imaging.volume import Volume
from VSClickCorrectLib.workflow.origin import Origin


@dataclass(frozen=True, eq=False)
class OpenedCase:
    """What a case is made of before it has nodes.

    Parameters
    ----------
    name : str
        What the windows call it.
    t1ce, t2 : Volume or None
        The sequences, each on its own grid.
    mask : ndarray of bool or None
        ``(K, J, I)`` on the T1ce's grid, or the T2's where it stands alone.
    origin : Origin
        Where the sequence on that grid is from.
    """

    name: str
    t1ce: Volume | None
    t2: Volume | None
    mask: np.ndarray | None = None
    origin: Origin = field(default_factory=Origin)

    @property
    def grid(self) -> Grid:
        """The native grid."""
        return cast(Volume, self.t1ce or self.t2).grid

    def with_remarks(self, sentence: str) -> str:
        """Return a sentence after what is to be known of how the sequences were read."""
        remarks = [r for volume in (self.t1ce, self.t2) if volume is not None for r in volume.remarks]
        return " ".join([*remarks, sentence])

    def checked(self, different_patients: bool = False) -> OpenedCase:
        """Return the case with what is to be known of its sequences, if they can be used together.

        Raises
        ------
        ImageError
            As `case_of`.
        """
        t1ce, t2 = paired(self.t1ce, self.t2, different_patients)
        case_of(t1ce, t2)
        return replace(self, t1ce=t1ce, t2=t2)
