"""What is drawn over slice views by the page: a scale bar, where other views cut, and distances.

Places in a view are percent of its width from the left and of its height from the top, so that they hold for
every size and pixel ratio of the browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from trame_slicer.views import SliceView
from VSClickCorrectLib.geometry.resampling import ROUNDING_MM
from VSClickCorrectLib.geometry.triples import Point3, point3
from VSClickCorrectLib.mrml.transforms import array_of

_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
# How much of a view's height a scale bar is long at most; of two views side by side the heights are the same,
# the widths may differ by a pixel.
_SHARE = 0.3
# Two planes that lean against each other by less than a few degrees cut nowhere that is of use.
_PARALLEL = 0.05
Place = tuple[float, float]


@dataclass(frozen=True)
class Picture:
    """Where the pixels of a slice view lie.

    Parameters
    ----------
    xy_to_ras : ndarray
        4 × 4: pixels from the lower left corner to RAS, mm.
    size : tuple of int
        Width and height, pixels.
    """

    xy_to_ras: np.ndarray
    size: tuple[int, int]

    @property
    def normal(self) -> np.ndarray:
        """The unit vector at right angles to the plane, RAS."""
        across = np.cross(self.xy_to_ras[:3, 0], self.xy_to_ras[:3, 1])
        return across / np.linalg.norm(across)

    @property
    def point(self) -> np.ndarray:
        """A point of the plane, RAS mm."""
        return self.xy_to_ras[:3, 3]

    @property
    def pixel_mm(self) -> float:
        """The width of a pixel."""
        return float(np.linalg.norm(self.xy_to_ras[:3, 0]))

    def is_same(self, other: Picture) -> bool:
        """Whether another picture lies exactly there."""
        return self.size == other.size and np.array_equal(self.xy_to_ras, other.xy_to_ras)

    def at(self, x: float, y: float) -> Point3:
        """Return the point, RAS mm, so far from left and top, as shares of width and height."""
        width, height = self.size
        # Pixels are counted at their middles.
        return point3((self.xy_to_ras @ (x * width - 0.5, (1 - y) * height - 0.5, 0.0, 1.0))[:3])

    def place(self, ras: Sequence[float]) -> Place:
        """Return where a point, RAS mm, lies in the view, percent; it is dropped onto the plane."""
        x, y = (np.linalg.inv(self.xy_to_ras) @ (*ras, 1.0))[:2]
        return _percent(x, self.size[0]), 100 - _percent(y, self.size[1])

    def distance(self, ras: Sequence[float]) -> float:
        """Return how far a point lies from the plane, mm."""
        return abs(float(self.normal @ (np.asarray(ras) - self.point)))

    def shows(self, ras: Sequence[float], near_mm: float) -> bool:
        """Whether a point, RAS mm, lies within the view and so near to its plane."""
        within = all(0 <= percent <= 100 for percent in self.place(ras))
        return within and self.distance(ras) <= near_mm + ROUNDING_MM


def picture_of(view: SliceView) -> Picture:
    """Return where the pixels of a view lie."""
    node = view.get_view_node()
    width, height = node.GetDimensions()[:2]
    return Picture(array_of(node.GetXYToRAS()), (max(1, width), max(1, height)))


def scale_bar(picture: Picture) -> tuple[float, str]:
    """Return a round length that fits a view: its percent of the view's width, and what it is called."""
    width_mm = picture.pixel_mm * picture.size[0]
    longest = min(_SHARE * picture.pixel_mm * picture.size[1], 0.5 * width_mm)
    fitting = [length for length in _LENGTHS_MM if length <= longest]
    length = fitting[-1] if fitting else _LENGTHS_MM[0]
    return 100 * length / width_mm, f"{length} mm" if length < 10 else f"{length // 10} cm"


def cut(picture: Picture, other: Picture) -> tuple[Place, Place] | None:
    """Return the ends of the line in which another view cuts this one, None if there is none to be seen."""
    along = np.cross(picture.normal, other.normal)
    if np.linalg.norm(along) < _PARALLEL:
        return None
    # The line in pixels: a x + b y + c = 0.
    a, b = other.normal @ picture.xy_to_ras[:3, 0], other.normal @ picture.xy_to_ras[:3, 1]
    c = other.normal @ (picture.point - other.point)
    width, height = picture.size
    ends = [(x, -(a * x + c) / b) for x in (0.0, float(width)) if b]
    ends += [(-(b * y + c) / a, y) for y in (0.0, float(height)) if a]
    within = sorted({_rounded(end) for end in ends if _inside(end, picture.size)})
    if len(within) < 2:
        return None
    first, last = within[0], within[-1]
    return _from_top(first, picture.size), _from_top(last, picture.size)


def length_mm(start: Sequence[float], end: Sequence[float]) -> float:
    """Return the distance of two points, RAS mm."""
    return float(np.linalg.norm(np.subtract(end, start)))


def _inside(place: Place, size: tuple[int, int]) -> bool:
    return all(-1e-6 <= value <= most + 1e-6 for value, most in zip(place, size, strict=True))


def _rounded(place: Place) -> Place:
    return round(float(place[0]), 6), round(float(place[1]), 6)


def _from_top(place: Place, size: tuple[int, int]) -> Place:
    return _percent(place[0], size[0]), 100 - _percent(place[1], size[1])


def _percent(value: float, most: int) -> float:
    return round(100 * float(value) / most, 3)
