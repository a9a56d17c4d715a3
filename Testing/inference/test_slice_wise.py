"""A network of slices as the initial model, by nothing but its entry in the manifest."""

import numpy as np
import pytest
from bright_ball import GRID, ball, ball_case, dice
from handmade_models import UNET2D, bright_unet2d, change_entry, vouch_for
from safetensors.numpy import save
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.device import choose_device
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder


@pytest.fixture
def sliced_models(own_models):
    """The bright models, with a slice-wise initial model of the same answers."""
    vouch_for(own_models, "first", save({n: t.astype(np.float16) for n, t in bright_unet2d(0.55).items()}))
    change_entry(own_models, "first", network="unet2d", parameters=UNET2D)
    return own_models


def test_ball_is_found_slice_by_slice_as_in_three_dimensions(sliced_models, bright_models):
    found, expected = (
        InitialSegmenter.load(ModelFolder(folder), "cpu").segment(ball_case())
        for folder in (sliced_models, bright_models)
    )
    assert dice(found.on(GRID), ball()) > 0.93
    assert dice(found.on(GRID), expected.on(GRID)) > 0.999


@pytest.mark.parametrize("role", ["locator", "initial", "click"])
def test_network_of_slices_that_takes_no_volume_is_refused(own_models, role):
    from handmade_models import _zeros

    parameters = {"in_channels": 2, "channels": [2, 1]}
    content = save({n: t.astype(np.float16) for n, t in _zeros("attention_unet2d", parameters).items()})
    vouch_for(own_models, "first", content)
    change_entry(own_models, "first", network="attention_unet2d", parameters=parameters, role=role)
    folder = ModelFolder(own_models)
    with pytest.raises(ModelError, match=f"'attention_unet2d' sees slices, {role} volumes; choose another"):
        folder.load(folder.entries["first"], choose_device("cpu"))


def test_network_that_takes_clicks_sees_more_than_a_slice(sliced_models):
    change_entry(sliced_models, "first", role="click")
    with pytest.raises(ModelError, match="'unet2d' sees slices, click volumes"):
        InitialSegmenter.load(ModelFolder(sliced_models), "cpu")
