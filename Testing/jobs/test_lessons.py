"""What an accepted case teaches the network of the initial mask: boxes as it is shown them."""

from dataclasses import replace

import numpy as np
import pytest
from accepted_cases import worklist_of, write_cases
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.examples import TAUGHT_SAMPLES
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.jobs.accepted_case import read_accepted
from VSClickCorrectLib.jobs.lessons import InitialLesson
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.session.oracle import Oracle
from VSClickCorrectLib.workflow.tasks import adaptation_of


@pytest.fixture(scope="module")
def lesson(click_models):
    return InitialLesson(ModelFolder(click_models))


@pytest.fixture
def begun(tmp_path, small):
    """A worklist whose case has no mask yet, opened, with its session; `done` accepts the truth."""
    worklist = worklist_of(
        write_cases(tmp_path / "cases", small, np.zeros_like(small.truth), 1), tmp_path / "out"
    )
    worklist.go_to("case1")
    case = worklist.opened.load()
    mask = ArrayMask(case.grid, worklist.opened.saved_mask(case.grid, case))
    return worklist, CorrectionSession(case, mask, Oracle(small.truth), journal=worklist.opened.journal())


def accepted(begun, small):
    """Paint what is missing, accept, and read the case again."""
    worklist, session = begun
    left = Change.between(small.grid.box, session.mask.values, small.truth)
    if not left.box.empty:
        session.edit_by_hand("brush stroke", left)
    worklist.done(session.mask.values, session.case.grid)
    return read_accepted(adaptation_of(worklist).cases[0])


def test_it_is_scored_by_what_an_initial_mask_is_drawn_in(lesson, begun, small, click_models):
    work = accepted(begun, small)
    scored = lesson.scored_by(work)
    assert scored.channels.shape == (1, 5, 64, 64, 64)
    segmenter = InitialSegmenter.load(ModelFolder(click_models), "cpu")._segmenter
    place = small.grid.box_from(small.grid.axial_order(), Box.around(small.truth))
    spacing = tuple(segmenter.model.entry.geometry["spacing"])
    middle = (np.add(place.start, place.stop) - 1) / 2
    window = ResamplingGrid(small.grid, middle, ResamplingGeometry((64, 64, 64), spacing))
    shown = segmenter.channels(work.images, window, None, ())
    np.testing.assert_allclose(scored.channels[0], shown, atol=1e-3)
    right = window.resample(small.truth[window.source_box.slices])
    np.testing.assert_allclose(scored.targets[0], right, atol=1e-3)


def test_it_learns_from_the_tumour_without_clicks_and_from_clicks(lesson, begun, small):
    taught = lesson.taught_by(accepted(begun, small))
    assert taught.channels.shape[1:] == (5, *(TAUGHT_SAMPLES,) * 3)
    clicked = taught.channels[:, 3:].reshape(len(taught), -1).any(1)
    assert 0 < clicked.sum() < len(taught)
    for target in taught.targets[~clicked][:2]:
        volume = target.astype(float).sum()
        assert volume == pytest.approx(small.grid.volume_of(small.truth), rel=0.05)


def test_the_readers_own_clicks_are_shown_as_they_were_answered(lesson, begun, small):
    _, session = begun
    inside = np.argwhere(small.truth)
    first, second = (Click(tuple(small.grid.index_to_ras(inside[n])), ClickKind.INCLUDE) for n in (0, -1))
    session.apply(first)
    before = session.mask.values.copy()
    session.apply(second)
    taught = lesson.taught_by(accepted(begun, small))
    clicked = taught.channels[taught.channels[:, 3:].reshape(len(taught), -1).any(1)]
    # The first was given on nothing, the second on what the first had left, and with the first.
    assert not clicked[0, 2].any() and clicked[1, 2].any()
    assert clicked[1, 2].sum() == pytest.approx(small.grid.volume_of(before), rel=0.2)
    middle = (TAUGHT_SAMPLES // 2,) * 3
    for shown in clicked[:2]:
        assert shown[3][middle] > 0.5 and not shown[4].any()
    assert clicked[1, 3].sum() > 1.5 * clicked[0, 3].sum()


def test_what_the_network_took_for_tumour_is_learned_not_to_be(lesson, begun, small):
    work = accepted(begun, small)
    # A ball in the corner that is farthest from the tumour.
    middle, shape = np.argwhere(small.truth).mean(0), np.array(small.grid.shape)
    far = np.where(middle < shape / 2, 0.8 * shape, 0.2 * shape)
    away = (np.indices(small.grid.shape).T - far) * small.grid.spacing[::-1]
    ball = (away**2).sum(-1).T < 6.0**2
    assert ball.any() and not (ball & small.truth).any()
    for bright, wrong in ((small.truth, 0), (small.truth | ball, 1)):
        seen = Case(Volume(np.where(bright, 1000, 100).astype(np.int16), small.grid))
        assert bright_and_no_tumour(lesson.taught_by(replace(work, images=seen))) == wrong


def bright_and_no_tumour(taught):
    """Return how many boxes without clicks are bright in the middle, where there is no tumour."""
    center = (TAUGHT_SAMPLES // 2,) * 3
    return sum(
        bool(shown[0][center] > 0.9 and not shown[2:].any() and not target[center])
        for shown, target in zip(taught.channels, taught.targets, strict=True)
    )


def test_one_case_teaches_the_same_again(lesson, begun, small):
    work = accepted(begun, small)
    one, other = lesson.taught_by(work), lesson.taught_by(work)
    np.testing.assert_array_equal(one.channels, other.channels)
    np.testing.assert_array_equal(one.targets, other.targets)
