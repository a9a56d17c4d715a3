"""Bad clicks: Markups files and points in a scene."""

from __future__ import annotations

from bad_case import BadInput
from good_files import BORDER

TITLE = "Clicks"
_X, _Y, _Z = -BORDER[0], -BORDER[1], BORDER[2]


def point(position=(_X, _Y, _Z), **more) -> dict:
    """Return a point of a Markups file, in LPS."""
    return {"position": list(position), "positionStatus": "defined", **more}


def markups(*points: dict, **more) -> dict:
    """Return a Markups file."""
    return {
        "markups": [{"type": "Fiducial", "coordinateSystem": "LPS", "controlPoints": list(points), **more}]
    }


def _clicks(content, name: str = "clicks.mrk.json"):
    return lambda room: room.correct(clicks=room.file(name, content))


def _other(kind: str) -> BadInput:
    names = ("clicks.mrk.json", kind, "points", "save")
    return BadInput(f"Markups of type {kind}", _clicks(markups(point(), point(), type=kind)), names)


_FCSV = (
    "# Markups fiducial file version = 4.11\n# CoordinateSystem = LPS\n# columns = id,x,y,z\n1,-60,25,18\n"
)

CASES = [
    BadInput(
        "Markups cut short",
        _clicks('{"markups": [{"type": "Fiduc'),
        ("clicks.mrk.json", "JSON", "Slicer"),
    ),
    BadInput(
        "Markups of 100 000 brackets",
        _clicks("[" * 100_000),
        ("clicks.mrk.json", "JSON", "Slicer"),
    ),
    BadInput(
        "Markups that are no text",
        _clicks(b"\x1f\x8b\xff\xfe"),
        ("clicks.mrk.json", "JSON", "Slicer"),
    ),
    BadInput(
        "JSON of something else",
        _clicks({"cases": []}),
        ("clicks.mrk.json", "JSON", "Slicer"),
    ),
    BadInput(
        "list of numbers",
        _clicks([1, 2, 3]),
        ("clicks.mrk.json", "JSON", "Slicer"),
    ),
    BadInput(
        "empty list of points",
        _clicks(markups()),
        ("clicks.mrk.json", "placed", "least"),
    ),
    BadInput(
        "points that were never placed",
        _clicks(markups(point(positionStatus="undefined"))),
        ("clicks.mrk.json", "placed", "least"),
    ),
    *map(_other, ("Line", "Angle", "Curve", "ClosedCurve", "Plane", "ROI")),
    BadInput(
        "old list of points (.fcsv)",
        _clicks(_FCSV, "clicks.fcsv"),
        ("clicks.fcsv", ".mrk.json", "older", "load"),
    ),
    BadInput(
        "point without position",
        _clicks(markups({"label": "F-1"})),
        ("clicks.mrk.json", "1", "position", "Slicer"),
    ),
    BadInput(
        "point of two coordinates",
        _clicks(markups(point((1, 2)))),
        ("clicks.mrk.json", "1", "position", "Slicer"),
    ),
    BadInput(
        "coordinates NaN",
        _clicks(markups(point((float("nan"), 0, 0)))),
        ("clicks.mrk.json", "1", "position", "place"),
    ),
    BadInput(
        "coordinates of 400 digits",
        _clicks(markups(point((10**400, 0, 0)))),
        ("clicks.mrk.json", "1", "position", "Slicer"),
    ),
    BadInput(
        "coordinates 1e300",
        _clicks(markups(point((1e300, 0, 0)))),
        ("-1.0e+300", "-0.0", "0.0", "outside", "inside"),
    ),
    BadInput(
        "coordinates in centimetres",
        _clicks(markups(point((_X / 10, _Y / 10, _Z / 10)), coordinateUnits="cm")),
        ("clicks.mrk.json", "coordinates", "Slicer"),
    ),
    BadInput(
        "LPS read as RAS",
        _clicks(markups(point(), coordinateSystem="RAS")),
        ("-67.0", "25.0", "18.0", "outside", "inside"),
    ),
    BadInput(
        "unknown coordinate system",
        _clicks(markups(point(), coordinateSystem="IJK")),
        ("clicks.mrk.json", "IJK", "JSON", "LPS"),
    ),
    BadInput(
        "point outside the image",
        _clicks(markups(point(), point((_X, _Y, 99)))),
        ("67.0", "-25.0", "99.0", "outside", "inside"),
    ),
    BadInput(
        "point of unknown kind",
        _clicks(markups(point(description="tumour?"))),
        ("clicks.mrk.json", "tumour?", "kind", "describe"),
    ),
    BadInput(
        "100 000 points",
        _clicks(markups(*[point()] * 100_000)),
        ("clicks.mrk.json", "100000", "500", "points", "round"),
    ),
    BadInput(
        "the same point twice",
        _clicks(markups(point(), point())),
        happens="is read; both clicks count",
        prints="2 clicks: ",
    ),
]
