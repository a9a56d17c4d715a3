"""Boxes: written by processes, the same as their recipe says, and taken in as they come."""

import multiprocessing
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from process_figures import children_of, runs
from VSClickCorrectResearch.datasets import cohort
from VSClickCorrectResearch.datasets.cohort import CohortRecipe, Sources, made_case
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.simulation.phantom import phantom_head
from VSClickCorrectResearch.simulation.shapes import procedural_shape
from VSClickCorrectResearch.training.examples import crop_source
from VSClickCorrectResearch.training.on_card.boxes import BoxPool, write_boxes

SPACING = (3.0, 3.0, 3.0)


@pytest.fixture
def sources(monkeypatch):
    head = phantom_head(np.random.default_rng(0), spacing=3.0)
    monkeypatch.setattr(cohort, "phantom_head", lambda rng: head)
    # Small and coarse scans take no time to be made.
    monkeypatch.setattr(cohort, "_REGION_MM", {"box": (60.0, 60.0, 40.0)})
    original = cohort.random_acquisition
    coarse = {"spacing": (1.6, 1.6, 3.0), "matrix": (128, 128, 60)}
    monkeypatch.setattr(cohort, "random_acquisition", lambda rng: replace(original(rng), **coarse))
    return Sources([head], [procedural_shape(np.random.default_rng(1), 3000.0)])


def test_boxes_are_the_recipes_cases_in_steps_of_a_byte(sources, tmp_path):
    recipe = CohortRecipe("training", "box", 3, 5)
    write_boxes(tmp_path / "boxes", sources, recipe, SPACING, 2)
    files = sorted((tmp_path / "boxes").iterdir())
    assert [file.name for file in files] == ["000000.npy", "000001.npy", "000002.npy"]
    for number, file in enumerate(files):
        made, _, kind = made_case(sources, recipe, number)
        images, share = crop_source(LabelledCase("", made.case, made.truth, kind=kind), SPACING, 0.0)
        box = np.load(file)
        assert box.dtype == np.uint8
        np.testing.assert_allclose(box[:2] / 255, images.clip(0, 1), atol=1.01 / 255)
        np.testing.assert_allclose(box[2:] / 255, share, atol=0.51 / 255)
        assert np.array_equal(box[:2] > 0, images > 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_who_writes_them_ends_with_the_command(sources, tmp_path):
    recipe = CohortRecipe("training", "box", 1_000_000, 5)
    arguments = (tmp_path / "boxes", sources, recipe, SPACING, 2)
    command = multiprocessing.get_context("fork").Process(target=write_boxes, args=arguments)
    command.start()
    while not (tmp_path / "boxes").exists() or len(children := children_of(command.pid)) < 2:
        time.sleep(0.02)
    command.terminate()
    command.join(60)
    end = time.monotonic() + 60
    while any(runs(child) for child in children) and time.monotonic() < end:
        time.sleep(0.02)
    assert not [child for child in children if runs(child)]


def test_a_pool_takes_in_what_is_new_and_knows_places_in_tumours(tmp_path):
    pool = BoxPool(tmp_path, torch.device("cpu"))
    pool.look()
    assert len(pool) == 0
    box = np.zeros((3, 8, 9, 10), np.uint8)
    box[2, 2:5, 3:6, 4:7] = 255
    box[2, 5, 3:6, 4:7] = 100
    np.save(tmp_path / "000004.npy", box)
    pool.look()
    np.save(tmp_path / "000001.npy", np.zeros_like(box))
    pool.look()
    pool.look()
    assert len(pool) == 2
    (first, inside), (_, none) = pool.boxes
    assert np.array_equal(first.numpy(), box)
    assert sorted(map(tuple, inside.tolist())) == [tuple(p) for p in np.argwhere(box[2] == 255)]
    assert len(none) == 0


def test_boxes_elsewhere_lie_in_the_head_and_others_stay_as_they_were(sources):
    usual, elsewhere = (CohortRecipe("training", "box", 20, 5, elsewhere=share) for share in (0.0, 0.5))
    middles = []
    for number in range(8):
        cases = [made_case(sources, recipe, number)[0] for recipe in (usual, elsewhere)]
        tumour, place = (np.array(one.grid.index_to_ras((np.array(one.grid.shape) - 1) / 2)) for one in cases)
        middles.append(np.linalg.norm(tumour - place))
    assert 2 <= sum(middle > 5 for middle in middles) <= 6
