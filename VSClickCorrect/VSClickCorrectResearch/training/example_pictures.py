"""Pictures of what a network learns from and makes of it, after the thesis's figures 4.3 to 4.21."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from VSClickCorrectLib.io.files import write_atomically

from VSClickCorrectResearch.evaluation.metrics import dice
from VSClickCorrectResearch.training.examples import Example

# Okabe and Ito's, near the thesis's red, purple and orange: what is missed, too much, and right.
MISSED, TOO_MUCH, RIGHT = (0.84, 0.37, 0.0), (0.8, 0.47, 0.65), (0.9, 0.62, 0.0)
_SLICES = 6
_FRAME = "#F0E442"
# A row of pictures by its name; one that is RGB has three numbers a pixel.
Rows = Mapping[str, Sequence[np.ndarray]]


def draw_rows(path: Path, rows: Rows, titles: Mapping[str, Sequence[str]], framed: int | None = None) -> None:
    """Draw rows of pictures, each with its name at the left.

    Parameters
    ----------
    path : Path
        PNG to write; it appears whole or not at all.
    rows : mapping
        Pictures ``(rows, columns)`` from 0 to 1, or RGB, as many in each row.
    titles : mapping
        What stands above the pictures of a row; rows that are not named have none.
    framed : int, optional
        The column with a frame.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    count = len(next(iter(rows.values())))
    figure = Figure(figsize=(1.6 * count + 0.9, 1.75 * len(rows)), layout="constrained", facecolor="#111111")
    for axes, (name, pictures) in zip(
        figure.subplots(len(rows), count, squeeze=False), rows.items(), strict=True
    ):
        axes[0].set_ylabel(name, color="w", fontsize=8)
        for n, (axis, picture) in enumerate(zip(axes, pictures, strict=True)):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            _without_ticks(axis, framed == n)
            if name in titles:
                axis.set_title(titles[name][n], color="w", fontsize=7)
    FigureCanvasAgg(figure)
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=110))


def _without_ticks(axis: Axes, framed: bool) -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_color(_FRAME if framed else "#111111")
        spine.set_linewidth(2.0)


def cut_rows(
    cuts: Sequence[Example], corrected: Sequence[np.ndarray] | None = None
) -> tuple[Rows, dict[str, list[str]]]:
    """Return the clicked slices of cuts as rows of pictures, and the DSC above those that have one.

    Parameters
    ----------
    cuts : sequence of Example
        As `examples.patch_examples` gives them.
    corrected : sequence of ndarray, optional
        What a network makes of each: probabilities ``(slices, size, size)``.
    """
    middle = cuts[0][0].shape[1] // 2
    rows = {
        "T1ce": [channels[0, middle] for channels, _ in cuts],
        "T2": [channels[1, middle] for channels, _ in cuts],
        "true": [targets[0, middle] for _, targets in cuts],
        "to correct": [targets[1, middle] for _, targets in cuts],
    }
    if corrected is not None:
        rows["corrected"] = [probability[middle] >= 0.5 for probability in corrected]
    rows = {name: [np.asarray(one, np.float32) for one in pictures] for name, pictures in rows.items()}
    return rows, {name: _scores(rows[name], rows["true"]) for name in list(rows)[3:]}


def _scores(found: Sequence[np.ndarray], true: Sequence[np.ndarray]) -> list[str]:
    return [f"DSC {dice(a >= 0.5, b >= 0.5):.3f}" for a, b in zip(found, true, strict=True)]


def slice_rows(cut: Example) -> tuple[Rows, int]:
    """Return all slices of a volumetric cut as rows of pictures, and which of them was clicked."""
    channels, targets = (np.asarray(array, np.float32) for array in cut)
    rows = {"T1ce": channels[0], "T2": channels[1], "true": targets[0], "to correct": targets[1]}
    return {name: list(slices) for name, slices in rows.items()}, channels.shape[1] // 2


def source_rows(source: Example, found: np.ndarray | None = None) -> tuple[Rows, dict[str, list[str]]]:
    """Return slices of what an initial network sees as rows of pictures, and the numbers of the slices.

    Parameters
    ----------
    source : Example
        As `examples.slab_source` and `examples.crop_source` give it.
    found : ndarray of bool, optional
        What a network finds there, ``(slices, rows, columns)``.
    """
    channels, (truth,) = (np.asarray(array, np.float32) for array in source)
    hits = np.flatnonzero((truth >= 0.5).any(axis=(1, 2)))
    first, last = (hits[0], hits[-1]) if len(hits) else (0, len(truth) - 1)
    chosen = np.unique(np.linspace(first, last, _SLICES).round().astype(int))
    rows = {name: list(values[chosen]) for name, values in zip(("T1ce", "T2"), channels, strict=True)}
    rows["true"] = list(truth[chosen])
    if found is not None:
        rows["found"] = [overlap(truth[k] >= 0.5, found[k]) for k in chosen]
    return rows, {"T1ce": [f"slice {k + 1}" for k in chosen]}


def overlap(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return RGB of two masks, black where neither is (figure 4.21)."""
    colours = np.zeros((*truth.shape, 3), np.float32)
    colours[truth & ~found], colours[found & ~truth], colours[truth & found] = MISSED, TOO_MUCH, RIGHT
    return colours


def combined(sources: Sequence[Example]) -> np.ndarray:
    """Return how often each row and column of equal slabs is tumour, 0 to 1 (figure 4.4)."""
    total = sum(np.asarray(target, np.float32)[0].sum(axis=0) for _, target in sources)
    return np.asarray(total) / max(float(np.max(total)), 1e-6)
