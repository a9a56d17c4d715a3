"""Where a user's own data lies that no case or worklist owns."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Names another folder, on an encrypted drive for instance.
VARIABLE = "VSCLICK_DATA"
_NAME = "VSClickCorrect"


def user_data_folder() -> Path:
    """Return the folder of this user's own data, on this machine, whether it is there or not."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else _usual() / _NAME


def _usual() -> Path:
    if os.name == "nt":
        # Not the one that roams: it would be copied to a server.
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    shared = os.environ.get("XDG_DATA_HOME")
    return Path(shared) if shared else Path.home() / ".local" / "share"
