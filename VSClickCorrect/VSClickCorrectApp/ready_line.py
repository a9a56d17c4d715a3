"""The line by which a server tells that it answers: to who started it, a person or a program."""

from __future__ import annotations

import re

READY = "VSClickCorrect runs at"


def port_in(line: str) -> int | None:
    """Return the port that a line tells of, None if it is another line."""
    found = re.match(rf"{READY} http://[^/]+:(\d+)/", line)
    return int(found[1]) if found else None
