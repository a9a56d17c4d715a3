"""A worklist on the page, of which somebody else has cases open too."""

import asyncio
import csv
import json
import shutil

import numpy as np
import pytest
from bright_ball import ball, ball_volume, write_image
from source_series import write_slices
from VSClickCorrectApp.logic.clicks_logic import ClicksLogic
from VSClickCorrectApp.logic.files_logic import FilesLogic
from VSClickCorrectApp.logic.worklist_logic import WorklistLogic
from VSClickCorrectApp.uploads import Uploads
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.workflow.just_shown import SEEN_S
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.worklist.worklist import Worklist


@pytest.fixture
def folder(tmp_path):
    """Two cases with a mask each."""
    for name in ("one", "two"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        write_image(tmp_path / "cases" / name / "T1ce.nii.gz", ball_volume().array)
        write_image(tmp_path / "cases" / name / "mask.nii.gz", ball(radius=5.0).astype(np.uint8))
    return tmp_path


def worklist(folder, annotator):
    return Worklist.open(folder / "cases", folder / "results", annotator)


@pytest.fixture
def page(parts):
    parts.logic = WorklistLogic(parts.server, parts.host, parts.flow)
    parts.shown = parts.logic.typed_state.data
    return parts


async def done(action, *arguments):
    """Let the page do something, and wait for the tasks in which it does."""
    action(*arguments)
    await asyncio.wait_for(asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()})), 60)


async def asked(page, action, *arguments):
    """Let the page do something, wait until it asks, and return what."""
    action(*arguments)
    for _ in range(2000):
        if page.host.typed_state.data.text:
            break
        await asyncio.sleep(0.005)
    return page.host.typed_state.data.text


def click(page):
    """Exclude the middle of the image."""
    page.workbench.under_way.place(Click(tuple(page.workbench.case.mask.grid.center_ras), ClickKind.EXCLUDE))


def test_a_case_that_somebody_else_has_is_taken_over_only_on_purpose(page, folder):
    mine, theirs = worklist(folder, "AB"), worklist(folder, "CD")

    async def day():
        await page.flow.worklist.begin(mine)
        theirs.go_to("two")
        question = await asked(page, page.logic.go_to, "two")
        assert question.startswith("Case two is open with CD on ") and "Take it over?" in question
        await done(page.host.answer, False)
        assert page.shown.current == page.workbench.case.name == "one"
        assert "1 open with others" in page.shown.progress
        await asked(page, page.logic.go_to, "two")
        await done(page.host.answer, True)
        assert page.shown.current == page.workbench.case.name == "two"
        assert page.host.typed_state.data.text == ""

    asyncio.run(day())
    assert mine.current.name == "two"


@pytest.mark.parametrize("verb", ["next", "previous", "done", "skip"])
def test_who_lost_a_case_is_asked_before_it_is_left(page, folder, verb):
    mine, theirs = worklist(folder, "AB"), worklist(folder, "CD")

    async def day():
        await page.flow.worklist.begin(mine)
        await done(page.logic.go_to, "two")
        click(page)
        before = page.workbench.values()
        theirs.go_to("two", take_over=True)
        question = await asked(page, getattr(page.logic, verb))
        assert question.startswith("Case two was taken over by CD on ") and "Leave it?" in question
        await done(page.host.answer, False)
        assert page.shown.current == page.workbench.case.name == "two"
        np.testing.assert_array_equal(page.workbench.values(), before)
        await asked(page, getattr(page.logic, verb))
        await done(page.host.answer, True)
        assert page.shown.current == page.workbench.case.name == "one"

    asyncio.run(day())
    assert theirs.current.name == "two"
    assert mine.record("two").state.value == "in work"


def test_a_click_on_a_case_that_was_lost_changes_neither_the_mask_nor_the_journal(page, folder):
    mine, theirs = worklist(folder, "AB"), worklist(folder, "CD")

    async def day():
        await page.flow.worklist.begin(mine)
        theirs.go_to("one", take_over=True)

    asyncio.run(day())
    mask, text = page.workbench.case.mask, mine.opened.journal_path.read_text()
    before = mask.read(mask.grid.box)
    page.workbench.under_way.place(Click(tuple(mask.grid.center_ras), ClickKind.EXCLUDE))
    assert page.message.is_error and page.message.message.startswith("Case one was taken over by CD on ")
    np.testing.assert_array_equal(mask.read(mask.grid.box), before)
    assert mine.opened.journal_path.read_text() == text


def sent(page, folder, **files):
    """The page's files, with these sent by a browser."""
    uploads = Uploads()
    for slot, path in files.items():
        content = (folder / path).read_bytes()
        uploads.begin(slot, path.rpartition("/")[2], len(content))
        uploads.part(slot, 0, content)
        uploads.check(slot)
    return FilesLogic(page.server, page.host, page.flow, page.status, uploads)


def test_files_that_are_opened_leave_the_worklist_s_case_and_do_not_become_it(page, folder):
    mine = worklist(folder, "AB")
    values = ball(radius=3.0)
    write_image(folder / "other-mask.nii.gz", values.astype(np.uint8))
    files = sent(page, folder, t1ce="cases/two/T1ce.nii.gz", mask="other-mask.nii.gz")

    async def day():
        await page.flow.worklist.begin(mine)
        click(page)
        await done(files.open)
        assert page.message.message.startswith("Case one of the worklist was kept and left. Ready")
        assert (mine.current, page.shown.current) == (None, "")
        assert page.workbench.case.name == "T1ce.nii.gz"
        await done(page.logic.done)
        assert page.message.is_error and page.message.message.startswith("No case is open")
        await done(page.logic.go_to, "one")

    asyncio.run(day())
    assert mine.record("one").clicks == 1
    assert not mine.label_path("one").exists()
    assert len(page.workbench.under_way.session.clicks) == 1


@pytest.mark.parametrize("sure", [True, False])
def test_scans_of_two_patients_that_are_sent_are_used_together_only_on_purpose(page, folder, sure):
    for slot, patient in (("t1ce", "P-1"), ("t2", "P-2")):
        write_slices(folder / slot, ball_volume(t2=slot == "t2"), patient=patient)
        shutil.make_archive(str(folder / slot), "zip", folder / slot)
    files = sent(page, folder, t1ce="t1ce.zip", t2="t2.zip")

    async def day():
        question = await asked(page, files.open)
        assert question.startswith("The T1ce is of patient 'P-1' and the T2 of 'P-2'.")
        await done(page.host.answer, sure)

    asyncio.run(day())
    said = "are taken for one patient's" if sure else "were not taken for one patient's"
    assert said in page.message.message
    assert (page.message.is_error, page.workbench.nodes is None) == (not sure, not sure)


@pytest.mark.parametrize("verb", ["next", "previous", "go_to"])
def test_work_on_files_that_were_opened_goes_for_another_case_only_after_a_question(page, folder, verb):
    mine = worklist(folder, "AB")
    arguments = ("one",) if verb == "go_to" else ()

    async def day():
        await page.flow.worklist.begin(mine)
        await done(page.logic.next)
        assert await page.flow.worklist.leave()
        page.workbench.open(OpenedCase("sent", ball_volume(), None, ball(radius=5.0)))
        await page.workbench.begin()
        click(page)
        question = await asked(page, getattr(page.logic, verb), *arguments)
        assert question.startswith("What was done on this case was not saved: 1 click")
        await done(page.host.answer, False)
        assert page.workbench.case.name == "sent" and len(page.flow.clicks.rows) == 1
        await asked(page, getattr(page.logic, verb), *arguments)
        await done(page.host.answer, True)
        assert page.workbench.case.name in ("one", "two")

    asyncio.run(day())


def test_a_mask_from_a_file_does_not_go_onto_a_worklist_s_case(page, folder):
    mine = worklist(folder, "AB")
    write_image(folder / "other-mask.nii.gz", ball(radius=3.0).astype(np.uint8))
    files = sent(page, folder, mask="other-mask.nii.gz")

    async def day():
        await page.flow.worklist.begin(mine)
        before = page.workbench.case.mask.read(page.workbench.case.mask.grid.box)
        await done(files.open)
        assert page.message.is_error
        assert page.message.message.startswith("Case one of the worklist takes no mask from a file")
        np.testing.assert_array_equal(
            page.workbench.case.mask.read(page.workbench.case.mask.grid.box), before
        )

    asyncio.run(day())
    assert mine.current.name == "one"


def test_a_page_that_shows_another_image_than_the_case_s_writes_no_label(page, folder):
    mine = worklist(folder, "AB")

    async def day():
        await page.flow.worklist.begin(mine)
        page.workbench.open(OpenedCase("two", ball_volume(), None, ball(radius=3.0)))
        await page.workbench.begin()
        await done(page.logic.done)
        assert "made on the images of two, not on those of case one" in page.message.message

    asyncio.run(day())
    assert not mine.label_path("one").exists()


def test_done_right_after_a_click_tells_of_that_click_everywhere(page, folder):
    waiting = []
    page.host.later = lambda seconds, action: seconds < 1 and waiting.append(action)  # as on the page
    mine = worklist(folder, "AB")

    async def day():
        await page.flow.worklist.begin(mine)
        for action in waiting:
            action()
        click(page)
        page.logic.done()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        for action in waiting:
            action()

    asyncio.run(day())
    label = mine.label_path("one")
    sidecar = json.loads(label.with_name(label.name.replace(".nii.gz", ".json")).read_text())[
        "VSClickCorrect"
    ]
    with (mine.store.output / "summary.csv").open(newline="") as stream:
        row = next(row for row in csv.DictReader(stream) if row["case"] == "one")
    assert [sidecar["clicks"], mine.record("one").clicks, int(row["clicks"])] == [1, 1, 1]
    assert sidecar["models"] == list(mine.record("one").models) != []
    assert mine.record("two").clicks == 0


def test_a_click_on_a_done_case_reopens_it_before_the_views_have_drawn_it(page, folder):
    mine = worklist(folder, "AB")

    async def day():
        await page.flow.worklist.begin(mine)
        await done(page.logic.done)
        await done(page.logic.go_to, "one")
        assert mine.record("one").state.value == "done"
        page.host.later = lambda seconds, action: None  # killed before it comes
        click(page)

    asyncio.run(day())
    record = worklist(folder, "CD").record("one")
    assert (record.state.value, record.clicks) == ("in work", 1)


@pytest.mark.parametrize("verb", ["done", "no_tumour"])
def test_no_label_is_written_of_a_mask_that_came_while_another_was_asked_about(page, folder, verb):
    mine = worklist(folder, "AB")

    async def day():
        await page.flow.worklist.begin(mine)
        await begin_anew(ball(radius=1.0))
        await asyncio.sleep(SEEN_S)
        question = await asked(page, getattr(page.logic, verb))
        # As the search does that was begun before.
        await begin_anew(ball(radius=6.0))
        await done(page.host.answer, True)
        assert question and page.workbench.case.name == "one"
        assert page.message.is_error and "the mask was changed while" in page.message.message.lower()

    async def begin_anew(values):
        page.workbench.restart(values)
        await page.workbench.begin()

    asyncio.run(day())
    assert mine.record("one").state.value == "in work"


def test_a_comment_that_comes_late_is_not_kept_with_the_next_case(page, folder):
    mine = worklist(folder, "AB")

    async def day():
        await page.flow.worklist.begin(mine)
        page.logic.comment("sharp", "one")
        assert mine.record("one").comment == "sharp"
        await done(page.logic.next)
        page.logic_comment("sharp border", "one")

    page.logic_comment = page.host.bound(page.logic.comment)
    asyncio.run(day())
    assert page.shown.current == "two"
    assert (mine.record("two").comment, page.flow.worklist.comment) == ("", "")
    assert page.message.is_error and "case one was closed already" in page.message.message


def test_an_answer_counts_for_the_question_that_the_page_showed(page):
    async def day():
        questions, answers = ("First?", "Second?"), []

        async def asking():
            for question in questions:
                answers.append(await page.host.confirm(question))

        task = asyncio.ensure_future(asking())
        await asyncio.sleep(0)
        first = page.host.typed_state.data.number
        page.host.answer(True, first)
        await asyncio.sleep(0.01)
        # Pressed once more before the page showed the second one.
        page.host.answer(True, first)
        await asyncio.sleep(0.01)
        assert (answers, page.host.typed_state.data.text) == ([True], "Second?")
        page.host.answer(False, page.host.typed_state.data.number)
        await task
        assert answers == [True, False]

    asyncio.run(day())


def test_clicks_and_undo_that_were_meant_for_the_case_before_leave_the_next_one_alone(
    page, folder, slicer_app
):
    mine = worklist(folder, "AB")
    clicks = ClicksLogic(page.server, slicer_app, page.host, page.flow)

    async def day():
        await page.flow.worklist.begin(mine)
        await done(page.logic.go_to, "two")
        click(page)
        await done(page.logic.go_to, "one")
        page.host.note_seen(page.host.opening.data.number)
        await done(page.logic.go_to, "two")
        before, middle = page.workbench.values(), tuple(page.workbench.case.mask.grid.center_ras)
        clicks.place(middle)
        for late in (clicks.undo, clicks.next_round):
            late()
            assert page.message.is_error and "meant for the case or mask before" in page.message.message
        clicks.remove(1)
        np.testing.assert_array_equal(page.workbench.values(), before)
        assert len(page.workbench.session.clicks) == 1
        page.host.note_seen(page.host.opening.data.number)
        clicks.undo()
        assert page.workbench.session.clicks == []

    asyncio.run(day())


@pytest.mark.parametrize("decision", ["done", "skip", "no_tumour"])
def test_a_case_is_not_decided_on_by_a_press_that_was_meant_for_the_one_before(
    page, folder, slicer_app, decision
):
    mine = worklist(folder, "AB")
    ClicksLogic(page.server, slicer_app, page.host, page.flow)

    async def day():
        await page.flow.worklist.begin(mine)
        page.host.note_seen(page.host.opening.data.number)
        await done(page.logic.go_to, "two")
        await asyncio.sleep(1.5 * SEEN_S)
        await done(getattr(page.logic, decision))
        assert page.message.is_error and "meant for the case or mask before" in page.message.message
        assert mine.record("two").state.value == "in work" and page.host.typed_state.data.text == ""

    asyncio.run(day())


def test_the_list_tells_which_label_lacks_its_dicom(page, tmp_path):
    for name in ("VS-1", "VS-2"):
        write_slices(tmp_path / "cases" / name / "t1_mpr", ball_volume(), patient=name)
    opened = worklist(tmp_path, "AB")
    opened.go_to("VS-1")
    opened.done(ball(), ball_volume().grid, "VS-1")
    (tmp_path / "results" / "dicom" / "sub-VS1" / "report.dcm").unlink()
    asyncio.run(page.flow.worklist.begin(opened))
    assert [(row["name"], row["state"], row["more"]) for row in page.shown.rows] == [
        ("VS-1", "done", "; its DICOM objects are missing; open it to write them"),
        ("VS-2", "in work", ""),
    ]
