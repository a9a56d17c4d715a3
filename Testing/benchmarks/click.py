"""Milliseconds and bytes of one click, on MRML nodes at 512×512×120, models warm."""

from __future__ import annotations

import time

import numpy as np
from common import full_size_case, machine, options
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.models import ModelFolder
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.mrml.correction import correct_segment
from VSClickCorrectLib.mrml.scene import HeadlessScene
from VSClickCorrectLib.session.edit import Edit
from VSClickCorrectLib.simulation.errors import uneven_border
from VSClickCorrectLib.simulation.user import border_clicks

_CLICKS_A_ROUND = 5


def main() -> None:
    """Run and print."""
    chosen = options(__doc__ or "")
    print(machine(chosen.threads))
    case, truth = full_size_case(chosen.t1ce)
    corrector = Corrector.load(ModelFolder(), device="cpu")
    rng = np.random.default_rng(0)
    with HeadlessScene() as headless:
        nodes = CaseNodes(headless.scene, case.t1ce, case.t2)
        start = uneven_border(truth, case.grid.spacing[::-1], rng)
        *segment, mask = nodes.add_mask(start, "tumour")
        edits: list[Edit] = []
        correction = correct_segment(nodes.volumes, tuple(segment), corrector, on_edit=edits.append)
        walls = []
        for _ in range(chosen.repeats):
            for click in border_clicks(case.grid, truth, mask.read(mask.grid.box), _CLICKS_A_ROUND, rng):
                started = time.perf_counter()
                correction.place(click)
                walls.append((time.perf_counter() - started) * 1000)
            mask.fill(uneven_border(truth, case.grid.spacing[::-1], rng))
        undos = [_timed(correction.undo) for _ in range(_CLICKS_A_ROUND)]
        write = [_timed(lambda e=e: e.change.revert(mask)) for e in edits for _ in range(2)]
        correction.close()
    _row("point placed to everything done", walls)
    _row("click to written edit", [e.milliseconds for e in edits])
    _row("write of an edit's voxels", write)
    _row("one undo", undos)
    sizes = [len(e.change.packed) for e in edits]
    print(f"{'bytes of an edit in the history':36s} median {np.median(sizes):.0f}, most {max(sizes)}")


def _timed(action) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def _row(name: str, values: list[float]) -> None:
    low, middle, high = np.percentile(values, [10, 50, 90])
    print(f"{name:36s} median {middle:.2f} ms, 10-90 % {low:.2f} to {high:.2f} ms, n = {len(values)}")


if __name__ == "__main__":
    main()
