"""The training loop, on a network of one number whose way can be followed by hand."""

import json

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectResearch.training.loop import Schedule, fit

pytestmark = pytest.mark.usefixtures("undrawn_curves")


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


def ones(step):
    return torch.zeros(4), torch.ones(4)


def squared(answer, wanted):
    return ((answer - wanted) ** 2).mean()


def train(network, output, scores=None, steps=3, val_every=1, **schedule):
    """Train; ``scores`` are what the looks at the validation set say. Returns the best and the numbers."""
    numbers, said = [], iter(scores or [])

    def score(seen):
        assert not seen.training
        numbers.append(seen.number.item())
        return next(said) if scores else -abs(1 - seen.number.item()) + 2

    options = {"learning_rate": 0.1, "threads": 1, "device": "cpu"} | schedule
    best = fit(network, ones, squared, score, Schedule(steps, val_every, **options), output, seed=0)
    return best, numbers


def log_of(output):
    return [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]


def test_training_moves_the_network_toward_its_target(network, tmp_path):
    best, numbers = train(network, tmp_path, steps=60, val_every=10)
    nearest = min(numbers, key=lambda number: abs(1 - number))
    assert network.number.item() == nearest == pytest.approx(1.0, abs=0.05)
    assert best == pytest.approx(2 - abs(1 - nearest))


def test_nothing_is_said_but_a_line_for_each_look_and_nothing_written_elsewhere(
    network, tmp_path, monkeypatch, capfd, recwarn
):
    output, here = tmp_path / "$HOME", tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    train(network, output, scores=[0.1, 0.2], steps=2)
    said = capfd.readouterr()
    assert [line.split()[:2] for line in said.out.splitlines()] == [["step", "1"], ["step", "2"]]
    assert said.err == ""
    assert not [str(warning.message) for warning in recwarn if "ightning" in warning.filename]
    assert list(here.iterdir()) == []
    # No picture: its drawing is left out here.
    written = {"best.safetensors", "checkpoint.safetensors", "log.jsonl", "tensorboard"}
    assert {path.name for path in output.iterdir()} == written


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
    train(network, tmp_path, scores=[0.1, 0.2, 0.3], steps=7, val_every=3)
    assert [row["step"] for row in log_of(tmp_path)[1:]] == [3, 6, 7]
    assert network.modes == [True] * 7


def test_log_begins_with_the_schedule_and_tells_loss_and_score_of_every_look(network, tmp_path):
    train(network, tmp_path, scores=[0.25, 0.5], steps=4, val_every=2)
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


def test_learning_rate_falls_at_the_milestones_alone(network, tmp_path):
    train(network, tmp_path, scores=[0.5] * 8, steps=8, patience=0, milestones=(3, 6), decay=0.1)
    rates = [row["learning_rate"] for row in log_of(tmp_path)[1:]]
    # A look tells the rate of the next step, and scores that do not rise halve nothing.
    assert rates == pytest.approx([0.1] * 2 + [0.01] * 3 + [0.001] * 3)


def test_time_at_most_ends_training_with_a_last_look(network, tmp_path):
    best, numbers = train(network, tmp_path, scores=[0.3], steps=1000, val_every=100, minutes=-1.0)
    assert best == 0.3
    assert len(numbers) == 1
    assert log_of(tmp_path)[-1]["step"] == 1


def test_training_that_the_time_cut_short_goes_on_with_the_next_step(network, tmp_path):
    asked = []

    def go_on(steps, minutes):
        def batch_at(step):
            asked.append(step)
            return ones(step)

        schedule = Schedule(steps, 3, threads=1, device="cpu", minutes=minutes)
        fit(network, batch_at, squared, lambda seen: 1.0, schedule, tmp_path, seed=0)
        return [row["step"] for row in log_of(tmp_path)[1:]]

    assert go_on(7, -1.0) == [1]
    assert go_on(6, 9.0) == [1, 4, 6]
    assert go_on(11, float("inf")) == [1, 4, 6, 9, 11]
    assert asked == list(range(1, 12))


def test_learning_rate_has_a_floor(network, tmp_path):
    train(network, tmp_path, scores=[0.5] * 5, steps=5, patience=0, lowest_rate=0.03)
    assert [row["learning_rate"] for row in log_of(tmp_path)[1:]] == [0.1, 0.05, 0.03, 0.03, 0.03]


def test_halving_remembers_what_was_before_an_interruption(network, tmp_path):
    train(network, tmp_path, scores=[0.5] * 3, steps=3, patience=2)
    train(network, tmp_path, scores=[0.5] * 5, steps=8, patience=2)
    rates = [row["learning_rate"] for row in log_of(tmp_path)[1:]]
    assert rates == [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]


def test_training_stops_early_after_looks_without_gain(network, tmp_path):
    scores = [0.3, 0.2, 0.5, 0.5, 0.4, 0.9]
    best, numbers = train(network, tmp_path, scores=scores, steps=6, stop_after=2)
    assert best == 0.5
    assert len(numbers) == 5
    assert network.number.item() == numbers[2]


def test_average_of_weights_is_scored_and_kept(network, tmp_path):
    _, plain = train(network, tmp_path / "plain", scores=[0.1] * 4, steps=4)
    averaged = OneNumber()
    _, found = train(averaged, tmp_path / "averaged", scores=[0.1, 0.2, 0.3, 0.4], steps=4, average=0.29)
    # The decay rises: 3/12 at the second step; 4/13 and 5/14 would be more than 0.29.
    second = 0.25 * plain[0] + 0.75 * plain[1]
    third = 0.29 * second + 0.71 * plain[2]
    fourth = 0.29 * third + 0.71 * plain[3]
    assert found == pytest.approx([plain[0], second, third, fourth], abs=1e-6)
    assert (
        averaged.number.item() == load_file(tmp_path / "averaged" / "best.safetensors")["number"] == found[3]
    )


def test_average_takes_batch_statistics_with_it(tmp_path):
    def statistics(average):
        network, seen = nn.BatchNorm1d(1, affine=True), []
        fit(
            network,
            lambda step: (torch.tensor([[0.0], [float(step)]]), torch.zeros(2, 1)),
            squared,
            lambda looked_at: seen.append(looked_at.running_mean.item()) or 1.0,
            Schedule(2, 1, threads=1, average=average, device="cpu"),
            tmp_path / str(average),
            seed=0,
        )
        return seen

    # Means 0.5 and 1 with the momentum 0.1 of batch statistics: 0.05, then 0.9 * 0.05 + 0.1 * 1.
    assert statistics(0.0) == pytest.approx([0.05, 0.145])
    assert statistics(0.9) == pytest.approx([0.05, 0.25 * 0.05 + 0.75 * 0.145])


def test_bfloat16_is_for_the_network_alone(tmp_path):
    seen = []

    class Told(nn.Linear):
        def forward(self, x):
            answer = super().forward(x)
            seen.append(("training" if self.training else "scoring", answer.dtype))
            return answer

    def loss(answer, wanted):
        seen.append(("loss", answer.dtype))
        return squared(answer, wanted)

    network = Told(3, 1)
    schedule = Schedule(1, threads=1, precision="bfloat16", device="cpu")
    fit(
        network,
        lambda step: (torch.ones(2, 3), torch.zeros(2, 1)),
        loss,
        lambda looked_at: looked_at(torch.ones(1, 3)).item(),
        schedule,
        tmp_path,
        seed=0,
    )
    assert seen == [("training", torch.bfloat16), ("loss", torch.float32), ("scoring", torch.float32)]
    assert network.weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps of a training must be at least 1, not 0"),
        ({"val_every": 0}, "val_every of a training must be at least 1"),
        ({"average": 1.0}, "average of a training must be from 0 to below 1"),
        ({"precision": "float8"}, "precision 'float8' is unknown; choose float32 or bfloat16"),
    ],
)
def test_schedule_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ModelError, match=message):
        Schedule(**{"steps": 5} | wrong)


def test_loss_that_is_not_a_number_ends_training_with_a_sentence(network, tmp_path):
    train(network, tmp_path, scores=[0.4], steps=1)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    with pytest.raises(ModelError, match="loss is nan at step 2; begin anew"):
        fit(
            OneNumber(),
            lambda step: (torch.zeros(4), torch.full((4,), float("nan"))),
            squared,
            lambda seen: 1.0,
            Schedule(2, 1, learning_rate=0.1, threads=1, device="cpu"),
            tmp_path,
            seed=0,
        )
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


@pytest.mark.parametrize(("precision", "more"), [("float32", ""), ("bfloat16", ", or in float32")])
def test_gradients_that_are_not_finite_end_training_at_their_step_and_change_nothing(
    network, tmp_path, precision, more
):
    network.number.register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(ModelError) as refusal:
        fit(
            network,
            ones,
            squared,
            lambda seen: 1.0,
            Schedule(9, 9, learning_rate=0.1, threads=1, device="cpu", precision=precision),
            tmp_path,
            seed=0,
        )
    wanted = f"the gradients are not finite at step 1; begin anew with a lower learning rate{more}."
    assert str(refusal.value) == wanted
    assert network.number.item() == 0.0


def test_score_that_is_not_a_number_ends_training_with_a_sentence(network, tmp_path):
    with pytest.raises(ModelError, match="validation set needs cases with a tumour"):
        train(network, tmp_path, scores=[float("nan")], steps=1)


def test_gradients_of_an_exploding_loss_are_clipped(network, tmp_path):
    gradients = []
    network.number.register_post_accumulate_grad_hook(lambda p: gradients.append(p.grad))
    fit(
        network,
        ones,
        lambda answer, wanted: 1e6 * squared(answer, wanted),
        lambda seen: 1.0,
        Schedule(1, learning_rate=0.1, threads=1, device="cpu"),
        tmp_path,
        seed=0,
    )
    assert gradients[0].abs().item() == pytest.approx(5.0, rel=1e-4)


@pytest.fixture
def trained(tmp_path):
    """Train a network with dropout and return its weights; ``noise`` is drawn before."""

    def train(name, seed=3, noise=0, **schedule):
        torch.manual_seed(3)
        network = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 4))
        torch.rand(noise)

        def batch_at(step):
            x = torch.rand(2, 4, generator=torch.Generator().manual_seed(step))
            return x, x.flip(1)

        steps = Schedule(5, 5, threads=1, device="cpu", **schedule)
        fit(network, batch_at, squared, lambda seen: 1.0, steps, tmp_path / name, seed=seed)
        return torch.cat([weight.flatten() for weight in network.state_dict().values()])

    return train


def test_seed_alone_decides_on_what_is_random_in_the_network(trained):
    assert torch.equal(trained("first"), trained("second", noise=5))
    assert not torch.equal(trained("first"), trained("third", seed=4))


def test_batches_made_ahead_by_workers_come_in_order(trained):
    assert torch.equal(trained("one"), trained("workers", workers=2))


def test_steps_count_from_1(network, tmp_path):
    asked = []

    def batch_at(step):
        asked.append(step)
        return ones(step)

    schedule = Schedule(4, 2, threads=1, device="cpu")
    fit(network, batch_at, squared, lambda seen: 1.0, schedule, tmp_path, seed=0)
    assert asked == [1, 2, 3, 4]


def test_weights_in_a_fast_layout_are_kept_too(tmp_path):
    network = nn.Conv2d(3, 4, 3, padding=1).to(memory_format=torch.channels_last)

    def batch_at(step):
        return torch.rand(1, 3, 8, 8), torch.zeros(1, 4, 8, 8)

    fit(
        network,
        batch_at,
        squared,
        lambda seen: 1.0,
        Schedule(1, threads=1, device="cpu"),
        tmp_path,
        seed=0,
    )
    assert torch.equal(load_file(tmp_path / "best.safetensors")["weight"], network.weight)
