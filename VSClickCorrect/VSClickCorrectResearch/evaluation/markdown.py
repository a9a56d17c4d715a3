"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable

DASH = "–"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(share: float | None) -> str:
    """Return a share in per cent, a dash where there is none."""
    return DASH if share is None else f"{share:.1%}"
