"""The module's self test, played on the panel of real widgets."""

import unittest
from types import SimpleNamespace

import pytest


@pytest.fixture
def play(widget, qt_application):
    from VSClickCorrectLib.panel.self_test import SelfTest

    return lambda: SelfTest(unittest.TestCase(), widget.panel, qt_application.processEvents).play()


def test_one_case_is_played_without_torch(play, desktop, monkeypatch):
    monkeypatch.setattr("VSClickCorrectLib.panel.self_test.unfit_packages", lambda: {"torch": ""})
    play()
    assert desktop.faults == []


def test_one_case_is_played_with_the_shipped_models(play, desktop, shipped_models):
    play()
    assert desktop.faults == []


@pytest.fixture
def self_test(module, widget, monkeypatch):
    """The module's self test, with the module panel's choice of modules."""
    import slicer

    def select_module(name):
        (widget.enter if name == "VSClickCorrect" else widget.exit)()

    representation = SimpleNamespace(self=lambda: widget)
    chosen = SimpleNamespace(widgetRepresentation=lambda: representation)
    monkeypatch.setattr(slicer, "modules", SimpleNamespace(vsclickcorrect=chosen), raising=False)
    monkeypatch.setattr(slicer.util, "selectModule", select_module)
    monkeypatch.setattr("VSClickCorrectLib.panel.self_test.unfit_packages", lambda: {"torch": ""})
    return module.VSClickCorrectTest()


def test_self_test_passes(self_test, desktop):
    self_test.runTest()
    assert self_test.shown.count("Test passed") == 2
    assert desktop.faults == []


def test_self_test_notices_shortcuts_that_stay(self_test, module, monkeypatch):
    monkeypatch.setattr(module.VSClickCorrectWidget, "_removeShortcuts", lambda self: None)
    with pytest.raises(AssertionError):
        self_test.test_ShortcutsEndWithTheModule()


def test_one_case_notices_a_mask_that_undo_does_not_restore(play, monkeypatch):
    monkeypatch.setattr("VSClickCorrectLib.panel.self_test.unfit_packages", lambda: {"torch": ""})
    monkeypatch.setattr("VSClickCorrectLib.workflow.click_tools.ClickTools.undo", lambda self: None)
    with pytest.raises(AssertionError):
        play()
