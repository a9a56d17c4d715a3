"""Pictures: what is drawn on them, seen in their pixels."""

from importlib.util import find_spec

import numpy as np
import pytest
from bright_ball import AXIAL, CENTER, GRID, SHAPE, ball, ball_case
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import StorageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.measure.measurements import measure

if find_spec("matplotlib") is None:
    pytest.skip("pictures need matplotlib", allow_module_level=True)

from VSClickCorrectResearch.evaluation.pictures import save_picture

ORANGE, BLUE, GREEN, YELLOW = (0xE6, 0x9F, 0), (0x56, 0xB4, 0xE9), (0, 0x9E, 0x73), (0xF0, 0xE4, 0x42)
# Height of the legend's strip at the bottom, as a share.
LEGEND = 0.06


T1CE = Case(ball_case().t1ce)


def drawn(tmp_path, case=None, masks=None, clicks=()):
    """Save a picture and return its pixels, 0 to 255, ``(rows, columns, 3)``, without the legend."""
    from matplotlib.image import imread

    path = tmp_path / "picture.png"
    save_picture(
        path, case or T1CE, {"mask": ball_of([11, 12])} if masks is None else masks, list(clicks), "Title"
    )
    assert list(tmp_path.iterdir()) == [path]
    pixels = np.round(imread(path)[..., :3] * 255).astype(int)
    return pixels[: int(len(pixels) * (1 - LEGEND))]


def count(pixels, colour):
    return int((np.abs(pixels - colour).max(axis=-1) < 30).sum())


def ball_of(slices):
    """The ball in some slices only."""
    values = np.zeros(SHAPE, bool)
    values[slices] = ball()[slices]
    return values


def test_picture_shows_each_mask_in_its_colour_and_no_other(tmp_path):
    pixels = drawn(tmp_path)
    assert count(pixels, ORANGE) > 300
    assert count(pixels, BLUE) == count(pixels, GREEN) == count(pixels, YELLOW) == 0
    one = np.arange(SHAPE[0])[:, None, None] == 12
    pixels = drawn(
        tmp_path,
        masks={"truth": ball_of([12]), "before": ball(radius=5.0) & one, "mask": ball(radius=3.0) & one},
    )
    assert min(count(pixels, colour) for colour in (ORANGE, BLUE, GREEN)) > 100


def test_slices_have_the_numbers_that_measurements_give_them(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    titles = []
    monkeypatch.setattr(Axes, "set_title", lambda self, text, **_: titles.append(text))
    drawn(tmp_path)
    # Slices 11 and 12 of the array, which begins at the bottom.
    assert titles == ["T1ce, slice 12", "T1ce, slice 13"]
    mask = ball_of([11, 12])
    assert measure(GRID, GRID.box, mask).slices == (12, 13)


def test_click_is_drawn_on_its_slice_only(tmp_path):
    # Slices 11 and 12 are shown, 1.5 mm apart.
    shown = Click((CENTER[0], CENTER[1], 11 * 1.5))
    hidden = Click((CENTER[0], CENTER[1], 10 * 1.5))
    assert count(drawn(tmp_path, clicks=[shown]), YELLOW) > 10
    assert count(drawn(tmp_path, clicks=[hidden]), YELLOW) == 0


@pytest.mark.parametrize("kind", ClickKind)
def test_every_kind_of_click_has_a_marker(tmp_path, kind):
    assert count(drawn(tmp_path, clicks=[Click(CENTER, kind)]), YELLOW) > 2


def test_picture_has_a_row_for_each_sequence(tmp_path):
    case = ball_case()
    both = drawn(tmp_path, case)
    one = drawn(tmp_path)
    assert one.shape[1] == both.shape[1]
    assert one.shape[0] < 0.7 * both.shape[0]
    assert drawn(tmp_path, Case(None, case.t2)).shape == one.shape


def test_picture_is_as_wide_as_the_mask_has_slices_up_to_six(tmp_path):
    widths = [
        drawn(tmp_path, masks={"mask": ball_of(part)}).shape[1] for part in ([12], [11, 12], range(8, 17))
    ]
    assert widths[1] == pytest.approx(2 * widths[0], abs=2)
    assert widths[2] == pytest.approx(6 * widths[0], abs=6)


def test_empty_masks_still_make_a_picture(tmp_path):
    pixels = drawn(tmp_path, masks={"mask": np.zeros(SHAPE, bool), "truth": np.zeros(SHAPE, bool)})
    assert count(pixels, ORANGE) == count(pixels, GREEN) == 0


def test_mask_that_fills_the_image_still_makes_a_picture(tmp_path):
    drawn(tmp_path, masks={"mask": np.ones(SHAPE, bool)})


def test_front_of_the_head_is_up_and_the_patients_right_on_the_left(tmp_path):
    # The mask lies right and in front of a click; the view is centred on the mask.
    right_front = ball(center=(CENTER[0] + 8, CENTER[1] + 8, CENTER[2]), radius=3.0)
    right_front[np.arange(SHAPE[0]) != 12] = False
    for grid, masks in ((GRID, right_front), turned_over(right_front)):
        case = T1CE if grid is GRID else Case(Volume(T1CE.t1ce.array[:, ::-1, ::-1], grid))
        row = drawn(tmp_path, case, {"mask": masks}, [Click(CENTER)])
        outline, click = (
            np.argwhere(np.abs(row - c).max(axis=-1) < 30).mean(axis=0) for c in (ORANGE, YELLOW)
        )
        assert outline[0] < click[0]
        assert outline[1] < click[1]


def turned_over(values):
    """The same mask on a grid whose rows and columns run the other way."""
    affine = AXIAL.copy()
    affine[:3, :2] *= -1
    affine[:3, 3] = AXIAL[:3, 3] + AXIAL[:3, 0] * (SHAPE[2] - 1) + AXIAL[:3, 1] * (SHAPE[1] - 1)
    return Grid(SHAPE, affine), values[:, ::-1, ::-1]


def test_picture_that_cannot_be_written_is_refused_and_leaves_nothing(tmp_path):
    (tmp_path / "picture.png").mkdir()
    for place in ("picture.png", "missing/picture.png"):
        with pytest.raises(StorageError, match=place.split("/")[0]):
            save_picture(tmp_path / place, T1CE, {"mask": ball_of([12])}, [], "Title")
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]
