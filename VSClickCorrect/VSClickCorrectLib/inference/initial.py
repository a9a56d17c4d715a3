"""The initial mask: find the tumour at low resolution, then segment around it at full working resolution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.errors import Cancelled, enough_memory
from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.click import Click
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.merging import Proposal
from VSClickCorrectLib.imaging.preprocessing import covering_window, head_box, sample_sequences
from VSClickCorrectLib.imaging.sampling import Window, axial_coordinates
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.inference.click_segmenter import ClickSegmenter, Model
from VSClickCorrectLib.inference.models import ModelFolder

if TYPE_CHECKING:
    from torch import nn

Progress = Callable[[float, str], None]

# Around a candidate, so that the network sees what the tumour lies in.
_MARGIN_MM = 14.0
_EVIDENCE_MM = 36.0
# Candidates at low resolution that are looked at closely, best first.
_CANDIDATES = 2
_NEIGHBOURS = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, eq=False)
class InitialMask:
    """What the initial networks found.

    Parameters
    ----------
    box : Box
        Native voxels, ``(k, j, i)``; empty if nothing was found.
    values : ndarray of bool
        The mask in ``box``.
    confidence : float
        Mean probability inside the mask, 0 if nothing was found.
    """

    box: Box
    values: np.ndarray
    confidence: float

    @property
    def found(self) -> bool:
        """Whether there is anything in the mask."""
        return bool(self.values.any())

    @property
    def evidence(self) -> float:
        """What it is chosen by: being sure counts, and a stray voxel does not beat a tumour."""
        return self.confidence * float(self.values.sum()) ** (1 / 3)

    def on(self, grid: Grid) -> np.ndarray:
        """Return the whole mask, bool, shape ``grid.shape``."""
        whole = np.zeros(grid.shape, bool)
        whole[self.box.slices] = self.values
        return whole


class InitialSegmenter:
    """A locator for the whole head, and a 3D U-Net for the tumour's surroundings.

    Parameters
    ----------
    locator, segmenter : Model
        ``geometry["spacing"]`` of their entries is the working voxel size. A segmenter of role ``"click"``
        takes clicks, too, and looks at boxes of one size.
    t2_alone : Model, optional
        Takes the segmenter's place where a case has no T1ce.
    """

    def __init__(self, locator: Model, segmenter: Model, t2_alone: Model | None = None) -> None:
        self._locator = locator
        self._segmenter = segmenter
        self._t2_alone = t2_alone
        self._clicked = ClickSegmenter(segmenter) if segmenter.entry.role == "click" else None

    @property
    def models(self) -> list[Model]:
        """The networks and what they are."""
        return [model for model in (self._locator, self._segmenter, self._t2_alone) if model]

    @classmethod
    def load(cls, models: ModelFolder, device: str = "auto") -> InitialSegmenter:
        """Load the networks; a folder may lack one for T2 alone.

        Raises
        ------
        ModelError
            If a model or the device cannot be used.
        """
        from VSClickCorrectLib.inference.device import choose_device

        chosen = choose_device(device)
        roles = ["locator", "initial"] + ["initial-t2"] * models.has("initial-t2")
        if models.has("click"):
            roles = ["locator", "click"]
        entries = [models.entry(role) for role in roles]
        return cls(*(Model(entry, models.load(entry, chosen)) for entry in entries))

    @enough_memory()
    def segment(
        self,
        case: Case,
        progress: Progress = lambda fraction, message: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> InitialMask:
        """Find and segment the tumour; every slice of the head is looked at.

        Parameters
        ----------
        case : Case
            The sequences.
        progress : callable, optional
            Told the fraction done and what is going on.
        cancelled : callable, optional
            Asked between steps.

        Raises
        ------
        Cancelled
            If ``cancelled`` said so.
        """

        def step(fraction: float, message: str) -> None:
            if cancelled():
                raise Cancelled("the initial segmentation was cancelled.")
            progress(fraction, message)

        step(0.0, "looking at the whole head")
        windows, threshold = self.windows(case), self.model_for(case).entry.threshold
        best = InitialMask(Box((0, 0, 0), (0, 0, 0)), np.zeros((0, 0, 0), bool), 0.0)
        for n, window in enumerate(windows):
            step(0.3 + 0.7 * n / len(windows), f"segmenting around candidate {n + 1} of {len(windows)}")
            probability = self._probability(case, window)
            threshold = self.model_for(case).entry.threshold
            best = max(
                best, best_part(case.grid, window.box, probability, threshold), key=lambda part: part.evidence
            )
        step(1.0, "done" if best.found else "no tumour found")
        return best

    @enough_memory()
    def propose(self, case: Case, click: Click) -> Proposal:
        """Return the initial network's evidence for tumour around an include click far from any mask.

        The threshold adapts: the network may see something here without being sure of it. The proposal
        is the region connected to the click, or nothing where there is none.
        """
        around = np.floor(axial_coordinates(case.grid, click.position_ras) + 0.5).astype(int)
        if self._clicked:
            window = self._clicked.window(case.grid, around)
            probability = self._clicked.probability(case, window, clicks=[click])
        else:
            box = Box.of_voxel(tuple(map(int, around))).padded(_voxels(case.grid, _EVIDENCE_MM / 2))
            window = self._window(case, box)
            probability = self._probability(case, window)
        index = tuple(
            a - b for a, b in zip(case.grid.ras_to_index(click.position_ras), window.box.start, strict=True)
        )
        certain = self.model_for(case).entry.threshold
        threshold = min(certain, max(0.05, 0.5 * float(probability[index])))
        labels, _ = ndimage.label(probability >= threshold, _NEIGHBOURS)
        mine = (labels == labels[index]) & (labels[index] > 0)
        return Proposal(click, window.box, np.where(mine, 1.0, 0.0).astype(np.float32))

    def windows(self, case: Case) -> list[Window]:
        """Return where the locator sees a tumour, with a margin, as the network that segments samples it."""
        candidates = self._candidates(case)
        if self._clicked:
            middles = [(np.array(c.start) + np.array(c.stop) - 1) / 2 for c in candidates]
            return [self._clicked.window(case.grid, middle) for middle in middles]
        margin = _voxels(case.grid, _MARGIN_MM)
        return [self._window(case, candidate.padded(margin)) for candidate in candidates]

    def model_for(self, case: Case) -> Model:
        """Return the model that segments a case: it depends on whether there is a T1ce."""
        return self._t2_alone if self._t2_alone and case.t1ce is None else self._segmenter

    def _candidates(self, case: Case) -> list[Box]:
        """Return boxes, in axial order on the native grid, where the locator sees a tumour."""
        window = covering_window(
            case.grid, head_box(case.reference), tuple(self._locator.entry.geometry["spacing"])
        )
        probability = self._run(self._locator.network, sample_sequences(case, window))
        threshold = min(self._locator.entry.threshold, max(0.1, 0.5 * float(probability.max())))
        labels, count = ndimage.label(probability >= threshold, _NEIGHBOURS)
        if count == 0:
            return []
        weight = ndimage.sum_labels(probability, labels, np.arange(1, count + 1))
        places = ndimage.find_objects(labels)
        chosen = np.argsort(weight)[::-1][:_CANDIDATES]
        return [_native_box(window, places[n]) for n in chosen if weight[n] > 0.25 * weight[chosen[0]]]

    def _window(self, case: Case, axial_box: Box) -> Window:
        return covering_window(case.grid, axial_box, tuple(self.model_for(case).entry.geometry["spacing"]))

    def _probability(self, case: Case, window: Window) -> np.ndarray:
        if self._clicked:
            return self._clicked.probability(case, window)
        return window.restore(self._run(self.model_for(case).network, sample_sequences(case, window)))

    @staticmethod
    def _run(network: nn.Module, channels: np.ndarray) -> np.ndarray:
        import torch

        from VSClickCorrectLib.inference.device import probabilities

        return probabilities(network, torch.from_numpy(channels)[None])[0, 0].numpy()


def best_part(grid: Grid, box: Box, probability: np.ndarray, threshold: float) -> InitialMask:
    """Return the connected part with the most evidence, its holes filled.

    Parameters
    ----------
    grid : Grid
        The native grid.
    box : Box
        Native voxels, ``(k, j, i)``.
    probability : ndarray of float32
        Of tumour, in ``box``.
    threshold : float
        Probability from which a voxel is tumour.
    """
    labels, count = ndimage.label(probability >= threshold, _NEIGHBOURS)
    if count == 0:
        return InitialMask(box, np.zeros(box.shape, bool), 0.0)
    weight = ndimage.sum_labels(probability, labels, np.arange(1, count + 1))
    values = _without_holes(labels == int(np.argmax(weight)) + 1, grid)
    return InitialMask(box, values, float(probability[values].mean()))


def _without_holes(values: np.ndarray, grid: Grid) -> np.ndarray:
    """Fill holes within axial slices, as contours drawn by hand do: dark cores belong to the tumour."""
    order = grid.axial_order()
    filled = [ndimage.binary_fill_holes(one) for one in order.to_axial(values)]
    return order.from_axial(np.stack(filled))


def _voxels(grid: Grid, length_mm: float) -> tuple[int, int, int]:
    """Return a length as whole voxels in axial order, rounded up."""
    return tuple(int(n) for n in np.ceil(length_mm / grid.axial_spacing))


def _native_box(window: Window, place: tuple[slice, ...]) -> Box:
    """Return the native voxels, in axial order, that a box of samples covers."""
    start, stop = [], []
    for axis, part in enumerate(place):
        middle = (window.geometry.shape[axis] - 1) / 2
        start.append(int(np.floor(window.center[axis] + (part.start - 0.5 - middle) * window.steps[axis])))
        stop.append(int(np.ceil(window.center[axis] + (part.stop - 0.5 - middle) * window.steps[axis])))
    return Box(tuple(start), tuple(stop))
