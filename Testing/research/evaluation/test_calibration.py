"""Confidence against what was found, worked out by hand, and its chart."""

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from made_results import made_results
from VSClickCorrectResearch.evaluation.calibration import Bin, calibrate, calibration_of, save_calibration
from VSClickCorrectResearch.evaluation.results import EvaluationResults

SURE = (0.95, 0.91, 0.92, 0.62, 0.68, 0.3, 1.0)
FOUND = (True, True, False, True, False, False, True)


def test_bins_hold_mean_confidence_and_share_found():
    low, middle, high = calibrate(SURE, FOUND).bins
    # A confidence on the edge between two bins belongs to the upper one; 1 belongs to the last.
    assert low == Bin(0.3, 0.4, 1, 0.3, 0.0)
    assert middle == Bin(0.6, 0.7, 2, pytest.approx(0.65), 0.5)
    assert high == Bin(0.9, 1.0, 4, pytest.approx(0.945), 0.75)


def test_error_is_the_mean_distance_over_cases():
    # 1 × 0.3 + 2 × |0.65 - 0.5| + 4 × |0.945 - 0.75|, over 7 cases.
    assert calibrate(SURE, FOUND).error == pytest.approx((0.3 + 0.3 + 0.78) / 7)
    assert calibrate([1.0, 1.0, 0.0], [True, True, False]).error == 0.0
    assert calibrate([1.0, 0.0], [False, True]).error == 1.0


def test_area_counts_pairs_in_the_right_order():
    # Found 0.95, 0.91, 0.62, 1.0, missed 0.92, 0.68, 0.3: of 12 pairs 3 + 2 + 1 + 3 are in order.
    assert calibrate(SURE, FOUND).area == pytest.approx(9 / 12)
    assert calibrate([0.4, 0.4], [True, False]).area == 0.5
    assert calibrate([0.9, 0.1], [False, True]).area == 0.0
    assert calibrate([0.9, 0.1], [True, True]).area is None


def test_starts_of_an_evaluation_are_calibrated_where_a_confidence_is_known():
    results = made_results()
    assert calibration_of(results) is None
    # Starts of 0.8, 0.86 and 0.0; the last is not found.
    sure = {"a": 0.9, "b": 0.7, "c": 0.8}
    records = [replace(record, confidence=sure.get(record.name)) for record in results.records]
    calibration = calibration_of(EvaluationResults(results.settings, records))
    assert [(one.cases, one.found) for one in calibration.bins] == [(1, 1.0), (1, 0.0), (1, 1.0)]
    assert calibration.error == pytest.approx((0.3 + 0.8 + 0.1) / 3)
    assert calibration.area == 0.5


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="pictures need matplotlib")
def test_chart_shows_the_share_found(tmp_path):
    from matplotlib.image import imread

    save_calibration(tmp_path / "calibration.png", calibrate(SURE, FOUND))
    assert [path.name for path in tmp_path.iterdir()] == ["calibration.png"]
    pixels = np.round(imread(tmp_path / "calibration.png")[..., :3] * 255).astype(int)
    for colour in ((0xD5, 0x5E, 0), (0, 0x72, 0xB2)):
        assert (np.abs(pixels - colour).max(axis=-1) < 30).sum() > 200
