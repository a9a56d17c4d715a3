"""Damaging good files at random, as Hypothesis strategies."""

from __future__ import annotations

import re
import struct

from hypothesis import strategies as st

# What numbers of headers are replaced by.
_EXTREMES = [
    struct.pack(f"{order}{layout}", value)
    for order in "<>"
    for layout, values in {
        "h": (-1, 0, 1, 32767, -32768),
        "i": (-1, 0, 2**31 - 1, -(2**31)),
        "q": (-1, 0, 2**63 - 1, 2**40),
        "f": (float("nan"), float("inf"), -1.0, 0.0, 1e30),
        "d": (float("nan"), float("-inf"), 1e300),
    }.items()
    for value in values
]
_WORDS = [
    *(b"NaN", b"-Infinity", b"1e999", b"-1", b"0", b"9" * 400, b"1.5", b"null", b"true", b"[]", b"{}"),
    *(b'""', b'"x"', b"[[[]]]", b"\x00", b"\xff", b"\n", b"\r", b";", b",", b'"', b"..", b"/", b"\\u0000"),
]
_TOKEN = re.compile(rb'"[^"]*"|-?\d[\d.e+-]*|[\w.]+')
_HEADER_BYTES = 400


@st.composite
def places(draw, length: int) -> int:
    """Return a place in a file, every second time in its first 400 bytes."""
    last = max(0, length - 1)
    return draw(st.integers(0, min(last, _HEADER_BYTES)) if draw(st.booleans()) else st.integers(0, last))


@st.composite
def damaged(draw, content: bytes) -> bytes:
    """Return a file with one to four faults."""
    for _ in range(draw(st.integers(1, 4))):
        content = draw(st.sampled_from(_FAULTS))(draw, content)
    return content


def _flip(draw, content: bytes) -> bytes:
    at = draw(places(len(content)))
    return (
        content[:at]
        + bytes([b ^ (1 << draw(st.integers(0, 7))) for b in content[at : at + 1]])
        + content[at + 1 :]
    )


def _extreme(draw, content: bytes) -> bytes:
    at, value = draw(places(len(content))), draw(st.sampled_from(_EXTREMES))
    return content[:at] + value + content[at + len(value) :]


def _cut(draw, content: bytes) -> bytes:
    return content[: draw(places(len(content)))]


def _delete(draw, content: bytes) -> bytes:
    at = draw(places(len(content)))
    return content[:at] + content[at + draw(st.integers(1, 64)) :]


def _insert(draw, content: bytes) -> bytes:
    at = draw(places(len(content)))
    return content[:at] + draw(st.binary(min_size=1, max_size=16)) + content[at:]


def _repeat(draw, content: bytes) -> bytes:
    at = draw(places(len(content)))
    return content[:at] + content[at : at + draw(st.integers(1, 200))] * 2 + content[at:]


def _word(draw, content: bytes) -> bytes:
    """Put another word in the place of a number, a name or a text."""
    at = draw(places(len(content)))
    token = _TOKEN.search(content, at)
    word = draw(st.sampled_from(_WORDS))
    return content[: token.start()] + word + content[token.end() :] if token else content + word


_FAULTS = [_flip, _extreme, _cut, _delete, _insert, _repeat, _word, _word]
