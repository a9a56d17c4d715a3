"""Losses as experiments name them, against the thesis's equations written out."""

import math

import pytest
import torch
from VSClickCorrectResearch.training.experiments import Objective
from VSClickCorrectResearch.training.objective import objective


@pytest.fixture
def example():
    """Logits and a truth of a cut of one slice, and the probabilities as plain numbers."""
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(1, 1, 6, 8, generator=generator)
    truth = (torch.rand(1, 1, 1, 6, 8, generator=generator) > 0.6).float()
    return logits, truth


def pixels(logits, truth):
    """Return (row, column, probability, truth) of every pixel."""
    p, y = torch.sigmoid(logits[0, 0].double()), truth[0, 0, 0].double()
    return [(i, j, p[i, j].item(), y[i, j].item()) for i in range(p.shape[0]) for j in range(p.shape[1])]


def weight(i, j, peak, height=6, width=8):
    """1 in the corners, the peak in the middle, a raised cosine of the distance between."""
    r = math.hypot(i - (height - 1) / 2, j - (width - 1) / 2) / math.hypot((height - 1) / 2, (width - 1) / 2)
    return 1 + (peak - 1) * (1 + math.cos(math.pi * r)) / 2


def corrected(logits, truth, peak):
    """Equation 4.1."""
    some = [(p, y, weight(i, j, peak)) for i, j, p, y in pixels(logits, truth)]
    return 1 - 2 * sum(p * y * w for p, y, w in some) / sum((p + y) * w for p, y, w in some)


@pytest.mark.parametrize("peak", [None, 1.0, 5.0, 20.0])
def test_peak_of_the_correction_loss_is_the_experiments(example, peak):
    logits, truth = example
    parameters = {} if peak is None else {"peak": peak}
    value = objective(Objective("correction", parameters=parameters))(logits, truth)
    assert value.item() == pytest.approx(corrected(logits, truth, 3.0 if peak is None else peak), abs=1e-4)


@pytest.mark.parametrize("peak", [1.0, 8.0])
def test_peak_of_the_volumetric_loss_weighs_the_clicked_slice(peak):
    generator = torch.Generator().manual_seed(6)
    logits = torch.randn(1, 4, 6, 8, generator=generator)
    truth = (torch.rand(1, 1, 4, 6, 8, generator=generator) > 0.6).float()
    found = objective(Objective("volumetric_correction", parameters={"peak": peak, "alpha": 0.5}))
    p, y = torch.sigmoid(logits[0].double()), truth[0, 0].double()
    dice = 1 - 2 * (p * y).sum().item() / (p + y).sum().item()
    # Of four slices the third is the clicked one.
    expected = corrected(logits[:, 2:3], truth[:, :, 2:3], peak) + 0.5 * dice
    assert found(logits, truth).item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    "parameters", [{}, {"focal_share": 0.25}, {"focal_share": 4.0, "alpha": 0.6, "gamma": 1.0}]
)
def test_dice_focal_is_the_sum_of_both(example, parameters):
    logits, truth = example
    share, alpha, gamma = ({"focal_share": 1.0, "alpha": 0.25, "gamma": 2.0} | parameters).values()
    some = [(p, y) for _, _, p, y in pixels(logits, truth)]
    dice = 1 - 2 * sum(p * y for p, y in some) / sum(p + y for p, y in some)
    focal = -sum(
        alpha * (1 - p) ** gamma * math.log(p) if y else (1 - alpha) * p**gamma * math.log(1 - p)
        for p, y in some
    ) / len(some)
    value = objective(Objective("dice_focal", parameters=parameters))(logits, truth)
    assert value.item() == pytest.approx(dice + share * focal, abs=1e-4)
