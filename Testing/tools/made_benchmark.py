"""Results of a benchmark, made up, with medians that are easy to work out."""

from VSClickCorrectResearch.benchmark.arithmetic import NetworkRate
from VSClickCorrectResearch.benchmark.comparisons.comparison import Comparison
from VSClickCorrectResearch.benchmark.results import PARTS, SESSION, BenchmarkResults, SizeTimes
from VSClickCorrectResearch.benchmark.timing import Timing
from VSClickCorrectResearch.benchmark.variants import Variant


def made_benchmark():
    """Two sizes, three comparisons of which one is missing, two networks, three ways."""
    return BenchmarkResults(
        command="vsclick bench --output there",
        machine={"processor": "a fast one", "torch": "2.13.0"},
        start=[Timing("Python alone", "ms", (20.0, 30.0, 40.0))],
        sizes=[_size("384×384×40", 1.0), _size("512×512×240, slices of 0.75 mm", 1.5)],
        comparisons=[
            Comparison("initial mask", (1.0, 1.2), (11.0, 33.0), 0.9975, 3.0, "Same boxes."),
            Comparison("undo", (0.002,), (0.1,), 1.0, 100.0, "Same nodes."),
        ],
        missing=["MONAI is not installed."],
        networks=[
            NetworkRate("vs-locator-4", (1, 2, 64, 72, 56), 7.1, (0.2,), 2, 150.0),
            NetworkRate("vs-corrector-3", (1, 20, 48, 48), 0.9, (0.01,), 1, 150.0),
        ],
        variants=[
            Variant("as it ships", (0.010,)),
            Variant("2 threads", (0.018,)),
            Variant("torch.compile", (0.009,)),
        ],
    )


def _size(name, factor):
    parts = dict(zip(PARTS, (2.0, 10.0, 2.5, 0.5, 1.0), strict=True))
    rows = [Timing(what, "ms", (factor * ms,) * 3) for what, ms in (*parts.items(), ("click", 16.0))]
    rows += [Timing("initial mask", "ms", (1000.0 * factor,) * 2)]
    session = [10.0 * factor] * 100 + [12.0 * factor] * 150 + [15.0 * factor] * 100
    rows += [Timing(SESSION, "ms", tuple(session))]
    return SizeTimes(name, (*rows, Timing("peak memory, all of it", "MB", (1200.0 * factor,))))
