"""Heads: made ones for the machinery, the real ones where the data folder is there."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectResearch.simulation import heads
from VSClickCorrectResearch.simulation.head import Tissue

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not (DATA / "heads").is_dir(), reason="../shared/data is absent")


def write(path, array, origin=(0.0, 0.0, 0.0), spacing=(1.0, 1.0, 1.0)):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array.astype(np.float32))
    image.SetOrigin(origin)
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))


def ball(shape, center, radius):
    return np.linalg.norm(np.moveaxis(np.indices(shape), 0, -1) - center, axis=-1) < radius


@pytest.fixture
def stripped_folder(tmp_path):
    """A brain of 15 mm radius with a ventricle, cut out of its head, in place of the stroke head's files."""
    shape = (40, 44, 48)
    brain, ventricle = ball(shape, (20, 22, 24), 15), ball(shape, (20, 22, 24), 4)
    folder = tmp_path / "heads" / "rorden-stroke"
    write(folder / "T1.nii.gz", np.where(ventricle, 20, np.where(brain, 100, 0)), (-24.0, -22.0, -35.0))
    write(folder / "T2.nii.gz", np.where(ventricle, 300, np.where(brain, 80, 0)), (-24.0, -22.0, -35.0))
    return tmp_path


def test_a_stripped_head_is_brain_and_fluid(stripped_folder):
    (head,) = heads.load_heads(stripped_folder)
    assert head.name == "rorden-stroke"
    assert set(np.unique(head.tissue)) == {Tissue.BACKGROUND, Tissue.CSF, Tissue.BRAIN}
    assert (head.tissue == Tissue.CSF).sum() == pytest.approx(4 / 3 * np.pi * 4**3, rel=0.15)
    assert head.tissue[head.grid.ras_to_index((0, 0, -15))] == Tissue.CSF
    assert head.t2[head.grid.ras_to_index((0, 0, -15))] > head.t2[head.grid.ras_to_index((0, 10, -15))]


def test_a_prepared_head_is_kept(stripped_folder, tmp_path):
    cache = tmp_path / "new" / "cache"
    first = heads.load_head("rorden-stroke", stripped_folder, cache)
    (stripped_folder / "heads/rorden-stroke/T1.nii.gz").unlink()
    again = heads.load_head("rorden-stroke", stripped_folder, cache)
    assert again.grid.matches(first.grid)
    assert again.canals == first.canals
    assert again.contrast is first.contrast
    for a, b in ((first.t1, again.t1), (first.t2, again.t2), (first.tissue, again.tissue)):
        np.testing.assert_array_equal(a, b)


def test_a_head_whose_file_is_another_is_prepared_anew(stripped_folder, tmp_path):
    cache, t2 = tmp_path / "cache", stripped_folder / "heads/rorden-stroke/T2.nii.gz"
    first = heads.load_head("rorden-stroke", stripped_folder, cache)
    fluid = first.grid.ras_to_index((0, 0, -15))
    assert first.tissue[fluid] == Tissue.CSF
    # Fetched again: the ventricle is as dark as the brain.
    image = sitk.ReadImage(str(t2))
    sitk.WriteImage(sitk.Minimum(image, 80.0), str(t2))
    again = heads.load_head("rorden-stroke", stripped_folder, cache)
    assert again.t2[fluid] == again.t2[again.grid.ras_to_index((0, 10, -15))]
    assert first.t2[fluid] > first.t2[first.grid.ras_to_index((0, 10, -15))]


def test_a_whole_head_is_told_apart_by_layers(tmp_path):
    """Scalp, skull, CSF and brain as nested balls, in place of hanke's file."""
    shape, center = (90, 90, 90), (45, 45, 45)
    layers = np.zeros(shape)
    for radius, value in ((42, 90), (36, 3), (29, 16), (27, 70)):
        layers[ball(shape, center, radius)] = value
    noise = np.random.default_rng(0).normal(0, 1, shape)
    write(tmp_path / "heads/hanke/T1.nii.gz", np.maximum(layers + noise, 0), (-45.0, -45.0, -80.0))
    head = heads.load_head("hanke", tmp_path)
    names = {r: Tissue(head.tissue[head.grid.ras_to_index((r, 0, -35))]) for r in (0, 28, 33, 39)}
    assert names == {0: Tissue.BRAIN, 28: Tissue.CSF, 33: Tissue.BONE, 39: Tissue.SOFT}
    fluid, brain = (np.median(head.t2[head.tissue == t]) for t in (Tissue.CSF, Tissue.BRAIN))
    assert fluid > 1.5 * brain


@pytest.fixture
def fluid_folder(tmp_path):
    """A whole head as nested balls: scalp, skull, CSF, brain; T2 alone, and T1 with a T2 on thick slices."""
    shape, center = (90, 90, 90), (45, 45, 45)
    noise = np.random.default_rng(0).normal(0, 1, shape)
    t1, t2 = np.zeros(shape), np.zeros(shape)
    for radius, one, two in ((42, 90, 40), (36, 3, 3), (29, 16, 100), (26, 60, 30)):
        t1[ball(shape, center, radius)], t2[ball(shape, center, radius)] = one, two
    t1, t2 = (np.maximum(image + noise, 0) for image in (t1, t2))
    write(tmp_path / "heads/t2lesion/T2.nii.gz", t2, (-45.0, -45.0, -80.0 - 45))
    write(tmp_path / "heads/open-ms-04/T1.nii.gz", t1, (-45.0, -45.0, -80.0))
    # The T2 has slices of 3 mm and ends 9 mm below the T1's top.
    write(tmp_path / "heads/open-ms-04/T2.nii.gz", t2[1:82:3], (-45.0, -45.0, -79.0), (1.0, 1.0, 3.0))
    return tmp_path


LAYERS = {0: Tissue.BRAIN, 27: Tissue.CSF, 33: Tissue.BONE, 39: Tissue.SOFT}


def test_a_head_of_t2_alone_gets_a_t1_of_the_other_contrast(fluid_folder):
    head = heads.load_head("t2lesion", fluid_folder)
    assert {r: Tissue(head.tissue[head.grid.ras_to_index((r, 0, -80))]) for r in LAYERS} == LAYERS
    fluid, brain, bone = (head.tissue == t for t in (Tissue.CSF, Tissue.BRAIN, Tissue.BONE))
    assert np.median(head.t2[fluid]) > 2 * np.median(head.t2[brain])
    assert np.median(head.t1[brain]) > 2 * np.median(head.t1[fluid]) > 2 * np.median(head.t1[bone])


def test_sequences_on_grids_of_their_own_are_laid_onto_what_both_show(fluid_folder):
    head = heads.load_head("open-ms-04", fluid_folder)
    assert {r: Tissue(head.tissue[head.grid.ras_to_index((r, 0, -35))]) for r in LAYERS} == LAYERS
    top = head.grid.index_to_ras((head.grid.shape[0] - 1, 0, 0))[2]
    assert top == pytest.approx(-1, abs=1.01)
    # What is fluid by T2 is dark in T1: the two lie on each other.
    fluid, brain = (head.tissue == t for t in (Tissue.CSF, Tissue.BRAIN))
    assert np.median(head.t2[fluid]) > 1.5 * np.median(head.t2[brain])
    assert np.median(head.t1[fluid]) < 0.6 * np.median(head.t1[brain])


def test_missing_heads_are_refused_in_words(tmp_path):
    with pytest.raises(ImageError, match="no known head"):
        heads.load_heads(tmp_path)
    with pytest.raises(ImageError, match="missing"):
        heads.load_head("hanke", tmp_path)
    with pytest.raises(ImageError, match="'nobody'"):
        heads.load_head("nobody", tmp_path)


def test_an_empty_image_is_refused_in_words(tmp_path):
    write(tmp_path / "heads/hanke/T1.nii.gz", np.zeros((8, 8, 8)))
    with pytest.raises(ImageError, match="empty"):
        heads.load_head("hanke", tmp_path)


def test_an_image_larger_than_any_head_is_refused_before_it_takes_memory(tmp_path):
    write(tmp_path / "heads/hanke/T1.nii.gz", np.ones((8, 8, 8)), spacing=(99.0, 99.0, 99.0))
    with pytest.raises(ImageError, match="T1.nii.gz is 693×693×693 mm large, no head"):
        heads.load_head("hanke", tmp_path)


@needs_data
@pytest.mark.parametrize("name", ["tcga-du-7294", "brats-gli", "rorden-stroke", "clinical-t2"])
def test_real_heads_have_their_canals_beside_the_brain(name):
    head = heads.load_head(name, DATA)
    assert np.allclose(head.grid.affine[:3, :3], np.diag([-1.0, -1.0, 1.0]))
    assert head.t1.shape == head.t2.shape == head.tissue.shape == head.grid.shape
    brain = head.grid.index_to_ras(np.argwhere(head.tissue == Tissue.BRAIN))
    middle = np.mean([canal.porus_ras[0] for canal in head.canals.values()])
    for side, sign in (("right", 1), ("left", -1)):
        porus, fundus = (np.array(p) for p in (head.canals[side].porus_ras, head.canals[side].fundus_ras))
        assert 20 < sign * (porus[0] - middle) < 32
        assert sign * (fundus[0] - porus[0]) > 5
        assert 6 < np.linalg.norm(fundus - porus) < 12
        assert np.linalg.norm(brain - porus, axis=1).min() < 8
