"""Results that are kept, each with what it was made of, and made anew where that has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from VSClickCorrectLib import __version__
from VSClickCorrectLib.io.json_files import write_json

_MADE_OF = "made_of"


def kept(path: Path, made_of: Mapping[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the values of a file of results, or make them and keep them there.

    Parameters
    ----------
    path : Path
        The file.
    made_of : mapping
        All on which the values depend, beside the product's version, as JSON can hold it. Values of other
        things are made anew, and so are those that do not say of what they are.
    make : callable
        Makes the values.
    """
    now = json.loads(json.dumps({"version": __version__, **made_of}))
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if found.pop(_MADE_OF, None) != now:
        found = make()
        write_json(path, {_MADE_OF: now, **found})
    return found
