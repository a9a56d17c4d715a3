"""What an accepted case can teach: clicks on masks that were wrong, and the mask that was accepted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import ndimage

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask, slice_border
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import index3, point3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.session.chain import Event
from VSClickCorrectLib.session.journal import history_of, replay, session_start
from VSClickCorrectLib.session.removal import standing_clicks
from VSClickCorrectLib.session.start_mask import restored, start_of

# Masks that are made wrong, besides the one with which the reader began; a reader's own clicks are few.
_DISPLACED = 4
# The border is moved by so many mm (standard deviation), smoothly over so many.
_BY_MM, _OVER_MM = (0.8, 2.0), (3.0, 8.0)
_MARGIN_MM = 12.0
# Boundary clicks on each of them, where its border is this far from the accepted one.
_CLICKS, _WRONG_MM = 2, 0.5

Given = tuple[Click, ArrayMask]


def accepted_mask(events: Sequence[Event], case: Case, label: np.ndarray) -> ArrayMask:
    """Return the mask that a case's journal and its label agree on.

    Parameters
    ----------
    events : sequence of dict
        The journal's events.
    case : Case
        The images.
    label : ndarray of bool
        The label, ``(K, J, I)``.

    Raises
    ------
    CorrectionError
        If the journal is empty, of other images or damaged, or gives another mask than the label.
    """
    if not events:
        raise CorrectionError("there is no journal beside the label.")
    if not np.array_equal(restored(events, case.grid, None, case), label):
        raise CorrectionError("the label is not the mask that its journal gives.")
    return ArrayMask(case.grid, label)


def given_clicks(events: Sequence[Event], grid: Grid) -> Iterator[Given]:
    """Yield the clicks that stand, as networks see them, each with the mask as it was when it was given.

    The mask changes once the next one is asked for. Clicks that were undone or taken back are left out, with
    those of sessions before the last.

    Parameters
    ----------
    events : sequence of dict
        The journal's events; it holds the mask with which it began.
    grid : Grid
        The image's.

    Raises
    ------
    CorrectionError
        If the journal is damaged.
    """
    events = events[session_start(events) :]
    history, _ = history_of(events)
    standing = {one.number: one.click.in_slice(grid) for one in standing_clicks(history, grid)}
    mask, so_far = ArrayMask(grid, start_of(events, grid)), 0
    for event in events:
        count = len(event.get("clicks", ()))
        for number in range(so_far + 1, so_far + count + 1):
            if number in standing:
                yield standing[number], mask
        so_far += count
        replay([event], mask)


def drawn_clicks(
    grid: Grid, accepted: np.ndarray, start: np.ndarray, rng: np.random.Generator
) -> Iterator[Given]:
    """Yield clicks as a reader would give them, on the mask that was begun with and on some made wrong.

    Parameters
    ----------
    grid : Grid
        Where the masks lie.
    accepted, start : ndarray of bool
        The mask that was accepted, not empty, and the one with which the reader began, ``(K, J, I)``.
    rng : numpy.random.Generator
        Source of chance.
    """
    masks = [start] if start.any() else []
    masks += displaced(grid, accepted, rng, _DISPLACED)
    for values in masks:
        mask = ArrayMask(grid, values)
        for click in clicks_on(grid, accepted, values, rng):
            yield click, mask


def displaced(grid: Grid, values: np.ndarray, rng: np.random.Generator, count: int) -> list[np.ndarray]:
    """Return masks whose border is moved in and out smoothly, each otherwise.

    Parameters
    ----------
    grid, values, rng
        As for `drawn_clicks`, ``values`` being the mask that was accepted.
    count : int
        How many.
    """
    spacing = grid.spacing[::-1]
    box = Box.around(values).padded(index3(np.ceil(_MARGIN_MM / spacing))).clipped(grid.shape)
    inside = values[box.slices]
    depth = ndimage.distance_transform_edt(inside, spacing)
    distance = ndimage.distance_transform_edt(~inside, spacing) - depth
    masks = []
    for _ in range(count):
        noise = ndimage.gaussian_filter(rng.standard_normal(inside.shape), rng.uniform(*_OVER_MM) / spacing)
        # No tumour, however small, is to vanish.
        by = min(rng.uniform(*_BY_MM), 0.6 * float(depth.max()))
        moved = np.zeros_like(values)
        moved[box.slices] = distance < by * noise / max(noise.std(), 1e-6)
        masks.append(moved if moved.any() else values.copy())
    return masks


def clicks_on(grid: Grid, accepted: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> list[Click]:
    """Return clicks that would mend a mask: on the accepted border where the mask's is not, and inside.

    Parameters are those of `drawn_clicks`, ``mask`` being any mask.
    """
    box = Box.around(accepted | mask).padded(2).clipped(grid.shape)
    right, now, spacing = accepted[box.slices], mask[box.slices], grid.spacing[::-1]
    slices_axis = grid.slice_order().axes[0]
    border, other = (slice_border(values, slices_axis) for values in (right, now))
    places: list[tuple[np.ndarray, ClickKind]] = []
    if other.any():
        away = ndimage.distance_transform_edt(~other, spacing)
        wrong = np.argwhere(border & (away >= _WRONG_MM))
        chosen = rng.choice(len(wrong), size=min(_CLICKS, len(wrong)), replace=False)
        places += [(wrong[n], ClickKind.BOUNDARY) for n in chosen]
    for kind, differs in ((ClickKind.INCLUDE, right & ~now), (ClickKind.EXCLUDE, now & ~right)):
        if differs.any():
            depth = ndimage.distance_transform_edt(differs, spacing)
            deep = np.argwhere(depth >= 0.7 * depth.max())
            places.append((deep[rng.integers(len(deep))], kind))
    return [Click(point3(grid.index_to_ras(place + box.start)), kind) for place, kind in places]
