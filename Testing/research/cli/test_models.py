"""``vsclick models``: weights that are not the manifest's and outputs that are not the expected are found."""

import json
from types import SimpleNamespace

import pytest
from bright_ball import GRID, ball, ball_case
from handmade_models import bright_corrector, bright_unet3d, vouch_for
from safetensors.numpy import save
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectResearch.evaluation import reference
from VSClickCorrectResearch.evaluation.reference import Expected

BALL = SimpleNamespace(case=ball_case(), truth=ball(), grid=GRID)


@pytest.fixture(autouse=True)
def balls(monkeypatch):
    """Two cases that cost nothing to make."""
    monkeypatch.setattr(reference, "read_sample", lambda: BALL)
    monkeypatch.setattr(reference, "CASES", {"ball": ("t1ce", "t2"), "same ball": ("t1ce", "t2")})


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


def test_models_say_what_was_recorded(recorded, vsclick, capsys):
    content = expected_of(recorded)
    assert content["tolerance"] == {"device": 0.005, "dice": 0.02}
    assert content["sha256"] == {n: e.sha256 for n, e in ModelFolder(recorded).entries.items()}
    assert list(content["outputs"]) == ["find", "first", "mend"]
    for cases in content["outputs"].values():
        assert list(cases) == ["ball", "same ball"]
        assert cases["ball"] == cases["same ball"]
    # The corrector knows the ball where it looked, and is sure within and without it.
    mend = content["outputs"]["mend"]["ball"]
    assert mend["dice"] > 0.95
    probabilities = [int(number) for number in mend["probabilities"].split()]
    assert min(probabilities) < 30_000
    assert max(probabilities) > 990_000
    capsys.readouterr()
    assert vsclick("models", "verify", models=recorded) == 0
    out = capsys.readouterr().out
    assert out.count("as in the manifest") == 3
    assert "differs" not in out
    assert "say what is expected" in out


def changed(folder, change):
    """Let ``change`` work on what is expected of the corrector on the second case."""
    content = expected_of(folder)
    change(content["outputs"]["mend"])
    (folder / "expected.json").write_text(json.dumps(content), encoding="utf-8")


def test_other_probability_is_named(recorded, refused, vsclick, capfd):
    def change(cases):
        numbers = [int(number) + 2000 for number in cases["same ball"]["probabilities"].split()]
        cases["same ball"]["probabilities"] = " ".join(map(str, numbers))

    changed(recorded, change)
    error = refused("models", "verify", models=recorded)
    assert "1 of 6 outputs" in error
    assert "mend on 'same ball'" in error
    assert vsclick("models", "verify", models=recorded) == 2
    lines = [line for line in capfd.readouterr().out.splitlines() if "differs" in line]
    assert [line.split()[:3] for line in lines] == [["mend", "same", "ball"]]
    assert "0.002" in lines[0]


def test_other_dice_is_named_and_a_case_that_is_not_there_too(recorded, vsclick, refused):
    def change(cases, by):
        cases["ball"]["dice"] -= by

    changed(recorded, lambda cases: change(cases, 0.9 * 0.02))
    assert vsclick("models", "verify", models=recorded) == 0
    changed(recorded, lambda cases: change(cases, 0.2 * 0.02))
    assert "mend on 'ball'" in refused("models", "verify", models=recorded)
    changed(recorded, lambda cases: cases.pop("ball"))
    assert "mend on 'ball'" in refused("models", "verify", models=recorded)


def test_weights_that_the_manifest_vouches_for_but_that_do_something_else_are_found(recorded, refused):
    # Both the weights and the manifest were replaced: what is expected is of other weights.
    vouch_for(recorded, "mend", save(bright_corrector(0.7)))
    assert "other weights of mend" in refused("models", "verify", models=recorded)
    # Even with the hashes put right, what they say tells.
    content = expected_of(recorded)
    vouch_for(recorded, "first", save(bright_unet3d(0.9)))
    content["sha256"] = {n: e.sha256 for n, e in ModelFolder(recorded).entries.items()}
    (recorded / "expected.json").write_text(json.dumps(content), encoding="utf-8")
    assert "4 of 6 outputs" in refused("models", "verify", models=recorded)


def test_damaged_weights_are_named_and_nothing_is_recorded(own_models, refused):
    path = own_models / "first.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    for more in ([], ["--record"]):
        assert "first.safetensors" in refused("models", "verify", *more, models=own_models)


def test_folder_without_expected_outputs_says_how_to_write_them(own_models, refused):
    assert "'vsclick models verify --record'" in refused("models", "verify", models=own_models)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"tolerance": "x"}',
        '{"tolerance": 0.01, "sha256": {}, "dice": {}}',
        '{"tolerance": {"device": 1, "dice": 1}, "sha256": {}, "outputs": {"mend": 4}}',
    ],
)
def test_expected_outputs_that_cannot_be_understood_are_refused(content, own_models, refused):
    (own_models / "expected.json").write_text(content, encoding="utf-8")
    assert "expected.json cannot be understood" in refused("models", "verify", models=own_models)


def test_shipped_models_come_with_outputs_of_every_model_on_every_case(shipped_models, monkeypatch):
    monkeypatch.undo()
    Expected(ModelFolder(shipped_models))
    content = expected_of(shipped_models)
    assert list(content["outputs"]) == list(ModelFolder(shipped_models).entries)
    for cases in content["outputs"].values():
        assert list(cases) == list(reference.CASES)
