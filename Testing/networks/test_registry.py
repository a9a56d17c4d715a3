"""Networks by name: what manifests may say, and what they are told when they say something else."""

import json
import subprocess
import sys

import pytest
import torch
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.networks.attention_unet import AttentionUNet2D
from VSClickCorrectLib.networks.multi_encoder import MultiEncoderUNet
from VSClickCorrectLib.networks.registry import build, names
from VSClickCorrectLib.networks.unet3d import UNet3D


def test_names():
    assert names() == (
        "unet3d",
        "attention_unet2d",
        "multi_encoder_unet2d",
        "multi_encoder_unet3d",
        "unet2d",
    )


@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [
        ("unet3d", UNet3D, (1, 2, 8, 8, 8)),
        ("attention_unet2d", AttentionUNet2D, (1, 3, 8, 8)),
        ("multi_encoder_unet2d", MultiEncoderUNet, (1, 3, 8, 8)),
        ("multi_encoder_unet3d", MultiEncoderUNet, (1, 3, 8, 8, 8)),
    ],
)
def test_builds_what_json_asks_for(name, kind, shape):
    network = build(name, **json.loads('{"channels": [2, 3, 4, 5]}')).eval()
    assert type(network) is kind
    with torch.no_grad():
        assert network(torch.rand(shape)).shape == (1, 1, *shape[2:])


def test_passes_every_parameter_on():
    parameters = {"in_channels": 7, "out_channels": 5, "channels": [2, 3], "dropout": 0, "attention": False}
    network = build("attention_unet2d", **parameters).eval()
    assert network(torch.rand(1, 7, 4, 4)).shape == (1, 5, 4, 4)


def test_unknown_name_is_told_the_known_ones():
    with pytest.raises(ModelError) as error:
        build("unet4d")
    assert str(error.value) == (
        "There is no network 'unet4d'; choose one of "
        "unet3d, attention_unet2d, multi_encoder_unet2d, multi_encoder_unet3d, unet2d."
    )


def test_unknown_parameter_is_told_the_known_ones():
    with pytest.raises(ModelError) as error:
        build("unet3d", dropout=0.4)
    assert str(error.value) == (
        "Network 'unet3d' has no parameter 'dropout'; "
        "it has in_channels, out_channels, channels, each_sample."
    )


def test_dimensions_belong_to_the_name():
    with pytest.raises(ModelError, match="no parameter 'dimensions'"):
        build("multi_encoder_unet2d", dimensions=3)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("channels", [32]),
        ("channels", []),
        ("channels", 32),
        ("channels", "32, 64"),
        ("channels", [32, 0]),
        ("channels", [32, 64.0]),
        ("channels", [32] * 9),
        ("channels", [128, 256]),
        ("channels", [32, 4096]),
        ("in_channels", 0),
        ("in_channels", 10**6),
        ("out_channels", 10**6),
        ("in_channels", "3"),
        ("in_channels", True),
        ("out_channels", None),
        ("dropout", 1),
        ("dropout", -0.1),
        ("dropout", float("nan")),
        ("dropout", False),
        ("attention", 1),
    ],
)
def test_useless_value_is_named(word, value):
    with pytest.raises(
        ModelError, match=f"Parameter '{word}' of network 'attention_unet2d' must be .*, not "
    ):
        build("attention_unet2d", **{word: value})


@pytest.mark.parametrize(
    ("word", "value"),
    [("depth", 0), ("depth", 9), ("depth", True), ("depth", 3.0), ("features", 0), ("features", 65)],
)
def test_useless_depth_or_width_is_named(word, value):
    with pytest.raises(
        ModelError, match=f"Parameter '{word}' of network 'unet2d' must be a whole number from 1"
    ):
        build("unet2d", **{word: value})


def test_importing_the_package_imports_no_torch():
    packages = "VSClickCorrectLib.networks, VSClickCorrectResearch.training"
    code = f"import sys, {packages}; print('torch' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "False"
