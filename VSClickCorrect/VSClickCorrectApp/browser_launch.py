"""Opening the user's browser without telling the other users of the machine how to come in."""

from __future__ import annotations

import asyncio
import atexit
import os
import secrets
import webbrowser
from html import escape
from pathlib import Path
from tempfile import gettempdir

from VSClickCorrectLib.signals import undo_on_signals

# A browser that starts for the first time takes a while.
_KEPT_S = 60.0


def open_browser(url: str) -> None:
    """Open the user's browser at an address that others must not see.

    Everyone on a machine can read the command line with which a browser is started. So it is given a file
    that the user alone can read and that sends it on; the file is removed a minute later. Called while an
    event loop runs.

    Parameters
    ----------
    url : str
        The address, with the token.
    """
    door = write_redirect_page(url)
    asyncio.get_running_loop().call_later(_KEPT_S, lambda: door.unlink(missing_ok=True))
    webbrowser.open(door.as_uri())


def write_redirect_page(url: str) -> Path:
    """Write a file that sends a browser on to ``url`` and that nobody else can read."""
    # Browsers in a sandbox see neither hidden nor temporary folders.
    home = Path.home()
    folder = home if os.access(home, os.W_OK) else Path(gettempdir())
    door = folder / f"vsclick-{secrets.token_hex(8)}.html"
    remove_at_end(door)
    with open(os.open(door, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(
            '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
            f'<meta http-equiv="refresh" content="0; url={escape(url)}"><title>VSClickCorrect</title>'
        )
    return door


def remove_at_end(path: Path) -> None:
    """Remove a file, if it is there, when the process ends in one way or another."""
    undo_on_signals(lambda: path.unlink(missing_ok=True))
    atexit.register(path.unlink, missing_ok=True)
