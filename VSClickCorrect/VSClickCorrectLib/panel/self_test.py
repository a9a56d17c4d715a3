"""The story of one case, played on the panel: the module's self test."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from unittest import TestCase

import numpy as np
import slicer
from scipy import ndimage

from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.triples import point3
from VSClickCorrectLib.io.shipped import START, T1CE, T2, TUMOUR, sample_folder
from VSClickCorrectLib.io.temporary import TemporaryFolder
from VSClickCorrectLib.mrml.examples import Example, add_example
from VSClickCorrectLib.mrml.persistence import save_scene
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.mrml.volumes import case_of, load_volume, volume_of
from VSClickCorrectLib.panel.packages import unfit_packages
from VSClickCorrectLib.panel.panel import Panel
from VSClickCorrectLib.session.oracle import Oracle

JOB_SECONDS = 45
# Far from the tumour, where no correction reaches: two voxels painted by hand.
_PAINTED = Box((1, 2, 2), (2, 3, 4))


class SelfTest:
    """Plays a case from the images to a saved scene, and checks the voxels at every step.

    Parameters
    ----------
    test : TestCase
        Whose assertions are used.
    panel : Panel
        The panel of the module, entered.
    process_events : callable
        Lets the event loop work.
    """

    def __init__(self, test: TestCase, panel: Panel, process_events: Callable[[], Any]) -> None:
        self.test, self.panel, self.process_events = test, panel, process_events
        # It holds what the arrays below are views of.
        self.sample = slicer.vtkMRMLScene()
        t1ce, t2, truth, start = (
            load_volume(self.sample, name, sample_folder() / name) for name in (T1CE, T2, TUMOUR, START)
        )
        self.images = case_of(t1ce, t2)
        self.truth, self.start = (volume_of(node).array > 0 for node in (truth, start))
        self.with_networks = not unfit_packages()
        self.example: Example = None  # type: ignore[assignment]

    @property
    def correction(self):
        """The correction under way."""
        return self.panel.correction

    def play(self) -> None:
        """Play everything; raises AssertionError where the module does not do as it should."""
        self.load()
        if self.with_networks:
            self.find_and_cancel()
            self.find()
        self.begin()
        self.click()
        self.undo_and_redo()
        self.collect_a_round()
        self.take_one_back()
        self.include_and_exclude()
        self.refuse()
        self.keep_and_reload()
        self.close()

    def load(self) -> None:
        """Choose the images of the sample case and a spoiled mask, beside which lies another segment."""
        self.example = add_example(self.panel.scene, self.images, self.start)
        segments = self.example.segmentation.GetSegmentation()
        self.other_id = segments.AddEmptySegment("other", "other")
        self.other = SegmentMask(self.example.segmentation, self.other_id, self.example.t1ce)
        self.other.write(_PAINTED, np.ones(_PAINTED.shape, bool))
        self.panel.parameters.t1ce, self.panel.parameters.t2 = self.example.t1ce, self.example.t2
        self.test.assertTrue(self.panel.ui.initialButton.enabled)

    def find_and_cancel(self) -> None:
        """Begin to look for the tumour and cancel: nothing may be added."""
        before = self.panel.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
        self.panel.start.find_tumour()
        self.test.assertTrue(self.panel.flow.jobs.busy)
        self.panel.flow.jobs.cancel_by_user()
        self.wait(lambda: False, 0.3)
        self.test.assertFalse(self.panel.flow.jobs.busy)
        self.test.assertEqual(self.panel.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode"), before)

    def find(self) -> None:
        """Look for the tumour while the event loop goes on."""
        self.panel.start.find_tumour()
        self.wait(lambda: not self.panel.flow.jobs.busy, JOB_SECONDS)
        self.test.assertIsNotNone(self.correction, self.panel.ui.statusLabel.text)
        self.test.assertIsNot(self.panel.parameters.segmentation, self.example.segmentation)

    def begin(self) -> None:
        """Begin to correct the spoiled mask; where torch is missing the truth stands in for the network."""
        if self.with_networks:
            self.panel.advanced.warm_up()
        else:
            self.panel.flow.networks.corrector = Oracle(self.truth)
        self.correct(self.example.segmentation)
        self.test.assertTrue(self.panel.ui.clicksCollapsibleButton.enabled)
        np.testing.assert_array_equal(self.voxels(), self.start)

    def click(self) -> None:
        """Click on the true border as a view does, twice."""
        node = self.correction.click_node(ClickKind.BOUNDARY)
        self.test.assertEqual(self.panel.placing.node_id, node.GetID())
        for click in self.border_clicks()[:2]:
            click_in_view(node, self.example.t1ce, click.position_ras)
            self.wait(lambda: False, 0.1)
        self.test.assertEqual([row.kind for row in self.correction.rows], [ClickKind.BOUNDARY] * 2)
        self.test.assertEqual(self.panel.ui.clickTable.rowCount, 2)
        self.test.assertLess(self.error(), np.count_nonzero(self.start != self.truth))
        self.panel.clicks.place_boundary()
        self.test.assertIsNone(self.panel.placing.node_id)

    def undo_and_redo(self) -> None:
        """Paint by hand, take both clicks back and do them again: the paint and the other segment stay."""
        corrected = self.voxels()
        self.example.mask.write(_PAINTED, np.ones(_PAINTED.shape, bool))
        self.panel.flow.clicks.undo()
        self.panel.flow.clicks.undo()
        painted = self.start.copy()
        painted[_PAINTED.slices] = True
        np.testing.assert_array_equal(self.voxels(), painted)
        self.test.assertEqual(self.panel.ui.clickTable.rowCount, 0)
        self.panel.flow.clicks.redo()
        self.panel.flow.clicks.redo()
        painted[...] = corrected
        painted[_PAINTED.slices] = True
        np.testing.assert_array_equal(self.voxels(), painted)
        self.test.assertTrue(self.other.read(_PAINTED).all())
        self.test.assertEqual(self.other.extent(), _PAINTED)

    def collect_a_round(self) -> None:
        """Begin a second round, let two clicks wait and apply them together."""
        self.panel.flow.clicks.next_round()
        self.panel.parameters.collecting = True
        before = self.voxels()
        for click in self.border_clicks()[2:4]:
            self.correction.place(click)
        np.testing.assert_array_equal(self.voxels(), before)
        waiting = len(self.correction.pending)
        self.test.assertGreater(waiting, 0)
        self.panel.flow.clicks.apply()
        self.test.assertEqual([row.round for row in self.correction.rows], [1, 1] + [2] * waiting)
        self.panel.parameters.collecting = False

    def take_one_back(self) -> None:
        """Take the first click back, and undo that: everything is as before."""
        before, rows = self.voxels(), self.correction.rows
        self.correction.remove(1)
        self.test.assertEqual(len(self.correction.rows), len(rows) - 1)
        self.panel.flow.clicks.undo()
        np.testing.assert_array_equal(self.voxels(), before)
        self.test.assertEqual(self.correction.rows, rows)

    def include_and_exclude(self) -> None:
        """Include a voxel that the mask misses, then exclude it."""
        site = tuple(self.images.grid.index_to_ras(np.argwhere(self.voxels())[0]))
        index = self.images.grid.ras_to_index(site)
        self.correction.place(Click(site, ClickKind.EXCLUDE))
        self.test.assertFalse(self.voxels()[index])
        self.correction.place(Click(site, ClickKind.INCLUDE))
        self.test.assertTrue(self.voxels()[index])

    def refuse(self) -> None:
        """Click beside the image: it is said in the status line, and nothing changes."""
        before, count = self.voxels(), len(self.correction.rows)
        self.correction.place(Click((1e4, 0.0, 0.0), ClickKind.INCLUDE))
        self.test.assertIn("outside", self.panel.ui.statusLabel.text)
        np.testing.assert_array_equal(self.voxels(), before)
        self.test.assertEqual(len(self.correction.rows), count)

    def keep_and_reload(self) -> None:
        """Save the scene, empty it and read it again: clicks, rounds and undo are there."""
        before, rows = self.voxels(), self.correction.rows
        with TemporaryFolder("vsclick-self-test-") as folder:
            path = folder / "self-test.mrb"
            save_scene(self.panel.scene, path)
            self.test.assertTrue(self.panel.scene.ReadFromMRB(str(path), True))
        tumour = self.panel.scene.GetFirstNodeByName("tumour")
        self.wait(lambda: self.panel.parameters is not None, 5.0)
        self.test.assertIs(self.panel.parameters.segmentation, tumour)
        self.test.assertIs(self.panel.ui.segmentSelector.currentNode(), tumour)
        self.take_up(tumour)
        np.testing.assert_array_equal(self.voxels(), before)
        self.test.assertEqual(self.correction.rows, rows)
        while self.panel.flow.clicks.next_undo:
            self.panel.flow.clicks.undo()
        painted = self.start.copy()
        painted[_PAINTED.slices] = True
        np.testing.assert_array_equal(self.voxels(), painted)

    def close(self) -> None:
        """Empty the scene in the middle of a correction: nothing is left and nothing fails."""
        self.panel.clicks.place_include()
        self.panel.scene.Clear()
        self.wait(lambda: False, 0.3)
        self.test.assertIsNone(self.correction)
        self.test.assertIsNone(self.panel.placing.node_id)

    def take_up(self, segmentation: slicer.vtkMRMLSegmentationNode) -> None:
        """Go on with the segment of a scene that was read."""
        scene = self.panel.scene
        t1ce, t2 = scene.GetFirstNodeByName("T1ce"), scene.GetFirstNodeByName("T2")
        self.panel.parameters.t1ce, self.panel.parameters.t2 = t1ce, t2
        self.example = self.example._replace(
            t1ce=t1ce,
            t2=t2,
            segmentation=segmentation,
            mask=SegmentMask(segmentation, self.example.segment_id, t1ce),
        )
        self.correct(segmentation)

    def correct(self, segmentation: slicer.vtkMRMLSegmentationNode) -> None:
        """Begin to correct the example's segment of a segmentation."""
        self.panel.ui.segmentSelector.setCurrentNode(segmentation)
        self.panel.ui.segmentSelector.setCurrentSegmentID(self.example.segment_id)
        self.panel.start.correct_segment()

    def voxels(self) -> np.ndarray:
        """Return the segment, ``(K, J, I)`` bool."""
        return self.example.mask.read(self.images.grid.box)

    def border_clicks(self) -> list[Click]:
        """Return boundary clicks on the tumour's border, one a slice, where most of the tumour is missed."""
        grid, truth = self.images.grid, self.truth
        border = truth & ~ndimage.binary_erosion(truth, ndimage.generate_binary_structure(2, 1)[None])
        missed = ndimage.distance_transform_edt(truth & ~self.start, sampling=grid.spacing[::-1])
        depth = np.where(border, missed, 0)
        flat = depth.reshape(len(depth), -1).argmax(axis=1)
        sites = [(k, *divmod(int(n), depth.shape[2])) for k, n in enumerate(flat)]
        deepest = sorted((site for site in sites if depth[site]), key=lambda site: -depth[site])
        return [Click(point3(grid.index_to_ras(np.array(site))), ClickKind.BOUNDARY) for site in deepest]

    def error(self) -> int:
        """Return how many voxels are wrong."""
        return int(np.count_nonzero(self.voxels() != self.truth))

    def wait(self, holds: Callable[[], bool], seconds: float) -> None:
        """Let the event loop work until something holds."""
        until = time.monotonic() + seconds
        while not holds() and time.monotonic() < until:
            self.process_events()
            time.sleep(0.01)


def click_in_view(
    node: slicer.vtkMRMLMarkupsNode,
    volume: slicer.vtkMRMLVolumeNode,
    position_ras: tuple[float, float, float],
) -> None:
    """Place a point as a slice view of a volume does: one that hovers under the pointer becomes a click."""
    modifying = node.StartModify()
    index = node.AddControlPoint(0.0, 0.0, 0.0)
    node.UnsetNthControlPointPosition(index)
    node.EndModify(modifying)
    node.SetNthControlPointAssociatedNodeID(index, volume.GetID())
    node.SetNthControlPointPositionWorld(index, *position_ras)
