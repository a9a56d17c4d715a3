"""How long *Find* takes on 512 x 512 x 120 voxels: in a process started for it, and in one that waits.

python Testing/benchmarks/find_times.py --repeats 5
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from functools import partial
from statistics import median

import numpy as np
from scipy.ndimage import zoom
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder
from VSClickCorrectLib.io.sample_case import read_sample
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.jobs.warm import WarmChild

SHAPE = (120, 512, 512)
# Until its networks are loaded, with time to spare.
CPU = Choice(device="cpu")
READY_S = 10.0


def large_case(shape: tuple[int, int, int] = SHAPE) -> Case:
    """Return the sample case on a finer grid."""
    case = read_sample().case
    factors = np.array(shape) / case.grid.shape
    affine = case.grid.affine.copy()
    affine[:3, :3] = affine[:3, :3] / factors[::-1]
    grid = Grid(shape, affine)
    return Case(*(Volume(zoom(v.array, factors, order=1), grid) for v in (case.t1ce, case.t2)))


def found(case: Case, warm: WarmChild | None) -> None:
    """Find the tumour in a child process."""
    Job.start_segmentation(case, CPU, warm=warm).result()


def timed(work) -> float:
    """Return the seconds that something takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    """Measure one after the other, several times, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    case, segmenter = large_case(), InitialSegmenter.load(ModelFolder(None), "cpu")
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats):
        warm = WarmChild(CPU)
        time.sleep(READY_S)
        for name, work in (
            ("networks alone", lambda: segmenter.segment(case)),
            ("process that waited", partial(found, case, warm)),
            ("process started for it", partial(found, case, None)),
        ):
            times[name].append(timed(work))
    for name, seconds in times.items():
        print(f"{name:24} {median(seconds):5.2f} s")


if __name__ == "__main__":
    main()
