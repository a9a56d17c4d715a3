"""Whose a node is that a segmentation refers to: a copy of the segmentation refers to it, too."""

from __future__ import annotations

from collections.abc import Iterator

import slicer

OWN_ROLES = "VSClickCorrect."
# None of the roles above: what a node owns is found by them, and would lead back here.
OWNER_ROLE = "VSClickCorrectOwner"


def own(owner: slicer.vtkMRMLNode, part: slicer.vtkMRMLNode) -> None:
    """Let a node be another one's, both in a scene."""
    part.SetNodeReferenceID(OWNER_ROLE, owner.GetID())


def references(node: slicer.vtkMRMLNode) -> Iterator[tuple[str, slicer.vtkMRMLNode]]:
    """Yield the nodes to which a node refers, with their roles; what is kept for another node is left out."""
    roles: list[str] = []
    node.GetNodeReferenceRoles(roles)
    for role in roles:
        for part in referred(node, role):
            yield role, part


def referred(node: slicer.vtkMRMLNode, role: str) -> Iterator[slicer.vtkMRMLNode]:
    """Yield the nodes to which a node refers in a role; what is kept for another node is left out.

    Slicer copies a node with its references. In scenes of earlier versions no owner is named.
    """
    for index in range(node.GetNumberOfNodeReferences(role)):
        part = node.GetNthNodeReference(role, index)
        if part is not None:
            owner = part.GetNodeReference(OWNER_ROLE) if role.startswith(OWN_ROLES) else None
            if owner is None or owner is node:
                yield part


def kept_for(node: slicer.vtkMRMLNode, role: str) -> slicer.vtkMRMLNode | None:
    """Return the one that is kept for a node in a role, if it is in the scene."""
    return next((part for part in referred(node, role) if part.GetScene() is not None), None)


def own_all(node: slicer.vtkMRMLNode) -> None:
    """Own what is kept for a node and names no owner yet, as in scenes of earlier versions."""
    for role, part in references(node):
        if role.startswith(OWN_ROLES):
            own(node, part)
