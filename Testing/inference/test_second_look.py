"""What was found is looked at once more, in a smaller box around it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from bright_ball import CORE_MM, GRID, RADIUS_MM, ball, ball_case, dice
from torch import nn
from VSClickCorrectLib.inference import initial
from VSClickCorrectLib.inference.click_segmenter import BOX_SAMPLES
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import FEATURES
from VSClickCorrectLib.inference.plain_segmenter import Model

# Working voxels of 1 mm, half a voxel off the native ones, blur a ball of 7 mm this much.
NEAR = 0.93


class Sees(nn.Module):
    """Sees what is brighter than a cut, which is another one in the smaller box."""

    def __init__(self, nearer):
        super().__init__()
        self.cuts = nn.ParameterDict({"far": torch.tensor(0.6), "near": torch.tensor(nearer)})

    def forward(self, x):
        return self.head(self.features(x)[-1])

    def features(self, x):
        return [nn.functional.avg_pool3d(x[:, :2], 4), x[:, :2]]

    def head(self, features):
        return 80 * (features[:, :1] - self.cuts["far" if features.shape[-1] == BOX_SAMPLES else "near"])


def found_by(models, nearer, certainty=None):
    folder = ModelFolder(models)
    located_by = folder.entry("locator")
    locator = Model(located_by, folder.load(located_by, torch.device("cpu")))
    entry = replace(folder.entry("initial"), role="click", geometry={"spacing": [1.0, 1.0, 1.0]})
    entry = replace(entry, certainty=certainty or {})
    return InitialSegmenter(locator, Model(entry, Sees(nearer))).segment(ball_case())


def looked_at_twice(models, nearer):
    return found_by(models, nearer).on(GRID)


def test_what_two_stages_saw_inside_says_how_sure_it_may_be(bright_models):
    """Here that is how bright the ball is in both sequences, where it was seen first: far and near."""
    certainty = {"intercept": 0.25, "confidence": 0.0, "log_volume": 0.0, "located_log_odds": 0.0}
    certainty |= {"features": [1.0, 0.0, 2.0, -3.0], "features_with_t1ce": [0.0, 2.0, 0.5, 4.0]}
    certainty |= {"features_least": [0.0] * 4, "features_most": [1.0] * 4}
    found, case = found_by(bright_models, 0.6, certainty), ball_case()
    *deep, bright, other = found.features
    # A value for 4 mm: around the ball it is darker, so less is seen of both there.
    assert deep == pytest.approx([0.85 * bright, 0.85 * other], rel=0.12)
    assert bright == pytest.approx(case.t1ce.array[found.on(GRID)].mean() / 1000, abs=0.03)
    assert other == pytest.approx(case.t2.array[found.on(GRID)].mean() / case.t2.array.max(), abs=0.03)
    assert found.certainty == pytest.approx(
        1 / (1 + np.exp(-0.25 - deep[0] - 2 * deep[1] - 2.5 * bright - other))
    )


@pytest.mark.parametrize("lists", [{"features": [2.0, -3.0]}, dict.fromkeys(FEATURES, [9.0] * 3)])
def test_a_calibration_by_other_features_counts_as_none(bright_models, lists):
    """As that of an earlier version, which took the last stage alone and had no limits."""
    numbers = {"intercept": 9.0, "confidence": 9.0, "log_volume": 0.0, "located_log_odds": 0.0}
    assert found_by(bright_models, 0.6, numbers | lists).certainty == found_by(bright_models, 0.6).certainty
    assert found_by(bright_models, 0.6, numbers).certainty > 0.99


def test_what_was_found_is_as_a_smaller_box_around_it_shows_it(bright_models):
    # 800 of 1000, where the ball has fallen by two thirds of the way from its core to its border.
    seen = looked_at_twice(bright_models, 0.8)
    assert dice(seen, ball(radius=CORE_MM + (RADIUS_MM - CORE_MM) * 2 / 3)) > NEAR


@pytest.mark.parametrize(("limits", "nearer"), [((80.0, 1000.0), 0.8), ((2000.0, 4000.0), 0.8), (None, 2.0)])
def test_what_is_too_large_or_small_for_it_or_not_seen_there_stays(
    bright_models, monkeypatch, limits, nearer
):
    if limits:
        monkeypatch.setattr(initial, "_AGAIN_MM3", limits)
    assert dice(looked_at_twice(bright_models, nearer), ball()) > NEAR
