import numpy as np
import pytest
from VSClickCorrectResearch.simulation.head import Tissue
from VSClickCorrectResearch.simulation.phantom import phantom_head


@pytest.fixture(scope="module")
def head():
    return phantom_head(np.random.default_rng(3), spacing=1.5)


def test_the_same_seed_gives_the_same_head(head):
    again = phantom_head(np.random.default_rng(3), spacing=1.5)
    assert np.array_equal(again.t1, head.t1)
    assert np.array_equal(again.t2, head.t2)
    assert np.array_equal(again.tissue, head.tissue)
    assert again.canals == head.canals


def test_another_seed_gives_another_head(head):
    other = phantom_head(np.random.default_rng(4), spacing=1.5)
    assert other.canals != head.canals
    assert not np.array_equal(other.t1, head.t1)


def test_it_has_a_heads_size_and_intensities(head):
    extent = np.array(head.grid.shape[::-1]) * head.grid.spacing
    assert np.allclose(extent, (176, 216, 194), atol=3)
    assert head.t1.dtype == head.t2.dtype == np.float32
    assert head.t1.min() >= 0
    assert np.percentile(head.t1, 99.8) == pytest.approx(1.0, abs=0.15)
    assert head.contrast


@pytest.mark.parametrize("tissue", list(Tissue))
def test_every_tissue_is_there(head, tissue):
    assert (head.tissue == tissue).mean() > 0.01


def test_fluid_is_dark_in_t1_and_bright_in_t2(head):
    csf, brain = head.tissue == Tissue.CSF, head.tissue == Tissue.BRAIN
    assert np.median(head.t1[csf]) < 0.5 * np.median(head.t1[brain])
    assert np.median(head.t2[csf]) > 1.5 * np.median(head.t2[brain])


@pytest.mark.parametrize(("side", "sign"), [("right", 1), ("left", -1)])
def test_canals_run_laterally_in_fluid_through_bone(head, side, sign):
    canal = head.canals[side]
    porus, fundus = np.array(canal.porus_ras), np.array(canal.fundus_ras)
    assert 18 < sign * porus[0] < 32
    assert 7 < sign * (fundus - porus)[0] < 15
    middle = (porus + fundus) / 2
    assert head.tissue[head.grid.ras_to_index(middle)] == Tissue.CSF
    assert head.tissue[head.grid.ras_to_index(middle + (0, 0, 4))] == Tissue.BONE
