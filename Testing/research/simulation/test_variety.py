"""What is seldom is as frequent as what is usual."""

from dataclasses import replace

import numpy as np
import pytest
from VSClickCorrectLib.geometry.volume import robust_range
from VSClickCorrectResearch.simulation import variety as simulation
from VSClickCorrectResearch.simulation.acquisition import DEMO_ACQUISITION, Region
from VSClickCorrectResearch.simulation.phantom import phantom_head
from VSClickCorrectResearch.simulation.shapes import enclosed_volume, procedural_shape
from VSClickCorrectResearch.simulation.synthesis import synthesize
from VSClickCorrectResearch.simulation.variety import (
    SIZE_CLASSES,
    Variety,
    balanced_shape,
    balanced_volume,
    scaled,
    varied_acquisition,
)


@pytest.fixture(scope="module")
def head():
    return phantom_head(np.random.default_rng(3), spacing=2.0)


def test_each_class_of_size_is_a_fifth():
    rng = np.random.default_rng(0)
    volumes = np.array([balanced_volume(rng) for _ in range(5000)])
    for low, high in SIZE_CLASSES:
        share = ((volumes >= low) & (volumes < high)).mean()
        assert share == pytest.approx(0.2, abs=0.02)
    assert volumes.max() <= 11_000
    assert volumes.min() >= 40


def test_scaling_a_shape_scales_its_volume_by_the_cube():
    shape = procedural_shape(np.random.default_rng(1), 1000.0)
    large = scaled(shape, 1.2)
    assert large.volume_mm3 == pytest.approx(1728.0)
    assert enclosed_volume(large.distance, large.spacing) == pytest.approx(1728.0, rel=1e-3)
    np.testing.assert_allclose(large.tip, np.array(shape.tip) * 1.2)


def test_shapes_without_a_neighbour_in_size_are_procedural():
    small = [procedural_shape(np.random.default_rng(n), 60.0) for n in range(2)]
    rng = np.random.default_rng(5)
    shapes = [balanced_shape(rng, small) for _ in range(40)]
    assert max(s.volume_mm3 for s in shapes) > 4000
    assert all(s.name == "procedural" for s in shapes if s.volume_mm3 > 400)


def test_acquisitions_reach_thick_slices_and_all_planes():
    rng = np.random.default_rng(0)
    made = [varied_acquisition(rng) for _ in range(300)]
    thickness = np.array([a.spacing[2] for a in made])
    assert thickness.min() < 1.0
    assert thickness.max() > 6.0
    assert (thickness > 3.0).mean() == pytest.approx(0.3, abs=0.08)
    assert {a.orientation for a in made} == {"axial", "coronal", "sagittal"}
    # Whatever the slices, the field of view holds a head.
    assert all(n * s >= 180 for a in made for n, s in zip(a.matrix, a.spacing, strict=True))


def test_a_second_tumour_lies_on_the_other_side_and_is_true_too(head):
    shape, second = (procedural_shape(np.random.default_rng(n), v) for n, v in ((1, 1500.0), (2, 800.0)))
    acquisition = replace(DEMO_ACQUISITION, angles_deg=(0.0, 0.0, 0.0))
    case = synthesize(
        head, shape, "right", np.random.default_rng(0), acquisition, variety=Variety(second=second)
    )
    rows = case.grid.index_to_ras(np.argwhere(case.truth))[:, 0]
    voxel = float(np.prod(case.grid.spacing))
    middle = np.mean([head.canals[side].porus_ras[0] for side in ("right", "left")])
    assert (rows > middle).sum() * voxel == pytest.approx(1500, rel=0.06)
    assert (rows < middle).sum() * voxel == pytest.approx(800, rel=0.06)


@pytest.mark.parametrize(("other_side", "tumours", "meningiomas"), [(False, 0.06, 0.1), (True, 0.45, 0.44)])
def test_the_other_side_seldom_holds_something_and_often_where_that_is_to_be_learnt(
    other_side, tumours, meningiomas, monkeypatch
):
    monkeypatch.setattr(simulation, "balanced_shape", lambda rng, shapes: shapes[0])
    rng, shape = np.random.default_rng(5), procedural_shape(np.random.default_rng(1), 800.0)
    made = [Variety.drawn(rng, [shape], other_side) for _ in range(2000)]
    assert np.mean([one.second is shape for one in made]) == pytest.approx(tumours, abs=0.02)
    assert np.mean([one.meningioma for one in made]) == pytest.approx(meningiomas, abs=0.02)


def test_variety_leaves_the_geometry_and_the_label_as_they_are(head):
    shape = procedural_shape(np.random.default_rng(1), 1500.0)
    region = Region(None, (60.0, 60.0, 40.0))
    cases = [
        synthesize(head, shape, "left", np.random.default_rng(7), DEMO_ACQUISITION, region, variety)
        for variety in (None, Variety())
    ]
    assert cases[0].grid.matches(cases[1].grid)
    np.testing.assert_array_equal(cases[0].truth, cases[1].truth)
    assert all(np.ptp(robust_range(case.t1ce.array)) > 0 for case in cases)


def test_a_meningioma_brightens_the_angle_of_the_other_side_and_is_no_tumour(head):
    shape, region = procedural_shape(np.random.default_rng(1), 800.0), Region(None, (140.0, 80.0, 50.0))
    acquisition = replace(DEMO_ACQUISITION, angles_deg=(0.0, 0.0, 0.0))
    behind = np.array(head.canals["left"].porus_ras) + (-4, -14, 2)
    brightness = {}
    for chance in (0.0, 1.0):
        cases = [
            synthesize(
                head, shape, "right", np.random.default_rng(n), acquisition, region, Variety(None, chance)
            )
            for n in range(4)
        ]
        assert all(case.truth.any() and not case.truth[near(case, behind)].any() for case in cases)
        brightness[chance] = [
            case.t1ce.array[near(case, behind)].mean() / case.t1ce.array.max() for case in cases
        ]
    assert np.mean(brightness[1.0]) > 1.5 * np.mean(brightness[0.0])


def near(case, place):
    """Return which voxels lie within 3 mm of a place."""
    voxels = np.argwhere(np.ones(case.grid.shape, bool))
    away = np.linalg.norm(case.grid.index_to_ras(voxels) - place, axis=1)
    return (away <= 3).reshape(case.grid.shape)
