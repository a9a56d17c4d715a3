"""A corrector learns from accepted cases, from no others, and what it learned is kept only if it helps."""

import socket
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from accepted_cases import accept, clicked, worklist_of, write_cases
from VSClickCorrectLib.clicks.patches import PatchGeometry, extract_patch, patch_grid
from VSClickCorrectLib.errors import Cancelled, CorrectionError, ImageError, ModelError, StorageError
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.inference import learning
from VSClickCorrectLib.inference.adapted_models import keep_adapted
from VSClickCorrectLib.inference.manifest import ModelFolder, adapted_folder
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.io.outputs import writing_into
from VSClickCorrectLib.jobs.adaptation import (
    FEWEST,
    LEAST_GAIN,
    TOLERANCE,
    Adaptation,
    Adapted,
    adapt,
    examples_of,
)
from VSClickCorrectLib.jobs.exchange import read_result, write_result
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.workflow.accepted import adaptation_of
from VSClickCorrectLib.worklist.worklist import Worklist
from VSClickCorrectResearch.simulation.mask_perturbations import shifted
from VSClickCorrectResearch.simulation.user import border_clicks

GEOMETRY = PatchGeometry(slices=5, click_map=True)


@pytest.fixture(scope="module")
def start(small):
    return shifted(small.truth, small.grid.spacing[::-1], np.random.default_rng(1))


@pytest.fixture(scope="module")
def accepted(tmp_path_factory, small, start):
    """The task of five accepted cases; not to be changed."""
    folder = tmp_path_factory.mktemp("accepted")
    worklist = worklist_of(write_cases(folder / "cases", small, start, FEWEST), folder / "out")
    for case in worklist.cases:
        accept(worklist, case.name, small)
    return adaptation_of(worklist)


@pytest.fixture
def task(accepted, model_folder, user_data, monkeypatch):
    monkeypatch.setattr(learning, "STEPS", 2)
    return Adaptation(accepted.cases, str(model_folder))


@pytest.fixture
def opened(tmp_path, small, start):
    return worklist_of(write_cases(tmp_path / "cases", small, start, 2), tmp_path / "out")


def scores(monkeypatch, own, builtin):
    """Let scores be these, before and after, whatever was learned."""
    told = iter([own[0], builtin[0], builtin[1], builtin[1], own[1]])
    if builtin[0] - builtin[1] <= TOLERANCE:
        told = iter([own[0], builtin[0], builtin[1], own[1]])
    monkeypatch.setattr(learning, "score", lambda *_: next(told))


def test_what_helps_and_harms_nothing_is_kept(task, monkeypatch):
    scores(monkeypatch, (0.8, 0.8 + LEAST_GAIN), (0.9, 0.9 - 0.9 * TOLERANCE))
    adapted = adapt(task)
    assert adapted.name == "small-corrector adapted to 5 cases"
    assert "is kept" in adapted.sentence and "0.8000 before and 0.8020 after" in adapted.sentence
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
    scores(monkeypatch, own, builtin)
    adapted = adapt(task)
    assert adapted.name == "" and not (adapted_folder() / "manifest.json").exists()
    assert adapted.sentence.startswith("Nothing that small-corrector learned from 5 cases is kept")
    assert f"{own[0]:.4f} before and {own[1]:.4f} after" in adapted.sentence
    assert f"{builtin[0]:.4f} before and {builtin[1]:.4f} after" in adapted.sentence


def test_the_last_cases_are_scored_and_not_learned_from(task, monkeypatch):
    seen = {}

    def learned(network, entry, new, old, progress):
        seen["new"] = new
        return network

    monkeypatch.setattr(learning, "learned", learned)
    adapted = adapt(task)
    each = [len(examples_of(case, GEOMETRY)) for case in task.cases]
    assert (adapted.cases, adapted.scored) == (5, 2)
    assert len(seen["new"]) == sum(each[:3])
    last = examples_of(task.cases[-1], GEOMETRY).channels[0, 0]
    assert not any(np.array_equal(one, last) for one in seen["new"].channels[:, 0])


def test_a_new_version_must_be_better_than_the_one_before(task, monkeypatch):
    scores(monkeypatch, (0.8, 0.9), (0.9, 0.9))
    first = adapt(task).name
    # Now the released one and the version are asked for the reader's own cases.
    told = iter([0.8, 0.9, 0.9, 0.9, 0.9])
    monkeypatch.setattr(learning, "score", lambda *_: next(told))
    again = adapt(task)
    assert again.name == "" and again.own == (0.9, 0.9)
    # Of an adapted one, learning begins with the released one.
    told = iter([0.8, 0.9, 0.9, 0.9, 0.95])
    better = adapt(Adaptation(task.cases, task.models, first))
    assert better.parent == "small-corrector" and better.name == "small-corrector adapted to 5 cases (2)"


def test_nothing_is_sent_anywhere(task, monkeypatch):
    def refused(*_, **__):
        raise AssertionError("somebody opened a connection")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refused)
    assert adapt(task).cases == 5


def test_too_few_cases_are_refused_with_the_reasons(task, tmp_path, user_data):
    with pytest.raises(ModelError, match=r"^4 accepted cases .*accept at least 5"):
        adapt(Adaptation(task.cases[:4], task.models))
    gone = replace(task.cases[0], label=str(tmp_path / "none.nii.gz"))
    with pytest.raises(ModelError, match=r"4 accepted cases .*case1: .*none\.nii\.gz does not exist"):
        adapt(Adaptation((gone, *task.cases[1:]), task.models))


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
            opened.fail("no use")
        elif state == "no tumour":
            opened.done(np.zeros_like(small.truth), session.case.grid)
        else:
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


def test_a_case_that_is_skipped_once_the_task_was_told_teaches_nothing(opened, small):
    accept(opened, "case1", small)
    (case,) = adaptation_of(opened).cases
    assert len(examples_of(case, GEOMETRY)) > 2
    opened.go_to("case1")
    opened.skip("on second thoughts")
    with pytest.raises(ImageError, match="does not exist"):
        examples_of(case, GEOMETRY)


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
        examples_of(case, GEOMETRY)


def test_the_examples_are_what_the_corrector_was_shown(opened, small):
    """The first example of a case is the input that its first click gave the network."""
    session = clicked(opened, "case1", small, clicks=0)
    click = border_clicks(small.grid, small.truth, session.mask.values, 1)[0]
    window = patch_grid(session.case.grid, click, GEOMETRY)
    seen = extract_patch(session.case, session.mask, window, GEOMETRY, click)
    session.apply(click)
    opened.done(session.mask.values, session.case.grid)
    examples = examples_of(adaptation_of(opened).cases[0], GEOMETRY)
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
    while job.poll().message != "learning":
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
    told = Adapted("a adapted to 5 cases", "a", 5, 2, (0.1, 0.2), (0.3, 0.4), ("case1: it is gone.",))
    write_result(tmp_path, told)
    assert read_result(tmp_path, 0) == told


@pytest.mark.long
def test_a_job_does_the_same(accepted, model_folder, user_data):
    adapted = Job.start_adaptation(Adaptation(accepted.cases, str(model_folder))).result()
    assert adapted.cases == 5 and adapted.own[1] != adapted.own[0]
