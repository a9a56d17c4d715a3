"""All comparisons together, as the table takes them."""

from types import SimpleNamespace

import pytest
from VSClickCorrectResearch.benchmark.comparisons import COMPARISONS
from VSClickCorrectResearch.benchmark.comparisons.comparison import Comparison

pytestmark = pytest.mark.long

EFFORT = SimpleNamespace(repeats=1, device="cpu")
ROWS = {"MONAI's sliding window": 1, "DeepEdit": 2, "slicer.util": 1, "trame-slicer's editor": 3}


def test_every_comparison_has_its_rows():
    assert set(COMPARISONS) == set(ROWS)


@pytest.mark.parametrize("name", ["MONAI's sliding window", "slicer.util", "trame-slicer's editor"])
def test_each_gives_comparisons_with_one_repeat_a_side(case, truth, models, name):
    if name == "MONAI's sliding window":
        pytest.importorskip("monai")
    else:
        pytest.importorskip("trame_slicer")
    rows = COMPARISONS[name](case, truth, models, EFFORT)
    assert len(rows) == ROWS[name]
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        assert isinstance(row, Comparison)
        assert len(row.our_seconds) == len(row.reference_seconds) == 1
        assert row.equal > 0.93
        assert row.note.endswith(".")


def test_deepedit_is_measured_both_ways(case, truth, models, monkeypatch):
    deepedit = pytest.importorskip("VSClickCorrectResearch.benchmark.comparisons.deepedit")
    pytest.importorskip("monai")
    # 128 cubed takes seconds and shows nothing more.
    monkeypatch.setattr(deepedit.compare_resized, "__defaults__", (None, (16, 32, 32), "cpu"))
    whole, resized = COMPARISONS["DeepEdit"](case, truth, models, EFFORT)
    assert "whole head" in whole.name
    assert "resized to 16×32×32" in resized.name
