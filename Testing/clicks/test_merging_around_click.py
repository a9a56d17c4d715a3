"""The merge by which a boundary click moves only as much of the border as it asks for."""

import numpy as np
import pytest
from any_grid import all_ras
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.merging import Proposal, merge_progressive
from VSClickCorrectLib.geometry.grid import Grid


@pytest.mark.parametrize("grown", [True, False])
@pytest.mark.parametrize(
    "off, threshold, probability, further",
    [
        (0.0, 0.5, 0.89, 0.0),
        (1.0, 0.5, 0.89, 2.0),
        (2.0, 0.5, 0.89, 8.0),
        (2.5, 0.5, 0.89, 12.5),
        (1.0, 0.5, 0.91, None),
        # A fifth of the way from the threshold to certainty is left, whatever the threshold.
        (1.0, 0.7, 0.93, 2.0),
        (1.0, 0.7, 0.95, None),
        (1.0, 0.3, 0.85, 2.0),
        (1.0, 0.3, 0.87, None),
    ],
)
def test_a_boundary_click_moves_as_much_of_the_border_as_it_asks_for_and_what_is_certain(
    grown, off, threshold, probability, further
):
    # A square of 6 mm, or of 12, that the network would move by 3 mm on all sides. Circles as large as these
    # have radii of 3.39 and 6.77 mm; ``further`` is what holds for 4 mm.
    grid = Grid((1, 40, 40), np.eye(4))
    small, large = np.zeros((2, *grid.shape), bool)
    small[:, 17:23, 17:23] = large[:, 14:26, 14:26] = True
    current, wished, at = (small, large, 22 + off) if grown else (large, small, 25 - off)
    size = np.sqrt(current.sum() / np.pi) / 4
    # What is no tumour is as certain as what is one.
    said = np.where(small, 1.0, np.where(large, probability if grown else 1 - probability, 0.0))
    level = threshold if grown else 1 - threshold
    click = Click((at, 20.0, 0.0))
    result = merge_progressive(
        grid, grid.box, current, [Proposal(click, grid.box, said.astype(np.float32), level)]
    )
    near = np.linalg.norm(all_ras(grid) - click.position_ras, axis=-1) <= (
        99 if further is None else 1 + size * further
    )
    assert np.array_equal(result, np.where(near, wished, current))


@pytest.mark.parametrize("empty", [False, True])
def test_how_much_a_click_asks_for_is_seen_in_its_own_slice(empty):
    # The click lies 3 mm outside its slice's outline, or there is none; that of the next slice is 1 mm away.
    grid = Grid((2, 40, 40), np.eye(4))
    wished = np.zeros(grid.shape, bool)
    wished[:, 14:26, 14:26] = True
    current = wished.copy()
    current[0] = False
    current[0, 17:23, 17:23] = not empty
    said = np.where(current, 1.0, np.where(wished, 0.89, 0.0)).astype(np.float32)
    result = merge_progressive(grid, grid.box, current, [Proposal(Click((25.0, 20.0, 0.0)), grid.box, said)])
    assert np.array_equal(result, wished)


@pytest.mark.parametrize(
    ("off", "insists", "all_of_it"), [(5, False, True), (7, False, False), (7, True, True)]
)
@pytest.mark.parametrize("beside", [False, True])
def test_far_from_the_mask_a_boundary_click_brings_what_is_certain_alone_unless_it_insists(
    off, insists, all_of_it, beside
):
    # The mask ends at column 12, in the click's slice or in the next. From the click on something is seen, of
    # which one voxel is certain.
    grid = Grid((2, 40, 40), np.eye(4))
    current = np.zeros(grid.shape, bool)
    current[int(beside), 10:30, 2:13] = True
    at = 12 + off
    said = np.where(current, 1.0, 0.0)
    said[0, 18:23, at : at + 8] = 0.89
    said[0, 19, at] = 0.95
    click = Click((float(at), 20.0, 0.0))
    insisted = np.zeros(grid.shape, bool) if insists else None
    proposal = Proposal(click, grid.box, said.astype(np.float32), insisted=insisted)
    result = merge_progressive(grid, grid.box, current, [proposal])
    assert np.array_equal(result, current | (said >= (0.5 if all_of_it else 0.9)))


def test_where_there_is_no_mask_a_boundary_click_brings_all_that_is_proposed():
    grid = Grid((2, 40, 40), np.eye(4))
    said = np.full(grid.shape, 0.1, np.float32)
    said[:, 14:26, 14:26] = 0.6
    result = merge_progressive(
        grid,
        grid.box,
        np.zeros(grid.shape, bool),
        [Proposal(Click((25.0, 20.0, 0.0)), grid.box, said)],
    )
    assert np.array_equal(result, said >= 0.5)
