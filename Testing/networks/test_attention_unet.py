"""The 2D Attention U-Net against thesis 4.5.5."""

import torch
from torch import nn
from VSClickCorrectLib.networks.attention_unet import AttentionUNet2D
from VSClickCorrectLib.networks.blocks import AttentionGate

ENCODER = (
    (9 * 3 * 32 + 32 + 2 * 32) + (9 * 32 * 32 + 32 + 2 * 32)
    + (9 * 32 * 64 + 64 + 2 * 64) + (9 * 64 * 64 + 64 + 2 * 64)
    + (9 * 64 * 128 + 128 + 2 * 128) + (9 * 128 * 128 + 128 + 2 * 128)
)  # fmt: skip
BOTTLENECK = (9 * 128 * 256 + 256 + 2 * 256) + (9 * 256 * 256 + 256 + 2 * 256)
DECODER = (
    (4 * 256 * 128 + 128) + (9 * (128 + 128) * 128 + 128 + 2 * 128) + (9 * 128 * 128 + 128 + 2 * 128)
    + (4 * 128 * 64 + 64) + (9 * (64 + 64) * 64 + 64 + 2 * 64) + (9 * 64 * 64 + 64 + 2 * 64)
    + (4 * 64 * 32 + 32) + (9 * (32 + 32) * 32 + 32 + 2 * 32) + (9 * 32 * 32 + 32 + 2 * 32)
)  # fmt: skip
# Each gate: skip without bias, gating signal with bias, psi with bias.
GATES = (
    128 * 64 + (256 * 64 + 64) + (64 + 1)
    + 64 * 32 + (128 * 32 + 32) + (32 + 1)
    + 32 * 16 + (64 * 16 + 16) + (16 + 1)
)  # fmt: skip
HEAD = 32 * 1 + 1


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameter_count_by_hand():
    assert ENCODER + BOTTLENECK + DECODER + GATES + HEAD == 1_960_900
    assert count(AttentionUNet2D()) == 1_960_900


def test_plain_unet_lacks_the_gates_only():
    assert ENCODER + BOTTLENECK + DECODER + HEAD == 1_928_417
    plain = AttentionUNet2D(attention=False)
    assert count(plain) == 1_928_417
    assert not [module for module in plain.modules() if isinstance(module, AttentionGate)]


def test_shapes_layer_by_layer():
    network = AttentionUNet2D(channels=(4, 6, 8, 10)).eval()
    shapes = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and "stages.0" in name or name == "bottleneck":
            module.register_forward_hook(
                lambda _m, _i, out, name=name: shapes.update({name: tuple(out.shape)})
            )
    with torch.no_grad():
        assert network(torch.rand(1, 3, 48, 48)).shape == (1, 1, 48, 48)
    assert shapes == {
        "encoder.stages.0.conv1": (1, 4, 48, 48),
        "encoder.stages.0.conv2": (1, 4, 48, 48),
        "bottleneck": (1, 10, 6, 6),
        "decoder.stages.0.upsampling": (1, 8, 12, 12),
        "decoder.stages.0.gates.0.skip": (1, 4, 6, 6),
        "decoder.stages.0.gates.0.gate": (1, 4, 6, 6),
        "decoder.stages.0.gates.0.psi": (1, 1, 6, 6),
        "decoder.stages.0.block.conv1": (1, 8, 12, 12),
        "decoder.stages.0.block.conv2": (1, 8, 12, 12),
    }


def test_dropout_follows_every_relu_of_the_seven_blocks():
    layers = [m for m in AttentionUNet2D().modules() if isinstance(m, nn.ReLU | nn.Dropout)]
    assert [type(layer) for layer in layers] == [nn.ReLU, nn.Dropout] * 14
    assert {layer.p for layer in layers if isinstance(layer, nn.Dropout)} == {0.4}
    assert not [m for m in AttentionUNet2D(dropout=0.0).modules() if isinstance(m, nn.Dropout)]


def test_dropout_acts_in_training_and_not_in_evaluation():
    torch.manual_seed(0)
    network = AttentionUNet2D(channels=(8, 12, 16, 20))
    x = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        assert not torch.equal(network(x), network(x))
        network.eval()
        assert torch.equal(network(x), network(x))


def test_every_parameter_gets_a_gradient():
    network = AttentionUNet2D(channels=(4, 6, 8, 10))
    network(torch.rand(2, 3, 16, 16)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
