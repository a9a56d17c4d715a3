"""Edits: small reversible records of what clicks, or one stroke by hand, changed."""

from __future__ import annotations

import base64
import math
import zlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import Mask
from VSClickCorrectLib.geometry.box import Box

# The best level saves a tenth of the bytes and takes ten times as long, several times a click.
_LEVEL = 3


@dataclass(frozen=True)
class Change:
    """The voxels that flipped, and nothing else.

    Parameters
    ----------
    box : Box
        The smallest box that holds them.
    packed : bytes
        Two bit arrays of the box's shape, compressed: voxels added, voxels removed.
    """

    box: Box
    packed: bytes

    @classmethod
    def between(cls, box: Box, before: np.ndarray, after: np.ndarray) -> Change:
        """Record what differs between two bool arrays of ``box``'s shape."""
        return cls.of(box, after & ~before, before & ~after)

    @classmethod
    def of(cls, box: Box, added: np.ndarray, removed: np.ndarray) -> Change:
        """Record voxels added and removed, bool arrays of ``box``'s shape."""
        tight = Box.of_array(added | removed)
        if tight is None:
            return cls(Box(box.start, box.start), b"")
        bits = np.packbits(np.stack([added[tight.slices], removed[tight.slices]]))
        return cls(tight.shifted(box.start), zlib.compress(bits.tobytes(), _LEVEL))

    def voxels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the voxels added and removed, bool arrays of ``box``'s shape.

        Raises
        ------
        ValueError, zlib.error
            If ``packed`` does not hold as many, as in a damaged journal.
        """
        shape = (2, *self.box.shape)
        count = math.prod(shape)
        if count == 0:
            return np.zeros(shape[1:], bool), np.zeros(shape[1:], bool)
        # One byte more than there should be shows that there are more, and nobody unpacks them all.
        unpacker, size = zlib.decompressobj(), -(-count // 8)
        bits = np.frombuffer(unpacker.decompress(self.packed, size + 1), np.uint8)
        if len(bits) != size or not unpacker.eof:
            raise ValueError(f"{count} voxels take {size} bytes")
        added, removed = np.unpackbits(bits, count=count).reshape(shape).astype(bool)
        return added, removed

    @cached_property
    def count(self) -> tuple[int, int]:
        """Number of voxels added and removed."""
        added, removed = self.voxels()
        return int(added.sum()), int(removed.sum())

    def apply(self, mask: Mask) -> Change:
        """Flip the voxels that do not yet have their new value; return what flipped."""
        added, removed = self.voxels()
        return _flip(mask, self.box, added, removed)

    def overwrite(self, mask: Mask) -> None:
        """Give the voxels their new value, as the cheaper `apply` that does not tell what flipped."""
        if not self.box.empty:
            added, removed = self.voxels()
            mask.write(self.box, (mask.read(self.box) | added) & ~removed)

    def revert(self, mask: Mask) -> Change:
        """Flip back the voxels that still have their new value; return what flipped."""
        added, removed = self.voxels()
        return _flip(mask, self.box, removed, added)

    def to_json(self) -> dict:
        """Return the change as JSON-ready values."""
        return {
            "start": list(self.box.start),
            "stop": list(self.box.stop),
            "voxels": base64.b64encode(self.packed).decode("ascii"),
        }

    @classmethod
    def from_json(cls, values: dict) -> Change:
        """Read what `to_json` wrote; raises KeyError, TypeError or ValueError where it did not."""
        start, stop = tuple(values["start"]), tuple(values["stop"])
        if [type(n) for n in (*start, *stop)] != [int] * 6 or len(start) != 3:
            raise TypeError("the corners of a box are three whole numbers each")
        return cls(Box(start, stop), base64.b64decode(values["voxels"]))


def _flip(mask: Mask, box: Box, add: np.ndarray, remove: np.ndarray) -> Change:
    if box.empty:
        return Change(box, b"")
    before = mask.read(box)
    after = (before | add) & ~remove
    change = Change.between(box, before, after)
    if not change.box.empty:
        mask.write(box, after)
    return change


@dataclass(frozen=True)
class Edit:
    """What one application of clicks did, what taking one click back did, or what a hand did.

    Parameters
    ----------
    clicks : tuple of Click
        The clicks that were applied together; none where a click was taken back, or a hand did it.
    round : int
        The round in which that was done, from 1.
    change : Change
        The voxels that flipped.
    milliseconds : float
        From the click to the written voxels.
    removed : tuple of Click
        The click that was taken back, if the edit is that.
    numbers : tuple of int
        The identity of each click of ``clicks`` or ``removed``: all clicks of a session are counted from 1,
        so that two at the same place are still two.
    remark : str
        Why less was changed than the clicks ask for; empty if there is nothing to say. Not in the journal.
    tool : str
        What a hand did, as ``brush stroke``, if the edit is that.
    """

    clicks: tuple[Click, ...]
    round: int
    change: Change
    milliseconds: float
    removed: tuple[Click, ...] = ()
    numbers: tuple[int, ...] = ()
    remark: str = ""
    tool: str = ""

    def with_change(self, change: Change) -> Edit:
        """Return the same edit, now standing for what flipped when it was done again."""
        return replace(self, change=change)

    @property
    def description(self) -> str:
        """A few words for menus and tooltips, as ``boundary click, round 2 (+120 −3 voxels)``."""
        added, removed = self.change.count
        return f"{self.tool or self._clicked}, round {self.round} (+{added} −{removed} voxels)"

    @property
    def _clicked(self) -> str:
        clicks = self.removed or self.clicks
        kinds = sorted({c.kind.value for c in clicks})
        what = f"{kinds[0]} click" if len(clicks) == 1 else f"{len(clicks)} {' and '.join(kinds)} clicks"
        return f"{what} taken back" if self.removed else what
