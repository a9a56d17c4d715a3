"""The initial model against thesis 4.4.1: layer by layer in numbers, and shapes."""

import torch
from torch import nn
from VSClickCorrectLib.inference.device import prepare
from VSClickCorrectLib.networks.unet3d import UNet3D

ENCODER = (
    (27 * 2 * 32 + 32 + 2 * 32) + (27 * 32 * 32 + 32 + 2 * 32)
    + (27 * 32 * 64 + 64 + 2 * 64) + (27 * 64 * 64 + 64 + 2 * 64)
    + (27 * 64 * 128 + 128 + 2 * 128) + (27 * 128 * 128 + 128 + 2 * 128)
)  # fmt: skip
BOTTLENECK = (27 * 128 * 256 + 256 + 2 * 256) + (27 * 256 * 256 + 256 + 2 * 256)
# Each stage: transposed convolution, convolution of skip and upsampled, convolution.
DECODER = (
    (8 * 256 * 128 + 128) + (27 * (128 + 128) * 128 + 128 + 2 * 128) + (27 * 128 * 128 + 128 + 2 * 128)
    + (8 * 128 * 64 + 64) + (27 * (64 + 64) * 64 + 64 + 2 * 64) + (27 * 64 * 64 + 64 + 2 * 64)
    + (8 * 64 * 32 + 32) + (27 * (32 + 32) * 32 + 32 + 2 * 32) + (27 * 32 * 32 + 32 + 2 * 32)
)  # fmt: skip
HEAD = 32 * 1 + 1


def test_parameter_count_by_hand():
    assert ENCODER + BOTTLENECK + DECODER + HEAD == 5_603_393
    assert sum(parameter.numel() for parameter in UNet3D().parameters()) == 5_603_393


def test_shapes_layer_by_layer():
    network = UNet3D(channels=(2, 4, 8, 16)).eval()
    shapes = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
            module.register_forward_hook(
                lambda _m, _i, out, name=name: shapes.update({name: tuple(out.shape)})
            )
    with torch.no_grad():
        network(torch.rand(1, 2, 40, 16, 24))
    assert shapes == {
        "encoder.stages.0.conv1": (1, 2, 40, 16, 24),
        "encoder.stages.0.conv2": (1, 2, 40, 16, 24),
        "encoder.stages.1.conv1": (1, 4, 20, 8, 12),
        "encoder.stages.1.conv2": (1, 4, 20, 8, 12),
        "encoder.stages.2.conv1": (1, 8, 10, 4, 6),
        "encoder.stages.2.conv2": (1, 8, 10, 4, 6),
        "bottleneck.conv1": (1, 16, 5, 2, 3),
        "bottleneck.conv2": (1, 16, 5, 2, 3),
        "decoder.stages.0.upsampling": (1, 8, 10, 4, 6),
        "decoder.stages.0.block.conv1": (1, 8, 10, 4, 6),
        "decoder.stages.0.block.conv2": (1, 8, 10, 4, 6),
        "decoder.stages.1.upsampling": (1, 4, 20, 8, 12),
        "decoder.stages.1.block.conv1": (1, 4, 20, 8, 12),
        "decoder.stages.1.block.conv2": (1, 4, 20, 8, 12),
        "decoder.stages.2.upsampling": (1, 2, 40, 16, 24),
        "decoder.stages.2.block.conv1": (1, 2, 40, 16, 24),
        "decoder.stages.2.block.conv2": (1, 2, 40, 16, 24),
        "head": (1, 1, 40, 16, 24),
    }


def test_result_is_logits():
    network = UNet3D(channels=(2, 4)).eval()
    nn.init.constant_(network.head.bias, -50.0)
    with torch.no_grad():
        assert network(torch.rand(1, 2, 8, 8, 8)).max() < -1


def test_has_no_dropout_and_is_deterministic_in_evaluation():
    network = UNet3D(channels=(2, 4, 8, 16)).eval()
    assert not [module for module in network.modules() if isinstance(module, nn.Dropout)]
    x = torch.rand(2, 2, 8, 8, 8)
    with torch.no_grad():
        assert torch.equal(network(x), network(x))


def test_every_parameter_gets_a_gradient():
    network = UNet3D(channels=(2, 4, 8, 16))
    network(torch.rand(2, 2, 8, 16, 16)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_each_sample_is_normalised_by_itself():
    torch.manual_seed(0)
    network = UNet3D(1, 1, (2, 4), each_sample=True)
    volumes = torch.randn(2, 1, 8, 8, 8)
    volumes[1] *= 5
    expected = torch.cat([network(one[None]) for one in volumes])
    # Neither the other sample nor the mode changes anything.
    torch.testing.assert_close(network(volumes), expected)
    torch.testing.assert_close(network.eval()(volumes), expected)


def test_normalising_each_sample_begins_with_the_weights_of_batchnorm():
    weights = UNet3D(1, 1, (2, 4)).state_dict()
    missing, unused = UNet3D(1, 1, (2, 4), each_sample=True).load_state_dict(weights, strict=False)
    assert not missing
    assert all(name.endswith(("running_mean", "running_var", "num_batches_tracked")) for name in unused)


def test_a_network_that_normalises_each_sample_predicts_what_it_was_trained_to():
    torch.manual_seed(0)
    network = UNet3D(1, 1, (2, 4), each_sample=True)
    volume = torch.randn(1, 1, 8, 8, 8)
    expected = network(volume).detach()
    torch.testing.assert_close(prepare(network, torch.device("cpu"))(volume), expected)


def test_features_are_those_of_each_decoder_stage_deepest_first():
    network = UNet3D(channels=(2, 3, 4, 5)).eval()
    x = torch.rand(1, 2, 8, 16, 24)
    stages = network.features(x)
    assert [tuple(one.shape) for one in stages] == [(1, 4, 2, 4, 6), (1, 3, 4, 8, 12), (1, 2, 8, 16, 24)]
    torch.testing.assert_close(network.head(stages[-1]), network(x))
