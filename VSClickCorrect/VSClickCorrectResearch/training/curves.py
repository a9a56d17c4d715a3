"""Training curves: loss, validation score and learning rate over the steps, in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from VSClickCorrectLib.io.files import write_atomically

COLOURS = {"loss": "#b5482a", "score": "#1f6f8b", "learning_rate": "#6b6b6b"}
_LABELS = {"loss": "training loss", "score": "validation score", "learning_rate": "learning rate"}
# A look or two would be invisible as a line.
_FEW = 40
# More names would not fit beside their panel.
_RATES = 4
# Labels always have the same room, as finding out what they need takes longer than drawing.
_ROOM = {"left": 0.115, "right": 0.985, "top": 0.955, "bottom": 0.07, "hspace": 0.16}
_LABEL_AT = -0.105


def draw_curves(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Draw what the looks at the validation set found.

    Parameters
    ----------
    path : Path
        PNG to write; it appears whole or not at all.
    rows : sequence of mapping
        One for each look, at least one: ``step``, ``loss``, ``score``, ``learning_rate``, ``seconds``.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    figure = Figure(figsize=(8, 7))
    panels = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1.4), gridspec_kw=_ROOM)
    for axes, name in zip(panels, COLOURS, strict=True):
        _draw(axes, name, rows)
    _name_rates(panels[2], rows)
    panels[2].set_xlabel("step")
    panels[2].xaxis.set_major_formatter(EngFormatter(sep=""))
    _mark_best(panels[:2], rows)
    spent = f"{rows[-1]['step']:,} steps in {_duration(rows[-1]['seconds'])}"
    panels[0].set_title(spent, loc="left", fontsize=10, color=COLOURS["loss"])
    FigureCanvasAgg(figure)
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=110))


def _draw(axes: Axes, name: str, rows: Sequence[Mapping[str, float]]) -> None:
    steps, values = [row["step"] for row in rows], [row[name] for row in rows]
    # The learning rate of a look is that of the steps after it.
    style = "steps-post" if name == "learning_rate" else "default"
    marker = "." if len(rows) <= _FEW else ""
    axes.plot(steps, values, color=COLOURS[name], drawstyle=style, marker=marker, linewidth=1.4)
    axes.set_ylabel(_LABELS[name])
    axes.yaxis.set_label_coords(_LABEL_AT, 0.5)
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _name_rates(axes: Axes, rows: Sequence[Mapping[str, float]]) -> None:
    """Label the rates that there were, or some of them if they are many."""
    rates = sorted({row["learning_rate"] for row in rows})
    named = rates[:: -(-len(rates) // _RATES)]
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.set_yticks(named, [f"{rate:.1e}" for rate in named])
    axes.set_ylim(rates[0] / 1.5, rates[-1] * 1.5)


def _mark_best(panels: Sequence[Axes], rows: Sequence[Mapping[str, float]]) -> None:
    best = max(rows, key=lambda row: row["score"])
    for axes in panels:
        axes.axvline(best["step"], color="#9a9a9a", linewidth=0.9, linestyle=":")
    panels[1].plot(best["step"], best["score"], "o", color=COLOURS["score"], markersize=6)
    panels[1].set_title(
        f"best {best['score']:.4f} at step {best['step']:,}", loc="left", fontsize=10, color=COLOURS["score"]
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
