"""The session on a segment: clicks, Slicer's own painting, undo, redo and a stored journal, in any order."""

import numpy as np
import slicer
import vtk
from example_counts import examples
from session_machine import SessionMachine
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.mrml.persistence import store_journal, stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume

LOGIC = slicer.vtkSlicerSegmentationsModuleLogic


class SceneMachine(SessionMachine):
    """The same machine on real nodes; the hand paints with what Slicer's segment editor calls."""

    def make_mask(self, grid, values):
        self.headless = HeadlessScene()
        scene = self.headless.scene
        self.volume_node = add_volume(scene, Volume(np.zeros(grid.shape, np.int16), grid), "T1ce")
        self.segmentation, self.segment_id = add_segmentation(scene, self.volume_node, "tumour")
        mask = SegmentMask(self.segmentation, self.segment_id, self.volume_node)
        mask.fill(values)
        return mask

    def paint(self, box, value):
        matrix, image = vtk.vtkMatrix4x4(), slicer.vtkOrientedImageData()
        self.volume_node.GetIJKToRASMatrix(matrix)
        extent = [n for a, b in zip(box.start[::-1], box.stop[::-1], strict=True) for n in (a, b - 1)]
        image.SetExtent(*extent)
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        image.GetPointData().GetScalars().Fill(int(value))
        image.SetGeometryFromImageToWorldMatrix(matrix)
        mode = LOGIC.MODE_MERGE_MAX if value else LOGIC.MODE_MERGE_MIN
        assert LOGIC.SetBinaryLabelmapToSegment(
            image, self.segmentation, self.segment_id, mode, extent, False
        )

    def saved_and_reopened(self, text):
        store_journal(self.segmentation, text)
        self.mask = SegmentMask(self.segmentation, self.segment_id, self.volume_node)
        return stored_journal(self.segmentation)

    def teardown(self):
        super().teardown()
        if hasattr(self, "headless"):
            self.headless.close()


TestSessionOnASegmentAndItsNaiveTwin = SceneMachine.TestCase
TestSessionOnASegmentAndItsNaiveTwin.settings = examples(0.8, stateful_step_count=20)
