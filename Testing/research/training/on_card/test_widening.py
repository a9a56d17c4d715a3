"""A wider network says at first what the narrower one said."""

import pytest
import torch
from VSClickCorrectLib.networks.registry import build
from VSClickCorrectResearch.training.on_card import widening
from VSClickCorrectResearch.training.on_card.widening import widened

NARROW = (4, 6, 8)


def network(channels):
    return build("unet3d", in_channels=5, channels=list(channels), each_sample=True).eval()


@pytest.fixture
def narrow():
    torch.manual_seed(0)
    return network(NARROW)


@pytest.mark.parametrize("channels", [NARROW, (6, 6, 8), (4, 9, 8), (7, 11, 13)])
def test_a_wider_network_says_the_same(narrow, channels, monkeypatch):
    monkeypatch.setattr(widening, "_NOISE", 0.0)
    wide = network(channels)
    wide.load_state_dict(widened(narrow.state_dict(), channels))
    x = torch.rand(2, 5, 8, 8, 8)
    torch.testing.assert_close(wide(x), narrow(x), atol=1e-4, rtol=1e-4)


def test_twins_are_told_apart_by_a_little(narrow):
    wide = network((8, 12, 16))
    wide.load_state_dict(widened(narrow.state_dict(), (8, 12, 16)))
    x = torch.rand(2, 5, 8, 8, 8)
    expected, found = narrow(x), wide(x)
    assert 0 < (found - expected).abs().mean() < 0.5 * expected.std()
    twins = wide.state_dict()["encoder.stages.0.conv2.weight"]
    assert len(torch.unique(twins.flatten(1).sum(0))) > 1


def test_half_precision_weights_are_widened_in_single(narrow):
    halves = {name: tensor.half() for name, tensor in narrow.state_dict().items()}
    assert {tensor.dtype for tensor in widened(halves, (5, 6, 8)).values()} == {torch.float32}
