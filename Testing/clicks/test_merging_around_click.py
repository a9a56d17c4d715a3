"""The merge by which a boundary click moves only as much of the border as it asks for."""

import numpy as np
import pytest
from any_grid import all_ras
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.merging import Proposal, merge_progressive
from VSClickCorrectLib.geometry.grid import Grid


@pytest.mark.parametrize("grown", [True, False])
@pytest.mark.parametrize(
    "off, threshold, probability, around",
    [
        (0.0, 0.5, 0.89, 1.0),
        (1.0, 0.5, 0.89, 3.0),
        (2.0, 0.5, 0.89, 9.0),
        (2.5, 0.5, 0.89, 13.5),
        (1.0, 0.5, 0.91, None),
        # A fifth of the way from the threshold to certainty is left, whatever the threshold.
        (1.0, 0.7, 0.93, 3.0),
        (1.0, 0.7, 0.95, None),
        (1.0, 0.3, 0.85, 3.0),
        (1.0, 0.3, 0.87, None),
    ],
)
def test_a_boundary_click_moves_as_much_of_the_border_as_it_asks_for_and_what_is_certain(
    grown, off, threshold, probability, around
):
    # A square of 20 mm that the network would move by 3 mm on all sides; border voxels count to the tumour.
    grid = Grid((1, 40, 40), np.eye(4))
    small, large = np.zeros((2, *grid.shape), bool)
    small[:, 10:30, 10:30] = large[:, 7:33, 7:33] = True
    current, wished, at = (small, large, 29 + off) if grown else (large, small, 32 - off)
    # What is no tumour is as certain as what is one.
    said = np.where(small, 1.0, np.where(large, probability if grown else 1 - probability, 0.0))
    level = threshold if grown else 1 - threshold
    click = Click((at, 20.0, 0.0))
    result = merge_progressive(
        grid, grid.box, current, [Proposal(click, grid.box, said.astype(np.float32), level)]
    )
    near = np.linalg.norm(all_ras(grid) - click.position_ras, axis=-1) <= (around or 99)
    assert np.array_equal(result, np.where(near, wished, current))
