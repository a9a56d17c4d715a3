"""Correctors without a network, and small cases, for the tests of sessions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from any_grid import slice_axes
from hypothesis import strategies as st
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.clicks.patches import PatchGeometry, patch_grid
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume

BOUNDARY, INCLUDE, EXCLUDE = ClickKind.BOUNDARY, ClickKind.INCLUDE, ClickKind.EXCLUDE


class OracleCorrector:
    """Knows the truth and proposes it through the window of a real cut."""

    identity = "oracle@000000000000"

    def __init__(self, truth, geometry=None):
        self.truth = np.asarray(truth, bool)
        self.geometry = geometry or PatchGeometry(slices=5)
        self.asked = []

    def propose(self, case, mask, clicks):
        self.asked.append(tuple(clicks))
        return [self._proposal(case.grid, click) for click in clicks]

    def _proposal(self, grid, click):
        window = patch_grid(grid, click, self.geometry)
        samples = window.resample(self.truth[window.source_box.slices])
        return Proposal(click, window.box, window.resample_back(samples))


class ContraryCorrector:
    """Says the opposite of the click: nothing for an include click, everything for an exclude click.

    For a boundary click it turns the mask inside out.
    """

    identity = "contrary@000000000000"

    def __init__(self, geometry=None):
        self.geometry = geometry or PatchGeometry(size=24, slices=3)

    def propose(self, case, mask, clicks):
        return [self._proposal(case.grid, mask, click) for click in clicks]

    def _proposal(self, grid, mask, click):
        box = patch_grid(grid, click, self.geometry).box
        said = {INCLUDE: np.zeros(box.shape), EXCLUDE: np.ones(box.shape), BOUNDARY: ~mask.read(box)}
        return Proposal(click, box, said[click.kind].astype(np.float32))


class GuessingCorrector:
    """Says something else at every click."""

    identity = "guessing@000000000000"

    def __init__(self, geometry, seed):
        self.oracle = OracleCorrector(np.zeros((1, 1, 1)), geometry)
        self.rng = np.random.default_rng(seed)

    def propose(self, case, mask, clicks):
        self.oracle.truth = np.zeros(case.grid.shape, bool)
        proposals = self.oracle.propose(case, mask, clicks)
        return [Proposal(p.click, p.box, self.rng.random(p.box.shape, np.float32)) for p in proposals]


class BlockCorrector:
    """Has one opinion of every voxel, and gives it in a block of whole voxels around the click."""

    identity = "block@000000000000"

    def __init__(self, opinion, half=(1, 5, 5)):
        self.opinion = np.asarray(opinion, bool)
        self.half = half

    def propose(self, case, mask, clicks):
        return [self._proposal(case.grid, click) for click in clicks]

    def _proposal(self, grid, click):
        box = Box.of_voxel(grid.ras_to_index(click.position_ras)).padded(self.half).clipped(grid.shape)
        return Proposal(click, box, self.opinion[box.slices].astype(np.float32))


def case_on(grid):
    """A case of which the correctors here see nothing but the grid."""
    return Case(Volume(np.zeros(grid.shape, np.int16), grid))


def click_at(grid, index, kind=BOUNDARY):
    """A click at the centre of the voxel (k, j, i)."""
    return Click(tuple(float(v) for v in grid.index_to_ras(index)), kind)


def in_slice(grid, click):
    """A click as it is meant: in the middle of the slice that holds it."""
    across = 2 - slice_axes(grid)[0][0]
    ijk = np.linalg.solve(grid.affine, [*click.position_ras, 1.0])[:3]
    last = grid.shape[2 - across] - 1
    ijk[across] = min(np.floor(ijk[across] + 0.5 + 1e-6), last)
    return replace(click, position_ras=tuple(grid.affine[:3, :3] @ ijk + grid.affine[:3, 3]))


def lacks_border(grid, mask, click, seen=False):
    """Whether a boundary click is refused: all voxels within 14.4 mm are background, or all are mask.

    What lies outside the image is background. An empty mask refuses none, and background is none where a
    tumour is seen at the click.
    """
    if click.kind is not BOUNDARY or not mask.any():
        return False
    near = values_within(grid, mask, in_slice(grid, click), 14.4)
    return bool(near.all()) or not (seen or near.any())


def values_within(grid, mask, click, millimetres):
    """The mask's voxels up to a distance from a click, and background for those around the image."""
    padded = np.pad(mask, 1)
    away = np.indices(padded.shape)[::-1].reshape(3, -1).T - 1.0
    ras = away @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    return padded.ravel()[np.linalg.norm(ras - click.position_ras, axis=1) <= millimetres]


def with_blocks(shape, *blocks):
    """An array in which the voxels of the given slices are set."""
    values = np.zeros(shape, bool)
    for block in blocks:
        values[tuple(slice(*ends) for ends in block)] = True
    return values


@st.composite
def grids(draw, largest=(8, 16, 16)):
    """Grids of any orientation, isotropic or not, in the axes of the body or oblique."""
    shape = tuple(draw(st.integers(2, n)) for n in largest)
    columns = np.eye(3)[list(draw(st.permutations(range(3))))] * [
        draw(st.sampled_from((-1, 1))) for _ in range(3)
    ]
    # The angle of the 3-4-5 triangle keeps numbers exact enough to reason about.
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) if draw(st.booleans()) else np.eye(3)
    spacing = [draw(st.sampled_from((0.5, 0.75, 1.0, 1.5, 3.0))) for _ in range(3)]
    affine = np.eye(4)
    affine[:3, :3] = turn @ columns * spacing
    affine[:3, 3] = draw(st.sampled_from((0.0, -20.0, 7.5)))
    return Grid(shape, affine)


@st.composite
def points(draw, grid):
    """Points anywhere in a grid, RAS mm, also at the very rim of its outermost voxels and between voxels."""
    ijk = [draw(st.integers(-4, 8 * n - 5)) / 8 for n in grid.shape[::-1]]
    return tuple(float(v) for v in grid.ijk_to_ras(ijk))


def clicks_in(grid):
    """Clicks of any kind anywhere in a grid."""
    return st.builds(Click, points(grid), st.sampled_from(ClickKind))


@st.composite
def boxes_in(draw, shape):
    """Boxes of at least one voxel in an array of ``shape``."""
    ends = [sorted((draw(st.integers(0, n - 1)), draw(st.integers(0, n - 1)))) for n in shape]
    return Box(tuple(a for a, _ in ends), tuple(b + 1 for _, b in ends))


@st.composite
def masks_on(draw, grid):
    """Masks of a few boxes, sprinkled with single voxels."""
    values = np.zeros(grid.shape, bool)
    for box in draw(st.lists(boxes_in(grid.shape), max_size=3)):
        values[box.slices] = True
    share = draw(st.sampled_from((0.0, 0.02, 0.3)))
    return values ^ (np.random.default_rng(draw(st.integers(0, 99))).random(grid.shape) < share)
