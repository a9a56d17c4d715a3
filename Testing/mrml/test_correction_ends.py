"""Corrections that end, are saved, or lose their nodes."""

import gc
import weakref

import numpy as np
import pytest
import slicer
import vtk
from placed_points import BOUNDARY, ELSEWHERE, EXCLUDE, INCLUDE, OUTSIDE, SITE, TUMOUR, points, press
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.click_nodes import ClickNodes
from VSClickCorrectLib.mrml.persistence import save_scene, store_journal, stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, has_surface, refresh_surface
from VSClickCorrectLib.mrml.start_segment import start_of
from VSClickCorrectLib.mrml.volumes import volume_of
from VSClickCorrectLib.session.journal import Journal


def test_closed_correction_leaves_no_observer(correct, heard):
    correction = correct()
    nodes = [correction.click_node(kind) for kind in ClickKind]
    # Of the other event a list of points has an observer of its own.
    removed = slicer.vtkMRMLMarkupsNode.PointRemovedEvent
    assert [node.HasObserver(removed) for node in nodes] == [1, 1, 1]
    correction.close()
    correction.close()
    assert [node.HasObserver(removed) for node in nodes] == [0, 0, 0]
    press(correction, SITE)
    assert (correction.rows, heard.changes) == ([], 0)


def test_dropped_correction_is_not_kept_alive(volume_node, segment, oracle):
    correction = correct_segment((volume_node, None), segment, oracle)
    gone, node = weakref.ref(correction), correction.click_node()
    gc.disable()
    try:
        del correction
        assert gone() is None
    finally:
        gc.enable()
    assert not node.HasObserver(slicer.vtkMRMLMarkupsNode.PointRemovedEvent)


def test_list_of_points_that_was_deleted_comes_back(scene, correct, segment, mask, heard):
    correction = correct()
    correction.place(Click(SITE, INCLUDE))
    scene.RemoveNode(correction.click_node(INCLUDE))
    assert mask.extent() == TUMOUR
    node = correction.click_node(INCLUDE)
    assert (node.GetScene() is scene, points(segment)) == (True, [("include", SITE)])
    node.RemoveNthControlPoint(0)
    assert (mask.extent(), heard.errors) == (None, [])


@pytest.mark.parametrize("what", ["volume", "segmentation", "segment"])
def test_click_after_something_was_deleted_is_an_error_and_no_more(
    scene, volume_node, segment, correct, heard, what
):
    correction = correct(later=heard.later)
    correction.place(Click(SITE, INCLUDE))
    node, segment_id = segment
    if what == "segment":
        node.GetSegmentation().RemoveSegment(segment_id)
    else:
        scene.RemoveNode(volume_node if what == "volume" else node)
    lists = [scene.GetNthNodeByClass(n, "vtkMRMLMarkupsFiducialNode") for n in range(3)]
    lists[1].AddControlPointWorld(*ELSEWHERE)
    heard.pass_on()
    assert ["removed" in str(e) or "deleted" in str(e) for e in heard.errors] == [True]
    assert len(correction.rows) == 1
    correction.tidy()
    assert correction.place(Click(ELSEWHERE, INCLUDE)) is None
    with pytest.raises(CorrectionError):
        correction.undo()
    correction.close()


def test_closed_scene_is_survived(scene, correct, heard):
    correction = correct(later=heard.later)
    correction.place(Click(SITE, INCLUDE))
    scene.Clear(False)
    heard.pass_on()
    correction.tidy()
    correction.refresh_surface()
    assert (len(correction.rows), heard.errors) == (1, [])
    assert correction.place(Click(SITE, INCLUDE)) is None
    assert "segmentation was removed" in str(heard.errors[0])
    correction.close()


def test_surface_that_a_click_dropped_is_outdated_until_it_is_made_again(correct, segment):
    correction = correct()
    correction.place(Click(SITE, INCLUDE))
    assert not correction.surface_outdated
    refresh_surface(segment[0])
    correction.undo()
    assert (correction.surface_outdated, has_surface(segment[0])) == (True, False)
    correction.redo()
    correction.refresh_surface()
    assert (correction.surface_outdated, has_surface(segment[0])) == (False, True)


def test_rounds_rows_and_undo_come_back_with_a_saved_scene(scene, correct, segment, tmp_path, oracle):
    correction = correct()
    correction.place(Click(SITE, INCLUDE))
    correction.next_round()
    correction.place(Click(ELSEWHERE, INCLUDE))
    correction.remove(2)
    correction.undo()
    rows = correction.rows
    save_scene(scene, tmp_path / "work.mrb")
    with load_scene(tmp_path / "work.mrb") as loaded:
        node = loaded.scene.GetFirstNodeByName("tumour")
        volume = loaded.scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
        again = correct_segment((volume, None), (node, segment[1]), oracle)
        assert again.session.round == 2
        assert loaded.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 3
        assert [(r.kind, r.round, r.voxels) for r in again.rows] == [
            (r.kind, r.round, r.voxels) for r in rows
        ]
        assert len(points((node, ""))) == 2
        assert again.redo().description.startswith("include click taken back, round 2")
        for _ in range(3):
            again.undo()
        assert SegmentMask(node, segment[1], volume).extent() is None
        assert start_of(node, segment[1], volume)[0].empty
        again.close()


def test_journal_is_in_the_scene_and_in_the_file_before_a_click_is_reported(
    correct, segment, tmp_path, heard
):
    path, seen = tmp_path / "journal.jsonl", []
    heard.edits = type(
        "Reading", (), {"append": lambda _, e: seen.append(path.read_text(encoding="utf-8"))}
    )()
    correction = correct(journal_path=path)
    correction.place(Click(SITE, INCLUDE))
    assert seen == [correction.session.journal.text] == [stored_journal(*segment)]
    assert len(Journal(path).events) == 2


def test_file_takes_up_the_journal_of_the_scene_and_no_other(correct, segment, tmp_path):
    path = tmp_path / "journal.jsonl"
    first = correct()
    first.place(Click(SITE, INCLUDE))
    first.close()
    second = correct(journal_path=path)
    second.undo()
    second.close()
    assert [event["event"] for event in Journal(path).events] == ["session", "edit", "undo"]
    third = correct()
    third.redo()
    third.close()
    with pytest.raises(CorrectionError, match="tells of other clicks than the scene"):
        correct(journal_path=path)


@pytest.mark.parametrize("spoil", [lambda lines: lines[1:], lambda lines: [*lines, lines[-1]]])
def test_a_damaged_journal_in_the_scene_is_not_taken_up(correct, segment, spoil):
    first = correct()
    first.place(Click(SITE, INCLUDE))
    first.close()
    text = "".join(spoil(stored_journal(*segment).splitlines(keepends=True)))
    store_journal(segment[0], text, segment[1])
    with pytest.raises(CorrectionError, match="of the journal is not what was written there"):
        correct()
    assert stored_journal(*segment) == text


def test_a_journal_in_the_scene_belongs_to_its_image(correct, segment, volume_node):
    first = correct()
    first.place(Click(SITE, INCLUDE))
    first.close()
    volume_of(volume_node).array[0, 0, 0] += 1
    with pytest.raises(CorrectionError, match="belongs to another image on the same grid"):
        correct()
    volume_of(volume_node).array[0, 0, 0] -= 1
    assert len(correct().rows) == 1


def test_long_sessions_are_stored_whole_and_piece_by_piece(scene, correct, segment):
    correction, texts = correct(), []
    node = scene.GetFirstNodeByClass("vtkMRMLTextNode")
    node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: texts.append(len(node.GetText())))
    for number in range(250):
        correction.place(Click(SITE, INCLUDE if number % 2 else EXCLUDE))
    assert stored_journal(*segment) == correction.session.journal.text
    assert len(correction.session.journal.text) > 50_000
    # The long text was touched once, not at every click.
    assert len(texts) <= 2
    again = correct()
    assert len(again.rows) == 250


def test_correction_taken_up_again_leaves_the_points_that_are_there(correct, segment, heard):
    first = correct()
    first.place(Click(SITE, INCLUDE))
    first.place(Click(SITE, INCLUDE))
    first.place(Click(ELSEWHERE, BOUNDARY))
    shown = set(ClickNodes(segment[0]).markers())
    # Were they replaced, the first correction, still open, would take every click back.
    second = correct()
    assert set(ClickNodes(segment[0]).markers()) == shown
    assert (len(second.rows), len(heard.edits)) == (3, 3)
    first.close()
    second.remove(1)
    assert points(segment) == [("boundary", ELSEWHERE), ("include", SITE)]


@pytest.mark.parametrize("seed", range(4))
def test_points_are_always_the_clicks_that_stand_or_wait(correct, segment, mask, heard, seed):
    rng, correction = np.random.default_rng(seed), correct(later=heard.later)
    places = [tuple(ras) for ras in mask.grid.index_to_ras([(4, 5, 6), (1, 4, 10), (3, 4, 5)])]
    actions = ["place", "press", "delete", "remove", "undo", "redo", "collect", "apply", "outside"]
    for _ in range(40):
        action = rng.choice(actions)
        kind, place = ClickKind(rng.choice([k.value for k in ClickKind])), places[rng.integers(3)]
        node = correction.click_node(kind)
        try:
            if action == "place":
                correction.place(Click(place, kind))
            elif action in ("press", "outside"):
                press(correction, place if action == "press" else OUTSIDE, kind)
            elif action == "delete" and node.GetNumberOfControlPoints():
                node.RemoveNthControlPoint(int(rng.integers(node.GetNumberOfControlPoints())))
            elif action == "remove":
                correction.remove(int(rng.integers(1, 5)))
            elif action == "collect":
                correction.mode.collecting = not correction.mode.collecting
            elif action == "apply":
                correction.apply_collected()
            else:
                {"undo": correction.undo, "redo": correction.redo}.get(action, correction.tidy)()
        except CorrectionError as error:
            assert any(words in str(error) for words in ("nothing to", "no click"))
        heard.pass_on()
        wanted = [*correction.session.clicks, *correction.pending]
        assert points(segment) == sorted((c.kind.value, tuple(np.round(c.position_ras, 3))) for c in wanted)
        assert [row.position_ras for row in correction.rows] == [c.position_ras for c in wanted]
    while correction.rows:
        correction.remove(len(correction.rows))
    assert mask.extent() is None
