"""Clicks on real MRML nodes, timed part by part: cut, network, merge, write, notify."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import cast

import numpy as np
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.merging import Proposal
from VSClickCorrectLib.clicks.patches import ReadableMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import point3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.segment_correction import SceneCorrection
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume

from VSClickCorrectResearch.benchmark.examination import RADIUS_MM, BenchmarkCase
from VSClickCorrectResearch.benchmark.timing import Timing, milliseconds, timed

A_ROUND = 10
_WARM_UP = 3


class TimedCorrector(Corrector):
    """A corrector that knows how long it took.

    Attributes
    ----------
    whole, network : float
        Seconds of all proposals so far, and of the network in them.
    """

    def __init__(self, corrector: Corrector) -> None:
        super().__init__(corrector.entry, corrector.network)
        self.whole = self.network_only = 0.0

    def propose(self, case: Case, mask: ReadableMask, clicks: Sequence[Click]) -> list[Proposal]:
        """See `Corrector.propose`."""
        started = time.perf_counter()
        proposals = super().propose(case, mask, clicks)
        self.whole += time.perf_counter() - started
        return proposals

    def run(self, cuts: np.ndarray) -> np.ndarray:
        """See `Corrector.run`."""
        started = time.perf_counter()
        outputs = super().run(cuts)
        self.network_only += time.perf_counter() - started
        return outputs


class TimedMask:
    """A segment's mask that knows how long its writes took.

    Attributes
    ----------
    writing : float
        Seconds of all writes so far.
    """

    def __init__(self, mask: SegmentMask) -> None:
        self._mask = mask
        self.writing = 0.0
        self.segment_id = mask.segment_id

    @property
    def grid(self) -> Grid:
        """See `Mask.grid`."""
        return self._mask.grid

    def read(self, box: Box) -> np.ndarray:
        """See `Mask.read`."""
        return self._mask.read(box)

    def extent(self) -> Box | None:
        """See `Mask.extent`."""
        return self._mask.extent()

    def write(self, box: Box, values: np.ndarray) -> None:
        """See `Mask.write`."""
        self.writing += timed(lambda: self._mask.write(box, values))


class Bench:
    """A scene in which a ball of mask round the tumour is being corrected.

    Parameters
    ----------
    correction : SceneCorrection
        On a `TimedMask`, by a `TimedCorrector`.
    clicks : callable
        Gives the next click: on the ball's border, moved in or out a little.
    """

    def __init__(self, correction: SceneCorrection, clicks: Callable[[], Click]) -> None:
        self.correction = correction
        self.next_click = clicks
        self._corrector = cast(TimedCorrector, correction.session.corrector)
        self._mask = cast(TimedMask, correction.session.mask)

    def click(self) -> dict[str, float]:
        """Place one point as a view does; return the seconds of each part, and of all.

        The cut is all of a proposal but the network: cuts, views from around and what is made of them.
        """
        before = (self._corrector.whole, self._corrector.network_only, self._mask.writing)
        click = self.next_click()
        started = time.perf_counter()
        edit = self.correction.place(click)
        total = time.perf_counter() - started
        now = (self._corrector.whole, self._corrector.network_only, self._mask.writing)
        whole, network, writing = (b - a for a, b in zip(before, now, strict=True))
        changed = edit.milliseconds / 1000 if edit else total
        return {
            "cut": whole - network,
            "network": network,
            "merge": changed - whole - writing,
            "write": writing,
            "notify and journal": total - changed,
            "click": total,
        }

    def undo(self) -> float:
        """Return the seconds of taking the last edit back."""
        return timed(self.correction.undo)

    def round(self) -> float:
        """Return the seconds of applying ten clicks at once."""
        self.correction.mode.collecting = True
        for _ in range(A_ROUND):
            self.correction.place(self.next_click())
        seconds = timed(self.correction.apply_collected)
        self.correction.mode.collecting = False
        return seconds


@contextmanager
def bench(examination: BenchmarkCase, case: Case, corrector: Corrector):
    """Set up a `Bench` in a scene of its own."""
    with HeadlessScene() as headless:
        nodes = {name: add_volume(headless.scene, v, name) for name, v in case.present.items()}
        reference = next(iter(nodes.values()))
        segment = add_segmentation(headless.scene, reference, "tumour")
        mask = SegmentMask(*segment, reference)
        mask.fill(examination.ball(case.grid))
        correction = correct_segment((nodes.get("t1ce"), nodes.get("t2")), segment, TimedCorrector(corrector))
        correction.session.mask = TimedMask(mask)
        yield Bench(correction, border_clicks(examination, case.grid))
        correction.close()


def border_clicks(examination: BenchmarkCase, grid: Grid) -> Callable[[], Click]:
    """Return a source of clicks near the ball's border, always the same ones in the same order."""
    rng = np.random.default_rng(0)

    def clicked() -> Click:
        direction = rng.normal(size=3)
        radius = RADIUS_MM + rng.uniform(-1.5, 1.5)
        point = np.asarray(examination.site_ras) + radius * direction / np.linalg.norm(direction)
        # A click in a slice view lies in the middle of a slice.
        ijk = grid.ras_to_ijk(point)
        ijk[2] = round(ijk[2])
        return Click(point3(grid.affine[:3] @ [*ijk, 1.0]), ClickKind.BOUNDARY)

    return clicked


def click_times(bench: Bench, repeats: int) -> list[Timing]:
    """Measure single clicks part by part, undo, and rounds of ten clicks applied at once."""
    for _ in range(_WARM_UP):
        bench.click()
    parts = [bench.click() for _ in range(repeats)]
    rows = [milliseconds(name, [one[name] for one in parts]) for name in parts[0]]
    rows.append(milliseconds("undo", [bench.undo() for _ in range(repeats)]))
    rounds = [bench.round() for _ in range(max(1, repeats // 4))]
    rows.append(milliseconds(f"round of {A_ROUND} clicks at once", rounds))
    rows.append(milliseconds(f"undo of a round of {A_ROUND}", [bench.undo() for _ in rounds]))
    return rows


def long_session(bench: Bench, clicks: int) -> Timing:
    """Measure one click after another, each on top of all those before it."""
    return milliseconds("clicks of a session, in order", [bench.click()["click"] for _ in range(clicks)])
