"""Undo and redo without limit."""

from __future__ import annotations

from dataclasses import dataclass, field

from VSClickCorrectLib.clicks.mask import Mask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.session.edit import Change, Edit


@dataclass
class EditHistory:
    """The edits that can be undone and redone, oldest first.

    Undo flips back only voxels that still hold what the edit gave them, so painting by hand in between
    survives; redo flips again exactly what undo had flipped back.

    Attributes
    ----------
    done : list of Edit
        What can be undone, oldest first.
    undone : list of tuple of Edit and Change
        What can be redone, and what its undo flipped.
    clicks_so_far : int
        How many clicks were ever applied, those that were undone included: the last click's number.
    """

    done: list[Edit] = field(default_factory=list)
    undone: list[tuple[Edit, Change]] = field(default_factory=list)
    clicks_so_far: int = 0

    def push(self, edit: Edit) -> None:
        """Add a new edit; what was undone before it can no longer be redone."""
        self.done.append(edit)
        self.undone.clear()
        self.clicks_so_far += len(edit.clicks)

    def next_numbers(self, count: int) -> tuple[int, ...]:
        """Return the numbers of the next ``count`` clicks."""
        return tuple(range(self.clicks_so_far + 1, self.clicks_so_far + count + 1))

    @property
    def taken_back(self) -> set[int]:
        """Numbers of the clicks that were taken back by an edit that stands."""
        return {number for edit in self.done if edit.removed for number in edit.numbers}

    def flip_back(self, mask: Mask) -> tuple[Edit, Change]:
        """Take the last edit back in a mask; it stands until `note_undo`.

        Returns
        -------
        edit : Edit
            The edit.
        change : Change
            What this flipped.

        Raises
        ------
        CorrectionError
            If nothing is left to undo.
        """
        if not self.done:
            raise CorrectionError("there is nothing to undo.")
        return self.done[-1], self.done[-1].change.revert(mask)

    def flip_again(self, mask: Mask) -> tuple[Edit, Change]:
        """Do the last undone edit again in a mask, until `note_redo`; returns and raises as `flip_back`."""
        if not self.undone:
            raise CorrectionError("there is nothing to redo.")
        edit, taken_back = self.undone[-1]
        return edit, taken_back.revert(mask)

    def note_undo(self, change: Change) -> None:
        """Note that the last edit was taken back, and what that flipped."""
        self.undone.append((self.done.pop(), change))

    def note_redo(self, change: Change) -> None:
        """Note that the last undone edit was done again, and what that flipped."""
        edit, _ = self.undone.pop()
        self.done.append(edit.with_change(change))
