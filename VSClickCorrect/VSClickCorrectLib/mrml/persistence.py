"""Scenes, segmentations and the session's journal on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import slicer
import vtk

from VSClickCorrectLib.errors import CorrectionError, ImageError
from VSClickCorrectLib.io.files import write_atomically
from VSClickCorrectLib.mrml.owners import own, referred
from VSClickCorrectLib.session.journal import Guard, Journal

JOURNAL_ROLE = "VSClickCorrect.Journal"
SEGMENT_ATTRIBUTE = "VSClickCorrect.SegmentID"
# Some ten clicks.
_RECENT_CHARACTERS = 50_000


def store_journal(segmentation_node: slicer.vtkMRMLSegmentationNode, text: str, segment_id: str = "") -> None:
    """Keep a session's journal in the scene, so that it is saved with the segmentation it tells of.

    Parameters
    ----------
    segmentation_node : vtkMRMLSegmentationNode
        The segmentation, in a scene; it refers to its journals' text nodes by the role
        ``VSClickCorrect.Journal``.
    text : str
        The whole journal; it replaces the one stored before.
    segment_id : str
        Which segment it tells of; each has a journal of its own.
    """
    nodes = _journal_nodes(segmentation_node, segment_id)
    for node in nodes[1:]:
        node.SetText("")
    (nodes[0] if nodes else _add_journal_node(segmentation_node, segment_id)).SetText(text)


def stored_journal(
    segmentation_node: slicer.vtkMRMLSegmentationNode | None, segment_id: str = ""
) -> str | None:
    """Return the journal kept for a segment, or None if there is none."""
    if segmentation_node is None:
        return None
    nodes = _journal_nodes(segmentation_node, segment_id)
    return "".join(node.GetText() or "" for node in nodes) if nodes else None


def scene_journal(
    segmentation_node: slicer.vtkMRMLSegmentationNode,
    segment_id: str,
    path: Path | None = None,
    guard: Guard = lambda: None,
) -> Journal:
    """Return a segment's journal as the scene has it, which is in a file too from now on if one is given.

    The guard is that of `Journal`; it is asked at once, too.

    Raises
    ------
    CorrectionError
        If the file holds another journal than the scene, or either is damaged.
    """
    guard()
    text = stored_journal(segmentation_node, segment_id) or ""
    if path is None:
        return Journal(text=text, guard=guard)
    if text and not path.exists():
        Journal(text=text).save(path)
    journal = Journal(path, guard=guard)
    if text and journal.text != Journal(text=text).text:
        raise CorrectionError(
            f"the journal {path} tells of other clicks than the scene does; name another file for it."
        )
    return journal


class SceneJournal:
    """The copy of a session's journal in the scene, kept up to date at little cost.

    A text node takes its whole text at each change. So there are two, read one after the other: what is new
    goes into a short one, whose text moves to the end of the long one from time to time.

    Parameters
    ----------
    segmentation_node, segment_id
        As for `store_journal`.
    """

    def __init__(self, segmentation_node: slicer.vtkMRMLSegmentationNode, segment_id: str) -> None:
        self._segmentation_node = segmentation_node
        self._segment_id = segment_id
        self._stored = 0
        self._nodes: list[slicer.vtkMRMLTextNode] = []

    def keep(self, journal: Journal) -> None:
        """Store what is new in a journal; nothing happens once the segmentation has left the scene."""
        if self._segmentation_node.GetScene() is None:
            return
        if not self._nodes or any(node.GetScene() is None for node in self._nodes):
            self._keep_whole(journal)
        elif self._stored < len(journal.events):
            _, recent = self._nodes
            recent.SetText((recent.GetText() or "") + journal.lines_after(self._stored))
            if len(recent.GetText()) > _RECENT_CHARACTERS:
                self._keep_whole(journal)
        self._stored = len(journal.events)

    def _keep_whole(self, journal: Journal) -> None:
        store_journal(self._segmentation_node, journal.text, self._segment_id)
        self._nodes = _journal_nodes(self._segmentation_node, self._segment_id)[:2]
        if len(self._nodes) == 1:
            self._nodes.append(_add_journal_node(self._segmentation_node, self._segment_id))
        for node in self._nodes:
            _keep_in_description(node)


def _journal_nodes(
    segmentation_node: slicer.vtkMRMLSegmentationNode, segment_id: str
) -> list[slicer.vtkMRMLTextNode]:
    nodes = referred(segmentation_node, JOURNAL_ROLE)
    return [node for node in nodes if (node.GetAttribute(SEGMENT_ATTRIBUTE) or "") == segment_id]


def _add_journal_node(
    segmentation_node: slicer.vtkMRMLSegmentationNode, segment_id: str
) -> slicer.vtkMRMLTextNode:
    node = slicer.vtkMRMLTextNode()
    node.SetName(f"{segmentation_node.GetName()} journal")
    node.SetAttribute(SEGMENT_ATTRIBUTE, segment_id)
    node.HideFromEditorsOn()
    _keep_in_description(node)
    segmentation_node.GetScene().AddNode(node)
    own(segmentation_node, node)
    segmentation_node.AddNodeReferenceID(JOURNAL_ROLE, node.GetID())
    return node


def _keep_in_description(node: slicer.vtkMRMLTextNode) -> None:
    """Let the scene's description hold a text, not a file of its own.

    Slicer's dialog for saving writes no file of a node that editors do not offer, so the text would be lost
    where the scene is saved as .mrml once it was saved or loaded as .mrb.
    """
    node.SetForceCreateStorageNode(node.CreateStorageNodeNever)
    storage = node.GetStorageNode()
    if storage is not None:
        node.GetScene().RemoveNode(storage)


def save_scene(scene: slicer.vtkMRMLScene, path: Path) -> None:
    """Write the scene as an ``.mrb``; the file appears whole or not at all.

    Raises
    ------
    ImageError
        If the suffix is not ``.mrb`` or the file cannot be written.
    """
    _check_suffix(path, ".mrb")

    def write(temporary: Path) -> None:
        with undisturbed():
            _require(scene.WriteToMRB(str(temporary)))

    write_atomically(path, write)


def save_segmentation(segmentation_node: slicer.vtkMRMLSegmentationNode, path: Path) -> None:
    """Write a segmentation with all its segments as ``.seg.nrrd``; the file appears whole or not at all.

    The node's own storage, where Slicer would save it next, stays as it is.

    Raises
    ------
    ImageError
        If the suffix is not ``.seg.nrrd`` or the file cannot be written.
    """
    _check_suffix(path, ".seg.nrrd")
    storage = slicer.vtkMRMLSegmentationStorageNode()

    def write(temporary: Path) -> None:
        storage.SetFileName(str(temporary))
        _require(storage.WriteData(segmentation_node))

    write_atomically(path, write)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep the working directory, which MRML may change, and silence its list of packed files."""
    window, folder = vtk.vtkOutputWindow.GetInstance(), Path.cwd()
    mode = window.GetDisplayMode()
    window.SetDisplayModeToNever()
    try:
        yield
    finally:
        window.SetDisplayMode(mode)
        os.chdir(folder)


def _check_suffix(path: Path, suffix: str) -> None:
    if not path.name.endswith(suffix):
        raise ImageError(f"{path} has another suffix than {suffix}; name the file *{suffix}.")


def _require(written: bool | int) -> None:
    # MRML answers with a flag where Python's writers raise.
    if not written:
        raise RuntimeError("MRML could not write the file")
