from dataclasses import replace

import numpy as np
import pytest
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectResearch.simulation.acquisition import (
    DEMO_ACQUISITION,
    ORIENTATIONS,
    Acquisition,
    Region,
    random_acquisition,
)
from VSClickCorrectResearch.simulation.head import Tissue
from VSClickCorrectResearch.simulation.phantom import phantom_head
from VSClickCorrectResearch.simulation.shapes import (
    deformed,
    enclosed_volume,
    procedural_shape,
    random_volume,
)
from VSClickCorrectResearch.simulation.synthesis import SIDES, demo_case, small_case, synthesize

REGION = Region(None, (60.0, 60.0, 30.0))
SCAN = Acquisition((0.6, 0.6, 1.0), (360, 380, 190))


@pytest.fixture(scope="module")
def head():
    return phantom_head(np.random.default_rng(0), spacing=1.5)


def made(head, side="right", volume=1400.0, seed=1, acquisition=SCAN, region=REGION):
    rng = np.random.default_rng(seed)
    return synthesize(head, procedural_shape(rng, volume), side, rng, acquisition, region)


@pytest.mark.parametrize("volume", [43.0, 250.0, 637.0, 1408.0, 3222.0, 10785.0])
def test_procedural_shapes_have_the_volume_asked_for(volume):
    shape = procedural_shape(np.random.default_rng(int(volume)), volume)
    assert enclosed_volume(shape.distance, shape.spacing) == pytest.approx(volume, rel=0.02)
    inside = np.argwhere(shape.distance < 0)[:, ::-1] * shape.spacing
    assert shape.tip[0] > inside[:, 0].max() - 1.5
    border = np.ones(shape.distance.shape, bool)
    border[1:-1, 1:-1, 1:-1] = False
    assert shape.distance[border].min() > 0, "the shape must not be cut by its array"


def test_volumes_follow_the_cohort():
    rng = np.random.default_rng(0)
    volumes = np.array([random_volume(rng) for _ in range(4000)])
    assert np.percentile(volumes, (25, 50, 75)) == pytest.approx((637, 1408, 3222), rel=0.12)
    assert volumes.min() >= 43
    assert volumes.max() <= 10785


def test_a_deformed_shape_is_another_of_similar_volume():
    shape = procedural_shape(np.random.default_rng(5), 1500.0)
    varied = deformed(shape, np.random.default_rng(6))
    assert varied.volume_mm3 == pytest.approx(enclosed_volume(varied.distance, varied.spacing))
    assert 0.5 < varied.volume_mm3 / shape.volume_mm3 < 1.6
    assert varied.volume_mm3 != shape.volume_mm3
    inside = np.argwhere(varied.distance < 0)[:, ::-1] * varied.spacing
    assert abs(varied.tip[0] - inside[:, 0].max()) < 4


def test_the_same_seed_gives_the_same_case(head):
    one, two = made(head), made(head)
    for name in ("t1ce", "t2"):
        assert np.array_equal(getattr(one, name).array, getattr(two, name).array)
    assert np.array_equal(one.fraction, two.fraction)
    assert not np.array_equal(one.t1ce.array, made(head, seed=2).t1ce.array)


@pytest.mark.parametrize("volume", [300.0, 1400.0, 6000.0])
def test_the_truth_has_the_shapes_volume(head, volume):
    case = made(head, volume=volume)
    assert case.truth.sum() * case.grid.voxel_volume == pytest.approx(volume, rel=0.1)
    assert case.fraction.sum() * case.grid.voxel_volume == pytest.approx(volume, rel=0.05)
    assert np.array_equal(case.truth, case.fraction >= 0.5)


@pytest.mark.parametrize(("side", "sign"), [("right", 1), ("left", -1)])
def test_the_tumour_lies_on_its_side_and_reaches_into_the_canal(head, side, sign):
    case = made(head, side=side)
    ras = case.grid.index_to_ras(np.argwhere(case.truth))
    assert (sign * ras[:, 0] > 0).all()
    porus, fundus = (np.array(p) for p in (head.canals[side].porus_ras, head.canals[side].fundus_ras))
    line = porus + np.linspace(0, 1, 20)[:, None] * (fundus - porus)
    assert np.linalg.norm(ras[:, None] - line, axis=2).min() < 1.5
    assert np.linalg.norm(ras.mean(axis=0) - case.site_ras) < 1.5


@pytest.mark.parametrize("seed", range(6))
def test_the_tumour_enhances(head, seed):
    case = made(head, seed=seed, volume=2500.0)
    index = np.rint(
        head.grid.ras_to_ijk(case.grid.index_to_ras(np.indices(case.grid.shape).transpose(1, 2, 3, 0)))
    )
    i, j, k = np.moveaxis(index.astype(int), -1, 0)
    brain = (head.tissue[k, j, i] == Tissue.BRAIN) & (case.fraction == 0)
    assert np.percentile(case.t1ce.array[case.truth], 75) > 1.1 * np.median(case.t1ce.array[brain])


def test_sequences_share_one_grid_and_hold_scanner_like_integers(head):
    case = made(head)
    assert case.t1ce.grid is case.t2.grid is case.case.grid
    assert case.t1ce.array.dtype == case.t2.array.dtype == np.int16
    assert case.t1ce.array.min() >= 0
    assert case.truth.shape == case.grid.shape


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_any_orientation_shows_the_same_tumour(head, orientation):
    tilted = replace(SCAN, orientation=orientation, angles_deg=(8.0, -5.0, 4.0), matrix=(380, 380, 300))
    case = made(head, acquisition=tilted)
    assert np.abs(case.grid.affine[:3, :3]).min() > 0.01, "the grid is oblique"
    assert case.truth.sum() * case.grid.voxel_volume == pytest.approx(1400, rel=0.1)
    assert case.site_ras == pytest.approx(made(head).site_ras)


def test_a_region_is_a_part_of_the_full_grid(head):
    full = SCAN.grid((0, 0, 0))
    part = SCAN.grid((0, 0, 0), Region((10.0, 5.0, 0.0), (30.0, 40.0, 20.0)))
    corner = full.ras_to_ijk(part.index_to_ras((0, 0, 0)))
    assert corner == pytest.approx(np.rint(corner), abs=1e-6)
    assert np.array(part.shape[::-1]) * part.spacing == pytest.approx((30, 40, 20), abs=1.3)


def test_a_coarse_whole_head_keeps_the_tumours_volume(head):
    coarse = Acquisition((3.0, 3.0, 3.0), (64, 76, 66))
    case = made(head, volume=3000.0, acquisition=coarse, region=None)
    assert case.fraction.sum() * case.grid.voxel_volume == pytest.approx(3000, rel=0.05)


def test_a_head_without_tumour_and_without_contrast(head):
    plain = replace(head, contrast=False)
    case = synthesize(plain, None, "left", np.random.default_rng(0), SCAN, REGION)
    assert not case.truth.any()
    assert case.site_ras is None


def test_heads_are_not_changed(head):
    before = head.t1.copy(), head.t2.copy()
    synthesize(replace(head, contrast=False), None, "right", np.random.default_rng(0), SCAN, REGION)
    assert np.array_equal(head.t1, before[0])
    assert np.array_equal(head.t2, before[1])


def test_what_cannot_be_rendered_is_refused(head):
    with pytest.raises(ImageError, match="side"):
        made(head, side="middle")
    with pytest.raises(ImageError, match="region"):
        made(head, region=Region((900.0, 0.0, 0.0), (20.0, 20.0, 20.0)))


def test_random_acquisitions_are_routine_scans():
    rng = np.random.default_rng(0)
    for _ in range(50):
        acquisition = random_acquisition(rng)
        assert 0.4 <= acquisition.spacing[0] <= 0.8
        assert 1.0 <= acquisition.spacing[2] <= 3.0
        assert np.abs(acquisition.angles_deg).max() <= 10
        assert 300 <= acquisition.scale <= 4000


def test_the_demo_case_covers_the_head():
    case = demo_case(seed=0)
    assert case.grid.shape == DEMO_ACQUISITION.matrix[::-1]
    assert case.truth.sum() * case.grid.voxel_volume == pytest.approx(1500, rel=0.1)
    assert case.side in SIDES


@pytest.mark.parametrize("side", SIDES)
def test_the_small_case_is_small(side):
    case = small_case(seed=1, side=side)
    assert case.truth.any()
    assert np.prod(case.grid.shape) < 300_000
    assert np.array_equal(case.t1ce.array, small_case(seed=1, side=side).t1ce.array)
