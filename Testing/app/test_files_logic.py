"""Sessions that were saved and are opened again on the page, and what downloads are called."""

import asyncio
import re
import time
from threading import Event
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from bright_ball import CENTER, GRID, RADIUS_MM, ball, ball_volume, write_image
from source_series import write_segmentation_of, write_slices
from VSClickCorrectApp.logic.files_logic import FilesLogic
from VSClickCorrectApp.uploads import Uploads
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.images import read_mask, read_volume
from VSClickCorrectLib.mrml.part_segments import TAG
from VSClickCorrectLib.mrml.persistence import save_scene
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.workflow.origin import Origin

START = ball(radius=5.0)


@pytest.fixture
def page(parts):
    parts.uploads = Uploads()
    parts.logic = FilesLogic(parts.server, parts.host, parts.flow, parts.status, parts.uploads)
    parts.shown = parts.logic.typed_state.data
    parts.workbench.open(OpenedCase("A b.nii.gz", ball_volume(), None, START))
    asyncio.run(parts.workbench.begin())
    yield parts
    parts.uploads.close()


@pytest.fixture
def session(page):
    """Two clicks in two rounds; the mask, and the journal as it is downloaded."""
    correction = page.workbench.under_way
    correction.place(Click((CENTER[0] + RADIUS_MM, *CENTER[1:])))
    page.flow.clicks.next_round()
    correction.place(Click((CENTER[0], CENTER[1] + 12, CENTER[2]), ClickKind.INCLUDE))
    assert len(correction.rows) == 2
    return page.workbench.values(), correction.session.journal.text


@pytest.fixture
def browser(parts, monkeypatch):
    """Takes what is downloaded."""
    protocol = SimpleNamespace(addAttachment=lambda content: content, push_state_change=lambda state: None)
    monkeypatch.setattr(type(parts.server), "protocol", protocol)


def send(page, slot, name, content):
    page.uploads.begin(slot, name, len(content))
    page.uploads.part(slot, 0, content)


def open_sent(page):
    async def opening():
        page.logic.open()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    asyncio.run(opening())


def check_goes_on(page, left):
    """The mask, clicks and rounds are there, and undo leads back to the start."""
    np.testing.assert_array_equal(page.workbench.values(), left)
    assert [row.round for row in page.flow.clicks.rows] == [1, 2] and page.flow.clicks.round == 2
    assert not page.flow.unsaved.there
    while page.flow.clicks.next_undo:
        page.flow.clicks.undo()
    np.testing.assert_array_equal(page.workbench.values(), START)


def test_a_session_goes_on_with_its_images_and_journal(page, session, tmp_path):
    left, journal = session
    page.flow.unsaved.note_saved()
    send(page, "t1ce", "VS 7.nii.gz", write_image(tmp_path / "t1.nii.gz", ball_volume().array).read_bytes())
    send(page, "journal", "VS-7-journal.jsonl", journal.encode())
    open_sent(page)
    assert (page.shown.case, page.shown.stem) == ("VS 7.nii.gz", "VS-7")
    check_goes_on(page, left)


def test_a_session_goes_on_with_its_scene(page, session, tmp_path):
    left, _journal = session
    scene = tmp_path / "VS 7.mrb"
    save_scene(page.workbench.nodes.segmentation.GetScene(), scene)
    page.flow.unsaved.note_saved()
    page.workbench.open(OpenedCase("another", ball_volume(), None, None))
    send(page, "scans", "VS 7.mrb", scene.read_bytes())
    open_sent(page)
    assert (page.shown.case, page.shown.stem) == ("VS 7.mrb", "VS-7")
    check_goes_on(page, left)


def test_a_scene_and_sequences_replace_each_other(page, tmp_path):
    """Which of them is sent last counts, and the mask of the former goes with it."""
    send(page, "t1ce", "t1.nii.gz", b"a")
    send(page, "mask", "mask.nii.gz", b"b")
    send(page, "scans", "VS 7.mrb", b"c")
    assert page.uploads.names == {"scans": "VS 7.mrb"}
    send(page, "mask", "better.nii.gz", b"d")
    assert page.uploads.names == {"scans": "VS 7.mrb", "mask": "better.nii.gz"}
    send(page, "t2", "t2.nii.gz", b"e")
    assert page.uploads.names == {"t2": "t2.nii.gz", "mask": "better.nii.gz"}


def test_a_scene_that_cannot_be_read_leaves_the_case(page):
    send(page, "scans", "VS 7.mrb", b"no scene")
    open_sent(page)
    assert page.message.message.startswith("'VS 7.mrb' is no Slicer scene that can be read")
    assert page.workbench.nodes.name == "A b.nii.gz"


def test_a_journal_alone_goes_onto_the_open_case(page, session):
    left, journal = session
    page.workbench.open(OpenedCase("again", ball_volume(), None, None))
    asyncio.run(page.workbench.begin())
    send(page, "journal", "journal.jsonl", journal.encode())
    open_sent(page)
    check_goes_on(page, left)


def test_what_was_painted_after_the_journal_counts(page, session, tmp_path):
    left, journal = session
    page.flow.unsaved.note_saved()
    painted = left.copy()
    painted[0, 0, :3] = True
    for slot, values in (("t1ce", ball_volume().array), ("mask", painted.astype(np.uint8))):
        send(page, slot, f"{slot}.nii.gz", write_image(tmp_path / f"{slot}.nii.gz", values).read_bytes())
    send(page, "journal", "journal.jsonl", journal.encode())
    open_sent(page)
    np.testing.assert_array_equal(page.workbench.values(), painted)
    assert len(page.flow.clicks.rows) == 2


@pytest.mark.parametrize("fault", ["other image", "damaged"])
def test_a_journal_that_does_not_belong_is_refused_and_the_case_stays(page, session, tmp_path, fault):
    left, journal = session
    page.flow.unsaved.note_saved()
    array = ball_volume().array + (1 if fault == "other image" else 0)
    send(page, "t1ce", "other.nii.gz", write_image(tmp_path / "other.nii.gz", array).read_bytes())
    send(page, "journal", "mine.jsonl", (journal if fault == "other image" else "{}\n" + journal).encode())
    open_sent(page)
    assert page.message.is_error and page.shown.case == "A b.nii.gz"
    assert str(page.uploads.folder) not in page.message.message
    np.testing.assert_array_equal(page.workbench.values(), left)


def test_a_mask_in_another_frame_than_the_open_case_is_told(page, tmp_path):
    series = write_slices(tmp_path / "s", ball_volume())
    mask = write_segmentation_of(series, tmp_path / "m.dcm", ball(), GRID, frame="1.2.3")
    scan = read_volume(series).scan
    page.workbench.open(OpenedCase("one", ball_volume(), None, START, Origin(None, scan)))
    page.flow.unsaved.note_saved()
    send(page, "mask", "m.dcm", mask.read_bytes())
    open_sent(page)
    assert page.message.message.startswith("Image and mask have different frames of reference; look whether")
    np.testing.assert_array_equal(page.workbench.values(), ball())


def test_a_file_that_is_no_journal_is_refused_by_its_suffix(page):
    assert not page.logic.begin("journal", "scan.nii.gz", 10)
    assert "'scan.nii.gz' is of no known kind" in page.message.message
    assert not page.logic.begin("journal", "long.jsonl", 65 << 20)
    assert "at most 64 MB" in page.message.message


def test_no_file_takes_the_place_of_one_that_is_being_read(page, tmp_path, monkeypatch):
    content = write_image(tmp_path / "t1ce.nii.gz", ball_volume().array).read_bytes()
    send(page, "t1ce", "first.nii.gz", content)
    read, begun = page.uploads.case, []

    def reading():
        begun.append(page.logic.begin("t1ce", "second.nii.gz", len(content)))
        return read()

    monkeypatch.setattr(page.uploads, "case", reading)
    open_sent(page)
    assert (begun, page.shown.case, page.message.is_error) == ([False], "first.nii.gz", False)
    assert page.logic.begin("t1ce", "second.nii.gz", len(content))


def test_nothing_is_opened_while_another_file_of_the_case_is_on_its_way(page, tmp_path):
    content = write_image(tmp_path / "t1ce.nii.gz", ball_volume().array).read_bytes()
    send(page, "t1ce", "t1ce.nii.gz", content)
    page.uploads.begin("mask", "mask.nii.gz", 10)
    open_sent(page)
    assert page.message.is_error and page.message.message.startswith("'mask.nii.gz' is still on its way")
    assert (page.shown.case, page.shown.busy) == ("A b.nii.gz", False)
    page.uploads.discard("mask")
    open_sent(page)
    assert page.shown.case == "t1ce.nii.gz"


@pytest.mark.parametrize("sure", [True, False])
@pytest.mark.parametrize("slot", ["t1ce", "mask"])
def test_what_was_done_while_files_were_read_goes_only_after_a_question(
    page, tmp_path, monkeypatch, slot, sure
):
    values = ball_volume().array if slot == "t1ce" else ball(radius=3.0).astype(np.uint8)
    send(page, slot, "sent.nii.gz", write_image(tmp_path / "sent.nii.gz", values).read_bytes())
    begun, asked = Event(), []
    name = {"t1ce": "case", "mask": "mask"}[slot]
    read = getattr(page.uploads, name)

    def reading(*grid):
        begun.set()
        time.sleep(0.3)
        return read(*grid)

    async def confirm(question):
        asked.append(question)
        return sure

    async def meanwhile():
        page.logic.open()
        while not begun.is_set():
            await asyncio.sleep(0.01)
        page.workbench.under_way.place(Click((CENTER[0] + RADIUS_MM, *CENTER[1:])))
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    monkeypatch.setattr(page.uploads, name, reading)
    monkeypatch.setattr(page.host, "confirm", confirm)
    asyncio.run(meanwhile())
    assert len(asked) == 1 and "was not saved: 1 click" in asked[0]
    assert len(page.flow.clicks.rows) == (0 if sure else 1)
    assert page.message.is_error is not sure and not page.shown.busy


def test_no_case_is_saved_under_the_name_of_one_that_was_closed(browser, page, session):
    assert page.logic.download("journal.jsonl", "A b.nii.gz") is not None
    page.workbench.open(OpenedCase("other", ball_volume(), None, START))
    asyncio.run(page.workbench.begin())
    assert page.logic.download("journal.jsonl", "A b.nii.gz") is None
    assert page.message.is_error and "'A b.nii.gz' was closed already" in page.message.message


def test_work_is_saved_once_the_browser_has_it_as_it_was_then(browser, page, session):
    page.logic.download("journal.jsonl")
    assert page.flow.unsaved.there
    page.logic.note_saved()
    assert not page.flow.unsaved.there
    page.logic.download("journal.jsonl")
    page.workbench.under_way.place(Click((CENTER[0] - RADIUS_MM, *CENTER[1:])))
    page.logic.note_saved()
    assert page.flow.unsaved.there


@pytest.mark.parametrize("name", ["journal.jsonl", "tumour.nii.gz", "tumour.seg.nrrd", "scene.mrb"])
def test_clicks_that_wait_are_saved_with_the_scene_alone(browser, page, session, name):
    page.workbench.mode.collecting = True
    page.workbench.under_way.place(Click((CENTER[0] - RADIUS_MM, *CENTER[1:])))
    assert page.logic.download(name) is not None
    page.logic.note_saved()
    assert page.flow.unsaved.there is (name != "scene.mrb")
    said = page.message.message.endswith(" Clicks that wait are not in it: 1; apply them first.")
    assert said is (name != "scene.mrb")
    assert page.flow.unsaved.work.startswith("3 clicks")
    page.flow.clicks.undo()
    assert page.flow.unsaved.there is (name == "scene.mrb") and page.flow.unsaved.work.startswith("2 clicks")


def test_where_to_look_for_what_was_given_to_the_browser_is_said(browser, page, session):
    page.logic.download("journal.jsonl")
    assert page.message.message == (
        "'A-b-journal.jsonl' was given to the browser; see that it is among its downloads, and save again if "
        "it is not."
    )


def test_the_journal_of_a_part_saves_nothing_of_the_tumour(browser, page, session):
    segmentation = page.workbench.segment[0]
    part = segmentation.GetSegmentation().AddEmptySegment("", "extrameatal")
    segmentation.GetSegmentation().GetSegment(part).SetTag(TAG, "extrameatal")
    asyncio.run(page.flow.parts.correct("extrameatal"))
    page.logic.download("journal.jsonl")
    page.logic.note_saved()
    assert page.flow.unsaved.there and page.shown.unsaved
    page.logic.download("tumour.nii.gz")
    page.logic.note_saved()
    assert not page.flow.unsaved.there
    page.workbench.under_way.place(Click(CENTER, ClickKind.INCLUDE))
    page.logic.download("tumour.nii.gz")
    page.logic.note_saved()
    assert page.flow.unsaved.there
    page.logic.download("scene.mrb")
    page.logic.note_saved()
    assert not page.flow.unsaved.there and page.workbench.segment == (segmentation, part)


def test_files_hold_the_tumour_whichever_part_is_corrected(browser, page, session, tmp_path):
    segmentation = page.workbench.segment[0]
    part = segmentation.GetSegmentation().AddEmptySegment("", "extrameatal")
    segmentation.GetSegmentation().GetSegment(part).SetTag(TAG, "extrameatal")
    asyncio.run(page.flow.parts.correct("extrameatal"))
    page.workbench.under_way.place(Click(CENTER, ClickKind.INCLUDE))
    (tmp_path / "mask.nii.gz").write_bytes(page.logic.download("tumour.nii.gz"))
    tumour = page.workbench.case.mask
    np.testing.assert_array_equal(
        read_mask(tmp_path / "mask.nii.gz", tumour.grid), tumour.read(tumour.grid.box)
    )
    saved = page.logic.download("tumour.seg.nrrd")
    assert re.findall(rb"Segment\d_Name:=(.*)", saved)[1:] == [b"extrameatal"]


@pytest.mark.parametrize("moved", [False, True])
def test_the_mask_of_an_image_of_no_place_names_none_until_somebody_puts_it_somewhere(
    browser, page, tmp_path, moved
):
    affine = np.diag([-0.75, -0.75, 1.5, 1.0])
    affine[0, 3] = 9.0 if moved else 0.0
    grid = Grid(START.shape, affine)
    volume = Volume(ball_volume().array, grid, sides_known=False)
    page.workbench.open(OpenedCase("no place", volume, None, START))
    asyncio.run(page.workbench.begin())
    (tmp_path / "mask.nii.gz").write_bytes(page.logic.download("tumour.nii.gz"))
    header = nib.load(tmp_path / "mask.nii.gz").header
    assert bool(header["qform_code"] or header["sform_code"]) is moved
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.nii.gz", grid), START)
