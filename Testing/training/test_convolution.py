"""The faster gradients are the gradients."""

import copy

import pytest
import torch
from torch import nn
from VSClickCorrectLib.networks.registry import build
from VSClickCorrectLib.training.convolution import QuickConv3d, quicken


@pytest.mark.parametrize("shape", [(1, 3, 5, 6, 7), (2, 3, 1, 4, 4)])
def test_gradients_are_those_of_torch(shape):
    torch.manual_seed(0)
    plain = nn.Conv3d(3, 4, 3, padding=1, dtype=torch.double)
    quick = copy.deepcopy(plain)
    quicken(quick)
    assert type(quick) is QuickConv3d
    inputs = [torch.randn(shape, dtype=torch.double).requires_grad_(True) for _ in range(2)]
    inputs[1].data.copy_(inputs[0].data)
    outputs = [plain(inputs[0]), quick(inputs[1])]
    torch.testing.assert_close(outputs[0], outputs[1])
    weights = torch.randn_like(outputs[0])
    for output in outputs:
        (output * weights).sum().backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    torch.testing.assert_close(plain.weight.grad, quick.weight.grad)
    torch.testing.assert_close(plain.bias.grad, quick.bias.grad)


def test_a_copy_of_a_network_uses_its_own_weights():
    network = build("unet3d", in_channels=1, channels=[2, 4])
    quicken(network)
    other = copy.deepcopy(network)
    volume = torch.randn(1, 1, 8, 8, 8)
    before = network(volume).detach()
    with torch.no_grad():
        for weight in other.parameters():
            weight.zero_()
    torch.testing.assert_close(network(volume).detach(), before)
    assert not other(volume).detach().any()


def test_other_convolutions_stay_what_they_are():
    network = nn.Sequential(nn.Conv3d(1, 1, 1), nn.Conv3d(1, 1, 3), nn.Conv2d(1, 1, 3, padding=1))
    quicken(network)
    assert [type(module) for module in network] == [nn.Conv3d, nn.Conv3d, nn.Conv2d]
