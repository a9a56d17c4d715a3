"""Tables of experiments that stand in the documents are those of the results that are kept."""

from pathlib import Path

import label_curve
import pytest
import slice_wise
import thesis_tables

DOCS = Path(__file__).parents[1] / "Resources" / "Docs"
RESULTS = DOCS / "results"


@pytest.mark.parametrize(
    "group", [name for name in thesis_tables.GROUPS if (RESULTS / f"{name}.json").exists()]
)
def test_thesis_tables_are_those_of_the_kept_results(group):
    text = (DOCS / "experiments.md").read_text(encoding="utf-8")
    assert thesis_tables.printed(RESULTS / f"{group}.json") in text


def test_the_label_curve_is_that_of_the_kept_results():
    text = (DOCS / "experiments.md").read_text(encoding="utf-8")
    tables = label_curve.printed(RESULTS / "label-curve.json")
    assert tables.count("| 170 |") == 2 and all(one in text for one in tables.split("\n\n"))


def test_the_tables_slice_by_slice_are_those_of_the_kept_results():
    text = (DOCS / "experiments.md").read_text(encoding="utf-8")
    tables = slice_wise.printed(RESULTS / "slice-wise.json")
    assert tables.count("| initial-slices |") == 4 and tables in text
