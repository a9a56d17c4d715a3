"""Results of three made-up cases, counted by hand."""

from dataclasses import replace
from math import inf

import pytest
from made_results import made_results
from VSClickCorrectResearch.evaluation.results import Needed, curve


@pytest.fixture(scope="module")
def results():
    return made_results()


def test_cases_without_a_tumour_are_left_out(results):
    assert [case.name for case in results.cases] == ["a", "b", "c"]
    assert results.methods == ["net", "none"]
    assert results.values("net", "dice").tolist() == [[0.8, 0.9, 0.96], [0.86, 0.92, 0.91], [0.0, 0.7, 0.7]]


def test_summaries_are_over_cases_round_by_round(results):
    start, first, second = results.summaries("net", "dice")
    assert (start.mean, first.mean) == (pytest.approx(1.66 / 3), pytest.approx(2.52 / 3))
    assert (second.median, second.lower, second.upper) == pytest.approx((0.91, 0.805, 0.935))
    hausdorff = results.summaries("net", "hd95_mm")[0]
    assert (hausdorff.mean, hausdorff.median, hausdorff.upper, hausdorff.infinite) == (4.0, 4.0, inf, 1)


def test_round_is_worse_if_it_loses_more_than_a_thousandth_and_counts_only_if_somebody_clicked(results):
    # a: better, better. b: better, worse. c: better; in its second round there was nothing to click.
    assert results.worsened("net").rounds == pytest.approx(1 / 5)
    # Half a thousandth is no harm.
    assert results.worsened("none").rounds == 0.0
    assert results.worsened("net").clicks is None


def test_clicks_are_counted_where_they_were_applied_one_by_one():
    # Of twenty, three of b: the last of its first round, both of its second.
    assert made_results(one_by_one=True).worsened("net").clicks == pytest.approx(3 / 20)


def test_clicks_needed_count_whole_rounds_or_single_clicks(results):
    # DSC 0.85: a after 5, b at once, c never; 0.90: a after 5, b after 3; 0.95: a after 10.
    assert results.needed("net") == [
        Needed(0.85, pytest.approx(2 / 3), 5.0),
        Needed(0.90, pytest.approx(2 / 3), 5.0),
        Needed(0.95, pytest.approx(1 / 3), inf),
    ]
    b = made_results(one_by_one=True).cases[1].rounds["net"]
    assert curve(b, one_by_one=True) == ([0, 1, 2, 3, 4, 5], [0.86, 0.9, 0.94, 0.92, 0.915, 0.91])
    assert curve(results.cases[1].rounds["net"], one_by_one=False) == ([0, 3, 5], [0.86, 0.92, 0.91])


def test_time_of_a_round_applied_at_once_is_shared_by_its_clicks(results):
    a_click, a_round = results.milliseconds("net")
    # 10 ms a round; five clicks in three rounds, three and two in the others.
    assert (a_round.median, a_round.mean) == (10.0, 10.0)
    assert a_click.median == pytest.approx(2.0)
    assert a_click.mean == pytest.approx((3 * 2 + 10 / 3 + 5) / 5)
    a_click, a_round = made_results(one_by_one=True).milliseconds("net")
    assert a_click.mean == 10.0
    assert a_round.mean == pytest.approx((50 + 50 + 30 + 20 + 50) / 5)


@pytest.mark.parametrize("one_by_one", [True, False])
def test_clicks_that_were_refused_make_no_click_faster(one_by_one):
    made = made_results(one_by_one)
    # Of the three clicks of b's first round two were refused; all of its second were.
    times = ((10.0, 0.0, 0.0), (0.0, 0.0)) if one_by_one else ((10.0,), (0.0,))
    a, b, c, none = made.records
    start, *rounds = b.rounds["net"]
    refused = [
        replace(one, milliseconds=some, refused=number)
        for one, some, number in zip(rounds, times, (2, 2), strict=True)
    ]
    b = replace(b, rounds={**b.rounds, "net": (start, *refused)})
    a_click, a_round = replace(made, records=[a, b, c, none]).milliseconds("net")
    # 10 ms a click one by one, else a round: three of five clicks each, and that of the one.
    assert a_click.mean == pytest.approx(10.0 if one_by_one else (3 * 2 + 10) / 4)
    assert a_round.mean == pytest.approx((3 * 50 + 10) / 4 if one_by_one else 10.0)


def test_differences_are_those_to_the_corrector_without_the_start(results):
    first, second = results.differences("none")
    assert first.mean == pytest.approx((0.1 + 0.06 + 0.7) / 3)
    assert (first.better, first.worse) == (3, 0)
    assert first.p == pytest.approx(2 / 2**3)
    assert second.mean == pytest.approx((0.16 + 0.0505 + 0.7) / 3)


def test_cases_are_ranked_by_the_correctors_last_score(results):
    assert [case.name for case in results.ranked()] == ["c", "b", "a"]


def test_json_holds_settings_summaries_and_every_case(results):
    values = results.to_json()
    assert values["settings"]["models"] == ["net@0123"]
    assert (values["cases_with_tumour"], values["cases_without_tumour"]) == (3, 1)
    assert values["methods"]["net"]["dice"][1]["mean"] == pytest.approx(0.84)
    assert values["methods"]["none"]["corrector_less_this"][0]["better"] == 3
    assert "corrector_less_this" not in values["methods"]["net"]
    assert values["methods"]["net"]["clicks_needed"][2]["median"] == "inf"
    assert values["cases"][2]["rounds"]["net"][0]["scores"]["hd95_mm"] == "inf"
    assert [case["name"] for case in values["cases"]] == ["a", "b", "c", "empty"]
