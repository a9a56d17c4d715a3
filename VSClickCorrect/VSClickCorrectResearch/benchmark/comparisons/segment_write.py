"""The write of a correction into a segment, against ``slicer.util.updateSegmentBinaryLabelmapFromArray``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from VSClickCorrectLib.geometry.volume import Case

from VSClickCorrectResearch.benchmark.comparisons.click_correction import correction_of
from VSClickCorrectResearch.benchmark.comparisons.comparison import Comparison, in_turns, require
from VSClickCorrectResearch.benchmark.timing import timed
from VSClickCorrectResearch.evaluation.metrics import dice


def compare(case: Case, truth: np.ndarray, repeats: int) -> Comparison:
    """Write one correction by `SegmentMask.write` and by Slicer's function, on the same nodes.

    Parameters
    ----------
    case : Case
        Its reference volume's grid is the segment's.
    truth : ndarray of bool
        The true mask, not empty, ``(K, J, I)``; a click's correction towards it is what is written.
    repeats : int
        How often each writes.

    Raises
    ------
    ProgramMissing
        If Slicer's Python packages are not installed.
    """
    require("slicer", "slicer-core")
    from VSClickCorrectResearch.benchmark.comparisons.segment_nodes import segment_nodes

    correction = correction_of(case, truth)
    box, whole = correction.change.box, correction.corrected.astype(np.uint8)
    values, scores = correction.corrected[box.slices], []
    with segment_nodes(case, correction.start) as nodes, nodes.slicer_modules():

        def written(write: Callable[[], None]) -> float:
            nodes.mask.write(box, correction.start[box.slices])
            seconds = timed(write)
            scores.append(dice(nodes.mask.read(case.grid.box), correction.corrected))
            return seconds

        def ours() -> float:
            return written(lambda: nodes.mask.write(box, values))

        def reference() -> float:
            return written(lambda: nodes.write_as_slicer(whole))

        # Slicer's function leaves a labelmap of the whole volume: both then find the same one.
        reference()
        ours()
        seconds = in_turns(repeats, ours, reference)
    return Comparison(
        "write of a correction / slicer.util",
        *seconds,
        equal=min(scores),
        target=100.0,
        note="SegmentMask.write of a click's box, and slicer.util.updateSegmentBinaryLabelmapFromArray with "
        f"the whole corrected array, wrote the same {sum(correction.change.count)} changed voxels into the "
        "same segment, no view open.",
    )
