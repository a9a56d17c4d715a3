"""Where boxes lie that do not lie at the tumour."""

import numpy as np
import pytest
from VSClickCorrectResearch.datasets.elsewhere import MENINGIOMA, OTHER_SIDE, elsewhere
from VSClickCorrectResearch.simulation.acquisition import Region
from VSClickCorrectResearch.simulation.head import Tissue
from VSClickCorrectResearch.simulation.phantom import phantom_head
from VSClickCorrectResearch.simulation.variety import Variety

SIZE = (108.0, 108.0, 100.0)


@pytest.fixture(scope="module")
def head():
    return phantom_head(np.random.default_rng(0), spacing=3.0)


@pytest.mark.parametrize(("side", "other"), [("left", "right"), ("right", "left")])
def test_most_lie_around_the_other_sides_canal_where_half_have_a_meningioma(head, side, other):
    rng, porus = np.random.default_rng(1), np.array(head.canals[other].porus_ras)
    found = [elsewhere(rng, head, side, Region(None, SIZE), Variety()) for _ in range(400)]
    assert {region.size_mm for region, _ in found} == {SIZE}
    there = [region.center_ras for region, variety in found if variety.meningioma == MENINGIOMA]
    assert len(there) / 400 == pytest.approx(OTHER_SIDE, abs=0.1)
    # Normally distributed, 6 mm along each axis.
    np.testing.assert_allclose(np.mean(there, axis=0), porus, atol=2)
    np.testing.assert_allclose(np.std(there, axis=0), 6, atol=1.5)


def test_the_others_lie_anywhere_in_the_head_and_show_what_is_usual(head):
    rng = np.random.default_rng(2)
    found = [elsewhere(rng, head, "left", Region(None, SIZE), Variety()) for _ in range(100)]
    places = [region.center_ras for region, variety in found if variety.meningioma != MENINGIOMA]
    assert {variety.meningioma for _, variety in found} == {0.1, MENINGIOMA}
    index = np.array([head.grid.ras_to_index(place) for place in places])
    assert (head.tissue[tuple(index.T)] != Tissue.BACKGROUND).all()
    # Far apart: anywhere.
    assert (np.ptp(places, axis=0) > 60).all()


def test_a_cohort_of_no_variety_has_none(head):
    varieties = {
        elsewhere(np.random.default_rng(n), head, "left", Region(None, SIZE), None)[1] for n in range(9)
    }
    assert varieties == {None}
