"""The initial mask: find the tumour at low resolution, then segment around it at full working resolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.errors import enough_memory
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid, nearest_whole
from VSClickCorrectLib.geometry.preprocessing import covering_grid, head_box, sample_sequences
from VSClickCorrectLib.geometry.resampling import ResamplingGrid, axial_coordinates, distances
from VSClickCorrectLib.geometry.triples import Slices3, index3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.click_segmenter import LEARNED_SAMPLES, ClickSegmenter, Segmenter
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.doubt_map import Doubter, doubt_map
from VSClickCorrectLib.inference.initial_mask import (
    NOTHING,
    InitialMask,
    best_first,
    best_parts,
    certainty_of,
    joined,
)
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.plain_segmenter import Model, PlainSegmenter, axial_voxels, run
from VSClickCorrectLib.inference.sharpening import sharpened
from VSClickCorrectLib.inference.slab_segmenter import SlabSegmenter

Progress = Callable[[float, str], None]

# How many places at low resolution are looked at closely, and from which share of the best one's weight.
_PLACES, _SHARE = 3, 0.15
# Where nothing found is sure more of the head is looked at in places of this size: the likeliest ones, or
# all of them where nothing was found.
_PLACE_MM, _MORE_PLACES = 56.0, 6
# What has such a volume is looked at once more, from nearer; the search before is so much of the time.
_AGAIN_MM3, _SEARCH = (80.0, 4000.0), 0.9
# Around a click, so that the network's window is centred on it.
_AROUND_CLICK_MM = 4.0
# So near to a boundary click a tumour is the one whose border is meant, if it has some chance to be one.
SEEN_AT_MM, _CHANCE = 6.0, 0.1
_NEIGHBOURS = np.ones((3, 3, 3), bool)


class InitialSegmenter:
    """A locator for the whole head, and a 3D U-Net for the tumour's surroundings.

    Parameters
    ----------
    locator, segmenter : Model
        ``geometry["spacing"]`` of their entries is the working voxel size. A segmenter of role ``"click"``
        takes the mask and clicks, too; one whose geometry is a ``shape`` sees slabs of the whole head.
    hold_clicks : bool
        As ``hold`` of `ClickSegmenter`.
    corrector : Corrector, optional
        Looks over the border of what is found.
    """

    def __init__(
        self, locator: Model, segmenter: Model, hold_clicks: bool = False, corrector: Corrector | None = None
    ) -> None:
        self._locator, self.corrector = locator, corrector
        self._segmenter = _segmenter_of(segmenter, hold_clicks)

    @property
    def models(self) -> list[Model]:
        """The networks that find, and what they are: the locator and the segmenter."""
        return [self._locator, self.segmenter]

    @property
    def doubts(self) -> Doubter | None:
        """What tells where a mask may be wrong; None for a segmenter that sees no mask."""
        return partial(doubt_map, self._segmenter) if isinstance(self._segmenter, ClickSegmenter) else None

    @property
    def segmenter(self) -> Model:
        """The network that segments."""
        return self._segmenter.model

    @classmethod
    def load(cls, models: ModelFolder, device: str = "auto", hold_clicks: bool = False) -> InitialSegmenter:
        """Load the networks: a folder's click model and the corrector that sharpens, else its initial model.

        Raises
        ------
        ModelError
            If a model or the device cannot be used.
        """
        locator, segmenter, *more = models.initial_entries
        corrector = Corrector.load(models, more[0].name, device) if more else None
        loaded, sees = (Model(entry, models.load(entry, device)) for entry in (locator, segmenter))
        return cls(loaded, sees, hold_clicks, corrector)

    @enough_memory()
    def segment(self, case: Case, progress: Progress = lambda fraction, message: None) -> InitialMask:
        """Find and segment the tumour; every slice of the head is looked at.

        Where what the locator finds is not sure on a closer look, the closer look goes on where tumour is
        likeliest next; where nothing is found, over the whole head until something is. What was found is
        looked at once more in a smaller box around it, if it fits well there.

        Parameters
        ----------
        case : Case
            The sequences.
        progress : callable, optional
            Told the fraction done and what is going on; what it raises ends the search.

        Returns
        -------
        InitialMask
            The best candidate, with the others; see `joined`.
        """
        first = self.search(case, lambda fraction, message: progress(_SEARCH * fraction, message))
        again = []
        for n, one in enumerate(first.candidates):
            done = _SEARCH + (1 - _SEARCH) * n / len(first.candidates)
            progress(done, f"looking again at candidate {n + 1} of {len(first.candidates)}")
            again.append(self.looked_again(case, one))
        best = joined(best_first(again), case)
        progress(1.0, "done" if best.found else "no tumour found")
        used = [model.entry for model in self.models] + ([self.corrector.entry] if self.corrector else [])
        return replace(best, models=tuple(entry.identity for entry in used))

    @enough_memory()
    def search(self, case: Case, progress: Progress = lambda fraction, message: None) -> InitialMask:
        """Return what `segment` finds before it looks again: what certainty is calibrated on."""
        progress(0.0, "looking at the whole head")
        window, probability = self._located(case)
        found: list[InitialMask] = []
        seen: set[Box] = set()
        likely = self._likely(window, probability)
        for n, place in enumerate(likely):
            progress(0.2 + 0.2 * n / len(likely), f"segmenting around candidate {n + 1} of {len(likely)}")
            found += self._look(case, place, window, probability, seen)
        best = best_first(found)
        places = [] if best.sure else places_of_head(window, probability, head_box(case.reference))
        if best.found:
            places = places[:_MORE_PLACES]
        for n, place in enumerate(places):
            progress(0.4 + 0.6 * n / len(places), f"searching the head, part {n + 1} of {len(places)}")
            found += self._look(case, place, window, probability, seen)
            best = best_first(found)
            if best.sure:
                break
        return best

    @enough_memory()
    def propose(
        self, case: Case, click: Click, mask: ReadableMask | None = None, standing: Sequence[Click] = ()
    ) -> Proposal:
        """Return the evidence for tumour at a click.

        The threshold adapts to an include or exclude click: the network may see something, or nothing,
        without being sure. At a boundary click it says what it sees without being told of clicks and mask.

        Parameters
        ----------
        case : Case
            The sequences.
        click : Click
            The new click.
        mask : ReadableMask, optional
            The mask as it is; empty if left out.
        standing : sequence of Click
            Clicks before it that stand.

        Returns
        -------
        Proposal
            1 in the region connected to an include click, or nowhere if there is none; after an exclude click
            1 wherever the network still sees tumour; at a boundary click 1 in the tumour that is nearest, if
            it lies within 6 mm and has a chance of 0.1 to be one, by its certainty or the locator. What is
            added is sharpened, if there is a corrector and clicks hold still.
        """
        around = nearest_whole(axial_coordinates(case.grid, click.position_ras))
        place = Box.of_voxel(index3(around)).padded(axial_voxels(case.grid, _AROUND_CLICK_MM))
        if click.kind is ClickKind.BOUNDARY:
            return self._seen_near(case, click, place)
        window = self._segmenter.window(case, place)
        clicks = [*standing, click]
        told = self._told(case, click, window.box, self._segmenter.probability(case, window, mask, clicks))
        if click.kind is ClickKind.EXCLUDE:
            return told
        if (nearer := self._nearer(case.grid, window.box, told.values)) is not None:
            seen = self._segmenter.probability(case, nearer, mask, clicks)
            again = self._told(case, click, nearer.box, seen, self.segmenter.entry.threshold)
            told = again if again.values.any() else told
        box, values = self._sharpened(case, told.box, told.values)
        sharp = Proposal(click, box, values.astype(np.float32))
        # Of clicks the corrector is not told.
        covered = [one for one in clicks if sharp.values[_clicked(case.grid, one, box)].any()]
        held = click in covered and all(one.kind is not ClickKind.EXCLUDE for one in covered)
        return sharp if held else told

    def _told(self, case: Case, click: Click, box: Box, seen: np.ndarray, least: float = 0.0) -> Proposal:
        """Return what is tumour by probabilities in a box; none if an include click's is below ``least``."""
        # A slab shows the head alone: of a click in the air around it the network says nothing.
        index = _clicked(case.grid, click, box)
        certain, here = self.segmenter.entry.threshold, float(seen[index].max(initial=0.0))
        if click.kind is ClickKind.EXCLUDE:
            values = seen >= max(certain, 0.5 + 0.5 * here)
        else:
            labels, _ = ndimage.label(seen >= min(certain, max(0.05, 0.5 * here)), _NEIGHBOURS)
            mine = labels[index].max(initial=0)
            values = (labels == mine) & (mine > 0 and here >= least)
        return Proposal(click, box, values.astype(np.float32))

    def _seen_near(self, case: Case, click: Click, place: Box) -> Proposal:
        """Return the part nearest to a click of what is seen around it without being told of it."""
        seen = self._look(case, place, *self._located(case), set())
        # At one of thirty places far from any tumour the network sees one, most of them of some cm³.
        parts = [part for part in seen if max(part.certainty, part.located) >= _CHANCE]
        away = [distances(case.grid, part.box, click.position_ras)[part.values].min() for part in parts]
        nearest = parts[int(np.argmin(away))] if min(away, default=np.inf) <= SEEN_AT_MM else NOTHING
        box, values = self._sharpened(case, nearest.box, nearest.values)
        return Proposal(click, box, values.astype(np.float32))

    def _sharpened(self, case: Case, box: Box, values: np.ndarray) -> tuple[Box, np.ndarray]:
        return (box, values) if self.corrector is None else sharpened(self.corrector, case, box, values)

    @enough_memory()
    def looked_again(self, case: Case, one: InitialMask) -> InitialMask:
        """Return a candidate with the mask that a click network sees in a smaller box around it.

        As it is where it is too large for that box, or a speck; or where nothing is seen there now. Then a
        corrector, if there is one, looks over its border. How sure the networks are of it stays what the
        first look says, on which that was calibrated.
        """
        seen = one
        if (window := self._nearer(case.grid, one.box, one.values)) is not None:
            probability = self._segmenter.probability(case, window)
            parts = best_parts(case.grid, window.box, probability, self.segmenter.entry.threshold)
            seen = next((part for part in parts if part.meets(one)), one)
        box, values = self._sharpened(case, seen.box, seen.values)
        return replace(one, box=box, values=values)

    def _nearer(self, grid: Grid, box: Box, values: np.ndarray) -> ResamplingGrid | None:
        """Return the smaller window in which a click network sees what lies in a box better, if it fits."""
        tight, (low, high) = Box.of_array(values), _AGAIN_MM3
        if tight is None or not low <= grid.volume_of(values) <= high:
            return None
        if not isinstance(self._segmenter, ClickSegmenter):
            return None
        return self._segmenter.window_at(grid, grid.middle_of(tight.shifted(box.start)), LEARNED_SAMPLES)

    def first_look(self, case: Case) -> InitialMask:
        """Return what is found where the locator sees a tumour, be it sure or not."""
        window, probability = self._located(case)
        seen: set[Box] = set()
        places = self._likely(window, probability)
        return best_first(
            part for place in places for part in self._look(case, place, window, probability, seen)
        )

    def windows(self, case: Case) -> list[ResamplingGrid]:
        """Return where the locator sees a tumour, as the network that segments is shown it."""
        return [self._segmenter.window(case, place) for place in self._likely(*self._located(case))]

    def _located(self, case: Case) -> tuple[ResamplingGrid, np.ndarray]:
        """Return the locator's window and probabilities, ``(k, j, i)`` of the window."""
        spacing = tuple(self._locator.entry.geometry["spacing"])
        window = covering_grid(case.grid, head_box(case.reference), spacing)
        return window, run(self._locator.network, sample_sequences(case, window))

    def _likely(self, window: ResamplingGrid, probability: np.ndarray) -> list[Box]:
        """Return boxes, in axial order on the native grid, where the locator sees a tumour."""
        threshold = min(self._locator.entry.threshold, max(0.1, 0.5 * float(probability.max())))
        labels, count = ndimage.label(probability >= threshold, _NEIGHBOURS)
        if count == 0:
            return []
        weight = ndimage.sum_labels(probability, labels, np.arange(1, count + 1))
        places = ndimage.find_objects(labels)
        chosen = np.argsort(weight)[::-1][:_PLACES]
        return [_native_box(window, places[n]) for n in chosen if weight[n] >= _SHARE * weight[chosen[0]]]

    def _look(
        self, case: Case, place: Box, head: ResamplingGrid, located: np.ndarray, seen: set[Box]
    ) -> list[InitialMask]:
        """Return the parts that the segmenter sees around a place, given what the locator saw of the head.

        Nothing where it is shown a window that is among those ``seen``.
        """
        window, entry = self._segmenter.window(case, place), self.segmenter.entry
        if window.box in seen:
            return []
        seen.add(window.box)
        probability, features = self._segmenter.look(case, window)
        parts = []
        for one in best_parts(case.grid, window.box, probability, entry.threshold):
            there = float(head.nearest(located, one.box)[one.values].mean())
            part = replace(one, located=there, features=_inside(one, window, features))
            parts.append(replace(part, certainty=certainty_of(part, case, entry.certainty)))
        return parts


def _clicked(grid: Grid, click: Click, box: Box) -> Slices3:
    """Return where a click's voxel lies in an array of a box; nowhere if it lies outside."""
    return Box.of_voxel(grid.ras_to_index(click.position_ras)).intersection(box).slices_in(box)


def _segmenter_of(model: Model, hold_clicks: bool) -> Segmenter:
    if model.entry.role == "click":
        return ClickSegmenter(model, hold_clicks)
    return SlabSegmenter(model) if "shape" in model.entry.geometry else PlainSegmenter(model)


def _inside(one: InitialMask, window: ResamplingGrid, stages: Sequence[np.ndarray]) -> tuple[float, ...]:
    """Return the mean inside a candidate of what stages of a decoder see, one after the other."""
    means: list[float] = []
    for features in stages:
        samples = np.arange(features[0].size).reshape(features[0].shape)
        for axis, count in enumerate(window.geometry.shape):
            samples = samples.repeat(count // samples.shape[axis], axis)
        inside = window.nearest(samples, one.box)[one.values]
        # As the features: they would be copied whole to be multiplied by longer numbers.
        weights = (np.bincount(inside, minlength=features[0].size) / inside.size).astype(features.dtype)
        means += (features.reshape(len(features), -1) @ weights).tolist()
    return tuple(means)


def places_of_head(window: ResamplingGrid, probability: np.ndarray, head: Box) -> list[Box]:
    """Return the head in places of at most 56 mm, those first in which the locator sees most.

    Parameters
    ----------
    window : ResamplingGrid
        The locator's.
    probability : ndarray of float32
        What it sees, of the window's shape.
    head : Box
        In axial order.

    Returns
    -------
    list of Box
        In axial order on the native grid; together they cover the head.
    """
    places = _tiles(head, _PLACE_MM / window.grid.axial_spacing)
    seen = [float(_samples_in(window, probability, place).max(initial=0.0)) for place in places]
    return [places[n] for n in np.argsort(seen, kind="stable")[::-1]]


def _tiles(box: Box, size: np.ndarray) -> list[Box]:
    counts = np.maximum(np.ceil(np.array(box.shape) / size).astype(int), 1)
    edges = [
        np.linspace(low, high, n + 1).round().astype(int)
        for low, high, n in zip(box.start, box.stop, counts, strict=True)
    ]
    lows, highs = product(*(along[:-1] for along in edges)), product(*(along[1:] for along in edges))
    return [Box(index3(low), index3(high)) for low, high in zip(lows, highs, strict=True)]


def _samples_in(window: ResamplingGrid, values: np.ndarray, place: Box) -> np.ndarray:
    """Return the samples of a window in a box of native voxels, in axial order."""
    low, high = (window.samples_at(np.array(edge) - 0.5) for edge in (place.start, place.stop))
    parts = zip(np.ceil(low).astype(int), np.floor(high).astype(int) + 1, strict=True)
    return values[tuple(slice(max(a, 0), max(b, 0)) for a, b in parts)]


def _native_box(window: ResamplingGrid, place: Slices3) -> Box:
    """Return the native voxels, in axial order, that a box of samples covers."""
    start = np.floor(window.places_of(np.array([part.start for part in place]) - 0.5))
    stop = np.ceil(window.places_of(np.array([part.stop for part in place]) - 0.5))
    return Box(index3(start), index3(stop))
