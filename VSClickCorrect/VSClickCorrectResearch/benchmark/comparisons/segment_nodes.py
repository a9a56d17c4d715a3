"""A segment in a scene, and what Slicer's own way of writing it needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import slicer
import slicer.util
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume


class SegmentNodes:
    """A volume and a segmentation of one segment in a scene of their own.

    Parameters
    ----------
    headless : HeadlessScene
        The scene.
    case : Case
        Its reference volume goes into the scene.
    values : ndarray of bool
        What the segment holds, ``(K, J, I)``.

    Attributes
    ----------
    application : vtkSlicerApplicationLogic
        Gives Slicer's logics.
    scene, volume, segmentation, segment_id
        The nodes, and which segment it is.
    mask : SegmentMask
        The segment as the product sees it.
    """

    def __init__(self, headless: HeadlessScene, case: Case, values: np.ndarray) -> None:
        self.application, self.scene = headless.application, headless.scene
        self.volume = add_volume(self.scene, case.reference, "reference")
        self.segmentation, self.segment_id = add_segmentation(self.scene, self.volume, "tumour")
        self.mask = SegmentMask(self.segmentation, self.segment_id, self.volume)
        self.mask.fill(values)

    def write_as_slicer(self, values: np.ndarray) -> None:
        """Call ``slicer.util.updateSegmentBinaryLabelmapFromArray``, within `slicer_modules`.

        Parameters
        ----------
        values : ndarray of uint8
            The whole segment, ``(K, J, I)``, 0 and 1.
        """
        slicer.util.updateSegmentBinaryLabelmapFromArray(
            values, self.segmentation, self.segment_id, self.volume
        )

    @contextmanager
    def slicer_modules(self) -> Iterator[None]:
        """Give ``slicer.util`` the scene and the module logics that the desktop application would."""
        logics = {
            "volumes": _volumes_logic(self.application),
            "segmentations": self.application.GetModuleLogic("Segmentations"),
        }
        modules = {name: SimpleNamespace(logic=lambda one=one: one) for name, one in logics.items()}
        with patch.multiple(slicer, create=True, mrmlScene=self.scene, modules=SimpleNamespace(**modules)):
            yield


@contextmanager
def segment_nodes(case: Case, values: np.ndarray) -> Iterator[SegmentNodes]:
    """Make `SegmentNodes`; their scene is emptied at the end."""
    with HeadlessScene() as headless:
        yield SegmentNodes(headless, case, values)


def _volumes_logic(application: slicer.vtkSlicerApplicationLogic) -> slicer.vtkSlicerVolumesLogic:
    logic = slicer.vtkSlicerVolumesLogic()
    logic.SetMRMLApplicationLogic(application)
    logic.SetMRMLScene(application.GetMRMLScene())
    return logic
