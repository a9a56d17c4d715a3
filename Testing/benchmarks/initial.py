"""Seconds and peak memory of the initial mask at 512×512×120."""

from __future__ import annotations

import resource
import time

import numpy as np
from common import full_size_case, machine, options
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.models import ModelFolder


def main() -> None:
    """Run and print."""
    chosen = options(__doc__ or "")
    print(machine(chosen.threads))
    case, _ = full_size_case(chosen.t1ce)
    before = _peak_gigabytes()
    started = time.perf_counter()
    segmenter = InitialSegmenter.load(ModelFolder(), "cpu")
    print(f"{'loading both networks':36s} {time.perf_counter() - started:.2f} s")
    seconds = []
    for _ in range(chosen.repeats):
        started = time.perf_counter()
        found = segmenter.segment(case)
        seconds.append(time.perf_counter() - started)
    print(
        f"{'initial mask':36s} median {np.median(seconds):.2f} s, most {max(seconds):.2f} s, n {len(seconds)}"
    )
    print(f"{'voxels found':36s} {int(found.values.sum())}, confidence {found.confidence:.2f}")
    print(f"{'peak memory of the process':36s} {_peak_gigabytes():.2f} GB (case alone {before:.2f} GB)")


def _peak_gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
