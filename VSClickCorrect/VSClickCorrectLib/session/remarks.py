"""What a person is told where clicks did not do all that they ask for."""

from __future__ import annotations

from collections.abc import Sequence
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
        Include and exclude clicks that the networks would not follow.
    overruled : sequence of Click
        Boundary clicks through which the border does not run now.
    insisted : bool
        Whether one of these was made for the second time.
    """

    clicks: Sequence[Click]
    unseen: Sequence[Click]
    overruled: Sequence[Click]
    insisted: bool


def remark_of(change: Change, told: Told) -> str:
    """Return why less was changed than clicks ask for; empty if there is nothing to say."""
    if any(c.kind is ClickKind.INCLUDE for c in told.unseen):
        return "The networks see no tumour there, so only a small disc was added."
    if any(c.kind is ClickKind.EXCLUDE for c in told.unseen) and not change.box.empty:
        return "The networks take that for tumour, so only a small disc was removed."
    if told.overruled:
        return _overruled(change, told)
    if not change.box.empty:
        return ""
    return " ".join(dict.fromkeys(_NO_EFFECT[click.kind] for click in told.clicks))


def _overruled(change: Change, told: Told) -> str:
    if told.insisted:
        return "The border cannot be drawn to the boundary click; place an include or exclude click instead."
    if change.box.empty:
        return "The network sees no border there, so nothing was changed; click there once more to insist."
    if len(told.clicks) == 1:
        return "The border does not run through the click yet; click there once more to insist."
    few = f"{len(told.overruled)} of {len(told.clicks)} clicks"
    return f"The border does not run through {few} yet; click there once more to insist."
