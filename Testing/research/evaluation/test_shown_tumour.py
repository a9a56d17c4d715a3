"""What an initial model makes of a tumour that it is shown."""

import numpy as np
import pytest
import torch
from bright_ball import GRID, ball, ball_case, dice
from handmade_models import write_bright_models
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.plain_segmenter import Model, PlainSegmenter
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.shown_tumour import shown_dice, shown_mask


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    models = ModelFolder(write_bright_models(tmp_path_factory.mktemp("models") / "bright"))
    entry = models.entry("initial")
    return PlainSegmenter(Model(entry, models.load(entry, torch.device("cpu"))))


def test_tumour_is_seen_with_a_margin_and_nothing_beyond_it(segmenter):
    near, far = (60.0, -14.0, 18.0), (60.0, -40.0, 18.0)
    case, truth = ball_case(GRID, near, far), ball(center=near, radius=2.0)
    mask = shown_mask(segmenter, LabelledCase("case", case, truth))
    # What is shown ends 14 mm behind the tumour, at 30 mm; the other ball begins at 33 mm.
    assert mask[ball(center=near, radius=5.0)].all()
    assert not mask[ball(center=far)].any()


def test_cases_are_scored_as_a_whole_and_in_the_tumours_slices_and_those_without_a_tumour_left_out(segmenter):
    # Of the ball the three middle slices are truth; it is bright, and found, in the others, too.
    slices = ball(radius=5.0).nonzero()[0]
    truth = ball() & (np.abs(np.arange(GRID.shape[0]) - slices.mean()) < 2)[:, None, None]
    cases = [LabelledCase("one", ball_case(), truth), LabelledCase("none", ball_case(), truth & False)]
    scores = shown_dice(segmenter, cases)
    assert list(scores) == ["one"]
    mask, held = shown_mask(segmenter, cases[0]), truth.any(axis=(1, 2))
    assert scores["one"].whole == pytest.approx(dice(mask, truth), abs=1e-9)
    assert scores["one"].in_slices == pytest.approx(dice(mask[held], truth[held]), abs=1e-9)
    assert held.sum() == 3 and scores["one"].in_slices > scores["one"].whole + 0.1
