"""Where a mask may be wrong, and which places are worth a click: on a block whose numbers are worked out."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid, axial_coordinates
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.click_segmenter import ClickSegmenter
from VSClickCorrectLib.inference.doubt_map import (
    DoubtMap,
    dice_of_sums,
    doubt_map,
    expected_dice,
    window_around,
)
from VSClickCorrectLib.inference.doubtful_places import LEAST_GAIN, doubtful_places
from VSClickCorrectLib.inference.plain_segmenter import Model, run, run_together
from VSClickCorrectLib.io.sample_case import read_sample

SHAPE = (40, 40, 40)
# Voxels of 1 mm; world and voxels are apart by (100, 200, 300), and R runs against I.
AFFINE = np.array([[-1.0, 0, 0, 100], [0, 1, 0, 200], [0, 0, 1, 300], [0, 0, 0, 1]])


def block():
    mask = np.zeros(SHAPE, bool)
    mask[14:26, 14:26, 14:26] = True
    return mask


def doubt_of(error, mask=None, affine=AFFINE):
    """A map whose samples are the native voxels."""
    window = ResamplingGrid(Grid(SHAPE, affine), (19.5,) * 3, ResamplingGeometry(SHAPE, (1.0,) * 3))
    native = block() if mask is None else mask, error.astype(np.float32)
    return DoubtMap(window, *map(window.order.arranged, native))


def dice_once_mended(mask, error, mended):
    """What is to be expected voxel by voxel, where a share of what is wrong is mended."""
    tumour, there = np.where(mask, 1 - error, error), np.where(mask, 1 - error * mended, error * mended)
    return 2 * np.where(mask, tumour, there).sum() / (tumour.sum() + there.sum())


def test_expected_dice_by_hand():
    mask = np.array([True, True, True, False])
    # Expected: 0.9 + 0.8 + 1 = 2.7 of three are tumour, and 0.4 of one outside: 2 * 2.7 / (3 + 3.1).
    error = np.array([0.1, 0.2, 0.0, 0.4])
    assert expected_dice(mask, error) == pytest.approx(5.4 / 6.1)
    # With the last one mended the mask has 3.4, of which 3.1 are the whole tumour.
    assert dice_once_mended(mask, error, np.array([0, 0, 0, 1.0])) == pytest.approx(6.2 / 6.5)
    assert dice_once_mended(mask, error, 1.0) == pytest.approx(1.0)
    assert dice_of_sums(3, 0.3, 0.4, 0.0, 0.4) == pytest.approx(6.2 / 6.5)
    assert dice_of_sums(3, 0.3, 0.4, 0.3, 0.4) == pytest.approx(1.0)
    assert expected_dice(np.zeros(4, bool), np.zeros(4)) == 1.0


def test_where_nothing_is_doubtful_nothing_is_worth_a_click():
    assert doubtful_places(doubt_of(np.zeros(SHAPE))) == []
    assert doubt_of(np.zeros(SHAPE)).expected_dice == 1.0


def test_the_worst_place_comes_first_and_lies_on_the_border():
    error = np.zeros(SHAPE)
    # A bump that the mask misses beyond I = 25, and a smaller one before J = 14, far from it.
    error[16:24, 16:24, 26:30] = 0.9
    error[19:26, 10:14, 14:20] = 0.9
    first, second = doubtful_places(doubt_of(error))[:2]
    assert first.gain > second.gain > LEAST_GAIN
    r, a, s = first.position_ras
    assert (16 <= s - 300 < 24) and (16 <= a - 200 < 24) and (25 <= 100 - r < 30)
    assert first.slice_number == round(s - 300) + 1
    r, a, s = second.position_ras
    assert (19 <= s - 300 < 26) and (10 <= a - 200 <= 14) and (14 <= 100 - r < 20)


def test_what_can_be_gained_is_no_more_than_what_is_missing():
    rng = np.random.default_rng(3)
    doubt = doubt_of(np.where(block(), rng.uniform(0, 0.6, SHAPE), 0))
    places = doubtful_places(doubt)
    assert places == sorted(places, key=lambda place: -place.gain)
    assert all(LEAST_GAIN <= place.gain <= 1 - doubt.expected_dice for place in places)


def test_a_gain_is_that_of_mending_what_lies_round_the_place():
    rng = np.random.default_rng(4)
    doubt = doubt_of(np.where(rng.random(SHAPE) < 0.2, rng.uniform(0, 0.6, SHAPE), 0), flattened(block()))
    place = doubtful_places(doubt)[0]
    native = np.moveaxis(np.indices(SHAPE), 0, -1)
    squared = np.sum((doubt.window.grid.index_to_ras(native) - place.position_ras) ** 2, axis=-1)
    mended = doubt.window.order.arranged(np.exp(-squared / (2 * 4.0**2)))
    expected = dice_once_mended(doubt.mask, doubt.error, mended) - doubt.expected_dice
    assert place.gain == pytest.approx(expected, abs=1e-5)


def flattened(mask):
    """The mask with a corner cut off, so that no axis of it is like another."""
    mask[:18, :20, :22] = False
    return mask


def test_places_are_apart():
    places = doubtful_places(doubt_of(np.where(block(), 0.5, 0.0)))
    positions = np.array([place.position_ras for place in places])
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    assert len(places) > 2
    assert (apart[~np.eye(len(places), dtype=bool)] >= 8).all()


def test_slices_are_counted_upward_however_the_voxels_are_stored():
    error = np.zeros(SHAPE)
    error[20:26, 14:20, 26:30] = 0.9
    # Stored from above.
    turned = AFFINE.copy()
    turned[2] = 0, 0, -1, 339
    place = doubtful_places(doubt_of(error, affine=turned))[0]
    assert place.slice_number == round(place.position_ras[2] - 300) + 1
    assert 13 < place.position_ras[2] - 300 <= 19


@pytest.mark.parametrize("spacing", [0.3, 0.6, 0.9, 1.1])
def test_where_the_scanners_zero_lies_decides_of_no_place(spacing):
    # An even number of samples around the centre of a voxel: all lie half-way between two voxels.
    mask, error = (np.zeros((24, 24, 24), kind) for kind in (bool, np.float32))
    mask[6:18, 6:18, 6:18], error[10:14, 4:8, 10:14] = True, 0.9
    affine, found = np.diag([-spacing, -spacing, spacing, 1.0]), set()
    for first in np.arange(-90, 90, 7.37):
        affine[:3, 3] = first, -first, first / 3
        grid = Grid(SHAPE, affine)
        center = axial_coordinates(grid, grid.middle_of(Box((13, 13, 13), (28, 28, 28))))
        window = ResamplingGrid(grid, center, ResamplingGeometry(mask.shape, (spacing,) * 3))
        place = doubtful_places(DoubtMap(window, mask, error))[0]
        found.add((grid.ras_to_index(place.position_ras), place.slice_number))
    assert len(found) == 1


def test_the_line_lies_on_both_sides_of_the_border_near_what_is_wrong():
    error = np.zeros(SHAPE)
    error[16, 20, 27], error[16, 20, 20] = 1.0, 1.0
    # One of the 7 × 7 × 7 voxels within 3 mm is 0.0029 of them.
    levels = doubt_of(error).border_levels(block(), (0.002, 0.0025, 0.003))
    near = np.zeros(SHAPE, bool)
    # Slice 13 is below the block. The second one is deep inside.
    near[14:20, 17:24, 25:27] = True
    np.testing.assert_array_equal(levels, np.where(near, 2, 0))


@pytest.fixture(scope="module")
def doubts():
    from VSClickCorrectLib.inference.initial import InitialSegmenter
    from VSClickCorrectLib.inference.manifest import ModelFolder

    return InitialSegmenter.load(ModelFolder(None), "cpu").doubts


def turned(volume, axes, flips):
    """The same image, stored along other axes."""
    array = np.flip(volume.array.transpose(axes), flips)
    corner = [volume.array.shape[axes[a]] - 1 if a in flips else 0 for a in range(3)]
    affine = volume.grid.affine.copy()
    for axis, before in enumerate(axes):
        affine[:3, 2 - axis] = volume.grid.affine[:3, 2 - before] * (-1 if axis in flips else 1)
    first = np.zeros(3)
    for axis, before in enumerate(axes):
        first[before] = corner[axis]
    affine[:3, 3] = volume.grid.index_to_ras(first)
    return Volume(np.ascontiguousarray(array), Grid(array.shape, affine))


@pytest.mark.parametrize("axes", [(2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(), (0, 2)])
def test_doubts_do_not_depend_on_how_the_image_is_stored(doubts, axes, flips):
    sample = read_sample()
    case = Case(*(turned(one, axes, flips) for one in (sample.case.t1ce, sample.case.t2)))
    start = turned(Volume(sample.start.astype(np.uint8), sample.grid), axes, flips)
    assert start.grid.matches(case.grid)
    straight = doubts(sample.case, ArrayMask(sample.grid, sample.start), ())
    found = doubts(case, ArrayMask(case.grid, start.array), ())
    assert found.expected_dice == pytest.approx(straight.expected_dice, abs=1e-3)
    assert straight.mask.sum() > 100
    first, expected = (doubtful_places(one)[0] for one in (found, straight))
    assert first.position_ras == pytest.approx(expected.position_ras, abs=2.5)
    assert first.slice_number == expected.slice_number


class Unsure(nn.Module):
    """Says the same chance everywhere."""

    def __init__(self, chance):
        super().__init__()
        self.logit = nn.Parameter(torch.logit(torch.tensor(chance)))

    def forward(self, x):
        return self.logit.expand(len(x), 1, *x.shape[2:])


def test_what_the_network_is_not_sure_of_is_doubtful_near_the_border_alone():
    grid = Grid(SHAPE, AFFINE)
    network = Unsure(0.4).eval().requires_grad_(False)
    segmenter = ClickSegmenter(Model(SimpleNamespace(geometry={"spacing": [1.0, 1.5, 1.0]}), network))
    case = Case(Volume(np.zeros(SHAPE, np.float32), grid))
    mask = np.zeros(SHAPE, bool)
    mask[9:27, 12:26, 10:30] = True
    mask[14:20, 12:20, 14:20] = False
    found = doubt_map(segmenter, case, ArrayMask(grid, mask), ())
    near = [
        ndimage.distance_transform_edt(one, sampling=(1.0, 1.5, 1.0)) <= 6.0
        for one in (found.mask, ~found.mask)
    ]
    band = near[0] & near[1]
    assert 0 < band.sum() < band.size / 2
    # The mask says what the network holds for unlikely: a chance of 0.6, beyond a half, that it is wrong.
    np.testing.assert_array_equal(found.error > 0, band | found.mask)
    assert np.unique(found.error[~found.mask & band]) == pytest.approx(
        [1 / (1 + np.exp(0.7 - 0.85 * np.log(0.4 / 0.6)))], abs=1e-5
    )


def test_both_looks_at_once_tell_what_each_tells_alone(doubts):
    sample = read_sample()
    (segmenter,) = doubts.args
    window = window_around(segmenter, sample.grid, Box.around(sample.start))
    channels = segmenter.channels(sample.case, window, ArrayMask(sample.grid, sample.start), ())
    looks = [channels, np.flip(channels, 3).copy()]
    alone = [run(segmenter.model.network, look) for look in looks]
    np.testing.assert_allclose(run_together(segmenter.model.network, looks), alone, atol=1e-3)


class Counting(Unsure):
    """Notes the shapes that it is shown."""

    def __init__(self):
        super().__init__(0.4)
        self.shown = []

    def forward(self, x):
        self.shown.append(tuple(x.shape))
        # What lies left looks like tumour, so that the mirror image says otherwise.
        return self.logit + torch.linspace(2, -2, x.shape[-1]).expand(len(x), 1, *x.shape[2:])


@pytest.mark.parametrize(("side", "samples", "looks"), [(28, 48, 2), (29, 56, 1)])
def test_a_large_mask_is_looked_at_once(side, samples, looks):
    grid = Grid((64,) * 3, AFFINE)
    network = Counting().eval().requires_grad_(False)
    segmenter = ClickSegmenter(Model(SimpleNamespace(geometry={"spacing": [1.0, 1.0, 1.0]}), network))
    mask = np.zeros(grid.shape, bool)
    mask[16 : 16 + side, 16 : 16 + side, 16 : 16 + side] = True
    found = doubt_map(
        segmenter, Case(Volume(np.zeros(grid.shape, np.float32), grid)), ArrayMask(grid, mask), ()
    )
    assert network.shown == [(looks, 5, samples, samples, samples)]
    # Of both looks, left and right are the same.
    errors = found.error[samples // 2, samples // 2]
    assert np.allclose(errors, errors[::-1], atol=1e-6) == (looks == 2)


@pytest.mark.parametrize(("first", "whole"), [(60, True), (10, False)])
def test_of_parts_too_far_apart_for_one_look_the_largest_is_looked_at(first, whole):
    grid = Grid((40, 40, 140), AFFINE)
    network = Unsure(0.4).eval().requires_grad_(False)
    segmenter = ClickSegmenter(Model(SimpleNamespace(geometry={"spacing": [1.0, 1.0, 1.0]}), network))
    mask = np.zeros(grid.shape, bool)
    # From the first column of the small part to the last of the large one there are 58 or 108 mm.
    mask[15:20, 15:20, first : first + 5] = mask[15:25, 15:25, 108:118] = True
    found = doubt_map(
        segmenter, Case(Volume(np.zeros(grid.shape, np.float32), grid)), ArrayMask(grid, mask), ()
    )
    assert found.whole == whole
    assert found.mask.sum() == 10**3 + (5**3 if whole else 0)
    assert doubtful_places(found)
