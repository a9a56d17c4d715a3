"""Training examples: cuts for the corrector, crops for the initial networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.patches import PatchGeometry, extract_patch, patch_grid
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.preprocessing import covering_grid, sample_sequences
from VSClickCorrectLib.geometry.slab import sample_slab, slab_grid
from VSClickCorrectLib.geometry.triples import Index3, point3
from VSClickCorrectLib.geometry.volume import ROBUST
from VSClickCorrectLib.session.correction import CorrectionSession, Proposer

from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.rounds import apply_accepted
from VSClickCorrectResearch.simulation.user import border_clicks, inside_clicks

# Of the clicks on one spoiled mask: where the error is largest, anywhere on the border, inside an error.
_ERROR_CLICKS, _BORDER_CLICKS = 4, 2
_CLICKS_A_ROUND = 5
_HAND_MM = 0.25
# Of a head that lies otherwise: deviation of its turn, range of its size's logarithm, deviation of sides'.
_TURN_DEG, _SCALE, _STRETCH = 10.0, 0.2, 0.05
# So many crops are of such heads.
TURNED = 0.7

Example = tuple[np.ndarray, ...]
# Of grid, truth and mask.
ClicksOn = Callable[[Grid, np.ndarray, np.ndarray, np.random.Generator], list[Click]]


def patch_examples(
    case: LabelledCase,
    geometry: PatchGeometry,
    start: np.ndarray,
    rng: np.random.Generator,
    making: CutMaking | None = None,
    rounds: int = 1,
    corrector: Proposer | None = None,
) -> Iterator[Example]:
    """Yield the cuts around a simulated user's clicks on a mask, round by round.

    Parameters
    ----------
    case : LabelledCase
        A case with a tumour.
    geometry : PatchGeometry
        The corrector's.
    start : ndarray of bool
        The mask to correct, ``(K, J, I)``.
    rng : numpy.random.Generator
        Source of chance.
    making : CutMaking, optional
        Which clicks, and with which errors.
    rounds : int
        Rounds of clicks.
    corrector : Proposer, optional
        Plays the rounds before the last; needed for more than one. What it leaves wrong, and what it spoils,
        is what the next round's cuts show (iterative training, Mahadevan et al. 2018).

    Yields
    ------
    channels : ndarray of float16
        ``(channels, slices, size, size)``, as `extract_patch` returns them.
    targets : ndarray of float16
        ``(2, slices, size, size)``, the share of each sample that is tumour, and that is mask.
    """
    making = making or CutMaking()
    truth, mask = ArrayMask(case.grid, case.truth), ArrayMask(case.grid, start)
    for number in range(1, rounds + 1):
        for click in making.clicks(case.grid, case.truth, mask.values, rng):
            window = patch_grid(case.grid, click, geometry)
            channels = extract_patch(case.case, mask, window, geometry, click)
            if making.spoil is not None:
                channels[2] = making.spoil(channels[2] >= 0.5, rng)
            target = window.resample(truth.read(window.source_box))
            yield channels.astype(np.float16), np.stack([target, channels[2]]).astype(np.float16)
        if number < rounds and corrector is not None:
            _play_round(case, mask, corrector, rng)


def _play_round(case: LabelledCase, mask: ArrayMask, corrector: Proposer, rng: np.random.Generator) -> None:
    clicks = border_clicks(case.grid, case.truth, mask.values, _CLICKS_A_ROUND, rng)
    if clicks:
        by_hand = [_by_hand(case.grid, click, rng) for click in clicks]
        apply_accepted(CorrectionSession(case.case, mask, corrector), by_hand)


def training_clicks(grid: Grid, truth: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> list[Click]:
    """Return clicks such as a clinician would place on a spoiled mask, each a little off the ideal place."""
    clicks = border_clicks(grid, truth, mask, _ERROR_CLICKS, rng)
    border = np.argwhere(truth & ~ndimage.binary_erosion(truth))
    chosen = rng.choice(len(border), size=min(_BORDER_CLICKS, len(border)), replace=False)
    clicks += [Click(tuple(grid.index_to_ras(border[n]))) for n in chosen]
    for kind in (ClickKind.INCLUDE, ClickKind.EXCLUDE):
        clicks += inside_clicks(grid, truth, mask, kind, rng)
    return [_by_hand(grid, click, rng) for click in clicks]


def _by_hand(grid: Grid, click: Click, rng: np.random.Generator) -> Click:
    """Move a boundary click as a hand does; inside clicks must keep telling the truth."""
    if click.kind is not ClickKind.BOUNDARY:
        return click
    moved = np.array(click.position_ras) + rng.normal(0, _HAND_MM, 3)
    # Out of the slice a hand cannot slip: clicks lie in the plane that the view shows.
    ijk, original = grid.ras_to_ijk(moved), grid.ras_to_ijk(click.position_ras)
    axis = 2 - grid.slice_order().axes[0]
    ijk[axis] = original[axis]
    ijk = np.clip(ijk, 0, np.array(grid.shape[::-1]) - 1)
    return Click(tuple(grid.ijk_to_ras(ijk)), click.kind)


@dataclass(frozen=True)
class CutMaking:
    """How cuts are made of a case and a mask to correct.

    Parameters
    ----------
    clicks : callable
        Places the clicks, in whose middles the cuts are.
    spoil : callable, optional
        Spoils the mask of each cut for itself, bool ``(slices, size, size)``; without it cuts show the mask.
    """

    clicks: ClicksOn = training_clicks
    spoil: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None


def crop_source(case: LabelledCase, spacing: Sequence[float], reach_mm: float) -> Example:
    """Return a case at a network's working resolution.

    Parameters
    ----------
    case : LabelledCase
        Any case.
    spacing : sequence of 3 float
        Working voxel size in mm, axial order.
    reach_mm : float
        The target reaches this far beyond the tumour: 0 to segment it, a little more so that a locator
        has something to find in a tumour smaller than its voxels.

    Returns
    -------
    channels : ndarray of float16
        ``(2, slices, rows, columns)``, axial order.
    targets : ndarray of float16
        ``(1, slices, rows, columns)``, the share of each voxel that is tumour.
    """
    window = covering_grid(case.grid, Box((0, 0, 0), case.grid.axial_shape), point3(spacing))
    truth = case.truth
    if reach_mm > 0 and truth.any():
        truth = ndimage.distance_transform_edt(~truth, sampling=case.grid.spacing[::-1]) <= reach_mm
    target = window.resample(truth[window.source_box.slices])
    return sample_sequences(case.case, window).astype(np.float16), target[None].astype(np.float16)


def slab_source(case: LabelledCase, shape: Index3, intensities: str = ROBUST) -> Example:
    """Return the slab of a case with its tumour in the middle (thesis section 4.2).

    Parameters
    ----------
    case : LabelledCase
        Any case; of one without a tumour the slab is around the middle slice.
    shape : tuple of int
        Slices, rows and columns.
    intensities : {"robust", "min-max"}
        As for `sample_slab`.

    Returns
    -------
    channels, targets : ndarray of float16
        As of `crop_source`.
    """
    hits = np.flatnonzero(case.grid.axial_order().arranged(case.truth).any(axis=(1, 2)))
    ends = (hits[0], hits[-1]) if len(hits) else (0, case.grid.axial_shape[0] - 1)
    window = slab_grid(case.case, sum(ends) / 2, shape)
    target = window.resample(case.truth[window.source_box.slices])
    channels = sample_slab(case.case, window, intensities)
    return channels.astype(np.float16), target[None].astype(np.float16)


def random_crop(source: Example, shape: Index3, rng: np.random.Generator) -> Example:
    """Return a crop: three of four times around a voxel of the tumour, else anywhere.

    Where the crop is larger than the source, it is filled up with zeros.
    """
    target = source[1][0]
    start = random_start(target.shape, np.argwhere(target > 0.5), shape, rng)
    place = tuple(slice(a, a + m) for a, m in zip(start, shape, strict=True))
    fill = [(0, max(0, m - n)) for m, n in zip(shape, target.shape, strict=True)]
    return tuple(np.pad(array[(slice(None), *place)], [(0, 0), *fill]) for array in source)


def turned_crop(source: Example, shape: Index3, rng: np.random.Generator) -> Example:
    """Return a crop as `random_crop` does, of a head that lies otherwise and is larger or smaller.

    Returns
    -------
    channels, targets : ndarray of float32
        As of `crop_source`; 0 where the crop leaves the source.
    """
    target = source[1][0]
    start = random_start(target.shape, np.argwhere(target > 0.5), shape, rng)
    turn, offset = random_turn(start, shape, rng)

    def sampled(channel: np.ndarray) -> np.ndarray:
        return ndimage.affine_transform(channel.astype(np.float32), turn, offset, output_shape=shape, order=1)

    return tuple(np.stack([sampled(channel) for channel in array]) for array in source)


def random_start(
    source_shape: Sequence[int], inside: np.ndarray, shape: Index3, rng: np.random.Generator
) -> np.ndarray:
    """Return the first voxel of a crop, three of four times of one around a voxel of the tumour.

    Parameters
    ----------
    source_shape, shape : tuple of int
        What is cropped, and the crop's, ``(k, j, i)``.
    inside : ndarray of int, ``(n, 3)``
        Voxels of the tumour.
    rng : numpy.random.Generator
        Source of chance.
    """
    space = np.maximum(np.subtract(source_shape, shape), 0)
    start = np.array([int(rng.integers(0, s + 1)) for s in space])
    if len(inside) and rng.random() < 0.75:
        voxel = inside[rng.integers(len(inside))]
        jitter = np.array([int(rng.integers(-m // 3, m // 3 + 1)) for m in shape])
        start = np.clip(voxel - np.array(shape) // 2 + jitter, 0, space)
    return start


def random_turn(start: np.ndarray, shape: Index3, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return an affine map from a crop's voxels to its source's, so that one simulated head serves as many.

    Turned by some 10 degrees about the crop's middle, scaled by up to a fifth, and each side a little longer
    or shorter for itself.

    Parameters
    ----------
    start : ndarray of int
        Where the crop would begin if it were not turned.
    shape : tuple of int
        The crop's.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    matrix : ndarray, ``(3, 3)``
    offset : ndarray, ``(3,)``
    """
    matrix = Rotation.from_rotvec(np.radians(rng.normal(0, _TURN_DEG, 3))).as_matrix()
    matrix = matrix * np.exp(rng.uniform(-_SCALE, _SCALE) + rng.normal(0, _STRETCH, 3))
    middle = (np.array(shape) - 1) / 2
    return matrix, start + middle - matrix @ middle


def stacked(examples: Iterable[Example]) -> tuple[np.ndarray, ...]:
    """Return examples as one array for each of their parts."""
    return tuple(np.stack(arrays) for arrays in zip(*examples, strict=True))
