"""The sample case that ships with the product: a synthetic head, its tumour, and a mask to be corrected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.io.images import read_case, read_mask
from VSClickCorrectLib.io.shipped import START, T1CE, T2, TUMOUR, sample_folder


@dataclass(frozen=True, eq=False)
class SampleCase:
    """A case whose tumour is known, and a mask of it whose border is wrong here and there.

    Parameters
    ----------
    case : Case
        Both sequences.
    truth, start : ndarray of bool
        The tumour and the mask to be corrected, ``(K, J, I)``, on the case's grid.
    """

    case: Case
    truth: np.ndarray
    start: np.ndarray

    @property
    def grid(self) -> Grid:
        """The native grid."""
        return self.case.grid


def read_sample() -> SampleCase:
    """Read the sample case.

    Raises
    ------
    ImageError
        If a file of it is missing or damaged.
    """
    folder = sample_folder()
    case = read_case(folder / T1CE, folder / T2)
    return SampleCase(case, *(read_mask(folder / name, case.grid) for name in (TUMOUR, START)))
