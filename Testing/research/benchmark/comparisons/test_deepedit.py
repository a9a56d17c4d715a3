"""A click by us and by DeepEdit: MONAI's guidance, a network of the same kind, the way back to the voxels."""

import numpy as np
import pytest
import torch
from bright_ball import CENTER, GRID, SHAPE, dice
from monai.inferers import SimpleInferer
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectResearch.benchmark.comparisons import comparison, deepedit
from VSClickCorrectResearch.benchmark.comparisons.click_correction import correction_of
from VSClickCorrectResearch.benchmark.comparisons.deepedit import (
    DeepEdit,
    resized_window,
    sample_index,
    with_guidance,
)
from VSClickCorrectResearch.benchmark.errors import ProgramMissing

R, A, S = CENTER
IN_BALL = Click(CENTER, ClickKind.INCLUDE)
BESIDE = Click((R - 12.0, A, S), ClickKind.EXCLUDE)
HALF = (24, 32, 32)


@pytest.fixture(scope="module")
def model(models, case):
    return InitialSegmenter.load(models, "cpu").segmenter


@pytest.fixture(scope="module")
def edited(case, model):
    return DeepEdit(case, model, resized_window(case, HALF), SimpleInferer())


def test_the_network_takes_two_channels_more_and_pays_them_no_heed(model):
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    guided = with_guidance(model.network)
    image, clicks = torch.rand(1, 2, 8, 16, 16), torch.rand(1, 2, 8, 16, 16)
    with torch.inference_mode():
        assert torch.equal(guided(torch.cat([image, clicks], dim=1)), model.network(image))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.network.state_dict().items())


def test_the_network_does_compute_with_the_added_channels(model):
    guided = with_guidance(model.network)
    first = next(layer for layer in guided.modules() if isinstance(layer, torch.nn.Conv3d))
    first.weight[:, 2:] = 1.0
    image = torch.rand(1, 2, 8, 16, 16)
    with torch.inference_mode():
        seen = guided(torch.cat([image, torch.rand(1, 2, 8, 16, 16)], dim=1))
        assert not torch.allclose(seen, model.network(image))


def test_the_resized_volume_is_the_whole_volume(case):
    window = resized_window(case, HALF)
    assert window.box.shape == SHAPE
    assert window.geometry.shape == HALF
    # 24 slices of 1.5 mm stay; 64 pixels of 0.75 mm become 32.
    assert window.geometry.spacing == pytest.approx((1.5, 1.5, 1.5))


def test_a_click_falls_on_its_sample(case):
    # CENTER is voxel i = (82 - 60) / 0.75 = 29.3, j = (25 - 2) / 0.75 = 30.7, k = 12; samples are 2 wide.
    assert sample_index(resized_window(case, HALF), IN_BALL) == [12, 15, 14]
    assert sample_index(resized_window(case, SHAPE), IN_BALL) == [12, 31, 29]


def test_clicks_become_channels_of_their_own(edited):
    seen = edited.inputs([IN_BALL], [BESIDE])
    assert seen.shape == (4, *HALF)
    assert seen.dtype == np.float32
    assert np.unravel_index(seen[2].argmax(), HALF) == tuple(sample_index(edited._window, IN_BALL))
    assert np.unravel_index(seen[3].argmax(), HALF) == tuple(sample_index(edited._window, BESIDE))
    assert seen[2:].max() == 1.0
    # A Gaussian of 3 samples, brought to 0..1: beside the click about exp(-0.5 / 9).
    k, j, i = sample_index(edited._window, IN_BALL)
    assert seen[2, k, j, i + 1] == pytest.approx(np.exp(-0.5 / 9), abs=0.02)


def test_without_clicks_the_channels_are_empty(edited):
    assert not edited.inputs([], [])[2:].any()
    assert edited.inputs([], [])[:2].any()


def test_its_mask_is_the_ball(edited, truth):
    mask = edited.segment([IN_BALL], [])
    assert mask.dtype == bool
    assert dice(mask, truth) > 0.85


@pytest.mark.parametrize("compare", [deepedit.compare, deepedit.compare_resized])
def test_each_click_is_told_with_those_before_it(case, truth, models, monkeypatch, compare):
    told, segment = [], DeepEdit.segment

    def watched(self, tumour, background):
        told.append((list(tumour), list(background), self._window.geometry.shape))
        return segment(self, tumour, background)

    monkeypatch.setattr(DeepEdit, "segment", watched)
    shape = {"roi": (24, 64, 64)} if compare is deepedit.compare else {"shape": HALF}
    found = compare(case, truth, 2, models, **shape)
    assert found.equal is None
    assert len(found.our_seconds) == len(found.reference_seconds) == 2
    correction = correction_of(case, truth)
    missing = [c for c in correction.clicks if not correction.start[GRID.ras_to_index(c.position_ras)]]
    for (tumour, background, _), count in zip(told, (2, 3), strict=True):
        assert tumour == [c for c in correction.clicks[:count] if c in missing]
        assert background == [c for c in correction.clicks[:count] if c not in missing]
    if compare is deepedit.compare_resized:
        assert told[0][2] == HALF


def test_without_monai_it_says_so(case, truth, monkeypatch):
    monkeypatch.setattr(comparison, "find_spec", lambda package: None)
    for compare in (deepedit.compare, deepedit.compare_resized):
        with pytest.raises(ProgramMissing, match="MONAI is not installed"):
            compare(case, truth, 1)
