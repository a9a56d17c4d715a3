"""Values of patient and study that DICOM does not allow, as anonymised and older headers hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from VSClickCorrectLib.io.dicom_headers import needed
from VSClickCorrectLib.io.dicom_text import is_one_alphabet

if TYPE_CHECKING:
    from pydicom import Dataset

_CHARACTER_SET, _UTF_8 = "SpecificCharacterSet", "ISO_IR 192"
_KINDS = {"PatientBirthDate": "DA", "StudyDate": "DA", "StudyTime": "TM"}
_SEXES = ("M", "F", "O")


def drop_invalid(header: Dataset) -> None:
    """Take out of a header, all of it decoded, what may not stand in what is written.

    Dates and times that are none, a sex that DICOM does not know, and alphabets that are not one alone, as in
    Japanese and Korean headers: what was decoded by these is written as UTF-8.
    """
    values = needed("pydicom.valuerep", "to write DICOM")
    for keyword, kind in _KINDS.items():
        if keyword in header and not _is_valid(header[keyword].value, getattr(values, kind)):
            del header[keyword]
    if header.get("PatientSex", "M") not in _SEXES:
        del header["PatientSex"]
    if _CHARACTER_SET in header and not is_one_alphabet(header[_CHARACTER_SET].value):
        # The element itself may be another header's, too.
        del header[_CHARACTER_SET]
        header.SpecificCharacterSet = _UTF_8


def _is_valid(value: object, kind: type) -> bool:
    try:
        kind(value)
    except (TypeError, ValueError):
        return False
    return True
