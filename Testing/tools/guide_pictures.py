"""Draw the pictures of the user guide: the panel and slices of the synthetic case, from start to result.

``python Testing/tools/guide_pictures.py`` writes panel.png and guide-*.png into Resources/Screenshots.
The panel is the module's own, of plain Qt widgets; the slices are those of Slicer's own view, which
trame-slicer (extra ``app``) gives.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from module_files import MODULE, ROOT
from pythonqt import bare
from slice_view import SliceView
from slicer_desktop import application, install
from VSClickCorrectLib.io.images import write_volume
from VSClickCorrectLib.mrml.examples import add_example
from VSClickCorrectResearch.simulation.synthesis import small_case
from VSClickCorrectResearch.simulation.user import border_clicks

PICTURES = ROOT / "Resources" / "Screenshots"
WIDTH = 440
FIELD_MM = 40.0


def open_module(scene):
    """Return the module's widget, entered, in a window of the pictures' width."""
    desktop = install(pytest.MonkeyPatch(), scene)
    spec = importlib.util.spec_from_file_location("VSClickCorrect", MODULE / "VSClickCorrect.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["VSClickCorrect"] = module
    spec.loader.exec_module(module)
    module.VSClickCorrectWidget.folder = str(MODULE)
    widget = module.VSClickCorrectWidget()
    widget.setup()
    widget.parent.isEntered = True
    widget.enter()
    widget.host.show()
    return widget, desktop


def wait(holds=lambda: False, seconds=60.0):
    """Let Qt work until something holds."""
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        application().processEvents()
        time.sleep(0.01)


def picture_of_panel(widget, name, *sections):
    """Save the panel, or some of its sections one below the other."""
    wait(seconds=0.3)
    area = bare(widget.ui.sectionsArea)
    hidden = area.widget().sizeHint().height() - area.sizeHint().height()
    widget.host.resize(WIDTH, widget.host.sizeHint().height() + hidden)
    wait(seconds=0.3)
    grabbed = [bare(getattr(widget.ui, section)).grab().toImage() for section in sections] or [
        widget.host.grab().toImage()
    ]
    images = [as_array(image) for image in grabbed]
    save(np.concatenate(images), PICTURES / f"{name}.png")


def as_array(image):
    from PySide6.QtGui import QImage

    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def save(array, path):
    from PIL import Image

    Image.fromarray(np.ascontiguousarray(array)).save(path, optimize=True)


def titled(image, title):
    """Return a picture of a view with a line of text above it."""
    from PIL import Image, ImageDraw

    board = Image.new("RGB", (image.shape[1] + 4, image.shape[0] + 24), "black")
    board.paste(Image.fromarray(image), (2, 24))
    ImageDraw.Draw(board).text((6, 5), title, fill="white", font_size=13)
    return np.asarray(board)


def story(widget, view):
    """Play the case of the guide and draw it."""
    case, scene = small_case(4), view.scene
    example = add_example(scene, case.case, np.zeros(case.grid.shape, bool))
    example.t1ce.SetName("Synthetic T1ce")
    example.t2.SetName("Synthetic T2")
    scene.RemoveNode(example.segmentation)
    widget.ui.t1ceSelector.setMRMLScene(scene)
    widget.ui.t2Selector.setMRMLScene(scene)
    widget.ui.t1ceSelector.setCurrentNode(example.t1ce)
    widget.ui.t2Selector.setCurrentNode(example.t2)
    wait(lambda: widget.ui.agreementLabel.text != "", 10)
    widget.ui.initialButton.click()
    wait(lambda: widget.ui.progressBar.value > 0 or widget.panel.correction is not None)
    picture_of_panel(
        widget, "guide-start", "statusLabel", "volumesCollapsibleButton", "startCollapsibleButton"
    )
    wait(lambda: widget.panel.correction is not None)
    view.show(example.t1ce, reset=True)
    correct(widget, view, case, example)


def correct(widget, view, case, example):
    """Correct what was found in two rounds, by the mouse, and draw before and after."""
    first = border_clicks(case.grid, case.truth, widget.panel.flow.workbench.values(), 3)
    view.look_at(first[0].position_ras, FIELD_MM)
    found = titled(view.picture(), "T1ce: the mask that was found")
    place(view, first)
    view.look_at(first[0].position_ras, FIELD_MM)
    widget.ui.lastChangeCheckBox.click()
    widget.ui.boundaryButton.click()
    corrected = titled(view.picture(), "T1ce: a boundary click, and the mask now")
    view.show(example.t2)
    view.look_at(first[0].position_ras, FIELD_MM)
    save(np.hstack([found, corrected, titled(view.picture(), "T2: the same")]), PICTURES / "guide-slices.png")
    widget.ui.lastChangeCheckBox.click()
    widget.ui.boundaryButton.click()
    widget.ui.nextRoundButton.click()
    place(view, border_clicks(case.grid, case.truth, widget.panel.flow.workbench.values(), 2))
    wait(seconds=0.6)
    bare(widget.ui.clickTable).selectRow(0)
    picture_of_panel(widget, "guide-correct", "statusLabel", "kindsWidget", "clicksCollapsibleButton")
    picture_of_panel(widget, "guide-result", "resultCollapsibleButton")
    picture_of_panel(widget, "panel")
    widget.ui.boundaryButton.click()


def place(view, clicks):
    """Click in the view, slice by slice."""
    for click in clicks:
        view.look_at(click.position_ras, FIELD_MM)
        view.click(click.position_ras)
        wait(seconds=0.1)


def worklist(widget):
    """Draw the worklist, on its second case of three."""
    folder, case = Path(mkdtemp(prefix="vsclick-guide-")), small_case(4)
    try:
        for name in ("sub-01", "sub-02", "sub-03"):
            (folder / "cases" / name).mkdir(parents=True)
            write_volume(folder / "cases" / name / "T1ce.nii.gz", case.t1ce)
        os.chdir(folder)
        widget.ui.worklistCollapsibleButton.collapsed = False
        widget.ui.worklistSourcePath.currentPath = "cases"
        widget.ui.worklistOutputPath.currentPath = "results"
        widget.ui.annotatorEdit.text = "AB"
        widget.ui.openWorklistButton.click()
        wait(seconds=0.6)  # a case that has just come is not decided about
        widget.ui.commentEdit.text = "motion"
        widget.ui.skipCaseButton.click()
        picture_of_panel(widget, "guide-worklist", "statusLabel", "worklistCollapsibleButton", "caseWidget")
        widget.panel.flow.host.start(widget.panel.flow.worklist.leave())
    finally:
        shutil.rmtree(folder)


def main():
    """Draw everything."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application()
    view = SliceView()
    widget, desktop = open_module(view.scene)
    story(widget, view)
    worklist(widget)
    widget.cleanup()
    assert desktop.faults == [], desktop.faults


if __name__ == "__main__":
    main()
