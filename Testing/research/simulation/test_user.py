"""Where the simulated user clicks."""

import numpy as np
import pytest
from any_grid import slice_axes
from hypothesis import given, settings
from hypothesis import strategies as st
from session_doubles import BOUNDARY, EXCLUDE, INCLUDE, OracleCorrector, boxes_in, case_on, grids, with_blocks
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectResearch.simulation.mask_perturbations import uneven_border
from VSClickCorrectResearch.simulation.user import (
    border_clicks,
    inside_clicks,
    middle_click,
    part_clicks,
    random_click,
)

SHAPE = (12, 40, 40)
# Voxel (k, j, i) lies at R -i, A -j, S 2k mm.
GRID = Grid(SHAPE, np.diag([-1.0, -1.0, 2.0, 1.0]))
TRUTH = with_blocks(SHAPE, ((4, 9), (12, 25), (12, 25)))
SHORT = with_blocks(SHAPE, ((4, 9), (12, 25), (12, 20)))


def places(clicks, grid=GRID):
    return [grid.ras_to_index(click.position_ras) for click in clicks]


class TestBorderClicks:
    def test_lies_on_the_true_border_where_the_mask_is_farthest(self):
        # The whole side at column 24 is 5 mm from the mask's last column, 19; the first voxel is taken.
        (click,) = border_clicks(GRID, TRUTH, SHORT, 1)
        assert click.kind is BOUNDARY
        assert click.position_ras == (-24.0, -12.0, 8.0)

    def test_sees_a_mask_that_is_too_large(self):
        large = with_blocks(SHAPE, ((4, 9), (12, 25), (12, 30)))
        # Column 24, 5 mm inside the mask's last column, in the rows that are as far from the mask's sides.
        assert places(border_clicks(GRID, TRUTH, large, 1)) == [(4, 17, 24)]

    def test_slice_that_the_mask_lost_is_clicked(self):
        lost = with_blocks(SHAPE, ((4, 8), (12, 25), (12, 25)))
        assert places(border_clicks(GRID, TRUTH, lost, 3)) == [(8, 12, 12)]

    def test_clicks_lie_one_a_slice_and_four_millimetres_apart(self):
        # In the slice above (4, 12, 24), row 16 is the first beyond 4 mm; another on, row 12 is free again.
        expected = [(4, 12, 24), (5, 16, 24), (6, 12, 24), (7, 16, 24), (8, 12, 24)]
        assert places(border_clicks(GRID, TRUTH, SHORT, 9)) == expected
        assert places(border_clicks(GRID, TRUTH, SHORT, 3)) == expected[:3]

    def test_right_mask_gets_no_click(self):
        assert border_clicks(GRID, TRUTH, TRUTH, 5) == []

    def test_island_apart_from_a_right_mask_gets_no_boundary_click(self):
        island = with_blocks(SHAPE, ((9, 11), (33, 36), (33, 37)))
        assert border_clicks(GRID, TRUTH, TRUTH | island, 5) == []

    def test_error_of_less_than_half_a_millimetre_gets_no_click(self):
        fine = Grid(SHAPE, np.diag([-0.45, -0.45, 2.0, 1.0]))
        narrower = with_blocks(SHAPE, ((4, 9), (12, 25), (12, 24)))
        assert border_clicks(fine, TRUTH, narrower, 5) == []
        assert len(border_clicks(GRID, TRUTH, narrower, 5)) == 5

    def test_without_tumour_there_is_nothing_to_click(self):
        assert border_clicks(GRID, np.zeros(SHAPE, bool), TRUTH, 5) == []
        assert border_clicks(GRID, np.zeros(SHAPE, bool), np.zeros(SHAPE, bool), 5) == []

    def test_tumour_that_was_not_found_is_clicked_on_its_border(self):
        clicks = places(border_clicks(GRID, TRUTH, np.zeros(SHAPE, bool), 2))
        assert clicks == [(4, 12, 12), (5, 12, 16)]

    @pytest.mark.parametrize(("thick", "axis"), [(2.0, 0), (1.1, 1)])
    def test_slices_are_those_that_were_acquired_and_else_axial(self, thick, axis):
        # A sagittal volume: k to the right, j downward, i to the front.
        affine = np.array([[0, 0, thick, 0], [1.0, 0, 0, 0], [0, -1.0, 0, 0], [0, 0, 0, 1]])
        sagittal = Grid(SHAPE, affine)
        clicks = places(border_clicks(sagittal, TRUTH, SHORT, 5), sagittal)
        assert len(clicks) == 5
        assert len({place[axis] for place in clicks}) == 5
        assert {i for _, _, i in clicks} == {24}

    def test_chance_breaks_ties_only(self):
        for seed in range(5):
            ((_, _, column),) = places(border_clicks(GRID, TRUTH, SHORT, 1, np.random.default_rng(seed)))
            assert column == 24
        chosen = {places(border_clicks(GRID, TRUTH, SHORT, 1, np.random.default_rng(s)))[0] for s in range(5)}
        assert len(chosen) > 1

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_any_masks_on_any_grid(self, data):
        grid = data.draw(grids())
        truth, mask = (with_box(grid, data.draw(boxes_in(grid.shape))) for _ in range(2))
        clicks = border_clicks(grid, truth, mask, data.draw(st.integers(1, 6)))
        positions = np.array([click.position_ras for click in clicks]).reshape(-1, 3)
        slices = [index[slice_axes(grid)[0][0]] for index in places(clicks, grid)]
        assert len(set(slices)) == len(clicks)
        gaps = np.linalg.norm(positions[:, None] - positions[None], axis=-1) + 99 * np.eye(len(clicks))
        assert (gaps >= 4.0 - 1e-3).all()
        errors = [distance_to_border(grid, mask, position) for position in positions]
        assert all(truth[index] for index in places(clicks, grid))
        assert all(error >= 0.5 - 1e-3 for error in errors)
        assert errors == sorted(errors, reverse=True)


def with_box(grid, box):
    values = np.zeros(grid.shape, bool)
    values[box.slices] = True
    return values


def distance_to_border(grid, block, position):
    """From a point to the nearest voxel of a block that lies at its rim in its slice, mm; rounded."""
    axis, _ = slice_axes(grid)[0]
    rim = []
    for index in np.argwhere(block):
        for step in np.eye(3, dtype=int)[[a for a in range(3) if a != axis]]:
            for other in (index + step, index - step):
                inside = (other >= 0).all() and (other < grid.shape).all()
                if not inside or not block[tuple(other)]:
                    rim.append(grid.index_to_ras(index))
    return round(float(np.linalg.norm(np.array(rim) - position, axis=-1).min()), 3)


class TestInsideClicks:
    @pytest.mark.parametrize(("kind", "masks"), [(INCLUDE, (TRUTH, None)), (EXCLUDE, (None, TRUTH))])
    def test_lies_deep_in_the_error(self, kind, masks):
        truth, mask = (np.zeros(SHAPE, bool) if m is None else m for m in masks)
        for seed in range(20):
            ((k, j, i),) = places(inside_clicks(GRID, truth, mask, kind, np.random.default_rng(seed)))
            # In the middle, 6 mm from right voxels above and below, at least 0.7 × 6 = 4.2 mm from any.
            assert k == 6
            assert 16 <= j <= 20
            assert 16 <= i <= 20

    def test_chance_chooses_among_the_inner_voxels(self):
        empty = np.zeros(SHAPE, bool)
        clicks = {inside_clicks(GRID, TRUTH, empty, INCLUDE, np.random.default_rng(s))[0] for s in range(20)}
        assert len(clicks) > 3
        assert {click.kind for click in clicks} == {INCLUDE}

    def test_the_deeper_of_two_errors_is_chosen(self):
        sliver = with_blocks(SHAPE, ((0, 12), (30, 31), (0, 40)))
        for seed in range(10):
            clicks = inside_clicks(
                GRID, TRUTH | sliver, np.zeros(SHAPE, bool), INCLUDE, np.random.default_rng(seed)
            )
            assert TRUTH[places(clicks)[0]]

    @pytest.mark.parametrize("kind", [INCLUDE, EXCLUDE])
    def test_without_such_an_error_there_is_no_click(self, kind):
        truth, mask = (TRUTH, SHORT) if kind is EXCLUDE else (SHORT, TRUTH)
        assert inside_clicks(GRID, truth, mask, kind, np.random.default_rng(0)) == []

    def test_error_that_fills_the_image_is_clicked_too(self):
        clicks = inside_clicks(
            GRID, np.ones(SHAPE, bool), np.zeros(SHAPE, bool), INCLUDE, np.random.default_rng(0)
        )
        assert len(places(clicks)) == 1


class TestPartClicks:
    """Parts that are missed or wrong; voxels of `GRID` measure as its affine says."""

    GRID = Grid((20, 40, 40), np.diag([-1.0, -1.0, 1.0, 1.0]))

    def clicks(self, truth, mask, count=5):
        found = part_clicks(self.GRID, truth, mask, count)
        return [(c.kind, tuple(int(n) for n in self.GRID.ras_to_index(c.position_ras))) for c in found]

    def block(self, *spans):
        return with_blocks(self.GRID.shape, spans)

    def test_a_tumour_that_the_mask_does_not_touch_gets_one_in_its_middle(self):
        truth = self.block((9, 12), (9, 12), (9, 12))
        assert self.clicks(truth, np.zeros_like(truth)) == [(INCLUDE, (10, 10, 10))]

    def test_an_island_beside_the_tumour_is_excluded(self):
        truth = self.block((9, 12), (9, 12), (9, 12))
        assert self.clicks(truth, truth | self.block((9, 12), (29, 32), (29, 32))) == [
            (EXCLUDE, (10, 30, 30))
        ]

    def test_of_a_tumour_that_the_mask_touches_only_what_is_deep_counts(self):
        mask = self.block((4, 15), (4, 15), (4, 7))
        thin, deep = (self.block((4, 15), (4, 15), (4, end)) for end in (14, 16))
        # Seven columns are missing, then nine: their middle is 4 and 5 mm from what is right.
        assert self.clicks(thin, mask) == []
        assert self.clicks(deep, mask) == [(INCLUDE, (8, 8, 11))]

    def test_the_deepest_comes_first_and_no_more_than_wanted(self):
        small, large = self.block((9, 12), (9, 12), (3, 6)), self.block((5, 14), (5, 14), (20, 29))
        both = small | large
        assert [kind for kind, _ in self.clicks(both, np.zeros_like(both))] == [INCLUDE, INCLUDE]
        assert self.clicks(both, np.zeros_like(both), 1) == [(INCLUDE, (9, 9, 24))]

    def test_a_mask_that_is_right_needs_none(self):
        truth = self.block((9, 12), (9, 12), (9, 12))
        assert self.clicks(truth, truth) == []
        assert part_clicks(self.GRID, np.zeros_like(truth), np.zeros_like(truth), 5) == []


class TestFirstClicks:
    def test_middle_is_the_deepest_voxel_in_millimetres(self):
        # Five slices of 2 mm: slice 6 is the middle one, 6 mm from slices 3 and 9; in it, rows and columns
        # from 17 on are as far from row 11 and column 11; the first is taken.
        click = middle_click(GRID, TRUTH)
        assert click.kind is INCLUDE
        assert places([click]) == [(6, 17, 17)]

    def test_middle_of_a_tumour_in_two_parts_lies_in_the_thicker_one(self):
        sliver = with_blocks(SHAPE, ((0, 12), (30, 31), (0, 40)))
        assert places([middle_click(GRID, TRUTH | sliver)]) == [(6, 17, 17)]

    def test_random_click_lies_anywhere_inside(self):
        truth = with_blocks(SHAPE, ((4, 6), (12, 14), (12, 14)))
        found = {places([random_click(GRID, truth, np.random.default_rng(s))])[0] for s in range(100)}
        assert found == {tuple(map(int, index)) for index in np.argwhere(truth)}
        assert random_click(GRID, truth, np.random.default_rng(0)).kind is INCLUDE


def test_a_perfect_corrector_and_this_user_mend_a_mask_in_three_rounds():
    grid = Grid(SHAPE, np.diag([-1.0, -1.0, 2.0, 1.0]))
    k, j, i = np.indices(SHAPE, sparse=True)
    truth = ((k - 5.5) * 2) ** 2 + (j - 19) ** 2 + (i - 20) ** 2 <= 9.0**2
    mask = ArrayMask(grid, uneven_border(truth, grid.spacing[::-1], np.random.default_rng(3)))
    session = CorrectionSession(case_on(grid), mask, OracleCorrector(truth))
    scores = [dice(mask.values, truth)]
    for _ in range(3):
        session.apply_together(border_clicks(grid, truth, mask.values, 5))
        session.next_round()
        scores.append(dice(mask.values, truth))
    assert scores[0] < 0.9
    assert scores[-1] > 0.97
    assert scores == sorted(scores)


def dice(first, second):
    return 2 * (first & second).sum() / (first.sum() + second.sum())
