"""A small head whose positions can be worked out on paper, and sessions on it."""

import numpy as np
import pytest
from session_doubles import OracleCorrector, case_on, with_blocks
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import CorrectionSession

SHAPE = (12, 40, 40)


@pytest.fixture(scope="session")
def grid():
    """Voxel (k, j, i) lies at R -i, A -j, S 2k mm: 1 × 1 × 2 mm, axial, as most scanners write it."""
    return Grid(SHAPE, np.diag([-1.0, -1.0, 2.0, 1.0]))


@pytest.fixture(scope="session")
def truth():
    """A tumour of 5 × 13 × 13 voxels."""
    return with_blocks(SHAPE, ((4, 9), (12, 25), (12, 25)))


@pytest.fixture
def session_on(grid, truth):
    """Make a session: on which mask, with which corrector (one that knows the truth if left out)."""

    def make(values=None, corrector=None, **options):
        mask = ArrayMask(grid, values)
        return CorrectionSession(case_on(grid), mask, corrector or OracleCorrector(truth), **options)

    return make
