"""What a person is told where clicks did not do all that they ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.session.edit import Change

_NO_EFFECT = {
    ClickKind.BOUNDARY: "The border runs where the boundary click is already; nothing was changed.",
    ClickKind.INCLUDE: "The include click lies in the mask already; nothing was changed.",
    ClickKind.EXCLUDE: "The exclude click lies outside the mask already; nothing was changed.",
}


class Told(NamedTuple):
    """What became of clicks.

    Parameters
    ----------
    clicks : sequence of Click
        All of them.
    unseen : sequence of Click
        Include and exclude clicks that the networks would not follow, and that changed their voxel.
    overruled : sequence of Click
        Boundary clicks through which the border does not run now.
    insisted : bool
        Whether one of these was made for the second time.
    contradicted : sequence of Click
        Include and exclude clicks whose voxel a later one of the same clicks holds.
    """

    clicks: Sequence[Click]
    unseen: Sequence[Click]
    overruled: Sequence[Click]
    insisted: bool
    contradicted: Sequence[Click]


def remark_of(change: Change, told: Told) -> str:
    """Return why less was changed than clicks ask for; empty if there is nothing to say."""
    return " ".join(dict.fromkeys(_sentences(change, told)))


def _sentences(change: Change, told: Told) -> Iterator[str]:
    if unseen := [click for click in told.unseen if click.kind is ClickKind.INCLUDE]:
        there = _among(unseen, told, "there", "at {}")
        yield f"The networks see no tumour {there}, so only a small disc was added there."
    if unseen := [click for click in told.unseen if click.kind is ClickKind.EXCLUDE]:
        that = _among(unseen, told, "that", "{}")
        yield f"The networks take {that} for tumour, so only a small disc was removed there."
    if told.contradicted:
        yield "Where clicks on one voxel contradict each other the last one counts."
    if told.overruled:
        yield _overruled(change, told)
    elif change.box.empty:
        yield from (_NO_EFFECT[click.kind] for click in told.clicks if click not in told.contradicted)


def _overruled(change: Change, told: Told) -> str:
    if told.insisted:
        return "The border cannot be drawn to the boundary click; place an include or exclude click instead."
    if change.box.empty:
        return "The network sees no border there, so nothing was changed; click there once more to insist."
    few = _among(told.overruled, told, "the click", "{}")
    return f"The border does not run through {few} yet; click there once more to insist."


def _among(clicks: Sequence[Click], told: Told, alone: str, several: str) -> str:
    """Return words for clicks that are one alone, or some of several."""
    few = f"{len(clicks)} of {len(told.clicks)} clicks"
    return alone if len(told.clicks) == 1 else several.format(few)
