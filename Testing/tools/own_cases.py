"""Cases of which every voxel is our own: procedural heads and tumours, of all sizes and scanners."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.simulation.acquisition import Region
from VSClickCorrectResearch.simulation.phantom import phantom_head
from VSClickCorrectResearch.simulation.synthesis import SIDES, synthesize
from VSClickCorrectResearch.simulation.variety import Variety, balanced_shape, varied_acquisition

# Around the tumour, mm.
_EXTENT = (108.0, 108.0, 100.0)


def own_cases(count: int, seed: int) -> Iterator[LabelledCase]:
    """Yield cases with a tumour; those of one seed are the same every time."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        head, shape, side = phantom_head(rng), balanced_shape(rng, []), SIDES[int(rng.integers(2))]
        made = synthesize(
            head, shape, side, rng, varied_acquisition(rng), Region(None, _EXTENT), Variety(None)
        )
        if made.truth.any():
            yield LabelledCase(f"own-{number}", Case(made.t1ce, made.t2), made.truth)
