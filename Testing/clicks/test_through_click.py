"""Proposals whose border is moved through a boundary click."""

import numpy as np
import pytest
from any_grid import all_ras
from scipy import ndimage
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.merging import Proposal, through_click
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid

# A single row of twenty voxels, one millimetre apart, so wide that ten of them are no small outline: voxel i
# lies at R = i.
ROW = Grid((1, 1, 20), np.diag([1.0, 10.0, 10.0, 1.0]))


def through(values, at):
    """Return the probabilities that a boundary click at voxel ``at`` of a row makes of others."""
    probability = np.array([[values]], np.float32)
    found = through_click(ROW, Proposal(Click((float(at), 0.0, 0.0)), ROW.box, probability))
    return found.probability[0, 0]


def test_the_border_comes_out_to_a_boundary_click():
    # The network sees the border between voxels 9 and 10, the click is on voxel 11, where it says 0.3.
    slope = [0.95] * 9 + [0.7, 0.45, 0.3, 0.2] + [0.05] * 7
    found = through(slope, 11)
    assert (found >= 0.5).nonzero()[0].tolist() == list(range(12))
    assert found[11] == pytest.approx(0.5, abs=1e-6)
    # Worked out by hand: 6 mm away the shift by the logit of 0.3, -0.8473, has fallen to 1/e of it.
    expected = 1 / (1 + np.exp(np.log(0.95 / 0.05) - 0.8473 / np.e))
    assert found[17] == pytest.approx(expected, abs=1e-4)


def test_the_border_comes_in_to_a_boundary_click():
    # Voxel 10, beside the click, is the first that is not to be tumour; its logit is 0.8473.
    slope = [0.95] * 9 + [0.8, 0.7, 0.6, 0.55] + [0.05] * 7
    found = through(slope, 9)
    assert found[10] == pytest.approx(1 / (1 + np.exp(0.8473 * (np.exp(-1 / 36) - 1))), abs=1e-3)
    assert found[9] >= 0.5 and not (found[11:] >= 0.5).any()


def test_a_network_that_is_sure_is_not_overruled_by_a_boundary_click():
    sure = [0.999] * 10 + [0.001] * 10
    np.testing.assert_array_equal(through(sure, 14) >= 0.5, np.array(sure) >= 0.5)
    np.testing.assert_array_equal(through(sure, 5) >= 0.5, np.array(sure) >= 0.5)


def test_a_slice_of_one_voxel_has_its_border_there():
    one = Proposal(Click((0.0, 0.0, 0.0)), Box((0, 0, 0), (1, 1, 1)), np.array([[[0.7]]], np.float32))
    assert through_click(Grid((1, 1, 1), np.eye(4)), one).probability.item() == pytest.approx(0.7)


@pytest.mark.parametrize("step", [1, -1])
def test_where_the_image_ends_at_the_click_the_border_runs_through_it(step):
    # The network is the less sure of the tumour the farther from the end it is, for 4 mm.
    slope = np.array([0.9] * 16 + [0.55, 0.6, 0.7, 0.8], np.float32)[::step]
    end, beside = (19, 18) if step == 1 else (0, 1)
    np.testing.assert_array_equal(through(slope, end), slope)
    # One voxel away from the end it does not run yet, so it comes in.
    assert (through(slope, beside) < 0.5).any()


def test_where_the_border_runs_through_the_click_nothing_changes():
    agrees = [0.9] * 9 + [0.6] + [0.1] * 10
    np.testing.assert_array_equal(through(agrees, 9), np.array(agrees, np.float32))


@pytest.mark.parametrize(
    ("area_mm2", "reach_mm"), [(8.0, 2.0), (np.pi * 4.5**2 / 2, 3.0), (64.0, 6.0), (400.0, 6.0)]
)
def test_a_click_shifts_less_around_small_outlines(area_mm2, reach_mm):
    # Two slices of pixels of 0.25 mm²; the larger outline, which lies in the other slice, is what counts.
    grid = Grid((2, 60, 60), np.diag([0.5, 0.5, 0.6, 1.0]))
    probability = np.full(grid.shape, 0.2, np.float32)
    probability[1].ravel()[: round(area_mm2 * 4)] = 0.8
    found = through_click(grid, Proposal(Click((2.5, 0.0, 0.0)), grid.box, probability)).probability
    assert found[0, 0, 5] == pytest.approx(0.5, abs=1e-6)
    # The logit of 0.2 is -1.386; a shift by that much falls to 1/e of it at the reach.
    away = np.arange(60) / 2
    expected = 1 / (1 + np.exp(1.3863 * (1 - np.exp(-((away / reach_mm) ** 2)))))
    np.testing.assert_allclose(found[0, :, 5], expected, atol=2e-3)


@pytest.mark.parametrize("radius", [1.5, 2.0, 3.0, 4.5])
@pytest.mark.parametrize("off", [-1.2, 1.2, 2.0, 3.2, 4.0])
def test_what_a_click_brings_hangs_on_what_is_there(radius, off):
    """A disc whose logit falls by the millimetre, and a click outside it that the network half believes."""
    grid = Grid((1, 60, 60), np.diag([0.4, 0.4, 3.0, 1.0]))
    middle = np.array((12.0, 12.0, 0.0))
    away = np.linalg.norm(all_ras(grid) - middle, axis=-1)
    slope = min(1.6 / abs(off), 1.5)
    probability = (1 / (1 + np.exp(slope * (away - radius)))).astype(np.float32)
    click = Click((12.0 + radius + off, 12.0, 0.0))
    found = through_click(grid, Proposal(click, grid.box, probability)).values
    assert ndimage.label(found)[1] == 1
    assert found[grid.ras_to_index(click.position_ras)]
