"""The windows that are offered, and what a drag makes of one."""

import numpy as np
import pytest
from VSClickCorrectApp.intensity_windows import PRESETS, dragged, window_presets

# Half air, half head of 1 to 1000, and one stray voxel.
VALUES = np.concatenate([np.zeros(1000), np.arange(1.0, 1001.0), [9000.0]]).reshape(3, 23, 29)


def test_presets_are_percentiles_of_what_is_no_air():
    windows = window_presets(VALUES, (5.0, 800.0))
    assert tuple(windows) == PRESETS
    assert windows["automatic"] == (5.0, 800.0)
    assert windows["full"] == (0.0, 9000.0)
    head = VALUES[np.greater(VALUES, VALUES.mean())]
    assert windows["narrow"] == pytest.approx(np.percentile(head, (10, 95)))
    assert windows["bright"] == pytest.approx(np.percentile(head, (50, 99.9)))
    assert windows["wide"] == pytest.approx((0.0, np.percentile(head, 99.9)))


@pytest.mark.parametrize("value", [0, 7])
def test_an_image_of_one_intensity_has_windows_too(value):
    for low, high in window_presets(np.full((4, 4, 4), value, np.int16), (0.0, 0.0)).values():
        assert low < high


def test_a_drag_widens_to_the_right_and_brightens_upward():
    assert dragged((100.0, 200.0), 0, 30, (0.0, 300.0)) == pytest.approx((70.0, 170.0))
    assert dragged((100.0, 200.0), 20, 0, (0.0, 300.0)) == pytest.approx((90.0, 210.0))
    low, high = dragged((100.0, 200.0), -500, 0, (0.0, 300.0))
    assert low < high
