"""The case that a saved scene holds: which of its volumes and segments are meant, and the clicks on them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.naming import Kind, kind_of
from VSClickCorrectLib.mrml.belongings import parts_of
from VSClickCorrectLib.mrml.dicom_scans import scan_of
from VSClickCorrectLib.mrml.persistence import stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.mrml.volume_files import sides_known
from VSClickCorrectLib.mrml.volumes import volume_of

from VSClickCorrectApp.reading.saved_scenes import load_scene

_MODULE = "VSClickCorrect"
Nodes = tuple[Any, Any]


@dataclass(frozen=True, eq=False)
class SceneCase:
    """A case as a scene holds it.

    Parameters
    ----------
    t1ce, t2 : Volume or None
        The sequences, where the scene's transforms put them; one may be missing.
    mask : ndarray of bool or None
        ``(K, J, I)`` on the T1ce's grid, or the T2's where it stands alone; None if there is no segment.
    journal : str
        The clicks on the segment; empty if there are none.
    """

    t1ce: Volume | None
    t2: Volume | None
    mask: np.ndarray | None
    journal: str


def read_scene_case(path: Path, most_bytes: float = math.inf) -> SceneCase:
    """Read the case of an ``.mrb``.

    What the module had chosen when the scene was saved counts; else the segmentation on which there were
    clicks, or the only one, and the volumes by their names.

    Raises
    ------
    ImageError
        If `load_scene` cannot read it, it is not clear what is meant, or voxels of segment and volume differ.
    """
    with load_scene(path, most_bytes) as loaded:
        return case_in(loaded.scene)


def case_in(scene: slicer.vtkMRMLScene) -> SceneCase:
    """Return the case of a scene; copied from its nodes. For the rest see `read_scene_case`."""
    chosen = _chosen_in_module(scene)
    segmentation = _reference(chosen, "segmentation") or _segmentation_in(scene)
    volumes = _reference(chosen, "t1ce"), _reference(chosen, "t2")
    t1ce, t2 = volumes if any(volumes) else _volumes_in(scene)
    segment_id = _segment_of(segmentation) if segmentation is not None else ""
    mask = None
    if segment_id:
        segment = SegmentMask(segmentation, segment_id, t1ce or t2)
        mask = segment.read(segment.grid.box)
    journal = stored_journal(segmentation, segment_id) if segment_id else None
    return SceneCase(_copied(t1ce), _copied(t2), mask, journal or "")


def _chosen_in_module(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLScriptedModuleNode | None:
    """Return the node in which Slicer keeps what is chosen in the module, None if it was never used."""
    nodes = _all(scene, "vtkMRMLScriptedModuleNode")
    return next((node for node in nodes if node.GetAttribute("ModuleName") == _MODULE), None)


def _reference(chosen: slicer.vtkMRMLScriptedModuleNode | None, role: str) -> Any:
    return chosen.GetNodeReference(role) if chosen is not None else None


def _segmentation_in(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLSegmentationNode | None:
    every = list(_all(scene, "vtkMRMLSegmentationNode"))
    # Outlines and the masks at the start are parts of what they were made for.
    parts = {part.GetID() for node in every for part in parts_of(node)}
    whole = [node for node in every if node.GetID() not in parts]
    clicked = [node for node in whole if any(stored_journal(node, s) for s in _segments(node))]
    return _only(clicked or whole, "segmentations")


def _segment_of(segmentation: slicer.vtkMRMLSegmentationNode) -> str:
    """Return the ID of the segment that is meant, empty if there is none."""
    segments = _segments(segmentation)
    clicked = [segment for segment in segments if stored_journal(segmentation, segment)]
    found = clicked or segments
    if len(found) > 1:
        names = ", ".join(f"'{segmentation.GetSegmentation().GetSegment(one).GetName()}'" for one in found)
        raise ImageError(
            f"the segmentation '{segmentation.GetName()}' holds several segments ({names}); keep the "
            "tumour's alone in Slicer and save the scene again."
        )
    return found[0] if found else ""


def _volumes_in(scene: slicer.vtkMRMLScene) -> Nodes:
    """Return T1ce and T2 by their names; one alone that does not say is a T1ce."""
    volumes = [n for n in _all(scene, "vtkMRMLScalarVolumeNode") if not n.IsA("vtkMRMLLabelMapVolumeNode")]
    kinds = {node.GetID(): kind_of(node.GetName()) for node in volumes}
    t2 = _only([n for n in volumes if kinds[n.GetID()] is Kind.T2], "volumes called T2")
    t1ce = [n for n in volumes if kinds[n.GetID()] is Kind.T1CE]
    others = [n for n in volumes if n is not t2 and kinds[n.GetID()] in (Kind.T1, Kind.UNKNOWN)]
    found = _only(t1ce or others, "volumes that may be the T1ce"), t2
    if not any(found):
        raise ImageError("the scene holds no volume; load T1ce and T2 in Slicer and save it again.")
    return found


def _only(nodes: Sequence[slicer.vtkMRMLNode], what: str) -> Any:
    if len(nodes) > 1:
        names = ", ".join(f"'{node.GetName()}'" for node in nodes)
        raise ImageError(
            f"the scene holds {len(nodes)} {what} ({names}); choose in the module which are meant, or remove "
            "the others, and save the scene again."
        )
    return nodes[0] if nodes else None


def _segments(segmentation: slicer.vtkMRMLSegmentationNode) -> Sequence[str]:
    return segmentation.GetSegmentation().GetSegmentIDs()


def _all(scene: slicer.vtkMRMLScene, name: str) -> Iterator[slicer.vtkMRMLNode]:
    return (scene.GetNthNodeByClass(index, name) for index in range(scene.GetNumberOfNodesByClass(name)))


def _copied(node: slicer.vtkMRMLVolumeNode | None) -> Volume | None:
    if node is None:
        return None
    volume = volume_of(node)
    return Volume(volume.array.copy(), volume.grid, (), sides_known(node), scan_of(node))
