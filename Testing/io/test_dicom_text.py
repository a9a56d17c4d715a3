"""Text of DICOM headers in other alphabets."""

import pytest
from VSClickCorrectLib.io.dicom_text import header_text

ESCAPE = b"\x1b"


def given(content):
    """Bytes as SimpleITK hands them out."""
    return content.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("character_set", "content", "text"),
    [
        ("ISO_IR 100", "Pr\u00fcf-1".encode("latin-1"), "Pr\u00fcf-1"),
        ("ISO_IR 101 ", "Wa\u0142\u0119sa".encode("iso8859-2"), "Wa\u0142\u0119sa"),
        ("ISO_IR 144", "\u041b\u044e\u043ace".encode("iso8859-5"), "\u041b\u044e\u043ace"),
        ("ISO_IR 126", "\u0394\u03b9".encode("iso8859-7"), "\u0394\u03b9"),
        ("ISO_IR 166", "\u0e1b\u0e23".encode("iso8859-11"), "\u0e1b\u0e23"),
        ("ISO_IR 13", "\uff94\uff8f".encode("shift_jis"), "\uff94\uff8f"),
        ("ISO_IR 192", "t1 Sch\u00e4del".encode(), "t1 Sch\u00e4del"),
        ("GB18030", "\u738b".encode("gb18030"), "\u738b"),
        ("GBK", "\u738b".encode("gbk"), "\u738b"),
        ("ISO 2022 IR 100", "M\u00fcller".encode("latin-1"), "M\u00fcller"),
        ("\\ISO 2022 IR 87", b"t1 " + ESCAPE + b"$BF,It" + ESCAPE + b"(B km", "t1 \u982d\u90e8 km"),
        ("ISO_IR 13\\ISO 2022 IR 87", b"\xd4" + ESCAPE + b"$BF,It" + ESCAPE + b"(J", "\uff94\u982d\u90e8"),
        ("\\ISO 2022 IR 149", b"Kim=" + ESCAPE + b"$)C" + "\uae40".encode("euc_kr"), "Kim=\uae40"),
        ("\\ISO 2022 IR 58", ESCAPE + b"$)A" + "\u738b".encode("gb2312"), "\u738b"),
        ("ISO 2022 IR 6\\ISO 2022 IR 144", b"A " + ESCAPE + b"-L" + "\u042f".encode("iso8859-5"), "A \u042f"),
        # What is not declared, or declared wrongly, is still shown.
        ("", "Pr\u00fcf".encode("latin-1"), "Pr\u00fcf"),
        ("", "Pr\u00fcf".encode(), "Pr\u00fcf"),
        ("ISO_IR 192", "Pr\u00fcf".encode("latin-1"), "Pr\u00fcf"),
        ("no such set", "Pr\u00fcf".encode("latin-1"), "Pr\u00fcf"),
        ("", b"odd " + ESCAPE + b"%G", "odd " + "\x1b%G"),
        ("", b" VS-SEG-001 \0", "VS-SEG-001"),
    ],
)  # fmt: skip
def test_names_are_shown_as_they_are_written(character_set, content, text):
    assert header_text(given(content), character_set) == text
