"""Boxes of training cases that do not lie at the tumour, so that a network sees what is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from VSClickCorrectLib.geometry.triples import Point3, point3

from VSClickCorrectResearch.simulation.acquisition import Region
from VSClickCorrectResearch.simulation.head import Head
from VSClickCorrectResearch.simulation.variety import Variety

# The other side's canal looks most like a tumour's place, and a meningioma there most like a tumour.
OTHER_SIDE, MENINGIOMA = 0.6, 0.5
_SPREAD_MM = 6.0
# No further above or below the canals is a tumour looked for.
_REACH_MM = 45.0


def elsewhere(
    rng: np.random.Generator, head: Head, side: str, region: Region, variety: Variety | None
) -> tuple[Region, Variety | None]:
    """Return a region that shows the other side or anything of a head, and what is drawn there.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    head : Head
        The case's.
    side : str
        Where its tumour lies.
    region : Region
        Its size is kept.
    variety : Variety, optional
        What is drawn beyond the usual; around the other side's canal with more meningiomas.
    """
    if rng.random() >= OTHER_SIDE:
        return replace(region, center_ras=_anywhere(rng, head)), variety
    porus = np.array(head.canals["left" if side == "right" else "right"].porus_ras)
    around = replace(region, center_ras=point3(porus + rng.normal(0, _SPREAD_MM, 3)))
    return around, None if variety is None else replace(variety, meningioma=MENINGIOMA)


def _anywhere(rng: np.random.Generator, head: Head) -> Point3:
    canals = [point for canal in head.canals.values() for point in (canal.porus_ras, canal.fundus_ras)]
    height = head.grid.ras_to_ijk(np.mean(canals, axis=0))[2]
    reach = _REACH_MM / head.grid.spacing[2]
    low, high = max(0, round(height - reach)), round(height + reach)
    places = np.argwhere(head.tissue[low:high:2, ::2, ::2]) * 2 + (low, 0, 0)
    return point3(head.grid.index_to_ras(places[rng.integers(len(places))]))
