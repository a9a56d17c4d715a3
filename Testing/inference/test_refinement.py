"""Refinement: after it clicks hold, and nothing changes more than it must."""

import numpy as np
from scipy.optimize import minimize
from VSClickCorrectLib.inference.refinement import hold_clicks

SHAPE = (6, 7, 8)
RNG = np.random.default_rng(5)
FEATURES = RNG.normal(size=(4, *SHAPE)).astype(np.float32)
WEIGHTS, BIAS = np.array([1.0, -0.5, 0.25, 0.0], np.float32), -0.3
LOGITS = np.tensordot(WEIGHTS, FEATURES, 1) + np.float32(BIAS)


def weakest(sign):
    return tuple(int(n) for n in np.unravel_index(np.argmin(sign * LOGITS), SHAPE))


def test_clicks_hold_by_the_margin():
    include, exclude = weakest(1), weakest(-1)
    assert LOGITS[include] < 0 < LOGITS[exclude]
    refined = hold_clicks(FEATURES, LOGITS, [include], [exclude])
    assert refined[include] > 0.99
    assert refined[exclude] < -0.99


def test_what_holds_already_is_left_as_it_is():
    assert hold_clicks(FEATURES, LOGITS, [weakest(-1)], [weakest(1)]) is LOGITS


def test_the_change_is_linear_in_the_features_and_the_least_that_does_it():
    include, exclude = [weakest(1), (2, 3, 4)], [(0, 1, 2)]
    refined = hold_clicks(FEATURES, LOGITS, include, exclude)
    rows = np.concatenate([FEATURES.reshape(4, -1), np.ones((1, LOGITS.size), np.float32)]).T
    change, residual, *_ = np.linalg.lstsq(rows, (refined - LOGITS).ravel(), rcond=None)
    assert residual[0] < 1e-6
    # The same problem, given to a general solver.
    voxels = [np.ravel_multi_index(v, SHAPE) for v in (*include, *exclude)]
    signs = np.array([1, 1, -1])
    limits = {
        "type": "ineq",
        "fun": lambda x: signs * (LOGITS.ravel()[voxels] + rows[voxels] @ x) - 1.0,
    }
    best = minimize(lambda x: np.mean((rows @ x) ** 2), np.zeros(5), constraints=[limits], tol=1e-10)
    assert best.success
    assert np.mean((rows @ change) ** 2) < 1.02 * best.fun


def test_two_clicks_on_one_voxel_ask_for_the_same():
    once = hold_clicks(FEATURES, LOGITS, [weakest(1)], [])
    twice = hold_clicks(FEATURES, LOGITS, [weakest(1)] * 2, [])
    np.testing.assert_allclose(twice, once, atol=1e-3)
