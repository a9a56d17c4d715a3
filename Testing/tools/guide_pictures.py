"""Draw the pictures of the user guide: the panel and slices of the synthetic case, from start to result.

``python Testing/tools/guide_pictures.py`` writes panel.png and guide-*.png into Resources/Screenshots.
The panel is the module's own, of plain Qt widgets; the slices are drawn with matplotlib.
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
from matplotlib import pyplot as plt
from module_files import MODULE, ROOT
from pythonqt import bare
from slicer_desktop import application, install
from VSClickCorrectLib.imaging.io import write_volume
from VSClickCorrectLib.mrml.examples import add_example
from VSClickCorrectLib.mrml.scene import HeadlessScene
from VSClickCorrectLib.simulation.synthesis import small_case
from VSClickCorrectLib.simulation.user import border_clicks

PICTURES = ROOT / "Resources" / "Screenshots"
WIDTH = 440
MARKS = {"boundary": ("D", "#F0E442"), "include": ("o", "#56B4E9"), "exclude": ("X", "#D55E00")}


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
    widget.host.resize(WIDTH, widget.host.sizeHint().height())
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


def picture_of_slice(case, slices, path, clicks=()):
    """Draw slices of both sequences with outlines, as ``title, slice, {colour: mask}``."""
    figure, axes = plt.subplots(1, len(slices), figsize=(3.1 * len(slices), 3.3), facecolor="black")
    center = case.grid.ras_to_index(case.site_ras)
    for axis, (title, volume, number, outlines) in zip(np.atleast_1d(axes), slices, strict=True):
        low, high = np.percentile(volume.array, (2, 99.8))
        axis.imshow(volume.array[number], cmap="gray", vmin=low, vmax=high, interpolation="bicubic")
        for color, mask in outlines.items():
            if mask[number].any():
                axis.contour(mask[number].astype(float), [0.5], colors=[color], linewidths=1.6)
        for click in clicks:
            k, j, i = case.grid.ras_to_index(click.position_ras)
            if k == number:
                marker, color = MARKS[click.kind.value]
                axis.plot(i, j, marker, color=color, markeredgecolor="black", markersize=9)
        axis.set(xlim=(center[2] - 26, center[2] + 26), ylim=(center[1] + 26, center[1] - 26))
        axis.set_title(title, color="white", fontsize=10)
        axis.axis("off")
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.91, 0.03)
    figure.savefig(path, dpi=110, facecolor="black")
    plt.close(figure)


def story(widget, scene):
    """Play the case of the guide and draw it."""
    case = small_case(4)
    example = add_example(scene, case, np.zeros(case.grid.shape, bool))
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
    correct(widget, case)


def correct(widget, case):
    """Correct what was found in two rounds, and draw before and after."""
    workbench, correction = widget.panel.workbench, widget.panel.correction
    found = workbench.values()
    first = border_clicks(case.grid, case.truth, found, 3)
    for click in first:
        correction.place(click)
    widget.ui.nextRoundButton.click()
    for click in border_clicks(case.grid, case.truth, workbench.values(), 2):
        correction.place(click)
    widget.ui.boundaryButton.click()
    wait(seconds=0.6)
    number = case.grid.ras_to_index(first[0].position_ras)[0]
    before, after = {"#CC79A7": found}, {"#CC79A7": found, "#33FF66": workbench.values()}
    slices = [
        ("T1ce: mask that was found, first click", case.t1ce, number, before),
        ("T1ce: corrected", case.t1ce, number, after),
        ("T2: corrected", case.t2, number, after),
    ]
    picture_of_slice(case, slices, PICTURES / "guide-slices.png", first)
    bare(widget.ui.clickTable).selectRow(0)
    picture_of_panel(widget, "guide-correct", "statusLabel", "clicksCollapsibleButton")
    picture_of_panel(widget, "guide-result", "resultCollapsibleButton")
    picture_of_panel(widget, "panel")
    widget.ui.boundaryButton.click()


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
        widget.ui.commentEdit.text = "motion"
        widget.ui.skipCaseButton.click()
        picture_of_panel(widget, "guide-worklist", "statusLabel", "worklistCollapsibleButton")
        widget.panel.worklist.leave()
    finally:
        shutil.rmtree(folder)


def main():
    """Draw everything."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application()
    with HeadlessScene() as headless:
        widget, desktop = open_module(headless.scene)
        story(widget, headless.scene)
        worklist(widget)
        widget.cleanup()
        assert desktop.faults == [], desktop.faults


if __name__ == "__main__":
    main()
