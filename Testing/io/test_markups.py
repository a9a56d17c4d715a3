"""Clicks from Markups JSON: signs, kinds, and files that are not what they should be."""

import json

import pytest
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.io.markups import MOST_CLICKS, read_clicks

# As Slicer 5.8 writes it, cut down to one point.
SLICER_FILE = """{
    "@schema": "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#",
    "markups": [
        {
            "type": "Fiducial",
            "coordinateSystem": "LPS",
            "coordinateUnits": "mm",
            "locked": false,
            "fixedNumberOfControlPoints": false,
            "labelFormat": "%N-%d",
            "lastUsedControlPointNumber": 1,
            "controlPoints": [
                {
                    "id": "1",
                    "label": "F-1",
                    "description": "",
                    "associatedNodeID": "vtkMRMLScalarVolumeNode1",
                    "position": [-12.5, 34.25, -7.0],
                    "orientation": [-1.0, -0.0, -0.0, -0.0, -1.0, -0.0, 0.0, 0.0, 1.0],
                    "selected": true,
                    "locked": false,
                    "visibility": true,
                    "positionStatus": "defined"
                }
            ],
            "measurements": [],
            "display": {"visibility": true, "opacity": 1.0}
        }
    ]
}"""


def point(position=(1, 2, 3), **more):
    return {"position": position, "positionStatus": "defined", **more}


def fiducials(*points, **more):
    return {
        "markups": [{"type": "Fiducial", "coordinateSystem": "LPS", "controlPoints": list(points), **more}]
    }


@pytest.fixture
def read(tmp_path):
    def read(document):
        path = tmp_path / "clicks.mrk.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return read_clicks(path)

    return read


def test_file_as_slicer_writes_it_is_read_in_ras(read):
    assert read(SLICER_FILE) == [Click((12.5, -34.25, -7.0), ClickKind.BOUNDARY)]


@pytest.mark.parametrize("system", ["LPS", "1", 1])
def test_lps_turns_the_signs_of_the_first_two_coordinates(read, system):
    assert read(fiducials(point(), coordinateSystem=system))[0].position_ras == (-1, -2, 3)


@pytest.mark.parametrize("system", ["RAS", "0", 0])
def test_ras_is_taken_as_it_is(read, system):
    assert read(fiducials(point(), coordinateSystem=system))[0].position_ras == (1, 2, 3)


def test_system_that_is_not_named_is_lps(read):
    document = fiducials(point())
    del document["markups"][0]["coordinateSystem"]
    assert read(document)[0].position_ras == (-1, -2, 3)


@pytest.mark.parametrize("system", ["IJK", 2, None, ["RAS"]])
def test_unknown_system_is_refused(read, system):
    with pytest.raises(CorrectionError, match="is no coordinate system of Markups JSON; use LPS or RAS"):
        read(fiducials(point(), coordinateSystem=system))


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        ("", ClickKind.BOUNDARY),
        ("   ", ClickKind.BOUNDARY),
        ("boundary", ClickKind.BOUNDARY),
        ("include", ClickKind.INCLUDE),
        (" Exclude\n", ClickKind.EXCLUDE),
    ],
)
def test_description_gives_the_kind(read, description, kind):
    assert read(fiducials(point(description=description)))[0].kind is kind


def test_point_without_description_is_a_boundary_click(read):
    assert read(fiducials(point()))[0].kind is ClickKind.BOUNDARY


def test_description_that_names_no_kind_is_refused(read):
    with pytest.raises(CorrectionError, match="'tumor' is no kind of click; .*boundary, include or exclude"):
        read(fiducials(point(description="tumor")))


@pytest.mark.parametrize("status", ["preview", "undefined", "missing"])
def test_points_that_were_not_placed_are_skipped(read, status):
    clicks = read(fiducials(point((9, 9, 9), positionStatus=status), point((4, 5, 6))))
    assert [click.position_ras for click in clicks] == [(-4, -5, 6)]


def test_point_without_status_was_placed(read):
    assert len(read(fiducials({"position": [1, 2, 3]}))) == 1


def test_points_of_all_lists_come_in_order_and_lines_are_left_out(read):
    document = fiducials(point((1, 0, 0)), point((2, 0, 0)))
    document["markups"] += [
        {"type": "Line", "coordinateSystem": "LPS", "controlPoints": [point((8, 8, 8))]},
        *fiducials(point((3, 0, 0)), coordinateSystem="RAS")["markups"],
    ]
    assert [click.position_ras[0] for click in read(document)] == [-1, -2, 3]


def test_missing_file_is_named(tmp_path):
    with pytest.raises(CorrectionError, match=r"clicks\.mrk\.json does not exist"):
        read_clicks(tmp_path / "clicks.mrk.json")


@pytest.mark.parametrize(
    "document",
    [
        {"markups": []},
        fiducials(),
        fiducials(point(positionStatus="preview")),
    ],
    ids=["no lists", "empty list", "preview only"],
)
def test_file_without_a_placed_point_is_refused(read, document):
    with pytest.raises(CorrectionError, match="holds no placed point; place at least one click"):
        read(document)


MALFORMED = {
    "empty file": "",
    "text": "R 1 A 2 S 3",
    "half a file": SLICER_FILE[:500],
    "a list": [point()],
    "a string": '"markups"',
    "a number": "3",
    "null": "null",
    "no markups": {"points": []},
    "markups null": {"markups": None},
    "markups a dict": {"markups": {"type": "Fiducial"}},
    "markup a string": {"markups": ["Fiducial"]},
    "markup without type": {"markups": [{"controlPoints": []}]},
    "no control points": {"markups": [{"type": "Fiducial"}]},
    "control points null": {"markups": [{"type": "Fiducial", "controlPoints": None}]},
    "point a list": fiducials([1, 2, 3]),
    "point null": fiducials(None),
    "no position": fiducials({"positionStatus": "defined"}),
    "position null": fiducials(point(None)),
    "position a number": fiducials(point(5)),
    "position of two": fiducials(point((1, 2))),
    "position of four": fiducials(point((1, 2, 3, 4))),
    "position of words": fiducials(point(("left", "up", "back"))),
    "position a word": fiducials(point("abc")),
    "position with null": fiducials(point((1, None, 3))),
    "description a number": fiducials(point(description=3)),
    "description null": fiducials(point(description=None)),
}


@pytest.mark.parametrize("document", MALFORMED.values(), ids=MALFORMED)
def test_file_that_is_no_markups_json_is_refused(read, document):
    with pytest.raises(
        CorrectionError, match=r"is no Markups JSON of points \(.+\); save the points from Slicer"
    ):
        read(document)


def test_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "clicks.mrk.json"
    path.write_bytes(b"\x1f\x8b\xff\xfe\x00")
    with pytest.raises(CorrectionError, match="is no Markups JSON of points"):
        read_clicks(path)


def test_folder_is_refused(tmp_path):
    with pytest.raises(CorrectionError, match="is a folder; name a file"):
        read_clicks(tmp_path)


def test_line_is_called_what_it_is(read):
    with pytest.raises(CorrectionError, match="holds markups of type Line, not points; place points"):
        read({"markups": [{"type": "Line", "controlPoints": [point()]}]})


def test_more_points_than_anybody_places_are_refused(read):
    assert len(read(fiducials(*[point()] * MOST_CLICKS))) == MOST_CLICKS
    with pytest.raises(CorrectionError, match="holds 501 points; a round takes at most 500"):
        read(fiducials(*[point()] * (MOST_CLICKS + 1)))


@pytest.mark.parametrize("units", ["mm", ["MM", "UCUM", "mm"], ["mm", "[UCUM]", "millimetre"]])
def test_millimetres_are_taken_however_slicer_writes_them(read, units):
    assert len(read(fiducials(point(), coordinateUnits=units))) == 1


@pytest.mark.parametrize("units", ["cm", "um", 5, None])
def test_other_units_are_refused(read, units):
    with pytest.raises(CorrectionError, match="are in .+, not in mm"):
        read(fiducials(point(), coordinateUnits=units))


def test_kind_is_parsed_from_any_case_and_refused_otherwise():
    assert ClickKind.parse("INCLUDE ") is ClickKind.INCLUDE
    with pytest.raises(CorrectionError, match="no kind of click"):
        ClickKind.parse("in")


@pytest.mark.parametrize(
    ("label", "description", "kind"),
    [
        ("exclude-1", "", ClickKind.EXCLUDE),
        ("Include 12", " ", ClickKind.INCLUDE),
        ("exclude", "exclude", ClickKind.EXCLUDE),
        ("boundary_3", "", ClickKind.BOUNDARY),
        ("F-1", "include", ClickKind.INCLUDE),
        ("excluded region", "", ClickKind.BOUNDARY),
        (None, "", ClickKind.BOUNDARY),
    ],
)
def test_a_kind_may_stand_in_the_label_alone(read, label, description, kind):
    assert [click.kind for click in read(fiducials(point(label=label, description=description)))] == [kind]


def test_a_label_and_a_description_that_contradict_each_other_are_told(read):
    with pytest.raises(
        CorrectionError, match="point 1 is labelled 'exclude-1' and described as include; make"
    ):
        read(fiducials(point(label="exclude-1", description="include")))
