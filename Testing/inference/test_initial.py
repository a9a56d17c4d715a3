"""The initial mask: every slice is looked at, in any orientation, and one may stop it."""

import numpy as np
import pytest
from bright_ball import (
    AXIAL,
    CENTER,
    GRID,
    RADIUS_MM,
    SHAPE,
    ball,
    ball_case,
    ball_volume,
    dice,
    world,
)
from handmade_models import (
    bright_unet3d,
    change_entry,
    vouch_for,
)
from safetensors.numpy import save
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import Cancelled
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.initial_mask import best_parts
from VSClickCorrectLib.inference.manifest import ModelFolder

R, A, S = CENTER
# Working voxels of 1.5 mm, half a voxel off the native ones, blur a ball of 7 mm this much.
NEAR = 0.93


@pytest.fixture(scope="module")
def segmenter(bright_models):
    return InitialSegmenter.load(ModelFolder(bright_models))


@pytest.fixture(scope="module")
def case():
    return ball_case()


def turned(array, axes, flips):
    """The same patient, stored with axes in another order and direction: array and affine."""
    values = array.transpose(axes)[tuple(slice(None, None, -1 if f else 1) for f in flips)]
    affine = np.eye(4)
    for new, (old, flip) in enumerate(zip(axes, flips, strict=True)):
        step = AXIAL[:3, 2 - old]
        affine[:3, 2 - new] = -step if flip else step
        affine[:3, 3] += step * (array.shape[old] - 1) if flip else 0
    affine[:3, 3] += AXIAL[:3, 3]
    return values, affine


def restored(values, axes, flips):
    return values[tuple(slice(None, None, -1 if f else 1) for f in flips)].transpose(np.argsort(axes))


def test_of_two_parts_the_one_with_more_evidence_stays_and_its_hole_is_filled():
    probability = np.zeros((3, 8, 8), np.float32)
    probability[1, 0:2, 0:5] = 0.6  # ten voxels, 6.0 in all
    probability[1, 4:7, 4:7] = 0.9  # eight round a hole, 7.2 in all
    probability[1, 5, 5] = 0.3
    # Wide enough that the two are apart.
    grid = Grid((3, 8, 8), AXIAL @ np.diag([3.0, 3.0, 3.0, 1.0]))
    found, *_ = best_parts(grid, Box((0, 0, 0), (3, 8, 8)), probability, 0.5)
    expected = np.zeros((3, 8, 8), bool)
    expected[1, 4:7, 4:7] = True
    assert np.array_equal(found.on(grid), expected)
    assert found.confidence == pytest.approx(7.5 / 9)


@pytest.mark.parametrize("gap_mm, parts", [(1, 1), (3, 1), (5, 2), (8, 2)])
def test_pieces_of_a_tumour_that_a_gap_of_up_to_3_mm_divides_are_one_candidate(gap_mm, parts):
    grid = Grid((4, 10, 40), np.diag([0.5, 0.5, 2.0, 1.0]))
    probability = np.zeros(grid.shape, np.float32)
    # Voxels of 0.5 mm: the last one of the first piece and the first one of the second are so far apart.
    second = 9 + 2 * gap_mm
    probability[1:3, 2:8, 2:10] = 0.9
    probability[1:3, 2:8, second : second + 10] = 0.8
    found = best_parts(grid, grid.box, probability, 0.5)
    assert len(found) == parts
    assert sum(int(one.values.sum()) for one in found) == 2 * 6 * (8 + 10)


def test_windows_lie_round_the_ball_with_a_margin(segmenter, case):
    (window,) = segmenter.windows(case)
    ball_box = Box.around(ball())
    # Of the 14 mm of margin 9 fit in above and below: there the image ends.
    assert window.box.contains(ball_box)
    assert window.geometry.spacing == (1.5, 0.75, 0.75)
    for axis in (1, 2):
        assert ball_box.start[axis] - window.box.start[axis] >= 14 / 0.75 - 4


def test_ball_is_found_where_it_is(segmenter, case):
    found = segmenter.segment(case)
    assert found.found
    assert dice(found.on(GRID), ball()) > NEAR
    assert found.values.shape == found.box.shape
    assert 0.5 < found.confidence <= 1.0


@pytest.mark.parametrize("missing", ["t1ce", "t2"])
def test_one_sequence_is_enough(segmenter, case, missing):
    found = segmenter.segment(Case(**(case.sequences | {missing: None})))
    assert dice(found.on(GRID), ball()) > NEAR


@pytest.mark.parametrize("height, slices", [(0.0, range(5)), (34.5, range(19, 24)), (-3.0, range(3))])
def test_tumour_in_the_first_or_last_slices_is_found_to_the_very_last_one(segmenter, height, slices):
    center = (R, A, height)
    mask = segmenter.segment(ball_case(GRID, center)).on(GRID)
    assert dice(mask, ball(GRID, center)) > 0.8
    assert set(slices) <= set(np.flatnonzero(mask.any(axis=(1, 2))))


@pytest.mark.parametrize("shift", [(16.0, 0.0), (-16.0, 0.0), (0.0, 16.0), (0.0, -16.0)])
def test_tumour_at_the_side_of_the_head_is_found(segmenter, shift):
    center = (R + shift[0], A + shift[1], S)
    assert dice(segmenter.segment(ball_case(GRID, center)).on(GRID), ball(GRID, center)) > NEAR


@pytest.mark.parametrize("slices, thickness", [(10, 3.6), (72, 0.5)])
def test_thick_and_thin_slices_are_covered_alike(segmenter, slices, thickness):
    affine = AXIAL.copy()
    affine[2, 2] = thickness
    grid = Grid((slices, *SHAPE[1:]), affine)
    assert dice(segmenter.segment(ball_case(grid)).on(grid), ball(grid)) > 0.93


@pytest.mark.parametrize(
    "axes, flips",
    [
        ((0, 1, 2), (True, False, False)),
        ((0, 1, 2), (False, True, True)),
        ((2, 0, 1), (False, False, True)),  # sagittal
        ((1, 0, 2), (True, True, False)),  # coronal
        ((2, 1, 0), (True, False, True)),
    ],
)
def test_same_patient_stored_in_another_order_gets_the_same_mask(segmenter, case, axes, flips):
    sequences, affines = zip(*(turned(v.array, axes, flips) for v in case.sequences.values()), strict=True)
    grid = Grid(sequences[0].shape, affines[0])
    # The helper is right: the ball's formula, on the turned grid, is the ball turned.
    assert np.array_equal(restored(ball(grid), axes, flips), ball())
    found = segmenter.segment(Case(*(Volume(np.ascontiguousarray(s), grid) for s in sequences))).on(grid)
    expected = segmenter.segment(case).on(GRID)
    assert np.count_nonzero(restored(found, axes, flips) != expected) <= 0.01 * expected.sum()


@pytest.mark.parametrize("tilt", [(0.8, 0.6), (12 / 13, -5 / 13)])
def test_tilted_slices_get_the_same_mask_in_the_world(segmenter, tilt):
    cosine, sine = tilt
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ AXIAL[:3, :3]
    affine[:3, 3] = np.array(CENTER) - affine[:3, :3] @ ((np.array(SHAPE[::-1]) - 1) / 2) + (3, -4, 5)
    grid = Grid(SHAPE, affine)
    mask = segmenter.segment(ball_case(grid)).on(grid)
    assert dice(mask, ball(grid)) > NEAR
    assert np.allclose(world(grid)[mask].mean(axis=0), CENTER, atol=0.3)


def test_of_two_tumours_the_one_with_more_evidence_is_taken(segmenter):
    big, small = (R + 8, A, 12.0), (R - 12, A, 38.0)  # the second is cut off by the last slice
    mask = segmenter.segment(ball_case(GRID, big, small)).on(GRID)
    assert dice(mask, ball(GRID, big)) > NEAR
    assert not mask[ball(GRID, small)].any()


def test_progress_climbs_from_0_to_1_and_says_what_is_done(segmenter, case):
    told = []
    segmenter.segment(case, lambda fraction, message: told.append((fraction, message)))
    fractions = [fraction for fraction, _ in told]
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert len(fractions) >= 3
    assert fractions == sorted(set(fractions))
    assert all(message for _, message in told)


def test_every_step_can_be_cancelled_and_nothing_is_changed(segmenter):
    case = ball_case()
    before = [case.t1ce.array.copy(), case.t2.array.copy()]
    steps = []
    expected = segmenter.segment(case, lambda fraction, message: steps.append(fraction)).on(GRID)
    for stop_at in range(len(steps)):
        told = []

        def step(fraction, message, told=told, stop_at=stop_at):
            if len(told) == stop_at:
                raise Cancelled("the search was cancelled.")
            told.append(fraction)

        with pytest.raises(Cancelled, match=r"cancelled\.$"):
            segmenter.segment(case, step)
        assert told == steps[:stop_at]
    assert all(np.array_equal(a, b) for a, b in zip((case.t1ce.array, case.t2.array), before, strict=True))
    assert np.array_equal(segmenter.segment(case).on(GRID), expected)


def skin():
    """A head with a sheet of bright skin, too thin for the locator."""
    head = np.where(ball_volume().array > 0, 400, 0).astype(np.int16)
    head[:, 4, 16:48] = 1000
    return Case(Volume(head, GRID)), head == 1000


def test_nothing_found_is_an_empty_mask_that_says_so(own_models):
    vouch_for(own_models, "first", save({n: t.astype(np.float16) for n, t in bright_unet3d(2.0).items()}))
    told = []
    found = InitialSegmenter.load(ModelFolder(own_models)).segment(
        skin()[0], lambda fraction, message: told.append((fraction, message))
    )
    assert not found.found
    assert not found.sure
    assert found.candidates == ()
    assert found.confidence == 0.0
    assert not found.on(GRID).any()
    assert found.on(GRID).shape == SHAPE
    assert told[-1] == (1.0, "no tumour found")


def test_what_the_locator_misses_is_found_by_a_closer_look_at_the_whole_head(segmenter):
    case, sheet = skin()
    assert segmenter.windows(case) == []
    found = segmenter.segment(case).on(GRID)
    assert (found & sheet).sum() > 0.9 * sheet.sum()


def test_the_second_tumour_is_the_next_candidate(segmenter):
    big, small = (R + 8, A, 12.0), (R - 12, A, 38.0)
    found = segmenter.segment(ball_case(GRID, big, small))
    first, second = found.candidates
    assert dice(first.on(GRID), ball(GRID, big)) > NEAR
    assert dice(second.on(GRID), ball(GRID, small)) > 0.8
    assert second.others == ()


@pytest.mark.parametrize("more", [{}, {"t1ce": 0.75}])
def test_certainty_is_the_manifests_logistic_regression(own_models, case, more):
    plain = InitialSegmenter.load(ModelFolder(own_models)).segment(case)
    # The locator, at 3 mm, sees most of the ball.
    assert 0.6 < plain.located <= 1.0
    assert plain.sure
    coefficients = {"intercept": -2.0, "confidence": 1.5, "log_volume": 0.25, "located_log_odds": -1.0}
    change_entry(own_models, "first", certainty=coefficients | more)
    found = InitialSegmenter.load(ModelFolder(own_models)).segment(case)
    volume = found.values.sum() * GRID.voxel_volume
    # Mean probabilities of 1 count as 0.9999.
    seen = min(found.located, 0.9999)
    logit = -2.0 + 1.5 * found.confidence + 0.25 * np.log(volume / 100) - np.log(seen / (1 - seen))
    with_t1ce = logit + more.get("t1ce", 0.0)
    assert found.certainty == pytest.approx(1 / (1 + np.exp(-with_t1ce)))
    assert not found.sure
    alone = InitialSegmenter.load(ModelFolder(own_models)).segment(Case(None, case.t2))
    seen = min(alone.located, 0.9999)
    volume = alone.values.sum() * GRID.voxel_volume
    logit = -2.0 + 1.5 * alone.confidence + 0.25 * np.log(volume / 100) - np.log(seen / (1 - seen))
    assert alone.certainty == pytest.approx(1 / (1 + np.exp(-logit)))


def test_the_calibration_decides_between_candidates(own_models):
    big, small = (R + 8, A, 12.0), (R - 12, A, 38.0)
    for sign, first in ((1.0, big), (-1.0, small)):
        coefficients = {"intercept": 0.0, "confidence": 0.0, "log_volume": sign, "located_log_odds": 0.0}
        change_entry(own_models, "first", certainty=coefficients)
        found = InitialSegmenter.load(ModelFolder(own_models)).segment(ball_case(GRID, big, small))
        assert dice(found.on(GRID), ball(GRID, first)) > 0.8


def test_candidate_that_a_closer_look_does_not_confirm_is_no_tumour(own_models, case):
    vouch_for(own_models, "first", save({n: t.astype(np.float16) for n, t in bright_unet3d(2.0).items()}))
    found = InitialSegmenter.load(ModelFolder(own_models)).segment(case)
    assert not found.found
    assert not found.on(GRID).any()


@pytest.mark.parametrize("level", [0, 137])
def test_image_without_any_contrast_holds_no_tumour(segmenter, level):
    found = segmenter.segment(Case(Volume(np.full(SHAPE, level, np.int16), GRID)))
    assert not found.found


def test_threshold_of_the_manifest_decides_where_the_border_runs(own_models, case):
    change_entry(own_models, "first", threshold=1e-3)
    generous = InitialSegmenter.load(ModelFolder(own_models)).segment(case).on(GRID)
    change_entry(own_models, "first", threshold=0.999)
    strict = InitialSegmenter.load(ModelFolder(own_models)).segment(case).on(GRID)
    assert strict.sum() < generous.sum()
    assert not (strict & ~generous).any()


def test_random_networks_give_a_mask_on_the_grid_or_none(model_folder, case):
    found = InitialSegmenter.load(ModelFolder(model_folder)).segment(case)
    assert found.on(GRID).shape == SHAPE
    assert found.found == bool(found.on(GRID).any())
    assert 0.0 <= found.confidence <= 1.0


@pytest.mark.parametrize("place", [CENTER, (R + 5, A, S), (R, A - 5, S - 3)])
def test_evidence_around_an_include_click_is_the_region_under_it(segmenter, case, place):
    proposal = segmenter.propose(case, Click(place, ClickKind.INCLUDE))
    values = np.zeros(SHAPE, bool)
    values[proposal.box.slices] = proposal.values
    assert values[GRID.ras_to_index(place)]
    assert dice(values, ball()) > NEAR


def test_evidence_leaves_out_a_region_that_the_click_does_not_touch(segmenter):
    other = (R - 15, A, S)
    two = ball_case(GRID, (R + 4, A, S), other)
    proposal = segmenter.propose(two, Click(other, ClickKind.INCLUDE))
    values = np.zeros(SHAPE, bool)
    values[proposal.box.slices] = proposal.values
    assert dice(values, ball(GRID, other)) > NEAR


def test_weak_evidence_under_the_click_is_enough(own_models, case):
    # The core of the ball has probability 0.3: not tumour by itself, but more than half of it holds at 0.15.
    weak = bright_unet3d(0.55, offset=float(-np.log(0.7 / 0.3) - 2 * 80 * (1 - 0.5)))
    vouch_for(own_models, "first", save({n: t.astype(np.float16) for n, t in weak.items()}))
    segmenter = InitialSegmenter.load(ModelFolder(own_models))
    assert not segmenter.segment(case).found
    proposal = segmenter.propose(case, Click(CENTER, ClickKind.INCLUDE))
    values = np.zeros(SHAPE, bool)
    values[proposal.box.slices] = proposal.values
    assert values[GRID.ras_to_index(CENTER)]
    assert not (values & ~ball()).any()


def test_click_without_any_evidence_under_it_proposes_nothing(segmenter, case):
    proposal = segmenter.propose(case, Click((R - 14, A, S), ClickKind.INCLUDE))
    assert not proposal.values.any()


@pytest.mark.parametrize("index", [(0, 0, 0), (23, 63, 63), (23, 0, 63)])
def test_evidence_in_the_corner_of_the_image_stays_inside_it(segmenter, case, index):
    proposal = segmenter.propose(case, Click(tuple(GRID.index_to_ras(index)), ClickKind.INCLUDE))
    assert GRID.box.contains(proposal.box)
    assert proposal.values.shape == proposal.box.shape


def test_evidence_on_a_flipped_sagittal_grid_is_the_same_region(segmenter, case):
    axes, flips = (2, 0, 1), (False, True, True)
    sequences, affines = zip(*(turned(v.array, axes, flips) for v in case.sequences.values()), strict=True)
    grid = Grid(sequences[0].shape, affines[0])
    turned_case = Case(*(Volume(np.ascontiguousarray(s), grid) for s in sequences))
    proposal = segmenter.propose(turned_case, Click((R, A, S + 3), ClickKind.INCLUDE))
    values = np.zeros(grid.shape, bool)
    values[proposal.box.slices] = proposal.values
    assert dice(restored(values, axes, flips), ball()) > NEAR


def test_ball_reaches_as_far_as_its_radius(segmenter, case):
    places = world(GRID)[segmenter.segment(case).on(GRID)]
    assert np.linalg.norm(places - CENTER, axis=1).max() < RADIUS_MM + 1.0


@pytest.fixture(scope="module")
def shipped_segmenter(shipped_models):
    return InitialSegmenter.load(ModelFolder(shipped_models))


@pytest.mark.parametrize("side", ["right", "left"])
def test_shipped_models_find_the_synthetic_tumour_on_its_side(shipped_segmenter, side):
    from VSClickCorrectResearch.simulation.synthesis import small_case

    made = small_case(0, side=side)
    mask = shipped_segmenter.segment(made.case).on(made.grid)
    assert dice(mask, made.truth) > 0.5
    middle = world(made.grid)[mask].mean(axis=0)
    assert np.linalg.norm(middle - made.site_ras) < 5.0


def test_shipped_models_find_no_tumour_far_from_the_true_one(shipped_segmenter, small):
    mask = shipped_segmenter.segment(small.case).on(small.grid)
    assert np.linalg.norm(world(small.grid)[mask] - small.site_ras, axis=1).max() < 20.0
