"""Batches by their step, and scores on the held-back cases."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from bright_ball import GRID, ball, ball_case
from torch import nn
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.simulation.cut_errors import spoiled_cut
from VSClickCorrectResearch.training.cut_making import making_of
from VSClickCorrectResearch.training.examples import crop_source, patch_examples
from VSClickCorrectResearch.training.experiments import Course, Examples, Experiment, Objective
from VSClickCorrectResearch.training.held_back import HeldBackCuts, HeldBackVolumes
from VSClickCorrectResearch.training.tasks import CropTask, CutTask

CUTS = Experiment(
    name="cuts",
    role="corrector",
    network={"name": "attention_unet2d", "in_channels": 9},
    geometry={"size": 32, "pixel_mm": 0.75, "slices": 3},
    loss=Objective("dice"),
    examples=Examples(masks=2, missing_t1ce=0.0, missing_t2=0.5),
    course=Course(batch=6),
)
CROPS = Experiment(
    name="crops",
    role="initial",
    network={"name": "unet3d"},
    geometry={"spacing": [1.5, 1.5, 1.5]},
    loss=Objective("dice"),
    examples=Examples(crop=(12, 16, 16), missing_t1ce=0.0, missing_t2=0.0),
    course=Course(batch=3),
)
CASES = [
    LabelledCase("ball", ball_case(), ball()),
    LabelledCase("healthy", ball_case(), np.zeros(GRID.shape, bool)),
]


def too_small(case, rng):
    """A start mask about which everything is known."""
    return ball(radius=5.0)


@pytest.fixture(scope="module")
def cuts():
    return CutTask(CUTS, CASES, CASES, too_small, None, seed=3)


@pytest.fixture(scope="module")
def crops():
    sources = [crop_source(case, CROPS.geometry["spacing"], CROPS.examples.reach_mm) for case in CASES]
    return CropTask(CROPS, sources, dict(zip("ab", sources, strict=True)), seed=3)


class Says(nn.Module):
    """Answers what a function of its input says, as logits."""

    def __init__(self, says):
        super().__init__()
        self.says, self.device = says, nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return 40.0 * (2.0 * self.says(x) - 1.0)


class BrightInT1ce(Says):
    """Answers 1 where T1ce, here the channels before the 3rd, is that of the ball."""

    def __init__(self, channels):
        super().__init__(lambda x: (x[:, :channels] > 0.55).float())


@pytest.mark.parametrize("name", ["cuts", "crops"])
def test_batches_follow_from_their_step_alone(name, request):
    task = request.getfixturevalue(name)
    late, early = task.batch_at(7), task.batch_at(2)
    again = task.batch_at(7)
    assert torch.equal(late[0], again[0])
    assert torch.equal(late[1], again[1])
    assert not torch.equal(late[0], early[0])


def test_cuts_come_as_a_2d_network_takes_them_with_truth_and_mask_as_targets(cuts):
    inputs, targets = cuts.batch_at(1)
    assert inputs.shape == (6, 3 * 3, 32, 32)
    assert targets.shape == (6, 2, 3, 32, 32)
    # T1ce, T2, mask: three slices each.
    assert torch.equal(inputs[:, 6:], targets[:, 1])


def test_cuts_come_as_volumes_where_the_network_is_of_three_dimensions():
    volumetric = replace(CUTS, network={"name": "multi_encoder_unet3d"})
    inputs, _ = CutTask(volumetric, CASES[:1], CASES[:1], too_small, None, seed=3).batch_at(1)
    assert inputs.shape == (6, 3, 3, 32, 32)


def test_crops_come_with_the_truth_as_target(crops):
    inputs, targets = crops.batch_at(1)
    assert inputs.shape == (3, 2, 12, 16, 16)
    assert targets.shape == (3, 1, 12, 16, 16)


def test_batches_that_are_not_augmented_are_the_cuts_themselves():
    plain = replace(CUTS, examples=replace(CUTS.examples, masks=1, missing_t2=0.0, augmented=False))
    same = CutTask(plain, CASES[:1], CASES[:1], too_small, None, seed=3)
    mirrored = CutTask(
        replace(plain, examples=replace(plain.examples, augmented=True)),
        CASES[:1],
        CASES[:1],
        too_small,
        None,
        seed=3,
    )
    source = np.random.default_rng(3)
    cuts = [torch.from_numpy(channels).float().flatten(0, 1) for channels, _ in cuts_of(plain, source)]
    for step in range(1, 4):
        assert all(any(torch.equal(one, cut) for cut in cuts) for one in same.batch_at(step)[0])
        assert not all(any(torch.equal(one, cut) for cut in cuts) for one in mirrored.batch_at(step)[0])


def cuts_of(experiment, source):
    geometry = PatchGeometry(**experiment.geometry)
    return patch_examples(CASES[0], geometry, too_small(CASES[0], None), source)


@pytest.mark.parametrize(("clicks", "kinds"), [("drawn", 2), ("algorithm-1", 1)])
def test_clicks_are_the_experiments(clicks, kinds):
    """Only the truth is clicked by drawing, only the mask's errors by Algorithm 1."""
    chosen = Examples(clicks=clicks, border_clicks=2, background_clicks=1)
    found = making_of(chosen).clicks(GRID, ball(), too_small(None, None), np.random.default_rng(1))
    assert len({click.kind for click in found}) == kinds
    per_slice = np.bincount([GRID.ras_to_index(click.position_ras)[0] for click in found])
    assert 1 <= per_slice.max() <= (3 if clicks == "drawn" else 2)
    assert making_of(chosen).spoil is None
    assert making_of(replace(chosen, start="each-cut")).spoil is spoiled_cut


def test_sequences_are_missing_as_often_as_the_experiment_says(cuts):
    present = torch.cat([cuts.batch_at(step)[0] for step in range(1, 60)])
    t1ce, t2 = (present[:, part].flatten(1).any(1).float().mean() for part in (slice(0, 3), slice(3, 6)))
    assert t1ce == 1.0
    assert 0.4 < t2 < 0.6


def test_perfect_network_scores_nearly_1_and_one_that_says_nothing_0(cuts, crops):
    for task, channels in ((cuts, 3), (crops, 1)):
        # Samples at the border are mixed, and the score holds fractions against whole answers.
        assert 0.85 < task.score(BrightInT1ce(channels)) < 1.0
        assert task.score(Says(lambda x, c=channels: torch.zeros_like(x[:, :c]))) < 0.01


def test_measures_are_those_of_the_tables(cuts, crops):
    measured = cuts.measure(BrightInT1ce(3))
    assert 0.93 < measured["dsc"] <= 1.0
    # In the clicked slices a ball of 5 mm within one of 7 mm, or nothing at all.
    assert 0.0 < measured["uncorrected"] < 2 * 5**2 / (5**2 + 7**2)
    assert measured["cuts"] > 5
    assert crops.measure(BrightInT1ce(1))["volumes"] == 1
    assert crops.measure(BrightInT1ce(1))["dsc"] > 0.93


def test_mask_left_as_it_is_measures_as_uncorrected(cuts):
    measured = cuts.measure(Says(lambda x: (x[:, 6:9] >= 0.5).float()))
    assert measured["dsc"] == pytest.approx(measured["uncorrected"], abs=1e-6)


def silent(x):
    return torch.zeros(len(x), 1, *x.shape[2:])


def test_volume_of_which_the_tumour_fills_no_voxel_by_half_is_not_scored():
    channels = np.zeros((2, 8, 16, 16), np.float16)
    whole, faint = (np.zeros((1, 8, 16, 16), np.float16) for _ in range(2))
    whole[0, 3:5, 6:9, 6:9], faint[0, 4, 8, 8] = 1.0, 0.4
    held_back = HeldBackVolumes(CROPS, {"whole": (channels, whole), "faint": (channels, faint)})
    # What finds nothing is wrong of the one and neither right nor wrong of the other.
    assert held_back.dice(Says(silent))["whole"].tolist() == [[0.0, 0.0]]
    assert list(held_back.dice(Says(silent))) == ["whole"]


def test_clicked_slice_of_which_the_tumour_fills_no_sample_by_half_is_not_scored():
    """In its last slice the tumour is a single voxel of 0.75 mm, of which samples of 2.4 mm are a tenth."""
    truth = ball()
    last = np.flatnonzero(truth.any(axis=(1, 2)))[-1]
    truth[last] = False
    truth[last, 32, 32] = True
    coarse = replace(CUTS, geometry=CUTS.geometry | {"pixel_mm": 2.4, "slices": 1})
    clicked = replace(
        coarse,
        network={"name": "attention_unet2d", "in_channels": 3},
        examples=Examples(clicks="drawn", border_clicks=1, missing_t1ce=0.0, missing_t2=0.0),
    )
    held_back = HeldBackCuts(clicked, [LabelledCase("ball", ball_case(), truth)], too_small, None)
    slices = np.count_nonzero(truth.any(axis=(1, 2)))
    # Two masks, one click a slice; of the last slice none is scored.
    assert len(held_back) == 2 * slices
    (values,) = held_back.dice(Says(lambda x: torch.zeros_like(x[:, :1]))).values()
    assert len(values) == 2 * (slices - 1)
    assert values[:, 1].max() == 0.0
