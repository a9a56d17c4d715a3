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
    said = f"clicks.mrk.json holds markups of type {kind}, not points; place points and save them."
    return BadInput(f"Markups of type {kind}", _clicks(markups(point(), point(), type=kind)), said)


_FCSV = (
    "# Markups fiducial file version = 4.11\n# CoordinateSystem = LPS\n# columns = id,x,y,z\n1,-60,25,18\n"
)

CASES = [
    BadInput(
        "Markups cut short",
        _clicks('{"markups": [{"type": "Fiduc'),
        "clicks.mrk.json is no Markups JSON of points (it is not JSON); save the points from Slicer.",
    ),
    BadInput(
        "Markups of 100 000 brackets",
        _clicks("[" * 100_000),
        "clicks.mrk.json is no Markups JSON of points (it is not JSON); save the points from Slicer.",
    ),
    BadInput(
        "Markups that are no text",
        _clicks(b"\x1f\x8b\xff\xfe"),
        "clicks.mrk.json is no Markups JSON of points (it is not JSON); save the points from Slicer.",
    ),
    BadInput(
        "JSON of something else",
        _clicks({"cases": []}),
        "clicks.mrk.json is no Markups JSON of points (it lists no markups); save the points from Slicer.",
    ),
    BadInput(
        "list of numbers",
        _clicks([1, 2, 3]),
        "clicks.mrk.json is no Markups JSON of points (it lists no markups); save the points from Slicer.",
    ),
    BadInput(
        "empty list of points",
        _clicks(markups()),
        "clicks.mrk.json holds no placed point; place at least one click.",
    ),
    BadInput(
        "points that were never placed",
        _clicks(markups(point(positionStatus="undefined"))),
        "clicks.mrk.json holds no placed point; place at least one click.",
    ),
    *map(_other, ("Line", "Angle", "Curve", "ClosedCurve", "Plane", "ROI")),
    BadInput(
        "old list of points (.fcsv)",
        _clicks(_FCSV, "clicks.fcsv"),
        "clicks.fcsv is a list of an older kind; load it into Slicer and save it as .mrk.json.",
    ),
    BadInput(
        "point without position",
        _clicks(markups({"label": "F-1"})),
        "clicks.mrk.json is no Markups JSON of points (the position of point 1 is not three numbers); save the points from Slicer.",
    ),
    BadInput(
        "point of two coordinates",
        _clicks(markups(point((1, 2)))),
        "clicks.mrk.json is no Markups JSON of points (the position of point 1 is not three numbers); save the points from Slicer.",
    ),
    BadInput(
        "coordinates NaN",
        _clicks(markups(point((float("nan"), 0, 0)))),
        "clicks.mrk.json: the position of point 1 is not finite; place it again.",
    ),
    BadInput(
        "coordinates of 400 digits",
        _clicks(markups(point((10**400, 0, 0)))),
        "clicks.mrk.json is no Markups JSON of points (the position of point 1 is not three numbers); save the points from Slicer.",
    ),
    BadInput(
        "coordinates 1e300",
        _clicks(markups(point((1e300, 0, 0)))),
        "The point at R -1.0e+300, A -0.0, S 0.0 mm lies outside the image; click inside it.",
    ),
    BadInput(
        "coordinates in centimetres",
        _clicks(markups(point((_X / 10, _Y / 10, _Z / 10)), coordinateUnits="cm")),
        "clicks.mrk.json: its coordinates are in cm, not in mm; save the points from Slicer.",
    ),
    BadInput(
        "LPS read as RAS",
        _clicks(markups(point(), coordinateSystem="RAS")),
        "The point at R -67.0, A 25.0, S 18.0 mm lies outside the image; click inside it.",
    ),
    BadInput(
        "unknown coordinate system",
        _clicks(markups(point(), coordinateSystem="IJK")),
        "clicks.mrk.json: 'IJK' is no coordinate system of Markups JSON; use LPS or RAS.",
    ),
    BadInput(
        "point outside the image",
        _clicks(markups(point(), point((_X, _Y, 99)))),
        "The point at R 67.0, A -25.0, S 99.0 mm lies outside the image; click inside it.",
    ),
    BadInput(
        "point of unknown kind",
        _clicks(markups(point(description="tumour?"))),
        "clicks.mrk.json: 'tumour?' is no kind of click; describe the point as boundary, include or exclude.",
    ),
    BadInput(
        "100 000 points",
        _clicks(markups(*[point()] * 100_000)),
        "clicks.mrk.json holds 100000 points; a round takes at most 500, so keep your own.",
    ),
    BadInput(
        "the same point twice", _clicks(markups(point(), point())), "is read; both clicks count", "2 clicks: "
    ),
]
