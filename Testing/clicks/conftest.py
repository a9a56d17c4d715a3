"""A grid as most scanners write it."""

import numpy as np
import pytest
from VSClickCorrectLib.geometry.grid import Grid

SHAPE = (12, 40, 40)


@pytest.fixture(scope="session")
def grid():
    """Voxel (k, j, i) lies at R -i, A -j, S 2k mm: 1 × 1 × 2 mm, axial."""
    return Grid(SHAPE, np.diag([-1.0, -1.0, 2.0, 1.0]))
