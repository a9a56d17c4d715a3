"""What is taken for named, and what for a sentence."""

import pytest
from sentences import faults, unnamed


def test_what_is_not_named_is_told():
    said = "cases.csv, line 12: 1.5 mm is too thin; scan it again."
    assert unnamed(said, "cases.csv", 12, "1.5", "thin", "scan") == []
    assert unnamed(said, "case.csv", 13, "thick") == ["case.csv", "13", "thick"]


@pytest.mark.parametrize("number", [1, 2, 5, -1, "1.5 m"])
def test_a_number_is_named_only_as_a_whole(number):
    assert unnamed("line 12: 1.5 mm, not -2.", number) == [str(number)]


def test_at_the_end_too():
    assert unnamed("It holds 2, not 3.", 2, 3) == []


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("", "is empty"),
        ("One.\nTwo.", "is not one line"),
        ("It ends so", "does not end in a full stop"),
        ("ValueError: it is bad.", "shows Python"),
        ("<class 'int'> is bad.", "shows Python"),
    ],
)
def test_what_is_no_sentence_is_told(said, fault):
    assert fault in faults(said)


def test_a_sentence_has_no_fault():
    assert faults("mask.nii is empty; draw something.") == []
