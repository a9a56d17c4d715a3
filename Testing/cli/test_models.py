"""``vsclick models``: weights that are not the manifest's and scores that are not the expected are found."""

import json
from types import SimpleNamespace

import pytest
from bright_ball import GRID, ball, ball_case
from handmade_models import bright_corrector, bright_unet3d, vouch_for
from safetensors.numpy import save
from VSClickCorrectLib.evaluation import reference
from VSClickCorrectLib.evaluation.reference import Expected
from VSClickCorrectLib.inference.models import ModelFolder

BALL = SimpleNamespace(case=ball_case(), truth=ball(), grid=GRID)


@pytest.fixture(autouse=True)
def balls(monkeypatch):
    """Two cases that cost nothing to make."""
    monkeypatch.setattr(reference, "CASES", {"ball": lambda: BALL, "same ball": lambda: BALL})


@pytest.fixture
def recorded(own_models, vsclick):
    """A folder with models and what they reach."""
    assert vsclick("models", "verify", "--record", models=own_models) == 0
    return own_models


def expected_of(folder):
    return json.loads((folder / "expected.json").read_text("utf-8"))


def test_list_names_every_model(bright_models, capsys):
    from VSClickCorrectLib.cli.main import main

    assert main(["models", "list", "--models", str(bright_models)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{bright_models}:"
    rows = [line.split() for line in lines[2:]]
    assert [row[:3] for row in rows] == [
        ["find", "locator", "unet3d"],
        ["first", "initial", "unet3d"],
        ["mend", "corrector", "multi_encoder_unet2d"],
    ]
    entry = ModelFolder(bright_models).entries["mend"]
    assert rows[2][3] == f"{entry.sha256[:12]}…"


def test_models_reach_what_was_recorded(recorded, vsclick, capsys):
    content = expected_of(recorded)
    assert content["tolerance"] == 0.01
    assert content["sha256"] == {n: e.sha256 for n, e in ModelFolder(recorded).entries.items()}
    assert list(content["dice"]["mend"]) == ["ball", "same ball"]
    first = content["dice"]["mend"]["ball"]
    assert len(first) == 4
    # The initial model blurs the ball at 1.5 mm, the corrector knows it better.
    assert 0.9 < first[0] < first[3] <= 1.0
    capsys.readouterr()
    assert vsclick("models", "verify", models=recorded) == 0
    out = capsys.readouterr().out
    assert out.count("as in the manifest") == 3
    assert "differs" not in out
    assert "within 0.01" in out


def test_other_score_is_named(recorded, refused, tmp_path):
    content = expected_of(recorded)
    content["dice"]["mend"]["same ball"][2] -= 0.011
    (recorded / "expected.json").write_text(json.dumps(content), encoding="utf-8")
    error = refused("models", "verify", models=recorded)
    assert "1 of 2 scores" in error
    assert "mend on 'same ball'" in error


def test_score_within_the_tolerance_passes_and_a_case_that_is_not_there_does_not(recorded, vsclick, refused):
    content = expected_of(recorded)
    content["dice"]["mend"]["ball"][1] -= 0.009
    (recorded / "expected.json").write_text(json.dumps(content), encoding="utf-8")
    assert vsclick("models", "verify", models=recorded) == 0
    del content["dice"]["mend"]["ball"]
    (recorded / "expected.json").write_text(json.dumps(content), encoding="utf-8")
    assert "mend on 'ball'" in refused("models", "verify", models=recorded)


def test_weights_that_the_manifest_vouches_for_but_that_do_something_else_are_found(recorded, refused):
    # Both the weights and the manifest were replaced: the expected scores are those of other weights.
    vouch_for(recorded, "mend", save(bright_corrector(0.7)))
    assert "other weights of mend" in refused("models", "verify", models=recorded)
    # Even with the hashes put right, the scores tell.
    content = expected_of(recorded)
    vouch_for(recorded, "first", save(bright_unet3d(0.9)))
    content["sha256"] = {n: e.sha256 for n, e in ModelFolder(recorded).entries.items()}
    (recorded / "expected.json").write_text(json.dumps(content), encoding="utf-8")
    assert "2 of 2 scores" in refused("models", "verify", models=recorded)


def test_damaged_weights_are_named_and_nothing_is_recorded(own_models, refused):
    path = own_models / "first.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    for more in ([], ["--record"]):
        assert "first.safetensors" in refused("models", "verify", *more, models=own_models)


def test_folder_without_expected_scores_says_how_to_write_them(own_models, refused):
    assert "'vsclick models verify --record'" in refused("models", "verify", models=own_models)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"tolerance": "x"}', '{"tolerance": 1, "sha256": 3, "dice": {"mend": 4}}']
)
def test_expected_scores_that_cannot_be_understood_are_refused(content, own_models, refused):
    (own_models / "expected.json").write_text(content, encoding="utf-8")
    assert "expected.json cannot be understood" in refused("models", "verify", models=own_models)


def test_shipped_models_come_with_scores_of_every_corrector_on_every_case(shipped_models, monkeypatch):
    monkeypatch.undo()
    Expected(ModelFolder(shipped_models))
    content = expected_of(shipped_models)
    correctors = {e.name for e in ModelFolder(shipped_models).entries.values() if e.role == "corrector"}
    assert set(content["dice"]) == correctors
    for cases in content["dice"].values():
        assert list(cases) == list(reference.CASES)
        assert all(len(values) == 4 and values[-1] > 0.85 for values in cases.values())
