"""One size, measured in a process of its own.

``python -m VSClickCorrectResearch.benchmark.child TASK RESULT``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_set import Networks

from VSClickCorrectResearch.benchmark.clicking import bench, click_times, long_session
from VSClickCorrectResearch.benchmark.examination import BenchmarkCase, Size
from VSClickCorrectResearch.benchmark.timing import Timing, milliseconds, peak_megabytes, timed


def measure(examination: BenchmarkCase, task: dict) -> list[Timing]:
    """Measure everything of one examination.

    Parameters
    ----------
    examination : BenchmarkCase
        Its files.
    task : dict
        ``models``, ``device``, ``repeats`` and ``clicks`` of the command.
    """
    models = ModelFolder(Path(task["models"]) if task["models"] else None)
    repeats = task["repeats"]
    read: list[Case] = []
    rows = [milliseconds("load both sequences", [timed(lambda: read.append(examination.read()))])]
    case = read.pop()
    loaded: list[Networks] = []
    seconds = timed(lambda: loaded.append(Networks.load(models, task["device"])))
    rows.append(milliseconds("load the networks", [seconds]))
    networks = loaded.pop()
    rows += _initial(networks.segmenter, case, max(2, repeats // 6))
    with bench(examination, case, networks.corrector) as at:
        rows += click_times(at, repeats)
        rows.append(long_session(at, task["clicks"]))
    return [*rows, *_peak("peak memory, all of it")]


def _initial(segmenter: InitialSegmenter, case: Case, repeats: int) -> list[Timing]:
    first, *others = [timed(lambda: segmenter.segment(case)) for _ in range(repeats + 1)]
    rows = [milliseconds("initial mask, first", [first]), milliseconds("initial mask", others)]
    return [*rows, *_peak("peak memory, initial mask")]


def _peak(what: str) -> list[Timing]:
    """Return the process's peak memory so far as a line, none where the system does not tell it."""
    peak = peak_megabytes()
    return [] if peak is None else [Timing(what, "MB", (round(peak),))]


def main(task_file: Path, result_file: Path) -> None:
    """Do a task and write down its lines."""
    task = json.loads(task_file.read_text(encoding="utf-8"))
    torch.set_num_threads(task["threads"])
    files = {name: Path(task[name]) if task[name] else None for name in ("t1ce", "t2")}
    size = Size(tuple(task["shape"]), tuple(task["spacing"]))
    examination = BenchmarkCase(size, files["t1ce"], files["t2"], tuple(task["site_ras"]))
    rows = measure(examination, task)
    result_file.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
