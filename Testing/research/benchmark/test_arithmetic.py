"""Operations counted, against what can be worked out by hand."""

import pytest
import torch
from torch import nn
from VSClickCorrectLib.inference.device import prepare
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectResearch.benchmark import arithmetic
from VSClickCorrectResearch.benchmark.arithmetic import NetworkRate, matrix_rate, network_rates, operations

CPU = torch.device("cpu")


def test_a_convolution_needs_two_operations_for_every_weight_and_output():
    network = nn.Conv2d(3, 5, kernel_size=3, padding=1)
    assert operations(network, torch.zeros(2, 3, 8, 10)) == pytest.approx(
        2 * (3 * 3 * 3) * 5 * (2 * 8 * 10) / 1e9
    )


def test_a_network_that_is_ready_to_run_needs_no_fewer_than_its_convolutions():
    network = prepare(nn.Sequential(nn.Conv3d(2, 4, 3, padding=1)), CPU)
    assert operations(network, torch.zeros(1, 2, 4, 5, 6)) == pytest.approx(2 * 4 * 5 * 6 * 4 * 2 * 27 / 1e9)


def test_rate_and_share_follow_from_operations_and_the_median_time():
    rate = NetworkRate("n", (1, 2), 0.9, (0.02, 0.01, 0.5), 1, 150.0)
    assert rate.rate == pytest.approx(45.0)
    assert rate.share == pytest.approx(0.3)


def test_matrix_products_run_at_some_rate():
    assert matrix_rate(CPU, repeats=1) > 0


def test_every_network_is_counted_on_the_input_that_it_gets(bright_models, small, monkeypatch):
    # Some rate is enough here.
    monkeypatch.setattr(arithmetic, "_MATRICES", {"cpu": (128,)})
    networks = Networks.load(ModelFolder(bright_models), "cpu")
    rates = {rate.name: rate for rate in network_rates(small.case, networks, 2)}
    assert {"find", "first", "mend"} <= set(rates)
    assert rates["mend"].shape == (1, 20, 48, 48)
    for name in ("find", "first"):
        batch, channels, *space = rates[name].shape
        assert (batch, channels) == (1, 2)
        assert all(side % 8 == 0 for side in space)
    assert rates["mend"].threads == 1
    assert all(rate.best > 0 for rate in rates.values())
    assert all(len(rate.seconds) == 2 and rate.gigaflop > 0 for rate in rates.values())
    # Nothing of the counting stays in the networks.
    assert not any(model.network._forward_pre_hooks for model in networks.segmenter.models)
