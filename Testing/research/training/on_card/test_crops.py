"""Crops on a card: they are what an affine map of the box says, as scipy has it."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from VSClickCorrectResearch.training.examples import random_turn
from VSClickCorrectResearch.training.experiments import Examples
from VSClickCorrectResearch.training.on_card.crops import random_crops, sampled, within_fields

SIDE = 12


@pytest.fixture
def box():
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 20, 26, 30), dtype=np.uint8))


def test_a_crop_that_is_not_turned_is_a_part_of_the_box(box):
    crops = sampled([box, box], [(np.eye(3), np.array((3, 5, 7))), (np.eye(3), np.zeros(3))], SIDE)
    torch.testing.assert_close(crops[0], box[:, 3:15, 5:17, 7:19].float(), atol=1e-2, rtol=0)
    torch.testing.assert_close(crops[1], box[:, :SIDE, :SIDE, :SIDE].float(), atol=1e-2, rtol=0)


def test_a_turned_crop_is_scipys(box):
    smooth = ndimage.gaussian_filter(box.numpy().astype(np.float32), (0, 2, 2, 2))
    turn, offset = random_turn(np.array((2, 6, 8)), (SIDE,) * 3, np.random.default_rng(4))
    crop = sampled([torch.from_numpy(smooth)], [(turn, offset)], SIDE)[0].numpy()
    for ours, channel in zip(crop, smooth, strict=True):
        theirs = ndimage.affine_transform(channel, turn, offset, output_shape=(SIDE,) * 3, order=1)
        # scipy's own border is sharp, torch's a voxel wide.
        within = theirs > 0
        assert within.mean() > 0.8
        np.testing.assert_allclose(ours[within], theirs[within], atol=0.05)


def test_a_field_of_view_ends_beyond_the_tumour_along_one_axis_at_most():
    count, side = 400, 40
    share = torch.zeros(count, 1, side, side, side)
    share[:, :, 15:25, 14:22, 16:20] = 1.0
    images, same = within_fields(torch.ones(count, 2, side, side, side), share, np.random.default_rng(1))
    assert same is share
    assert (images * share == share).all()
    ends = 0
    for one in images[:, 0]:
        sides = [one.amax(dim=tuple(b for b in range(3) if b != a)) for a in range(3)]
        cut = [axis for axis, along in enumerate(sides) if not along.all()]
        assert len(cut) <= 1
        ends += len(cut)
        for axis in cut:
            kept = sides[axis].nonzero()[:, 0]
            first, last = ((15, 24), (14, 21), (16, 19))[axis]
            assert kept[0] <= first - 3
            assert kept[-1] >= last + 3
    # 15 %, of which few have both margins beyond the crop.
    assert 30 < ends < 80


def test_crops_are_images_between_0_and_1_with_sequences_left_out(box):
    box = box.clone()
    box[2] = 0
    box[2, 8:14, 10:16, 10:16] = 255
    inside = (box[2] > 127).nonzero()
    wanted = Examples(missing_t1ce=0.3, missing_t2=0.2)
    images, share = random_crops([(box, inside)], 200, SIDE, wanted, np.random.default_rng(2))
    assert images.shape == (200, 2, SIDE, SIDE, SIDE)
    assert share.shape == (200, 1, SIDE, SIDE, SIDE)
    assert 0 <= images.min() <= images.max() <= 1
    gone = (~images.flatten(2).any(2)).float().mean(0)
    assert gone.tolist() == pytest.approx([0.3, 0.2], abs=0.1)
    # Three of four are around the tumour, and most of the others show some of it in so small a box.
    assert (share.flatten(1).amax(1) > 0.5).float().mean() > 0.75
