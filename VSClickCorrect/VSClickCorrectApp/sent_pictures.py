"""Which part of the patient lay where in the pictures that were sent of slice views, by their numbers."""

from __future__ import annotations

from itertools import count

from trame_slicer.views import SliceView
from VSClickCorrectLib.errors import CorrectionError

from VSClickCorrectApp.overlay import Picture, picture_of

# Some seconds of the quickest paging in six views.
_MOST_PICTURES = 2000


class SentPictures:
    """Numbers pictures as they are drawn, and knows them by that for a while.

    A picture is on its way for as long as the line takes, and views may show another part of the patient by
    the time when somebody presses on it. So its number goes with it, and comes back with what was pressed.
    """

    def __init__(self) -> None:
        self._pictures: dict[int, tuple[SliceView, Picture]] = {}
        # By view its last one, which the page may show for hours.
        self._last: dict[SliceView, int] = {}
        self._numbers = count(1)

    def number(self, view: SliceView) -> int:
        """Return the number of what a view shows now, and forget what was shown long ago."""
        picture, last = picture_of(view), self._last.get(view)
        if last is not None and picture.is_same(self._pictures[last][1]):
            return last
        self._last[view] = number = next(self._numbers)
        self._pictures[number] = view, picture
        if len(self._pictures) > _MOST_PICTURES:
            lasting = self._last.values()
            del self._pictures[next(one for one in self._pictures if one not in lasting)]
        return number

    def of(self, number: int) -> tuple[SliceView, Picture]:
        """Return the view that a picture was drawn of, and where its pixels lay.

        Raises
        ------
        CorrectionError
            If it was sent long ago, or of what is not open any more.
        """
        found = self._pictures.get(number) if isinstance(number, int) else None
        if found is None:
            raise CorrectionError(
                "the view was just about to show something else, so nothing was done there; do it again."
            )
        return found

    def forget(self) -> None:
        """Forget all; each view is to be drawn anew."""
        views = list(self._last)
        self._pictures.clear()
        self._last.clear()
        for view in views:
            view.schedule_render()
