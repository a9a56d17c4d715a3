"""Corrections without a network, which the networks have to beat: they play through the same sessions.

Each is a `Proposer` with the merge that suits it best (Resources/Docs/evaluation.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.resampling import coordinates_in
from VSClickCorrectLib.geometry.triples import index3, triple
from VSClickCorrectLib.geometry.volume import Case, Volume

from VSClickCorrectResearch.simulation.mask_perturbations import signed_distance

# As far as the corrector sees: half a cut within the slice, two of its slices up and down.
_CUT_MM = (3.0, 14.4, 14.4)
# A brush must reach from any click to the mask.
_BRUSH_REACH_MM = (20.0, 30.0, 30.0)
_BRUSH_MM = 3.0
# How far around a click its error is taken to reach along the border, past the error itself.
_NEAR_MM = 2.0


class _Baseline:
    """A proposer that looks at one click after the other."""

    identity: ClassVar[str]
    merge: ClassVar[str]

    def propose(self, case: Case, mask: ReadableMask, clicks: Sequence[Click]) -> list[Proposal]:
        """See `inference.corrector.Corrector.propose`."""
        return [self._propose(case, mask, click) for click in clicks]

    def _propose(self, case: Case, mask: ReadableMask, click: Click) -> Proposal:
        raise NotImplementedError


class Unchanged(_Baseline):
    """(a) No correction: the mask stays as it is."""

    identity = "no correction"
    merge = "replace"

    def _propose(self, case: Case, mask: ReadableMask, click: Click) -> Proposal:
        box = Box.of_voxel(case.grid.ras_to_index(click.position_ras))
        return Proposal(click, box, mask.read(box).astype(np.float32))


class Disc(_Baseline):
    """(b) A round brush whose rim passes through the click, in the clicked slice.

    Where the click lies outside the mask, the disc lies on its inner side and is painted; where it lies in
    the mask, the disc lies on its outer side and is erased. Its radius is 3 mm, or the distance from the
    click to the mask's border where that is more. In a slice without mask the disc's centre is the middle
    of the mask in the nearest slice that has one.
    """

    identity = "disc"
    merge = "replace"

    def _propose(self, case: Case, mask: ReadableMask, click: Click) -> Proposal:
        around = _Surroundings(case, mask, click, _BRUSH_REACH_MM)
        return around.proposal(_brushed(around), around.place[0])


class HalfWay(_Baseline):
    """(c) The intensity midway between the mask's inside and its outside, near its border around the click.

    T1ce where there is one, else T2. The medians of both sides are taken near the border, the threshold is
    applied within a band around the border that is wide enough to hold the click, on the same slices
    that the corrector sees.
    """

    identity = "half-way threshold"
    merge = "progressive"
    band_mm = 3.0

    def _propose(self, case: Case, mask: ReadableMask, click: Click) -> Proposal:
        around = _Surroundings(case, mask, click, _CUT_MM)
        if not around.has_border:
            return Disc()._propose(case, mask, click)
        image = around.of(case.reference)
        return around.proposal(self._probability(image, around))

    def _probability(self, image: np.ndarray, around: _Surroundings) -> np.ndarray:
        distance = signed_distance(around.mask, around.spacing)
        reach = max(self.band_mm, abs(float(distance[around.place])) + 1.0)
        inside = _side(image, around.mask, -distance)
        outside = _side(image, ~around.mask, distance)
        contrast = inside - outside
        if contrast == 0:
            return around.mask.astype(np.float32)
        share = np.clip((image - outside) / contrast, 0, 1)
        wanted = np.where(np.abs(distance) <= reach, share, around.mask).astype(np.float32)
        return _tidied(wanted, around.mask)


class RandomWalker(_Baseline):
    """(d) The random walker of scikit-image (Grady 2006) on both sequences around the click.

    Seeds are the mask and its outside beyond a band around its border that is wide enough to hold the
    click, and a point on either side of the click.
    """

    identity = "random walker"
    merge = "progressive"
    band_mm = 2.0
    seed_mm = 1.2
    beta = 1000.0

    def _propose(self, case: Case, mask: ReadableMask, click: Click) -> Proposal:
        around = _Surroundings(case, mask, click, _CUT_MM)
        if not around.has_border:
            return Disc()._propose(case, mask, click)
        images = [around.of(v) for v in case.sequences.values() if v]
        return around.proposal(self._probability(np.stack(images, axis=-1), around))

    def _probability(self, images: np.ndarray, around: _Surroundings) -> np.ndarray:
        from skimage.segmentation import random_walker

        seeds = self._seeds(around)
        # Nothing can be told apart in a flat image, nor without seeds of both sides.
        if not ((seeds == 1).any() and (seeds == 2).any() and images.std() > 0):
            return around.mask.astype(np.float32)
        found = random_walker(
            images,
            seeds,
            self.beta,
            mode="cg_j",
            spacing=around.spacing / around.spacing.min(),
            channel_axis=-1,
            return_full_prob=True,
            # Conjugate gradients may overshoot a little; the sides are told apart all the same.
            prob_tol=0.1,
        )
        return found[0].astype(np.float32)

    def _seeds(self, around: _Surroundings) -> np.ndarray:
        distance = signed_distance(around.mask, around.spacing)
        error = abs(float(distance[around.place]))
        # Near the click the mask is known to be wrong by that much; elsewhere it is trusted as before.
        reach = np.where(around.from_click() <= error + _NEAR_MM, error + 1.0, self.band_mm)
        # Of a small tumour, too, something must be sure to be inside.
        inner = np.minimum(reach, 0.5 * float(-distance.min()))
        seeds = np.where(distance < -inner, 1, np.where(distance > reach, 2, 0)).astype(np.int32)
        inward = _inward(around)
        for label, sign in ((1, 1), (2, -1)):
            point = np.round(around.place[1:] + sign * self.seed_mm * inward / around.spacing[1:]).astype(int)
            if inward.any() and (point >= 0).all() and (point < seeds.shape[1:]).all():
                seeds[(around.place[0], *point)] = label
        return seeds


BASELINES: tuple[_Baseline, ...] = (Unchanged(), Disc(), HalfWay(), RandomWalker())


def check_requirements() -> None:
    """Refuse at once, and not at the first click, where a library is missing.

    Raises
    ------
    ModelError
        If scikit-image is not installed.
    """
    try:
        import skimage.segmentation  # noqa: F401
    except ImportError:
        raise ModelError(
            "the baselines need scikit-image; install vsclickcorrect[evaluation] or add --no-baselines."
        ) from None


class _Surroundings:
    """The mask around a click, in slices as they were acquired.

    Attributes
    ----------
    mask : ndarray of bool
        ``(slices, rows, columns)``.
    spacing : (3,) array
        mm along these axes.
    place : tuple of int
        The click's voxel in ``mask``.
    """

    def __init__(self, case: Case, mask: ReadableMask, click: Click, reach_mm: Sequence[float]) -> None:
        self._click = click
        self._order = case.grid.slice_order()
        self.spacing = case.grid.spacing_in(self._order)
        voxel = case.grid.index_to_ras(case.grid.ras_to_index(click.position_ras))
        index = triple(int(round(v)) for v in coordinates_in(case.grid, self._order, voxel))
        margin = index3(np.floor(np.asarray(reach_mm) / self.spacing))
        ordered = Box.of_voxel(index).padded(margin).clipped(case.grid.shape_in(self._order))
        self.box = case.grid.box_from(self._order, ordered)
        self._grid = case.grid
        self._ordered_box = ordered
        self.place = triple(n - a for n, a in zip(index, ordered.start, strict=True))
        self.mask = self._order.arranged(mask.read(self.box))

    @property
    def has_border(self) -> bool:
        """Whether there is mask here, and something else."""
        return bool(self.mask.any() and not self.mask.all())

    def of(self, volume: Volume) -> np.ndarray:
        """Return a sequence here, float32, 0 to 1."""
        return self._order.arranged(volume.normalised(self.box))

    def from_click(self) -> np.ndarray:
        """Return the distance of every voxel from the click's, mm."""
        axes = [
            (np.arange(n) - p) * s for n, p, s in zip(self.mask.shape, self.place, self.spacing, strict=True)
        ]
        k, j, i = np.meshgrid(*axes, indexing="ij", sparse=True)
        return np.sqrt(k**2 + j**2 + i**2)

    def proposal(self, probability: np.ndarray, only: int | None = None) -> Proposal:
        """Return a proposal of these voxels, or of those of one slice."""
        box, values = self.box, probability
        if only is not None:
            ordered = self._ordered_box
            first = ordered.start[0] + only
            one = Box((first, *ordered.start[1:]), (first + 1, *ordered.stop[1:]))
            box, values = self._grid.box_from(self._order, one), probability[only : only + 1]
        return Proposal(self._click, box, self._order.restored(values).astype(np.float32))


def _brushed(around: _Surroundings) -> np.ndarray:
    """Return the mask with the brush applied to the clicked slice."""
    result = around.mask.copy()
    number = around.place[0]
    flat, point = around.mask[number], np.array(around.place[1:]) * around.spacing[1:]
    if not flat.any() or flat.all():
        with_mask = np.flatnonzero(around.mask.any(axis=(1, 2)))
        center, radius = point, _BRUSH_MM
        if len(with_mask) and not flat.all():
            nearest = with_mask[np.argmin(np.abs(with_mask - number))]
            center = np.argwhere(around.mask[nearest]).mean(axis=0) * around.spacing[1:]
            radius = float(np.linalg.norm(point - center))
        result[number] |= _disc(flat.shape, around.spacing[1:], center, radius)
        return result
    inward = _inward(around)
    gap = abs(float(signed_distance(flat, around.spacing[1:])[around.place[1:]]))
    radius = max(_BRUSH_MM, gap)
    if flat[around.place[1:]]:
        result[number] &= ~_disc(flat.shape, around.spacing[1:], point - radius * inward, radius)
    else:
        result[number] |= _disc(flat.shape, around.spacing[1:], point + radius * inward, radius)
    return result


def _disc(shape: tuple[int, int], spacing: np.ndarray, center: np.ndarray, radius: float) -> np.ndarray:
    rows, columns = (np.arange(n) * s - c for n, s, c in zip(shape, spacing, center, strict=True))
    return rows[:, None] ** 2 + columns**2 <= radius**2


def _inward(around: _Surroundings) -> np.ndarray:
    """Return the direction, rows and columns, in which the mask lies from the click; a unit vector, or 0."""
    flat = around.mask[around.place[0]]
    if not flat.any() or flat.all():
        flat = around.mask.any(axis=0)
        if flat.all():
            return np.zeros(2)
    distance = signed_distance(flat, around.spacing[1:])
    smooth = ndimage.gaussian_filter(distance, 1.0 / around.spacing[1:])
    slope = np.array([g[around.place[1:]] for g in np.gradient(smooth, *around.spacing[1:])])
    length = float(np.linalg.norm(slope))
    return -slope / length if length > 0 else np.zeros(2)


def _side(image: np.ndarray, side: np.ndarray, depth: np.ndarray) -> float:
    """Return the median intensity of one side of the border: near it, but not right at it."""
    deep = side & (depth > 1.0) & (depth < 6.0)
    return float(np.median(image[deep if deep.any() else side]))


def _tidied(wanted: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Drop what is not connected to the mask and fill holes within slices."""
    tumour = wanted >= 0.5
    labels, _ = ndimage.label(tumour)
    kept = tumour & np.isin(labels, np.unique(labels[mask & tumour]))
    filled = np.stack([ndimage.binary_fill_holes(one) for one in kept])
    return np.where(filled & ~kept, 1.0, np.where(tumour & ~kept, 0.0, wanted)).astype(np.float32)
