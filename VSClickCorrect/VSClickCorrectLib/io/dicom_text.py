"""Text of DICOM headers, in whatever alphabet it was written (PS3.3, C.12.1.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import SimpleITK as sitk

_CHARACTER_SET = "0008|0005"
# What SpecificCharacterSet may say, and the codec that Python has for it.
_CODECS = {
    "ISO_IR 100": "latin-1",
    "ISO_IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4",
    "ISO_IR 144": "iso8859-5",
    "ISO_IR 127": "iso8859-6",
    "ISO_IR 126": "iso8859-7",
    "ISO_IR 138": "iso8859-8",
    "ISO_IR 148": "iso8859-9",
    "ISO_IR 203": "iso8859-15",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 166": "iso8859-11",
    "ISO_IR 192": "utf-8",
    "GB18030": "gb18030",
    "GBK": "gbk",
}
_ESCAPE = b"\x1b"
# What follows the escape character switches to another alphabet in the midst of a text.
_SWITCHES = {
    b"(B": "ascii",
    b"(J": "shift_jis",
    b")I": "shift_jis",
    b"-A": "latin-1",
    b"-B": "iso8859-2",
    b"-C": "iso8859-3",
    b"-D": "iso8859-4",
    b"-L": "iso8859-5",
    b"-G": "iso8859-6",
    b"-F": "iso8859-7",
    b"-H": "iso8859-8",
    b"-M": "iso8859-9",
    b"-b": "iso8859-15",
    b"-T": "iso8859-11",
    b"$)C": "euc_kr",
    b"$)A": "gb2312",
}
# These Python's codecs read with their escapes.
_JAPANESE = (b"$B", b"$@", b"$(D")


def is_one_alphabet(character_set: str | Sequence[str]) -> bool:
    """Whether SpecificCharacterSet names one alphabet, between which and others nothing switches."""
    return isinstance(character_set, str) and character_set in _CODECS


def value_of(image: sitk.Image | sitk.ImageFileReader, tag: str) -> str:
    """Return a value in the dictionary that ITK read of a header, without padding; empty if there is none."""
    return image.GetMetaData(tag).strip("\0 ") if image.HasMetaDataKey(tag) else ""


def text_of(image: sitk.Image | sitk.ImageFileReader, tag: str) -> str:
    """Return a value as `value_of`, as it was written; see `header_text`."""
    return header_text(value_of(image, tag), value_of(image, _CHARACTER_SET))


def header_text(value: str, character_set: str) -> str:
    """Return a value of a header as it was written.

    Parameters
    ----------
    value : str
        As SimpleITK gives it: UTF-8, what is none as surrogates.
    character_set : str
        SpecificCharacterSet, empty where the header has none. What does not hold to it is read as UTF-8 or,
        if it is none, as Latin-1.

    Returns
    -------
    str
        Without the padding around it.
    """
    content = value.encode("utf-8", "surrogateescape")
    first, *others = content.split(_ESCAPE)
    name = character_set.split("\\", maxsplit=1)[0].strip("\0 ").replace("ISO 2022 IR", "ISO_IR")
    text = _decoded(first, (_CODECS.get(name, "ascii"), "utf-8"))
    return (text + "".join(map(_switched, others))).strip("\0 ")


def _switched(part: bytes) -> str:
    """Return the text of what followed an escape character."""
    if part.startswith(_JAPANESE):
        return _decoded(_ESCAPE + part, ("iso2022_jp_2",))
    for switch, codec in _SWITCHES.items():
        if part.startswith(switch):
            return _decoded(part[len(switch) :], (codec,))
    return _decoded(_ESCAPE + part, ("utf-8",))


def _decoded(content: bytes, codecs: Sequence[str]) -> str:
    for codec in codecs:
        try:
            return content.decode(codec)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")
