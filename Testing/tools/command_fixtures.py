"""Files as a clinician has them, and the command run in this process."""

from types import SimpleNamespace

import numpy as np
import pytest
from bright_ball import CENTER, RADIUS_MM, ball, ball_volume, write_image, write_points
from VSClickCorrectLib.cli.main import main

R, A, S = CENTER


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """T1ce, T2, a mask with its right half cut off, and clicks on the ball's border; not to be changed."""
    folder = tmp_path_factory.mktemp("examination")
    half = ball()
    half[:, :, :29] = False
    # The third of these lies where the mask was cut off.
    border = [(R - RADIUS_MM, A, S, "boundary"), (R, A + RADIUS_MM, S + 3, ""), (R + RADIUS_MM, A, S, "")]
    return SimpleNamespace(
        t1ce=write_image(folder / "T1ce.nii.gz", ball_volume().array),
        t2=write_image(folder / "T2.nrrd", ball_volume(t2=True).array),
        mask=write_image(folder / "mask.nii.gz", half.astype(np.uint8)),
        half=half,
        border=border,
        clicks=write_points(folder / "clicks.mrk.json", border),
    )


@pytest.fixture
def vsclick(bright_models):
    """Run a command with the models that find what is bright; returns the exit status."""

    def run(*arguments, models=bright_models):
        return main([*map(str, arguments), "--models", str(models), "--device", "cpu"])

    return run


@pytest.fixture
def refused(vsclick, tmp_path, capfd):
    """Run a command that must fail; returns its one line. Nothing in `tmp_path` may change."""

    def contents():
        return {p: p.read_bytes() if p.is_file() else None for p in tmp_path.rglob("*")}

    def run(*arguments, **options):
        before = contents()
        capfd.readouterr()
        assert vsclick(*arguments, **options) == 2
        assert contents() == before
        error = capfd.readouterr().err
        assert error.startswith("vsclick: ")
        assert error.endswith(".\n")
        assert error.count("\n") == 1
        return error

    return run


@pytest.fixture
def older(tmp_path):
    """An output file that was there before."""
    path = tmp_path / "older.nii.gz"
    path.write_bytes(b"the mask of yesterday")
    return path
