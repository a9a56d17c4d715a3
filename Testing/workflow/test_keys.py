"""The keys are one table, which the windows and the guide follow."""

import re
from pathlib import Path

import pytest
from VSClickCorrectApp.page_keys import PAGE_KEYS, key_of
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.workflow.keys import KEYS, PANEL_KEYS, keys_text

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "Resources" / "Docs" / "user-guide.md").read_text(encoding="utf-8")
APP = ROOT / "VSClickCorrect" / "VSClickCorrectApp"
SCRIPT = (APP / "static" / "vsclick.js").read_text(encoding="utf-8")
PANEL = ROOT / "VSClickCorrect" / "Resources" / "UI" / "VSClickCorrect.ui"


def test_no_key_means_two_things():
    for keys in (PANEL_KEYS, PAGE_KEYS):
        names = [key.name for key in keys]
        assert len(set(names)) == len(names)


def test_the_key_that_closes_the_page_s_menus_does_nothing_else_there():
    assert "Escape" not in [key.name for key in PAGE_KEYS]


def test_kinds_have_the_same_keys_in_both_windows():
    assert [key_of(kind.value) for kind in ClickKind] == ["B", "I", "X"]
    assert set(KEYS) <= set(PAGE_KEYS)


def test_both_windows_show_the_list_by_the_same_key():
    assert key_of("help") == "?" and "?" in [key.name for key in PANEL_KEYS]
    lines = keys_text(PANEL_KEYS).splitlines()
    assert "B, 1: boundary clicks" in lines and "Ctrl+Z: undo" in lines
    assert len(lines) < len(PANEL_KEYS)


def test_guide_names_the_keys_of_the_kinds_and_switches():
    for kind in ClickKind:
        assert re.search(rf"^\| . {kind.value} \| {key_of(kind.value)} \|", GUIDE, re.MULTILINE)
    switches = ", ".join(key_of(action) for action in ("fill", "start", "markers", "crosshair"))
    assert f"| {switches} | fill, mask at start, markers, crosshair |" in GUIDE
    actions = ("boundary", "include", "exclude", "look")
    tools = ", ".join(
        " or ".join(key.name for key in PAGE_KEYS if key.action == action) for action in actions
    )
    assert f"| {tools} | boundary, include and exclude clicks; looking only |" in GUIDE


def test_page_has_no_table_of_its_own():
    assert 'state.get("vs_keys")' in SCRIPT
    assert not re.search(r'"next_round"|"boundary"', SCRIPT)


@pytest.mark.parametrize("action", ["fill", "start", "markers"])
def test_what_both_windows_show_has_one_name_in_them_in_the_list_of_keys_and_in_the_guide(action):
    (does,) = {key.does for key in PAGE_KEYS if key.action == action}
    name = does.capitalize()
    assert re.search(rf"<string>{name}( \({key_of(action)}\))?</string>", PANEL.read_text(encoding="utf-8"))
    assert f"f\"{name} ({{key_of('{action}')}})\"" in (APP / "ui" / "display_ui.py").read_text(
        encoding="utf-8"
    )
    assert f"*{name}* (" in GUIDE
