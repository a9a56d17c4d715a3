"""Merges: what a round of clicks may change, and what stays."""

from functools import reduce
from itertools import permutations

import numpy as np
import pytest
from any_grid import all_ras, grids
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import slice_border
from VSClickCorrectLib.clicks.merging import (
    BLEND_MM,
    LOCAL_MM,
    MERGES,
    REACH_MM,
    Proposal,
    merge_blend,
    merge_named,
    merge_progressive,
    merge_replace,
)
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.resampling import ROUNDING_MM

BOUNDARY, INCLUDE, EXCLUDE = ClickKind.BOUNDARY, ClickKind.INCLUDE, ClickKind.EXCLUDE
# A single row of twenty voxels, one millimetre apart: voxel i lies at R = i.
ROW = Grid((1, 1, 20), np.eye(4))


def row(text):
    """Read a row of voxels written as '..##..'."""
    return np.array([[[c == "#" for c in text]]])


def written(mask):
    return "".join("#" if v else "." for v in mask.ravel())


def proposal(text, at, kind=BOUNDARY, first=0, sure=1.0):
    """Return the proposal of a click at voxel ``at`` for the voxels from ``first`` on."""
    values = row(text)
    box = Box((0, 0, first), (1, 1, first + values.size))
    probability = np.where(values, 0.5 + sure / 2, 0.5 - sure / 2).astype(np.float32)
    return Proposal(Click((float(at), 0.0, 0.0), kind), box, probability)


def merged(merge, current, *proposals):
    return written(merge(ROW, ROW.box, row(current), list(proposals)))


@st.composite
def rounds(draw, kinds=(BOUNDARY, INCLUDE, EXCLUDE), most=3):
    """A grid, a mask and the proposals of one to three clicks."""
    grid = draw(grids(sides=st.integers(4, 8), spacings=st.floats(0.4, 2.0)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    proposals = []
    for _ in range(draw(st.integers(1, most))):
        index = [int(rng.integers(n)) for n in grid.shape]
        box = Box.of_voxel(tuple(index)).padded(tuple(map(int, rng.integers(0, 4, 3)))).clipped(grid.shape)
        ras = tuple(
            grid.affine[:3, :3] @ (np.array(index)[::-1] + rng.uniform(-0.5, 0.5, 3)) + grid.affine[:3, 3]
        )
        probability = rng.random(box.shape).astype(np.float32)
        proposals.append(
            Proposal(Click(ras, draw(st.sampled_from(kinds))), box, probability, rng.uniform(0.3, 0.7))
        )
    return grid, rng.random(grid.shape) < rng.random(), proposals


def inside(grid, proposals):
    mask = np.zeros(grid.shape, bool)
    for p in proposals:
        mask[p.box.slices] = True
    return mask


def test_proposed_mask_starts_at_the_threshold():
    p = Proposal(
        Click((0, 0, 0)), Box((0, 0, 0), (1, 1, 3)), np.array([[[0.39, 0.4, 0.41]]], np.float32), 0.4
    )
    assert p.values.tolist() == [[[False, True, True]]]


def test_replace_writes_the_later_cut_over_the_earlier():
    first, second = proposal("####", at=3), proposal("....", at=5, first=2)
    assert merged(merge_replace, "..........#.........", first, second) == "##........#........."
    assert merged(merge_replace, "..........#.........", second, first) == "####......#........."


@given(rounds())
def test_replace_is_the_thesiss_algorithm_2(case):
    grid, current, proposals = case
    expected = current.copy()
    for p in proposals:
        for offset, probability in np.ndenumerate(p.probability):
            voxel = tuple(a + o for a, o in zip(p.box.start, offset, strict=True))
            expected[voxel] = probability >= p.threshold
    assert np.array_equal(merge_replace(grid, grid.box, current, proposals), expected)


def test_blend_of_one_proposal_is_that_proposal():
    assert (
        merged(merge_blend, "....................", proposal(".##.#", at=3, first=1))
        == "..##.#.............."
    )


def test_blend_believes_the_click_that_is_nearer():
    yes, no = proposal("####################", at=2), proposal("....................", at=15)
    # The middle between the clicks is 8.5.
    assert merged(merge_blend, "....................", yes, no) == "#########..........."


def test_blend_lets_a_sure_proposal_outweigh_a_nearer_unsure_one():
    yes = proposal("####################", at=2, sure=1.0)
    no = proposal("....................", at=15, sure=0.1)
    # exp(-2 (d² - (13 - d)²) / 14.4²) = 0.1 at d = 15.68: voxel 17 is d = 15 from the sure click.
    assert merged(merge_blend, "....................", yes, no) == "##################.."


def test_weight_of_a_proposal_falls_to_one_over_e_squared_at_half_a_cut():
    assert pytest.approx(48 * 0.6 / 2) == BLEND_MM
    grid = Grid((1, 1, 2), np.diag([BLEND_MM, 1.0, 1.0, 1.0]))

    def both(doubt):
        near = Proposal(Click((0, 0, 0)), grid.box, np.full((1, 1, 2), 0.5 - doubt, np.float32))
        far = Proposal(Click((BLEND_MM, 0, 0)), grid.box, np.full((1, 1, 2), 1.0, np.float32))
        return bool(merge_blend(grid, grid.box, np.zeros((1, 1, 2), bool), [near, far])[0, 0, 0])

    weight = 0.5 * np.exp(-2)
    assert both(weight * 0.99)
    assert not both(weight * 1.01)


@given(rounds())
def test_blend_is_the_weighted_mean_of_an_explicit_loop(case):
    grid, current, proposals = case
    ras = all_ras(grid)
    result = merge_blend(grid, grid.box, current, proposals)
    for voxel in np.ndindex(grid.shape):
        votes = []
        for p in proposals:
            offset = tuple(v - a for v, a in zip(voxel, p.box.start, strict=True))
            if min(offset) >= 0 and all(o < n for o, n in zip(offset, p.box.shape, strict=True)):
                weight = np.exp(-2 * np.sum((ras[voxel] - p.click.position_ras) ** 2) / 14.4**2)
                votes.append(weight * (p.probability[offset] - p.threshold))
        if not votes:
            assert result[voxel] == current[voxel]
        elif abs(sum(votes)) > 1e-5:
            assert result[voxel] == (sum(votes) >= 0)


@pytest.mark.parametrize("name", ["blend", "progressive"])
@given(case=rounds())
def test_order_of_the_clicks_does_not_matter(name, case):
    grid, current, proposals = case
    results = [MERGES[name](grid, grid.box, current, list(order)) for order in permutations(proposals)]
    assert all(np.array_equal(result, results[0]) for result in results)


@pytest.mark.parametrize("name", MERGES)
@given(case=rounds())
def test_voxels_outside_the_proposals_boxes_stay(name, case):
    grid, current, proposals = case
    before = current.copy()
    result = MERGES[name](grid, grid.box, current, proposals)
    assert result.dtype == bool
    assert result.shape == current.shape
    assert not ((result != current) & ~inside(grid, proposals)).any()
    assert np.array_equal(current, before), "the mask that was handed in is not written to"


@pytest.mark.parametrize("name", MERGES)
@given(case=rounds())
def test_merging_part_of_the_grid_gives_that_part_of_the_whole(name, case):
    grid, current, proposals = case
    box = reduce(Box.union, (p.box for p in proposals))
    whole = MERGES[name](grid, grid.box, current, proposals)
    assert np.array_equal(MERGES[name](grid, box, current[box.slices], proposals), whole[box.slices])


def test_progressive_changes_only_the_regions_that_reach_the_click():
    # The network would shift both ends and drop the island; the click is at the left end.
    current = "....######....##...."
    network = "..######............"
    assert merged(merge_progressive, current, proposal(network, at=3)) == "..########....##...."


def test_progressive_takes_a_change_that_begins_two_millimetres_away_and_no_further():
    assert REACH_MM == 2.0
    network = "....####............"
    assert merged(merge_progressive, "." * 20, proposal(network, at=2)) == network
    assert merged(merge_progressive, "." * 20, proposal(network, at=1.9)) == "." * 20


def test_progressive_makes_a_change_that_touches_only_across_a_corner():
    grid = Grid((1, 4, 4), np.eye(4))
    wanted = np.eye(4, dtype=bool)[None]
    p = Proposal(Click((0.0, 0.0, 0.0)), grid.box, wanted.astype(np.float32))
    assert np.array_equal(merge_progressive(grid, grid.box, np.zeros((1, 4, 4), bool), [p]), wanted)


def test_include_click_leaves_what_the_network_would_remove():
    current, network = "...####.............", "......####.........."
    assert merged(merge_progressive, current, proposal(network, at=6, kind=INCLUDE)) == "...#######.........."


def test_exclude_click_leaves_what_the_network_would_add():
    current, network = "...####.............", ".....#####.........."
    assert merged(merge_progressive, current, proposal(network, at=5, kind=EXCLUDE)) == ".....##............."


def test_each_click_brings_its_own_change_where_cuts_overlap():
    include = proposal("####......", at=1, kind=INCLUDE)
    exclude = proposal("..........", at=13, kind=EXCLUDE, first=8)
    assert merged(merge_progressive, "....##......##......", include, exclude) == "######.............."


@given(rounds(kinds=(INCLUDE,)))
def test_include_clicks_only_add(case):
    grid, current, proposals = case
    assert (merge_progressive(grid, grid.box, current, proposals) >= current).all()


@given(rounds(kinds=(EXCLUDE,)))
def test_exclude_clicks_only_remove(case):
    grid, current, proposals = case
    assert (merge_progressive(grid, grid.box, current, proposals) <= current).all()


def blend(grid, proposals):
    """What clicks say of each voxel beyond their thresholds, the nearest most; 0 where none says anything."""
    total = np.zeros((2, *grid.shape))
    for p in proposals:
        away = np.linalg.norm(all_ras(grid) - p.click.position_ras, axis=-1)[p.box.slices]
        weight = np.exp(-2 * (away / BLEND_MM) ** 2)
        total[(slice(None), *p.box.slices)] += weight * (p.probability - p.threshold), weight
    return np.divide(total[0], total[1], out=np.zeros(grid.shape), where=total[1] > 0)


def size_of(grid, mask):
    """How many times as large as a circle of 4 mm radius the mask is in its largest slice."""
    across = grid.slice_order().axes[0]
    sides = np.delete(grid.spacing[::-1], across)
    return max(np.sqrt(m.sum() * sides.prod() / np.pi) / 4 for m in np.moveaxis(mask, across, 0))


def thick(wish, spacing):
    """Voxels in a ball 2.1 mm wide that is wished for whole; beyond the box it goes on as at its face."""
    padded = np.pad(wish, 1, mode="edge")
    places = np.moveaxis(np.indices(padded.shape), 0, -1).reshape(-1, 3) * spacing[::-1]
    near = np.linalg.norm(places[:, None] - places[None], axis=-1) <= 1.05
    core = np.array([padded.ravel()[balls].all() for balls in near])
    return wish & np.array([core[balls].any() for balls in near]).reshape(padded.shape)[1:-1, 1:-1, 1:-1]


def test_an_exclude_click_does_not_shave_the_border_a_centimetre_away():
    # The network takes away a bump of 6 mm at the click, and two voxels all along the border.
    grid = Grid((7, 40, 40), np.eye(4))
    mask = np.zeros(grid.shape, bool)
    mask[:, 10:30, 10:30] = mask[:, 17:23, 30:36] = True
    proposed = np.zeros(grid.shape, np.float32)
    proposed[:, 12:28, 12:28] = 1.0
    click = Click((33.0, 20.0, 3.0), EXCLUDE)
    result = merge_progressive(grid, grid.box, mask, [Proposal(click, grid.box, proposed)])
    assert not result[:, 17:23, 30:36].any()
    far = np.linalg.norm(all_ras(grid) - click.position_ras, axis=-1) > 5.0
    far[:, 15:25, 26:] = False
    assert np.array_equal(result[far], mask[far])
    # A boundary click says where the border is: it may move all of it, where the network is certain.
    moved = merge_progressive(grid, grid.box, mask, [Proposal(Click((30.0, 20.0, 3.0)), grid.box, proposed)])
    assert np.array_equal(moved, proposed > 0.5)


@given(rounds())
def test_every_region_that_changes_comes_within_reach_of_a_click_whose_cut_holds_it(case):
    grid, current, proposals = case
    ras = all_ras(grid)
    explained = np.zeros(grid.shape, bool)
    changed = merge_progressive(grid, grid.box, current, proposals) != current
    blended = merge_blend(grid, grid.box, current, proposals)
    assert np.array_equal((blended != current) & changed, changed)
    for p in proposals:
        wish = np.zeros(grid.shape, bool)
        wish[p.box.slices] = (blended != current)[p.box.slices]
        away = np.linalg.norm(ras - p.click.position_ras, axis=-1)
        if p.click.kind is BOUNDARY:
            across = grid.slice_order().axes[0]
            border = np.zeros(grid.shape, bool)
            border[p.box.slices] = slice_border(current[p.box.slices], across)
            here = grid.ras_to_index(p.click.position_ras)[across]
            off = np.take(away, here, across)[np.take(border, here, across)].min(initial=np.inf)
            around = 1 + 2 * size_of(grid, current[p.box.slices]) * off**2 if np.isfinite(off) else np.inf
            # What is farther by a rounding is near, too.
            around += ROUNDING_MM
            said = blend(grid, proposals)
            certain = (said >= 0.8 * (1 - p.threshold)) | (said <= -0.8 * p.threshold)
            if (abs(away - around) < 1e-4).any():
                return
            wish &= (away <= around) | certain
        else:
            wish &= blended if p.click.kind is INCLUDE else ~blended
            if (abs(away - LOCAL_MM) < 1e-4).any():
                return
            inside = wish[p.box.slices]
            wish[p.box.slices] &= (away[p.box.slices] <= LOCAL_MM) | thick(inside, grid.spacing)
        regions, count = ndimage.label(wish, np.ones((3, 3, 3)))
        for n in range(1, count + 1):
            nearest = np.linalg.norm(ras[regions == n] - p.click.position_ras, axis=-1).min()
            if abs(nearest - REACH_MM) < 1e-4:
                return
            if nearest <= REACH_MM:
                explained |= regions == n
    assert np.array_equal(changed, explained)


@pytest.mark.parametrize("name", MERGES)
@given(case=rounds())
def test_proposing_the_mask_as_it_is_changes_nothing(name, case):
    grid, current, proposals = case
    same = [Proposal(p.click, p.box, current[p.box.slices].astype(np.float32)) for p in proposals]
    assert np.array_equal(MERGES[name](grid, grid.box, current, same), current)


def test_merges_are_found_by_name():
    assert merge_named("replace") is merge_replace
    assert merge_named("blend") is merge_blend
    assert merge_named("progressive") is merge_progressive


def test_unknown_merge_is_refused_with_the_names_there_are():
    with pytest.raises(
        CorrectionError, match="'newest' is no merge; choose one of progressive, blend, replace"
    ):
        merge_named("newest")
