"""The picture of one correction: the start and every round, slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import axial_coordinates
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.io.files import write_atomically

from VSClickCorrectResearch.evaluation.pictures import COLOURS, MARKERS, View, outline, place, view_around
from VSClickCorrectResearch.evaluation.rounds import Round

_ROWS = 4
_MARGIN_MM = 10.0
_HALF_MM = (16.0, 30.0)
_CLICK = "#F0E442"


def save_progress(path: Path, case: Case, truth: np.ndarray, rounds: Sequence[Round], title: str) -> None:
    """Draw up to four axial slices: the bare image, the start, and the mask after each round.

    Parameters
    ----------
    path : Path
        PNG to write; it appears whole or not at all.
    case : Case
        The T1ce is shown, or the T2 where it stands alone.
    truth : ndarray of bool
        The true mask, ``(K, J, I)``; its outline is on every picture but the bare image.
    rounds : sequence of Round
        The start and the rounds; a round's clicks are drawn on the mask that they led to.
    title : str
        Above the picture.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    order = case.grid.axial_order()
    masks = [order.arranged(one.mask) for one in rounds]
    true = order.arranged(truth)
    slices, view = (
        _slices(case.grid, masks, true),
        _view(case.grid, masks, true),
    )
    image, (low, high) = order.arranged(case.reference.array), case.reference.intensity_range
    columns = len(rounds) + 1
    figure = Figure(figsize=(2.3 * columns, 2.3 * len(slices) + 0.9), facecolor="#111111")
    axes = figure.subplots(len(slices), columns, squeeze=False)
    for row, k in zip(axes, slices, strict=True):
        for axis in row:
            axis.imshow(
                image[(k, *view)],
                cmap="gray",
                vmin=low,
                vmax=high,
                interpolation="bilinear",
                **place(case.grid, view),
            )
            axis.set_axis_off()
        # Counted as everywhere else: from 1 at the bottom.
        number = f"slice {k + 1}"
        row[0].text(0.03, 0.95, number, color="w", fontsize=8, va="top", transform=row[0].transAxes)
        for axis, one, mask in zip(row[1:], rounds, masks, strict=True):
            outline(axis, mask[k], view, colors=COLOURS["mask"], linewidths=1.2, linestyles=["solid"])
            outline(axis, true[k], view, colors=COLOURS["truth"], linewidths=1.2, linestyles=[(0, (3, 2))])
            _clicks(axis, case.grid, one, k)
    _words(figure, axes[0], case, rounds, title)
    FigureCanvasAgg(figure)
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=120, facecolor="#111111"))


def _slices(grid: Grid, masks: Sequence[np.ndarray], truth: np.ndarray) -> list[int]:
    """Return slices, lowest first: spread over the tumour, and the one with most error at the start."""
    extent = Box.around(truth)
    errors = (masks[0] ^ truth).sum(axis=(1, 2))
    spread = np.linspace(extent.start[0], extent.stop[0] - 1, _ROWS + 1)[1:-1]
    return sorted({int(np.argmax(errors)), *(int(round(k)) for k in spread)})


def _view(grid: Grid, masks: Sequence[np.ndarray], truth: np.ndarray) -> View:
    """Return square rows and columns around the tumour, so many that the masks are seen unless far off."""
    tumour, box = Box.around(truth), Box.around(np.logical_or.reduce([*masks, truth]))
    reach = 0.0
    for axis in (1, 2):
        middle = (tumour.start[axis] + tumour.stop[axis]) / 2
        farthest = max(middle - box.start[axis], box.stop[axis] - middle)
        reach = max(reach, farthest * grid.axial_spacing[axis])
    return view_around(grid, tumour, float(np.clip(reach + _MARGIN_MM, *_HALF_MM)))


def _clicks(axis, grid: Grid, one: Round, k: int) -> None:
    for click in one.clicks:
        slice_, row, column = axial_coordinates(grid, click.position_ras)
        if round(slice_) == k:
            axis.plot(
                column,
                row,
                MARKERS[click.kind],
                color=_CLICK,
                markersize=7,
                fillstyle="none",
                markeredgewidth=1.5,
            )


def _words(figure, first_row, case: Case, rounds: Sequence[Round], title: str) -> None:
    name = "T1ce" if case.t1ce else "T2"
    heads = [name, *(f"{_stage(n, one)}\nDSC {one.scores.dice:.3f}" for n, one in enumerate(rounds))]
    for axis, head in zip(first_row, heads, strict=True):
        axis.set_title(head, color="w", fontsize=9)
    height = figure.get_figheight()
    figure.suptitle(title, color="w", fontsize=10, y=1 - 0.12 / height, va="top")
    for n, (text, colour) in enumerate(
        (("— mask", COLOURS["mask"]), ("- - truth", COLOURS["truth"]), ("○ click", _CLICK))
    ):
        figure.text(0.01 + 0.9 * n / figure.get_figwidth(), 0.08 / height, text, color=colour, fontsize=9)
    figure.subplots_adjust(0.004, 0.3 / height, 0.996, 1 - 0.75 / height, 0.02, 0.02)


def _stage(number: int, one: Round) -> str:
    count = len(one.clicks)
    return f"round {number}, {count} click{'s' * (count != 1)}" if number else "start"
