"""Trainings that leave out what takes longer than they do."""

import pytest


@pytest.fixture
def undrawn_curves(monkeypatch):
    """Draw no curves: they would take most of the time, and test_reporter.py looks at them."""
    from VSClickCorrectResearch.training import reporter

    monkeypatch.setattr(reporter, "draw_curves", lambda path, rows: None)
