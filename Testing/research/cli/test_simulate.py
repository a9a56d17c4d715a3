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
