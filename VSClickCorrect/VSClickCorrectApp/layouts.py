"""The layouts: which views each shows, and where on the page's grid of rows and columns."""

from __future__ import annotations

from collections.abc import Sequence

from VSClickCorrectLib.geometry.grid import Grid

LAYOUTS = {
    "axial": "Axial",
    "coronal": "Coronal",
    "sagittal": "Sagittal",
    "planes": "All planes",
    "surface": "Axial and 3D",
}
# The views of each plane, which always show the same part of the patient.
TWINS = {
    "Axial": ("T1ce", "T2"),
    "Coronal": ("Coronal", "CoronalT2"),
    "Sagittal": ("Sagittal", "SagittalT2"),
}
AXIAL_VIEWS = TWINS["Axial"]
PLANE_VIEWS = (*TWINS["Coronal"], *TWINS["Sagittal"])
SLICE_VIEWS = (*AXIAL_VIEWS, *PLANE_VIEWS)
SURFACE_VIEW = "ThreeD"
ALL_VIEWS = (*SLICE_VIEWS, SURFACE_VIEW)
# So that one, two or three views fill a row evenly, and the planes below the axial views two fifths.
COLUMNS, ROWS, AXIAL_ROWS = 6, 5, 3


def places(layout: str, axial: Sequence[str], enlarged: str = "") -> dict[str, str]:
    """Return the views that a layout shows and the CSS grid area of each.

    Parameters
    ----------
    layout : str
        A key of `LAYOUTS`.
    axial : sequence of str
        The axial views whose sequences the case has, one or both.
    enlarged : str
        A view that fills the page by itself, if there is one.

    Returns
    -------
    dict of str
        By view: first row, first column, row and column after the last, as CSS writes them.
    """
    if enlarged:
        return _row((enlarged,), 1, 1 + ROWS)
    if layout == "planes":
        above = _row(axial, 1, 1 + AXIAL_ROWS)
        below = (TWINS["Coronal"][0], TWINS["Sagittal"][0], SURFACE_VIEW)
        return above | _row(below, 1 + AXIAL_ROWS, 1 + ROWS)
    if layout in ("coronal", "sagittal"):
        return _row(TWINS[layout.title()][: len(axial)], 1, 1 + ROWS)
    return _row((*axial, SURFACE_VIEW) if layout == "surface" else axial, 1, 1 + ROWS)


def acquired_plane(grid: Grid) -> str:
    """Return the layout that shows a grid's slices as they were acquired: axial, coronal or sagittal."""
    side = grid.axial_order().axes.index(grid.slice_order().axes[0])
    return ("axial", "coronal", "sagittal")[side]


def plane_of(view: str) -> str:
    """Return the plane of a slice view, a key of `TWINS`."""
    return next(plane for plane, twins in TWINS.items() if view in twins)


def _row(views: Sequence[str], top: int, bottom: int) -> dict[str, str]:
    width = COLUMNS // len(views)
    lefts = range(1, COLUMNS + 1, width)
    return {
        view: f"{top} / {left} / {bottom} / {left + width}" for view, left in zip(views, lefts, strict=True)
    }
