"""Learning from accepted cases beside the work: off by default, after every five, left at any time."""

import shutil

import pytest
from accepted_cases import accept, worklist_of, write_cases
from plain_host import JobByHand
from VSClickCorrectLib.errors import Cancelled, StorageError
from VSClickCorrectLib.inference.adapted_models import keep_adapted
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder
from VSClickCorrectLib.jobs.learning_task import Adapted, Learned

KEPT = Adapted((Learned("corrector", "mend adapted to 5 cases", 5, 2, (0.8, 0.9), (0.9, 0.9)),))
NOT_KEPT = Adapted((Learned("corrector", "", 5, 2, (0.8, 0.79), (0.9, 0.9)),))


@pytest.fixture(scope="module")
def accepted(tmp_path_factory, small, start):
    """Seven cases, of which four were accepted, in a folder of which each test has a copy."""
    folder = tmp_path_factory.mktemp("accepted")
    worklist = worklist_of(write_cases(folder / "cases", small, start, 7), folder / "out")
    for case in worklist.cases[:4]:
        accept(worklist, case.name, small)
    worklist.close()
    return folder


@pytest.fixture
def worklist(tmp_path, accepted):
    """The same cases, of one test alone."""
    shutil.copytree(accepted, tmp_path, dirs_exist_ok=True)
    return worklist_of(tmp_path / "cases", tmp_path / "out")


@pytest.fixture
def by_hand(monkeypatch):
    """The jobs that were begun, with what they are to learn from; they end when the test says."""
    begun = []

    def start(task):
        begun.append((task, JobByHand(KEPT)))
        return begun[-1][1]

    monkeypatch.setattr("VSClickCorrectLib.jobs.job.Job.start_adaptation", start)
    return begun


@pytest.fixture
def opened(flow, host, worklist, bright_models, by_hand, user_data):
    """The worklist, with the networks that are chosen loaded."""
    flow.networks.choice = Choice(str(bright_models), "", "cpu")
    host.run(flow.networks.load())
    host.run(flow.worklist.begin(worklist))
    return flow


def accept_one(opened, host):
    """Call the open case done, and let time pass."""
    host.run(opened.worklist.done())
    host.pass_time(5.0, turns=2)


def test_nothing_is_learned_until_it_is_switched_on(opened, host, by_hand):
    accept_one(opened, host)
    assert by_hand == []
    assert not opened.learning.on


def test_it_learns_after_every_five_and_uses_what_was_kept_from_the_next_case_on(opened, host, by_hand):
    opened.learning.on = True
    host.pass_time(5.0, turns=2)
    assert by_hand == []
    accept_one(opened, host)
    ((task, job),) = by_hand
    assert [case.case for case in task.cases] == [f"case{n}" for n in range(1, 6)]
    assert opened.learning.busy and not opened.workbench.mode.busy
    correction, said = opened.workbench.correction, []
    opened.learning.changed.connect(lambda: said.append(opened.networks.choice.corrector))
    job.done = True
    host.pass_time(5.0, turns=2)
    assert said == [KEPT.name] and opened.workbench.correction is correction
    assert host.status == f"{KEPT.sentence} It is used from the next case on."
    # Once for five cases.
    accept_one(opened, host)
    assert len(by_hand) == 1


def test_opening_a_list_that_has_five_is_no_reason_to_learn(opened, host, small, by_hand, worklist):
    opened.learning.on = True
    accept_one(opened, host)
    opened.worklist.close()
    begun = len(by_hand)
    host.run(opened.worklist.begin(worklist_of(worklist.cases[0].t1ce.parents[1], worklist.store.output)))
    host.pass_time(5.0, turns=2)
    assert len(by_hand) == begun


def test_what_is_not_kept_changes_nothing_and_is_told_with_both_numbers(opened, host, by_hand):
    opened.learning.on = True
    accept_one(opened, host)
    by_hand[0][1].outcome, by_hand[0][1].done = NOT_KEPT, True
    host.pass_time(5.0, turns=2)
    assert opened.networks.choice.corrector == ""
    assert "0.8000 before and 0.7900 after" in host.status and "0.9000 before" in host.status


@pytest.mark.parametrize("by", ["switch", "worklist"])
def test_it_ends_with_the_switch_and_with_the_worklist(opened, host, by_hand, by):
    opened.learning.on = True
    accept_one(opened, host)
    job = by_hand[0][1]
    if by == "switch":
        opened.learning.on = False
    else:
        opened.worklist.close()
    assert job.cancelled and not opened.learning.busy
    job.outcome, job.done = Cancelled("the computation was cancelled."), True
    host.pass_time(5.0, turns=2)
    assert opened.networks.choice.corrector == "" and len(by_hand) == 1


def test_an_error_is_told_and_it_goes_on_later(opened, host, by_hand):
    opened.learning.on = True
    accept_one(opened, host)
    by_hand[0][1].outcome, by_hand[0][1].done = StorageError("the drive is full."), True
    host.pass_time(5.0, turns=2)
    assert host.status == "The drive is full." and not opened.learning.busy


def test_a_corrector_that_was_chosen_meanwhile_stays(opened, host, by_hand):
    opened.learning.on = True
    accept_one(opened, host)
    opened.networks.choice = opened.networks.choice._replace(corrector="mend")
    by_hand[0][1].done = True
    host.pass_time(5.0, turns=2)
    assert opened.networks.choice.corrector == "mend"


def test_what_was_learned_earlier_is_taken_up_and_one_choice_leads_back(opened, host, bright_models):
    models = ModelFolder(bright_models)
    parent = models.entry("corrector")
    tensors = {n: t.half() for n, t in models.load_as_trained(parent).state_dict().items()}
    names = [
        keep_adapted(parent, tensors, {"cases": n, "own": [0.1, 0.2], "builtin": [0.3, 0.3]}).name
        for n in (5, 10)
    ]
    assert opened.networks.choice.correctors() == ["mend", "mend adapted to 10 cases"]
    assert names[0] not in opened.networks.choice.correctors()
    opened.learning.on = True
    assert opened.networks.choice.corrector == names[1]
    opened.networks.choice = opened.networks.choice._replace(corrector="mend")
    opened.learning.follow()
    assert opened.networks.choice.corrector == "mend"


def test_an_initial_mask_that_learned_is_found_with_named_in_the_journal_and_left_by_one_choice(
    flow, host, worklist, click_models, user_data
):
    models = ModelFolder(click_models)
    parent = models.entry("click")
    tensors = models.load_as_trained(parent).state_dict()
    tensors["head.bias"] = tensors["head.bias"] - 1.0
    told = {"cases": 5, "own": [0.1, 0.2], "builtin": [0.3, 0.3], "beside": models.entry("corrector").sha256}
    kept = keep_adapted(parent, {n: t.half() for n, t in tensors.items()}, told)
    # Not what stands for them elsewhere.
    flow.networks.corrector, flow.networks.choice = None, Choice(str(click_models), "", "cpu")
    flow.learning.on = True
    host.run(flow.networks.load())
    host.run(flow.worklist.begin(worklist))
    assert flow.networks.choice.corrector == kept.name
    assert flow.networks.choice.correctors() == ["mend", kept.name]
    host.run(flow.networks.load())
    assert flow.networks.segmenter.segmenter.entry == kept
    mend = models.entry("corrector").identity
    assert flow.networks.corrector.identity == f"{mend}, {kept.name}@{kept.sha256[:12]}"
    flow.networks.choice = flow.networks.choice._replace(corrector="mend")
    host.run(flow.networks.load())
    assert flow.networks.segmenter.segmenter.entry == parent and flow.networks.corrector.identity == mend


def test_a_version_that_is_gone_makes_room_for_what_was_kept(opened, host, by_hand):
    opened.learning.on = True
    accept_one(opened, host)
    opened.networks.choice = opened.networks.choice._replace(corrector="mend adapted to 3 cases")
    by_hand[0][1].done = True
    host.pass_time(5.0, turns=2)
    assert opened.networks.choice.corrector == KEPT.name
