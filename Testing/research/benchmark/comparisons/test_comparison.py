"""What a comparison says, and that both sides take turns."""

import pytest
from VSClickCorrectResearch.benchmark.comparisons.comparison import Comparison, in_turns, require
from VSClickCorrectResearch.benchmark.errors import ProgramMissing


def test_ratio_is_that_of_the_medians():
    one = Comparison("write", (1.0, 2.0, 90.0), (10.0, 70.0, 30.0), 1.0, 5.0, "as told")
    assert one.ratio == 30.0 / 2.0


def test_each_begins_every_other_time():
    order = []

    def side(name, seconds):
        def once():
            order.append(name)
            return seconds[order.count(name) - 1]

        return once

    ours, reference = in_turns(3, side("ours", [1.0, 2.0, 3.0]), side("reference", [4.0, 5.0, 6.0]))
    assert order == ["ours", "reference", "reference", "ours", "ours", "reference"]
    assert ours == (1.0, 2.0, 3.0)
    assert reference == (4.0, 5.0, 6.0)


def test_what_is_not_installed_is_told_in_a_sentence():
    require("numpy", "NumPy")
    with pytest.raises(ProgramMissing, match=r"Some Program is not installed.*vsclickcorrect\[bench\]"):
        require("a_package_that_nobody_has", "Some Program")
