"""What a training tells: lines or a bar, the log, the picture and the events."""

import io
import json
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from pytorch_lightning.callbacks import Timer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from VSClickCorrectLib.errors import StorageError
from VSClickCorrectResearch.training import curves, reporter
from VSClickCorrectResearch.training.curves import draw_curves
from VSClickCorrectResearch.training.reporter import Reporter
from VSClickCorrectResearch.training.schedule import Schedule

SCHEDULE = Schedule(steps=6, val_every=2)
ROWS = [
    {"step": 2, "loss": 0.75, "score": 0.25, "learning_rate": 1e-3, "seconds": 10.0},
    {"step": 4, "loss": 0.5, "score": 0.5, "learning_rate": 1e-3, "seconds": 20.0},
    {"step": 6, "loss": 0.25, "score": 0.375, "learning_rate": 5e-4, "seconds": 30.0},
]


def report(output, rows=ROWS, before=()):
    """Report as a training does: two steps, then a look."""
    known = list(before)
    told = Reporter(output, SCHEDULE, 5, known, Timer())
    told.on_train_start()
    for row in rows:
        told.on_train_batch_end()
        told.on_train_batch_end()
        known.append(row)
        told.on_train_epoch_end()
    told.on_train_end()


def log_of(output):
    return [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]


def test_lines_are_plain_where_there_is_no_terminal(tmp_path, capsys):
    report(tmp_path)
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[1] == "step      4  loss 0.5000  validation 0.5000  best 0.5000  lr 1.0e-03"
    assert lines[2] == "step      6  loss 0.2500  validation 0.3750  best 0.5000  lr 5.0e-04"
    assert len(lines) == 3
    assert said.err == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_bar_on_a_terminal_tells_steps_loss_best_and_rate(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    report(tmp_path)
    last = terminal.getvalue().rstrip().split("\r")[-1]
    assert last.startswith("6/6 |")
    assert last.endswith("loss 0.2500, best 0.5000, lr 5.0e-04")
    assert capsys.readouterr().out == ""


def test_bar_counts_what_is_left_by_the_minutes_where_they_end_first(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    schedule = Schedule(steps=10**9, minutes=120.0)
    timer = Timer()
    timer.load_state_dict({"time_elapsed": {"train": 3600.0}})
    told = Reporter(tmp_path, schedule, 5, ROWS[:1], timer)
    told.on_train_start()
    told.on_exception()
    # An hour is over, an hour is left, less the moment that this took.
    left = terminal.getvalue().split("<")[1]
    assert left.startswith(("1:00:00", "59:"))


def test_log_begins_with_schedule_and_seed(tmp_path):
    report(tmp_path)
    head, *rows = log_of(tmp_path)
    assert head["seed"] == 5
    assert head["schedule"]["val_every"] == 2
    assert rows == ROWS


def test_log_goes_on_and_drops_what_the_checkpoint_does_not_know(tmp_path, capsys):
    report(tmp_path)
    changed = [{**ROWS[1], "score": 0.875}, ROWS[2]]
    report(tmp_path, changed, before=ROWS[:1])
    assert log_of(tmp_path)[1:] == [ROWS[0], *changed]
    assert f"Goes on from step 2 in {tmp_path}." in capsys.readouterr().out


def events_of(output):
    read = EventAccumulator(str(output / "tensorboard"))
    read.Reload()
    return {
        name: [(event.step, event.value) for event in read.Scalars(name)] for name in read.Tags()["scalars"]
    }


def test_events_tell_loss_score_and_learning_rate(tmp_path):
    report(tmp_path)
    found = events_of(tmp_path)
    assert set(found) == {"loss", "score", "learning_rate"}
    assert found["loss"] == [(2, 0.75), (4, 0.5), (6, 0.25)]
    assert found["score"] == [(2, 0.25), (4, 0.5), (6, 0.375)]
    assert [value for _, value in found["learning_rate"]] == pytest.approx([1e-3, 1e-3, 5e-4])


def test_without_tensorboard_it_is_said_once_and_all_else_is_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(reporter, "find_spec", lambda name: None)
    report(tmp_path)
    assert capsys.readouterr().out.count("TensorBoard is not installed") == 1
    assert not (tmp_path / "tensorboard").exists()
    assert log_of(tmp_path)[1:] == ROWS
    assert (tmp_path / "curves.png").exists()


def test_picture_is_drawn_at_looks_now_and_then_and_at_the_end(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(reporter, "draw_curves", lambda path, rows: drawn.append((path.name, len(rows))))
    monkeypatch.setattr(reporter, "_SECONDS_BETWEEN_PICTURES", 1e9)
    report(tmp_path)
    assert drawn == [("curves.png", 3)]
    drawn.clear()
    monkeypatch.setattr(reporter, "_SECONDS_BETWEEN_PICTURES", -1.0)
    report(tmp_path)
    assert drawn == [("curves.png", n) for n in (1, 2, 3, 3)]


@pytest.mark.parametrize("count", [1, 3])
def test_picture_shows_every_curve(tmp_path, count):
    draw_curves(tmp_path / "curves.png", ROWS[:count])
    picture = imread(tmp_path / "curves.png")[..., :3]
    for name in ("loss", "score", "learning_rate"):
        near = np.abs(picture - to_rgb(curves.COLOURS[name])).max(axis=-1) < 0.02
        assert near.sum() > 10
    assert (picture == 1).all(axis=-1).mean() > 0.5


def test_picture_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(StorageError, match="cannot write"):
        draw_curves(tmp_path / "missing" / "curves.png", ROWS)
