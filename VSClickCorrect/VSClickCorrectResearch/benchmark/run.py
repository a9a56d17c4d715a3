"""The benchmark from beginning to end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from VSClickCorrectLib.inference.device import choose_device
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectLib.io.temporary import TemporaryFolder
from VSClickCorrectLib.signals import undone_by_signals

from VSClickCorrectResearch.benchmark.arithmetic import network_rates
from VSClickCorrectResearch.benchmark.comparisons import COMPARISONS
from VSClickCorrectResearch.benchmark.errors import BenchmarkError, ProgramMissing
from VSClickCorrectResearch.benchmark.examination import (
    SIZES,
    BenchmarkCase,
    Size,
    examination_of,
    write_examinations,
)
from VSClickCorrectResearch.benchmark.machine import describe
from VSClickCorrectResearch.benchmark.results import BenchmarkResults, SizeTimes
from VSClickCorrectResearch.benchmark.startup import start_times
from VSClickCorrectResearch.benchmark.timing import Timing
from VSClickCorrectResearch.benchmark.variants import variants

# The size at which others are compared and networks are held against the machine's limit.
_MIDDLE = Size((120, 512, 512))
# Children and charts would miss them only after minutes.
_NEEDED = ("matplotlib", "slicer")


@dataclass(frozen=True)
class BenchmarkSettings:
    """What to measure.

    Parameters
    ----------
    command : str
        As typed, for the report.
    threads : int or None
        Of torch; as many as it chooses by itself if None.
    device : str
        As for `choose_device`.
    models : Path or None
        Folder of models; those shipped if None.
    repeats : int
        Single clicks and undos of each size.
    clicks : int
        Of the long session.
    sizes : tuple of Size
        Volume sizes.
    scan : tuple of Path or None, optional
        T1ce and T2 of a real scan, of which one may be missing, to measure on instead of synthetic ones.
    comparisons : bool
        Whether to measure others side by side.
    """

    command: str
    threads: int | None
    device: str = "auto"
    models: Path | None = None
    repeats: int = 40
    clicks: int = 1000
    sizes: tuple[Size, ...] = SIZES
    scan: tuple[Path | None, Path | None] | None = None
    comparisons: bool = True


def measure(settings: BenchmarkSettings, say: Callable[[str], None]) -> BenchmarkResults:
    """Measure everything.

    Parameters
    ----------
    settings : BenchmarkSettings
        What.
    say : callable
        Told what is going on.

    Raises
    ------
    ModelError
        If models or device cannot be used.
    BenchmarkError
        If a package is missing or a size could not be measured.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise BenchmarkError(f"the benchmark needs {missing[0]}; install vsclickcorrect[bench].")
    torch.set_num_threads(settings.threads or torch.get_num_threads())
    device = choose_device(settings.device)
    results = BenchmarkResults(settings.command, describe(device))
    say("starting new processes")
    results.start = start_times(max(1, settings.repeats // 8))
    with TemporaryFolder("vsclick-bench-") as folder:
        examinations = _examinations(folder, settings, say)
        for examination in examinations:
            say(f"measuring {examination.size}")
            rows = _in_a_child(examination, settings, folder)
            results.sizes.append(SizeTimes(str(examination.size), rows))
        _in_this_process(_at_the_middle(examinations), settings, results, say)
    return results


def _examinations(
    folder: Path, settings: BenchmarkSettings, say: Callable[[str], None]
) -> list[BenchmarkCase]:
    if settings.scan is None:
        say("making the examination in every size")
        return write_examinations(folder, settings.sizes)
    say("looking for the tumour")
    return [examination_of(*settings.scan, InitialSegmenter.load(ModelFolder(settings.models)))]


def _at_the_middle(examinations: list[BenchmarkCase]) -> BenchmarkCase:
    return next((one for one in examinations if one.size == _MIDDLE), examinations[-1])


def _in_a_child(examination: BenchmarkCase, settings: BenchmarkSettings, folder: Path) -> tuple[Timing, ...]:
    """Measure one size in a process of its own, whose memory is then its own."""
    task, result = folder / "task.json", folder / "result.json"
    values = {
        "t1ce": str(examination.t1ce or ""),
        "t2": str(examination.t2 or ""),
        "shape": examination.size.shape,
        "spacing": examination.size.spacing,
        "site_ras": examination.site_ras,
        "models": str(settings.models) if settings.models else "",
        "threads": torch.get_num_threads(),
        "device": settings.device,
        "repeats": settings.repeats,
        "clicks": settings.clicks,
    }
    task.write_text(json.dumps(values), encoding="utf-8")
    child = [sys.executable, "-m", "VSClickCorrectResearch.benchmark.child", str(task), str(result)]
    # Our own module, by our own interpreter.
    with (
        subprocess.Popen(child, stderr=subprocess.PIPE, text=True) as process,  # noqa: S603
        undone_by_signals(process.kill),
    ):
        said = process.communicate()[1]
    if process.returncode:
        reason = (said.strip().splitlines() or [f"it ended with {process.returncode}"])[-1]
        raise BenchmarkError(f"volumes of {examination.size} could not be measured ({reason}).")
    lines = json.loads(result.read_text(encoding="utf-8"))
    return tuple(Timing(line["what"], line["unit"], tuple(line["values"])) for line in lines)


def _in_this_process(
    examination: BenchmarkCase,
    settings: BenchmarkSettings,
    results: BenchmarkResults,
    say: Callable[[str], None],
) -> None:
    models = ModelFolder(settings.models)
    case = examination.read()
    truth = examination.ball(case.grid)
    networks = Networks.load(models, settings.device)
    say("counting the networks' operations")
    results.networks = network_rates(case, networks, max(3, settings.repeats // 4))
    say("running the corrector in other ways")
    results.variants = variants(networks.corrector, settings.repeats)
    if not settings.comparisons:
        return
    for name, compare in COMPARISONS.items():
        say(f"side by side: {name}")
        try:
            results.comparisons += compare(case, truth, models, settings)
        except ProgramMissing as error:
            results.missing.append(str(error))
