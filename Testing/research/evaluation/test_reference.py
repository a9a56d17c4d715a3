"""What a check of the models passes, however a processor rounds, and what it finds."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from handmade_models import change_entry, read_manifest, vouch_for, write_manifest
from safetensors.torch import load, save
from VSClickCorrectLib.clicks import patches
from VSClickCorrectLib.inference import click_segmenter, device
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.io.sample_case import read_sample
from VSClickCorrectResearch.evaluation import forward, reference
from VSClickCorrectResearch.evaluation.reference import (
    Deviation,
    Expected,
    Output,
    Tolerance,
    model_outputs,
    write_expected,
)

CASE = "T1ce and T2"
# Of each network's first, last and deepest convolutions, and of what joins two encoders.
LAYERS = {
    "encoder.stages.0.conv1": 1.1,
    "bottleneck.conv1": 3.0,
    "bottleneck.conv2": 1.1,
    "head": 1.1,
    "decoder.stages.0.adjust": 1.1,
}


@pytest.fixture(scope="module")
def expected(shipped_models):
    return Expected(ModelFolder(shipped_models))


@pytest.fixture(scope="module")
def sample():
    return read_sample()


@pytest.fixture(autouse=True)
def one_case(monkeypatch, sample):
    monkeypatch.setattr(reference, "CASES", {CASE: ("t1ce", "t2")})
    monkeypatch.setattr(reference, "read_sample", lambda: sample)


@pytest.fixture(scope="module")
def said():
    """What each model said to `differing`, by its entry: who spoils some need not run the others again."""
    return {}


@pytest.fixture
def copied(shipped_models, tmp_path):
    """A copy of the shipped models that a test may spoil."""
    return shutil.copytree(shipped_models, tmp_path / "models")


def names(folder):
    return [entry["name"] for entry in read_manifest(folder)]


def differing(folder, expected, said):
    """Names of the models that do not say what is expected."""
    models = ModelFolder(folder)
    entries = models.entries
    for name, entry in entries.items():
        if repr(entry) not in said:
            models.entries = {name: entry}
            (said[repr(entry)],) = model_outputs(models, "cpu")
    return [name for name, entry in entries.items() if not expected.meets(said[repr(entry)])]


def changed(folder, change):
    """Let ``change`` work on the tensors of every model, and vouch for the files that are new."""
    for entry in read_manifest(folder):
        tensors = {name: t.float() for name, t in load((folder / entry["file"]).read_bytes()).items()}
        before = save(tensors)
        change(tensors)
        if save(tensors) != before:
            vouch_for(folder, entry["name"], save(tensors))


def shares(expected, outputs):
    """The part of what it may be off by that each output is off, by model: exact and device."""
    found = {}
    for one in outputs:
        deviation, tolerance = expected.deviation(one), expected.tolerance(one)
        found[one.model] = (deviation.exact / tolerance.exact, deviation.device / tolerance.device)
    return found


def test_shipped_models_say_what_is_expected_and_rounding_is_far_from_the_limit(shipped_models, expected):
    outputs = list(model_outputs(ModelFolder(shipped_models), "cpu"))
    assert [one.model for one in outputs] == names(shipped_models)
    assert all(map(expected.meets, outputs))
    assert all(exact < 0.2 for exact, _ in shares(expected, outputs).values())


@pytest.mark.long
@pytest.mark.parametrize("instructions", ["SSE41", "AVX2"])
def test_other_instructions_of_a_processor_pass(instructions, shipped_models):
    program = f"""
from VSClickCorrectResearch.evaluation import forward, reference
from VSClickCorrectLib.inference.manifest import ModelFolder
reference.CASES = {{{CASE!r}: reference.CASES[{CASE!r}]}}
models = ModelFolder()
expected = reference.Expected(models)
assert all([expected.meets(one) for one in reference.model_outputs(models, "cpu")])
"""
    path = os.pathsep.join(sys.path)
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": instructions, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=300)


def in_bfloat16(convolve):
    """Let a convolution do what processors do that multiply in bfloat16: they add up products in float32.

    torch's own way where they do not takes minutes.
    """

    def convolved(self, *operands):
        if not torch.is_autocast_enabled("cpu"):
            return convolve(self, *operands)
        with torch.autocast("cpu", enabled=False):
            rounded = [one if one is None else one.bfloat16().float() for one in operands]
            how = self.padding, self.stride, self.dilation, self.groups
            return torch.mkldnn_convolution(*rounded, *how).bfloat16()

    return convolved


def test_processor_that_multiplies_in_bfloat16_passes(shipped_models, expected, monkeypatch):
    # So does every processor with AVX-512 BF16 or AMX: the product uses it there.
    if not device._cpu_is_faster_in_bf16() and torch.backends.mkldnn.is_available():
        for kind in (torch.nn.Conv2d, torch.nn.Conv3d):
            monkeypatch.setattr(kind, "_conv_forward", in_bfloat16(kind._conv_forward))
    monkeypatch.setattr(device, "_cpu_is_faster_in_bf16", lambda: True)
    outputs = list(model_outputs(ModelFolder(shipped_models), "cpu"))
    assert [one.model for one in outputs] == names(shipped_models)
    assert all(map(expected.meets, outputs))
    # The surer a network is, the less rounding changes.
    assert all(exact < 0.2 and 0.002 < quick < 0.2 for exact, quick in shares(expected, outputs).values())
    # In that precision what is expected of float32 does not hold.
    assert all(np.abs(one.exact - one.device).mean() > expected.tolerance(one).exact for one in outputs)


def test_weights_that_differ_by_no_more_than_rounding_pass(copied, expected, said):
    generator = torch.Generator().manual_seed(0)

    def noisy(tensors):
        for tensor in tensors.values():
            tensor *= 1 + 1e-4 * torch.randn(tensor.shape, generator=generator)

    changed(copied, noisy)
    assert differing(copied, expected, said) == []


@pytest.mark.parametrize(("layer", "scale"), LAYERS.items())
def test_layer_whose_scale_is_off_is_found(layer, scale, copied, expected, said):
    spoiled = []
    if layer == "bottleneck.conv1":
        # In the network of parts what normalises the next convolution takes it away, but for rounding.
        write_manifest(copied, [entry for entry in read_manifest(copied) if entry["role"] != "parts"])

    def scaled(tensors):
        # What a normalisation of the sample itself follows has no scale of its own: that is the norm's.
        averages = any("running_mean" in name for name in tensors)
        own = layer if averages else layer.replace("conv", "norm")
        mine = [name for name in tensors if f"{own}.weight" in name]
        spoiled.append(bool(mine))
        for name in mine[:1]:
            tensors[name] *= scale

    changed(copied, scaled)
    assert any(spoiled)
    found = differing(copied, expected, said)
    assert found == [name for name, one in zip(names(copied), spoiled, strict=True) if one]


@pytest.fixture
def show(monkeypatch):
    """Let networks be shown what a function makes of the sequences, ``(2, slices, rows, columns)``."""
    sample, with_mask = forward.sample_sequences, forward.PartsSegmenter.channels

    def let(change):
        for module in (forward, patches, click_segmenter):
            monkeypatch.setattr(module, "sample_sequences", lambda *place: change(sample(*place)))

        def changed_beside_mask(*place):
            channels = with_mask(*place)
            return np.concatenate([change(channels[:2]), channels[2:]])

        monkeypatch.setattr(forward.PartsSegmenter, "channels", changed_beside_mask)

    return let


def test_sequences_in_the_wrong_order_are_found(shipped_models, expected, show):
    show(lambda sequences: sequences[::-1].copy())
    assert differing(shipped_models, expected, {}) == names(shipped_models)


def test_images_that_are_normalised_otherwise_are_found(shipped_models, expected, show):
    # Not by a factor, which a network that normalises what it sees does not notice.
    show(lambda sequences: sequences ** np.float32(1.05))
    assert differing(shipped_models, expected, {}) == names(shipped_models)


def test_wrong_spacing_is_found(copied, expected, said):
    for entry in read_manifest(copied):
        geometry = dict(entry["geometry"])
        if "spacing" in geometry:
            geometry["spacing"] = [1.05 * length for length in geometry["spacing"]]
        else:
            geometry["pixel_mm"] *= 1.05
        change_entry(copied, entry["name"], geometry=geometry)
    assert differing(copied, expected, said) == names(copied)


def test_wrong_threshold_is_found(copied, expected, said):
    change_entry(copied, "vs-click-5", threshold=0.02)
    assert differing(copied, expected, said) == ["vs-click-5"]


def test_differences_are_means_over_what_was_kept(tmp_path, shipped_models):
    models = ModelFolder(shutil.copytree(shipped_models, tmp_path / "models"))
    output = Output("net", CASE, np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.5, 1.0]), 0.9, 0.0004)
    write_expected(models, [output])
    expected = Expected(models)
    assert expected.deviation(output) == Deviation(0.0, 0.0, 0.0)
    assert expected.tolerance(output) == Tolerance(0.0004, 0.005, 0.02)
    moved = replace(output, exact=np.array([0.0, 0.5, 0.9985]), device=np.array([0.0, 0.53, 1.0]), dice=0.89)
    deviation = expected.deviation(moved)
    assert deviation.exact == pytest.approx(0.0005)
    assert deviation.device == pytest.approx(0.01)
    assert deviation.dice == pytest.approx(-0.01)
    assert not expected.meets(moved)
    assert expected.deviation(replace(output, case="another")) is None
    assert expected.deviation(replace(output, exact=np.zeros(4))) is None


@pytest.mark.parametrize("name", ["exact", "device", "dice"])
def test_each_difference_has_its_limit(name):
    tolerance, right = Tolerance(0.1, 0.2, 0.3), Deviation(0.0, 0.0, 0.0)
    limit = getattr(tolerance, name)
    assert right.within(tolerance)
    assert replace(right, **{name: -0.99 * limit}).within(tolerance)
    assert not replace(right, **{name: -1.01 * limit}).within(tolerance)
    assert not replace(right, **{name: float("nan")}).within(tolerance)


@pytest.mark.long
def test_recorded_tolerance_is_what_errors_of_the_weights_make(copied, expected):
    for one in model_outputs(ModelFolder(copied), "cpu", tolerances=True):
        assert one.tolerance == pytest.approx(expected.tolerance(one).exact, rel=0.1)
    torch.manual_seed(0)
    changed(copied, lambda tensors: [t.mul_(1 + 1e-2 * torch.randn(t.shape)) for t in tensors.values()])
    for one in model_outputs(ModelFolder(copied), "cpu"):
        assert not expected.meets(one)
