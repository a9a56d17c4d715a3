"""Devices and precision."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from VSClickCorrectLib.errors import ModelError, VSClickError
from VSClickCorrectLib.inference.device import (
    choose_device,
    is_exact,
    one_thread,
    precision,
    prepare,
    probabilities,
)
from VSClickCorrectLib.networks.unet3d import UNet3D

CPU = torch.device("cpu")


@pytest.fixture
def bare_machine(monkeypatch):
    """A machine with a processor only."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def scaling_network(weight, bias, dimensions=3):
    convolution = (nn.Conv2d if dimensions == 2 else nn.Conv3d)(1, 1, 1)
    nn.init.constant_(convolution.weight, weight)
    nn.init.constant_(convolution.bias, bias)
    return nn.Sequential(convolution)


def test_auto_is_the_processor_where_there_is_nothing_else(bare_machine):
    assert choose_device() == CPU
    assert choose_device("auto") == CPU


def test_auto_prefers_cuda_to_mps_to_the_processor(bare_machine, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"


def test_processor_is_taken_when_asked_for_even_if_there_is_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize("name", ["cuda", "mps", "tpu", "CPU", ""])
def test_device_that_is_unknown_or_not_there_is_refused_in_a_sentence(bare_machine, name):
    with pytest.raises(ModelError, match=rf"'{name}' is not available here; choose auto or cpu\.$"):
        choose_device(name)


@pytest.mark.parametrize("dimensions, layout", [(2, torch.channels_last), (3, torch.channels_last_3d)])
def test_prepared_network_predicts_in_the_fast_layout_and_learns_no_more(dimensions, layout):
    convolution = nn.Conv2d if dimensions == 2 else nn.Conv3d
    network = prepare(nn.Sequential(convolution(3, 4, 3), nn.Dropout()), CPU)
    assert not network.training
    assert not network[1].training
    assert network[0].weight.is_contiguous(memory_format=layout)
    assert not any(p.requires_grad for p in network.parameters())


def test_one_small_volume_is_convolved_as_fast_as_many():
    if not (is_exact(CPU) and torch.backends.mkldnn.is_available()):
        pytest.skip("torch has no oneDNN here, or computes in another precision")
    torch.manual_seed(0)
    network = UNet3D(channels=(8, 16, 32), each_sample=True).eval()
    ready, volume = prepare(copy.deepcopy(network), CPU), torch.rand(1, 2, 16, 16, 24)
    with torch.inference_mode(), torch.profiler.profile() as profile:
        found = ready(volume)
    with torch.inference_mode():
        expected = network.double()(volume.double()).float()
    done = {event.key for event in profile.key_averages()}
    assert "aten::mkldnn_convolution" in done
    assert not any("slow_conv3d" in name for name in done)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-4)


def test_probabilities_are_the_sigmoid_of_the_logits():
    values = np.array([-2.0, -0.5, 0.0, 0.25, 3.0], np.float32).reshape(1, 1, 1, 1, 5)
    found = probabilities(prepare(scaling_network(2.0, 1.0), CPU), torch.from_numpy(values))
    assert found.dtype == torch.float32
    assert found.device == CPU
    assert np.allclose(found.numpy(), 1 / (1 + np.exp(-(2 * values + 1))), atol=0.01)  # bf16, where there is


def test_probabilities_of_extreme_logits_stay_between_0_and_1():
    values = torch.tensor([-1e4, 0.0, 1e4]).reshape(1, 1, 1, 3)
    found = probabilities(prepare(scaling_network(1.0, 0.0, 2), CPU), values).flatten().tolist()
    assert found == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    "capabilities", [{}, {"avx512_bf16": True, "amx_bf16": False, "cpu_name": "Intel Xeon"}]
)
def test_processor_that_is_not_faster_in_bf16_computes_in_full_precision(monkeypatch, capabilities):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    with precision(CPU):
        assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(
    "capabilities",
    [
        {"avx512_bf16": True, "cpu_name": "AMD EPYC"},
        {"avx512_bf16": True},
        {"avx512_bf16": True, "amx_bf16": True, "cpu_name": "Intel Xeon"},
        {"bf16": True, "cpu_name": "ARM Neoverse V1"},
    ],
)
def test_processor_that_is_faster_in_bf16_uses_it_and_still_answers_in_float32(monkeypatch, capabilities):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    with precision(CPU):
        assert torch.is_autocast_enabled("cpu")
        assert torch.get_autocast_dtype("cpu") == torch.bfloat16
    found = probabilities(prepare(scaling_network(2.0, 1.0), CPU), torch.full((1, 1, 2, 2, 2), 0.3))
    assert found.dtype == torch.float32
    assert np.allclose(found.numpy(), 1 / (1 + np.exp(-1.6)), atol=0.01)


def test_precision_does_not_outlast_the_network(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"bf16": True}, raising=False)
    probabilities(prepare(scaling_network(2.0, 1.0), CPU), torch.zeros((1, 1, 2, 2, 2)))
    assert not torch.is_autocast_enabled("cpu")


def test_one_thread_is_used_inside_and_as_many_as_before_after_an_error_too():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyError), one_thread():
            assert torch.get_num_threads() == 1
            raise KeyError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_network_that_finds_no_memory_is_told_of():
    def full(*_):
        raise MemoryError

    network = prepare(scaling_network(2.0, 1.0), CPU)
    network.register_forward_pre_hook(full)
    with pytest.raises(VSClickError, match="memory"):
        probabilities(network, torch.zeros((2, 1, 2, 2, 2)))
