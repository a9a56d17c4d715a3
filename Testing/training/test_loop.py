"""The training loop, on a network of one number whose way can be followed by hand."""

import json

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from VSClickCorrectLib.training.loop import Schedule, fit


class OneNumber(nn.Module):
    """Answers its number, whatever it is asked; ``modes`` tells how it was called."""

    def __init__(self):
        super().__init__()
        self.number = nn.Parameter(torch.zeros(1))
        self.modes = []

    def forward(self, x):
        self.modes.append(self.training)
        return self.number.expand_as(x)


@pytest.fixture
def network():
    return OneNumber()


def ones():
    while True:
        yield torch.zeros(4), torch.ones(4)


def squared(answer, wanted):
    return ((answer - wanted) ** 2).mean()


def train(network, output, scores=None, steps=3, check_every=1, **schedule):
    """Train; ``scores`` are what the looks at the validation set say. Returns the best and the numbers."""
    numbers, said = [], iter(scores or [])

    def score(seen):
        assert not seen.training
        numbers.append(seen.number.item())
        return next(said) if scores else -abs(1 - seen.number.item()) + 2

    options = {"learning_rate": 0.1, "threads": 1} | schedule
    best = fit(network, ones(), squared, score, Schedule(steps, check_every, **options), output)
    return best, numbers


def log_of(output):
    return [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]


def test_training_moves_the_network_toward_its_target(network, tmp_path):
    best, numbers = train(network, tmp_path, steps=60, check_every=10)
    nearest = min(numbers, key=lambda number: abs(1 - number))
    assert network.number.item() == nearest == pytest.approx(1.0, abs=0.05)
    assert best == pytest.approx(2 - abs(1 - nearest))


def test_first_step_of_adam_is_the_learning_rate(network, tmp_path):
    _, numbers = train(network, tmp_path, scores=[0.5], steps=1)
    assert numbers == [pytest.approx(0.1, abs=1e-4)]


def test_weights_of_the_best_look_are_kept_in_network_and_file(network, tmp_path):
    best, numbers = train(network, tmp_path, scores=[0.2, 0.9, 0.5, 0.9, 0.1], steps=5)
    assert best == 0.9
    # The first of equals: a later one must be better to be worth it.
    assert network.number.item() == numbers[1]
    assert load_file(tmp_path / "best.safetensors")["number"].item() == numbers[1]
    assert len(set(numbers)) == 5


def test_scores_of_0_are_better_than_no_training(network, tmp_path):
    best, numbers = train(network, tmp_path, scores=[0.0, 0.0], steps=2)
    assert best == 0.0
    assert network.number.item() == numbers[0]


def test_validation_is_looked_at_every_so_often_and_at_the_end(network, tmp_path):
    train(network, tmp_path, scores=[0.1, 0.2, 0.3], steps=7, check_every=3)
    assert [row["step"] for row in log_of(tmp_path)[1:]] == [3, 6, 7]
    assert network.modes == [True] * 7


def test_log_begins_with_the_schedule_and_tells_loss_and_score_of_every_look(network, tmp_path):
    train(network, tmp_path, scores=[0.25, 0.5], steps=4, check_every=2)
    schedule, first, second = log_of(tmp_path)
    assert schedule["schedule"]["steps"] == 4
    assert schedule["schedule"]["learning_rate"] == 0.1
    assert (first["score"], second["score"]) == (0.25, 0.5)
    # Losses of the numbers 0 and 0.1, averaged.
    assert first["loss"] == pytest.approx((1.0 + 0.81) / 2, abs=1e-3)
    assert second["loss"] < first["loss"]


def test_learning_rate_is_halved_when_scores_no_longer_rise(network, tmp_path):
    train(network, tmp_path, scores=[0.5] * 8, steps=8, patience=2)
    rates = [row["learning_rate"] for row in log_of(tmp_path)[1:]]
    # The first look sets the mark; the third one after it without gain is one too many for a patience of two.
    assert rates == [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]


def test_time_at_most_ends_training_with_a_last_look(network, tmp_path):
    best, numbers = train(network, tmp_path, scores=[0.3], steps=1000, check_every=100, minutes=-1.0)
    assert best == 0.3
    assert len(numbers) == 1
    assert log_of(tmp_path)[-1]["step"] == 1


def test_gradients_of_an_exploding_loss_are_clipped(network, tmp_path):
    gradients = []
    network.number.register_post_accumulate_grad_hook(lambda p: gradients.append(p.grad))
    fit(
        network,
        ones(),
        lambda answer, wanted: 1e6 * squared(answer, wanted),
        lambda seen: 1.0,
        Schedule(1, learning_rate=0.1, threads=1),
        tmp_path,
    )
    assert gradients[0].abs().item() == pytest.approx(5.0, rel=1e-4)


def test_same_seed_gives_the_same_weights(tmp_path):
    def run(name):
        torch.manual_seed(3)
        network = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 4))

        def batches():
            while True:
                x = torch.rand(2, 4)
                yield x, x.flip(1)

        fit(network, batches(), squared, lambda seen: 1.0, Schedule(5, 5, threads=1), tmp_path / name)
        return network.state_dict()

    first, second = run("first"), run("second")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_weights_in_a_fast_layout_are_kept_too(tmp_path):
    network = nn.Conv2d(3, 4, 3, padding=1).to(memory_format=torch.channels_last)

    def batches():
        while True:
            yield torch.rand(1, 3, 8, 8), torch.zeros(1, 4, 8, 8)

    fit(network, batches(), squared, lambda seen: 1.0, Schedule(1, threads=1), tmp_path)
    assert torch.equal(load_file(tmp_path / "best.safetensors")["weight"], network.weight)
