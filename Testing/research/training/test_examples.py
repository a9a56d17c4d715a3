"""What networks are taught with: cuts around clicks, and crops."""

import numpy as np
import pytest
from bright_ball import CENTER, GRID, RADIUS_MM, ball, ball_case, world
from scipy.spatial import KDTree
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.session.oracle import Oracle
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.simulation.mask_perturbations import spoiled
from VSClickCorrectResearch.training.examples import (
    CutMaking,
    crop_source,
    patch_examples,
    random_crop,
    slab_source,
    training_clicks,
    turned_crop,
)

GEOMETRY = PatchGeometry(size=32, pixel_mm=0.75, slices=3, slice_mm=1.5, click_map=True)
DEPTH = np.linalg.norm(world(GRID) - CENTER, axis=-1)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def case():
    return LabelledCase("ball", ball_case(), ball())


def cuts_of(case, masks=4):
    source = rng()
    for _ in range(masks):
        start = spoiled(case.grid, case.truth, source)
        yield from patch_examples(case, GEOMETRY, start, source)


@pytest.fixture(scope="module")
def examples(case):
    return list(cuts_of(case))


def test_cuts_have_the_correctors_channels_and_a_target_in_half_precision(examples):
    assert len(examples) > 4 * 2
    for channels, targets in examples:
        assert channels.shape == (4, 3, 32, 32)
        assert targets.shape == (2, 3, 32, 32)
        assert channels.dtype == targets.dtype == np.float16
        assert 0.0 <= targets.min() <= targets.max() <= 1.0
        assert np.array_equal(targets[1], channels[2])
        assert 0.0 <= channels[:3].min() <= channels[:3].max() <= 1.0
        assert -1.0 <= channels[3].min() <= channels[3].max() <= 1.0


def test_target_is_the_truth_that_the_images_show(examples):
    for channels, (target, _) in examples:
        # The ball is brighter than 550 of 1000, the head darker; at its border samples are mixed.
        clear = np.abs(channels[0] - 0.55) > 0.14
        assert np.array_equal((channels[0] > 0.55)[clear], (target > 0.5)[clear])
        assert clear.mean() > 0.9


def test_masks_to_correct_are_spoiled_and_some_are_not(case, examples):
    wrong = [np.abs((channels[2] > 0.5) ^ (target > 0.5)).sum() for channels, (target, _) in examples]
    assert max(wrong) > 50
    masks = [spoiled(GRID, case.truth, rng(seed)) for seed in range(25)]
    same = [np.array_equal(mask, case.truth) for mask in masks]
    assert any(same)
    assert not all(same)
    assert all(mask.any() for mask in masks)


def test_spoiling_stays_around_the_tumour_and_leaves_the_truth_alone(case):
    before = case.truth.copy()
    for seed in range(10):
        assert DEPTH[spoiled(GRID, case.truth, rng(seed))].max() < RADIUS_MM + 12.0 * 3**0.5 + 2
    assert np.array_equal(case.truth, before)


def test_tumour_at_the_rim_of_the_image_can_be_spoiled():
    truth = np.zeros(GRID.shape, bool)
    truth[:3, :8, :8] = True
    for seed in range(5):
        assert spoiled(GRID, truth, rng(seed)).shape == GRID.shape


def test_one_seed_gives_the_same_examples(case, examples):
    again = list(cuts_of(case))
    assert len(again) == len(examples)
    for one, other in zip(again, examples, strict=True):
        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1], other[1])


def test_each_cut_may_be_spoiled_for_itself(case):
    seen = []

    def turned(cut, source):
        seen.append(cut)
        return ~cut

    def two_clicks(grid, truth, mask, source):
        assert np.array_equal(mask, case.truth)
        return [Click(CENTER), Click(tuple(np.add(CENTER, (0.0, 0.0, RADIUS_MM))))]

    making = CutMaking(two_clicks, turned)
    found = list(patch_examples(case, GEOMETRY, case.truth, rng(), making))
    assert len(found) == len(seen) == 2
    for (channels, (target, mask)), cut in zip(found, seen, strict=True):
        # The truth stays the target; what is spoiled is the mask that the network sees.
        assert np.array_equal(cut, target >= 0.5)
        assert np.array_equal(channels[2], (~cut).astype(np.float16))
        assert np.array_equal(mask, channels[2])


def test_second_round_shows_what_the_corrector_left(case, too_small):
    """A perfect corrector mends what the first round's clicks meant, so that the second sees less wrong."""
    few = list(patch_examples(case, GEOMETRY, too_small, rng()))
    many = list(patch_examples(case, GEOMETRY, too_small, rng(), rounds=2, corrector=Oracle(case.truth)))
    for one, other in zip(few, many, strict=False):
        assert np.array_equal(one[0], other[0])
    wrong = [np.abs(targets[0] - targets[1]).sum(dtype=float) for _, targets in many]
    assert len(many) > len(few)
    assert np.mean(wrong[len(few) :]) < 0.5 * np.mean(wrong[: len(few)])
    # The mask that the caller gave is not the one that was clicked on.
    assert np.array_equal(ArrayMask(GRID, too_small).values, ball(radius=5.0))


@pytest.fixture(scope="module")
def too_small():
    return ball(radius=5.0)


@pytest.fixture(scope="module")
def too_large():
    return ball(radius=9.0)


def clicks_by_kind(truth, mask, seeds=range(8)):
    found = {kind: [] for kind in ClickKind}
    for seed in seeds:
        for click in training_clicks(GRID, truth, mask, rng(seed)):
            found[click.kind].append(np.array(click.position_ras))
    return found


def test_boundary_clicks_lie_on_the_true_border_but_for_a_hands_slip(too_small):
    places = clicks_by_kind(ball(), too_small)[ClickKind.BOUNDARY]
    assert len(places) >= 8 * 3
    off = np.linalg.norm(np.array(places) - CENTER, axis=1) - RADIUS_MM
    # Voxels of 0.75 x 0.75 x 1.5 mm, and a hand that slips by 0.4 mm in each direction.
    assert np.abs(off).max() < 3.5
    assert -1.0 < off.mean() < 0.3
    assert off.std() > 0.2


def test_hand_does_not_slip_out_of_the_slice(too_small):
    for place in clicks_by_kind(ball(), too_small)[ClickKind.BOUNDARY]:
        assert place[2] / 1.5 == pytest.approx(round(place[2] / 1.5), abs=1e-6)


def test_include_clicks_lie_in_what_is_missing_and_exclude_clicks_in_what_is_too_much(too_small, too_large):
    small, large = clicks_by_kind(ball(), too_small), clicks_by_kind(ball(), too_large)
    assert not small[ClickKind.EXCLUDE]
    assert not large[ClickKind.INCLUDE]
    assert len(small[ClickKind.INCLUDE]) == len(large[ClickKind.EXCLUDE]) == 8
    for place in small[ClickKind.INCLUDE]:
        index = GRID.ras_to_index(place)
        assert ball()[index]
        assert not too_small[index]
    for place in large[ClickKind.EXCLUDE]:
        index = GRID.ras_to_index(place)
        assert too_large[index]
        assert not ball()[index]


def test_right_mask_still_gets_clicks_on_its_border():
    found = clicks_by_kind(ball(), ball())
    assert found[ClickKind.BOUNDARY]
    assert not found[ClickKind.INCLUDE]
    assert not found[ClickKind.EXCLUDE]


def test_clicks_on_a_tumour_at_the_rim_stay_in_the_image():
    truth = np.zeros(GRID.shape, bool)
    truth[-3:, :9, -9:] = True
    for seed in range(10):
        for click in training_clicks(GRID, truth, np.zeros_like(truth), rng(seed)):
            GRID.ras_to_index(click.position_ras)


def test_source_of_crops_covers_the_case_at_the_working_resolution(case):
    channels, target = crop_source(case, (1.5, 1.5, 1.5), 0.0)
    # 24 slices of 1.5 mm, 64 rows and columns of 0.75 mm: 36 x 48 x 48 mm.
    assert channels.shape == (2, 24, 32, 32)
    assert target.shape == (1, 24, 32, 32)
    assert channels.dtype == target.dtype == np.float16
    assert target.sum(dtype=float) * 1.5**3 == pytest.approx(ball().sum() * 0.75 * 0.75 * 1.5, rel=0.02)
    bright = channels[0] > 0.55
    assert 2 * (bright & (target[0] > 0.5)).sum() / (bright.sum() + (target > 0.5).sum()) > 0.9


@pytest.mark.parametrize("reach", [0.0, 2.0, 4.0])
def test_target_reaches_as_far_beyond_the_tumour_as_asked(case, reach):
    _, target = crop_source(case, (1.5, 0.75, 0.75), reach)
    places = world(GRID)
    distance, _ = KDTree(places[ball()]).query(places.reshape(-1, 3))
    # The working voxels are as large as the native ones.
    assert target.sum(dtype=float) == pytest.approx(np.count_nonzero(distance <= reach + 1e-6), rel=0.02)


def test_slab_is_the_middle_of_the_tumour_normalised_to_0_and_1(case):
    channels, target = slab_source(case, (8, 40, 48), "min-max")
    assert channels.shape == (2, 8, 40, 48)
    assert target.shape == (1, 8, 40, 48)
    assert channels.dtype == target.dtype == np.float16
    assert [float(c.min()) for c in channels] == [0.0, 0.0]
    assert [float(c.max()) for c in channels] == [1.0, 1.0]
    # The ball lies in slices 8 to 16; of its nine slices the middle one is the twelfth.
    hits = np.flatnonzero(case.truth.any(axis=(1, 2)))
    assert (hits[0] + hits[-1]) / 2 == 12.0
    whole, _ = slab_source(case, (24, 40, 48), "min-max")
    assert np.array_equal(channels, whole[:, 8:16])
    healthy = LabelledCase("ball", case.case, np.zeros(GRID.shape, bool))
    assert not slab_source(healthy, (8, 40, 48))[1].any()


def test_case_without_tumour_has_an_empty_target(case):
    healthy = LabelledCase("ball", case.case, np.zeros(GRID.shape, bool))
    _, target = crop_source(healthy, (3.0, 3.0, 3.0), 2.0)
    assert not target.any()
    crop = random_crop(
        (np.ones((2, 12, 16, 16), np.float16), np.zeros((1, 12, 16, 16), np.float16)), (8, 8, 8), rng()
    )
    assert crop[0].shape == (2, 8, 8, 8)


@pytest.fixture(scope="module")
def numbered():
    """A source whose voxels tell their place; one of them is tumour."""
    shape = (10, 20, 30)
    channels = np.stack([np.arange(6000).reshape(shape), -np.arange(6000).reshape(shape)]).astype(np.float32)
    target = np.zeros((1, *shape), np.float32)
    target[0, 7, 3, 25] = 1.0
    return channels, target


def test_crop_is_a_piece_of_the_source_and_channels_and_target_stay_together(numbered):
    for seed in range(40):
        channels, target = random_crop(numbered, (4, 6, 8), rng(seed))
        assert channels.shape == (2, 4, 6, 8)
        start = np.unravel_index(int(channels[0, 0, 0, 0]), (10, 20, 30))
        place = tuple(slice(a, a + n) for a, n in zip(start, (4, 6, 8), strict=True))
        assert np.array_equal(channels, numbered[0][(slice(None), *place)])
        assert np.array_equal(target, numbered[1][(slice(None), *place)])


def test_a_turned_crop_keeps_channels_and_target_together_and_lies_otherwise():
    # A sphere is one however it is turned; scaled by a fifth at most, and each side by some percent more.
    k, j, i = np.ogrid[-20:20, -20:20, -20:20]
    sphere = (k**2 + j**2 + i**2 <= 64).astype(np.float16)
    ramp = np.broadcast_to((i + 20) / 40, sphere.shape)
    source = np.stack([sphere, ramp]).astype(np.float16), sphere[None]
    volumes, slopes = [], []
    for seed in range(40):
        channels, target = turned_crop(source, (32, 32, 32), rng(seed))
        assert channels.shape == (2, 32, 32, 32)
        assert target.shape == (1, 32, 32, 32)
        np.testing.assert_allclose(channels[0], target[0], atol=1e-3)
        volumes.append((target > 0.5).sum() / (sphere > 0.5).sum())
        # The ramp rose along the last axis alone.
        slopes.append(np.median(np.gradient(channels[1, 12:20, 12:20, 12:20], axis=1)) * 40)
    whole = [volume for volume in volumes if volume > 0.45]
    assert len(whole) > 20
    assert 0.45 < min(whole) < 0.8
    assert 1.3 < max(whole) < 2.2
    assert 0.08 < np.std(slopes) < 0.35


def test_three_of_four_crops_hold_the_tumour_and_not_always_in_the_middle(numbered):
    crops = [random_crop(numbered, (6, 6, 8), rng(seed))[1] for seed in range(400)]
    held = [crop for crop in crops if crop.any()]
    # And of those that may lie anywhere a few.
    assert 0.7 < len(held) / 400 < 0.9
    places = {tuple(np.argwhere(crop)[0]) for crop in held}
    assert len(places) > 10


def test_crop_larger_than_the_source_is_filled_up_with_0(numbered):
    channels, target = random_crop(numbered, (16, 6, 32), rng())
    assert channels.shape == (2, 16, 6, 32)
    assert target.shape == (1, 16, 6, 32)
    assert not channels[:, 10:].any()
    assert not channels[..., 30:].any()
    assert np.array_equal(channels[0, :10, :, 0] % 30, np.zeros((10, 6)))
