"""Grids of any orientation for property tests, and an axial order found by trying all there are."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import SimpleITK as sitk
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from VSClickCorrectLib.geometry.grid import Grid

SUPERIOR_POSTERIOR_LEFT = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])
ANTERIOR_SUPERIOR_LEFT = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
LEFT_SUPERIOR_POSTERIOR = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


SIGNED_PERMUTATIONS = [
    np.eye(3)[:, axes] * signs for axes in permutations(range(3)) for signs in product((1, -1), repeat=3)
]
_ORDERS = [
    tuple(zip(axes, signs, strict=True))
    for axes in permutations(range(3))
    for signs in product((1, -1), repeat=3)
]
SIDES = st.integers(3, 9)
SPACINGS = st.floats(0.2, 6.0)


@st.composite
def grids(draw, sides=SIDES, spacings=SPACINGS, tilt=180):
    """Grids with permuted, flipped and tilted axes, left-handed ones too; ``tilt`` in degrees at most."""
    signed = draw(st.sampled_from(SIGNED_PERMUTATIONS))
    # Never 45 degrees, where two axial orders are equally good.
    angles = [
        draw(st.just(0.0) | st.integers(-tilt, tilt - 1).map(lambda angle: angle + 0.137)) for _ in range(3)
    ]
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ signed
    affine[:3, :3] *= [draw(spacings) for _ in range(3)]
    affine[:3, 3] = [draw(st.floats(-200.0, 200.0)) for _ in range(3)]
    return Grid(tuple(draw(sides) for _ in range(3)), affine)


def all_ras(grid: Grid) -> np.ndarray:
    """RAS mm of every voxel by a plain product with the affine, shape (K, J, I, 3)."""
    k, j, i = np.indices(grid.shape)
    return (np.stack([i, j, k, np.ones_like(i)], axis=-1) @ np.asarray(grid.affine).T)[..., :3]


def axial_axes(grid: Grid, wanted: np.ndarray = SUPERIOR_POSTERIOR_LEFT) -> list[tuple[int, int]]:
    """(array axis, sign) along superior, posterior, left: the best of all 48 signed permutations."""
    steps = (grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)).T[::-1]  # unit steps k, j, i
    along = (wanted @ steps.T).tolist()  # how far each step goes in each direction
    return list(
        max(_ORDERS, key=lambda order: sum(sign * along[n][axis] for n, (axis, sign) in enumerate(order)))
    )


def slice_axes(grid: Grid) -> list[tuple[int, int]]:
    """The same of slices as they were acquired: across the thickest side of a voxel, where one is by far."""
    axial = axial_axes(grid)
    sizes = [np.linalg.norm(grid.affine[:3, 2 - axis]) for axis, _ in axial]
    for side, wanted in ((1, ANTERIOR_SUPERIOR_LEFT), (2, LEFT_SUPERIOR_POSTERIOR)):
        if all(sizes[side] >= 1.15 * size for n, size in enumerate(sizes) if n != side):
            return axial_axes(grid, wanted)
    return axial


def axial_steps(grid: Grid) -> np.ndarray:
    """Unit vectors in RAS of one step along slices, rows and columns, as rows of (3, 3)."""
    return _steps(grid, axial_axes(grid))


def slice_steps(grid: Grid) -> np.ndarray:
    """The same of slices as they were acquired."""
    return _steps(grid, slice_axes(grid))


def _steps(grid: Grid, axes: list[tuple[int, int]]) -> np.ndarray:
    steps = (grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)).T[::-1]
    return np.array([sign * steps[axis] for axis, sign in axes])


def itk_image(array: np.ndarray, grid: Grid) -> sitk.Image:
    """An ITK image whose geometry is set by hand: LPS is RAS with the first two signs turned."""
    lps = np.diag([-1.0, -1.0, 1.0]) @ grid.affine[:3]
    spacing = np.linalg.norm(lps[:, :3], axis=0)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(lps[:, 3].tolist())
    image.SetDirection((lps[:, :3] / spacing).ravel().tolist())
    return image
