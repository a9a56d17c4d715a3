"""Masks whose border the corrector looks over; its stand-in calls tumour what is bright."""

from dataclasses import replace

import numpy as np
import pytest
from bright_ball import CENTER, GRID, RADIUS_MM, ball, ball_case, dice, world
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import slice_border
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference import initial, sharpening
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectLib.inference.sharpening import sharpened

R, A, S = CENTER
BESIDE = (R, A + 2 * RADIUS_MM + 3, S)


@pytest.fixture(scope="module")
def corrector(bright_models):
    return Corrector.load(ModelFolder(bright_models), None, "cpu")


def on_grid(box, values, grid=GRID):
    whole = np.zeros(grid.shape, bool)
    whole[box.slices] = values
    return whole


def sharp(corrector, mask, case=None, grid=GRID):
    box = Box.of_array(mask)
    return on_grid(*sharpened(corrector, case or ball_case(grid), box, mask[box.slices]), grid)


@pytest.mark.parametrize("mask", [ball(center=(R + 2, A, S)), ball(radius=5.0), ball(radius=9.0)])
def test_the_border_comes_to_lie_where_the_corrector_sees_it(corrector, mask):
    assert dice(mask, ball()) < 0.85
    assert dice(sharp(corrector, mask), ball()) > 0.94


def test_another_tumour_beside_it_is_not_added_and_another_part_of_the_mask_stays(corrector):
    case = ball_case(GRID, CENTER, BESIDE)
    alone, both = sharp(corrector, ball(), case), sharp(corrector, ball() | ball(center=BESIDE), case)
    assert not (alone & ball(center=BESIDE)).any()
    assert dice(alone, ball()) > 0.94
    assert dice(both, ball() | ball(center=BESIDE)) > 0.94


def test_where_the_corrector_would_leave_nothing_the_mask_stays(corrector):
    muscle = ball(center=(R, A - 12, S), radius=3.0)
    assert np.array_equal(sharp(corrector, muscle), muscle)


def test_an_empty_mask_stays_empty(corrector):
    box = Box((2, 3, 4), (5, 6, 7))
    assert sharpened(corrector, ball_case(), box, np.zeros(box.shape, bool))[0] == box


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_it_is_the_same_however_the_array_lies(corrector, axis):
    affine = GRID.affine.copy()
    affine[:3, 3] += affine[:3, 2 - axis] * (GRID.shape[axis] - 1)
    affine[:3, 2 - axis] *= -1
    grid, mask = Grid(GRID.shape, affine), ball(radius=5.0)
    flipped = Case(*(Volume(np.flip(v.array, axis), grid) for v in (ball_case().t1ce, ball_case().t2)))
    found = sharp(corrector, np.flip(mask, axis), flipped, grid)
    assert np.array_equal(np.flip(found, axis), sharp(corrector, mask))


def asked_at(mask):
    box = Box.of_array(mask)
    border = slice_border(mask[box.slices], 0)
    return sharpening._far_apart(GRID, box, border, np.full(border.shape, np.inf), 16)


def test_it_is_asked_all_around_a_mask_of_any_length():
    """Voxels of a border in their order, so many apart, would all lie on one line of a cylinder."""
    points = world(GRID) - CENTER
    for slices in (5, 15, 16):
        mask = (np.hypot(points[..., 0], points[..., 1]) <= 8) & (np.abs(points[..., 2]) < 0.75 * slices)
        clicks = asked_at(mask)
        off = np.array([click.position_ras for click in clicks]) - CENTER
        assert all(click.kind is ClickKind.BOUNDARY for click in clicks)
        assert np.allclose(np.hypot(off[:, 0], off[:, 1]), 8, atol=1.1)
        border = points[mask & (np.hypot(points[..., 0], points[..., 1]) > 7)]
        away = np.linalg.norm(border[:, None] - off[None], axis=-1).min(axis=1)
        # Sixteen discs of such a radius are as large as the side; places chosen so are at most twice as far.
        assert away.max() < 2 * np.sqrt(2 * np.pi * 8 * 1.5 * slices / 16 / np.pi)


def test_a_border_of_few_voxels_is_asked_at_each_once():
    mask = np.zeros(GRID.shape, bool)
    mask[10, 20, 20:23] = True
    voxels = sorted(GRID.ras_to_index(click.position_ras) for click in asked_at(mask))
    assert voxels == [(10, 20, 20), (10, 20, 21), (10, 20, 22)]


def test_what_is_found_and_what_clicks_bring_is_sharpened_and_told_of(click_models):
    models, case = ModelFolder(click_models), ball_case()
    sees = InitialSegmenter.load(models, "cpu")
    blunt = InitialSegmenter(*sees.models)
    corrector = Corrector.load(models, None, "cpu")
    found, before = sees.segment(case), blunt.segment(case)
    assert [name.split("@")[0] for name in found.models] == ["find", "whole", "mend"]
    assert np.array_equal(found.on(GRID), sharp(corrector, before.on(GRID), case))
    click = Click(CENTER, ClickKind.INCLUDE)
    told, first = sees.propose(case, click), blunt.propose(case, click)
    assert np.array_equal(on_grid(told.box, told.values), sharp(corrector, on_grid(first.box, first.values)))
    edge = replace(click, position_ras=(R + RADIUS_MM, A, S), kind=ClickKind.BOUNDARY)
    told, first = sees.propose(case, edge), blunt.propose(case, edge)
    assert np.array_equal(on_grid(told.box, told.values), sharp(corrector, on_grid(first.box, first.values)))
    assert first.values.any()
    takes = replace(click, kind=ClickKind.EXCLUDE)
    assert np.array_equal(sees.propose(case, takes).values, blunt.propose(case, takes).values)


def test_clicks_and_the_search_share_the_corrector(click_models, bright_models):
    networks = Networks.load(ModelFolder(click_models), "cpu")
    assert networks.segmenter.corrector is networks.corrector
    # Networks that repeat the thesis's find by themselves.
    assert Networks.load(ModelFolder(bright_models), "cpu").segmenter.corrector is None


@pytest.mark.parametrize(("said", "taken"), [(9.0, True), (11.0, False), (0.0, False)])
def test_a_click_and_those_that_exclude_hold_whatever_the_corrector_says(
    click_models, monkeypatch, said, taken
):
    sees = InitialSegmenter.load(ModelFolder(click_models), "cpu")
    includes = Click(CENTER, ClickKind.INCLUDE)
    excludes = Click((R + 10, A, S), ClickKind.EXCLUDE)
    first = InitialSegmenter(*sees.models).propose(ball_case(), includes, None, [excludes])
    ball_said = ball(radius=said) if said else ball(center=BESIDE)
    monkeypatch.setattr(initial, "sharpened", lambda *_: (GRID.box, ball_said))
    told = sees.propose(ball_case(), includes, None, [excludes])
    expected = ball_said if taken else on_grid(first.box, first.values)
    assert np.array_equal(on_grid(told.box, told.values), expected)
    assert not np.array_equal(ball_said, on_grid(first.box, first.values))
