"""What clicks do to a mask, whatever the network says."""

import numpy as np
import pytest
from session_doubles import (
    BOUNDARY,
    EXCLUDE,
    INCLUDE,
    BlockCorrector,
    ContraryCorrector,
    OracleCorrector,
    case_on,
    click_at,
    with_blocks,
)
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import MERGES, Proposal
from VSClickCorrectLib.errors import CorrectionError, ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.session.correction import CorrectionSession

SHAPE = (12, 40, 40)
# Far from the tumour of `truth` (slices 4 to 8, rows and columns 12 to 24); smaller, and larger.
SPECK = with_blocks(SHAPE, ((9, 11), (33, 36), (33, 37)))
LARGE = with_blocks(SHAPE, ((0, 12), (30, 40), (28, 40)))
# A disc of 1.2 mm where voxels measure 1 × 1 × 2 mm.
DISC = [(0, -1, 0), (0, 0, -1), (0, 0, 0), (0, 0, 1), (0, 1, 0)]


def nothing(grid):
    return OracleCorrector(np.zeros(grid.shape, bool))


def flipped(before, session):
    return before ^ session.mask.values


class TestBoundaryClick:
    def test_pulls_the_border_to_where_it_truly_runs(self, session_on, grid, truth):
        short = truth & ~with_blocks(SHAPE, ((0, 12), (0, 40), (20, 40)))
        session = session_on(short)
        edit = session.apply(click_at(grid, (6, 18, 24)))
        # The network's pixels round off corners; all else in the clicked slice is as it should be.
        wrong = truth[6] ^ session.mask.values[6]
        assert {tuple(place) for place in np.argwhere(wrong).tolist()} <= {(12, 24), (24, 24)}
        assert edit.change.count == (session.mask.values.sum() - short.sum(), 0)
        # Five slices, 1.5 mm apart, do not reach farther than 3.75 mm.
        assert not flipped(short, session)[[0, 1, 2, 3, 9, 10, 11]].any()
        assert not flipped(short, session)[4].any()

    def test_leaves_other_errors_of_the_cut_alone(self, session_on, grid, truth):
        wrong = truth & ~with_blocks(SHAPE, ((6, 7), (12, 25), (22, 25)))
        hole = with_blocks(SHAPE, ((6, 7), (17, 20), (14, 16)))
        session = session_on(wrong & ~hole)
        session.apply(click_at(grid, (6, 18, 24)))
        assert session.mask.values[6, 18, 24]
        assert not session.mask.values[hole].any()

    @pytest.mark.parametrize("merge", ["replace", "blend"])
    def test_mends_the_whole_cut_with_the_merges_that_do(self, session_on, grid, truth, merge):
        hole = with_blocks(SHAPE, ((6, 7), (17, 20), (14, 16)))
        session = session_on(truth & ~hole, merge=merge)
        session.apply(click_at(grid, (6, 18, 24)))
        assert session.mask.values[hole].all()

    def test_changes_nothing_where_the_mask_is_right(self, session_on, grid):
        half = with_blocks(SHAPE, ((0, 12), (0, 40), (0, 20)))
        session = session_on(half, OracleCorrector(half))
        edit = session.apply(click_at(grid, (6, 18, 19)))
        assert edit.change.count == (0, 0)
        assert session.clicks == [click_at(grid, (6, 18, 19))]


class TestIncludeClick:
    @pytest.mark.parametrize("index", [(6, 18, 18), (6, 18, 27), (0, 0, 0), (11, 39, 39), (11, 0, 20)])
    @pytest.mark.parametrize("merge", MERGES)
    def test_its_voxel_is_in_the_mask_against_the_networks_word(self, session_on, grid, truth, index, merge):
        session = session_on(truth, ContraryCorrector(), merge=merge)
        session.apply(click_at(grid, index, INCLUDE))
        assert session.mask.values[index]

    def test_makes_a_small_disc_where_the_network_sees_nothing(self, session_on, grid):
        session = session_on(corrector=nothing(grid))
        edit = session.apply(click_at(grid, (5, 30, 30), INCLUDE))
        expected = [[5 + k, 30 + j, 30 + i] for k, j, i in DISC]
        assert np.argwhere(session.mask.values).tolist() == expected
        assert edit.change.count == (5, 0)

    def test_far_from_the_mask_starts_a_part_from_the_starters_evidence(self, session_on, grid, truth):
        asked, evidence = [], Box((4, 24, 31), (7, 35, 39))

        def initial_proposer(case, click, mask, standing):
            asked.append((case, click, mask.read(case.grid.box).sum(), list(standing)))
            probability = np.full(evidence.shape, 0.1, np.float32)
            probability[1:3, 2:7, 1:6] = 0.4
            return Proposal(click, evidence, probability, threshold=0.3)

        corrector = OracleCorrector(truth)
        session = session_on(
            with_blocks(SHAPE, ((4, 9), (12, 20), (12, 20))), corrector, initial_proposer=initial_proposer
        )
        before = session.mask.values.copy()
        # The nearest voxel of the mask, (5, 19, 19), is 13 mm to the right and 9 mm in front.
        click = click_at(grid, (5, 28, 32), INCLUDE)
        session.apply(click)
        expected = before | with_blocks(SHAPE, ((5, 7), (26, 31), (32, 37)))
        np.testing.assert_array_equal(session.mask.values, expected)
        assert asked == [(session.case, click, before.sum(), [])]
        assert corrector.asked == []
        session.apply(click_at(grid, (5, 3, 3), INCLUDE))
        assert asked[1][2:] == (expected.sum(), [click])

    @pytest.mark.parametrize(("column", "asks_starter"), [(25, False), (26, True)])
    def test_far_begins_beyond_six_millimetres(self, session_on, grid, column, asks_starter):
        asked = []

        def initial_proposer(_case, click, _mask, _standing):
            asked.append(click)
            return Proposal(click, Box((5, 20, 30), (6, 21, 31)), np.ones((1, 1, 1), np.float32))

        block = with_blocks(SHAPE, ((5, 6), (20, 21), (10, 20)))
        session_on(block, initial_proposer=initial_proposer).apply(click_at(grid, (5, 20, column), INCLUDE))
        assert bool(asked) is asks_starter

    def test_starter_that_sees_nothing_leaves_a_small_disc(self, session_on, grid):
        box = Box((5, 28, 28), (7, 33, 33))
        session = session_on(
            initial_proposer=lambda _, click, *rest: Proposal(click, box, np.zeros(box.shape, np.float32))
        )
        session.apply(click_at(grid, (5, 30, 30), INCLUDE))
        assert session.mask.values.sum() == len(DISC)

    def test_clicks_near_the_border_and_exclude_clicks_never_ask_the_starter(self, session_on, grid, truth):
        session = session_on(truth, initial_proposer=lambda *_: pytest.fail("asked"))
        session.apply_together([click_at(grid, (5, 18, 30)), click_at(grid, (5, 3, 3), EXCLUDE)])


class TestExcludeClick:
    @pytest.mark.parametrize("index", [(6, 18, 18), (4, 12, 12), (0, 0, 0), (11, 39, 39)])
    @pytest.mark.parametrize("merge", MERGES)
    def test_its_voxel_is_not_in_the_mask_against_the_networks_word(self, session_on, grid, index, merge):
        full = np.ones(SHAPE, bool)
        session = session_on(full, ContraryCorrector(), merge=merge)
        session.apply(click_at(grid, index, EXCLUDE))
        assert not session.mask.values[index]

    def test_removes_an_island_apart_from_the_tumour_and_nothing_else(self, session_on, grid, truth):
        session = session_on(truth | SPECK, ContraryCorrector())
        edit = session.apply(click_at(grid, (10, 34, 35), EXCLUDE))
        np.testing.assert_array_equal(session.mask.values, truth)
        assert edit.change.count == (0, 24)
        session.undo()
        np.testing.assert_array_equal(session.mask.values, truth | SPECK)

    def test_on_the_tumour_stays_local(self, session_on, grid, truth):
        surplus = with_blocks(SHAPE, ((6, 7), (16, 20), (25, 29)))
        session = session_on(truth | surplus | SPECK)
        session.apply(click_at(grid, (6, 18, 27), EXCLUDE))
        np.testing.assert_array_equal(session.mask.values & ~surplus, truth | SPECK)
        assert (session.mask.values & surplus).sum() <= 2

    def test_on_the_tumour_takes_a_small_disc_where_the_network_disagrees(self, session_on, grid, truth):
        session = session_on(truth)
        session.apply(click_at(grid, (6, 18, 18), EXCLUDE))
        removed = np.argwhere(flipped(truth, session)).tolist()
        assert removed == [[6 + k, 18 + j, 18 + i] for k, j, i in DISC]

    def test_on_background_adds_nothing(self, session_on, grid, truth):
        session = session_on(truth)
        session.apply(click_at(grid, (6, 18, 30), EXCLUDE))
        np.testing.assert_array_equal(session.mask.values, truth)

    def test_largest_part_is_the_tumour_until_clicks_say_otherwise(self, session_on, grid, truth):
        session = session_on(truth | LARGE)
        session.apply(click_at(grid, (6, 35, 35), EXCLUDE))
        assert (session.mask.values & LARGE).sum() > LARGE.sum() / 2
        session.undo()
        session.apply(click_at(grid, (6, 18, 24)))
        session.apply(click_at(grid, (6, 35, 35), EXCLUDE))
        np.testing.assert_array_equal(session.mask.values & LARGE, np.zeros(SHAPE, bool))
        assert (session.mask.values & truth).sum() > 0.9 * truth.sum()

    def test_clicks_of_the_same_round_say_which_part_is_the_tumour(self, session_on, grid, truth):
        session = session_on(truth | LARGE)
        session.apply_together([click_at(grid, (6, 18, 24)), click_at(grid, (6, 35, 35), EXCLUDE)])
        assert not (session.mask.values & LARGE).any()

    def test_boundary_click_away_from_any_part_does_not_disown_the_tumour(self, session_on, grid, truth):
        # The border is said to run 6 mm outside the mask: that click touches no part; the tumour stays one.
        session = session_on(truth)
        session.apply_together([click_at(grid, (6, 18, 30)), click_at(grid, (6, 14, 14), EXCLUDE)])
        session.apply(click_at(grid, (7, 14, 14), EXCLUDE))
        assert session.mask.values.sum() == truth.sum() - 2 * len(DISC)

    def test_part_confirmed_by_an_include_click_is_not_removed_as_an_island(self, session_on, grid, truth):
        session = session_on(truth | SPECK, OracleCorrector(truth | SPECK))
        session.apply(click_at(grid, (9, 33, 33), INCLUDE))
        session.apply(click_at(grid, (10, 35, 36), EXCLUDE))
        assert not session.mask.values[10, 35, 36]
        assert session.mask.values[9, 33, 33]

    def test_undone_clicks_confirm_nothing(self, session_on, grid, truth):
        session = session_on(truth | SPECK, OracleCorrector(truth | SPECK))
        session.apply(click_at(grid, (9, 33, 33), INCLUDE))
        session.undo()
        session.apply(click_at(grid, (10, 35, 36), EXCLUDE))
        np.testing.assert_array_equal(session.mask.values, truth)


class TestClicksInARow:
    def test_later_clicks_keep_what_earlier_ones_said(self, session_on, grid, truth):
        session = session_on(truth, ContraryCorrector(), merge="replace")
        session.apply(click_at(grid, (6, 18, 18), EXCLUDE))
        session.apply(click_at(grid, (6, 18, 19), INCLUDE))
        session.apply(click_at(grid, (6, 17, 18)))
        session.apply(click_at(grid, (6, 17, 19), EXCLUDE))
        voxels = [session.mask.values[index] for index in [(6, 18, 18), (6, 18, 19), (6, 17, 19)]]
        assert voxels == [False, True, False]

    def test_the_last_click_on_a_voxel_has_the_last_word(self, session_on, grid, truth):
        session = session_on(truth, ContraryCorrector())
        for kind in (INCLUDE, EXCLUDE, INCLUDE):
            session.apply(click_at(grid, (6, 18, 18), kind))
            assert session.mask.values[6, 18, 18] == (kind is INCLUDE)
        session.apply_together([click_at(grid, (6, 18, 18), kind) for kind in (INCLUDE, EXCLUDE)])
        assert not session.mask.values[6, 18, 18]

    def test_undone_clicks_no_longer_count(self, session_on, grid, truth):
        session = session_on(truth, OracleCorrector(truth))
        session.apply(click_at(grid, (6, 18, 26), INCLUDE))
        session.undo()
        session.apply(click_at(grid, (6, 18, 24)))
        assert not session.mask.values[6, 18, 26]

    def test_a_later_click_does_not_repaint_what_was_erased_over_an_earlier_one(
        self, session_on, grid, truth
    ):
        session = session_on(truth, OracleCorrector(truth))
        session.apply(click_at(grid, (6, 18, 27), INCLUDE))
        session.mask.write(Box((6, 17, 25), (7, 20, 29)), np.zeros((1, 3, 4), bool))
        session.apply(click_at(grid, (6, 18, 24)))
        assert not session.mask.values[6, 18, 27]

    def test_corrector_is_asked_for_the_new_clicks_only(self, session_on, grid, truth):
        corrector = OracleCorrector(truth)
        session = session_on(truth, corrector)
        first, second, third = (click_at(grid, (6, 18, column)) for column in (12, 24, 20))
        session.apply(first)
        session.apply(second)
        session.undo()
        session.apply(third)
        assert corrector.asked == [(first,), (second,), (third,)]

    def test_clicks_applied_together_are_all_seen_on_the_same_mask(self, session_on, grid, truth):
        corrector = OracleCorrector(truth)
        session = session_on(truth & ~with_blocks(SHAPE, ((0, 12), (0, 40), (20, 40))), corrector)
        clicks = (click_at(grid, (4, 18, 24)), click_at(grid, (7, 18, 24)))
        edit = session.apply_together(clicks)
        assert corrector.asked == [clicks]
        assert edit.clicks == clicks
        assert session.mask.values[[4, 7], 18, 24].all()
        session.undo()
        assert not session.mask.values[:, :, 20:].any()


class TestRefusals:
    @pytest.mark.parametrize("kind", [BOUNDARY, INCLUDE, EXCLUDE])
    def test_click_outside_is_refused_with_its_place_in_millimetres(self, session_on, grid, truth, kind):
        session = session_on(truth)
        with pytest.raises(CorrectionError, match=r"R 4\.0, A -18\.0, S 12\.5 mm lies outside"):
            session.apply_together([click_at(grid, (6, 18, 24)), Click((4.0, -18.0, 12.5), kind)])
        np.testing.assert_array_equal(session.mask.values, truth)
        assert session.history.done == []
        assert len(session.journal.events) == 1

    def test_click_that_is_nowhere_is_refused(self, session_on):
        with pytest.raises(CorrectionError, match="not finite"):
            session_on().apply(Click((float("nan"), 0.0, 0.0)))

    def test_no_click_is_refused(self, session_on):
        with pytest.raises(CorrectionError, match="no click"):
            session_on().apply_together([])

    def test_unknown_merge_is_refused(self, session_on):
        with pytest.raises(CorrectionError, match="'average' is no merge; choose one of progressive"):
            session_on(merge="average")

    def test_mask_on_another_grid_is_refused(self, grid, truth):
        moved = grid.affine.copy()
        moved[2, 3] = 1.0
        with pytest.raises(ImageError, match="another grid"):
            CorrectionSession(case_on(grid), ArrayMask(Grid(SHAPE, moved)), OracleCorrector(truth))

    def test_image_that_moved_since_the_session_began_takes_no_click(self, session_on, grid):
        session = session_on()
        session.mask.grid = Grid(SHAPE, np.diag([-1.0, -1.0, 2.5, 1.0]))
        with pytest.raises(CorrectionError, match="the image was moved since the correction began"):
            session.apply(click_at(grid, (6, 18, 18), INCLUDE))
        assert not session.mask.values.any()
        assert not session.clicks

    def test_undo_and_redo_of_nothing_are_refused_and_not_recorded(self, session_on):
        session = session_on()
        with pytest.raises(CorrectionError, match="nothing to undo"):
            session.undo()
        with pytest.raises(CorrectionError, match="nothing to redo"):
            session.redo()
        assert len(session.journal.events) == 1

    def test_corrector_that_fails_leaves_the_mask_alone(self, session_on, grid, truth):
        class Failing(OracleCorrector):
            def propose(self, *_arguments):
                raise ImageError("no memory is left.")

        session = session_on(truth | SPECK, Failing(truth))
        with pytest.raises(ImageError):
            session.apply_together([click_at(grid, (6, 18, 24)), click_at(grid, (10, 34, 35), EXCLUDE)])
        np.testing.assert_array_equal(session.mask.values, truth | SPECK)
        assert session.history.done == []


def test_real_network_goes_the_same_way():
    torch = pytest.importorskip("torch")
    from VSClickCorrectLib.inference.corrector import Corrector
    from VSClickCorrectLib.inference.device import prepare
    from VSClickCorrectLib.inference.model_entry import ModelEntry
    from VSClickCorrectLib.networks.registry import build

    geometry = {"size": 48, "pixel_mm": 0.6, "slices": 3, "slice_mm": 1.5, "click_map": True}
    parameters = {"in_channels": 12, "out_channels": 3, "channels": [4, 8, 8]}
    entry = ModelEntry("tiny", "corrector", "", "0" * 64, "attention_unet2d", parameters, geometry)
    torch.manual_seed(7)
    network = prepare(build(entry.network, **parameters), torch.device("cpu"))
    rng = np.random.default_rng(7)
    grid = Grid(SHAPE, np.diag([-1.0, -1.0, 2.0, 1.0]))
    case = Case(None, Volume(rng.normal(100, 20, SHAPE).astype(np.float32), grid))
    initial = with_blocks(SHAPE, ((4, 9), (12, 25), (12, 25)))
    clicks = [
        click_at(grid, (6, 18, 24)),
        click_at(grid, (6, 30, 18), INCLUDE),
        click_at(grid, (5, 14, 14), EXCLUDE),
    ]

    def played(merge):
        mask = ArrayMask(grid, initial)
        session = CorrectionSession(case, mask, Corrector(entry, network), merge=merge)
        session.apply(clicks[0])
        first = mask.values.copy()
        session.apply_together(clicks[1:])
        assert mask.values[6, 30, 18]
        assert not mask.values[5, 14, 14]
        session.undo()
        np.testing.assert_array_equal(mask.values, first)
        session.undo()
        np.testing.assert_array_equal(mask.values, initial)
        assert session.journal.events[1]["model"] == "tiny@000000000000"
        return first

    (proposal,) = Corrector(entry, network).propose(case, ArrayMask(grid, initial), clicks[:1])
    expected = initial.copy()
    expected[proposal.box.slices] = proposal.probability >= 0.5
    assert 0 < (expected != initial).sum() < initial.size
    np.testing.assert_array_equal(played("replace"), expected)
    np.testing.assert_array_equal(played("progressive"), played("progressive"))


def test_session_works_through_cuts_of_one_slice_too(session_on, grid, truth):
    session = session_on(corrector=BlockCorrector(truth, (0, 12, 12)))
    session.apply(click_at(grid, (6, 18, 24)))
    expected = np.zeros(SHAPE, bool)
    expected[6] = truth[6]
    np.testing.assert_array_equal(session.mask.values, expected)
