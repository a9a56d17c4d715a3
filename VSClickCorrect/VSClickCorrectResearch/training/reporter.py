"""What a training tells while it runs: a bar or lines, a log, a picture of its curves, TensorBoard events."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from VSClickCorrectLib.errors import VSClickError, on_one_line
from VSClickCorrectLib.io.files import check_file, write_text
from VSClickCorrectLib.io.json_files import parse_json

from VSClickCorrectResearch.training.checkpoint import TrainingProgress
from VSClickCorrectResearch.training.schedule import Schedule

try:
    from tqdm import tqdm

    from VSClickCorrectResearch.training.curves import draw_curves
except ModuleNotFoundError as error:
    raise VSClickError(
        f"training needs the package {error.name}: pip install 'vsclickcorrect[train]'."
    ) from None

LOG, CURVES = "log.jsonl", "curves.png"
_HEAD = "schedule"
# Drawing takes a third of a second, which looks of a small network may not.
_SECONDS_BETWEEN_PICTURES = 15.0


class Reporter:
    """Reports on one training; a context manager.

    Parameters
    ----------
    output : Path
        Folder for ``log.jsonl``, ``curves.png`` and ``tensorboard``. An earlier log is written anew from
        ``progress``, since an interruption may have come between log and checkpoint.
    schedule : Schedule
        The first line of the log, with the seed.
    seed : int
        Of the training.
    progress : TrainingProgress
        Of the training; the loop goes on filling it.
    """

    def __init__(self, output: Path, schedule: Schedule, seed: int, progress: TrainingProgress) -> None:
        self._output, self._schedule, self._progress = output, schedule, progress
        head = {_HEAD: asdict(schedule), "seed": seed}
        text = "".join(json.dumps(row) + "\n" for row in [head, *progress.rows])
        write_text(output / LOG, text)
        if progress.step:
            print(f"Goes on from step {progress.step} in {on_one_line(str(output))}.", flush=True)
        self._events = _tensorboard(output / "tensorboard", progress.step)
        self._drawn = time.monotonic()
        self._bar = _bar(schedule, progress)

    def __enter__(self) -> Reporter:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End, with a last picture if all went well."""
        self._bar.close()
        if self._events:
            self._events.close()
        if kind is None:
            draw_curves(self._output / CURVES, self._progress.rows)

    def step(self) -> None:
        """Report that a step was done."""
        self._bar.update()

    def look(self) -> None:
        """Report the last row of the progress."""
        row = self._progress.rows[-1]
        with open(self._output / LOG, "a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")
        if self._events:
            for name in ("loss", "score", "learning_rate"):
                self._events.add_scalar(name, row[name], row["step"])
            self._events.flush()
        if time.monotonic() - self._drawn > _SECONDS_BETWEEN_PICTURES:
            draw_curves(self._output / CURVES, self._progress.rows)
            self._drawn = time.monotonic()
        self._say(row)

    def _say(self, row: dict[str, float]) -> None:
        best, rate = f"{self._progress.best:.4f}", f"{row['learning_rate']:.1e}"
        self._bar.set_postfix_str(f"loss {row['loss']:.4f}, best {best}, lr {rate}")
        if self._bar.disable:
            numbers = f"loss {row['loss']:.4f}  validation {row['score']:.4f}  best {best}  lr {rate}"
            print(f"step {row['step']:6d}  {numbers}", flush=True)


def is_log(path: Path) -> bool:
    """Whether a file begins as the logs of trainings do."""
    try:
        check_file(path)
        with path.open("rb") as stream:
            return _HEAD in parse_json(stream.readline())
    except (VSClickError, OSError, ValueError, TypeError):
        return False


def _bar(schedule: Schedule, progress: TrainingProgress) -> tqdm:
    class Bar(tqdm):
        """Counts what is left by the steps or by the minutes, whichever end first."""

        @property
        def format_dict(self) -> dict[str, Any]:
            said = super().format_dict
            spent, done = said["elapsed"], said["n"] - said["initial"]
            left = schedule.minutes * 60 - progress_seconds - spent
            if done:
                left = min(left, (said["total"] - said["n"]) * spent / done)
            said["left"] = "?" if left == float("inf") else self.format_interval(max(0, left))
            return said

    progress_seconds = progress.seconds
    return Bar(
        total=schedule.steps,
        initial=progress.step,
        disable=not sys.stderr.isatty(),
        dynamic_ncols=True,
        bar_format="{n_fmt}/{total_fmt} |{bar}| {elapsed}<{left}{postfix}",
    )


def _tensorboard(folder: Path, step: int) -> Any:
    """Return a writer of events, or None where TensorBoard is not installed."""
    if find_spec("tensorboard") is None:
        print("TensorBoard is not installed: no events are written.", flush=True)
        return None
    from torch.utils.tensorboard import SummaryWriter

    # What an interrupted part wrote after its last checkpoint is hidden.
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
