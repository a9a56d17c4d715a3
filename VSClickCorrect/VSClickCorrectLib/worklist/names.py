"""Names of cases: one spelling, text that can be written, and no formulas in spreadsheets."""

from __future__ import annotations

import re
import unicodedata

# What a spreadsheet takes for the beginning of a formula, see OWASP's "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_QUOTE = "'"
_NO_TEXT = re.compile("[\ud800-\udfff]")


def case_name(text: str) -> str:
    """Return a case's name as it is compared and written, from a list or from a folder's name.

    Accents are spelled in the one way of two that Unicode calls NFC; bytes that are no text are shown by
    their numbers, after a backslash.
    """
    return unicodedata.normalize("NFC", _NO_TEXT.sub(lambda match: _shown(ord(match[0])), text))


def for_spreadsheet(text: str) -> str:
    """Return a cell of a table that no spreadsheet takes for a formula; numbers stay as they are."""
    if not text.lstrip(_QUOTE).startswith(_FORMULA) or _is_number(text):
        return text
    return _QUOTE + text


def from_spreadsheet(cell: str) -> str:
    """Return what `for_spreadsheet` made a cell of."""
    quoted = cell.startswith(_QUOTE) and cell.lstrip(_QUOTE).startswith(_FORMULA)
    return cell[1:] if quoted else cell


def _shown(half: int) -> str:
    """Return what is seen of half a pair of surrogates, by which Python stands for a byte of no text."""
    return f"\\x{half - 0xDC00:02x}" if 0xDC80 <= half <= 0xDCFF else f"\\u{half:04x}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def natural(name: str) -> list:
    """Return a key by which names sort as a person sorts them, 9 before 10."""
    # Superscripts are digits too, but no numbers.
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name)]
