"""Two windows of one page that send files and press keys, over real connections to a running app."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from intruders import Intruder

if sys.platform != "linux":
    pytest.skip("what the app keeps is looked up where Linux keeps it", allow_module_level=True)

TOKEN = "only-for-tests_9.Zq~3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The app's folder for temporary files."""
    return tmp_path_factory.mktemp("sent")


@pytest.fixture(scope="module")
def app(serve_app, case_files, bright_models, folder):
    arguments = ("--t1ce", case_files.t1ce, "--models", bright_models, "--device", "cpu")
    server = serve_app(*arguments, VSCLICK_TOKEN=TOKEN, TMPDIR=str(folder))
    return Intruder.of(server.url, TOKEN)


@pytest.fixture
def windows(app, folder):
    one, other = app.inside(), app.inside()
    yield one, other
    one.close()
    other.close()
    until(lambda: not any(half for half in sent_in(folder).values() if half == b"half"))


def trigger(window, name, *arguments):
    return window.call("trame.trigger", name, list(arguments), {}).get("result")


def shown(window, name):
    return window.call("trame.state.get")["result"]["state"][name]


def send(window, slot, name, content):
    begun = trigger(window, "vs_upload_begin", slot, name, len(content))
    parts = begun and trigger(window, "vs_upload_part", slot, 0, content)
    return parts and trigger(window, "vs_upload_end", slot)


def begin_half(window, slot):
    assert trigger(window, "vs_upload_begin", slot, "first.nii", 8)
    assert trigger(window, "vs_upload_part", slot, 0, b"half")


def sent_in(folder):
    """By slot what was sent, as far as it is here; what goes meanwhile is passed over."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in (name for name in names if name.startswith("file.")):
            with suppress(FileNotFoundError):
                found[Path(at).name.split("-")[0]] = Path(at, name).read_bytes()
    return found


def until(holds):
    for _ in range(200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to hold")


def test_what_is_on_its_way_from_one_window_is_not_replaced_by_another(windows, folder):
    one, other = windows
    begin_half(one, "t1ce")
    assert not send(other, "t1ce", "second.nii", b"fromelse")
    said = shown(other, "StatusState__message")
    assert said.startswith(
        "'first.nii' is on its way from another window of the page; choose 'second.nii' again"
    )
    # Nor by what a scene replaces.
    assert not send(other, "scans", "scene.mrb", b"a scene")
    # Neither what another sends as the rest nor its end is that of the first.
    assert not trigger(other, "vs_upload_part", "t1ce", 4, b"else")
    assert not trigger(other, "vs_upload_end", "t1ce")
    assert trigger(one, "vs_upload_part", "t1ce", 4, b"rest")
    assert trigger(one, "vs_upload_end", "t1ce")
    assert sent_in(folder)["t1ce"] == b"halfrest"
    assert shown(other, "FilesState__t1ce") == "first.nii"


def test_what_takes_the_place_of_a_whole_file_says_so(windows, folder):
    one, other = windows
    assert send(one, "mask", "first.nii", b"the first")
    assert send(other, "mask", "second.nii", b"the second")
    for window in windows:
        assert shown(window, "StatusState__message") == "'second.nii' is here, in place of 'first.nii'."
    assert sent_in(folder)["mask"] == b"the second"


def test_one_window_may_choose_another_file_before_the_first_is_here(windows, folder):
    one, _ = windows
    begin_half(one, "t2")
    assert send(one, "t2", "second.nii", b"the second")
    assert sent_in(folder)["t2"] == b"the second"


def test_half_a_file_goes_with_its_window_though_another_stays(windows, folder):
    one, other = windows
    begin_half(one, "before")
    assert send(other, "before_scan", "scan.nii", b"whole")
    assert not send(other, "before", "second.nii", b"fromelse")
    one.close()
    until(lambda: "before" not in sent_in(folder))
    assert sent_in(folder)["before_scan"] == b"whole"
    assert send(other, "before", "second.nii", b"fromelse")
    assert sent_in(folder)["before"] == b"fromelse"


def test_a_window_that_stays_keeps_what_it_sends_as_another_goes(windows, folder):
    one, other = windows
    begin_half(one, "t1ce")
    other.close()
    time.sleep(0.5)
    assert trigger(one, "vs_upload_part", "t1ce", 4, b"rest") and trigger(one, "vs_upload_end", "t1ce")
    assert sent_in(folder)["t1ce"] == b"halfrest"


def test_a_window_whose_connection_breaks_lets_go_of_what_it_held(windows):
    one, other = windows
    trigger(one, "vs_hold", "bare", True, "", 0)
    assert shown(other, "DisplayState__bare")
    one.close()
    until(lambda: not shown(other, "DisplayState__bare"))


@pytest.fixture
def pressing(windows):
    """The number of what both windows show, which has no click."""
    one, _ = windows
    until(lambda: shown(one, "ClicksState__ready"))
    while shown(one, "ClicksState__rows"):
        trigger(one, "vs_key", "undo")
    trigger(one, "vs_key", "include")
    return shown(one, "OpeningState__number")


def test_a_press_in_a_window_that_still_shows_what_was_open_before_is_refused_whatever_another_shows(
    windows, pressing
):
    one, behind = windows
    trigger(behind, "vs_seen", pressing - 1)
    trigger(one, "vs_seen", pressing)
    trigger(behind, "vs_key", "place")
    assert shown(one, "ClicksState__rows") == []
    assert shown(one, "StatusState__message").startswith("That was meant for the case or mask before")


def test_a_window_that_is_behind_or_was_keeps_no_other_from_pressing(windows, pressing):
    one, behind = windows
    # Each tells once what it shows.
    trigger(one, "vs_seen", pressing)
    trigger(behind, "vs_seen", pressing - 1)
    trigger(one, "vs_key", "place")
    assert len(shown(one, "ClicksState__rows")) == 1
    behind.close()
    trigger(one, "vs_key", "undo")
    assert shown(one, "ClicksState__rows") == []


def test_what_one_window_has_saved_is_not_what_was_on_its_way_to_another(windows, pressing):
    one, other = windows
    trigger(one, "vs_key", "place")
    assert trigger(one, "vs_download", "journal.jsonl") and shown(one, "FilesState__unsaved")
    trigger(one, "vs_key", "right")
    trigger(one, "vs_key", "place")
    assert len(shown(one, "ClicksState__rows")) == 2
    # It never comes to say that it has the second click.
    assert trigger(other, "vs_download", "tumour.seg.nrrd")
    other.close()
    trigger(one, "vs_saved")
    assert shown(one, "FilesState__unsaved")
    assert trigger(one, "vs_download", "tumour.seg.nrrd")
    trigger(one, "vs_saved")
    assert not shown(one, "FilesState__unsaved")
