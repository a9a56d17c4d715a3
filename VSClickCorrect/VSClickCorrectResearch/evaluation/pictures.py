"""Pictures of a mask on its slices, cropped to the tumour's surroundings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import axial_coordinates
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.io.files import write_atomically

# Okabe and Ito's palette, told apart by colour-blind readers too.
COLOURS = {"mask": "#E69F00", "before": "#56B4E9", "truth": "#009E73", "goal": "#009E73"}
_NAMES = {"mask": "segment", "before": "before this round", "truth": "truth", "goal": "what the user aims at"}
MARKERS = {ClickKind.BOUNDARY: "o", ClickKind.INCLUDE: "+", ClickKind.EXCLUDE: "x"}
_SLICES = 6
_HALF_MM = 24.0
# Rows and columns of an axial slice.
View = tuple[slice, slice]


def save_picture(
    path: Path, case: Case, masks: Mapping[str, np.ndarray], clicks: Sequence[Click], title: str
) -> None:
    """Draw masks as outlines on up to six axial slices of each sequence.

    Parameters
    ----------
    path : Path
        PNG to write; it appears whole or not at all.
    case : Case
        The sequences.
    masks : mapping of str to ndarray of bool
        Outlines by name, any of ``COLOURS``; the picture is centred on them.
    clicks : sequence of Click
        Drawn on their slice.
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
    axial = {name: order.arranged(mask) for name, mask in masks.items()}
    slices, view = _view(case.grid, axial)
    places = [(click, axial_coordinates(case.grid, click.position_ras)) for click in clicks]
    sequences = {name: v for name, v in case.sequences.items() if v is not None}
    figure = Figure(figsize=(2.4 * len(slices), 2.55 * len(sequences) + 0.7), facecolor="#111111")
    axes = figure.subplots(len(sequences), len(slices), squeeze=False)
    for row, (name, volume) in zip(axes, sequences.items(), strict=True):
        image, (low, high) = order.arranged(volume.array), volume.intensity_range
        for axis, k in zip(row, slices, strict=True):
            axis.imshow(
                image[(k, *view)],
                cmap="gray",
                vmin=low,
                vmax=high,
                **place(case.grid, view),
            )
            for one, mask in axial.items():
                style = "solid" if one == "mask" else "dashed"
                outline(axis, mask[k], view, colors=COLOURS[one], linewidths=1.1, linestyles=style)
            _mark(axis, [(c, p) for c, p in places if round(p[0]) == k])
            axis.set_axis_off()
            # Counted as everywhere else: from 1 at the bottom.
            title_of_slice = f"{name.replace('t1ce', 'T1ce').replace('t2', 'T2')}, slice {k + 1}"
            axis.set_title(title_of_slice, color="w", fontsize=8)
    figure.suptitle(title, color="w", fontsize=10)
    _legend(figure, masks)
    figure.subplots_adjust(0.005, 0.06, 0.995, 0.86, 0.02, 0.12)
    FigureCanvasAgg(figure)
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=110))


def _view(grid: Grid, masks: Mapping[str, np.ndarray]) -> tuple[list[int], View]:
    """Return slices through the masks, evenly spread, and the rows and columns around them."""
    box = Box.of_array(np.logical_or.reduce(list(masks.values()))) or Box((0, 0, 0), grid.axial_shape)
    last = box.stop[0] - 1
    slices = sorted(
        {int(round(k)) for k in np.linspace(box.start[0], last, min(_SLICES, last - box.start[0] + 1))}
    )
    return slices, view_around(grid, box, _HALF_MM)


def view_around(grid: Grid, box: Box, half_mm: float) -> View:
    """Return the rows and columns up to so many mm from the middle of a box, within the image."""
    view = []
    for axis in (1, 2):
        middle = (box.start[axis] + box.stop[axis]) // 2
        half = int(half_mm / grid.axial_spacing[axis])
        view.append(slice(max(0, middle - half), min(grid.axial_shape[axis], middle + half)))
    return view[0], view[1]


def place(grid: Grid, view: View) -> dict[str, Any]:
    """Return what tells ``imshow`` where rows and columns of an axial slice lie, and how high a pixel is."""
    rows, columns = view
    return {
        "extent": (columns.start - 0.5, columns.stop - 0.5, rows.stop - 0.5, rows.start - 0.5),
        "aspect": grid.axial_spacing[1] / grid.axial_spacing[2],
    }


def outline(axis: Any, mask: np.ndarray, view: View, **style: Any) -> None:
    """Draw the outline of a mask in one axial slice, if it has one there; ``style`` is as for ``contour``."""
    if mask[view].any() and not mask[view].all():
        rows, columns = (np.arange(part.start, part.stop) for part in view)
        axis.contour(columns, rows, mask[view], [0.5], **style)


def _mark(axis, places: Sequence[tuple[Click, np.ndarray]]) -> None:
    for click, place in places:
        axis.plot(place[2], place[1], MARKERS[click.kind], color="#F0E442", markersize=6, fillstyle="none")


def _legend(figure, masks: Mapping[str, np.ndarray]) -> None:
    for n, name in enumerate(masks):
        figure.text(0.01 + 0.12 * n, 0.015, f"— {_NAMES[name]}", color=COLOURS[name], fontsize=9)
    figure.text(0.01 + 0.12 * len(masks), 0.015, "○ click", color="#F0E442", fontsize=9)
