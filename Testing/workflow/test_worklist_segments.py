"""Segments beside the one of a worklist's case: they neither take its work's place unseen nor its clicks."""

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import CorrectionError, WorklistError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.inference.parts import FoundParts
from VSClickCorrectLib.measure.tumour_parts import EXTRAMEATAL, PARTS
from VSClickCorrectLib.mrml.part_segments import put_parts
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.session import start_mask
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import restored
from VSClickCorrectLib.worklist.worklist import Worklist


@pytest.fixture
def own(opened, flow):
    return flow.workbench.segment


@pytest.fixture
def beside(own):
    """An empty segment beside the case's own."""
    return own[0], own[0].GetSegmentation().AddEmptySegment("", "beside")


@pytest.fixture
def choose(flow, host):
    """Choose a segment as the window's selector does, and correct it."""

    def choose(segment):
        bench = flow.workbench
        host.run(bench.choose(bench.volumes, segment, bench.settings))
        if bench.correction is None:
            host.run(bench.correct())

    return choose


def test_work_on_the_case_s_segment_does_not_go_when_another_one_is_chosen(
    flow, opened, own, beside, choose, host, border
):
    bench = flow.workbench
    for click in border[:2]:
        bench.correction.place(click)
    corrected, journal = bench.values(), opened.opened.journal_path.read_bytes()
    choose(beside)
    assert bench.correction is None
    assert host.status.startswith("The work on case case1 is on its segment 'case1'; choose that one")
    assert opened.opened.journal_path.read_bytes() == journal
    with pytest.raises(WorklistError, match="is on its segment 'case1'"):
        host.start(flow.worklist.done())
    choose(own)
    assert len(bench.correction.rows) == 2
    choose(beside)
    host.run(flow.worklist.next())
    host.run(flow.worklist.go_to("case1"))
    np.testing.assert_array_equal(bench.values(), corrected)


def test_no_segment_chosen_is_no_empty_mask_of_a_case_with_work(flow, opened, choose, host, border):
    flow.workbench.correction.place(border[0])
    choose((None, ""))
    with pytest.raises(WorklistError, match="is on its segment 'case1'"):
        host.start(flow.worklist.done())
    assert host.questions == []


def test_as_long_as_nothing_was_done_one_may_look_at_another_and_come_back(
    flow, opened, own, beside, choose, host, start
):
    host.answers.append(True)
    choose(beside)
    assert not flow.workbench.values().any()
    choose(own)
    np.testing.assert_array_equal(flow.workbench.values(), start)
    assert flow.workbench.correction.rows == []


def test_the_mask_with_which_a_case_came_goes_only_after_a_question(
    flow, opened, own, beside, choose, host, start
):
    bench = flow.workbench
    host.answers += [False, False]
    choose(beside)
    assert set(host.questions) == {
        "Segment 'beside' takes the place of 'case1' as the mask of this case. Go on?"
    }
    assert host.status == "Segment 'case1' stays the mask of this case; choose it to correct it."
    assert bench.correction is None
    with pytest.raises(CorrectionError, match="no segment is being corrected"):
        host.start(flow.worklist.done())
    host.run(flow.worklist.next())
    host.run(flow.worklist.go_to("case1"))
    np.testing.assert_array_equal(bench.values(), start)


def test_an_empty_mask_makes_room_without_a_question(flow, opened, own, beside, choose, host):
    host.answers.append(True)
    choose(beside)
    choose(own)
    assert len(host.questions) == 1


def test_another_that_takes_the_place_takes_no_clicks_with_it(
    flow, opened, own, beside, choose, host, border, small
):
    bench = flow.workbench
    bench.correction.place(border[0])
    own[0].GetSegmentation().RemoveSegment(own[1])
    host.pass_time()
    choose(beside)
    assert (bench.correction.rows, bench.correction.next_undo) == ([], None)
    inside = Click(tuple(small.grid.index_to_ras(np.argwhere(small.truth)[0])), ClickKind.INCLUDE)
    assert bench.correction.place(inside) is not None
    corrected = bench.values()
    events = Journal(opened.opened.journal_path).events
    np.testing.assert_array_equal(restored(events, small.grid), corrected)
    host.run(flow.worklist.next())
    host.run(flow.worklist.go_to("case1"))
    np.testing.assert_array_equal(bench.values(), corrected)
    assert len(bench.correction.rows) == 1


def draw(segment, reference):
    drawn = Box((0, 0, 0), (1, 1, 2))
    SegmentMask(*segment, reference).write(drawn, np.ones(drawn.shape, bool))


def test_a_scattered_one_that_takes_the_place_comes_back_after_a_crash(
    flow, host, opened, choose, folder, small, monkeypatch
):
    # As of one that reaches over a whole head.
    monkeypatch.setattr(start_mask, "LARGEST_BOX", 0)
    host.run(flow.worklist.done())
    host.run(flow.worklist.go_to("case1"))
    bench = flow.workbench
    other = bench.segment[0], bench.segment[0].GetSegmentation().AddEmptySegment("", "other")
    draw(other, bench.reference)
    host.answers.append(True)
    choose(other)
    inside = Click(tuple(small.grid.index_to_ras(np.argwhere(small.truth)[0])), ClickKind.INCLUDE)
    assert bench.correction.place(inside) is not None
    # The label is the segment before; nobody has kept this one.
    again = Worklist.open(folder / "cases", folder / "results", "AB")
    images = again.go_to("case1", take_over=True).load()
    np.testing.assert_array_equal(again.opened.saved_mask(images.grid, images), bench.values())
    again.close()


LEAVING = (
    "What was drawn beside the mask of case case1 is not kept with it and goes from the scene: segment "
    "'beside'. To keep it, cancel and save it to a file first. Go on?"
)


@pytest.mark.parametrize("yes", [False, True])
@pytest.mark.parametrize("verb", ["next", "done", "skip", "leave"])
def test_a_segment_beside_the_mask_goes_with_the_case_only_after_a_question(
    flow, opened, beside, host, verb, yes
):
    # An empty one is nothing to ask about.
    beside[0].GetSegmentation().AddEmptySegment("", "nothing")
    draw(beside, flow.workbench.reference)
    host.answers.append(yes)
    host.run(getattr(flow.worklist, verb)())
    assert host.questions == [LEAVING]
    assert (beside[0].GetScene() is None) is yes
    assert (flow.worklist.current is not None and flow.worklist.current.name == "case1") is not yes
    decided = {"done": "done", "skip": "skipped"}.get(verb, "todo")
    assert opened.record("case1").state.value == (decided if yes else "in work")


def test_parts_that_were_painted_go_with_the_case_only_after_a_question(flow, opened, own, host):
    box = flow.workbench.session.mask.extent()
    numbers = np.where(flow.workbench.session.mask.read(box), 1, 0).astype(np.uint8)
    numbers[:, :, : box.shape[2] // 2] *= 2
    put_parts(own[0], flow.workbench.reference, FoundParts(PARTS, box, numbers))
    host.run(flow.worklist.next())
    host.run(flow.worklist.go_to("case1"))
    # As a network found them they can be found again.
    assert host.questions == [] and own[0].GetScene() is None
    own = flow.workbench.segment
    ids = put_parts(own[0], flow.workbench.reference, FoundParts(PARTS, box, numbers))
    name = own[0].GetSegmentation().GetSegment(ids[EXTRAMEATAL]).GetName()
    painted = SegmentMask(own[0], ids[EXTRAMEATAL], flow.workbench.reference)
    where = Box(box.start, tuple(n + 1 for n in box.start))
    painted.write(where, ~painted.read(where))
    host.answers.append(False)
    host.run(flow.worklist.next())
    assert host.questions == [LEAVING.replace("beside'", f"{name}'")]
    assert own[0].GetScene() is not None and flow.worklist.current.name == "case1"


def test_another_segmentation_of_the_case_goes_only_after_a_question_too(
    flow, opened, own, host, headless, choose
):
    images = flow.workbench.reference
    mine = add_segmentation(headless.scene, images, "mine")
    beside = mine[0], mine[0].GetSegmentation().AddEmptySegment("", "beside")
    draw(mine, images)
    draw(beside, images)
    host.answers += [True, False]
    choose(mine)
    host.run(flow.worklist.next())
    # What is corrected is kept as the case's mask.
    assert host.questions[1:] == [LEAVING]
    assert flow.worklist.current.name == "case1" and mine[0].GetScene() is not None


def test_what_is_chosen_and_not_corrected_is_kept_nowhere_and_asked_about(flow, opened, host, headless):
    bench = flow.workbench
    mine = add_segmentation(headless.scene, bench.reference, "beside")
    draw(mine, bench.reference)
    bench.choose_segment(*mine)
    assert bench.correction is None
    host.answers.append(False)
    host.run(flow.worklist.next())
    assert host.questions == [LEAVING]
    assert mine[0].GetScene() is not None


@pytest.mark.parametrize(
    ("why", "verb"), [("no packages", "next"), ("no models", "leave"), ("ended", "close")]
)
def test_what_was_painted_in_the_case_s_segment_is_kept_though_nothing_corrects_it(
    flow, host, folder, small, tmp_path, why, verb
):
    host.packages = why != "no packages"
    worklist = Worklist.open(folder / "cases", folder / "results", "AB")
    host.run(flow.worklist.begin(worklist))
    bench = flow.workbench
    if why == "no models":
        flow.networks.choice, flow.networks.corrector = Choice(str(tmp_path), "", "cpu"), None
        host.run(bench.follow())
    elif why == "ended":
        bench.stop()
    assert bench.correction is None
    SegmentMask(*bench.segment, bench.reference).write(small.grid.box, small.truth)
    went = getattr(flow.worklist, verb)()
    if verb != "close":
        host.run(went)
    assert host.questions == []
    assert worklist.record("case1").state.value == "in work"
    worklist.go_to("case1")
    np.testing.assert_array_equal(worklist.opened.saved_mask(small.grid), small.truth)
    worklist.close()


def test_a_case_at_which_one_looks_without_networks_is_as_it_was(flow, host, folder):
    host.packages = False
    worklist = Worklist.open(folder / "cases", folder / "results", "AB")
    host.run(flow.worklist.begin(worklist))
    host.run(flow.worklist.leave())
    assert worklist.record("case1").state.value == "todo"
    assert worklist.store.kept_mask("case1") is None
