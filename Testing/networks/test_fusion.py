"""Fusions of two encoders, against sums written out, and in the multi-encoder U-Net."""

import math

import pytest
import torch
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.networks.fusion import FUSIONS, AttentionFusion, GatedFusion
from VSClickCorrectLib.networks.multi_encoder import MultiEncoderUNet
from VSClickCorrectLib.networks.registry import build

SMALL = (8, 12, 16)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(4)


def plain(tensor):
    return tensor.detach().double().tolist()


def test_gates_weigh_the_encoders_of_each_voxel_against_each_other():
    fusion, x = GatedFusion(2, 3, 2), torch.randn(1, 6, 2, 2)
    weight, bias = plain(fusion.weigh.weight[:, :, 0, 0]), plain(fusion.weigh.bias)
    found = fusion(x)
    assert found.shape == (1, 3, 2, 2)
    for row in range(2):
        for column in range(2):
            seen = plain(x[0, :, row, column])
            gate = [sum(w * v for w, v in zip(weight[n], seen, strict=True)) + bias[n] for n in range(6)]
            for c in range(3):
                first, second = math.exp(gate[c]), math.exp(gate[3 + c])
                expected = (first * seen[c] + second * seen[3 + c]) / (first + second)
                assert found[0, c, row, column].item() == pytest.approx(expected, abs=1e-5)


def test_attention_weighs_channels_by_their_means_before_they_are_joined():
    fusion, x = AttentionFusion(3, 8, 2), torch.randn(1, 16, 2, 2, 2)
    _, squeeze, _, excite, _ = fusion.attend
    mean = plain(x[0].flatten(1).mean(1))
    dense = [(plain(one.weight[:, :, 0, 0, 0]), plain(one.bias)) for one in (squeeze, excite, fusion.join)]

    def layer(number, values):
        weight, bias = dense[number]
        return [
            sum(w * v for w, v in zip(row, values, strict=True)) + b
            for row, b in zip(weight, bias, strict=True)
        ]

    scale = [1 / (1 + math.exp(-v)) for v in layer(1, [max(v, 0.0) for v in layer(0, mean)])]
    assert len(dense[0][1]) == 2
    seen = plain(x[0, :, 1, 0, 1])
    expected = layer(2, [s * v for s, v in zip(scale, seen, strict=True)])
    assert fusion(x).shape == (1, 8, 2, 2, 2)
    assert plain(fusion(x)[0, :, 1, 0, 1]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize(("dimensions", "sides"), [(2, (16, 16)), (3, (8, 16, 16))])
def test_fusion_stands_before_the_bottleneck_and_at_every_skip(fusion, dimensions, sides):
    network = MultiEncoderUNet(dimensions, channels=SMALL, dropout=0.0, fusion=fusion)
    assert [type(stage.adjust) for stage in network.decoder.stages] == [FUSIONS[fusion]] * 2
    assert network.bottleneck.conv1.in_channels == 12
    network(torch.rand(2, 3, *sides)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    with torch.no_grad():
        assert network.eval()(torch.rand(1, 3, *sides)).shape == (1, 1, *sides)


def test_concatenation_has_the_weights_that_there_were_before_others():
    network = MultiEncoderUNet(2, channels=SMALL)
    assert not [name for name in network.state_dict() if name.startswith("fusion")]
    assert network.bottleneck.conv1.in_channels == 24


@pytest.mark.parametrize("value", ["sum", "", 1, None, ["gated"]])
def test_other_fusions_are_refused(value):
    with pytest.raises(
        ModelError, match="'fusion' of network 'multi_encoder_unet2d' must be concatenation, gated"
    ):
        build("multi_encoder_unet2d", fusion=value)
