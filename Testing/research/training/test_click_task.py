"""Training the click-conditioned network on a small cohort: what it is shown, and that it learns."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from volume_files import written
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.networks.registry import build
from VSClickCorrectResearch.datasets.cohort import CohortRecipe
from VSClickCorrectResearch.training.click_task import ClickTask, perturbed
from VSClickCorrectResearch.training.experiments import Course, Examples, Experiment, Objective
from VSClickCorrectResearch.training.schedule import Schedule
from VSClickCorrectResearch.training.stream import CohortStream
from VSClickCorrectResearch.training.train import train

SHAPE = (12, 24, 24)


def write_case(folder, number):
    """A bright ball of 8 mm beside a dimmer one, at another place in each case."""
    rng = np.random.default_rng(number)
    k, j, i = np.ogrid[tuple(slice(0, n) for n in SHAPE)]
    center = rng.uniform((4, 7, 7), (8, 17, 17))
    truth = 4 * (k - center[0]) ** 2 + (j - center[1]) ** 2 + (i - center[2]) ** 2 < 16
    image = (np.where(truth, 1000, 100) + rng.normal(0, 20, SHAPE)).astype(np.int16)
    arrays = {"t1ce": image, "t2": 1100 - image, "truth": truth, "affine": np.diag([1.0, 1.0, 2.0, 1.0])}
    np.savez(folder / f"case-{number:05d}.npz", **arrays)


@pytest.fixture
def folder(tmp_path):
    for number in range(4):
        write_case(tmp_path, number)
    return tmp_path


@pytest.fixture
def experiment():
    return Experiment(
        name="click",
        role="click",
        network={"name": "unet3d", "in_channels": 5, "channels": [4, 8]},
        geometry={"spacing": [1.0, 1.0, 1.0]},
        loss=Objective("dice"),
        examples=Examples(crop=(24, 24, 24), missing_t1ce=0.0, missing_t2=0.0),
        course=Course(batch=4),
    )


@pytest.fixture
def task(folder, experiment):
    torch.manual_seed(0)
    streams = [CohortStream(folder, (1.0, 1.0, 1.0), 0.0) for _ in range(2)]
    return ClickTask(experiment, *streams, build("unet3d", in_channels=5, channels=[4, 8]), seed=3)


def test_a_stream_finds_cases_that_came_later(folder):
    stream = CohortStream(folder, (1.0, 1.0, 1.0), 0.0)
    assert len(stream) == 4
    write_case(folder, 4)
    rng = np.random.default_rng(0)
    for _ in range(50):
        channels, target = stream.draw(rng)
        assert channels.shape == (2, 24, 24, 24)
        assert target.shape == (1, 24, 24, 24)
    assert len(stream) == 5


def test_a_stream_of_a_list_gives_what_that_of_a_cohort_does(folder):
    with np.load(folder / "case-00002.npz") as arrays:
        grid = Grid(SHAPE, arrays["affine"])
        for name in ("t1ce", "t2"):
            written(folder / f"{name}.nii.gz", arrays[name], grid)
        written(folder / "label.nii.gz", arrays["truth"].astype(np.uint8), grid)
    path = folder / "cases.csv"
    path.write_text("case,t1ce,t2,label\none,t1ce.nii.gz,t2.nii.gz,label.nii.gz\n", encoding="utf-8")
    stream = CohortStream(path, (1.0, 1.0, 1.0), 0.0)
    assert len(stream) == 1
    for ours, theirs in zip(stream[0], CohortStream(folder, (1.0, 1.0, 1.0), 0.0)[2], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_the_same_step_gives_the_same_batch(task):
    (first, truth), (again, _) = task.batch_at(7), task.batch_at(7)
    torch.testing.assert_close(first, again)
    assert first.shape == (4, 5, 24, 24, 24)
    assert truth.shape == (4, 1, 24, 24, 24)
    assert not torch.equal(first, task.batch_at(8)[0])


def test_each_batch_has_crops_of_one_of_the_cubes(folder, experiment):
    torch.manual_seed(0)
    streams = [CohortStream(folder, (1.0, 1.0, 1.0), 0.0) for _ in range(2)]
    cubes = replace(experiment, examples=replace(experiment.examples, cubes=(16, 32)))
    task = ClickTask(cubes, *streams, build("unet3d", in_channels=5, channels=[4, 8]), seed=3)
    sides = {tuple(task.batch_at(step)[0].shape[2:]) for step in range(1, 9)}
    assert sides == {(16, 16, 16), (32, 32, 32)}


def test_workers_whose_network_does_not_learn_are_refused_before_cases_are_read(tmp_path, experiment):
    nowhere = tmp_path / "nowhere"
    schedule = Schedule(2, threads=1, device="cpu", workers=1)
    with pytest.raises(ModelError, match="workers cannot make the batches of 'click'.*without workers"):
        train(experiment, (nowhere, nowhere), tmp_path / "run", schedule, seed=1)


def test_include_clicks_lie_in_or_beside_tumour(task):
    with_clicks, inside = 0, 0
    for step in range(1, 16):
        inputs, truth = task.batch_at(step)
        for one, target in zip(inputs, truth, strict=True):
            peaks = (one[3] == 1).nonzero()
            if len(peaks):
                with_clicks += 1
                near = torch.nn.functional.max_pool3d(target[None], 5, 1, 2)[0, 0] > 0.5
                inside += bool(near[tuple(peaks.T)].any())
    assert with_clicks > 15
    # 5 % are off target on purpose, and a crop may show no tumour.
    assert inside / with_clicks > 0.8


def test_without_clicks_there_is_no_mask_either(task):
    batches = [task.batch_at(step)[0] for step in range(1, 10)]
    unclicked = [one for batch in batches for one in batch if not one[3:].any()]
    assert unclicked
    assert not any(one[2].any() for one in unclicked)


class Painter(torch.nn.Module):
    """Paints what is bright in T1ce around include clicks."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        near = torch.nn.functional.max_pool3d((x[:, 3:4] > 0).float(), 5, 1, 2) > 0
        return torch.where(near & (x[:, :1] > 0.45), 1.0, -1.0) + self.weight


class Blind(Painter):
    """Finds nothing."""

    def forward(self, x):
        return -torch.ones_like(x[:, :1]) + self.weight


def balls():
    """Six balls of 6 mm in a box of 32 mm, 9 mm from its middle along each axis."""
    k, j, i = np.ogrid[tuple(slice(0, 32) for _ in range(3))]
    middles = np.array([16, 16, 16]) + 9 * np.concatenate([np.eye(3, dtype=int), -np.eye(3, dtype=int)])
    return [(k - a) ** 2 + (j - b) ** 2 + (i - c) ** 2 <= 9 for a, b, c in middles]


def clicked_on(folder, experiment, network, batch):
    truth = np.any(balls(), axis=0)
    image = np.where(truth, 1000, 100).astype(np.int16)
    np.savez(folder / "case-00000.npz", t1ce=image, t2=1100 - image, truth=truth, affine=np.eye(4))
    streams = [CohortStream(folder, (1.0, 1.0, 1.0), 0.0) for _ in range(2)]
    examples = replace(experiment.examples, crop=(32, 32, 32))
    wanted = replace(experiment, examples=examples, course=Course(batch=batch))
    return ClickTask(wanted, *streams, network, seed=3).batch_at(1)[0].numpy()


def test_each_click_answers_what_the_network_made_of_those_before(tmp_path, experiment):
    inputs = clicked_on(tmp_path, experiment, Painter(), 96)
    # Mirrored, a ball lies a voxel beside where it was.
    places = [ball | ball[..., ::-1] for ball in balls()]
    on = [sum(bool((one[3] > 0.9)[place].any()) for place in places) for one in inputs]
    # It mends one ball a click, so that six clicks are on six balls.
    assert max(on) == 6


def test_a_first_click_is_on_the_mask_that_a_scene_starts_with(tmp_path, experiment):
    inputs = clicked_on(tmp_path, experiment, Blind(), 96)
    # The network finds nothing: what is left are masks that were spoiled, with one click each.
    assert any(one[2].any() for one in inputs)


@pytest.mark.parametrize("seed", range(8))
def test_perturbed_masks_are_wrong_but_of_the_tumour(seed):
    truth = np.zeros((20, 20, 20), bool)
    truth[5:15, 5:15, 5:15] = True
    mask = perturbed(truth, np.random.default_rng(seed))
    assert mask.shape == truth.shape
    assert truth.sum() == 1000
    assert (mask & truth).any()


def test_the_scores_are_those_of_the_masks_at_one_half(task):
    class Perfect(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            # The images tell the truth: T1ce above one half; alone, T2 below it is tumour.
            seen = torch.where(x[:, :1].amax() > 0, x[:, :1] - 0.5, 0.5 - x[:, 1:2])
            return 100 * seen + self.weight

    found = task.measure(Perfect())
    assert found["none"] == pytest.approx(1.0, abs=0.06)
    assert found["one"] == pytest.approx(1.0, abs=0.06)


def test_the_recipe_of_older_cohorts_is_understood(tmp_path):
    card = {"split": "training", "extent": "region", "count": 2, "seed": 1}
    assert CohortRecipe(**json.loads(json.dumps(card))) == CohortRecipe("training", "region", 2, 1, False)
