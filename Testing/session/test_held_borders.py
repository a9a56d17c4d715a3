"""What earlier boundary clicks have set stays where it is near to them, and nearer than to new ones."""

import numpy as np
import pytest
from any_grid import all_ras
from scipy.spatial.transform import Rotation
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.session.click_rules import ClickRules

BOUNDARY = ClickKind.BOUNDARY


def held(grid, mask, current, result, standing, clicks):
    """Voxel by voxel, as the rule is told: 5 mm, and nearer than to any new click."""
    across = grid.slice_order().axes[0]

    def at_border(click):
        k = grid.ras_to_index(click.position_ras)
        around = [slice(n + 1, n + 2) if a == across else slice(n, n + 3) for a, n in enumerate(k)]
        # Beyond the image there is background.
        values = np.pad(mask, 1)[tuple(around)]
        return values.any() and not values.all()

    def nearest(some):
        away = [np.linalg.norm(all_ras(grid) - one.position_ras, axis=-1) for one in some]
        return np.min(away, axis=0) if away else np.full(grid.shape, np.inf)

    borders = [one for one in clicks if one.kind is BOUNDARY]
    if not borders:
        return result
    old = nearest([one for one in standing if one.kind is BOUNDARY and at_border(one)])
    new, part = nearest(borders), nearest([one for one in clicks if one.kind is not BOUNDARY])
    return np.where((old <= 5.0 + 1e-3) & (old < new - 1e-3) & (new < part - 1e-3), current, result)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_held_is_what_the_rule_says_of_each_voxel(seed):
    rng = np.random.default_rng(seed)
    affine = np.eye(4)
    affine[:3, :3] = Rotation.random(random_state=seed).as_matrix() * rng.uniform(0.4, 3.0, 3)
    grid = Grid(tuple(map(int, rng.integers(3, 14, 3))), affine)
    mask = ArrayMask(grid, rng.random(grid.shape) < 0.5)

    def clicked(count):
        places = grid.index_to_ras(np.transpose([rng.integers(n, size=count) for n in grid.shape]))
        return [Click(tuple(map(float, place)), list(ClickKind)[rng.integers(3)]) for place in places]

    standing, clicks = clicked(rng.integers(0, 10)), clicked(rng.integers(1, 4))
    result = mask.values ^ (rng.random(grid.shape) < rng.choice([0.0, 0.1, 0.5]))
    case = Case(Volume(np.zeros(grid.shape, np.int16), grid), None)
    rules = ClickRules(case, mask, lambda click: grid.ras_to_index(click.position_ras), standing)
    expected = held(grid, mask.values, mask.values, result, standing, clicks)
    rules._hold_borders(result, mask.values, grid.box, clicks)
    assert np.array_equal(result, expected)


@pytest.mark.parametrize(("away", "stays"), [(5.0, True), (5.5, False)])
def test_borders_are_held_up_to_five_millimetres_away(away, stays):
    grid = Grid((1, 3, 60), np.diag([0.5, 0.5, 3.0, 1.0]))
    current = np.zeros(grid.shape, bool)
    current[..., :21] = True
    result = current.copy()
    voxel = (0, 1, 20 + round(away / 0.5))
    result[voxel] = True
    case = Case(Volume(np.zeros(grid.shape, np.int16), grid), None)
    standing = [Click((10.0, 0.5, 0.0))]
    rules = ClickRules(case, ArrayMask(grid, current), lambda c: grid.ras_to_index(c.position_ras), standing)
    rules._hold_borders(result, current, grid.box, [Click((29.0, 0.5, 0.0))])
    assert result[voxel] != stays
