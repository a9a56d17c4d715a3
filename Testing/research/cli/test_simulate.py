"""``vsclick simulate``: which cohort is asked for."""

import pytest
from VSClickCorrectLib.cli.main import main
from VSClickCorrectResearch.datasets import cohort


@pytest.mark.parametrize(
    ("options", "seed"),
    [
        ([], 0),
        (["--split", "validation"], 1),
        (["--split", "test"], 2),
        (["--split", "test", "--seed", "0"], 0),
    ],
)
def test_splits_have_seeds_of_their_own_unless_one_is_named(options, seed, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(cohort, "write_cohort", lambda output, recipe, *_: asked.append(recipe))
    assert main(["simulate", "--data", str(tmp_path), "--output", str(tmp_path / "out"), *options]) == 0
    assert [recipe.seed for recipe in asked] == [seed]


def test_the_other_side_is_asked_for_with_balanced_cohorts_alone(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(cohort, "write_cohort", lambda output, recipe, *_: asked.append(recipe))
    command = ["simulate", "--data", str(tmp_path), "--output", str(tmp_path / "out"), "--other-side"]
    assert main(command) == 2 and asked == []
    assert "--balanced" in capsys.readouterr().err
    assert main([*command, "--balanced"]) == 0
    assert [(recipe.balanced, recipe.other_side) for recipe in asked] == [(True, True)]
