"""Tables of experiments that stand in the documents are those of the results that are kept."""

import json
from pathlib import Path

import label_curve
import pytest
import shipped_scores
import slice_wise
import thesis_tables
from VSClickCorrectLib.inference.manifest import ModelFolder

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
    # The last one tells by how much the networks still gained.
    assert tables.count("| 170 |") == 3 and all(one in text for one in tables.split("\n\n"))


def test_the_tables_slice_by_slice_are_those_of_the_kept_results():
    text = (DOCS / "experiments.md").read_text(encoding="utf-8")
    tables = slice_wise.printed(RESULTS / "slice-wise.json")
    assert tables.count("| initial-slices |") == 4 and tables in text


def test_what_ships_is_said_to_do_what_the_kept_results_say():
    text = (DOCS / "experiments.md").read_text(encoding="utf-8")
    tables = shipped_scores.printed(RESULTS / "shipped-scores.json")
    assert tables.count("| both sequences |") == 2 and tables in text


def test_kept_results_are_those_of_the_models_that_ship():
    kept = json.loads((RESULTS / "shipped-scores.json").read_text(encoding="utf-8"))
    released = {f"{entry.name}@{entry.sha256[:12]}" for entry in ModelFolder().entries.values()}
    assert all(set(one["settings"]["models"]) <= released for one in kept.values())


def test_an_average_of_kept_results_is_that_of_their_cases():
    kept = json.loads((RESULTS / "shipped-scores.json").read_text(encoding="utf-8"))
    starts = [rounds[0][2] for *_, rounds in kept["both"]["cases"]]
    assert len(starts) == 39
    assert f"| both sequences | {sum(starts) / 39:.3f} [" in shipped_scores.printed(
        RESULTS / "shipped-scores.json"
    )


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("cut-correction-plain", "cut-dice-plain", "by 0.005 without attention"),
        ("cut-correction-attention", "cut-dice-attention", "0.008 with it"),
        ("cut-correction-attention", "cut-correction-plain", "0.003 lower with the correction loss"),
        ("cut-dice-attention", "cut-dice-plain", "0.006 lower with Dice"),
    ],
)
def test_what_is_said_of_two_rows_is_the_difference_of_their_means(one, other, said):
    trials = json.loads((RESULTS / "cuts.json").read_text(encoding="utf-8"))["trials"]
    after = {
        name: [dice[1] for trial in trials if trial["name"] == name for dice in trial["dice"].values()]
        for name in (one, other)
    }
    assert len(after[one]) == len(after[other]) == 3 * 39
    difference = sum(after[one]) / len(after[one]) - sum(after[other]) / len(after[other])
    assert f"{abs(difference):.3f}" in said and (difference < 0) == ("lower" in said)
    assert said in " ".join((DOCS / "experiments.md").read_text(encoding="utf-8").split())
