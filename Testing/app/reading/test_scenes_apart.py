"""A scene that a browser sends, read in a process of its own."""

import numpy as np
import pytest
from bright_ball import ball, ball_volume
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectApp.reading.scenes_apart import read_scene_apart
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.mrml.persistence import save_scene, store_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume

MB = 1 << 20


@pytest.fixture
def saved(tmp_path):
    """T1ce, T2, a mask and a journal."""
    with HeadlessScene() as headless:
        volume = add_volume(headless.scene, ball_volume(), "T1ce")
        add_volume(headless.scene, ball_volume(t2=True), "T2")
        segment = add_segmentation(headless.scene, volume, "tumour")
        SegmentMask(*segment, volume).fill(ball())
        store_journal(segment[0], '{"one": 1}\n', segment[1])
        save_scene(headless.scene, tmp_path / "case.mrb")
    return tmp_path / "case.mrb"


def test_the_case_is_the_one_that_was_saved(saved):
    case = read_scene_apart(saved, 64 * MB)
    for found, given in ((case.t1ce, ball_volume()), (case.t2, ball_volume(t2=True))):
        assert found.grid.matches(given.grid)
        np.testing.assert_array_equal(found.array, given.array)
    np.testing.assert_array_equal(case.mask, ball())
    assert case.journal == '{"one": 1}\n'


def test_more_than_is_allowed_is_refused(saved):
    with pytest.raises(ImageError, match="more than"):
        read_scene_apart(saved, 1000)
