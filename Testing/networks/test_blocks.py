"""Building blocks: shapes, parameter counts worked out by hand, the attention gate."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from VSClickCorrectLib.networks.blocks import AttentionGate, ConvBlock, Decoder, DecoderStage, Encoder
from VSClickCorrectLib.networks.convolution import Conv3d


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_conv_block_has_the_parameters_of_two_convolutions_and_two_norms():
    assert count(ConvBlock(2, 3, 4)) == (9 * 3 * 4 + 4 + 2 * 4) + (9 * 4 * 4 + 4 + 2 * 4)
    assert count(ConvBlock(3, 3, 4)) == (27 * 3 * 4 + 4 + 2 * 4) + (27 * 4 * 4 + 4 + 2 * 4)


def test_conv_block_orders_its_layers_and_drops_after_each_relu():
    kinds = [type(layer) for layer in ConvBlock(2, 1, 2, dropout=0.4)]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Dropout] * 2
    assert [type(layer) for layer in ConvBlock(3, 1, 2)] == [Conv3d, nn.BatchNorm3d, nn.ReLU] * 2


def test_conv_block_pads_with_zeros():
    block = ConvBlock(2, 1, 1).eval()
    nn.init.ones_(block.conv1.weight)
    nn.init.zeros_(block.conv1.bias)
    summed = block.conv1(torch.ones(1, 1, 3, 3))
    assert summed[0, 0].tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]


def test_weights_load_whatever_the_dropout_was():
    trained, used = ConvBlock(2, 1, 2, dropout=0.4), ConvBlock(2, 1, 2)
    used.load_state_dict(trained.state_dict())
    x = torch.rand(1, 1, 4, 4)
    assert torch.equal(trained.eval()(x), used.eval()(x))


def test_gate_has_the_parameters_of_three_pointwise_convolutions():
    # Skip 8 -> 4 without bias, gate 16 -> 4 with bias, psi 4 -> 1 with bias.
    assert count(AttentionGate(2, 8, 16)) == 8 * 4 + (16 * 4 + 4) + (4 * 1 + 1)
    assert count(AttentionGate(3, 8, 16)) == 8 * 4 + (16 * 4 + 4) + (4 * 1 + 1)


@settings(max_examples=20, deadline=None)
@given(
    dimensions=st.sampled_from([2, 3]),
    half=st.lists(st.integers(1, 4), min_size=3, max_size=3),
    scale=st.sampled_from([0.0, 1.0, 3.0]),
)
def test_gate_coefficients_lie_between_0_and_1_one_per_voxel_of_the_skip(dimensions, half, scale):
    half = half[:dimensions]
    gate = AttentionGate(dimensions, 4, 6).eval()
    skip = scale * torch.randn(2, 4, *(2 * side for side in half))
    alpha = gate.coefficients(skip, scale * torch.randn(2, 6, *half))
    assert alpha.shape == (2, 1, *(2 * side for side in half))
    assert alpha.min() > 0 and alpha.max() < 1


def test_gate_computes_equations_2_1_and_2_2():
    gate = AttentionGate(2, 2, 1)
    with torch.no_grad():
        gate.skip.weight.copy_(torch.tensor([1.0, 2.0]).reshape(1, 2, 1, 1))
        gate.gate.weight.fill_(3.0)
        gate.gate.bias.fill_(-1.0)
        gate.psi.weight.fill_(0.5)
        gate.psi.bias.fill_(-2.5)
    skip = torch.full((1, 2, 2, 2), 9.0)
    skip[0, :, 0, 0] = torch.tensor([1.0, 1.0])  # the only pixel that a stride of 2 sees
    result = gate(skip, torch.ones(1, 1, 1, 1))
    # relu(1 * 1 + 2 * 1 + 3 * 1 - 1) = 5, psi 0.5 * 5 - 2.5 = 0, sigmoid 0.5.
    assert torch.allclose(result, 0.5 * skip)


def test_gate_ignores_a_negative_sum():
    gate = AttentionGate(2, 2, 1)
    with torch.no_grad():
        gate.gate.weight.fill_(-100.0)
        gate.psi.bias.fill_(0.0)
    assert torch.allclose(
        gate.coefficients(torch.rand(1, 2, 4, 4), torch.ones(1, 1, 2, 2)), torch.tensor(0.5)
    )


@pytest.mark.parametrize(("dimensions", "sides"), [(2, (16, 24)), (3, (8, 16, 24))])
def test_encoder_halves_and_keeps_its_skips(dimensions, sides):
    skips, last = Encoder(dimensions, 2, (3, 4, 5)).eval()(torch.rand(1, 2, *sides))
    halved = [tuple(side // step for side in sides) for step in (1, 2, 4, 8)]
    assert [tuple(skip.shape) for skip in skips] == [
        (1, 3, *halved[0]),
        (1, 4, *halved[1]),
        (1, 5, *halved[2]),
    ]
    assert last.shape == (1, 5, *halved[3])


def test_decoder_stage_of_two_encoders_gates_each_skip_and_adjusts_channels():
    stage = DecoderStage(2, 6, 4, encoders=2, attention=True).eval()
    seen = {}
    stage.gates[0].register_forward_hook(lambda _m, _i, out: seen.update(first=out))
    stage.gates[1].register_forward_hook(lambda _m, _i, out: seen.update(second=out))
    stage.adjust.register_forward_hook(lambda _m, ins, out: seen.update(joined=ins[0], adjusted=out))
    stage.block.register_forward_hook(lambda _m, ins, _o: seen.update(block_in=ins[0]))
    result = stage(torch.rand(1, 6, 4, 4), [torch.rand(1, 4, 8, 8), torch.rand(1, 4, 8, 8)])
    assert torch.equal(seen["joined"], torch.cat([seen["first"], seen["second"]], dim=1))
    assert seen["adjusted"].shape == (1, 4, 8, 8)
    assert seen["block_in"].shape == (1, 8, 8, 8)
    assert result.shape == (1, 4, 8, 8)


def test_decoder_stage_without_attention_passes_the_skip_untouched():
    stage = DecoderStage(2, 6, 4).eval()
    seen = {}
    stage.block.register_forward_hook(lambda _m, ins, _o: seen.update(block_in=ins[0]))
    skip = torch.rand(1, 4, 8, 8)
    stage(torch.rand(1, 6, 4, 4), [skip])
    assert torch.equal(seen["block_in"][:, :4], skip)


def test_decoder_climbs_from_the_deepest_stage():
    decoder = Decoder(2, (2, 3, 5)).eval()
    skips = [torch.rand(1, 2, 8, 8), torch.rand(1, 3, 4, 4)]
    assert decoder(torch.rand(1, 5, 2, 2), skips).shape == (1, 2, 8, 8)
    assert count(decoder) == (
        (4 * 5 * 3 + 3) + (9 * 6 * 3 + 3 + 2 * 3) + (9 * 3 * 3 + 3 + 2 * 3)
        + (4 * 3 * 2 + 2) + (9 * 4 * 2 + 2 + 2 * 2) + (9 * 2 * 2 + 2 + 2 * 2)
    )  # fmt: skip


@pytest.mark.parametrize("dimensions", [2, 3])
def test_folded_block_computes_what_it_computed_with_its_norms(dimensions):
    generator = torch.Generator().manual_seed(5)
    block = ConvBlock(dimensions, 3, 4, dropout=0.4)
    for norm in (block.norm1, block.norm2):
        for values in (norm.running_mean, norm.weight.data, norm.bias.data):
            values.copy_(torch.randn(4, generator=generator))
        norm.running_var.copy_(torch.rand(4, generator=generator) + 0.2)
    x = torch.randn((2, 3, *[6] * dimensions), generator=generator)
    block.eval().requires_grad_(False)
    expected = block(x)
    block.fold()
    assert not any("Norm" in type(layer).__name__ for layer in block)
    torch.testing.assert_close(block(x), expected)
    assert float(expected.abs().max()) > 0.1
