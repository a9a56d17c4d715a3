"""Where a simulated user of the click-conditioned network clicks, and what the network sees of it."""

import numpy as np
import pytest
from VSClickCorrectLib.inference.click_channels import draw_clicks
from VSClickCorrectResearch.training.clicking import Scene, largest_error

SHAPE = (12, 14, 16)


def block(*ends):
    values = np.zeros(SHAPE, bool)
    values[tuple(slice(*end) for end in ends)] = True
    return values


def scene(truth, mask=None):
    images = np.zeros((2, *SHAPE), np.float32)
    return Scene(images, truth, np.zeros(SHAPE, bool) if mask is None else mask)


def test_a_click_is_a_soft_ball_of_three_voxels():
    channel = draw_clicks(SHAPE, [(5.0, 6.0, 7.0)])
    assert channel[5, 6, 7] == 1
    # 1.5 - 1.5 d / 3: whole up to a distance of 1, a half at 2, nothing at 3.
    assert channel[5, 6, 8] == 1
    assert channel[5, 6, 9] == pytest.approx(0.5)
    assert channel[5, 6, 10] == 0
    assert channel[5, 4, 7] == pytest.approx(0.5)


def test_clicks_outside_the_box_are_not_seen_and_those_at_its_rim_are_cut():
    assert not draw_clicks(SHAPE, [(-10.0, 6.0, 7.0), (5.0, 6.0, 40.0)]).any()
    channel = draw_clicks(SHAPE, [(0.0, 0.0, 0.0)])
    assert channel[0, 0, 0] == 1
    assert channel.max() == 1


def test_the_largest_error_is_what_is_missed_or_what_is_too_much():
    truth, mask = block((2, 7), (2, 7), (2, 7)), block((2, 7), (2, 7), (2, 7))
    assert largest_error(truth, mask) is None
    # A cube of 5 voxels missed: its middle; then one of 3 too much, which is smaller.
    place, missing = largest_error(truth, block((8, 11), (8, 11), (8, 11)))
    assert (place.tolist(), missing) == ([4, 4, 4], True)
    place, missing = largest_error(truth, mask | block((8, 11), (8, 11), (8, 11)))
    assert (place.tolist(), missing) == ([9, 9, 9], False)


def test_clicks_answer_errors_of_both_kinds_near_their_middle():
    rng = np.random.default_rng(0)
    truth = block((2, 7), (2, 7), (2, 7))
    missed, surplus = scene(truth), scene(truth, truth | block((8, 12), (8, 14), (8, 16)))
    for one in (missed, surplus):
        one.click_error(rng)
    assert len(missed.include) == 1
    assert not missed.exclude
    assert len(surplus.exclude) == 1
    assert np.linalg.norm(np.array(missed.include[0]) - 4) < 8


def test_channels_are_images_mask_and_clicks():
    truth = block((2, 7), (2, 7), (2, 7))
    one = scene(truth, truth)
    one.include.append((4, 4, 4))
    channels = one.channels()
    assert channels.shape == (5, *SHAPE)
    np.testing.assert_array_equal(channels[2], truth)
    assert channels[3, 4, 4, 4] == 1
    assert not channels[4].any()


def test_without_a_tumour_nobody_clicks():
    empty = scene(np.zeros(SHAPE, bool))
    empty.click_inside(np.random.default_rng(0))
    empty.click_error(np.random.default_rng(0))
    assert not empty.include
    assert not empty.exclude
