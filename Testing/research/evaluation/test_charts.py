"""The curve's numbers, and its picture."""

from importlib.util import find_spec

import numpy as np
import pytest
from made_results import made_results

if find_spec("matplotlib") is None:
    pytest.skip("pictures need matplotlib", allow_module_level=True)

from VSClickCorrectResearch.evaluation.charts import quartile_curve, save_curve

VERMILION, GREY = (0xD5, 0x5E, 0), (0x99, 0x99, 0x99)


def test_curve_over_rounds_has_the_quartiles_of_each_round():
    steps, quartiles = quartile_curve(made_results(), "net")
    assert steps.tolist() == [0, 1, 2]
    # Start: 0, 0.8, 0.86; first round: 0.7, 0.9, 0.92; second: 0.7, 0.91, 0.96.
    assert quartiles[1].tolist() == [0.8, 0.9, 0.91]
    assert quartiles[0] == pytest.approx([0.4, 0.8, 0.805])
    assert quartiles[2] == pytest.approx([0.83, 0.91, 0.935])


def test_curve_over_clicks_goes_on_flat_where_no_click_was_left():
    steps, quartiles = quartile_curve(made_results(one_by_one=True), "net")
    assert steps.tolist() == list(range(11))
    # a ends at 0.96 after ten clicks; b at 0.91 and c at 0.7 after five.
    assert quartiles[1].tolist() == [0.8, 0.82, 0.84, 0.86, 0.88, 0.9] + [0.91] * 5


@pytest.mark.parametrize("one_by_one", [False, True])
def test_picture_shows_every_method(one_by_one, tmp_path):
    from matplotlib.image import imread

    save_curve(tmp_path / "dice.png", made_results(one_by_one))
    assert [path.name for path in tmp_path.iterdir()] == ["dice.png"]
    pixels = np.round(imread(tmp_path / "dice.png")[..., :3] * 255).astype(int)
    for colour in (VERMILION, GREY):
        assert (np.abs(pixels - colour).max(axis=-1) < 30).sum() > 200
