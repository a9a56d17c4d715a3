"""Times of the product's networks on a device, without Slicer's scene, which `vsclick bench` needs.

    networks_alone.py DEVICE [--repeats N] [--models FOLDER]

Prints milliseconds of the initial mask, of a click's cut and proposal, and of each network with the share of
the device's best rate of matrix products that it reaches. A first pass, which may look for the fastest way to
compute, is told apart.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.triples import point3
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectResearch.benchmark.arithmetic import network_rates
from VSClickCorrectResearch.benchmark.examination import BenchmarkCase, Size, write_examinations
from VSClickCorrectResearch.benchmark.timing import timed
from VSClickCorrectResearch.benchmark.variants import variants

_SIZES = (Size((40, 384, 384)), Size((120, 512, 512)))
_SPREAD_MM = 4.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("device")
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--models", type=Path)
    options = parser.parse_args()
    networks = Networks.load(ModelFolder(options.models), options.device)
    with TemporaryDirectory() as folder:
        for examination in write_examinations(Path(folder), _SIZES):
            measure(examination, networks, options.repeats)
        rates = network_rates(examination.read(), networks, max(5, options.repeats // 4))
    for one in rates:
        name = f"{one.name} on {'x'.join(map(str, one.shape))}"
        tell(name, list(one.seconds), f", {one.gigaflop:.1f} GFLOP, {one.share:.0%} of the best rate")
    for way in variants(networks.corrector, options.repeats):
        print(f"corrector, {way.name}: {way.median * 1e3:.2f} ms", flush=True)


def measure(examination: BenchmarkCase, networks: Networks, repeats: int) -> None:
    """Measure an initial mask and clicks of one size."""
    case, size = examination.read(), examination.size
    tell(f"initial mask, {size}", runs(lambda: networks.segmenter.segment(case), max(5, repeats // 4)))
    mask = ArrayMask(case.grid, examination.ball(case.grid))
    rng, corrector = np.random.default_rng(0), networks.corrector
    places = np.array(examination.site_ras) + rng.normal(0, _SPREAD_MM, (repeats, 3))
    clicks = iter([Click(point3(place), ClickKind.BOUNDARY) for place in places])
    proposals = runs(lambda: corrector.propose(case, mask, [next(clicks)]), repeats)
    tell(f"a click's cut and proposal, {size}", proposals)


def runs(action: Callable[[], object], repeats: int) -> list[float]:
    """Return the seconds of each of several runs."""
    return [timed(action) for _ in range(repeats)]


def tell(what: str, seconds: list[float], more: str = "") -> None:
    """Print the first run, and the median and the 95th percentile of the others."""
    first, others = 1e3 * seconds[0], 1e3 * np.array(seconds[1:])
    rest = f"median {np.median(others):.2f}, 95 % {np.quantile(others, 0.95):.2f} ms of {len(others)}"
    print(f"{what}: first {first:.2f}, {rest}{more}", flush=True)


if __name__ == "__main__":
    main()
