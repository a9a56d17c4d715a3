"""A long day on the module's panel: case after case of a worklist in one scene, as a person works."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import vtk
from day_cases import DayCase
from guide_pictures import open_module, wait
from slice_view import SliceView
from slicer_desktop import application
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.geometry.box import Box

# A corner far from every click, painted by hand.
_PAINTED = Box((1, 2, 2), (2, 3, 4))
# What of ours belongs to one case.
_OF_A_CASE = (
    "Case",
    "CaseNodes",
    "ChangeOutline",
    "ClickMarkers",
    "ClickNodes",
    "CorrectionSession",
    "Edit",
    "Journal",
    "OpenCase",
    "OpenedCase",
    "SceneCorrection",
    "SegmentMask",
    "Volume",
)


class PanelDay:
    """Works through a worklist on the panel, with a real slice view on its scene.

    Parameters
    ----------
    root : Path
        Cases lie in ``cases``, results go to ``results``.
    cases : list of DayCase
        What the cases are, in the worklist's order.
    clicks : int
        Clicks a case.
    models : Path, optional
        The models; those that ship if left out.
    """

    def __init__(
        self, root: Path, cases: list[DayCase], clicks: int = 10, models: Path | None = None
    ) -> None:
        self.cases, self.clicks = cases, clicks
        self.root = root
        application()
        self.view = SliceView()
        # A view is without an image for as long as one case has gone and the next is being read.
        vtk.vtkOutputWindow.GetInstance().SetDisplayModeToNever()
        vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
        self.scene = self.view.scene
        self.widget, self.desktop = open_module(self.scene)
        self.panel, self.ui = self.widget.panel, self.widget.ui
        for selector in (self.ui.t1ceSelector, self.ui.t2Selector, self.ui.segmentSelector):
            selector.setMRMLScene(self.scene)
        if models is not None:
            self.ui.modelsFolderPath.currentPath = str(models)

    def begin(self) -> None:
        """Open the worklist."""
        self.ui.worklistSourcePath.currentPath = str(self.root / "cases")
        self.ui.worklistOutputPath.currentPath = str(self.root / "results")
        self.ui.annotatorEdit.text = "AB"
        self.ui.openWorklistButton.click()
        assert self.panel.correction is not None, self.ui.statusLabel.text

    def work(self) -> Iterator[list[float]]:
        """Work on case after case; yield the milliseconds of each click while the case is still open."""
        for number, case in enumerate(self.cases):
            times = self._correct(case, np.random.default_rng(number))
            self._save()
            yield times
            before = self.panel.flow.worklist.worklist.current
            # What was painted may be a part of its own, about which is asked.
            self.desktop.answers.append(True)
            self.ui.doneCaseButton.click()
            self.desktop.answers.clear()
            assert self.panel.flow.worklist.worklist.current is not before, self.ui.statusLabel.text
            self._forget_what_was_shown()

    def end(self) -> None:
        """Leave the panel as Slicer does when it ends."""
        self.widget.cleanup()
        for selector in (self.ui.t1ceSelector, self.ui.t2Selector, self.ui.segmentSelector):
            selector.setMRMLScene(None)

    def counts(self) -> dict[str, int]:
        """Return how many nodes the scene has, and how many objects of ours belong to a case."""
        kinds = [type(thing).__name__ for thing in gc.get_objects() if _is_ours(type(thing))]
        return {"nodes": self.scene.GetNumberOfNodes(), **{name: kinds.count(name) for name in _OF_A_CASE}}

    def _correct(self, case: DayCase, rng: np.random.Generator) -> list[float]:
        """Click in two rounds, undo, redo, take one back, paint by hand, look at outlines."""
        clicks = case.clicks(self.clicks, rng)
        self._show(case)
        half = len(clicks) // 2
        times = [self._place(click) for click in clicks[:half]]
        for button in ("undoButton", "undoButton", "redoButton", "redoButton", "nextRoundButton"):
            getattr(self.ui, button).click()
        self.panel.correction.remove(1)
        self.ui.undoButton.click()
        self._paint()
        times += [self._place(click) for click in clicks[half:]]
        for box in (self.ui.lastChangeCheckBox, self.ui.startOutlineCheckBox, self.ui.markersCheckBox):
            box.click()
            box.click()
        assert len(self.panel.correction.rows) == len(clicks), self.ui.statusLabel.text
        # Measurements and table follow once the clicks pause.
        wait(seconds=0.35)
        self.view.picture()
        return times

    def _place(self, click: Click) -> float:
        started = time.perf_counter()
        assert self.panel.correction.place(click) is not None, self.ui.statusLabel.text
        elapsed = (time.perf_counter() - started) * 1000
        wait(seconds=0)
        return elapsed

    def _show(self, case: DayCase) -> None:
        self.view.lay(self.panel.parameters.t1ce)
        self.view.look_at(case.inside, 60.0)

    def _paint(self) -> None:
        mask = self.panel.flow.workbench.session.mask
        mask.write(_PAINTED, ~mask.read(_PAINTED))

    def _save(self) -> None:
        with TemporaryDirectory() as folder:
            self.desktop.answers.append(str(Path(folder) / "label.seg.nrrd"))
            self.ui.saveButton.click()
            assert len(list(Path(folder).iterdir())) == 2, self.ui.statusLabel.text

    def _forget_what_was_shown(self) -> None:
        """Drop what the stand-in of the desktop program keeps for tests to look at."""
        self.desktop.layers.clear()
        self.desktop.status.clear()
        assert self.desktop.faults == []


def _is_ours(kind: type) -> bool:
    return kind.__name__ in _OF_A_CASE and str(kind.__module__).startswith("VSClickCorrectLib.")
