"""The module's self test, played on the panel of real widgets."""

import unittest

import pytest


@pytest.fixture
def play(widget, qt_application):
    from VSClickCorrectLib.panel.story import Story

    return lambda: Story(unittest.TestCase(), widget.panel, qt_application.processEvents).play()


def test_story_is_played_without_torch(play, desktop, monkeypatch):
    monkeypatch.setattr("VSClickCorrectLib.panel.story.unfit_packages", lambda: {"torch": ""})
    play()
    assert desktop.faults == []


def test_story_is_played_with_the_shipped_models(play, desktop, shipped_models):
    play()
    assert desktop.faults == []


def test_story_notices_a_mask_that_undo_does_not_restore(play, monkeypatch):
    monkeypatch.setattr("VSClickCorrectLib.panel.story.unfit_packages", lambda: {"torch": ""})
    monkeypatch.setattr("VSClickCorrectLib.panel.clicks.ClicksSection.undo", lambda self: None)
    with pytest.raises(AssertionError):
        play()
