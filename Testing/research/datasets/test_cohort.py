"""Cohorts: one seed, one cohort; no patient on both sides of the split. No outside data are needed here."""

import json
from dataclasses import replace

import numpy as np
import pytest
from bright_ball import AXIAL
from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.jobs.cases import ThisProcess
from VSClickCorrectResearch.datasets import cohort
from VSClickCorrectResearch.datasets.cohort import CohortRecipe, Sources, list_cohort, write_cohort
from VSClickCorrectResearch.simulation.head_sources import HEAD_NAMES
from VSClickCorrectResearch.simulation.label_maps import LABEL_MAP_NAMES, LabelMap
from VSClickCorrectResearch.simulation.phantom import phantom_head
from VSClickCorrectResearch.simulation.shapes import procedural_shape

SPLITS = ("training", "validation", "test")
RECIPE = CohortRecipe("training", "region", 2, 5)


@pytest.fixture(scope="module")
def head():
    return phantom_head(np.random.default_rng(0), spacing=2.0)


@pytest.fixture(scope="module")
def shape():
    return procedural_shape(np.random.default_rng(1), 900.0)


@pytest.fixture
def data(monkeypatch, head, shape, tmp_path):
    """A data folder with a head and a label map of each split, and one tumour shape for each."""

    def heads(data, cache, names):
        return [replace(head, name=name) for name in ("hanke", "brats-gli", "brainchop") if name in names]

    def maps(data, cache, names):
        found = [
            LabelMap(name, head.grid, head.tissue, head.canals) for name in ("seg_01", "seg_17", "seg_20")
        ]
        return [label_map for label_map in found if label_map.name in names]

    # What another test has loaded is of other sources.
    cohort._loaded.cache_clear()
    monkeypatch.setattr(cohort, "load_heads", heads)
    monkeypatch.setattr(cohort, "load_label_maps", maps)
    monkeypatch.setattr(cohort, "draw_label_map", lambda label_map, rng: replace(head, name=label_map.name))
    monkeypatch.setattr(
        cohort, "read_shapes", lambda path, split, cache=None: [replace(shape, name=split)] * 2
    )
    # With coarse scans, so that it is quick.
    monkeypatch.setattr(cohort, "PHANTOM_SHARE", 0.0)
    original = cohort.random_acquisition
    coarse = {"spacing": (1.6, 1.6, 3.0), "matrix": (128, 128, 60)}
    monkeypatch.setattr(cohort, "random_acquisition", lambda rng: replace(original(rng), **coarse))
    return tmp_path / "data"


def made(folder, recipe, data):
    write_cohort(folder, recipe, data, ThisProcess())
    return [case.load() for case in list_cohort(folder)]


@pytest.mark.parametrize(
    "split, names",
    [
        ("training", {"hanke", "seg_01"}),
        ("validation", {"brats-gli", "seg_17"}),
        ("test", {"brainchop", "seg_20"}),
    ],
)
def test_no_head_is_on_both_sides_of_the_split(data, split, names):
    sources = Sources.load(data, split)
    assert {found.name for found in (*sources.heads, *sources.maps)} == names
    assert {shape.name for shape in sources.shapes} == {"training" if split == "training" else "validation"}


def test_every_head_and_label_map_is_of_one_split_and_whole_ones_are_kept_for_the_test():
    splits = {split: cohort._names((*HEAD_NAMES, *LABEL_MAP_NAMES), split) for split in SPLITS}
    everything = [name for names in splits.values() for name in names]
    assert sorted(everything) == sorted((*HEAD_NAMES, *LABEL_MAP_NAMES))
    assert {"open-ms-04", "brainchop", "trio-mprage", "seg_19", "seg_20"} == set(splits["test"])
    assert {"brats-gli", "philips-mprage", "seg_17", "seg_18"} == set(splits["validation"])


def test_a_case_says_of_what_kind_its_head_is(data, monkeypatch, tmp_path):
    kinds = {}
    for kind, shares in (("real", (0, 0)), ("label-map", (0, 1)), ("phantom", (1, 0))):
        for name, share in zip(("PHANTOM_SHARE", "LABEL_MAP_SHARE"), shares, strict=True):
            monkeypatch.setattr(cohort, name, share)
        monkeypatch.setattr(cohort, "phantom_head", lambda rng: phantom_head(rng, spacing=2.0))
        (case,) = made(tmp_path / kind, replace(RECIPE, count=1), data)
        kinds[kind] = case.kind
    assert kinds == {"real": "real", "label-map": "label-map", "phantom": "phantom"}


def test_where_label_maps_are_missing_real_heads_stand_in(data, monkeypatch):
    monkeypatch.setattr(cohort, "LABEL_MAP_SHARE", 1.0)
    monkeypatch.setattr(cohort, "load_label_maps", lambda *_: [])
    head, kind = Sources.load(data, "training").head(np.random.default_rng(0))
    assert (head.name, kind) == ("hanke", "real")


@pytest.mark.parametrize("lacking", ["load_heads", "read_shapes"])
def test_data_folder_without_heads_or_shapes_is_refused(data, monkeypatch, tmp_path, lacking):
    monkeypatch.setattr(cohort, lacking, lambda *_: [])
    with pytest.raises(
        ImageError, match=r"holds no heads or no tumour shapes for training; see Resources/Docs/data\.md"
    ):
        write_cohort(tmp_path / "cohort", RECIPE, data, ThisProcess())
    assert not list((tmp_path / "cohort").glob("*.npz"))


def test_one_seed_is_one_cohort_whatever_was_there_before(data, tmp_path):
    first = made(tmp_path / "first", RECIPE, data)
    # A longer cohort begins with the same cases.
    folder = tmp_path / "second"
    folder.mkdir()
    (folder / "case-00000.npz").write_bytes((tmp_path / "first" / "case-00000.npz").read_bytes())
    second = made(folder, RECIPE, data)
    other = made(tmp_path / "other", replace(RECIPE, count=1, seed=6), data)
    assert len(first) == len(second) == 2
    for one, same in zip(first, second, strict=True):
        assert np.array_equal(one.truth, same.truth)
        assert np.array_equal(one.case.t1ce.array, same.case.t1ce.array)
        assert np.array_equal(one.case.t2.array, same.case.t2.array)
        assert one.grid.matches(same.grid)
    assert not np.array_equal(first[0].case.t1ce.array[:4, :4, :4], other[0].case.t1ce.array[:4, :4, :4])
    assert not np.array_equal(first[0].case.t1ce.array[:4, :4, :4], first[1].case.t1ce.array[:4, :4, :4])


def test_cases_are_around_the_tumour_and_recipe_lies_beside_them(data, tmp_path):
    folder = tmp_path / "cohort"
    (case,) = made(folder, replace(RECIPE, count=1), data)
    assert sorted(path.name for path in folder.iterdir()) == ["case-00000.npz", "recipe.json"]
    assert json.loads((folder / "recipe.json").read_text()) == {
        "split": "training",
        "extent": "region",
        "count": 1,
        "seed": 5,
        "balanced": False,
        "classes": False,
        "elsewhere": 0.0,
        "other_side": False,
    }
    # 84 x 84 x 54 mm of voxels of 1.6 x 1.6 x 3 mm.
    assert case.truth.shape == case.case.t1ce.array.shape
    assert all(abs(n - m) <= 2 for n, m in zip(case.truth.shape, (18, 52.5, 52.5), strict=True))
    assert case.truth.any()
    middle = np.argwhere(case.truth).mean(axis=0) / case.truth.shape
    assert np.abs(middle - 0.5).max() < 0.15


def test_existing_cases_are_kept_and_missing_ones_made(data, tmp_path, monkeypatch):
    folder = tmp_path / "cohort"
    folder.mkdir()
    written = []
    monkeypatch.setattr(cohort, "_write_case", lambda folder, recipe, sources, number: written.append(number))
    (folder / "case-00001.npz").write_bytes(b"made yesterday")
    write_cohort(folder, replace(RECIPE, count=4), data, ThisProcess())
    assert written == [0, 2, 3]
    assert (folder / "case-00001.npz").read_bytes() == b"made yesterday"


def test_folder_of_another_recipe_is_refused_and_left_alone(data, tmp_path):
    folder = tmp_path / "cohort"
    folder.mkdir()
    card = json.dumps({"split": "validation", "extent": "region", "count": 2, "seed": 5})
    (folder / "recipe.json").write_text(card)
    with pytest.raises(ImageError, match="holds a cohort of another recipe"):
        write_cohort(folder, RECIPE, data, ThisProcess())
    assert [path.name for path in folder.iterdir()] == ["recipe.json"]
    assert (folder / "recipe.json").read_text() == card


def test_folder_without_cases_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ImageError, match="holds no case of a cohort"):
            [case.load() for case in list_cohort(folder)]


def test_half_written_case_is_not_read(tmp_path):
    (tmp_path / ".writing-00000.npz").write_bytes(b"half")
    with pytest.raises(ImageError):
        [case.load() for case in list_cohort(tmp_path)]


def test_cases_are_read_in_order_on_their_own_grids(tmp_path):
    for n in (2, 0, 1):
        values = np.full((3, 4, 5 + n), n, np.int16)
        arrays = {"t1ce": values, "t2": values + 10, "truth": values > 0}
        np.savez_compressed(tmp_path / f"case-{n:05d}.npz", affine=AXIAL, **arrays)
    cases = [case.load() for case in list_cohort(tmp_path)]
    assert [case.truth.shape for case in cases] == [(3, 4, 5), (3, 4, 6), (3, 4, 7)]
    assert [int(case.case.t1ce.array[0, 0, 0]) for case in cases] == [0, 1, 2]
    assert [int(case.case.t2.array[0, 0, 0]) for case in cases] == [10, 11, 12]
    assert all(np.array_equal(case.grid.affine, AXIAL) for case in cases)
    assert {case.kind for case in cases} == {""}  # earlier cohorts do not say


@pytest.mark.parametrize("at", [8, 100, 1000])
@pytest.mark.parametrize("byte", [0x63, 0xFF])
def test_damaged_case_is_refused_by_name(tmp_path, at, byte):
    path = tmp_path / "case-00000.npz"
    arrays = dict.fromkeys(("t1ce", "t2"), np.arange(4096, dtype=np.int16).reshape(16, 16, 16))
    np.savez_compressed(path, **arrays, truth=np.ones((16, 16, 16), bool), affine=AXIAL)
    content = bytearray(path.read_bytes())
    # In front of each name in the archive's directory stands how it is packed.
    first = content.index(b"PK\x01\x02")
    content[first + 10] = content[8] = byte
    path.write_bytes(content[: len(content) - (at - 8)])
    with pytest.raises(ImageError, match=r"case-00000\.npz is damaged; write the cohort again"):
        list_cohort(tmp_path)[0].load()


def test_pickled_cases_are_not_opened(tmp_path):
    np.savez(tmp_path / "case-00000.npz", truth=np.array([{"a": 1}], object), affine=AXIAL)
    with pytest.raises(ImageError, match=r"case-00000\.npz is damaged"):
        [case.load() for case in list_cohort(tmp_path)]


def test_about_a_share_of_cases_has_no_tumour(monkeypatch, shape):
    monkeypatch.setattr(cohort, "deformed", lambda shape, rng: shape)
    monkeypatch.setattr(cohort, "procedural_shape", lambda rng, volume: "procedural")
    shapes = [cohort._shape(np.random.default_rng(n), [shape]) for n in range(400)]
    assert 0.01 < sum(s is None for s in shapes) / 400 < 0.08
    assert 0.18 < shapes.count("procedural") / 400 < 0.32


def test_a_balanced_cohort_has_large_tumours_and_thick_slices(shape):
    rng, recipe = np.random.default_rng(0), CohortRecipe("training", "box", 1, 0, balanced=True)
    made = [cohort._geometry(recipe, rng) for _ in range(200)]
    assert {region.size_mm for _, region in made} == {(108.0, 108.0, 100.0)}
    assert max(acquisition.spacing[2] for acquisition, _ in made) > 6
    usual = [cohort._geometry(replace(recipe, balanced=False), rng)[0] for _ in range(200)]
    assert max(acquisition.spacing[2] for acquisition in usual) == 3


def test_heads_of_a_balanced_cohort_are_finer_and_keep_their_thick_slices(shape):
    rng = np.random.default_rng(0)
    recipes = [CohortRecipe("training", "head", 1, 0, balanced) for balanced in (False, True)]
    usual, balanced = ([cohort._geometry(recipe, rng)[0] for _ in range(50)] for recipe in recipes)
    assert {acquisition.spacing for acquisition in usual} == {(3.0, 3.0, 3.0)}
    assert {acquisition.spacing[:2] for acquisition in balanced} == {(2.0, 2.0)}
    assert min(acquisition.spacing[2] for acquisition in balanced) == 2
    assert max(acquisition.spacing[2] for acquisition in balanced) > 6


def test_recipes_of_cohorts_before_there_was_balance_are_understood(data, tmp_path):
    folder = tmp_path / "cohort"
    made(folder, replace(RECIPE, count=1), data)
    card = {"split": "training", "extent": "region", "count": 1, "seed": 5}
    (folder / "recipe.json").write_text(json.dumps(card))
    write_cohort(folder, replace(RECIPE, count=1), data, ThisProcess())


def test_a_cohort_of_another_balance_is_another_recipe(data, tmp_path):
    write_cohort(tmp_path / "out", CohortRecipe("training", "region", 1, 5), data, ThisProcess())
    with pytest.raises(ImageError, match="another recipe"):
        write_cohort(tmp_path / "out", CohortRecipe("training", "region", 1, 5, True), data, ThisProcess())


@pytest.mark.parametrize("output", ["data", "data/cohort", "."])
def test_cohort_is_not_written_among_what_it_is_made_of(data, tmp_path, output):
    data.mkdir()
    with pytest.raises(StorageError, match="which is to be read"):
        write_cohort(tmp_path / output, RECIPE, data, ThisProcess())
    assert [path.name for path in tmp_path.iterdir()] == ["data"] and not any(data.iterdir())
