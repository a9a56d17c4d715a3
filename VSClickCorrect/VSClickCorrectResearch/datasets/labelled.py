"""A case whose tumour is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case


@dataclass(frozen=True, eq=False)
class LabelledCase:
    """A case whose tumour is known.

    Parameters
    ----------
    name : str
        What reports and tables call it.
    case : Case
        The sequences.
    truth : ndarray of bool
        The tumour, ``(K, J, I)``, on the case's grid.
    start : ndarray of bool, optional
        A segmentation to be corrected, ``(K, J, I)``.
    kind : str
        What kind of head it is; empty if nobody said.
    classes : ndarray of uint8, optional
        Numbers, from 1, of `measure.tumour_parts.PARTS`, ``(K, J, I)``; 0 for none of them.
    """

    name: str
    case: Case
    truth: np.ndarray
    start: np.ndarray | None = None
    kind: str = ""
    classes: np.ndarray | None = None

    @property
    def grid(self) -> Grid:
        """The native grid."""
        return self.case.grid
