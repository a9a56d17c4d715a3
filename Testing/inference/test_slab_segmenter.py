"""An initial model that sees slabs of the whole head, by nothing but its entry in the manifest."""

import numpy as np
import pytest
from bright_ball import AXIAL, CENTER, GRID, SHAPE, ball, ball_case, ball_volume, dice
from handmade_models import change_entry
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference import slab_segmenter
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectResearch.evaluation.forward import Place, forward, inputs_of

SLAB = (16, 64, 64)


@pytest.fixture
def slab_models(own_models):
    change_entry(own_models, "first", geometry={"shape": list(SLAB), "intensities": "min-max"})
    return own_models


@pytest.fixture
def segmenter(slab_models):
    return InitialSegmenter.load(ModelFolder(slab_models), "cpu")


def test_window_is_the_slab_around_what_the_locator_sees(segmenter):
    (window,) = segmenter.windows(ball_case())
    assert window.geometry.shape == SLAB
    assert window.geometry.spacing[0] == 1.5
    inside = np.flatnonzero(ball().any(axis=(1, 2)))
    assert window.box.start[0] < inside[0]
    assert window.box.stop[0] > inside[-1]


@pytest.mark.parametrize("height", [0.0, 18.0, 34.5])
def test_ball_is_found_wherever_it_is(segmenter, height):
    center = (*CENTER[:2], height)
    found = segmenter.segment(ball_case(GRID, center)).on(GRID)
    assert dice(found, ball(GRID, center)) > 0.9


def test_scan_of_fewer_slices_than_the_slab_is_filled_up(segmenter):
    affine = AXIAL.copy()
    affine[2, 2] = 3.6
    grid = Grid((10, *SHAPE[1:]), affine)
    assert dice(segmenter.segment(ball_case(grid)).on(grid), ball(grid)) > 0.9


@pytest.mark.parametrize("column", [0, 79])
@pytest.mark.parametrize("kind", [ClickKind.INCLUDE, ClickKind.EXCLUDE])
def test_of_a_click_beside_the_head_it_tells_what_the_head_holds(segmenter, column, kind):
    grid = Grid((*SHAPE[:2], 80), AXIAL)
    click = Click(tuple(map(float, grid.index_to_ras((12, 31, column)))), kind)
    proposal = segmenter.propose(ball_case(grid), click)
    assert not proposal.box.contains(Box.of_voxel((12, 31, column)))
    if kind is ClickKind.INCLUDE:
        assert not proposal.values.any()
    else:
        assert dice(proposal.values, ball(grid)[proposal.box.slices]) > 0.9


def test_every_slice_is_looked_at_once_where_the_locator_sees_nothing(segmenter, monkeypatch):
    """A sheet too thin for the locator; the places of a height share their slab."""
    head = np.where(ball_volume().array > 0, 400, 0).astype(np.int16)
    head[:, 4, 16:48] = 1000
    case, boxes = Case(Volume(head, GRID)), []
    sample = slab_segmenter.sample_slab
    monkeypatch.setattr(
        slab_segmenter,
        "sample_slab",
        lambda case, window, how: boxes.append(window.box) or sample(case, window, how),
    )
    found = segmenter.segment(case).on(GRID)
    assert (found & (head == 1000)).any()
    assert len(boxes) == len(set(boxes))


def test_one_pass_at_a_known_place_sees_the_same(slab_models, segmenter):
    case = ball_case()
    (window,) = segmenter.windows(case)
    place = Place(case, window.ordered_box, None, ())
    (seen,) = inputs_of(segmenter.segmenter, place)
    assert seen.channels.shape == (2, *SLAB)
    (probability,) = forward(segmenter.segmenter, [seen], exact=True)
    assert dice(probability >= 0.5, ball()[seen.window.box.slices]) > 0.9


def test_slab_that_the_network_cannot_halve_is_refused(slab_models):
    change_entry(slab_models, "first", geometry={"shape": [15, 64, 64]})
    with pytest.raises(
        ModelError, match="'unet3d' halves its sides 1 times; make the geometry's shape divisible by 2"
    ):
        InitialSegmenter.load(ModelFolder(slab_models), "cpu")


@pytest.mark.parametrize("role", ["locator", "click"])
def test_other_networks_of_volumes_have_no_slabs(slab_models, role):
    change_entry(slab_models, "first", role=role)
    with pytest.raises(ModelError, match="geometry of 'first' has no spacing"):
        ModelFolder(slab_models)
