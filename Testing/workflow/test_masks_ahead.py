"""The masks of the next cases, made while the reader works on another."""

import json
import time

import numpy as np
import pytest
from plain_host import JobByHand
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import ImageError, ModelError
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder
from VSClickCorrectLib.io.images import write_volume
from VSClickCorrectLib.jobs.preparation import prepare
from VSClickCorrectLib.jobs.prepared import is_up_to_date
from VSClickCorrectLib.workflow import masks_ahead
from VSClickCorrectLib.workflow.tasks import preparation_of
from VSClickCorrectLib.worklist.worklist import Worklist

NAMES = ("case1", "case2", "case3")


@pytest.fixture
def cases(tmp_path, small):
    for name in NAMES:
        (tmp_path / "cases" / name).mkdir(parents=True)
        write_volume(tmp_path / "cases" / name / "T1ce.nii.gz", small.t1ce)
    return tmp_path / "cases"


@pytest.fixture
def opened(flow, host, cases, bright_models, tmp_path):
    flow.networks.choice = Choice(str(bright_models), "", "cpu")
    host.run(flow.worklist.begin(Worklist.open(cases, tmp_path / "results", "AB")))
    return flow.worklist.worklist


@pytest.fixture
def by_hand(monkeypatch):
    """The jobs that were begun, with the names of their cases; they end when the test says."""
    begun = []

    def start(preparation):
        begun.append((preparation.case, JobByHand(ModelError("it was not told what comes out."))))
        return begun[-1][1]

    monkeypatch.setattr("VSClickCorrectLib.jobs.job.Job.start_preparation", start)
    return begun


def states(worklist):
    return [row.record.state.value for row in worklist.rows()]


def wait_for(host, condition):
    for _ in range(1200):
        host.pass_time()
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it took more than a minute")


def test_the_next_case_opens_with_its_mask_and_left_alone_is_still_to_do(
    flow, host, opened, bright_models, small
):
    wait_for(
        host,
        lambda: is_up_to_date(
            preparation_of(opened, opened.case("case2"), Choice(str(bright_models), device="cpu"))
        ),
    )
    host.run(flow.worklist.next())
    assert opened.current.name == "case2"
    assert host.status.startswith("Case case2 is ready. Found ")
    found = flow.initial.found
    np.testing.assert_array_equal(flow.workbench.values(), found.on(small.grid))
    assert found.found and flow.workbench.correction is not None
    host.run(flow.worklist.previous())
    assert opened.current.name == "case1" and states(opened) == ["in work", "todo", "todo"]
    # Opened again, the same mask is there.
    host.run(flow.worklist.next())
    np.testing.assert_array_equal(flow.workbench.values(), found.on(small.grid))
    flow.workbench.under_way.place(Click(tuple(small.grid.center_ras), ClickKind.EXCLUDE))
    host.run(flow.worklist.previous())
    assert states(opened) == ["in work", "in work", "todo"]


def test_a_label_names_the_networks_that_found_it_and_no_corrector_without_a_click(
    flow, host, opened, bright_models
):
    models = ModelFolder(bright_models)
    wait_for(
        host,
        lambda: is_up_to_date(
            preparation_of(opened, opened.case("case2"), Choice(str(bright_models), device="cpu"))
        ),
    )
    host.run(flow.worklist.next())
    host.run(flow.worklist.done())
    found_by = tuple(models.entry(role).identity for role in ("locator", "initial"))
    assert opened.record("case2").models == found_by
    sidecar = opened.label_path("case2").with_suffix("").with_suffix(".json")
    assert json.loads(sidecar.read_text())["VSClickCorrect"]["models"] == list(found_by)


def test_what_the_reader_starts_comes_first(flow, host, opened, by_hand, monkeypatch):
    host.pass_time()
    ((name, ahead),) = by_hand
    assert name == "case2" and not ahead.cancelled
    mine = JobByHand(ModelError("nothing."))
    monkeypatch.setattr("VSClickCorrectLib.jobs.job.Job.start_segmentation", lambda *_: mine)
    host.run(flow.initial.find())
    assert ahead.cancelled
    ahead.outcome, ahead.done = masks_ahead.Cancelled("the computation was cancelled."), True
    host.pass_time(turns=3)
    assert len(by_hand) == 1
    mine.done = True
    host.pass_time(turns=3)
    assert [name for name, _ in by_hand] == ["case2", "case2"]


def test_a_case_of_no_use_is_passed_over_without_a_word(flow, host, opened, by_hand):
    host.pass_time()
    said = list(host.said)
    by_hand[0][1].outcome, by_hand[0][1].done = ImageError("case2 is broken."), True
    host.pass_time(turns=2)
    assert [name for name, _ in by_hand] == ["case2", "case3"] and host.said == said


def test_where_masks_cannot_be_kept_it_is_said_once(flow, host, opened, by_hand):
    host.pass_time()
    by_hand[0][1].outcome, by_hand[0][1].done = ModelError("there is no room."), True
    host.pass_time(turns=3)
    host.run(flow.worklist.next())
    host.pass_time(turns=3)
    assert [s for s in host.said if "no room" in s] == ["There is no room."]
    assert len(by_hand) == 1


def test_a_case_that_somebody_else_has_open_is_left_to_them(flow, host, cases, tmp_path, by_hand):
    colleague = Worklist.open(cases, tmp_path / "results", "CD")
    colleague.go_to("case2")
    host.run(flow.worklist.begin(Worklist.open(cases, tmp_path / "results", "AB")))
    host.pass_time()
    assert [name for name, _ in by_hand] == ["case3"]
    colleague.close()


def test_a_case_that_nothing_was_found_on_yet_can_be_one_without_a_tumour(flow, host, opened, by_hand):
    host.run(flow.worklist.no_tumour())
    assert host.questions == [] and opened.current.name == "case2"
    assert states(opened)[0] == "no tumour"
    assert opened.label_path("case1").exists()


def test_it_ends_with_the_worklist(flow, host, opened, by_hand):
    host.pass_time()
    flow.worklist.close()
    assert by_hand[0][1].cancelled
    by_hand[0][1].outcome, by_hand[0][1].done = masks_ahead.Cancelled("the computation was cancelled."), True
    host.pass_time(turns=3)
    assert len(by_hand) == 1


def test_a_mask_that_is_ready_once_its_case_is_open_is_taken(flow, host, opened, by_hand, bright_models):
    from VSClickCorrectLib.inference.initial import InitialSegmenter

    host.pass_time()
    host.run(flow.worklist.next())
    assert flow.workbench.correction is None
    found = InitialSegmenter.load(ModelFolder(bright_models), "cpu").segment(opened.opened.load())
    by_hand[0][1].outcome, by_hand[0][1].done = found, True
    host.pass_time(turns=2)
    assert flow.workbench.correction is not None and flow.workbench.values().any()
    assert host.status.startswith("Found ")


def test_a_skipped_case_that_is_looked_at_stays_skipped_though_a_mask_was_made_meanwhile(
    flow, host, opened, by_hand, bright_models
):
    flow.worklist.comment = "blurred"
    host.run(flow.worklist.skip())
    found = prepare(preparation_of(opened, opened.case("case1"), Choice(str(bright_models), device="cpu")))
    assert found.found and opened.current.name == "case2"
    host.run(flow.worklist.go_to("case1"))
    assert host.status == "Case case1 is ready; find the tumour."
    # The mask may also be ready once the case is shown.
    host.run(flow.worklist.take("case1", found))
    host.run(flow.worklist.next())
    record = opened.record("case1")
    assert (record.state.value, record.comment) == ("skipped", "blurred")
