"""Which slices form one stack, and in which order: what does not is refused, each slice by its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.dicom_frames import Frame

# Of unit vectors at right angles, for numbers rounded to two decimals.
_SKEW = 0.015
_COARSEST = 0.005
_AGREE_MM = 0.1
# Nearer to each other no two slices of a scan lie.
_SAME_PLACE_MM = 0.05
# Gaps of one scan differ by less, as a share of the usual one.
_UNEVEN = 0.1
_NAMED = 3


@dataclass(frozen=True, eq=False)
class Plane:
    """How a slice lies, wherever it is.

    Parameters
    ----------
    row, column : (3,) array
        Unit vectors at right angles, LPS: along a row, down a column.
    pixel : (2,) array
        mm from column to column and from row to row.
    rounding : float
        See `Frame`.
    """

    row: np.ndarray
    column: np.ndarray
    pixel: np.ndarray
    rounding: float

    @classmethod
    def of(cls, frame: Frame) -> Plane:
        """Return the plane of a slice, its axes made unit vectors at right angles.

        Raises
        ------
        ImageError
            If they are none, by more than rounding explains.
        """
        axes = np.reshape(np.array(frame.orientation, float), (2, 3))
        skew = np.abs(axes @ axes.T - np.eye(2)).max()
        if not skew <= _SKEW or frame.rounding > _COARSEST:
            raise ImageError(
                f"the orientation of {frame.name} is no pair of unit vectors at right angles, or rounded to "
                "less than two decimals, so that it does not tell how the slice lies; export the scan again."
            )
        left, _, right = np.linalg.svd(axes, full_matrices=False)
        row, column = left @ right
        return cls(row, column, np.array(frame.spacing, float)[::-1], frame.rounding)

    @property
    def normal(self) -> np.ndarray:
        """Unit vector at right angles to both."""
        return np.cross(self.row, self.column)

    def place(self, position, pixel) -> np.ndarray:
        """Return where a pixel (column, row) of a slice at a position lies, LPS mm."""
        i, j = np.asarray(pixel) * self.pixel
        return np.asarray(position, float) + i * self.row + j * self.column

    def across(self, step: np.ndarray) -> Plane:
        """Return the nearest plane at right angles to a step."""
        up = step / np.linalg.norm(step)
        axes = np.stack([self.row, self.column])
        left, _, right = np.linalg.svd(axes - np.outer(axes @ up, up), full_matrices=False)
        row, column = left @ right
        return Plane(row, column, self.pixel, self.rounding)


def in_order(frames: Sequence[Frame], size: tuple[int, ...], what: str) -> tuple[list[int], Plane]:
    """Return the numbers of slices from the first to the last along their normal, and their plane.

    Parameters
    ----------
    frames : sequence of Frame
        In any order.
    size : tuple of int
        Rows and columns of each.
    what : str
        What a message calls them.

    Raises
    ------
    ImageError
        If one does not say where it lies, or they are not parallel, lie at one place, at different distances
        from each other, or are of several scans by turns.
    """
    _check_told(frames, what)
    plane = Plane.of(frames[0])
    _check_parallel(frames, plane, size, what)
    heights = np.array([frame.position for frame in frames], float) @ plane.normal
    # Each of two neighbours may be off by that, this way or the other.
    off = 2 * position_rounding(frames) * float(np.abs(plane.normal).sum())
    order = [int(n) for n in np.argsort(heights, kind="stable")]
    gaps = np.diff(heights[order])
    ordered = [frames[n] for n in order]
    _check_single(ordered, gaps, what)
    _check_gaps(ordered, gaps, off, what)
    _check_one_scan(ordered, what)
    return order, plane


def position_rounding(frames: Sequence[Frame]) -> float:
    """Return by how much positions may be off: some programs leave out zeros at the end, so all tell it."""
    return min((frame.position_rounding for frame in frames if frame.position_rounding), default=0.0)


def _check_told(frames: Sequence[Frame], what: str) -> None:
    told = {"where it lies": "position", "how it lies": "orientation", "how large its pixels are": "spacing"}
    for words, name in told.items():
        silent = [frame for frame in frames if not _is_told(getattr(frame, name))]
        if silent:
            of = f"{silent[0].name} of {what}" if len(silent) == 1 else f"each of {_names(silent)} of {what}"
            of = f"every slice of {what}" if len(silent) == len(frames) > 1 else of
            raise ImageError(f"{of} does not say {words}; export the series again.")


def _is_told(values: Sequence[float] | None) -> bool:
    return values is not None and bool(np.isfinite(values).all()) and (len(values) > 2 or min(values) > 0)


def _check_parallel(frames: Sequence[Frame], plane: Plane, size: tuple[int, ...], what: str) -> None:
    """Refuse slices of which a corner would lie elsewhere if they were turned like the first."""
    rows, columns = size
    corners = [(columns - 1, 0), (0, rows - 1)]
    groups: list[Plane] = [plane]
    others = []
    for frame in frames:
        own = Plane.of(frame)
        for known in groups:
            if all(np.abs(own.place(0, c) - known.place(0, c)).max() <= _AGREE_MM for c in corners):
                break
        else:
            groups.append(own)
            others.append(frame)
    if others:
        which = _names([frames[0], *others])
        raise ImageError(
            f"{what} mixes slices of {len(groups)} orientations or pixel sizes ({which}); "
            "export each scan on its own."
        )


def _check_single(frames: Sequence[Frame], gaps: np.ndarray, what: str) -> None:
    """Refuse two images of one slice: copies, echoes, points in time."""
    again = np.flatnonzero(gaps < _SAME_PLACE_MM)
    if not again.size:
        return
    first = again[0]
    count = 1 + len(list(takewhile(lambda gap: gap < _SAME_PLACE_MM, gaps[first:])))
    group = frames[first : first + count]
    if group[0].identity == group[1].identity:
        raise ImageError(f"{what} holds slices twice; remove the copies ({_names(group[:2])}).")
    raise ImageError(
        f"{what} holds {len(group)} images of one slice{_differing(group, group[0].marks)} "
        f"({_names(group)}); give the images of one of them alone."
    )


def _check_one_scan(frames: Sequence[Frame], what: str) -> None:
    """Refuse scans whose slices lie between each other's: by turns they differ, as no slices of one do."""
    for name in frames[0].marks:
        marks = [frame.marks[name] for frame in frames]
        count = len(set(marks))
        if 1 < count <= len(frames) // 2 and marks[count:] == marks[:-count]:
            raise ImageError(
                f"{what} holds {count} scans whose slices lie between each other's"
                f"{_differing(frames, [name])} ({_names(frames)}); give the images of one of them alone."
            )


def _differing(frames: Sequence[Frame], names: Iterable[str]) -> str:
    """Return by which of some marks images differ that are not to be in one stack, empty if none tells."""
    marks = ((name, list(dict.fromkeys(f.marks[name] for f in frames))) for name in names)
    return next((f" of {name} {' and '.join(m or 'none' for m in ms)}" for name, ms in marks if ms[1:]), "")


def _check_gaps(frames: Sequence[Frame], gaps: np.ndarray, off: float, what: str) -> None:
    """Refuse gaps that differ by more than rounding explains, each of which may be off by so much."""
    if len(frames) < 3:
        return
    usual = float(np.median(gaps))
    worst = int(np.argmax(np.abs(gaps - usual)))
    # Where a slice is missing a gap is twice the usual one, however they were rounded.
    if not np.ptp(gaps) <= max(_UNEVEN * usual, min(2 * off, usual / 2)):
        raise ImageError(
            f"{what} lacks slices or is unevenly spaced; export it again ({gaps[worst]:.1f} mm from "
            f"{frames[worst].name} to {frames[worst + 1].name}, {usual:.1f} mm elsewhere)."
        )


def _names(frames: Sequence[Frame]) -> str:
    """Return the names of some slices, of many the first ones."""
    names = [frame.name for frame in frames[:_NAMED]]
    more = len(frames) - len(names)
    if more:
        return f"{', '.join(names)} and {more} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
