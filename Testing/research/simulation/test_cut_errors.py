"""Errors of single cuts: one operation of morphology, or none."""

import numpy as np
import pytest
from scipy import ndimage
from VSClickCorrectResearch.simulation.cut_errors import spoiled_cut


def disc(radius, size=48):
    rows, columns = np.indices((size, size)) - (size - 1) / 2
    return rows**2 + columns**2 <= radius**2


def outcomes(cut, count=300):
    return [spoiled_cut(cut, np.random.default_rng(seed)) for seed in range(count)]


def by_name(cut):
    """What the thesis's operations make of a cut, each slice on its own."""
    made = {"unchanged": cut}
    for n in range(1, 6):
        made[f"dilated {n}"] = np.stack([ndimage.binary_dilation(one, iterations=n) for one in cut])
        made[f"eroded {n}"] = np.stack([ndimage.binary_erosion(one, iterations=n) for one in cut])
    return made


def test_every_error_is_one_operation_and_a_fifth_of_the_cuts_has_none():
    cut = np.stack([disc(12.0), disc(10.0), disc(8.0)])
    known = by_name(cut)
    found = [[name for name, made in known.items() if np.array_equal(made, one)] for one in outcomes(cut)]
    assert all(len(names) == 1 for names in found)
    names = [name for (name,) in found]
    assert set(names) == set(known)
    assert 0.14 < names.count("unchanged") / len(names) < 0.26
    dilated = sum(name.startswith("dilated") for name in names)
    assert 0.33 < dilated / len(names) < 0.47


@pytest.mark.parametrize("radius", [0.8, 1.5, 2.5, 4.0])
def test_small_slices_are_eroded_less_and_never_lost(radius):
    cut = np.stack([disc(12.0), disc(radius)])
    shrunken = [one for one in outcomes(cut) if one[0].sum() < cut[0].sum()]
    assert {int(one[0].sum()) for one in shrunken} == {
        int(ndimage.binary_erosion(cut[0], iterations=n).sum()) for n in range(1, 6)
    }
    assert all(one[1].any() for one in shrunken)


def test_empty_and_full_cuts_stay_and_the_cut_given_is_left_alone():
    for cut in (np.zeros((1, 16, 16), bool), np.ones((1, 16, 16), bool)):
        assert all(np.array_equal(one, cut) for one in outcomes(cut, 30))
    cut = disc(6.0)[None]
    before = cut.copy()
    outcomes(cut, 30)
    assert np.array_equal(cut, before)


def test_rim_of_a_cut_through_the_tumour_is_no_border():
    cut = np.zeros((1, 20, 20), bool)
    cut[0, 5:] = True
    for one in outcomes(cut, 60):
        assert one[0, -1].all()
