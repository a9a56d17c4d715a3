"""The timed click is the click that users make, and its parts add up."""

import numpy as np
import pytest
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume
from VSClickCorrectResearch.benchmark.clicking import A_ROUND, bench, click_times, long_session
from VSClickCorrectResearch.benchmark.examination import RADIUS_MM, Size, write_examinations

PARTS = ["cut", "network", "merge", "write", "notify and journal", "click"]


@pytest.fixture(scope="module")
def examination(tmp_path_factory):
    return write_examinations(tmp_path_factory.mktemp("examinations"), (Size((12, 64, 72)),))[0]


@pytest.fixture(scope="module")
def case(examination):
    return examination.read()


@pytest.fixture(scope="module")
def corrector(model_folder):
    return Corrector.load(ModelFolder(model_folder), device="cpu")


def test_examination_has_its_size_and_the_tumour_in_its_middle(examination, case):
    assert case.grid.shape == (12, 64, 72)
    assert case.grid.spacing == pytest.approx((0.41, 0.41, 1.5))
    ball = examination.ball(case.grid)
    middle = np.argwhere(ball).mean(axis=0)
    assert middle == pytest.approx([5.5, 31.5, 35.5], abs=0.5)
    # Slices of 1.5 mm hold 9 of the ball's 14 mm.
    assert ball.sum() * 0.41**2 * 1.5 == pytest.approx(4 / 3 * np.pi * RADIUS_MM**3, rel=0.03)


def test_parts_of_a_click_add_up_to_the_click(examination, case, corrector):
    with bench(examination, case, corrector) as at:
        parts = at.click()
    assert list(parts) == PARTS
    assert all(seconds >= 0 for seconds in parts.values())
    assert sum(parts[name] for name in PARTS[:-1]) == pytest.approx(parts["click"])
    assert min(parts["cut"], parts["network"], parts["write"]) > 0


def test_what_is_timed_changes_the_segment_as_clicks_of_a_user_do(examination, case, corrector):
    with bench(examination, case, corrector) as at:
        clicks = [at.next_click() for _ in range(3)]
        for click in clicks:
            at.correction.place(click)
        timed_mask = at.correction.session.mask.read(case.grid.box)
    with HeadlessScene() as headless:
        nodes = tuple(add_volume(headless.scene, v, name) for name, v in case.sequences.items())
        segment = add_segmentation(headless.scene, nodes[0], "tumour")
        mask = SegmentMask(*segment, nodes[0])
        mask.fill(examination.ball(case.grid))
        correction = correct_segment(nodes, segment, corrector)
        for click in clicks:
            correction.place(click)
        np.testing.assert_array_equal(timed_mask, mask.read(case.grid.box))
    assert not np.array_equal(timed_mask, examination.ball(case.grid))


def test_undo_takes_back_all_that_was_timed(examination, case, corrector):
    with bench(examination, case, corrector) as at:
        at.click()
        at.round()
        assert len(at.correction.session.clicks) == 1 + A_ROUND
        assert not at.correction.pending
        at.undo()
        at.undo()
        np.testing.assert_array_equal(
            at.correction.session.mask.read(case.grid.box), examination.ball(case.grid)
        )


def test_lines_of_the_table_have_as_many_values_as_were_asked_for(examination, case, corrector):
    with bench(examination, case, corrector) as at:
        rows = {row.what: len(row.values) for row in click_times(at, 4)}
        assert rows == dict.fromkeys([*PARTS, "undo"], 4) | {
            "round of 10 clicks at once": 1,
            "undo of a round of 10": 1,
        }
        assert len(long_session(at, 5).values) == 5


def test_clicks_are_the_same_every_time_and_lie_near_the_border_of_the_ball(examination, case, corrector):
    with bench(examination, case, corrector) as first, bench(examination, case, corrector) as second:
        clicks = [first.next_click() for _ in range(30)]
        assert clicks == [second.next_click() for _ in range(30)]
    for click in clicks:
        distance = np.linalg.norm(np.subtract(click.position_ras, examination.site_ras))
        # Up to 1.5 mm off the border, and moved into the middle of a slice of 1.5 mm.
        assert RADIUS_MM - 1.5 - 0.75 <= distance <= RADIUS_MM + 1.5 + 0.75
        slice_number = case.grid.ras_to_ijk(click.position_ras)[2]
        assert slice_number == pytest.approx(round(slice_number), abs=1e-6)
