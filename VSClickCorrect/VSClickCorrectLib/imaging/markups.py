"""Clicks from Slicer's Markups JSON files."""

from __future__ import annotations

import json
from pathlib import Path

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.imaging.click import Click, ClickKind


def read_clicks(path: Path) -> list[Click]:
    """Read the placed points of a ``.mrk.json`` file.

    Parameters
    ----------
    path : Path
        Markups JSON as Slicer writes it, in LPS or RAS as it says; a point's description gives its kind.

    Raises
    ------
    CorrectionError
        If the file is no Markups JSON, holds no placed point, or a point cannot be understood.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        markups = [m for m in document["markups"] if m["type"] == "Fiducial"]
        clicks = [click for m in markups for click in _clicks_of(m)]
    except FileNotFoundError:
        raise CorrectionError(f"{path} does not exist.") from None
    except CorrectionError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorrectionError(
            f"{path} is no Markups JSON of points ({error}); save the points from Slicer."
        ) from None
    if not clicks:
        raise CorrectionError(f"{path} holds no placed point; place at least one click.")
    return clicks


def _clicks_of(markup: dict) -> list[Click]:
    # Files of Slicer before 5 name the system by its number: 0 is RAS, 1 is LPS.
    system = {"0": "RAS", "1": "LPS"}.get(
        str(markup.get("coordinateSystem", "LPS")), markup.get("coordinateSystem", "LPS")
    )
    if system not in ("LPS", "RAS"):
        raise CorrectionError(f"'{system}' is no coordinate system of Markups JSON; use LPS or RAS.")
    sign = -1.0 if system == "LPS" else 1.0
    clicks = []
    for point in markup["controlPoints"]:
        if point.get("positionStatus", "defined") != "defined":
            continue
        x, y, z = (float(v) for v in point["position"])
        clicks.append(Click((sign * x, sign * y, z), ClickKind.parse(point.get("description", ""))))
    return clicks
