"""The initial mask by us and by MONAI: the same network on the same voxels."""

import numpy as np
import pytest
import torch
from bright_ball import AXIAL, CENTER, GRID, ball, ball_case, dice
from handmade_models import write_bright_models
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.preprocessing import sample_sequences
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectResearch.benchmark.comparisons import comparison, monai_inference
from VSClickCorrectResearch.benchmark.comparisons.monai_inference import (
    head_window,
    same_boxes,
    slide,
    within,
)
from VSClickCorrectResearch.benchmark.errors import ProgramMissing

R, A, S = CENTER


@pytest.fixture(scope="module")
def segmenter(models):
    return InitialSegmenter.load(models, "cpu")


def test_given_our_boxes_monai_finds_our_mask_to_the_voxel(case, segmenter):
    ours, reference = segmenter.segment(case), same_boxes(case, segmenter)
    assert reference.found
    assert np.array_equal(reference.on(GRID), ours.on(GRID))


def test_of_two_balls_both_choose_the_same(segmenter):
    # The second one, cut off by the image's upper end, is the smaller, and lies in a window of its own.
    grid = Grid((24, 112, 112), AXIAL)
    case = ball_case(grid, CENTER, (R - 40, A - 40, S + 13))
    assert len(segmenter.windows(case)) == 2
    ours = segmenter.segment(case).on(grid)
    assert dice(ours, ball(grid)) > 0.9
    assert np.array_equal(same_boxes(case, segmenter).on(grid), ours)


def test_windows_of_a_network_that_sees_voxel_by_voxel_leave_no_seams(case, segmenter):
    model = segmenter.segmenter
    window = head_window(case, model)
    with torch.inference_mode():
        logits = model.network(torch.from_numpy(sample_sequences(case, window))[None])
    at_once = window.resample_back(torch.sigmoid(logits)[0, 0].numpy())
    assert all(count > roi for count, roi in zip(window.geometry.shape, (16, 32, 32), strict=True))
    assert np.allclose(slide(case, window, model, (16, 32, 32)), at_once, atol=1e-5)


def test_it_tells_how_equal_the_masks_are(case, truth, models):
    found = monai_inference.compare(case, truth, 2, models, roi=(16, 32, 32))
    assert len(found.our_seconds) == len(found.reference_seconds) == 2
    # The whole head is sampled half a voxel off our box, which blurs the ball's border.
    assert 0.93 < found.equal <= 1.0
    assert "given our boxes as its windows MONAI's mask has DSC 1.0000" in found.note


def test_a_mask_of_theirs_that_is_another_one_is_seen(case, truth, models, monkeypatch):
    monkeypatch.setattr(
        monai_inference, "slide", lambda case, window, *rest: np.zeros(window.box.shape, np.float32)
    )
    assert monai_inference.compare(case, truth, 1, models).equal == 0.0


def test_where_we_find_nothing_there_is_nothing_to_compare(case, truth, tmp_path):
    # Nothing is brighter than 1, the threshold is 2.
    blind = ModelFolder(write_bright_models(tmp_path / "blind", initial_threshold=2.0))
    with pytest.raises(ImageError, match="no tumour was found"):
        monai_inference.compare(case, truth, 1, blind)


def test_values_in_another_box():
    outer = Box((2, 2, 2), (4, 5, 6))
    values = np.arange(24.0).reshape(2, 3, 4) + 1
    got = within(Box((3, 0, 4), (6, 4, 7)), outer, values)
    expected = np.zeros((3, 4, 3))
    expected[0, 2:4, 0:2] = values[1, 0:2, 2:4]
    assert np.array_equal(got, expected)
    assert not within(Box((9, 9, 9), (11, 11, 11)), outer, values).any()


def test_without_monai_it_says_so(case, truth, monkeypatch):
    monkeypatch.setattr(comparison, "find_spec", lambda package: None)
    with pytest.raises(ProgramMissing, match="MONAI is not installed"):
        monai_inference.compare(case, truth, 1)


def test_both_masks_are_the_ball(case, truth, models, segmenter):
    assert dice(segmenter.segment(case).on(GRID), truth) > 0.93
    assert dice(same_boxes(case, segmenter).on(GRID), truth) > 0.93
