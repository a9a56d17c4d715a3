"""Cases by size and kind of head, counted by hand."""

from dataclasses import replace

import pytest
from made_results import made_results, played, started
from VSClickCorrectResearch.evaluation.groups import Group, by_kind, by_size, every_case
from VSClickCorrectResearch.evaluation.records import PlayedCase
from VSClickCorrectResearch.evaluation.results import EvaluationResults


def approx(*values):
    return pytest.approx(values)


def test_size_classes_hold_the_cases_between_their_bounds():
    # Of 1000, 500 and 200 mm³; b and c share a class. b: 0.86, 0.92, 0.91; c: 0.0, 0.7, 0.7.
    assert by_size(made_results(), "net") == [
        # Three rounds with clicks, one of which, the second of b, did harm.
        Group("150 to 600 mm³", 2, approx(0.43, 0.81, 0.805), 0.5, pytest.approx(1 / 3)),
        Group("600 to 1500 mm³", 1, approx(0.8, 0.9, 0.96), 1.0, 0.0),
    ]
    assert by_size(made_results(), "none")[1].dice == approx(0.8, 0.8, 0.8)


def test_case_on_a_bound_belongs_to_the_larger_class():
    volumes = (149.9, 150.0, 600.0, 1499.0, 1500.0, 3999.9, 4000.0, 11000.0)
    rounds = {"net": (started(0.5), played(0.6), started(0.6))}
    records = [PlayedCase(str(v), v, rounds) for v in volumes]
    groups = by_size(EvaluationResults(made_results().settings, records), "net")
    assert [(group.name, group.cases) for group in groups] == [
        ("below 150 mm³", 1),
        ("150 to 600 mm³", 1),
        ("600 to 1500 mm³", 2),
        ("1500 to 4000 mm³", 2),
        ("4000 mm³ and more", 2),
    ]
    # A DSC of 0.5 is not yet found.
    assert {group.found for group in groups} == {0.0}


def test_kinds_are_in_alphabetical_order_and_those_not_named_last():
    results = made_results()
    kinds = {"a": "real", "b": "", "c": "label map"}
    records = [replace(record, kind=kinds.get(record.name, "real")) for record in results.records]
    assert by_kind(EvaluationResults(results.settings, records), "net") == [
        Group("label map", 1, approx(0.0, 0.7, 0.7), 0.0, 0.0),
        Group("real", 1, approx(0.8, 0.9, 0.96), 1.0, 0.0),
        Group("not said", 1, approx(0.86, 0.92, 0.91), 1.0, 0.5),
    ]


def test_a_kind_that_is_called_as_those_not_named_is_one_of_them():
    results = made_results()
    records = [replace(one, kind={"a": "not said", "c": "real"}.get(one.name, "")) for one in results.records]
    groups = by_kind(EvaluationResults(results.settings, records), "net")
    assert [(one.name, one.cases, one.dice[0]) for one in groups] == [
        ("real", 1, pytest.approx(0.0)),
        ("not said", 2, pytest.approx((0.8 + 0.86) / 2)),
    ]


def test_every_case_is_a_group_too():
    group = every_case(made_results(), "net")
    assert group == Group("all", 3, approx(1.66 / 3, 2.52 / 3, 2.57 / 3), 2 / 3, pytest.approx(1 / 5))


def test_group_without_anything_to_click_has_no_share_of_harm():
    records = [PlayedCase("right", 300.0, {"net": (started(1.0), started(1.0), started(1.0))})]
    (group,) = by_size(EvaluationResults(made_results().settings, records), "net")
    assert group.worse is None
