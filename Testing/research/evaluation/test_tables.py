"""Tables of three made-up cases."""

import csv
from dataclasses import replace

import pytest
from made_results import made_results, settings, started
from VSClickCorrectResearch.evaluation.results import EvaluationResults
from VSClickCorrectResearch.evaluation.tables import cases_csv, summary_markdown


@pytest.fixture(scope="module")
def summary():
    return summary_markdown(made_results())


def row(summary, *beginning):
    """Cells of the first row that begins so."""
    start = "| " + " | ".join(beginning) + " |"
    line = next(line for line in summary.splitlines() if line.startswith(start))
    return [cell.strip() for cell in line.strip("|").split("|")][len(beginning) :]


def test_summary_says_what_was_done(summary):
    for words in (
        "3 cases of `list.csv`; 1 more without a tumour left out",
        "start: the cases' own masks",
        "2 rounds of at most 5 clicks by the simulated user who knows where the mask is most wrong, a "
        "round's clicks applied at once",
        "net@0123",
        "seed 0",
        "vsclick 1.2.3",
    ):
        assert words in summary


def test_means_have_intervals_and_medians_quartiles(summary):
    start, first, second = row(summary, "net", "mean [95 % CI]")
    assert start.startswith("0.5533 [0.0")
    assert first.startswith("0.8400 [0.7000, 0.9")
    assert second.startswith("0.8567 [")
    assert row(summary, "", "median (quartiles)")[2] == "0.9100 (0.8050 to 0.9350)"


def test_infinite_distances_are_named_as_such(summary):
    start, first, _ = row(summary, "HD95, mm", "mean")
    assert (start, first) == ("4.00 (1 × ∞)", "2.00")
    assert "4.00 (4.00 to ∞)" in summary
    assert "distance to an empty mask" in summary


def test_goals_that_were_not_reached_are_named_as_such(summary):
    assert row(summary, "net", "67%") == ["5", "67%", "5", "33%", "not within 10"]
    assert "after every round" in summary


def test_harm_is_told_of_rounds_and_of_clicks_only_where_it_is_known(summary):
    assert row(summary, "net", "20.0%")[0] == "–"
    single = summary_markdown(made_results(one_by_one=True))
    assert row(single, "net", "20.0%")[0] == "15.0%"
    assert "after every click" in single


def test_differences_have_interval_p_and_counts(summary):
    first, second = row(summary[summary.index("less that") :], "none")
    assert first.startswith("+0.2867 [+0.06")
    assert first.endswith("p = 0.250, 3 : 0")
    assert second.startswith("+0.3035")


def test_corrector_alone_needs_no_table_of_differences():
    results = made_results()
    alone = [
        type(r)(r.name, r.volume_mm3, {"net": r.rounds["net"]} if r.rounds else {}) for r in results.records
    ]
    text = summary_markdown(EvaluationResults(settings(baselines=False), alone))
    assert "less that" not in text
    assert "net" in text


def test_every_table_is_whole(summary):
    widths = []
    for line in summary.splitlines():
        widths.append(line.count("|") if line.startswith("|") else 0)
    for before, after in zip(widths, widths[1:], strict=False):
        assert before == 0 or after in (0, before)


def test_csv_has_a_line_for_each_case_method_and_round():
    lines = list(csv.DictReader(cases_csv(made_results()).splitlines()))
    assert len(lines) == 3 * 2 * 3
    line = next(v for v in lines if (v["case"], v["method"], v["round"]) == ("b", "net", "2"))
    assert float(line["dice"]) == 0.91
    assert (line["clicks"], line["volume_mm3"], line["milliseconds"]) == ("2", "500.0", "10.0")
    empty = next(v for v in lines if (v["case"], v["method"], v["round"]) == ("c", "none", "1"))
    assert empty["hd95_mm"] == "inf"


def with_first_clicks(results):
    """Each start was one include click; one anywhere inside reached 0.6, 0.9 and nothing, refused."""
    elsewhere = {"a": started(0.6), "b": started(0.9), "c": replace(started(0.0), refused=1)}
    records = [
        replace(r, first={"in the middle": r.rounds["net"][0], "anywhere inside": elsewhere[r.name]})
        for r in results.cases
    ]
    return EvaluationResults(settings(start="first-click", jitter_mm=1.5, off_target=0.05), records)


def test_first_click_has_mean_median_worst_and_share_found():
    summary = summary_markdown(with_first_clicks(made_results()))
    assert "what one include click in the middle of the tumour makes of an empty mask" in summary
    assert "a normal error of 1.5 mm in each direction of the slice, 5.0% of them anywhere in it" in summary
    # Starts of 0.8, 0.86, 0; and 0.6, 0.9, 0.
    assert row(summary, "in the middle") == ["3", "0.5533", "0.8000", "0.0000", "66.7%", "0"]
    assert row(summary, "anywhere inside") == ["3", "0.5000", "0.6000", "0.0000", "66.7%", "1"]
    # Ten clicks of rounds, and the first.
    assert row(summary, "net", "67%")[-1] == "not within 11"
    assert "One include click" not in summary_markdown(made_results())


def test_groups_have_rows_of_their_own_beside_all(summary):
    head = "| cases | n | found | start | round 1 | round 2 | rounds made worse |"
    assert summary.count(head) == 1
    assert row(summary, "150 to 600 mm³") == ["2", "50.0%", "0.4300", "0.8100", "0.8050", "33.3%"]
    assert row(summary, "600 to 1500 mm³") == ["1", "100.0%", "0.8000", "0.9000", "0.9600", "0.0%"]
    assert row(summary, "all") == ["3", "66.7%", "0.5533", "0.8400", "0.8567", "20.0%"]
    results = made_results()
    named = [replace(r, kind="" if r.name == "b" else "phantom") for r in results.records]
    summary = summary_markdown(EvaluationResults(results.settings, named))
    assert summary.count(head) == 2
    assert row(summary, "phantom") == ["2", "50.0%", "0.4000", "0.8000", "0.8300", "0.0%"]
    assert row(summary, "not said") == ["1", "100.0%", "0.8600", "0.9200", "0.9100", "50.0%"]


def test_confidence_is_told_where_it_is_known(summary):
    assert "Confidence" not in summary
    results = made_results()
    sure = {"a": 0.95, "b": 0.91, "c": 0.25}
    records = [replace(r, confidence=sure.get(r.name)) for r in results.records]
    summary = summary_markdown(EvaluationResults(results.settings, records))
    assert row(summary, "0.9 to 1.0") == ["2", "0.930", "100.0%"]
    assert row(summary, "0.2 to 0.3") == ["1", "0.250", "0.0%"]
    # (2 × 0.07 + 0.25) / 3
    assert "Expected calibration error 0.130; area under the ROC curve 1.000" in summary


def test_refused_clicks_are_counted():
    results = made_results()
    rounds = results.records[0].rounds["net"]
    refused = (rounds[0], replace(rounds[1], refused=2), replace(rounds[2], refused=1))
    records = [replace(results.records[0], rounds={"net": refused})]
    summary = summary_markdown(EvaluationResults(settings(baselines=False), records))
    assert row(summary, "net", "0.0%", "–")[0] == "3"
    assert "- 1 case of `list.csv`" in summary
    values = EvaluationResults(settings(baselines=False), records).to_json()
    assert values["methods"]["net"]["clicks_refused"] == 3


def test_no_name_is_a_formula():
    made = made_results()
    record = replace(made.records[0], name="=HYPERLINK(A1)")
    lines = cases_csv(replace(made, records=[record])).splitlines()
    assert all(line.startswith("'=HYPERLINK(A1),") for line in lines[1:]) and len(lines) > 2
