"""Matrices between MRML nodes and the world."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import slicer
import vtk

from VSClickCorrectLib.errors import ImageError


def array_of(matrix: vtk.vtkMatrix4x4) -> np.ndarray:
    """Return a VTK matrix as a (4, 4) array of float."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def array_from(write: Callable[[vtk.vtkMatrix4x4], object]) -> np.ndarray:
    """Return as an array what a method of VTK's or MRML's writes into a matrix that it is given."""
    matrix = vtk.vtkMatrix4x4()
    write(matrix)
    return array_of(matrix)


def matrix_of(array: np.ndarray) -> vtk.vtkMatrix4x4:
    """Return a (4, 4) array as a VTK matrix."""
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy([float(value) for value in np.ravel(array)])
    return matrix


def world_from_node(node: slicer.vtkMRMLTransformableNode) -> np.ndarray:
    """Return the (4, 4) matrix from a node's own RAS to the world's, in mm.

    Raises
    ------
    ImageError
        If a parent transform is not linear.
    """
    parent = node.GetParentTransformNode()
    if parent is None:
        return np.eye(4)
    if not parent.IsTransformToWorldLinear():
        raise ImageError(
            f"'{node.GetName()}' lies under a transform that is not linear; harden the transform first."
        )
    return array_from(parent.GetMatrixTransformToWorld)
