"""``vsclick calibrate``: several lists of cases, one certainty in the manifest."""

import numpy as np
import pytest
from bright_ball import CENTER, ball, ball_volume, write_image
from handmade_models import read_manifest
from VSClickCorrectLib.cli.main import main

AWAY = np.subtract(CENTER, (0.0, 10.0, 0.0))


@pytest.fixture
def listed(tmp_path):
    """Write a list of so many cases whose label is where the ball is, or beside it."""
    scans = [
        write_image(tmp_path / f"{name}.nii.gz", ball_volume(t2=name == "t2").array)
        for name in ("t1ce", "t2")
    ]

    def write(name, count, center):
        label = write_image(tmp_path / f"{name}-label.nii.gz", ball(center=center).astype(np.uint8))
        rows = [f"{name}{n},{scans[0]},{scans[1]},{label}" for n in range(count)]
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(["case,t1ce,t2,label", *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


def test_certainty_is_learnt_from_all_lists(own_models, listed, capsys):
    """Three ways of showing each case: nine candidates are right and six are wrong, all else being alike."""
    right, wrong = listed("right", 3, CENTER), listed("wrong", 2, AWAY)
    assert main(["calibrate", "--models", str(own_models), "--cases", right, wrong]) == 0
    told = capsys.readouterr().out
    assert told.count("3 of 3 candidates right") == 3 and told.count("0 of 3 candidates right") == 2
    entry = next(one for one in read_manifest(own_models) if one["name"] == "first")
    assert set(entry["certainty"]) == {"intercept", "confidence", "log_volume", "located_log_odds", "t1ce"}


def test_a_list_that_is_not_there_is_told_before_any_search(own_models, listed, tmp_path, capsys):
    missing = str(tmp_path / "missing.csv")
    assert main(["calibrate", "--models", str(own_models), "--cases", listed("one", 1, CENTER), missing]) == 2
    said = capsys.readouterr()
    assert "missing.csv" in said.err and "candidates" not in said.out
