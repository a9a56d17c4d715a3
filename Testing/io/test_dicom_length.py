"""Whether DICOM files are as long as they say, on files put together by hand."""

import pytest
from VSClickCorrectLib.io.dicom_length import is_whole, values_at

EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
NAME = b"\x10\x00\x10\x00"
PIXELS = b"\xe0\x7f\x10\x00"


def dicom(syntax, *elements):
    text = syntax.encode() + b"\0" * (len(syntax) % 2)
    return (
        bytes(128) + b"DICM\x02\x00\x10\x00UI" + len(text).to_bytes(2, "little") + text + b"".join(elements)
    )


def short(length, value=b"Doe^John"):
    return NAME + b"PN" + length.to_bytes(2, "little") + value


def long(length, value=bytes(20)):
    return PIXELS + b"OW\0\0" + length.to_bytes(4, "little") + value


def implicit(tag, length, value):
    return tag + length.to_bytes(4, "little") + value


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (b"Dear colleague", True),
        (b"", True),
        (dicom(EXPLICIT, short(8), long(20)), True),
        (dicom(EXPLICIT, short(8), long(22)), False),
        (dicom(EXPLICIT, short(8), long(20))[:-1], False),
        (dicom(EXPLICIT, short(9)), False),
        (dicom(EXPLICIT, short(8), long(0xFFFFFFFE)), False),
        # Of undefined length: a sequence, or pixels in packed fragments.
        (dicom(EXPLICIT, long(0xFFFFFFFF)), True),
        (dicom(IMPLICIT, implicit(NAME, 8, b"Doe^John"), implicit(PIXELS, 20, bytes(20))), True),
        (dicom(IMPLICIT, implicit(NAME, 8, b"Doe^John"), implicit(PIXELS, 21, bytes(20))), False),
        # The length's first two bytes are letters, which here is no kind of value.
        (dicom(IMPLICIT, implicit(NAME, int.from_bytes(b"PN\0\0", "little"), bytes(20048))), True),
        (dicom(BIG, b"\x00\x10\x00\x10PN\x00\x08Doe^John"), True),
        (dicom(EXPLICIT, short(8), b"\xe0\x7f\x10"), True),
        (dicom("1.2.840.10008.1.2.1.99", b"\xff" * 40), True),
    ],
)
def test_a_file_is_whole_where_no_element_reaches_beyond_its_end(tmp_path, content, whole):
    (tmp_path / "slice.dcm").write_bytes(content)
    assert is_whole(tmp_path / "slice.dcm") is whole


ITEM, END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0" + bytes(4)
UNDEFINED = b"\xff" * 4
STUDIES = b"\x08\x00\x10\x11"
# An item with an element like the one that is looked for, then one of undefined length.
ITEMS = ITEM + (16).to_bytes(4, "little") + short(8) + ITEM + UNDEFINED + b"\xfe\xff\x0d\xe0" + bytes(4) + END


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (dicom(EXPLICIT, short(8)), b"Doe^John"),
        (dicom(EXPLICIT, STUDIES + b"SQ\0\0" + UNDEFINED + ITEMS, short(6, b"Doe^Jo")), b"Doe^Jo"),
        (dicom(EXPLICIT, long(20), short(8)), None),
        (dicom(EXPLICIT, STUDIES + b"SQ\0\0" + UNDEFINED + ITEM), None),
        (dicom(BIG, b"\x00\x10\x00\x10PN\x00\x08Doe^John"), None),
        (b"Dear colleague", None),
    ],
)
def test_a_value_is_found_where_it_stands(tmp_path, content, expected):
    (tmp_path / "slice.dcm").write_bytes(content)
    place = values_at(tmp_path / "slice.dcm", (0x0010, 0x0010))[0]
    assert (place and content[place[0] : sum(place)]) == expected
