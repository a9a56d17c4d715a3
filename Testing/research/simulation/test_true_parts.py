"""Classes of synthetic cases against the geometry that they were made of."""

from dataclasses import replace

import numpy as np
import pytest
from any_grid import all_ras
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.jobs.cases import ThisProcess
from VSClickCorrectLib.measure.tumour_parts import PARTS
from VSClickCorrectResearch.datasets import cohort
from VSClickCorrectResearch.datasets.class_cases import list_class_cases
from VSClickCorrectResearch.simulation.acquisition import DEMO_ACQUISITION, Region
from VSClickCorrectResearch.simulation.head import Tissue
from VSClickCorrectResearch.simulation.inner_ear import MEASURED_PLACE
from VSClickCorrectResearch.simulation.phantom import phantom_head
from VSClickCorrectResearch.simulation.porus import porus_normal
from VSClickCorrectResearch.simulation.shapes import procedural_shape
from VSClickCorrectResearch.simulation.synthesis import synthesize
from VSClickCorrectResearch.simulation.true_parts import true_parts


@pytest.fixture(scope="module")
def head():
    return phantom_head(np.random.default_rng(3), 1.5, MEASURED_PLACE)


def made(head, side):
    rng = np.random.default_rng(4)
    acquisition = replace(DEMO_ACQUISITION, matrix=(280, 280, 120))
    shape = procedural_shape(np.random.default_rng(5), 1500.0)
    return synthesize(head, shape, side, rng, acquisition, Region(None, (84.0, 70.0, 36.0)))


@pytest.mark.parametrize("side", ["right", "left"])
def test_parts_meet_in_the_porus_and_the_cochlea_is_fluid_in_the_bone(head, side):
    case = made(head, side)
    classes, ras = true_parts(head, case.grid, case.truth), all_ras(case.grid)
    np.testing.assert_array_equal(np.isin(classes, (1, 2)), case.truth)
    depth = (ras - head.canals[side].porus_ras) @ np.array(porus_normal(side))
    assert (depth[classes == 1] <= 0).all()
    assert (depth[classes == 2] > 0).all()
    assert np.count_nonzero(classes == 1) > 20
    cochlea = head.cochleas[side]
    volume = 4 / 3 * np.pi * np.prod(cochlea.radii)
    assert np.count_nonzero(classes == 3) * case.grid.voxel_volume == pytest.approx(volume, rel=0.2)
    np.testing.assert_allclose(ras[classes == 3].mean(axis=0), cochlea.center_ras, atol=0.4)
    index = head.grid.ras_to_index(cochlea.center_ras)
    assert head.tissue[index] == Tissue.CSF
    # Beside the fundus, where contours of patients have it.
    way = (np.array(cochlea.center_ras) - head.canals[side].fundus_ras) * (1 if side == "right" else -1, 1, 1)
    np.testing.assert_allclose(way, MEASURED_PLACE, atol=0.5)


def test_other_heads_are_as_they_were():
    assert phantom_head(np.random.default_rng(3), 3.0).cochleas["right"].center_ras[0] == pytest.approx(
        phantom_head(np.random.default_rng(3), 3.0, (3.5, 3.5, -1.0)).cochleas["right"].center_ras[0]
    )


def test_cohorts_are_written_with_classes_that_can_be_learnt_from(monkeypatch, tmp_path):
    coarse = phantom_head
    monkeypatch.setattr(cohort, "phantom_head", lambda rng, place: coarse(rng, 2.5, place))
    monkeypatch.setattr(cohort, "load_heads", lambda *_: [coarse(np.random.default_rng(0), 3.0)])
    monkeypatch.setattr(cohort, "load_label_maps", lambda *_: [])
    monkeypatch.setattr(cohort, "read_shapes", lambda *_: [procedural_shape(np.random.default_rng(1), 900.0)])
    (tmp_path / "data").mkdir()
    recipe = cohort.CohortRecipe("training", "region", 2, 1, classes=True)
    cohort.write_cohort(tmp_path / "out", recipe, tmp_path / "data", ThisProcess())
    for case in list_class_cases(tmp_path / "out", ("t1ce", "t2"), PARTS):
        loaded = case.load()
        assert loaded.labels.shape == loaded.grid.shape
        assert set(np.unique(loaded.labels)) >= {0, 3}
    assert {one.load().kind for one in cohort.list_cohort(tmp_path / "out")} == {"phantom"}
    with pytest.raises(ImageError, match="has the sequences t1ce and t2, not flair"):
        list_class_cases(tmp_path / "out", ("flair",), PARTS)
    with pytest.raises(ImageError, match="has the classes intrameatal, extrameatal, cochlea, not a"):
        list_class_cases(tmp_path / "out", ("t1ce",), ("a",))
