"""``vsclick adapt``: what it says, and that what was kept is listed, used and named by its hash."""

import json
import shutil

import numpy as np
import pytest
from accepted_cases import accept, few_builtin, short_courses, worklist_of, write_cases, write_few_builtin
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.inference import learning
from VSClickCorrectLib.inference.adapted_models import keep_adapted
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.manifest import ModelFolder, adapted_folder
from VSClickCorrectLib.io.images import write_volume
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectResearch.simulation.mask_perturbations import shifted
from VSClickCorrectResearch.simulation.user import border_clicks


@pytest.fixture(scope="module")
def worked_on(tmp_path_factory, small):
    """Six cases, five of which were accepted, their results beside them; not to be changed."""
    folder = tmp_path_factory.mktemp("worked-on")
    start = shifted(small.truth, small.grid.spacing[::-1], np.random.default_rng(1))
    worklist = worklist_of(write_cases(folder / "cases", small, start, 6), folder / "out")
    for case in worklist.cases[:5]:
        accept(worklist, case.name, small)
    worklist.go_to("case6")
    worklist.skip("blurred")
    return folder


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return write_few_builtin(tmp_path_factory.mktemp("built-in"))


@pytest.fixture
def done(tmp_path, worked_on, few, user_data, monkeypatch):
    """A copy of these cases, and learning that takes no time."""
    short_courses(monkeypatch, 1)
    few_builtin(monkeypatch, few)
    for name in ("cases", "out"):
        shutil.copytree(worked_on / name, tmp_path / name)
    return ["adapt", str(tmp_path / "cases"), "--output", str(tmp_path / "out")]


def scored(monkeypatch, *scores):
    told = iter(scores)
    monkeypatch.setattr(learning, "score", lambda *_: next(told))


def test_what_is_kept_is_told_listed_and_used(done, model_folder, small, monkeypatch, capsys):
    scored(monkeypatch, 0.8, 0.9, 0.899, 0.85)
    assert main([*done, "--models", str(model_folder)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == (
        "Learned from 5 cases: corrector, kept as small-corrector adapted to 5 cases (corrector: mean DSC "
        "on your last 2 cases 0.8000 before and 0.8500 after, "
        "on the built-in ones 0.9000 before and 0.8990 after)."
    )
    models = ModelFolder(model_folder)
    (entry,) = models.adapted.values()
    assert main(["models", "list", "--models", str(model_folder)]) == 0
    listed = capsys.readouterr().out.splitlines()[-1]
    assert listed.startswith(f"small-corrector adapted to 5 cases: sha256 {entry.sha256[:12]}…, ")
    assert "own cases 0.8000 → 0.8500" in listed and "built-in ones 0.9000 → 0.8990" in listed
    corrector = Corrector.load(models, entry.name, "cpu")
    session = CorrectionSession(small.case, ArrayMask(small.grid, small.truth), corrector)
    session.apply(border_clicks(small.grid, small.truth, np.roll(small.truth, 3, 2), 1)[0])
    assert [event["model"] for event in session.journal.events] == [f"{entry.name}@{entry.sha256[:12]}"] * 2


def test_what_does_not_help_is_told_and_nothing_is_listed(done, model_folder, monkeypatch, capsys):
    scored(monkeypatch, 0.8, 0.9, 0.9, 0.8)
    assert main([*done, "--models", str(model_folder)]) == 0
    out = capsys.readouterr().out.splitlines()[-1]
    assert out.startswith("Nothing that was learned from 5 cases is kept, as it does not help (corrector: ")
    assert main(["models", "list", "--models", str(model_folder)]) == 0
    assert "adapted" not in capsys.readouterr().out


def test_too_few_cases_and_correctors_that_cannot_learn_are_refused(done, bright_models, tmp_path, capsys):
    worklist = worklist_of(tmp_path / "cases", tmp_path / "out")
    worklist.go_to("case1")
    worklist.skip("on second thoughts")
    assert main(done) == 2
    assert "4 accepted cases can be learned from; accept at least 5" in capsys.readouterr().err
    assert main([*done, "--corrector", "vs-corrector-slice-1"]) == 2
    assert "cannot learn; choose another corrector" in capsys.readouterr().err
    assert main([*done, "--corrector", "none"]) == 2
    assert "has no model 'none'" in capsys.readouterr().err


def test_versions_that_cannot_be_read_are_told(model_folder, user_data, capsys):
    adapted_folder().mkdir(parents=True)
    (adapted_folder() / "manifest.json").write_text(json.dumps({"models": 3}))
    assert main(["models", "list", "--models", str(model_folder)]) == 0
    assert "What was learned on this machine cannot be read" in capsys.readouterr().out


def test_what_has_learned_makes_initial_masks_on_the_command_line(
    tmp_path, small, click_models, user_data, capsys
):
    models = ModelFolder(click_models)
    tensors = models.load_as_trained(models.entry("click")).state_dict()
    tensors["head.bias"] = tensors["head.bias"] - 100.0
    told = {"cases": 5, "own": [0.1, 0.2], "builtin": [0.3, 0.3]}
    version = keep_adapted(models.entry("click"), {n: t.half() for n, t in tensors.items()}, told).name
    write_volume(tmp_path / "T1ce.nii.gz", small.t1ce)
    segment = ["segment", "--t1ce", str(tmp_path / "T1ce.nii.gz"), "--models", str(click_models)]
    segment += ["--device", "cpu", "--output"]
    assert main([*segment, str(tmp_path / "released.nii.gz")]) == 0
    assert "A mask of" in capsys.readouterr().out
    assert main([*segment, str(tmp_path / "learned.nii.gz"), "--learned", version]) == 0
    assert "An empty mask was written" in capsys.readouterr().out
    assert main([*segment, str(tmp_path / "none.nii.gz"), "--learned", "none"]) == 2
    assert "has no model 'none'" in capsys.readouterr().err and not (tmp_path / "none.nii.gz").exists()
