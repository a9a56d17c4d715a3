"""Folders of small cases, and worklists on them."""

import numpy as np
import pytest
from volume_files import SHAPE, written
from VSClickCorrectLib.worklist.worklist import Worklist

IMAGE = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)


class Seconds:
    """A clock that goes by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Seconds()


@pytest.fixture
def folder(tmp_path):
    """Three cases, a folder each; the third has no T2, the first a mask."""
    root = tmp_path / "cases"
    for name in ("VS-2", "VS-9", "VS-10"):
        (root / name).mkdir(parents=True)
        written(root / name / "T1ce.nii.gz", IMAGE)
        if name != "VS-10":
            written(root / name / "T2.nii.gz", IMAGE)
    start = np.zeros(SHAPE, np.uint8)
    start[1, 1, 1] = 1
    written(root / "VS-2" / "mask.nii.gz", start)
    return root


@pytest.fixture
def open_list(folder, tmp_path, clock):
    """Opens the worklist of the three cases, as often as one likes."""
    return lambda annotator="AB": Worklist.open(folder, tmp_path / "out", annotator, clock)
