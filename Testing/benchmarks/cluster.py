"""How many cases ``vsclick prepare`` makes in an hour on a Dask cluster of one and of two workers.

python Testing/benchmarks/cluster.py --cases 6 --repeats 2 --seed 0
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.io.images import write_volume
from VSClickCorrectLib.jobs.cluster import Cluster, connected
from VSClickCorrectLib.jobs.preparation import prepare_apart
from VSClickCorrectLib.jobs.prepared import Preparation

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from dask_cluster import DaskCluster
from find_times import large_case
from process_figures import figures

WORKERS = (1, 2)
SHAPE = (48, 224, 224)
# One core each, as Dask's own nanny has it.
ONE_CORE = {"OMP_NUM_THREADS": "1"}


def write_cases(folder: Path, count: int, seed: int) -> list[Preparation]:
    """Write the sample case on 224 x 224 x 48 voxels, each time with other noise; return the tasks."""
    case, rng = large_case(SHAPE), np.random.default_rng(seed)
    made = []
    for number in range(count):
        place = folder / f"case{number}"
        place.mkdir()
        for name, volume in case.present.items():
            spread = 0.01 * float(np.ptp(volume.array))
            noise = rng.standard_normal(volume.array.shape, np.float32) * np.float32(spread)
            noisy = (volume.array + noise).astype(volume.array.dtype)
            write_volume(place / f"{name}.nii", Volume(noisy, volume.grid))
        files = {name: str(place / f"{name}.nii") for name in case.present}
        made.append(Preparation(place.name, files, {}, str(place / "initial.npz"), Choice(device="cpu")))
    return made


def measured(folder: Path, tasks: list[Preparation], workers: int) -> tuple[float, float, float]:
    """Return seconds by the clock, seconds of the processor, and the MB of the largest worker."""
    folder.mkdir()
    with DaskCluster(folder, ONE_CORE) as dask, connected(dask.address) as client:
        started = [dask.worker() for _ in range(workers)]
        client.wait_for_workers(workers)
        cluster = Cluster(client, [], print)

        def prepared(some: list[Preparation]) -> None:
            for outcome in cluster.each(prepare_apart, some):
                outcome.result()

        def processor() -> float:
            return sum(client.run(time.process_time).values())

        # Loads the networks in each.
        prepared(tasks[:workers])
        begin, before = time.perf_counter(), processor()
        prepared(tasks)
        seconds, used = time.perf_counter() - begin, processor() - before
        return seconds, used, max(figures(one.pid).own_mb for one in started)


def main() -> None:
    """Measure one and two workers in turns, and print the medians as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--price", type=float, default=0.05, help="of a core for an hour, in any money")
    options = parser.parse_args()
    found = defaultdict(list)
    with TemporaryDirectory(prefix="cluster-") as name:
        tasks = write_cases(Path(name), options.cases, options.seed)
        for repeat in range(options.repeats):
            for workers in WORKERS:
                values = measured(Path(name) / f"{repeat}-{workers}", tasks, workers)
                found[workers].append(values)
                print(f"{workers} workers:", *(f"{value:.1f}" for value in values), flush=True)
    report(found, options.cases, options.price)


def report(found: dict[int, list[tuple[float, float, float]]], cases: int, price: float) -> None:
    """Print the medians, how much faster two workers are, and what a thousand cases cost."""
    medians = {n: [median(column) for column in zip(*values, strict=True)] for n, values in found.items()}
    print("| workers | cases an hour | seconds of a core for a case | memory of a worker |")
    for workers, (seconds, used, memory) in medians.items():
        print(f"| {workers} | {3600 * cases / seconds:.0f} | {used / cases:.1f} | {memory:.0f} MB |")
    hours = 1000 * medians[1][1] / cases / 3600
    print(f"Two workers make {medians[1][0] / medians[2][0]:.2f} times as many as one.")
    print(f"1000 cases take {hours:.2f} core hours, at {price} an hour {hours * price:.3f}.")


if __name__ == "__main__":
    main()
