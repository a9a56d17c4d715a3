"""Both windows play one story, after every step of which mask, journal, worklist and status are alike."""

import re
import shutil
from importlib.util import find_spec

import numpy as np
import pytest
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.worklist.worklist import Worklist

if find_spec("PySide6") is None or find_spec("trame_slicer") is None:
    pytest.skip("needs the panel's widgets and the page", allow_module_level=True)

# What two sessions never have alike.
OWN = {"milliseconds", "chain", "id"}


def snapshot(window, folder):
    """What a window has come to."""
    worklist, correction = window.flow.worklist.worklist, window.flow.workbench.correction
    mask = window.flow.workbench.values() if correction is not None else None
    journal = worklist.opened.journal().events if worklist.current is not None else []
    records = [worklist.record(case.name) for case in worklist.cases]
    return {
        "case": worklist.current.name if worklist.current is not None else "",
        "voxels": None if mask is None else np.flatnonzero(mask).tolist(),
        "journal": [{key: value for key, value in event.items() if key not in OWN} for event in journal],
        "worklist": [
            (r.case, r.state.value, plain(r.comment, folder), r.clicks, r.rounds, r.volume_mm3, r.models)
            for r in records
        ],
        "change": change_of(window.flow.measurer.measured),
        "status": plain(window.status, folder),
        "questions": [plain(question, folder) for question in window.questions],
    }


def change_of(measured):
    """What was changed since the start of the correction, as text."""
    return None if measured is None else measured.change and measured.change.as_text()


def plain(sentence, folder):
    """A sentence without times and places."""
    sentence = sentence.replace(str(folder), "")
    return re.sub(r"in \d+ ms|since \d\d:\d\d|last heard of at \d\d:\d\d", "…", sentence)


def story(window, folder, small, border):
    """Play the story; yield after each step."""
    inside = tuple(float(v) for v in small.grid.index_to_ras(np.argwhere(small.truth)[0]))
    outside = tuple(float(v) for v in small.grid.index_to_ras((2, 2, 2)))
    window.open()
    yield "opened"
    for click in (*border[:2], Click(outside, ClickKind.INCLUDE), Click(inside, ClickKind.EXCLUDE)):
        window.click(click)
        yield f"{click.kind.value} click"
    window.click(Click((1e4, 0.0, 0.0), ClickKind.INCLUDE))
    yield "click outside"
    for key in ("Ctrl+Z", "Ctrl+Z", "Ctrl+Y", "Ctrl+Y", "Ctrl+Y"):
        window.key(key)
        yield key
    window.remove(2)
    yield "click removed"
    window.collect(True)
    for click in border[2:]:
        window.click(click)
        yield "click collected"
    window.key("Shift+R")
    yield "next round"
    window.collect(False)
    window.comment("sharp border")
    yield "commented"
    for answer, step in ((False, "done, thought better of"), (True, "done, past an unreadable case")):
        window.answers.append(answer)
        window.press("done")
        yield step
    for button, step in (
        ("next", "next"),
        ("previous", "previous"),
        ("previous", "previous, to a done case"),
    ):
        window.press(button)
        yield step
    window.click(border[0])
    yield "click on a case that was done"
    Worklist.open(folder / "cases", folder / "results", "CD").go_to("case1", take_over=True)
    window.click(border[1])
    yield "click on a case that was lost"
    window.answers.append(False)
    window.press("next")
    yield "lost case kept"
    window.answers.append(True)
    window.press("next")
    yield "lost case left"
    window.answers.append(False)
    window.go_to(0)
    yield "case of somebody else left alone"
    window.press("skip")
    yield "skipped"
    window.press("done")
    yield "nothing is left"


@pytest.fixture
def played(folder, small, border, tmp_path_factory):
    """Play the story in a window, on a copy of the cases, and return what was seen at every step."""
    from VSClickCorrectLib.session.oracle import Oracle

    def play(kind):
        own = shutil.copytree(folder, tmp_path_factory.mktemp("window") / "folder")
        window = kind(own, Oracle(small.truth))
        try:
            return [(step, snapshot(window, own)) for step in story(window, own, small, border)]
        finally:
            window.close()

    return play


def test_both_windows_come_to_the_same_at_every_step(played):
    from windows import PageWindow, PanelWindow

    panel, page = played(PanelWindow), played(PageWindow)
    assert [step for step, _ in panel] == [step for step, _ in page]
    for (step, mine), (_, theirs) in zip(panel, page, strict=True):
        for what, value in mine.items():
            assert theirs[what] == value, f"{what} after: {step}"
    seen = dict(panel)
    # The clicks that waited lie where the mask's border was brought before.
    unchanged = "The border runs where the boundary click is already; nothing was changed."
    assert seen["next round"]["status"] == f"Round 2 begins. {unchanged}"
    assert [event["event"] for event in seen["next round"]["journal"][-2:]] == ["edit", "round"]
    assert "DSC to the mask at the start" in seen["previous"]["change"]
    assert seen["done, past an unreadable case"]["case"] == "case3"
    assert seen["done, past an unreadable case"]["worklist"][1][:2] == ("case2", "failed")
    doubted = seen["done, thought better of"]
    assert doubted["case"] == "case1" and "parts" in doubted["questions"][0]
    assert seen["lost case kept"]["case"] == "case1" and seen["lost case left"]["case"] != "case1"
    assert seen["nothing is left"]["case"] == ""
