"""The label curve: means, intervals, and what a round of clicks is worth beside labels."""

import numpy as np
import pytest
from PIL import Image
from VSClickCorrectResearch.evaluation.label_chart import label_curve_of, label_table, save_label_curves


@pytest.fixture
def curve():
    """Two seeds, three cases, the initial mask and one round; round 1 adds 0.1 wherever."""
    initial = {10: [[0.2, 0.4, 0.6], [0.4, 0.4, 0.4]], 40: [[0.6, 0.6, 0.6], [0.6, 0.6, 0.6]]}
    return label_curve_of({n: np.stack([d := np.array(v), d + 0.1], axis=-1) for n, v in initial.items()})


def test_means_are_over_cases_and_seeds(curve):
    assert curve.sizes == (10, 40)
    assert curve.mean == pytest.approx(np.array([[0.4, 0.5], [0.6, 0.7]]))
    # Each case counts once, with its mean over seeds: 0.3, 0.4 and 0.5.
    assert 0.3 <= curve.low[0, 0] < 0.4 < curve.high[0, 0] <= 0.5
    assert curve.low[1, 0] == pytest.approx(0.6)


def test_spread_is_that_of_seeds(curve):
    assert curve.spread == pytest.approx(np.zeros((2, 2)))
    two = label_curve_of({8: np.array([[[0.4, 0.5], [0.6, 0.7]], [[0.6, 0.7], [0.8, 0.9]]])})
    assert two.spread[0, 0] == pytest.approx(np.sqrt(2) * 0.1)


def test_one_seed_has_no_spread():
    alone = label_curve_of({8: np.array([[[0.4, 0.5], [0.6, 0.7]]])})
    assert np.isnan(alone.spread).all()
    cells = label_table(alone).splitlines()[2]
    assert "±" not in cells and cells.startswith("| 8 | 0.500 [0.400, 0.600] | 0.600 [0.500, 0.700] |")


def test_round_1_is_held_against_the_initial_masks_of_most_cases_pair_by_pair(curve):
    # By case 0.4, 0.5 and 0.6 after round 1, and 0.6 each; with all labels 0.7 each.
    assert curve.gained[:, 0] == pytest.approx([-0.1, 0.1])
    assert -0.2 <= curve.gained[0, 1] < -0.1 < curve.gained[0, 2] <= 0
    # Every pair differs by as much.
    assert curve.gained[1] == pytest.approx([0.1, 0.1, 0.1])


def test_table_says_what_round_1_is_worth(curve):
    rows = label_table(curve).splitlines()
    assert rows[0].startswith("| labelled training cases | initial mask | round 1 |")
    assert rows[0].endswith("| round 1 less the initial mask of 40 cases |")
    assert rows[2].startswith("| 10 | 0.400 [") and "| -0.100 [-0." in rows[2]
    assert rows[3].startswith("| 40 | 0.600 [") and rows[3].endswith("| +0.100 [+0.100, +0.100] |")


def test_picture_shows_every_kind(curve, tmp_path):
    save_label_curves(tmp_path / "curve.png", {"Dice": curve, "Focal Tversky": curve})
    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.width > 2 * picture.height
