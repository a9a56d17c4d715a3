"""What a network of each role is shown at a place that is given."""

from dataclasses import replace

import numpy as np
import pytest
from bright_ball import CENTER, GRID, ball, ball_case
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.model_entry import ROLES, ModelEntry
from VSClickCorrectLib.inference.plain_segmenter import Model
from VSClickCorrectResearch.evaluation.forward import Place, inputs_of

PLACE = Place(ball_case(), Box.around(ball()).padded(4), ArrayMask(GRID, ball()), [Click(CENTER)] * 2)


def shown(role):
    geometry = {"slices": 5, "click_map": True} if role == "corrector" else {"spacing": [1.5, 1.0, 1.0]}
    entry = ModelEntry("it", role, "it", "0", "unet3d", geometry=geometry)
    if role == "parts":
        geometry["shape"] = [16, 16, 16]
        entry = replace(entry, classes=["a"], channels=["t1ce", "t2", "mask"])
    return inputs_of(Model(entry, None), PLACE)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_shown_the_sequences_around_the_tumour(role):
    inputs = shown(role)
    assert len(inputs) == (2 if role == "corrector" else 1)
    for one in inputs:
        t1ce, t2 = one.channels[:2]
        assert t1ce.shape == one.window.geometry.shape
        assert t1ce.max() > 0.9
        assert t2.max() > 0.8
        assert one.window.box.contains(Box.of_voxel(GRID.ras_to_index(CENTER)))


def test_network_that_takes_clicks_is_shown_mask_and_include_clicks():
    (one,) = shown("click")
    assert len(one.channels) == 5
    mask, include, exclude = one.channels[2:]
    volume = np.count_nonzero(mask) * 1.5
    assert volume == pytest.approx(ball().sum() * GRID.voxel_volume, rel=0.1)
    assert include.max() > 0.8
    assert mask[np.unravel_index(np.argmax(include), mask.shape)] == 1
    assert not exclude.any()
