"""The multi-encoder U-Net against thesis 4.6.1 and 4.7."""

import pytest
import torch
from torch import nn
from VSClickCorrectLib.networks.multi_encoder import MultiEncoderUNet

SMALL = (2, 4, 6, 8)

# Both encoders from the second convolution on are alike; only the first differs in its input channels.
REST_OF_ENCODER_2D = (
    (9 * 32 * 32 + 32 + 2 * 32)
    + (9 * 32 * 64 + 64 + 2 * 64) + (9 * 64 * 64 + 64 + 2 * 64)
    + (9 * 64 * 128 + 128 + 2 * 128) + (9 * 128 * 128 + 128 + 2 * 128)
)  # fmt: skip
REST_OF_ENCODER_3D = (
    (27 * 32 * 32 + 32 + 2 * 32)
    + (27 * 32 * 64 + 64 + 2 * 64) + (27 * 64 * 64 + 64 + 2 * 64)
    + (27 * 64 * 128 + 128 + 2 * 128) + (27 * 128 * 128 + 128 + 2 * 128)
)  # fmt: skip
# Two gates per stage (skip, gating signal, psi), then the 1x1 convolution that joins their skips.
GATES_AND_ADJUSTMENTS = (
    2 * (128 * 64 + (256 * 64 + 64) + (64 + 1)) + (256 * 128 + 128)
    + 2 * (64 * 32 + (128 * 32 + 32) + (32 + 1)) + (128 * 64 + 64)
    + 2 * (32 * 16 + (64 * 16 + 16) + (16 + 1)) + (64 * 32 + 32)
)  # fmt: skip


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameter_count_by_hand_2d():
    images = (9 * 2 * 32 + 32 + 2 * 32) + REST_OF_ENCODER_2D
    mask = (9 * 1 * 32 + 32 + 2 * 32) + REST_OF_ENCODER_2D
    bottleneck = (9 * (128 + 128) * 256 + 256 + 2 * 256) + (9 * 256 * 256 + 256 + 2 * 256)
    decoder = (
        (4 * 256 * 128 + 128) + (9 * (128 + 128) * 128 + 128 + 2 * 128) + (9 * 128 * 128 + 128 + 2 * 128)
        + (4 * 128 * 64 + 64) + (9 * (64 + 64) * 64 + 64 + 2 * 64) + (9 * 64 * 64 + 64 + 2 * 64)
        + (4 * 64 * 32 + 32) + (9 * (32 + 32) * 32 + 32 + 2 * 32) + (9 * 32 * 32 + 32 + 2 * 32)
    )  # fmt: skip
    assert images + mask + bottleneck + decoder + GATES_AND_ADJUSTMENTS + (32 + 1) == 2_618_567
    assert count(MultiEncoderUNet(2)) == 2_618_567


def test_parameter_count_by_hand_3d():
    images = (27 * 2 * 32 + 32 + 2 * 32) + REST_OF_ENCODER_3D
    mask = (27 * 1 * 32 + 32 + 2 * 32) + REST_OF_ENCODER_3D
    bottleneck = (27 * (128 + 128) * 256 + 256 + 2 * 256) + (27 * 256 * 256 + 256 + 2 * 256)
    decoder = (
        (8 * 256 * 128 + 128) + (27 * (128 + 128) * 128 + 128 + 2 * 128) + (27 * 128 * 128 + 128 + 2 * 128)
        + (8 * 128 * 64 + 64) + (27 * (64 + 64) * 64 + 64 + 2 * 64) + (27 * 64 * 64 + 64 + 2 * 64)
        + (8 * 64 * 32 + 32) + (27 * (32 + 32) * 32 + 32 + 2 * 32) + (27 * 32 * 32 + 32 + 2 * 32)
    )  # fmt: skip
    assert images + mask + bottleneck + decoder + GATES_AND_ADJUSTMENTS + (32 + 1) == 7_455_623
    assert count(MultiEncoderUNet(3)) == 7_455_623


@pytest.mark.parametrize(
    ("dimensions", "sides", "deepest"),
    [(2, (48, 48), (6, 6)), (3, (8, 48, 48), (1, 6, 6)), (3, (16, 16, 24), (2, 2, 3))],
)
def test_shapes(dimensions, sides, deepest):
    network = MultiEncoderUNet(dimensions, channels=SMALL).eval()
    seen = {}
    network.bottleneck.register_forward_hook(
        lambda _m, ins, out: seen.update(into=tuple(ins[0].shape), out=tuple(out.shape))
    )
    with torch.no_grad():
        assert network(torch.rand(2, 3, *sides)).shape == (2, 1, *sides)
    assert seen == {"into": (2, 6 + 6, *deepest), "out": (2, 8, *deepest)}


@pytest.mark.parametrize(("changed", "other"), [("mask", "image"), ("image", "mask")])
def test_encoders_see_their_own_channels_only(changed, other):
    # Wide enough that no random start leaves every ReLU of a stage dead, which would hide the change.
    torch.manual_seed(0)
    network = MultiEncoderUNet(2, image_channels=2, mask_channels=2, channels=(8, 12, 16, 20)).eval()
    features = {"image": [], "mask": []}
    network.image_encoder.register_forward_hook(lambda _m, _i, out: features["image"].append(out[1]))
    network.mask_encoder.register_forward_hook(lambda _m, _i, out: features["mask"].append(out[1]))
    x = torch.rand(1, 4, 16, 16)
    y = x.clone()
    y[:, slice(2, 4) if changed == "mask" else slice(0, 2)] = torch.rand(1, 2, 16, 16)
    with torch.no_grad():
        first, second = network(x), network(y)
    assert torch.equal(*features[other])
    assert not torch.equal(*features[changed])
    assert not torch.equal(first, second)


def test_each_stage_gates_the_image_skip_first_and_the_mask_skip_second():
    network = MultiEncoderUNet(2, channels=SMALL).eval()
    sent, gated = {}, []
    network.image_encoder.register_forward_hook(lambda _m, _i, out: sent.update(image=out[0]))
    network.mask_encoder.register_forward_hook(lambda _m, _i, out: sent.update(mask=out[0]))
    for stage in network.decoder.stages:
        for gate in stage.gates:
            gate.register_forward_hook(lambda _m, ins, _o: gated.append(ins[0]))
    with torch.no_grad():
        network(torch.rand(1, 3, 16, 16))
    expected = [sent[which][level] for level in (2, 1, 0) for which in ("image", "mask")]
    assert len(gated) == 6
    assert all(seen is skip for seen, skip in zip(gated, expected, strict=True))


def test_encoders_share_no_weights():
    network = MultiEncoderUNet(2, channels=SMALL)
    images = {parameter.data_ptr() for parameter in network.image_encoder.parameters()}
    assert images.isdisjoint(parameter.data_ptr() for parameter in network.mask_encoder.parameters())


def test_dropout_follows_every_relu_of_the_ten_blocks():
    layers = [m for m in MultiEncoderUNet(2, channels=SMALL).modules() if isinstance(m, nn.ReLU | nn.Dropout)]
    assert [type(layer) for layer in layers] == [nn.ReLU, nn.Dropout] * 20


@pytest.mark.parametrize(("dimensions", "sides"), [(2, (16, 16)), (3, (8, 16, 16))])
def test_evaluation_is_deterministic(dimensions, sides):
    network = MultiEncoderUNet(dimensions, channels=SMALL).eval()
    x = torch.rand(1, 3, *sides)
    with torch.no_grad():
        assert torch.equal(network(x), network(x))


@pytest.mark.parametrize(("dimensions", "sides"), [(2, (16, 16)), (3, (8, 16, 16))])
def test_every_parameter_gets_a_gradient(dimensions, sides):
    network = MultiEncoderUNet(dimensions, channels=SMALL)
    network(torch.rand(2, 3, *sides)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
