"""What a person does with the panel's worklist, and the table that it leaves."""

from __future__ import annotations

import csv

from pythonqt import bare


def open_worklist(widget, folder):
    widget.ui.worklistSourcePath.currentPath = str(folder / "cases")
    widget.ui.worklistOutputPath.currentPath = str(folder / "results")
    widget.ui.annotatorEdit.text = "AB"
    widget.ui.openWorklistButton.click()
    return widget.panel.flow.worklist.worklist


def summary(folder):
    (path,) = (folder / "results").rglob("summary.csv")
    with path.open(newline="") as stream:
        return {row["case"]: row for row in csv.DictReader(stream)}


def choose(widget, index):
    """Choose a case in the list as a person does, which alone tells of it."""
    box = bare(widget.ui.caseSelector)
    box.setCurrentIndex(index)
    box.activated.emit(index)
