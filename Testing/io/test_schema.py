"""Documents against a declared schema: what is refused, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from VSClickCorrectLib.io.schema import Schema, number, of_fields, one_of, table


@dataclass
class Head:
    name: str
    sides: int = 2
    width: float = 0.5
    open: bool = False
    more: dict = field(default_factory=dict)


HEAD = of_fields(Head, sides=number(1, 4, whole=True))
HEADS = Schema(
    table({"heads": {"type": "array", "items": HEAD, "description": "a list"}, "kind": one_of("a", "b")})
)


def refusal(head, whole="", **changes):
    with pytest.raises(ValueError, match=".") as error:
        HEADS.check({"heads": [{"name": "first"}, head], "kind": "a"} | changes, whole)
    return str(error.value)


def test_what_has_a_default_may_be_left_out():
    HEADS.check(
        {"heads": [{"name": "first"}, {"name": "x", "sides": 4, "width": 2, "open": True}], "kind": "b"}
    )


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ({}, "number 2 of heads has no name, which must be a text"),
        ({"name": 5}, "name of number 2 of heads must be a text, not 5"),
        (5, "number 2 of heads must be names and values, not 5"),
        ({"name": "x", "sides": 5}, "sides of 'x' must be a whole number from 1 to 4, not 5"),
        ({"name": "x", "sides": 2.0}, "sides of 'x' must be a whole number from 1 to 4, not 2.0"),
        ({"name": "x", "sides": True}, "sides of 'x' must be a whole number from 1 to 4, not True"),
        ({"name": "x", "width": -0.5}, "width of 'x' must be a number of at least 0, not -0.5"),
        ({"name": "x", "width": True}, "width of 'x' must be a number of at least 0, not True"),
        ({"name": "x", "open": 1}, "open of 'x' must be true or false, not 1"),
        (
            {"name": "x", "open.1": 1},
            "'x' has an unknown 'open.1'; it may have name, sides, width, open, more",
        ),
        ({"name": "x", "width": float("nan")}, "it has a number that is not finite"),
        ({"name": "x", "more": {"deep": [float("inf")]}}, "it has a number that is not finite"),
    ],
    ids=str,
)
def test_first_thing_that_is_wrong_is_said_with_its_place(head, sentence):
    assert refusal(head) == sentence


def test_document_is_called_by_its_name_and_long_values_are_cut():
    assert refusal({"name": "x"}, kind="c") == "kind must be one of a, b, not 'c'"
    assert refusal({"name": "x"}, "the zoo", kind="c" * 999).startswith(
        "kind of the zoo must be one of a, b, not 'ccc"
    )
    assert len(refusal({"name": "x"}, kind="c" * 999)) < 100
