"""Batches and the course of a training on a card, here on the processor: what is shown, what is learnt."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from VSClickCorrectLib.networks.registry import build
from VSClickCorrectResearch.training.experiments import Course, Examples, Experiment, Objective
from VSClickCorrectResearch.training.on_card.__main__ import main
from VSClickCorrectResearch.training.on_card.batches import Batches
from VSClickCorrectResearch.training.on_card.boxes import BoxPool
from VSClickCorrectResearch.training.on_card.course import CardTraining

EXPERIMENT = Experiment(
    name="click",
    role="click",
    network={"name": "unet3d", "in_channels": 5, "channels": [4, 8], "each_sample": True},
    geometry={"spacing": [1.0, 1.0, 1.0]},
    loss=Objective("dice", entropy=1.0, tumour_weight=1.0),
    examples=Examples(cubes=(16, 20), missing_t1ce=0.0, missing_t2=0.0),
    course=Course(batch=1),
)
TOML = """
role = "click"
[network]
name = "unet3d"
in_channels = 5
channels = [6, 8]
each_sample = true
[geometry]
spacing = [1.0, 1.0, 1.0]
[examples]
cubes = [16]
[loss]
name = "dice"
[course]
batch = 1
"""


@pytest.fixture
def folder(tmp_path):
    """Boxes with a bright ball."""
    boxes = tmp_path / "boxes"
    boxes.mkdir()
    for number in range(4):
        rng = np.random.default_rng(number)
        k, j, i = np.ogrid[:28, :28, :28]
        c = rng.uniform(10, 18, 3)
        ball = (k - c[0]) ** 2 + (j - c[1]) ** 2 + (i - c[2]) ** 2 < 25
        image = np.where(ball, 200, 60) + rng.normal(0, 5, ball.shape)
        np.save(boxes / f"{number:06d}.npy", np.stack([image, 255 - image, ball * 255]).astype(np.uint8))
    return boxes


@pytest.fixture
def pool(folder):
    found = BoxPool(folder, torch.device("cpu"))
    found.look()
    return found


@pytest.fixture
def network():
    torch.manual_seed(0)
    return build(EXPERIMENT.network["name"], **EXPERIMENT.parameters)


class Bright(torch.nn.Module):
    """Finds what is bright; knows what it was asked."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.asked = []

    def forward(self, x):
        self.asked.append(len(x))
        return x[:, :1] - 0.5 + self.weight


def test_batches_have_a_side_of_those_wanted_and_most_clicks_first(pool, network):
    batches = Batches(network, EXPERIMENT.examples, 16 * 16**3, seed=1)
    shapes, some = set(), 0
    for _ in range(12):
        inputs, share = batches.next(pool.boxes)
        shapes.add((len(inputs), inputs.shape[-1]))
        assert share.shape == (len(inputs), 1, *inputs.shape[2:])
        # Two of five have no clicks; they come last, and have no mask.
        last = inputs[-len(inputs) // 5 :]
        assert not last[:, 2:].any()
        some += int((inputs[:, 3:] > 0.5).any())
    assert some > 6
    assert shapes == {(16, 16), (8, 20)}


def test_later_clicks_answer_what_the_network_found(pool):
    bright = Bright()
    batches = Batches(bright, EXPERIMENT.examples, 32 * 16**3, seed=2)
    inputs, _ = batches.next(pool.boxes)
    # Filled up to powers of two.
    assert bright.asked
    assert all(count & (count - 1) == 0 for count in bright.asked)
    most = inputs[0]
    assert ((most[0] > 0.5) == (most[2] > 0.5)).all()


def test_it_learns_and_writes_the_average(pool, network, tmp_path):
    training = CardTraining(EXPERIMENT, network, False, 4 * 16**3, seed=1)
    losses = [float(training.step(*training.batches.next(pool.boxes), 0.0)) for _ in range(60)]
    assert np.mean(losses[-10:]) < 0.92 * np.mean(losses[:10])
    training.write(tmp_path / "weights.safetensors")
    written = load_file(tmp_path / "weights.safetensors")
    build(EXPERIMENT.network["name"], **EXPERIMENT.parameters).load_state_dict(written)
    name = "encoder.stages.0.conv1.weight"
    assert not torch.equal(written[name], network.state_dict()[name])


def test_the_rate_rises_and_then_falls_to_nearly_nothing(pool, network):
    training = CardTraining(EXPERIMENT, network, False, 16**3, seed=1)
    rates = []
    for share in (0.0, 0.5, 1.0):
        training.steps = 1000
        training.step(*training.batches.next(pool.boxes), share)
        rates.append(training._adam.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3, 0.51e-3, 0.02e-3])


def test_the_command_goes_on_from_narrower_weights(folder, network, tmp_path, capsys):
    save_file(network.state_dict(), str(tmp_path / "narrow.safetensors"))
    experiment, output = tmp_path / "click.toml", tmp_path / "wide.safetensors"
    experiment.write_text(TOML, encoding="utf-8")
    words = ["train", experiment, folder, "--weights", tmp_path / "narrow.safetensors", "--first", 4]
    words += ["--device", "cpu", "--voxels", 8192, "--seconds", 2, "--output", output]
    main([str(word) for word in words])
    assert "4 boxes." in capsys.readouterr().out
    assert load_file(output)["encoder.stages.0.conv1.weight"].shape == (6, 5, 3, 3, 3)


def test_the_command_releases_the_mean_of_weights(network, tmp_path, capsys):
    other = {name: tensor + 0.1 for name, tensor in network.state_dict().items()}
    save_file(network.state_dict(), str(tmp_path / "one.safetensors"))
    save_file(other, str(tmp_path / "other.safetensors"))
    models = tmp_path / "models"
    models.mkdir()
    files = [str(tmp_path / f"{name}.safetensors") for name in ("one", "other")]
    experiment = _written(tmp_path, TOML.replace("[6, 8]", "[4, 8]"))
    main(["release", str(experiment), *files, "--name", "vs-click-9", "--models", str(models)])
    assert "Released as vs-click-9.safetensors" in capsys.readouterr().out
    released = load_file(models / "vs-click-9.safetensors")
    name = "head.bias"
    expected = network.state_dict()[name] + 0.05
    torch.testing.assert_close(released[name].float(), expected, atol=2e-3, rtol=0)


def test_the_command_says_what_it_lacks(tmp_path):
    with pytest.raises(SystemExit, match="on_card: .*holds no packed sources"):
        main(["boxes", str(tmp_path), str(tmp_path / "boxes"), "--experiment", str(_written(tmp_path))])


def _written(folder, text=TOML):
    path = folder / "click.toml"
    path.write_text(text, encoding="utf-8")
    return path
