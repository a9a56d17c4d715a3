"""One segment of a segmentation node as the mask that is being corrected."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import slicer
import vtk

from VSClickCorrectLib.errors import CorrectionError, ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Index3
from VSClickCorrectLib.mrml.labelmap import Labelmap, box_on_grid
from VSClickCorrectLib.mrml.transforms import matrix_of, world_from_node
from VSClickCorrectLib.mrml.volumes import grid_of

BINARY_LABELMAP = slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()
CLOSED_SURFACE = slicer.vtkSegmentationConverter.GetClosedSurfaceRepresentationName()
REFERENCE_GEOMETRY = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
# Voxels added round a correction that leaves the labelmap: wide enough that the next clicks on the same
# tumour find room, and small enough that rendering, Slicer's own undo and `extent` stay cheap.
GROWTH_MARGIN = 32
# Bluish green of Okabe and Ito's palette: an outline of it is seen on dark and on bright tissue.
COLOR = (0x00 / 255, 0x9E / 255, 0x73 / 255)
# A segmentation, and the ID of a segment in it.
Segment = tuple[slicer.vtkMRMLSegmentationNode, str]


class SegmentMask:
    """A `Mask` over one segment, written in place, so that it is at once what the clinician sees.

    Boxes are counted on the volume's grid, whichever linear transforms the volume and the segmentation lie
    under, as long as their voxels coincide in the world. The labelmap is looked up anew at each access,
    because Slicer's tools replace, crop and share it as they go. Where segments share a layer, the first
    write gives this one a layer of its own; other segments keep every voxel, and may overlap it.

    Slicer resamples a segmentation to its reference geometry when it saves it. Where that geometry is not
    the volume's but every segment's voxels are, it is set to the volume's, so that what is saved is what
    was seen.

    Segmentations whose source is not a binary labelmap are refused rather than converted: conversion would
    put a coarser thing in place of what the clinician made, which is for the clinician to decide.

    Parameters
    ----------
    segmentation_node : vtkMRMLSegmentationNode
        The segmentation, in a scene.
    segment_id : str
        Which of its segments.
    volume_node : vtkMRMLVolumeNode
        The volume whose grid counts.

    Raises
    ------
    CorrectionError
        If the segmentation, the segment or the volume is not, or no longer, there.
    ImageError
        If the source is not a binary labelmap, its voxels are not the volume's, or the volume cannot be used.
        Every method raises these two, as any of it may change between clicks; nothing is written then.
    """

    def __init__(
        self,
        segmentation_node: slicer.vtkMRMLSegmentationNode,
        segment_id: str,
        volume_node: slicer.vtkMRMLVolumeNode,
    ) -> None:
        self._node = segmentation_node
        self._segment_id = segment_id
        self._volume_node = volume_node
        grid = self.grid
        self._labelmap(self._segment(), grid)
        self._adopt_geometry(grid)

    @property
    def segment_id(self) -> str:
        """Which segment it is."""
        return self._segment_id

    @property
    def stamp(self) -> tuple[object, ...] | None:
        """Another one whenever the segment's voxels may have changed or moved; None if it is gone."""
        there = self._node.GetScene() and self._volume_node.GetScene()
        segment = self._node.GetSegmentation().GetSegment(self._segment_id) if there else None
        if segment is None:
            return None
        image = segment.GetRepresentation(BINARY_LABELMAP)
        place, time = ("", 0) if image is None else (image.GetAddressAsString(""), image.GetMTime())
        moved = self._volume_node.GetMTime(), _moved(self._volume_node), _moved(self._node)
        return place, time, segment.GetLabelValue(), *moved

    @property
    def grid(self) -> Grid:
        """The volume's grid, as it lies in the world now."""
        if self._volume_node.GetScene() is None:
            raise CorrectionError("the volume was removed from the scene; load it again and start anew.")
        return grid_of(self._volume_node)

    def read(self, box: Box) -> np.ndarray:
        """See `Mask.read`."""
        grid = self.grid
        _check_inside(box, grid)
        segment = self._segment()
        return _read(self._labelmap(segment, grid), segment, box)

    def write(self, box: Box, values: np.ndarray) -> None:
        """Set the voxels in ``box`` to ``values``, bool, of the box's shape.

        Views are notified only if a voxel changes; a closed surface is dropped then, see `refresh_surface`.

        Raises
        ------
        CorrectionError
            If the values do not fit the box or the box the grid; nothing is written.
        """
        grid = self.grid
        _check_inside(box, grid)
        _check_values(values, box.shape)
        segment = self._segment()
        labelmap = self._labelmap(segment, grid)
        changed = Box.of_array(_read(labelmap, segment, box) != values)
        if changed is None:
            return
        self._adopt_geometry(grid)
        if self._separate_layer():
            labelmap = self._labelmap(segment, grid)
        self._put(segment, labelmap, grid, changed.shifted(box.start), values[changed.slices])

    def extent(self) -> Box | None:
        """See `Mask.extent`."""
        grid = self.grid
        segment = self._segment()
        labelmap = self._labelmap(segment, grid)
        if labelmap is None:
            return None
        inside = labelmap.box.intersection(grid.box)
        tight = Box.of_array(labelmap.read(inside, segment.GetLabelValue()))
        return tight.shifted(inside.start) if tight is not None else None

    def check_whole(self) -> None:
        """Raise `ImageError` if the segment holds voxels beyond the volume, of which no mask can tell."""
        segment = self._segment()
        labelmap, label, inside = self._labelmap(segment, self.grid), segment.GetLabelValue(), self.grid.box
        if labelmap is None or inside.contains(labelmap.box):
            return
        within = labelmap.read(inside.intersection(labelmap.box), label)
        if np.count_nonzero(labelmap.voxels == label) != np.count_nonzero(within):
            name, volume = segment.GetName(), self._volume_node.GetName()
            raise ImageError(
                f"the segment '{name}' reaches beyond the volume '{volume}', so that part of it would be "
                "neither measured nor saved; choose the volume on which it was made, or erase what lies "
                "beyond."
            )

    def fill(self, values: np.ndarray) -> None:
        """Make the segment equal to an array of the whole grid.

        Parameters
        ----------
        values : ndarray of bool
            ``(K, J, I)``, the grid's shape.

        Raises
        ------
        CorrectionError
            If the array is not of that shape and type; nothing is written.
        """
        _check_values(values, self.grid.shape)
        boxes = [box for box in (self.extent(), Box.of_array(values)) if box is not None]
        if boxes:
            box = boxes[0].union(boxes[-1])
            self.write(box, values[box.slices])

    def _segment(self) -> slicer.vtkSegment:
        if self._node.GetScene() is None:
            raise CorrectionError(
                "the segmentation was removed from the scene; choose or create another one."
            )
        segmentation = self._node.GetSegmentation()
        segment = segmentation.GetSegment(self._segment_id)
        if segment is None:
            raise CorrectionError("the segment being corrected was deleted; choose or create another one.")
        source = segmentation.GetSourceRepresentationName()
        if source != BINARY_LABELMAP:
            raise ImageError(
                f"the source of the segmentation '{self._node.GetName()}' is '{source}'; "
                f"make '{BINARY_LABELMAP}' its source in the Segmentations module first."
            )
        return segment

    def _labelmap(self, segment: slicer.vtkSegment, grid: Grid) -> Labelmap | None:
        """Return the segment's labelmap as it is now, or None if it holds no voxels."""
        world = world_from_node(self._node)
        image = segment.GetRepresentation(BINARY_LABELMAP)
        if image is None or image.IsEmpty():
            return None
        return Labelmap.on_grid(image, world, grid)

    def _adopt_geometry(self, grid: Grid) -> None:
        segmentation = self._node.GetSegmentation()
        text = segmentation.GetConversionParameter(REFERENCE_GEOMETRY)
        if not _lies_on(text, world_from_node(self._node).tobytes(), grid):
            for index in range(segmentation.GetNumberOfSegments()):
                self._labelmap(segmentation.GetNthSegment(index), grid)
            self._node.SetReferenceImageGeometryParameterFromVolumeNode(self._volume_node)
        _place_empty_labelmaps(self._node, grid)

    def _put(
        self, segment: slicer.vtkSegment, labelmap: Labelmap | None, grid: Grid, box: Box, values: np.ndarray
    ) -> None:
        label = segment.GetLabelValue()
        if labelmap is None or not labelmap.box.contains(box):
            labelmap = self._with_room(labelmap, label, grid, box)
            labelmap.write(box, values, label)
            segment.AddRepresentation(BINARY_LABELMAP, labelmap.image)
        else:
            labelmap.write(box, values, label)
        labelmap.image.GetPointData().GetScalars().Modified()
        labelmap.image.Modified()
        # Slicer's slice views repaint only on the segment's own event.
        segment.Modified()

    def _separate_layer(self) -> bool:
        """Give the segment a layer of its own; return whether it shared one."""
        # Asked this way because vtkSegmentation.IsSharedBinaryLabelmap answers the opposite of its name.
        sharing: list[str] = []
        segmentation = self._node.GetSegmentation()
        segmentation.GetSegmentIDsSharingBinaryLabelmapRepresentation(self._segment_id, sharing, False)
        if sharing:
            segmentation.SeparateSegmentLabelmap(self._segment_id)
        return bool(sharing)

    def _with_room(self, labelmap: Labelmap | None, label: int, grid: Grid, box: Box) -> Labelmap:
        """Return a labelmap, not yet the segment's, that holds the same voxels and has room for ``box``."""
        room = box.padded(GROWTH_MARGIN).clipped(grid.shape)
        if labelmap is not None:
            return labelmap.grown(room)
        affine = _affine_in(self._node, grid)
        fits_a_byte = label <= np.iinfo(np.uint8).max
        return Labelmap.blank(room, affine, vtk.VTK_UNSIGNED_CHAR if fits_a_byte else vtk.VTK_INT)


def add_segmentation(scene: slicer.vtkMRMLScene, volume_node: slicer.vtkMRMLVolumeNode, name: str) -> Segment:
    """Add a segmentation of one empty segment that lies where the volume lies.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the node goes.
    volume_node : vtkMRMLVolumeNode
        The volume that gives the geometry and the parent transform.
    name : str
        Name of the node and of its segment.

    Returns
    -------
    node : vtkMRMLSegmentationNode
        The segmentation, with its display node.
    segment_id : str
        The segment's ID in it.
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    # The parent first: the reference geometry is worked out relative to it.
    node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    segment_id = node.GetSegmentation().AddEmptySegment("", name, COLOR)
    _place_empty_labelmaps(node, grid_of(volume_node))
    return node, segment_id


def has_surface(segmentation_node: slicer.vtkMRMLSegmentationNode) -> bool:
    """Whether the segmentation holds the closed surfaces that 3D views show."""
    return segmentation_node.GetSegmentation().ContainsRepresentation(CLOSED_SURFACE)


def refresh_surface(segmentation_node: slicer.vtkMRMLSegmentationNode) -> None:
    """Rebuild the closed surfaces that 3D views show, which every write drops.

    It takes seconds on large segments, so call it once the clicks pause.

    Raises
    ------
    ImageError
        If the surfaces cannot be made.
    """
    if not segmentation_node.CreateClosedSurfaceRepresentation():
        raise ImageError(
            f"no surface could be made of the segmentation '{segmentation_node.GetName()}'; "
            "check that a segment holds voxels, or hide the surface."
        )


def _place_empty_labelmaps(segmentation_node: slicer.vtkMRMLSegmentationNode, grid: Grid) -> None:
    """Let labelmaps without voxels have the grid's voxels, too.

    Slicer joins layers when it saves them, and resamples all to the geometry of the first, which of an empty
    segment is millimetres at the origin: other segments would lose their voxels.
    """
    segmentation = segmentation_node.GetSegmentation()
    segments = map(segmentation.GetNthSegment, range(segmentation.GetNumberOfSegments()))
    images = [segment.GetRepresentation(BINARY_LABELMAP) for segment in segments]
    empty = [image for image in images if image is not None and image.IsEmpty()]
    # Every write asks, and seldom is one empty.
    matrix = matrix_of(_affine_in(segmentation_node, grid)) if empty else None
    for image in empty:
        image.SetGeometryFromImageToWorldMatrix(matrix)


def _affine_in(segmentation_node: slicer.vtkMRMLSegmentationNode, grid: Grid) -> np.ndarray:
    """Return the affine from IJK of a grid in the world to the segmentation's RAS, mm."""
    return np.linalg.inv(world_from_node(segmentation_node)) @ grid.affine


def _read(labelmap: Labelmap | None, segment: slicer.vtkSegment, box: Box) -> np.ndarray:
    return np.zeros(box.shape, bool) if labelmap is None else labelmap.read(box, segment.GetLabelValue())


def _moved(node: slicer.vtkMRMLTransformableNode) -> int | None:
    """Return when the transforms over a node changed last, None if there are none."""
    parent = node.GetParentTransformNode()
    return None if parent is None else parent.GetTransformToWorldMTime()


# Every write asks, and reading the text again takes longer than writing the voxels.
@lru_cache(maxsize=8)
def _lies_on(geometry_text: str | None, world: bytes, grid: Grid) -> bool:
    """Whether a reference geometry, in a segmentation that lies so in the world, is of voxels of the grid."""
    geometry = slicer.vtkOrientedImageData()
    known = geometry_text and slicer.vtkSegmentationConverter.DeserializeImageGeometry(
        geometry_text, geometry, False
    )
    return bool(known) and box_on_grid(geometry, np.frombuffer(world).reshape(4, 4), grid) is not None


def _check_inside(box: Box, grid: Grid) -> None:
    if not grid.box.contains(box):
        raise CorrectionError(
            f"the voxels {box.start} to {box.stop} reach beyond the image of {grid.shape} voxels; "
            "click inside it."
        )


def _check_values(values: np.ndarray, shape: Index3) -> None:
    if values.dtype != bool or values.shape != shape:
        raise CorrectionError(
            f"a {values.dtype} array of shape {values.shape} does not fit {shape} voxels of the segment; "
            "give logical values of that shape."
        )
