"""What a click may touch and keep: small boxes, small records."""

import numpy as np
import pytest
from session_doubles import BOUNDARY, EXCLUDE, INCLUDE, OracleCorrector, case_on, click_at
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import CorrectionSession


class Recorder(ArrayMask):
    """Notes which boxes are read and written."""

    def __init__(self, grid, values):
        super().__init__(grid, values)
        self.read_boxes, self.written_boxes = [], []

    def read(self, box):
        self.read_boxes.append(box)
        return super().read(box)

    def write(self, box, values):
        assert values.shape == box.shape
        assert values.dtype == bool
        self.written_boxes.append(box)
        super().write(box, values)


@pytest.fixture(scope="module")
def scan():
    """A scan of everyday size with a tumour 24 mm wide, and a mask 1.5 mm too small: (grid, truth, mask)."""
    grid = Grid((60, 320, 320), np.diag([-0.5, -0.5, 1.5, 1.0]))
    k, j, i = np.indices(grid.shape, sparse=True)
    distance = np.sqrt(((k - 30) * 1.5) ** 2 + ((j - 150) * 0.5) ** 2 + ((i - 100) * 0.5) ** 2)
    return grid, distance <= 12.0, distance <= 10.5


@pytest.fixture
def recorded(scan):
    grid, truth, values = scan
    mask = Recorder(grid, values)
    return CorrectionSession(case_on(grid), mask, OracleCorrector(truth)), mask


class TestCost:
    @pytest.mark.parametrize(
        ("kind", "index"), [(BOUNDARY, (30, 150, 124)), (INCLUDE, (30, 150, 123)), (EXCLUDE, (30, 150, 118))]
    )
    def test_click_undo_and_redo_touch_small_boxes_only(self, recorded, kind, index):
        session, mask = recorded
        session.apply(click_at(mask.grid, index, kind))
        session.undo()
        session.redo()
        volume = np.prod(mask.grid.shape)
        assert len(mask.written_boxes) == 3
        # A cut is 29 mm wide and, with five slices, 7.5 mm deep; an island is looked for in 48 mm.
        assert max(np.prod(box.shape) for box in mask.written_boxes) <= 58 * 58 * 5
        assert max(np.prod(box.shape) for box in mask.read_boxes) < 0.06 * volume

    def test_each_click_is_moved_into_its_slice_once_however_many_follow(self, recorded, monkeypatch):
        session, mask = recorded
        moved, in_slice = [], Grid.in_slice
        monkeypatch.setattr(Grid, "in_slice", lambda grid, ras: moved.append(ras) or in_slice(grid, ras))
        for column in range(118, 124):
            session.apply(click_at(mask.grid, (30, 150, column), INCLUDE))
        assert len(session.clicks) == len(moved) == 6

    def test_typical_click_takes_four_kilobytes_at_most(self, recorded):
        session, mask = recorded
        # 2 mm from the mask's border, so that a centimetre of it moves.
        edit = session.apply(click_at(mask.grid, (30, 150, 125)))
        assert sum(edit.change.count) > 1000
        assert len(edit.change.packed) <= 4096
