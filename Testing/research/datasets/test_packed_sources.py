"""Packed sources: what comes out is what went in, to the steps that it is kept in."""

from dataclasses import replace

import numpy as np
import pytest
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectResearch.datasets.cohort import Sources
from VSClickCorrectResearch.datasets.packed_sources import pack_sources, unpack_sources
from VSClickCorrectResearch.simulation.label_maps import LabelMap
from VSClickCorrectResearch.simulation.phantom import phantom_head
from VSClickCorrectResearch.simulation.shapes import procedural_shape


@pytest.fixture(scope="module")
def sources():
    rng = np.random.default_rng(0)
    head = phantom_head(rng, spacing=3.0)
    matter = rng.integers(0, 20, (6, 8, 10)).astype(np.uint8)
    label_map = LabelMap("seg_01", Grid(matter.shape, np.diag([-1.0, -1.0, 1.0, 1.0])), matter, head.canals)
    return Sources(
        [head], [replace(procedural_shape(rng, size), name=f"{size}") for size in (900.0, 60.0)], [label_map]
    )


@pytest.fixture(scope="module")
def unpacked(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed")
    pack_sources(sources, folder)
    return unpack_sources(folder)


def test_heads_are_the_same_to_one_step_of_255_where_boxes_reach(sources, unpacked):
    (before,), (after,) = sources.heads, unpacked.heads
    assert after.name == before.name
    assert after.canals == before.canals
    assert after.contrast == before.contrast
    assert np.array_equal(after.grid.affine, before.grid.affine)
    assert np.array_equal(after.tissue, before.tissue)
    canals = [point for canal in before.canals.values() for point in (canal.porus_ras, canal.fundus_ras)]
    place = np.indices(before.t1.shape).reshape(3, -1).T
    _, anterior, superior = np.abs(before.grid.index_to_ras(place) - np.mean(canals, axis=0)).T
    near = ((superior <= 80) & (anterior <= 95)).reshape(before.t1.shape)
    assert 0 < (~near).mean() < 0.5
    for ours, theirs in ((after.t1, before.t1), (after.t2, before.t2)):
        assert ours.dtype == np.float32
        assert np.abs(ours - np.minimum(theirs, 1))[near].max() <= 1 / 255
        assert np.abs((ours - np.minimum(theirs, 1))[near].mean()) < 0.2 / 255
        assert not ours[~near].any()


def test_label_maps_are_the_same(sources, unpacked):
    (before,), (after,) = sources.maps, unpacked.maps
    assert after.name == "seg_01"
    assert after.canals == before.canals
    assert np.array_equal(after.matter, before.matter)
    assert np.array_equal(after.grid.affine, before.grid.affine)


def test_shapes_are_the_same_to_a_64th_of_a_millimetre(sources, unpacked):
    before = sorted(sources.shapes, key=lambda shape: shape.name)
    assert [shape.name for shape in unpacked.shapes] == [shape.name for shape in before]
    for ours, theirs in zip(unpacked.shapes, before, strict=True):
        assert np.abs(ours.distance - theirs.distance).max() <= 1 / 64 + 1e-6
        assert (ours.tip, ours.volume_mm3) == (pytest.approx(theirs.tip), pytest.approx(theirs.volume_mm3))


def test_a_folder_that_holds_none_is_refused(tmp_path):
    with pytest.raises(ImageError, match="no packed sources; pack them again"):
        unpack_sources(tmp_path)
