"""Label maps: a made one for the machinery, the real ones where the data folder is there."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectResearch.simulation import label_looks, label_maps
from VSClickCorrectResearch.simulation.acquisition import DEMO_ACQUISITION, Region
from VSClickCorrectResearch.simulation.head import Tissue
from VSClickCorrectResearch.simulation.label_looks import Matter
from VSClickCorrectResearch.simulation.shapes import procedural_shape
from VSClickCorrectResearch.simulation.synthesis import synthesize

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not (DATA / "label-maps").is_dir(), reason="../shared/data is absent")
NAME = "seg_01"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Skin, soft tissue, bone, CSF and brain as nested balls around the first map's canals, one eye too."""
    folder = tmp_path_factory.mktemp("data")
    shape = (104, 108, 112)  # S, A, R
    s, a, r = np.indices(shape, np.float32) - np.array((52, 54, 56)).reshape(3, 1, 1, 1)
    distance = np.sqrt(s**2 + a**2 + r**2)
    labels = np.zeros(shape, np.int16)
    for radius, label in ((50, 511), (48, 507), (38, 515), (25, 24), (22, 16)):
        labels[distance < radius] = label
    labels[:2, :2, :2] = 24  # a speck beside the head
    # As in the real files, the axes run to left, inferior and anterior.
    image = sitk.GetImageFromArray(labels.transpose(1, 0, 2)[:, ::-1, ::-1].copy())
    image.SetDirection((1, 0, 0, 0, 0, -1, 0, -1, 0))
    image.SetOrigin((-(111 - 56.0), 54.0, 103 - 52 - 20.0))
    (folder / "label-maps").mkdir()
    sitk.WriteImage(image, str(folder / "label-maps" / f"{NAME}.nii.gz"))
    return folder


@pytest.fixture(scope="module")
def made(folder):
    return label_maps.load_label_map(NAME, folder)


@pytest.fixture
def usual(monkeypatch):
    monkeypatch.setattr(label_looks, "_FREE_SHARE", 0.0)


def matter_at(label_map, *ras):
    return Matter(label_map.matter[label_map.grid.ras_to_index(ras)])


def test_labels_are_read_where_they_lie(made):
    assert matter_at(made, 0, 0, -20) == Matter.STEM
    assert matter_at(made, 0, 23.5, -20) == Matter.CSF
    assert matter_at(made, 0, 0, -20 + 30) == Matter.BONE
    assert matter_at(made, -42, 0, -20) == Matter.MUSCLE
    assert matter_at(made, -46, 0, -20) == Matter.FAT  # just below the skin
    assert matter_at(made, 49, 0, -20) == Matter.SKIN
    # Cut to the head, without the speck beside it.
    assert made.matter.shape == (104, 107, 107)
    assert made.matter[:4, :4, :4].max() == Matter.AIR


def test_a_prepared_map_is_kept(folder, made, tmp_path):
    first = label_maps.load_label_map(NAME, folder, tmp_path / "cache")
    again = label_maps.load_label_map(NAME, tmp_path / "nowhere", tmp_path / "cache")
    assert again.grid.matches(first.grid)
    assert again.canals == first.canals == made.canals
    np.testing.assert_array_equal(again.matter, first.matter)


def test_a_map_whose_file_is_another_is_prepared_anew(folder, tmp_path):
    (tmp_path / "label-maps").mkdir()
    path = tmp_path / "label-maps" / f"{NAME}.nii.gz"
    image = sitk.ReadImage(str(folder / "label-maps" / f"{NAME}.nii.gz"))
    sitk.WriteImage(image, str(path))
    assert matter_at(label_maps.load_label_map(NAME, tmp_path, tmp_path / "cache"), 0, 0, -20) == Matter.STEM
    # The brain stem's label becomes the fluid's.
    sitk.WriteImage(sitk.ChangeLabel(image, {16: 24}), str(path))
    assert matter_at(label_maps.load_label_map(NAME, tmp_path, tmp_path / "cache"), 0, 0, -20) == Matter.CSF


def test_only_the_maps_that_are_there_are_loaded(folder):
    assert [found.name for found in label_maps.load_label_maps(folder)] == [NAME]
    assert label_maps.load_label_maps(folder, None, ("seg_02",)) == []


def test_unknown_and_missing_maps_are_refused_in_words(tmp_path):
    with pytest.raises(ImageError, match="'nobody'"):
        label_maps.load_label_map("nobody", tmp_path)
    with pytest.raises(ImageError, match="missing"):
        label_maps.load_label_map(NAME, tmp_path)
    (tmp_path / "label-maps").mkdir()
    empty = sitk.GetImageFromArray(np.zeros((8, 8, 8), np.int16))
    sitk.WriteImage(empty, str(tmp_path / "label-maps" / f"{NAME}.nii.gz"))
    with pytest.raises(ImageError, match="no head"):
        label_maps.load_label_map(NAME, tmp_path)


def test_equal_states_give_equal_heads_and_others_another_contrast(made):
    first, same, other = (label_maps.draw_label_map(made, np.random.default_rng(n)) for n in (0, 0, 1))
    np.testing.assert_array_equal(first.t1, same.t1)
    np.testing.assert_array_equal(first.t2, same.t2)
    assert first.canals == same.canals
    assert np.abs(first.t1 - other.t1).mean() > 0.01
    assert not np.allclose(first.grid.affine, other.grid.affine)


@pytest.mark.parametrize("seed", range(4))
def test_a_head_has_tissues_and_contrast_as_a_simulated_scan_needs(made, usual, seed):
    head = label_maps.draw_label_map(made, np.random.default_rng(seed))
    assert head.t1.dtype == head.t2.dtype == np.float32
    assert head.t1.min() >= 0 and head.t1.max() <= 1.3
    fluid, brain = (head.tissue == kind for kind in (Tissue.CSF, Tissue.BRAIN))
    assert np.median(head.t2[fluid]) > 1.5 * np.median(head.t2[brain])
    assert np.median(head.t1[brain]) > 1.5 * np.median(head.t1[fluid])
    assert np.median(head.t1[head.tissue == Tissue.BONE]) < 0.15


@pytest.mark.parametrize("seed", range(6))
def test_each_side_has_a_canal_of_fluid_in_the_bone(made, usual, seed):
    """Mirrored heads too: the right canal lies on the patient's right, its bone around it."""
    head = label_maps.draw_label_map(made, np.random.default_rng(seed))
    for side, sign in (("right", 1), ("left", -1)):
        porus, fundus = np.array(head.canals[side].porus_ras), np.array(head.canals[side].fundus_ras)
        assert sign * porus[0] > 20 and sign * (fundus - porus)[0] > 7
        for share in (0.3, 0.6, 0.9):
            spot = head.grid.ras_to_index(porus + share * (fundus - porus))
            assert head.tissue[spot] == Tissue.CSF
        above = head.grid.ras_to_index(fundus + (0, 0, 5))
        assert head.tissue[above] == Tissue.BONE


def test_free_contrast_leaves_air_and_bone_dark_and_room_above_the_brain(monkeypatch):
    monkeypatch.setattr(label_looks, "_FREE_SHARE", 1.0)
    drawn = [label_looks.random_looks(np.random.default_rng(n)) for n in range(50)]
    assert max(looks.t1[Matter.BONE] for looks in drawn) < 0.1
    assert max(looks.t1[Matter.STEM] for looks in drawn) <= 0.65
    # In some of them fluid is brighter than brain in T1, in others darker.
    assert {bool(looks.t1[Matter.CSF] > looks.t1[Matter.STEM]) for looks in drawn} == {True, False}


def test_a_tumour_is_simulated_in_a_drawn_head(made):
    rng = np.random.default_rng(2)
    head = label_maps.draw_label_map(made, rng)
    region = Region(None, (40.0, 40.0, 30.0))
    case = synthesize(head, procedural_shape(rng, 700.0), "left", rng, DEMO_ACQUISITION, region)
    assert case.truth.sum() * case.grid.voxel_volume == pytest.approx(700, rel=0.2)
    assert case.site_ras[0] < -15


@needs_data
@pytest.mark.parametrize("name", label_maps.LABEL_MAP_NAMES[10:11])
def test_the_canals_of_the_real_maps_begin_at_the_bone_of_the_angle(name):
    found = label_maps.load_label_map(name, DATA)
    bony = {Matter.BONE, Matter.MARROW, Matter.AIR}
    for canal in found.canals.values():
        porus, fundus = np.array(canal.porus_ras), np.array(canal.fundus_ras)
        way = (fundus - porus) / np.linalg.norm(fundus - porus)
        assert 9 < np.linalg.norm(fundus - porus) < 10.5
        beyond = [matter_at(found, *(porus + t * way)) for t in range(5, 11)]
        before = [matter_at(found, *(porus - t * way)) for t in range(2, 6)]
        assert sum(m in bony for m in beyond) >= 5, beyond
        assert sum(m not in bony for m in before) >= 3, before


@needs_data
def test_every_label_map_has_its_canals():
    files = sorted(path.name for path in (DATA / "label-maps").glob("*.nii.gz"))
    assert [f"{name}.nii.gz" for name in label_maps.LABEL_MAP_NAMES] == files
