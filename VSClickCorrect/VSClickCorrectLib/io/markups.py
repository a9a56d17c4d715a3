"""Clicks from Slicer's Markups JSON files."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.io.files import check_file
from VSClickCorrectLib.io.json_files import parse_json

# All points of a file are one batch for the network: as many as nobody places by hand, and a few GB.
MOST_CLICKS = 500
_LABEL = re.compile(r"\W*(boundary|include|exclude)[\W_]*\d*\W*", re.IGNORECASE)


def read_clicks(path: Path) -> list[Click]:
    """Read the placed points of a ``.mrk.json`` file.

    Parameters
    ----------
    path : Path
        Markups JSON as Slicer writes it, in LPS or RAS as it says; a point's description gives its kind or,
        where there is none, its label (``exclude-2``).

    Raises
    ------
    CorrectionError
        If the file is no Markups JSON, holds no placed point or too many, or a point cannot be understood.
    """
    check_file(path, CorrectionError)
    if path.suffix == ".fcsv":
        raise CorrectionError(
            f"{path} is a list of an older kind; load it into Slicer and save it as .mrk.json."
        )
    try:
        markups = _markups_of(path.read_bytes())
        points = [m for m in markups if m["type"] == "Fiducial"]
        clicks = [click for markup in points for click in _clicks_of(markup)]
    except CorrectionError as error:
        raise CorrectionError(f"{path}: {error}") from None
    except ValueError as error:
        raise CorrectionError(
            f"{path} is no Markups JSON of points ({error}); save the points from Slicer."
        ) from None
    if markups and not points:
        raise CorrectionError(
            f"{path} holds markups of type {markups[0]['type']}, not points; place points and save them."
        )
    if not clicks:
        raise CorrectionError(f"{path} holds no placed point; place at least one click.")
    if len(clicks) > MOST_CLICKS:
        raise CorrectionError(
            f"{path} holds {len(clicks)} points; a round takes at most {MOST_CLICKS}, so keep your own."
        )
    return clicks


def _markups_of(content: bytes) -> list[dict]:
    """Return the markups of a file; raises ValueError with what it is instead."""
    document = parse_json(content)
    markups = document.get("markups") if isinstance(document, dict) else None
    if not isinstance(markups, list):
        raise ValueError("it lists no markups")
    if not all(isinstance(m, dict) and isinstance(m.get("type"), str) for m in markups):
        raise ValueError("a markup has no type")
    return markups


def _clicks_of(markup: dict) -> list[Click]:
    # Files of Slicer before 5 name the system by its number: 0 is RAS, 1 is LPS.
    system = markup.get("coordinateSystem", "LPS")
    system = {"0": "RAS", "1": "LPS"}.get(str(system), system)
    if system not in ("LPS", "RAS"):
        raise CorrectionError(f"'{system}' is no coordinate system of Markups JSON; use LPS or RAS.")
    units = markup.get("coordinateUnits", "mm")
    # Slicer writes the word, or the unit's code with its terminology.
    if units != "mm" and not (isinstance(units, list) and "mm" in units):
        raise CorrectionError(f"its coordinates are in {units}, not in mm; save the points from Slicer.")
    if not isinstance(markup.get("controlPoints"), list):
        raise ValueError("a list of points has no points")
    sign = -1.0 if system == "LPS" else 1.0
    clicks = (_click_of(number, point, sign) for number, point in enumerate(markup["controlPoints"], start=1))
    return [click for click in clicks if click is not None]


def _click_of(number: int, point: Any, sign: float) -> Click | None:
    """Return a point as a click, None if it was not placed."""
    if not isinstance(point, dict):
        raise ValueError(f"point {number} is none")
    if point.get("positionStatus", "defined") != "defined":
        return None
    kind = _kind_of(number, point)
    try:
        x, y, z = (float(v) for v in point["position"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ValueError(f"the position of point {number} is not three numbers") from None
    if not all(map(math.isfinite, (x, y, z))):
        raise CorrectionError(f"the position of point {number} is not finite; place it again.")
    return Click((sign * x, sign * y, z), kind)


def _kind_of(number: int, point: dict) -> ClickKind:
    description, label = (point.get(key, "") for key in ("description", "label"))
    if not isinstance(description, str):
        raise ValueError(f"the description of point {number} is no text")
    # Slicer numbers the points of a list by its name.
    named = _LABEL.fullmatch(label) if isinstance(label, str) else None
    told = ClickKind.parse(named[1]) if named else None
    if not description.strip():
        return told or ClickKind.BOUNDARY
    kind = ClickKind.parse(description)
    if told not in (None, kind):
        raise CorrectionError(
            f"point {number} is labelled '{label}' and described as {kind.value}; make both the same."
        )
    return kind
