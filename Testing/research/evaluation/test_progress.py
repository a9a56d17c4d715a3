"""The picture of one correction, seen in its pixels."""

from importlib.util import find_spec

import numpy as np
import pytest
from bright_ball import AXIAL, SHAPE, ball, ball_case
from VSClickCorrectLib.errors import StorageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.session.oracle import Oracle
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.rounds import Method, Play, Start, play_rounds

if find_spec("matplotlib") is None:
    pytest.skip("pictures need matplotlib", allow_module_level=True)

from VSClickCorrectResearch.evaluation.progress import save_progress

ORANGE, GREEN, YELLOW = (0xE6, 0x9F, 0), (0, 0x9E, 0x73), (0xF0, 0xE4, 0x42)
# Strips of words above and below, mm of the picture's inches left aside: shares of its height.
ABOVE, BELOW = 0.09, 0.04


def rounds_of(case, truth, start, rounds=2):
    labelled, method = LabelledCase("case", case, truth), Method("oracle", Oracle(truth))
    return list(play_rounds(labelled, Start(start), method, Play(rounds, 3)))


def drawn(path, case, truth, rounds):
    """Save a picture; return its pixels, 0 to 255, cut into one column a stage, without the words."""
    from matplotlib.image import imread

    save_progress(path, case, truth, rounds, "Title")
    pixels = np.round(imread(path)[..., :3] * 255).astype(int)
    height = len(pixels)
    kept = pixels[int(ABOVE * height) : int((1 - BELOW) * height)]
    return np.array_split(kept, len(rounds) + 1, axis=1)


def count(pixels, colour):
    return int((np.abs(pixels - colour).max(axis=-1) < 30).sum())


def test_slices_have_the_numbers_that_measurements_give_them(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    words, one = [], ball() & (np.arange(SHAPE[0])[:, None, None] == 12)
    monkeypatch.setattr(Axes, "text", lambda self, x, y, text, **_: words.append(text))
    drawn(tmp_path / "a.png", ball_case(), one, rounds_of(ball_case(), one, np.roll(one, 2, axis=2)))
    # Slice 12 of the array, which begins at the bottom.
    assert words == ["slice 13"]


def test_first_column_is_bare_and_each_further_one_shows_mask_and_truth(tmp_path):
    start = np.roll(ball(), 4, axis=2)
    rounds = rounds_of(ball_case(), ball(), start)
    bare, *stages = drawn(tmp_path / "case.png", ball_case(), ball(), rounds)
    assert [path.name for path in tmp_path.iterdir()] == ["case.png"]
    assert count(bare, ORANGE) == count(bare, GREEN) == count(bare, YELLOW) == 0
    assert len(stages) == 3
    assert all(count(stage, GREEN) > 100 for stage in stages)
    assert count(stages[0], ORANGE) > 300
    assert count(stages[0], YELLOW) == 0
    assert len(rounds[1].clicks) > 0
    assert count(stages[1], YELLOW) > 20
    # The truth is drawn last and hides the mask where they agree.
    assert count(stages[2], ORANGE) < count(stages[0], ORANGE)


def test_picture_does_not_depend_on_how_the_image_is_stored(tmp_path):
    start = np.roll(ball(), 4, axis=2)
    one = drawn(tmp_path / "one.png", ball_case(), ball(), rounds_of(ball_case(), ball(), start, 1))
    affine = AXIAL.copy()
    affine[:3, :2] *= -1
    affine[:3, 3] = AXIAL[:3, 3] + AXIAL[:3, 0] * (SHAPE[2] - 1) + AXIAL[:3, 1] * (SHAPE[1] - 1)
    grid = Grid(SHAPE, affine)
    turned = Case(Volume(np.ascontiguousarray(ball_case().t1ce.array[:, ::-1, ::-1]), grid))
    truth, begun = ball()[:, ::-1, ::-1], start[:, ::-1, ::-1]
    other = drawn(tmp_path / "other.png", turned, truth, rounds_of(turned, truth, begun, 1))
    # Clicks may fall on another of several equally wrong voxels; bare image and start may not differ.
    for a, b in zip(one[:2], other[:2], strict=True):
        assert np.abs(a - b).max() <= 2


def test_empty_masks_and_t2_alone_are_drawn_too(tmp_path):
    case = Case(None, ball_case().t2)
    empty = np.zeros(SHAPE, bool)
    bare, start = drawn(tmp_path / "case.png", case, ball(), rounds_of(case, ball(), empty, 0))
    assert count(bare, GREEN) == 0
    assert count(start, GREEN) > 100
    assert count(start, ORANGE) == 0


def test_tumour_stays_in_sight_where_the_mask_is_another_thing_far_away(tmp_path):
    wide = Grid((24, 64, 160), AXIAL)
    truth = ball(wide)
    missed = np.roll(truth, 106, axis=2)  # 80 mm
    case = ball_case(wide)
    _, start = drawn(tmp_path / "case.png", case, truth, rounds_of(case, truth, missed, 0))
    assert count(start, GREEN) > 100
    # No whole head: the mask there is out of sight.
    assert count(start, ORANGE) == 0


def test_picture_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(StorageError, match="missing"):
        save_progress(
            tmp_path / "missing" / "case.png",
            ball_case(),
            ball(),
            rounds_of(ball_case(), ball(), ball(), 0),
            "T",
        )
