"""A mask becomes the label of the case on whose images it was made, and of no other."""

from operator import attrgetter

import numpy as np
import pytest
from volume_files import PLAIN, SHAPE, blob
from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.images import read_mask

MASK = blob()
MOVED = PLAIN.affine.copy()
MOVED[2, 3] = 5.0
ELSEWHERE = {
    "origin": (MASK, Grid(SHAPE, MOVED)),
    "spacing": (MASK, Grid(SHAPE, np.diag([1.0, 1.0, 2.0, 1.0]))),
    "size": (np.ones((5, 6, 8), bool), Grid((5, 6, 8), np.eye(4))),
    "voxels alone": (np.ones((5, 6, 8), bool), PLAIN),
}


def files_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("what", ["opened.keep", "done"])
@pytest.mark.parametrize("values, grid", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_mask_on_another_grid_is_refused(open_list, what, values, grid):
    worklist = open_list()
    worklist.go_to("VS-2")
    before = files_in(worklist.store.output)
    with pytest.raises(WorklistError, match="another grid than the images of case VS-2, so it was not kept"):
        attrgetter(what)(worklist)(values, grid)
    assert files_in(worklist.store.output) == before
    assert worklist.current.name == "VS-2"


@pytest.mark.parametrize("what", ["opened.keep", "done"])
def test_a_mask_of_another_case_on_the_same_grid_is_refused(open_list, what):
    worklist = open_list()
    worklist.go_to("VS-9")
    with pytest.raises(WorklistError, match="made on the images of VS-2, not on those of case VS-9"):
        attrgetter(what)(worklist)(MASK, PLAIN, "VS-2")
    assert worklist.opened.saved_mask(PLAIN) is None
    assert not worklist.label_path("VS-9").exists()


def test_the_case_s_own_mask_is_its_label(open_list):
    worklist = open_list()
    worklist.go_to("VS-9")
    grid = worklist.opened.load().grid
    worklist.opened.keep(MASK, grid, "VS-9")
    np.testing.assert_array_equal(read_mask(worklist.done(MASK, grid, "VS-9"), PLAIN), MASK)


def test_a_case_whose_images_have_gone_since_they_were_read_can_be_done(open_list, folder):
    worklist = open_list()
    worklist.go_to("VS-9")
    grid = worklist.opened.load().grid
    for path in (folder / "VS-9").iterdir():
        path.unlink()
    assert worklist.done(MASK, grid).exists()
