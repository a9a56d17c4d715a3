"""The slice-wise U-Net: any depth, as many features everywhere, skips by a stack."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from VSClickCorrectLib.networks.registry import dimensions, sees_volumes
from VSClickCorrectLib.networks.unet2d import UNet2D


def block_size(before, after):
    return (9 * before * after + after + 2 * after) + (9 * after * after + after + 2 * after)


@pytest.mark.parametrize(("depth", "features"), [(1, 32), (2, 8), (4, 32), (6, 4)])
def test_parameter_count_by_hand(depth, features):
    expected = (
        block_size(2, features)
        + (depth - 1) * block_size(features, features)
        + (depth - 1) * (4 * features * features + features)
        + (depth - 1) * block_size(2 * features, features)
        + (features + 1)
    )
    assert sum(p.numel() for p in UNet2D(depth=depth, features=features).parameters()) == expected


def test_ships_with_four_blocks_of_32_features():
    network = UNet2D()
    assert len(network.encoder) == 4
    assert {m.out_channels for b in network.encoder for m in b.modules() if isinstance(m, nn.Conv2d)} == {32}


def by_hand(network, x):
    """Return logits by the drawing of the U, written out with functions alone."""

    def block(one, x):
        for number in (1, 2):
            c, n = getattr(one, f"conv{number}"), getattr(one, f"norm{number}")
            x = functional.conv2d(x, c.weight, c.bias, padding=1)
            x = functional.batch_norm(x, n.running_mean, n.running_var, n.weight, n.bias)
            x = functional.relu(x)
        return x

    first = block(network.encoder[0], x)
    second = block(network.encoder[1], functional.max_pool2d(first, 2))
    deepest = block(network.encoder[2], functional.max_pool2d(second, 2))
    up, down = network.upsamplings
    x = functional.conv_transpose2d(deepest, up.weight, up.bias, stride=2)
    x = block(network.decoder[0], torch.cat([second, x], 1))
    x = functional.conv_transpose2d(x, down.weight, down.bias, stride=2)
    x = block(network.decoder[1], torch.cat([first, x], 1))
    return functional.conv2d(x, network.head.weight, network.head.bias)


@pytest.fixture
def network():
    torch.manual_seed(2)
    made = UNet2D(in_channels=2, out_channels=1, depth=3, features=5)
    made(torch.rand(4, 2, 8, 8))
    return made.eval().requires_grad_(False)


def test_answers_as_written_out(network):
    x = torch.rand(2, 2, 12, 8)
    assert torch.allclose(network(x), by_hand(network, x), atol=1e-5)


def test_slices_of_a_volume_are_seen_each_on_its_own(network):
    volume = torch.rand(2, 2, 3, 8, 12)
    seen = network(volume)
    assert seen.shape == (2, 1, 3, 8, 12)
    for k in range(3):
        assert torch.allclose(seen[:, :, k], network(volume[:, :, k]), atol=1e-5)


@pytest.mark.parametrize("sides", [(9, 11), (1, 1), (8, 5)])
def test_sides_of_any_length_are_filled_up_with_zeros(network, sides):
    x = torch.rand(1, 2, *sides)
    filled = torch.zeros(1, 2, *(-(-side // 4) * 4 for side in sides))
    filled[..., : sides[0], : sides[1]] = x
    assert torch.allclose(network(x), by_hand(network, filled)[..., : sides[0], : sides[1]], atol=1e-5)


def test_is_of_two_dimensions_and_takes_volumes_all_the_same():
    assert dimensions("unet2d") == 2
    assert sees_volumes("unet2d")
    assert sees_volumes("unet3d")
    assert not sees_volumes("attention_unet2d")
