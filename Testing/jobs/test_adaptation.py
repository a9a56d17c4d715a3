"""Networks learn from accepted cases, from no others, and what they learned is kept only if it helps."""

import shutil
import socket
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from accepted_cases import (
    accept,
    clicked,
    few_builtin,
    short_courses,
    taught_once,
    worklist_of,
    write_cases,
    write_few_builtin,
)
from handmade_models import change_entry
from VSClickCorrectLib.clicks.patches import PatchGeometry, extract_patch, patch_grid
from VSClickCorrectLib.errors import Cancelled, CorrectionError, ImageError, ModelError, StorageError
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.inference import learning
from VSClickCorrectLib.inference.adapted_models import keep_adapted
from VSClickCorrectLib.inference.manifest import ModelFolder, adapted_folder
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.io.outputs import writing_into
from VSClickCorrectLib.jobs.accepted_case import read_accepted
from VSClickCorrectLib.jobs.adaptation import FEWEST, LEAST_GAIN, TOLERANCE, adapt
from VSClickCorrectLib.jobs.exchange import read_result, write_result
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.jobs.learning_task import Adaptation, Adapted, Learned
from VSClickCorrectLib.jobs.lessons import CorrectorLesson
from VSClickCorrectLib.workflow.tasks import adaptation_of
from VSClickCorrectLib.worklist.records import CaseState
from VSClickCorrectLib.worklist.worklist import Worklist
from VSClickCorrectResearch.simulation.mask_perturbations import shifted
from VSClickCorrectResearch.simulation.user import border_clicks

pytestmark = pytest.mark.usefixtures("forked_children")
GEOMETRY = PatchGeometry(slices=5, click_map=True)


@pytest.fixture(scope="module")
def start(small):
    return shifted(small.truth, small.grid.spacing[::-1], np.random.default_rng(1))


@pytest.fixture(scope="module")
def written(tmp_path_factory, small, start):
    """Five cases that nobody has worked on; not to be changed."""
    return write_cases(tmp_path_factory.mktemp("written"), small, start, FEWEST)


@pytest.fixture(scope="module")
def accepted(tmp_path_factory, small, written):
    """The task of five accepted cases; not to be changed."""
    worklist = worklist_of(written, tmp_path_factory.mktemp("accepted"))
    for case in worklist.cases:
        accept(worklist, case.name, small)
    return adaptation_of(worklist)


@pytest.fixture(scope="module")
def remembered():
    """What the five cases hold and teach."""
    return {}


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return write_few_builtin(tmp_path_factory.mktemp("built-in"))


@pytest.fixture
def quick(user_data, monkeypatch, few, remembered):
    """Let networks learn in two steps, with few built-in examples, what was read once."""
    short_courses(monkeypatch, 2)
    few_builtin(monkeypatch, few)
    taught_once(monkeypatch, remembered)


@pytest.fixture
def task(accepted, model_folder, quick):
    return Adaptation(accepted.cases, str(model_folder))


@pytest.fixture
def both(accepted, click_models, quick):
    """The same task for two networks."""
    return Adaptation(accepted.cases, str(click_models))


@pytest.fixture(scope="session")
def lesson(model_folder):
    return CorrectorLesson(ModelFolder(model_folder).entry("corrector"))


def examples_of(lesson, case):
    """Return what one accepted case teaches a corrector."""
    return lesson.taught_by(read_accepted(case))


@pytest.fixture
def opened(tmp_path, written):
    for name in ("case1", "case2"):
        shutil.copytree(written / name, tmp_path / "cases" / name)
    return worklist_of(tmp_path / "cases", tmp_path / "out")


def told_scores(own, builtin):
    """Return the scores of one network in the order in which they are asked for."""
    again = [] if builtin[0] - builtin[1] <= TOLERANCE else [builtin[1]]
    return [own[0], builtin[0], builtin[1], *again, own[1]]


def scores(monkeypatch, *networks):
    """Let scores of networks be these pairs, own and built-in, before and after, whatever was learned."""
    told = iter([score for pairs in networks for score in told_scores(*pairs)])
    monkeypatch.setattr(learning, "score", lambda *_: next(told))


HELPS, HELPS_NOT = ((0.8, 0.9), (0.9, 0.9)), ((0.8, 0.8), (0.9, 0.9))


def test_what_helps_and_harms_nothing_is_kept(task, monkeypatch):
    scores(monkeypatch, ((0.8, 0.8 + LEAST_GAIN), (0.9, 0.9 - 0.9 * TOLERANCE)))
    adapted = adapt(task)
    assert adapted.name == "small-corrector adapted to 5 cases"
    assert "kept as" in adapted.sentence and "0.8000 before and 0.8020 after" in adapted.sentence
    assert "0.9000 before and 0.8955 after" in adapted.sentence
    models = ModelFolder(Path(task.models))
    entry = models.adapted[adapted.name]
    assert entry.adapted["own"] == [0.8, 0.802] and entry.adapted["cases"] == 5
    models.check(entry)


@pytest.mark.parametrize(
    ("own", "builtin"),
    [((0.8, 0.8), (0.9, 0.95)), ((0.8, 0.79), (0.9, 0.9)), ((0.8, 0.95), (0.9, 0.9 - 1.1 * TOLERANCE))],
)
def test_what_does_not_help_or_forgets_is_not_kept_and_both_numbers_are_told(task, monkeypatch, own, builtin):
    scores(monkeypatch, (own, builtin))
    adapted = adapt(task)
    assert adapted.name == "" and not (adapted_folder() / "manifest.json").exists()
    assert adapted.sentence.startswith("Nothing that was learned from 5 cases is kept, as it does not help")
    assert f"{own[0]:.4f} before and {own[1]:.4f} after" in adapted.sentence
    assert f"{builtin[0]:.4f} before and {builtin[1]:.4f} after" in adapted.sentence


@pytest.mark.parametrize(
    ("initial", "corrector", "said"),
    [
        (HELPS, HELPS, "initial mask and corrector, kept as mend adapted"),
        (HELPS, HELPS_NOT, "initial mask, kept as whole adapted"),
        (HELPS_NOT, HELPS, "corrector, kept as mend adapted"),
    ],
)
def test_of_two_networks_each_is_kept_for_itself_and_one_name_uses_all_that_was(
    both, click_models, monkeypatch, initial, corrector, said
):
    released = {role: ModelFolder(click_models).entry(role) for role in ("click", "corrector")}
    scores(monkeypatch, initial, corrector)
    adapted = adapt(both)
    assert adapted.sentence.startswith(
        f"Learned from 5 cases: {said} to 5 cases (initial mask: mean DSC on your "
    )
    models = ModelFolder(click_models, adapted.name)
    for role, told in (("click", initial), ("corrector", corrector)):
        used = models.entry(role)
        assert bool(used.adapted) == (told is HELPS) and models.released(used) == released[role]
        models.check(used)
    # The way back: the released corrector by its name, or no name.
    for name in ("", "mend"):
        assert {role: ModelFolder(click_models, name).entry(role) for role in released} == released


def test_what_is_kept_of_one_network_goes_with_what_is_used_of_the_other(both, click_models, monkeypatch):
    scores(monkeypatch, HELPS, HELPS_NOT)
    first = adapt(both).name
    initial = ModelFolder(click_models, first).entry("click")
    # The scores of the version that there is are asked, too.
    told = iter([0.8, 0.9, 0.9, 0.9, 0.9, *told_scores(*HELPS)])
    monkeypatch.setattr(learning, "score", lambda *_: next(told))
    second = adapt(Adaptation(both.cases, both.models, first))
    assert [bool(one.name) for one in second.networks] == [False, True]
    models = ModelFolder(click_models, second.name)
    assert models.entry("click") == initial and models.entry("corrector").adapted
    # Who has gone back to what was released, and learns anew, goes on with that.
    told = iter([0.8, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8, 0.9, 0.9, 0.95])
    third = adapt(both).name
    models = ModelFolder(click_models, third)
    assert not models.entry("click").adapted and models.entry("corrector").name == third


def test_a_folder_whose_initial_mask_cannot_learn_says_so_and_its_corrector_learns(
    both, tmp_path, monkeypatch
):
    models = shutil.copytree(both.models, tmp_path / "models")
    change_entry(models, "whole", geometry={"spacing": [1.5, 1.0, 1.0]})
    scores(monkeypatch, HELPS)
    adapted = adapt(Adaptation(both.cases, str(models)))
    assert adapted.name == "mend adapted to 5 cases"
    (remark,) = adapted.left_out
    assert remark.startswith("initial mask: this network sees other patches than the built-in examples show")


def test_the_last_cases_are_scored_and_not_learned_from(task, lesson, monkeypatch):
    seen = {}

    def learned(network, entry, new, old, progress):
        seen["new"] = new
        return network

    monkeypatch.setattr(learning, "learned", learned)
    adapted = adapt(task)
    each = [len(examples_of(lesson, case)) for case in task.cases]
    (learned,) = adapted.networks
    assert (learned.cases, learned.scored) == (5, 2)
    assert len(seen["new"]) == sum(each[:3])
    last = examples_of(lesson, task.cases[-1]).channels[0, 0]
    assert not any(np.array_equal(one, last) for one in seen["new"].channels[:, 0])


def test_a_new_version_must_be_better_than_the_one_before(task, monkeypatch):
    scores(monkeypatch, HELPS)
    first = adapt(task).name
    # Now the released one and the version are asked for the reader's own cases.
    told = iter([0.8, 0.9, 0.9, 0.9, 0.9])
    monkeypatch.setattr(learning, "score", lambda *_: next(told))
    again = adapt(task)
    assert again.name == "" and again.networks[0].own == (0.9, 0.9)
    # Of an adapted one, learning begins with the released one.
    told = iter([0.8, 0.9, 0.9, 0.9, 0.95])
    better = adapt(Adaptation(task.cases, task.models, first))
    assert better.name == "small-corrector adapted to 5 cases (2)"


def test_nothing_is_sent_anywhere(task, monkeypatch):
    def refused(*_, **__):
        raise AssertionError("somebody opened a connection")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refused)
    assert adapt(task).networks[0].cases == 5


def test_too_few_cases_are_refused_with_the_reasons(task, tmp_path, user_data):
    with pytest.raises(ModelError, match=r"^4 accepted cases .*accept at least 5"):
        adapt(Adaptation(task.cases[:4], task.models))
    gone = replace(task.cases[0], label=str(tmp_path / "none.nii.gz"))
    with pytest.raises(ModelError, match=r"4 accepted cases .*case1: .*none\.nii\.gz does not exist"):
        adapt(Adaptation((gone, *task.cases[1:]), task.models))


def test_where_most_cases_are_of_no_use_the_rest_both_teaches_and_scores(task, lesson, tmp_path, monkeypatch):
    seen = {}

    def learned(network, entry, new, old, progress):
        seen["new"] = new
        return network

    monkeypatch.setattr(learning, "learned", learned)
    gone = replace(task.cases[0], case="gone", label=str(tmp_path / "none.nii.gz"))
    adapted = adapt(Adaptation((gone,) * 35 + task.cases, task.models))
    assert len(adapted.left_out) == 35
    # Of 40 cases the last 8 would score; 5 are left, of which 2 do and 3 teach.
    (network,) = adapted.networks
    assert (network.cases, network.scored) == (5, 2)
    assert len(seen["new"]) == sum(len(examples_of(lesson, case)) for case in task.cases[:3])


def test_one_at_a_time(task):
    with writing_into(adapted_folder()), pytest.raises(StorageError, match="another command"):
        adapt(task)


@pytest.mark.parametrize("state", ["in work", "skipped", "failed", "no tumour", "todo"])
def test_a_case_that_was_not_accepted_is_not_asked(opened, small, state):
    accept(opened, "case1", small)
    if state != "todo":
        session = clicked(opened, "case2", small)
        if state == "skipped":
            opened.skip("blurred")
        elif state == "failed":
            opened.opened.decide(CaseState.FAILED, "no use")
        elif state == "no tumour":
            opened.done(np.zeros_like(small.truth), session.case.grid)
        opened.close()
    assert opened.record("case2").state.value == state
    assert [case.case for case in adaptation_of(opened).cases] == ["case1"]


def test_an_accepted_case_that_is_worked_on_again_is_not_asked(opened, small):
    accept(opened, "case1", small, clicks=1)
    accept(opened, "case2", small)
    assert len(adaptation_of(opened).cases) == 2
    session = clicked(opened, "case1", small)
    opened.opened.keep(~session.mask.values, session.case.grid)
    assert [case.case for case in adaptation_of(opened).cases] == ["case2"]


def test_a_case_that_somebody_else_has_open_is_not_asked(opened, small, tmp_path):
    accept(opened, "case1", small)
    colleague = worklist_of(tmp_path / "cases", tmp_path / "out")
    colleague.go_to("case1")
    assert adaptation_of(opened).cases == ()
    colleague.close()
    assert len(adaptation_of(opened).cases) == 1


def test_a_case_that_another_reader_accepted_is_not_asked_unless_all_are(opened, small, tmp_path):
    accept(opened, "case1", small)
    colleague = Worklist.open(tmp_path / "cases", tmp_path / "out", "CD")
    accept(colleague, "case2", small)
    asked = {
        who: [
            case.case
            for case in adaptation_of(Worklist.open(tmp_path / "cases", tmp_path / "out", who)).cases
        ]
        for who in ("AB", "CD", "")
    }
    assert asked == {"AB": ["case1"], "CD": ["case2"], "": ["case1", "case2"]}


def test_a_case_that_is_skipped_once_the_task_was_told_teaches_nothing(opened, small, lesson):
    accept(opened, "case1", small)
    (case,) = adaptation_of(opened).cases
    assert len(examples_of(lesson, case)) > 2
    opened.go_to("case1")
    opened.skip("on second thoughts")
    with pytest.raises(ImageError, match="does not exist"):
        read_accepted(case)


@pytest.mark.parametrize("other", ["label", "journal", "images"])
def test_a_label_that_is_not_its_journals_or_its_images_teaches_nothing(opened, small, tmp_path, other):
    accept(opened, "case1", small)
    accept(opened, "case2", small, clicks=1)
    (case, another) = adaptation_of(opened).cases
    if other == "label":
        values = small.truth.copy()
        values[0, 0, 0] = True
        write_mask(Path(case.label), values, small.grid)
    elif other == "journal":
        Path(case.journal).write_bytes(Path(another.journal).read_bytes())
    else:
        write_volume(Path(case.files["t1ce"]), Volume(small.t1ce.array + np.int16(50), small.grid))
    with pytest.raises(CorrectionError, match="journal"):
        read_accepted(case)


def test_the_examples_are_what_the_corrector_was_shown(opened, small, lesson):
    """The first example of a case is the input that its first click gave the network."""
    session = clicked(opened, "case1", small, clicks=0)
    click = border_clicks(small.grid, small.truth, session.mask.values, 1)[0]
    window = patch_grid(session.case.grid, click, GEOMETRY)
    seen = extract_patch(session.case, session.mask, window, GEOMETRY, click)
    session.apply(click)
    opened.done(session.mask.values, session.case.grid)
    examples = examples_of(lesson, adaptation_of(opened).cases[0])
    np.testing.assert_array_equal(examples.channels[0], seen.astype(np.float16))
    label = window.resample(session.mask.read(window.source_box))
    np.testing.assert_array_equal(examples.targets[0], label.astype(np.float16))


def test_a_kill_leaves_what_was_kept(accepted, model_folder, user_data):
    task = Adaptation(accepted.cases, str(model_folder))
    models = ModelFolder(model_folder)
    parent = models.entry("corrector")
    tensors = {n: t.half() for n, t in models.load_as_trained(parent).state_dict().items()}
    keep_adapted(parent, tensors, {"cases": 9, "own": [0.1, 0.2], "builtin": [0.3, 0.3]})
    before = {path.name: path.read_bytes() for path in adapted_folder().glob("*.*s*")}
    job = Job.start_adaptation(task)
    while job.poll().message != "learning: corrector":
        assert not job.poll().done
        time.sleep(0.05)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result()
    assert {name: (adapted_folder() / name).read_bytes() for name in before} == before
    # The lock of the dead holds nobody up.
    with pytest.raises(ModelError, match="accept at least 5"):
        Job.start_adaptation(Adaptation((), str(model_folder))).result()


def test_what_came_of_it_is_told_by_the_child_word_for_word(tmp_path):
    learned = Learned("corrector", "a adapted to 5 cases", 5, 2, (0.1, 0.2), (0.3, 0.4))
    told = Adapted((learned,), ("case1: it is gone.",))
    write_result(tmp_path, told)
    assert read_result(tmp_path, 0) == told


@pytest.mark.long
def test_a_job_does_the_same(accepted, model_folder, user_data):
    (learned,) = Job.start_adaptation(Adaptation(accepted.cases, str(model_folder))).result().networks
    assert learned.cases == 5 and learned.own[1] != learned.own[0]
