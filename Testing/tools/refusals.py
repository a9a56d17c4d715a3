"""Count what a running app refuses: ``python refusals.py`` starts one and prints a table.

Ends with status 1 if anything that must be refused was answered.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).resolve().parent),
    str(Path(__file__).resolve().parents[2] / "VSClickCorrect"),
]

from app_server import AppServer  # noqa: E402
from intruders import Attempt, Intruder  # noqa: E402
from VSClickCorrectApp.guard import new_token  # noqa: E402

GROUPS = {
    "tokens": "no token, a wrong one, the right one in a wrong place",
    "addresses": "foreign Host, foreign Origin",
    "methods": "methods that nothing has, connections that are none",
    "bodies": "bodies too large, of unknown or contradicting length",
    "paths": "files of the machine asked for as the page's",
    "headers": "split, broken, endless headers; other protocols",
    "frames": "broken, endless, unexpected messages",
    "calls": "calls without the key, calls not meant for a page",
    "files": "uploads and downloads under names that lead elsewhere",
}


def main() -> int:
    """Try everything against an app on a synthetic case."""
    with tempfile.TemporaryDirectory() as name:
        folder, token = Path(name), new_token()
        (folder / "lure.txt").write_text("root:SECRET")
        server = AppServer(log=folder / "log.txt", VSCLICK_TOKEN=token, TMPDIR=name)
        try:
            intruder = Intruder.of(server.url, token)
            tried = {group: attempts(intruder, group, folder / "lure.txt") for group in GROUPS}
        finally:
            server.close()
    print(table(tried))
    answered = [attempt for group in tried.values() for attempt in group if not attempt.refused]
    for attempt in answered:
        print(f"answered: {attempt.what} ({attempt.said})")
    return 1 if answered else 0


def attempts(intruder: Intruder, group: str, lure: Path) -> list[Attempt]:
    """Try a group."""
    return list(getattr(intruder, group)(*((lure,) if group in ("paths", "files") else ())))


def table(tried: dict[str, list[Attempt]]) -> str:
    """Return the counts as Markdown."""
    rows = ["| what | tried | refused |", "|---|---|---|"]
    for group, made in [*tried.items(), ("", sum(tried.values(), []))]:
        refused = sum(attempt.refused for attempt in made)
        rows.append(f"| {GROUPS.get(group, 'all')} | {len(made)} | {refused} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
