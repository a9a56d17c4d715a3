"""What the networks that learn are taught by an accepted case, and what they must not forget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain, islice

import numpy as np

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import middle_of
from VSClickCorrectLib.clicks.patches import PatchGeometry, ReadableMask
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.triples import Point3, point3
from VSClickCorrectLib.inference.click_segmenter import LEARNED_SAMPLES, ClickSegmenter
from VSClickCorrectLib.inference.examples import (
    BUILTIN_BOXES,
    TAUGHT_SAMPLES,
    Examples,
    Pair,
    box_example,
    example_at,
    read_builtin,
)
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import ModelEntry
from VSClickCorrectLib.io.shipped import shipped_folder
from VSClickCorrectLib.jobs.accepted_case import AcceptedWork

# Boxes of one case: around the tumour, off its middle by up to so many mm, around what was wrongly taken for
# it, and around clicks.
_TUMOUR, _OFF_MM, _WRONG, _CLICKED = 2, 10.0, 2, 2


def lessons_of(models: ModelFolder) -> tuple[list[Lesson], list[str]]:
    """Return what teaches the networks that a folder uses, and why some of them cannot learn.

    Raises
    ------
    ModelError
        If the models cannot be used, or the corrector cannot learn.
    """
    corrector = CorrectorLesson(models.released(models.entry("corrector")))
    if not models.has("click"):
        return [corrector], []
    try:
        return [InitialLesson(ModelFolder(models.folder)), corrector], []
    except ModelError as error:
        return [corrector], [f"{InitialLesson.what}: {error}"]


class CorrectorLesson:
    """Teaches a corrector by the reader's own clicks, and some that are drawn.

    It is scored in other cases by such clicks, too.

    Attributes
    ----------
    what : str
        What the network gives, in words.
    entry : ModelEntry
        The released network.
    built_in : BuiltIn
        What it must not forget.
    most : int
        It learns from so many cases, the last, and is scored by them.
    """

    what = "corrector"
    most = 40

    def __init__(self, entry: ModelEntry) -> None:
        self.entry = entry
        self._geometry = PatchGeometry(**entry.geometry)
        self.built_in = read_builtin(asdict(self._geometry))

    def taught_by(self, work: AcceptedWork) -> Examples:
        """Return what an accepted case teaches."""
        geometry = self._geometry
        pairs = (
            example_at(work.images, mask, work.right, click, geometry)
            for click, mask in chain(work.given(), work.drawn(work.rng))
        )
        return Examples.of(pairs, (3 + geometry.click_map, *geometry.window.shape))

    scored_by = taught_by


class InitialLesson:
    """Teaches the network that gives the initial mask and answers include and exclude clicks.

    It is scored without clicks, by the box around the tumour in which most initial masks are drawn. Its
    attributes are those of a `CorrectorLesson`.

    Parameters
    ----------
    models : ModelFolder
        As released, with a click model.
    """

    what = "initial mask"
    # A box takes a hundred times the memory of a patch.
    most = 20

    def __init__(self, models: ModelFolder) -> None:
        self.entry = models.entry("click")
        seen = {"spacing": self.entry.geometry["spacing"]}
        self.built_in = read_builtin(seen, shipped_folder("models") / BUILTIN_BOXES)
        self._released = InitialSegmenter.load(models, "cpu")
        self._segmenter = ClickSegmenter(self._released.segmenter)

    def taught_by(self, work: AcceptedWork) -> Examples:
        """Return what an accepted case teaches."""
        rng, grid = work.rng, work.images.grid
        middle = np.array(middle_of(work.right))
        places = [point3(middle + rng.uniform(-_OFF_MM, _OFF_MM, 3)) for _ in range(_TUMOUR)]
        places += [grid.middle_of(box) for box in self._wrongly_taken(work)[:_WRONG]]
        pairs = [self._pair(work, place) for place in places]
        return _boxes([*pairs, *islice(self._clicked(work, rng), _CLICKED)])

    def scored_by(self, work: AcceptedWork) -> Examples:
        """Return by what the network is scored in a case that it does not learn from."""
        middle = point3(np.array(middle_of(work.right)))
        window = self._segmenter.window_at(work.images.grid, middle, LEARNED_SAMPLES)
        return _boxes([box_example(self._segmenter, work.images, work.right, window)])

    def _wrongly_taken(self, work: AcceptedWork) -> list[Box]:
        """Return where the released network sees a tumour and there is none."""
        right = work.right.values
        found = self._released.first_look(work.images).candidates
        return [one.box for one in found if not right[one.box.slices][one.values].any()]

    def _clicked(self, work: AcceptedWork, rng: np.random.Generator) -> Iterator[Pair]:
        """Yield boxes around include and exclude clicks, the reader's own first, as a click is answered."""
        before: list[Click] = []
        for click, mask in work.given():
            before.append(click)
            if click.kind is not ClickKind.BOUNDARY:
                yield self._pair(work, click.position_ras, mask, before)
        for click, mask in work.drawn(rng):
            if click.kind is not ClickKind.BOUNDARY:
                yield self._pair(work, click.position_ras, mask, [click])

    def _pair(
        self,
        work: AcceptedWork,
        place: Point3,
        mask: ReadableMask | None = None,
        clicks: Sequence[Click] = (),
    ) -> Pair:
        window = self._segmenter.window_at(work.images.grid, place, TAUGHT_SAMPLES)
        return box_example(self._segmenter, work.images, work.right, window, mask, clicks)


Lesson = CorrectorLesson | InitialLesson


def _boxes(pairs: Sequence[Pair]) -> Examples:
    """Return boxes of one size, at least one."""
    return Examples.of(pairs, pairs[0][0].shape)
