"""How far from where they were meant clicks are made."""

from types import SimpleNamespace

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectResearch.evaluation.experiment import perturbed_truth
from VSClickCorrectResearch.simulation.hand import OFF_TARGET_MM, Hand

SHAPE = (20, 100, 100)
# Voxel (k, j, i) lies at R -i / 2, A -j / 2, S 3k mm.
GRID = Grid(SHAPE, np.diag([-0.5, -0.5, 3.0, 1.0]))
MEANT = Click((-25.0, -25.0, 30.0), ClickKind.INCLUDE)


def errors(hand, count=2000, grid=GRID, meant=MEANT, case="a"):
    """How far from where it was meant each of many clicks is made, RAS mm."""
    rng = hand.errors(case)
    made = [hand.clicked(grid, meant, rng) for _ in range(count)]
    assert {click.kind for click in made} == {meant.kind}
    return np.array([click.position_ras for click in made]) - meant.position_ras


def test_exact_hand_changes_nothing():
    assert Hand().clicked(GRID, MEANT, Hand().errors("a")) is MEANT


def test_error_is_normal_within_the_slice():
    found = errors(Hand(jitter_mm=1.5))
    assert np.abs(found[:, 2]).max() < 1e-9
    assert found[:, :2].mean(axis=0) == pytest.approx([0, 0], abs=0.12)
    assert found[:, :2].std(axis=0) == pytest.approx([1.5, 1.5], rel=0.06)
    # Of a normal error in two directions 1 - exp(-1/2) lies within one standard deviation.
    within = np.linalg.norm(found, axis=1) < 1.5
    assert within.mean() == pytest.approx(1 - np.exp(-0.5), abs=0.04)


def test_share_of_clicks_lands_anywhere_within_15_mm():
    found = np.linalg.norm(errors(Hand(off_target=0.2)), axis=1)
    missed = found[found > 0]
    assert missed.size / found.size == pytest.approx(0.2, abs=0.03)
    assert missed.max() <= OFF_TARGET_MM + 1e-9
    # Of a disc, half the radius holds a quarter.
    assert (missed < OFF_TARGET_MM / 2).mean() == pytest.approx(0.25, abs=0.07)


def test_seed_and_case_decide_and_the_share_off_target_changes_no_other_click():
    one = errors(Hand(jitter_mm=1.0), 50)
    assert np.array_equal(one, errors(Hand(jitter_mm=1.0), 50))
    assert not np.array_equal(one, errors(Hand(jitter_mm=1.0, seed=1), 50))
    assert not np.array_equal(one, errors(Hand(jitter_mm=1.0), 50, case="b"))
    some = errors(Hand(jitter_mm=1.0, off_target=0.1), 50)
    same = (some == one).all(axis=1)
    assert 0.7 < same.mean() < 1


def test_what_spoils_a_mask_and_where_users_look_says_nothing_of_where_the_hand_errs():
    hand, names = Hand(off_target=0.2), [f"case-{number:05d}" for number in range(400)]
    truth = np.zeros(SHAPE, bool)
    truth[8:12, 40:60, 40:60] = True
    case, start_of = SimpleNamespace(grid=GRID, truth=truth), perturbed_truth(0)
    missed = [name for name in names if hand.clicked(GRID, MEANT, hand.errors(name)) is not MEANT]
    starts = [start_of(SimpleNamespace(name=name, **vars(case))).mask for name in missed]
    # Four of five masks are spoiled, of those that the first click misses, too: three deviations are 0.13.
    assert np.mean([not np.array_equal(start, truth) for start in starts]) == pytest.approx(0.8, abs=0.13)
    first = {tuple(source(names[0]).random(3)) for source in (hand.errors, hand.places)}
    assert len(first) == 2


def test_no_click_leaves_the_image():
    corner = Click((0.0, 0.0, 0.0))
    found = errors(Hand(jitter_mm=5.0, off_target=0.3), 300, meant=corner)
    for error in found:
        GRID.ras_to_index(error)
    assert found.max() == pytest.approx(0)
    assert found.min() < -5


def test_patient_decides_not_how_the_image_is_stored():
    # Sagittal and turned round: k to the left, j upward, i to the back.
    affine = np.array([[0, 0, -0.8, 24.0], [-0.7, 0, 0, 40.0], [0, 0.9, 0, -30.0], [0, 0, 0, 1]])
    sagittal = Grid((60, 80, 120), affine)
    meant = Click((0.0, 0.0, 0.0))
    hand = Hand(jitter_mm=2.0, off_target=0.1)
    axial = Grid(
        (40, 200, 200), np.array([[0.4, 0, 0, -40.0], [0, 0.4, 0, -40], [0, 0, 2, -40], [0, 0, 0, 1]])
    )
    np.testing.assert_allclose(errors(hand, 100, sagittal, meant), errors(hand, 100, axial, meant), atol=1e-9)
