"""Folders and archives of several series, and scenes, dropped onto the page in a real Chromium."""

import re
import shutil
from importlib.util import find_spec

import pytest
from bright_ball import GRID, ball_volume
from page_tab import ready
from source_series import write_slices
from vs_seg_files import set_headers

if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """The folder of a patient: two visits of a T1ce and a T2 each, in folders within it, and other files."""
    folder = tmp_path_factory.mktemp("dicom") / "VS 7"
    for date in ("20200102", "20210304"):
        for description, volume in (("t1_mpr post", ball_volume()), ("t2_space", ball_volume(t2=True))):
            place = write_slices(folder / date / description, volume, description=description)
            set_headers(place, StudyDate=date, StudyInstanceUID=f"1.2.{date}")
    (folder / ".DS_Store").write_bytes(b"of the system")
    (folder / "Bericht für den Patienten.txt").write_text("no image", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(serve_app, case_files, bright_models):
    return serve_app("--t1ce", case_files.t1ce, "--models", bright_models, "--device", "cpu")


@pytest.fixture(scope="module")
def tab(server, chromium):
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    tab = context.new_page()
    tab.troubles = []
    tab.on("pageerror", lambda error: tab.troubles.append(str(error)))
    tab.goto(server.url)
    expect(tab.locator("#undo")).to_be_visible(timeout=PATIENCE_MS)
    expect(tab.locator("#tool-include")).to_be_enabled(timeout=PATIENCE_MS)
    # Without it nobody listens for what is dropped; scripts come in any order.
    tab.wait_for_function("window.vsclickFolders", timeout=PATIENCE_MS)
    yield tab
    context.close()


@pytest.fixture
def page(tab):
    """The page without a dialog."""
    yield tab
    # A dialog that is only just opening hears no key.
    for _ in range(50):
        tab.keyboard.press("Escape")
        if not tab.locator("#open-files").is_visible():
            break
        tab.wait_for_timeout(100)
    expect(tab.locator("#open-files")).to_be_hidden()
    assert tab.troubles == []


def drag(page, *paths, deeds=("dragEnter", "dragOver", "drop")):
    """Drag files or folders onto the middle of the page, as from the system's own window of files."""
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for deed in deeds:
        devtools.send("Input.dispatchDragEvent", {"type": deed, "x": 400, "y": 300, "data": data})


def rows(page):
    """What the list says of each series, without the choices."""
    texts = page.locator("#series tbody tr").all()
    return [tuple(cell.inner_text() for cell in row.locator("td").all()[2:]) for row in texts]


def pressed(page):
    """The names of what is chosen."""
    chosen = page.locator("#series [aria-pressed=true]").all()
    return sorted(one.get_attribute("aria-label") for one in chosen)


def open_files(page):
    expect(page.locator("#looking")).to_have_count(0)
    page.click("#open-files")


def test_of_a_dropped_folder_two_series_are_chosen_and_opened(page, visits):
    drag(page, visits, deeds=("dragEnter", "dragOver"))
    expect(page.locator("body")).to_have_class(re.compile("vs-dropping"))
    drag(page, visits)
    expect(page.locator("#series tbody tr")).to_have_count(4, timeout=PATIENCE_MS)
    expect(page.locator("body")).not_to_have_class(re.compile("vs-dropping"))
    expect(page.locator("#sent-scans")).to_have_text("VS 7.zip")
    slices, lines, columns = GRID.shape
    assert sorted(rows(page)) == sorted(
        ("T-1", date, name, str(slices), f"{columns} × {lines}")
        for date in ("2020-01-02", "2021-03-04")
        for name in ("t1_mpr post", "t2_space")
    )
    assert pressed(page) == []
    expect(page.locator("#series .mdi-radiobox-blank")).to_have_count(2 * 4)
    open_files(page)
    expect(page.locator(".vs-problem")).to_contain_text("choose from the list which is the T1ce")
    late = page.locator("#series tbody tr", has_text="2021-03-04").filter(has_text="t1_mpr")
    late.locator("button").first.click()
    expect(page.locator("#series [aria-pressed=true]")).to_have_count(2)
    assert pressed(page) == ["T1ce: t1_mpr post", "T2: t2_space"]
    expect(page.locator("#series .mdi-radiobox-marked")).to_have_count(2)
    open_files(page)
    expect(page.locator("#case")).to_have_text("VS 7.zip", timeout=PATIENCE_MS)
    ready(page)
    expect(page.locator("#open-files")).to_be_hidden()
    expect(page.locator(".vs-over[data-view=T2]")).to_be_visible()


@pytest.mark.parametrize("event", ["dragenter", "dragover"])
def test_files_are_taken_by_what_is_under_the_pointer_before_it_moves(page, event):
    taken = page.evaluate(
        """(name) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["1"], "t1.nii.gz"));
          const event = new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true });
          document.querySelector("#undo").dispatchEvent(event);
          return event.defaultPrevented;
        }""",
        event,
    )
    assert taken


def test_a_scene_that_was_saved_is_dropped_and_goes_on_with_its_clicks(page, tmp_path):
    page.click("#tool-include")
    # Nobody clicks on what is not there yet.
    page.wait_for_function("document.querySelector('.vs-picture').naturalWidth", timeout=PATIENCE_MS)
    area = page.locator(".vs-over").first.bounding_box()
    page.mouse.click(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    expect(page.locator(".vs-click")).to_have_count(1, timeout=PATIENCE_MS)
    page.click("#save")
    with page.expect_download(timeout=PATIENCE_MS) as download:
        page.click("#save-scene-mrb")
    download.value.save_as(tmp_path / "my case.mrb")
    page.click("#undo")
    expect(page.locator(".vs-click")).to_have_count(0, timeout=PATIENCE_MS)
    drag(page, tmp_path / "my case.mrb")
    expect(page.locator("#sent-scans")).to_have_text("my case.mrb")
    open_files(page)
    expect(page.locator("#case")).to_have_text("my case.mrb", timeout=PATIENCE_MS)
    expect(page.locator(".vs-click")).to_have_count(1, timeout=PATIENCE_MS)
    expect(page.locator("#undo")).to_be_enabled()


def test_a_folder_is_chosen_in_the_dialog(page, visits):
    page.click("#open")
    page.set_input_files("#folder-scans", visits / "20200102")
    expect(page.locator("#series [aria-pressed=true]")).to_have_count(2, timeout=PATIENCE_MS)
    expect(page.locator("#sent-scans")).to_have_text("20200102.zip")
    open_files(page)
    expect(page.locator("#case")).to_have_text("20200102.zip", timeout=PATIENCE_MS)


def test_a_dropped_archive_whose_series_are_plain_only_wants_to_be_opened(page, visits, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "one visit"), "zip", visits / "20200102")
    drag(page, archive)
    expect(page.locator("#series [aria-pressed=true]")).to_have_count(2, timeout=PATIENCE_MS)
    expect(page.locator("#sent-scans")).to_have_text("one visit.zip")
    open_files(page)
    expect(page.locator("#case")).to_have_text("one visit.zip", timeout=PATIENCE_MS)
    ready(page)


def test_what_is_dropped_and_no_dicom_is_told_in_the_dialog(page, case_files):
    address = page.url
    drag(page, case_files.t1ce)
    expect(page.locator(".vs-problem")).to_contain_text(
        "'t1ce.nii.gz.zip' holds no DICOM series of MR images", timeout=PATIENCE_MS
    )
    assert page.url == address and page.locator("#sent-scans").inner_text() == ""


def test_what_can_no_longer_be_read_is_told_in_the_dialog(page, tmp_path):
    folder = tmp_path / "VS 8"
    write_slices(folder, ball_volume(), description="t1_mpr post")
    drag(page, folder, deeds=("dragEnter", "dragOver"))
    shutil.rmtree(folder)
    drag(page, folder, deeds=("drop",))
    expect(page.locator(".vs-problem")).to_contain_text(
        "cannot be read by the browser, so nothing was sent", timeout=PATIENCE_MS
    )
