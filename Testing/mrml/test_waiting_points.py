"""Points of clicks that wait, which somebody names or moves in the Markups module, while nothing listens."""

import pytest
from placed_points import ELSEWHERE, INCLUDE, OUTSIDE, SITE, TUMOUR, points
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.persistence import save_scene


@pytest.fixture
def left(correct, heard):
    """The list of include points in which two clicks wait, that at SITE first; the correction was left."""
    correction = correct(later=heard.later)
    correction.mode.collecting = True
    for position in (SITE, ELSEWHERE):
        correction.place(Click(position, INCLUDE))
    correction.close()
    return correction.click_node(INCLUDE)


@pytest.mark.parametrize("name", ["lower border", "F 7", ""])
def test_a_waiting_click_whose_point_was_renamed_still_waits(left, correct, mask, heard, name):
    left.SetNthControlPointLabel(0, name)
    again = correct(later=heard.later)
    assert [click.position_ras for click in again.pending] == [pytest.approx(SITE), pytest.approx(ELSEWHERE)]
    assert again.mode.collecting and heard.errors == []
    again.remove(2)
    again.apply_collected()
    assert mask.extent() == TUMOUR
    # What was applied waits no more, whatever its point is called.
    left.SetNthControlPointLabel(0, name)
    again.close()
    assert correct(later=heard.later).pending == []


def test_a_renamed_point_that_waits_for_another_segment_stays_hidden_until_it_is_its_turn(
    left, correct, segment, volume_node, oracle
):
    left.SetNthControlPointLabel(0, "lower border")
    second = segment[0], segment[0].GetSegmentation().AddEmptySegment("", "second")
    other = correct_segment((volume_node, None), second, oracle)
    assert other.pending == []
    assert [left.GetNthControlPointVisibility(n) for n in range(left.GetNumberOfControlPoints())] == [
        False
    ] * 2
    other.close()
    assert len(correct().pending) == 2


def test_a_renamed_point_still_waits_once_its_scene_was_saved(left, segment, scene, oracle, tmp_path):
    left.SetNthControlPointLabel(0, "lower border")
    save_scene(scene, tmp_path / "work.mrb")
    with HeadlessScene() as loaded:
        loaded.scene.ReadFromMRB(str(tmp_path / "work.mrb"), True)
        volume = loaded.scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
        place = loaded.scene.GetFirstNodeByName("tumour"), segment[1]
        again = correct_segment((volume, None), place, oracle)
        assert [click.position_ras for click in again.pending] == [
            pytest.approx(SITE, abs=0.01),
            pytest.approx(ELSEWHERE, abs=0.01),
        ]
        again.close()


def test_a_new_point_that_got_the_id_of_one_that_waited_elsewhere_is_a_click_here(
    left, correct, segment, volume_node, oracle
):
    left.RemoveAllControlPoints()
    left.SetLastUsedControlPointNumber(0)
    left.AddControlPointWorld(*SITE)
    second = segment[0], segment[0].GetSegmentation().AddEmptySegment("", "second")
    other = correct_segment((volume_node, None), second, oracle)
    assert [click.position_ras for click in other.pending] == [pytest.approx(SITE)]
    other.close()


def test_a_waiting_point_that_was_moved_out_of_the_image_goes_with_a_sentence(
    left, correct, segment, mask, heard
):
    left.SetNthControlPointPositionWorld(1, *OUTSIDE)
    again = correct(later=heard.later)
    assert heard.errors == []
    heard.pass_on()
    assert [str(error) for error in heard.errors] == [
        "the point at R 900.0, A 0.0, S 0.0 mm lies outside the image; click inside it."
    ]
    assert [row.voxels for row in again.rows] == [None] and points(segment) == [("include", SITE)]
    again.apply_collected()
    assert mask.extent() == TUMOUR
