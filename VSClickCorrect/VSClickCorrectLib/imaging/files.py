"""Files that a person names: opened only if they are files, and said plainly what is wrong where not."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from VSClickCorrectLib.errors import ImageError, VSClickError


def check_file(path: Path, error: type[VSClickError] = ImageError) -> None:
    """Refuse what is no ordinary file that can be read: opening a pipe or a device could wait for ever.

    Parameters
    ----------
    path : Path
        What a person named.
    error : type of VSClickError
        What is raised.

    Raises
    ------
    VSClickError
        If it is not there, a folder, a pipe or a device, or may not be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise error(f"{path} does not exist.") from None
    except OSError as problem:
        raise error(f"{path} cannot be opened ({problem.strerror}); name another file.") from None
    if stat.S_ISDIR(mode):
        raise error(f"{path} is a folder; name a file.")
    if not stat.S_ISREG(mode):
        raise error(f"{path} is a pipe or a device; name a file.")


def parse_json(content: str | bytes) -> Any:
    """Read JSON from a file of any origin.

    Raises
    ------
    ValueError
        If it is not JSON; brackets within brackets without end are none.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
