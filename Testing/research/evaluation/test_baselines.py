"""Baselines on a bright ball, whose border is a formula, stored in any orientation."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from bright_ball import AXIAL, CENTER, GRID, RADIUS_MM, SHAPE, ball, ball_case, dice, world
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation import baselines
from VSClickCorrectResearch.evaluation.baselines import BASELINES, Disc, HalfWay, Unchanged
from VSClickCorrectResearch.evaluation.rounds import Method, Play, Start, play_rounds

R, A, S = CENTER
# In the middle slice the border runs here, toward the patient's right; 10 mm from it there is air.
BORDER = Click((R + RADIUS_MM, A, S))
needs_skimage = pytest.mark.skipif(
    find_spec("skimage") is None, reason="the random walker needs scikit-image"
)
EVERY = [pytest.param(one, marks=needs_skimage if one is BASELINES[3] else ()) for one in BASELINES]


@pytest.fixture(scope="module")
def case():
    return ball_case()


def corrected(baseline, case, start, *clicks):
    mask = ArrayMask(case.grid, start)
    CorrectionSession(case, mask, baseline, None, baseline.merge).apply_together(clicks)
    return mask.values


def at(values, right, back=0.0, up=0.0):
    """The voxel so many mm from the ball's centre."""
    return bool(values[GRID.ras_to_index((R + right, A - back, S + up))])


def final_dice(baseline, case, start, rounds=3):
    method = Method("baseline", baseline, baseline.merge)
    played = play_rounds(LabelledCase("ball", case, ball()), Start(start), method, Play(rounds, 5))
    return [one.scores.dice for one in played]


def test_no_correction_changes_nothing(case):
    start = ball(radius=5.0)
    assert np.array_equal(corrected(Unchanged(), case, start, BORDER), start)


def test_disc_is_painted_up_to_a_click_outside_the_mask_in_its_slice_alone(case):
    values = corrected(Disc(), case, ball(radius=4.0), BORDER)
    changed = values ^ ball(radius=4.0)
    index = GRID.ras_to_index(BORDER.position_ras)
    assert np.flatnonzero(changed.any(axis=(1, 2))).tolist() == [index[0]]
    # A disc of 3 mm whose rim is at 7 mm fills 4 to 7 mm and bulges 3 mm to either side of its middle.
    assert at(values, 6.5)
    assert not at(values, 8.0)
    places = world(GRID)[changed]
    center = np.array([R + RADIUS_MM - 3.0, A])
    assert np.linalg.norm(places[:, :2] - center, axis=1).max() <= 3.0 + 0.6
    assert not (ball(radius=4.0) & ~values).any()


def test_disc_grows_where_the_mask_is_far(case):
    values = corrected(Disc(), case, ball(radius=2.0), BORDER)
    assert all(at(values, right) for right in (2.0, 3.0, 4.0, 5.0, 6.0))


def test_disc_is_erased_up_to_a_click_inside_the_mask(case):
    values = corrected(Disc(), case, ball(radius=10.0), BORDER)
    assert at(values, 6.0)
    assert not at(values, 8.0)
    assert not at(values, 9.0)
    assert at(values, -9.0)
    assert not (values & ~ball(radius=10.0)).any()


def test_disc_in_a_slice_without_mask_is_drawn_round_the_middle_of_the_nearest_slice_with_one(case):
    start = ball()
    start[world(GRID)[:, 0, 0, 2] > S + 2] = False
    # The slice 3 mm up: there the ball's radius is the root of 49 - 9.
    radius = np.sqrt(RADIUS_MM**2 - 9)
    values = corrected(Disc(), case, start, Click((R, A - radius, S + 3)))
    k = GRID.ras_to_index((R, A, S + 3))[0]
    assert dice(values[k], ball()[k]) > 0.93


def test_threshold_midway_finds_the_border_at_the_click_on_the_slices_that_the_corrector_sees(case):
    start = np.roll(ball(), 3, axis=2)
    values = corrected(HalfWay(), case, start, BORDER)
    across, up = world(GRID)[..., 0] - R, world(GRID)[..., 2] - S
    seen = np.abs(up) <= 3.0
    assert len(np.unique(up[seen])) == 5
    # Inside, 700 to 1000; outside, 400: every voxel near the border falls on its side.
    mended = seen & (across > 1.0)
    assert dice(start[mended], ball()[mended]) < 0.8
    assert dice(values[mended], ball()[mended]) > 0.98
    # On the other side the border is as wrong as it was: no click says so.
    assert np.array_equal(values[~seen | (across < -1.0)], start[~seen | (across < -1.0)])


@pytest.mark.parametrize("baseline", EVERY[2:])
def test_rounds_bring_a_shifted_mask_to_the_ball(baseline, case):
    scores = final_dice(baseline, case, np.roll(ball(), (1, 3, 0), axis=(0, 1, 2)))
    assert scores[0] < 0.85
    assert scores[-1] > 0.95


def test_dark_tumour_is_found_as_a_bright_one(case):
    dark = Case(Volume((1200 - case.t1ce.array).astype(np.int16), GRID))
    assert final_dice(HalfWay(), dark, np.roll(ball(), 3, axis=1), rounds=1)[-1] > 0.9


@pytest.mark.parametrize("baseline", EVERY)
def test_one_sequence_is_enough(baseline, case):
    for alone in (Case(case.t1ce), Case(None, case.t2)):
        scores = final_dice(baseline, alone, np.roll(ball(), 2, axis=1), rounds=1)
        assert scores[1] > scores[0] or baseline is BASELINES[0]


@pytest.mark.parametrize("baseline", EVERY)
@pytest.mark.parametrize("start", [np.zeros(SHAPE, bool), np.ones(SHAPE, bool)], ids=["empty", "full"])
def test_mask_without_a_border_near_the_click_is_no_trouble(baseline, start, case):
    (proposal,) = baseline.propose(case, ArrayMask(case.grid, start), [BORDER])
    assert proposal.values.shape == proposal.box.shape


@pytest.mark.parametrize("baseline", EVERY)
def test_flat_image_is_no_trouble(baseline):
    flat = Case(Volume(np.full(SHAPE, 7, np.int16), GRID))
    assert corrected(baseline, flat, ball(radius=5.0), BORDER).any()


@pytest.mark.parametrize("baseline", EVERY[1:])
def test_correction_does_not_depend_on_how_the_image_is_stored(baseline, case):
    start = np.roll(ball(), 3, axis=2)
    expected = corrected(baseline, case, start, BORDER)
    turned, grid = stored_sagittally(case)
    found = corrected(baseline, turned, sagittal(start), BORDER)
    assert grid.shape != GRID.shape
    assert dice(found, sagittal(expected)) > 0.995


def sagittal(values):
    """Slices toward the patient's right, rows upward, columns to the back."""
    return np.ascontiguousarray(values.transpose(2, 0, 1)[::-1])


def stored_sagittally(case):
    affine = np.eye(4)
    affine[:3, 2] = -AXIAL[:3, 0]
    affine[:3, 1], affine[:3, 0] = AXIAL[:3, 2], AXIAL[:3, 1]
    affine[:3, 3] = AXIAL[:3, 3] + AXIAL[:3, 0] * (SHAPE[2] - 1)
    grid = Grid((SHAPE[2], SHAPE[0], SHAPE[1]), affine)
    return Case(*(Volume(sagittal(v.array), grid) for v in case.sequences.values())), grid


def test_missing_library_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    with pytest.raises(ModelError, match=r"scikit-image; install vsclickcorrect\[evaluation\]"):
        baselines.check_requirements()
