"""A threshold of one's own, and fewer slices."""

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.session.adjusted import AdjustedCorrector

CLICK = Click((4.0, 4.0, 12.0))
BOX = Box((1, 2, 2), (9, 7, 7))


class Ramp:
    """Says of every voxel the number of its slice, in tenths."""

    identity = "ramp@1"

    def propose(self, case, mask, clicks):
        probability = np.broadcast_to(np.arange(1, 9)[:, None, None] / 10, BOX.shape).astype(np.float32)
        return [Proposal(click, BOX, probability, 0.5) for click in clicks]


@pytest.fixture
def case():
    """Ten slices of 2 mm upward; the click lies in slice 6."""
    grid = Grid((10, 9, 9), np.diag([1.0, 1.0, 2.0, 1.0]))
    return Case(Volume(np.zeros(grid.shape, np.float32), grid), None)


def proposed(case, **settings):
    (proposal,) = AdjustedCorrector(Ramp(), **settings).propose(case, None, [CLICK])
    return proposal


def test_threshold_takes_the_place_of_the_models(case):
    proposal = proposed(case, threshold=0.75)
    assert proposal.values[:, 0, 0].tolist() == [False] * 7 + [True]


@pytest.mark.parametrize(("carry", "slices"), [(0, (6, 7)), (1, (5, 8)), (2, (4, 9)), (9, (1, 9))])
def test_slices_beyond_the_carry_are_left_out(case, carry, slices):
    proposal = proposed(case, carry=carry)
    assert (proposal.box.start[0], proposal.box.stop[0]) == slices
    assert proposal.box.start[1:] == BOX.start[1:]
    np.testing.assert_allclose(proposal.probability[:, 0, 0], np.arange(*slices) / 10)


@pytest.mark.parametrize(("thick", "box"), [(2.0, ((1, 4, 2), (9, 5, 7))), (4.0, ((6, 2, 2), (7, 7, 7)))])
def test_carry_follows_the_slices_of_a_sagittal_stack(thick, box):
    """Slices to the right, the array's first axis, are axial ones, its second, where they are not thicker."""
    affine = np.array([[0, 0, thick, 0], [1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 1]])
    grid = Grid((10, 9, 9), affine)
    sagittal = Case(Volume(np.zeros(grid.shape, np.float32), grid), None)
    click = Click((6 * thick, 4.0, 8.0))
    (proposal,) = AdjustedCorrector(Ramp(), carry=0).propose(sagittal, None, [click])
    assert proposal.box == Box(*box)


def test_nothing_is_changed_unless_asked(case):
    proposal = proposed(case)
    assert (proposal.box, proposal.threshold) == (BOX, 0.5)


@pytest.mark.parametrize(
    ("settings", "identity"),
    [
        ({}, "ramp@1"),
        ({"threshold": 0.75}, "ramp@1, threshold 0.75"),
        ({"threshold": 0.6, "carry": 0}, "ramp@1, threshold 0.6, carry 0"),
    ],
)
def test_journal_is_told_what_was_adjusted(settings, identity):
    assert AdjustedCorrector(Ramp(), **settings).identity == identity
