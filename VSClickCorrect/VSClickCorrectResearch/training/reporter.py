"""What a training tells while it runs: a bar or lines, a log, a picture of its curves, TensorBoard events."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback
from pytorch_lightning.callbacks import Timer
from tqdm import tqdm
from VSClickCorrectLib.errors import VSClickError, on_one_line
from VSClickCorrectLib.io.files import check_file, write_text
from VSClickCorrectLib.io.json_files import parse_json

from VSClickCorrectResearch.training.curves import draw_curves
from VSClickCorrectResearch.training.looks import Row
from VSClickCorrectResearch.training.schedule import Schedule

LOG, CURVES = "log.jsonl", "curves.png"
_HEAD = "schedule"
# Drawing takes a third of a second, which looks of a small network may not.
_SECONDS_BETWEEN_PICTURES = 15.0


class Reporter(Callback):
    """Reports on one training.

    Parameters
    ----------
    output : Path
        Folder for ``log.jsonl``, ``curves.png`` and ``tensorboard``. An earlier log is written anew from
        ``rows``, since an interruption may have come between log and checkpoint.
    schedule : Schedule
        The first line of the log, with the seed.
    seed : int
        Of the training.
    rows : list of Row
        One for each look so far; the training goes on filling it.
    timer : Timer
        Knows the time that was spent.
    """

    def __init__(self, output: Path, schedule: Schedule, seed: int, rows: list[Row], timer: Timer) -> None:
        self._output, self._schedule, self._rows, self._timer = output, schedule, rows, timer
        self._head = {_HEAD: asdict(schedule), "seed": seed}
        self._bar: Any = None
        self._events: Any = None
        self._drawn = 0.0

    def on_train_start(self, *_: Any) -> None:
        """Begin the log, the events and the bar."""
        text = "".join(json.dumps(row) + "\n" for row in [self._head, *self._rows])
        write_text(self._output / LOG, text)
        done = int(self._rows[-1]["step"]) if self._rows else 0
        if done:
            print(f"Goes on from step {done} in {on_one_line(str(self._output))}.", flush=True)
        self._events = _tensorboard(self._output / "tensorboard", done)
        self._bar = _bar(self._schedule, done, self._timer.time_elapsed())
        self._drawn = time.monotonic()

    def on_train_batch_end(self, *_: Any) -> None:
        """Count a step."""
        self._bar.update()

    def on_train_epoch_end(self, *_: Any) -> None:
        """Report the last of the rows."""
        row = self._rows[-1]
        with open(self._output / LOG, "a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")
        if self._events:
            for name in ("loss", "score", "learning_rate"):
                self._events.add_scalar(name, row[name], row["step"])
            self._events.flush()
        if time.monotonic() - self._drawn > _SECONDS_BETWEEN_PICTURES:
            self._draw()
        self._say(row)

    def on_train_end(self, *_: Any) -> None:
        """End, with a last picture."""
        self.on_exception()
        self._draw()

    def on_exception(self, *_: Any) -> None:
        """End bar and events."""
        if self._bar is not None:
            self._bar.close()
        if self._events:
            self._events.close()

    def _draw(self) -> None:
        draw_curves(self._output / CURVES, self._rows)
        self._drawn = time.monotonic()

    def _say(self, row: Row) -> None:
        best, rate = f"{max(row['score'] for row in self._rows):.4f}", f"{row['learning_rate']:.1e}"
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


def _bar(schedule: Schedule, steps: int, seconds: float) -> tqdm:
    class Bar(tqdm):
        """Counts what is left by the steps or by the minutes, whichever end first."""

        @property
        def format_dict(self) -> dict[str, Any]:
            said = super().format_dict
            spent, done = said["elapsed"], said["n"] - said["initial"]
            left = schedule.minutes * 60 - seconds - spent
            if done:
                left = min(left, (said["total"] - said["n"]) * spent / done)
            said["left"] = "?" if left == float("inf") else self.format_interval(max(0, left))
            return said

    return Bar(
        total=schedule.steps,
        initial=steps,
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
