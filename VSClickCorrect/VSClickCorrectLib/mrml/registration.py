"""Whether the T2 lies where the T1ce does, and moving it there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer

from VSClickCorrectLib.io.registration import Registration, overlap_share
from VSClickCorrectLib.mrml.dicom_files import instances_of
from VSClickCorrectLib.mrml.transforms import array_of, matrix_of, world_from_node
from VSClickCorrectLib.mrml.volumes import volume_of

REGISTRATION_ATTRIBUTE = "VSClickCorrect.Registration"
_FRAME_ATTRIBUTE = "DICOM.FrameOfReferenceUID"
_FRAME_TAG = "0020,0052"
_MOST = 0.9


@dataclass(frozen=True)
class Agreement:
    """How well the T2 lies where the T1ce does, as both are shown now.

    Parameters
    ----------
    overlap : float
        Share of the T2's field of view that lies in the T1ce's, 0 to 1.
    same_frame : bool or None
        Whether the scanner recorded both in one frame of reference; None where that is not known.
    """

    overlap: float
    same_frame: bool | None

    @property
    def sentence(self) -> str:
        """What that means, for a person."""
        share = f"{self.overlap:.0%} of the T2 lies within the T1ce"
        if self.overlap == 0:
            return "The T2 lies nowhere near the T1ce; register it."
        if self.overlap < _MOST:
            return f"Only {share}; check that both are of one examination, and register the T2."
        if self.same_frame:
            return f"{share}, and both are of one frame of reference; registering is rarely needed."
        if self.same_frame is None:
            return f"{share}; scroll through both, and register the T2 if they do not match."
        return f"{share}, but they are of different frames of reference; register the T2."


def agreement(t1ce_node: slicer.vtkMRMLVolumeNode, t2_node: slicer.vtkMRMLVolumeNode) -> Agreement:
    """Compare where a T1ce and a T2 lie, as they are shown now.

    Raises
    ------
    ImageError
        If a volume cannot be used; see `volume_of`.
    """
    t1ce, t2 = volume_of(t1ce_node), volume_of(t2_node)
    frames = frame_of_reference(t1ce_node), frame_of_reference(t2_node)
    same = frames[0] == frames[1] if all(frames) else None
    return Agreement(overlap_share(t1ce, t2, np.eye(4)), same)


def frame_of_reference(volume_node: slicer.vtkMRMLVolumeNode) -> str | None:
    """Return the DICOM frame of reference of a volume, or None where it is not known."""
    known, instances = volume_node.GetAttribute(_FRAME_ATTRIBUTE), instances_of(volume_node)
    if known or not instances:
        return known or None
    return slicer.dicomDatabase.instanceValue(instances[0], _FRAME_TAG) or None


def register_t2(
    t2_node: slicer.vtkMRMLVolumeNode, registration: Registration
) -> slicer.vtkMRMLLinearTransformNode | None:
    """Move a T2 to where it was registered, by a transform node over it; no voxel is resampled.

    Parameters
    ----------
    t2_node : vtkMRMLVolumeNode
        The T2, in a scene and where it was when it was registered.
    registration : Registration
        Between the two volumes as they lay in the world.

    Returns
    -------
    vtkMRMLLinearTransformNode or None
        The transform, under which the T2 lies directly; None where the registration did not help. One that
        an earlier registration made is used again.
    """
    if not registration.improved:
        return None
    node = _registration_over(t2_node) or _inserted_transform(t2_node)
    parent, now = world_from_node(node), world_from_node(t2_node)
    wanted = np.linalg.inv(parent) @ np.linalg.inv(registration.matrix) @ now
    node.SetMatrixTransformToParent(matrix_of(wanted))
    return node


def is_registered(t2_node: slicer.vtkMRMLVolumeNode | None) -> tuple[bool, bool]:
    """Tell whether a T2 was registered, in this scene or before it was saved, and whether it lies so now."""
    registered, now = _registered_and_now(t2_node)
    return not np.array_equal(registered, np.eye(4)), not np.array_equal(now, np.eye(4))


def lay_again(t2_node: slicer.vtkMRMLVolumeNode) -> None:
    """Lay a T2 where it was registered; one that was not registered stays where it is."""
    _lay(t2_node, _registered_and_now(t2_node)[0])


def take_back_registration(t2_node: slicer.vtkMRMLVolumeNode) -> None:
    """Lay a T2 where it was before `register_t2`; one that was not registered stays where it is."""
    node = _registration_over(t2_node)
    if node is not None:
        registered = _registered_and_now(t2_node)[0]
        # So that a scene that is saved meanwhile has it, too.
        node.SetAttribute(REGISTRATION_ATTRIBUTE, " ".join(repr(float(one)) for one in registered.ravel()))
        _lay(t2_node, np.eye(4))


def _registered_and_now(t2_node: slicer.vtkMRMLVolumeNode | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the transform by which a T2 was registered and the one it lies under; the identity for none."""
    node = _registration_over(t2_node)
    now = np.eye(4) if node is None else array_of(node.GetMatrixTransformToParent())
    if node is not None and np.array_equal(now, np.eye(4)):
        return _matrix_in(node.GetAttribute(REGISTRATION_ATTRIBUTE)), now
    return now, now


def _matrix_in(text: str) -> np.ndarray:
    """Return the matrix that was taken back; the identity where a node tells of none."""
    try:
        return np.array([float(word) for word in text.split()]).reshape(4, 4)
    except ValueError:
        return np.eye(4)


def _lay(t2_node: slicer.vtkMRMLVolumeNode, matrix: np.ndarray) -> None:
    node = _registration_over(t2_node)
    if node is not None:
        node.SetMatrixTransformToParent(matrix_of(matrix))


def _registration_over(t2_node: slicer.vtkMRMLVolumeNode | None) -> slicer.vtkMRMLLinearTransformNode | None:
    node = None if t2_node is None else t2_node.GetParentTransformNode()
    return None if node is None or node.GetAttribute(REGISTRATION_ATTRIBUTE) is None else node


def _inserted_transform(t2_node: slicer.vtkMRMLVolumeNode) -> slicer.vtkMRMLLinearTransformNode:
    """Put a new transform, as yet the identity, between a volume and its parent transform."""
    name = f"{t2_node.GetName()} registration"
    node = t2_node.GetScene().AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetAttribute(REGISTRATION_ATTRIBUTE, "rigid")
    node.SetAndObserveTransformNodeID(t2_node.GetTransformNodeID())
    t2_node.SetAndObserveTransformNodeID(node.GetID())
    return node
