"""What the corrector says at a boundary click, averaged with what it says at the border around it."""

from dataclasses import replace

import numpy as np
import pytest
from bright_ball import CENTER, GRID, RADIUS_MM, ball, ball_case, dice, world
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask, slice_border
from VSClickCorrectLib.clicks.merging import BLEND_MM, Proposal
from VSClickCorrectLib.clicks.patches import PatchGeometry, patch_grid
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import index3
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference import sharpening
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.sharpening import seen_from_around

R, A, S = CENTER
EDGE = Click((R + RADIUS_MM, A, S))
PLACE = np.array(EDGE.position_ras)


class Told:
    """Says the same at every click, and keeps what it was asked."""

    def __init__(self, said):
        self.said, self.asked = said, []

    def see(self, case, mask, clicks, narrower=False):
        assert narrower
        self.asked.append((mask.read(GRID.box), list(clicks)))
        return [Proposal(click, GRID.box, self.said.astype(np.float32)) for click in clicks]


def proposal(probability, click=EDGE):
    return Proposal(click, GRID.box, probability.astype(np.float32))


def test_three_places_of_the_border_that_is_wished_for_are_asked_too():
    corrector, mask = Told(ball()), ArrayMask(GRID, ball(radius=5.0))
    seen_from_around(corrector, ball_case(), mask, [proposal(ball())])
    ((moved, clicks),) = corrector.asked
    assert len(clicks) == 3 and all(click.kind is ClickKind.BOUNDARY for click in clicks)
    voxels = [GRID.ras_to_index(click.position_ras) for click in clicks]
    # The mask has grown to where the click is, and the places lie on the border that it has there.
    assert dice(moved, ball()) > dice(mask.values, ball())
    assert all(slice_border(moved, 0)[voxel] for voxel in voxels)
    places = np.array([click.position_ras for click in clicks])
    assert (np.linalg.norm(places - PLACE, axis=1) <= 4.0 + 1e-3).all()
    # The first lies farthest from the click, each other one farthest from those before.
    border = world(GRID)[slice_border(moved, 0)]
    near = border[np.linalg.norm(border - PLACE, axis=1) <= 4.0]
    taken = [PLACE]
    for place in places:
        away = np.min([np.linalg.norm(near - one, axis=1) for one in taken], axis=0)
        assert min(np.linalg.norm(place - one) for one in taken) == pytest.approx(away.max(), abs=1e-3)
        taken.append(place)
    # The mask itself is not written.
    assert np.array_equal(mask.values, ball(radius=5.0))


def test_what_is_said_is_averaged_by_the_distance_to_each_place():
    corrector, mask = Told(np.full(GRID.shape, 0.2)), ArrayMask(GRID, ball())
    (found,) = seen_from_around(corrector, ball_case(), mask, [proposal(np.where(ball(), 0.9, 0.4))])
    places = [EDGE, *corrector.asked[0][1]]
    own, *others = (
        np.exp(-2 * (np.linalg.norm(world(GRID) - one.position_ras, axis=-1) / BLEND_MM) ** 2)
        for one in places
    )
    expected = (np.where(ball(), 0.9, 0.4) * own + 0.2 * sum(others)) / (own + sum(others))
    assert found.click == EDGE and found.box == GRID.box and found.threshold == 0.5
    np.testing.assert_allclose(found.probability, expected, atol=1e-5)


class Looking:
    """Looks at the mask where a corrector's cuts would, around each place."""

    def __init__(self, geometry):
        self.geometry, self.seen = geometry, []

    def see(self, case, mask, clicks, narrower=False):
        assert narrower
        windows = [patch_grid(case.grid, click, self.geometry) for click in clicks]
        self.seen += [(window.source_box, mask.read(window.source_box)) for window in windows]
        return [
            Proposal(c, w.box, np.zeros(w.box.shape, np.float32))
            for c, w in zip(clicks, windows, strict=True)
        ]


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 2.0), (1.0, 1.0, 1.0), (0.8, 0.8, 4.0), (0.5, 0.5, 6.5)])
@pytest.mark.parametrize("slices", [1, 5])
def test_cuts_around_the_places_see_all_of_a_large_mask(spacing, slices):
    """Half of the image is mask: its border runs through the click, and on beyond every cut."""
    grid = Grid((20, 128, 128), np.diag([*spacing, 1.0]))
    mask = np.zeros(grid.shape, bool)
    mask[:, :64] = True
    click = Click(tuple(map(float, grid.index_to_ras(np.array((10, 63, 64))))))
    geometry = PatchGeometry(48, 0.6, slices, 1.5, True)
    window = patch_grid(grid, click, geometry)
    said = Proposal(click, window.box, mask[window.box.slices].astype(np.float32))
    looking = Looking(geometry)
    case = Case(Volume(np.zeros(grid.shape, np.int16), grid), None)
    (found,) = seen_from_around(looking, case, ArrayMask(grid, mask), [said])
    assert len(looking.seen) == 3
    for box, values in looking.seen:
        assert np.array_equal(values, mask[box.slices])
    # Of one slice each: what other slices' cuts say is no part of the average.
    assert np.isfinite(found.probability).all() and found.box == window.box


@pytest.mark.parametrize("seed", range(40))
def test_what_is_moved_stands_in_the_mask_wherever_it_is_read(seed):
    rng = np.random.default_rng(seed)
    mask, whole = ArrayMask(GRID, rng.random(GRID.shape) < 0.5), ArrayMask(GRID)
    starts, sides = rng.integers(0, 12, (2, 3)), rng.integers(1, 12, (2, 3))
    box, read = (Box(*map(index3, (start, start + side))) for start, side in zip(starts, sides, strict=True))
    values, before = rng.random(box.shape) < 0.5, mask.values.copy()
    whole.write(GRID.box, mask.values)
    whole.write(box, values)
    assert np.array_equal(sharpening._Moved(mask, box, values).read(read), whole.read(read))
    assert np.array_equal(mask.values, before)


def test_clicks_that_are_applied_together_are_seen_on_one_mask_in_one_batch():
    corrector, mask = Told(ball(radius=6.0)), ArrayMask(GRID, ball(radius=5.0))
    other = Click((R - RADIUS_MM, A, S))
    includes = replace(EDGE, kind=ClickKind.INCLUDE)
    together = [proposal(ball(), click) for click in (EDGE, includes, other)]
    found = seen_from_around(corrector, ball_case(), mask, together)
    assert [one.click for one in found] == [one.click for one in together]
    ((moved, clicks),) = corrector.asked
    assert all(moved[GRID.ras_to_index((R + side * (RADIUS_MM - 1), A, S))] for side in (-1, 1))
    # Each proposal is averaged with what is said near its own click.
    assert all(click.position_ras[0] > R for click in clicks[:3])
    assert all(click.position_ras[0] < R for click in clicks[3:]) and len(clicks) == 6
    assert found[1] is together[1]
    said, rim = ball(radius=6.0), ball() & ~ball(radius=6.0)
    for one in (found[0], found[2]):
        assert (one.probability[rim] < 1).all() and np.allclose(one.probability[said], 1, atol=1e-5)


def test_a_click_at_the_end_of_the_image_is_seen_from_inside_it():
    corner = GRID.index_to_ras(np.array((0, 0, 0)))
    mask = np.linalg.norm(world(GRID) - corner, axis=-1) <= 8
    click = Click(tuple(map(float, GRID.index_to_ras(np.array((0, 0, 10))))))
    corrector = Told(mask)
    (found,) = seen_from_around(corrector, ball_case(), ArrayMask(GRID, mask), [proposal(mask, click)])
    assert np.array_equal(found.values, mask)
    voxels = [Box.of_voxel(GRID.ras_to_index(place.position_ras)) for place in corrector.asked[0][1]]
    assert len(voxels) == 3 and all(GRID.box.contains(voxel) for voxel in voxels)


def test_include_and_exclude_clicks_are_left_as_they_are():
    corrector, mask = Told(ball()), ArrayMask(GRID, ball())
    others = [proposal(ball(), replace(EDGE, kind=kind)) for kind in (ClickKind.INCLUDE, ClickKind.EXCLUDE)]
    assert seen_from_around(corrector, ball_case(), mask, others) == others
    assert not corrector.asked
    first, edge, last = seen_from_around(
        corrector, ball_case(), mask, [others[0], proposal(ball()), others[1]]
    )
    assert [first, last] == others and edge.click == EDGE
    assert len(corrector.asked) == 1


def test_where_no_border_is_wished_for_near_the_click_nothing_more_is_asked():
    corrector = Told(ball())
    nothing = [proposal(np.zeros(GRID.shape))]
    assert seen_from_around(corrector, ball_case(), ArrayMask(GRID), nothing) == nothing
    assert not corrector.asked


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_it_is_the_same_however_the_array_lies(bright_models, axis):
    corrector = Corrector.load(ModelFolder(bright_models), None, "cpu")
    affine = GRID.affine.copy()
    affine[:3, 3] += affine[:3, 2 - axis] * (GRID.shape[axis] - 1)
    affine[:3, 2 - axis] *= -1
    grid, mask = Grid(GRID.shape, affine), ball(radius=5.0)
    flipped = Case(*(Volume(np.flip(v.array, axis), grid) for v in (ball_case().t1ce, ball_case().t2)))
    (there,) = corrector.propose(ball_case(), ArrayMask(GRID, mask), [EDGE])
    (found,) = corrector.propose(flipped, ArrayMask(grid, np.flip(mask, axis)), [EDGE])
    assert found.box.shape == there.box.shape
    np.testing.assert_allclose(np.flip(found.probability, axis), there.probability, atol=1e-4)
    # It is no longer what is seen at the click alone.
    (alone,) = corrector.see(ball_case(), ArrayMask(GRID, mask), [EDGE])
    assert np.abs(alone.probability - there.probability).max() > 1e-3
