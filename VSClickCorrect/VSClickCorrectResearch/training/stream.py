"""Cases at a network's working resolution, from a cohort that may still be growing while it learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from VSClickCorrectResearch.datasets.cases import LazyCase, list_cases
from VSClickCorrectResearch.training.examples import Example, crop_source

_LOOK_AGAIN = 50  # draws


class CohortStream:
    """The cases of a cohort, each brought to working resolution when it is first drawn.

    Parameters
    ----------
    folder : Path
        Where `vsclick simulate` has written, or is still writing, a cohort; or a CSV list of cases.
    spacing : sequence of 3 float
        Working voxel size in mm, axial order.
    reach_mm : float
        As for `crop_source`.

    Raises
    ------
    ImageError
        If there is no case yet.
    """

    def __init__(self, folder: Path, spacing, reach_mm: float) -> None:
        self._folder, self._spacing, self._reach_mm = folder, spacing, reach_mm
        self._draws = 0
        self._kept: dict[str, Example] = {}
        self._cases = list_cases(folder)

    def __len__(self) -> int:
        return len(self._cases)

    def __getitem__(self, number: int) -> Example:
        return self._example(self._cases[number])

    def draw(self, rng: np.random.Generator) -> Example:
        """Return a case at random; the newest are among those that can be drawn."""
        self._draws += 1
        if self._draws % _LOOK_AGAIN == 0:
            self._cases = list_cases(self._folder)
        return self[int(rng.integers(len(self)))]

    def _example(self, case: LazyCase) -> Example:
        if case.name not in self._kept:
            self._kept[case.name] = crop_source(case.load(), self._spacing, self._reach_mm)
        return self._kept[case.name]
