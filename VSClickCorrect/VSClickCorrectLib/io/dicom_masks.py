"""Masks out of DICOM SEG: each frame is placed where it says that it lies, whatever their order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Scan
from VSClickCorrectLib.io.dicom_headers import needed, read_header, undamaged
from VSClickCorrectLib.io.dicom_length import begins_as_dicom, sop_class
from VSClickCorrectLib.io.dicom_source import SourceFrame, frames_of
from VSClickCorrectLib.io.files import check_file
from VSClickCorrectLib.io.image_files import MAX_VOXELS
from VSClickCorrectLib.io.tumour_label import Segment, called_segments

if TYPE_CHECKING:
    from pydicom import Dataset

TASK = "to read a DICOM SEG"
SEG_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
# What its header says of whose it is, in which frame it lies and when its scan was made.
_TOLD = ("PatientID", "FrameOfReferenceUID", "StudyDate")
# Of the voxel's size: what a frame may lie beside the slice.
_TOLERANCE = 0.1
_LABELMAP, _FRACTIONAL = "LABELMAP", "FRACTIONAL"


def segmentation_in(path: Path) -> Path | None:
    """Return the DICOM SEG that a path is, or the one that a folder holds; None if it is something else.

    Raises
    ------
    ImageError
        If a folder holds several.
    """
    found = [p for p, kind in _dicom_in(path) if kind in SEG_CLASSES]
    if len(found) > 1:
        raise ImageError(f"{path} holds {len(found)} DICOM segmentations; name the file of one.")
    return found[0] if found else None


@dataclass(frozen=True)
class SegmentationHeader:
    """What a DICOM SEG says of itself.

    Parameters
    ----------
    series : frozenset of str
        SeriesInstanceUIDs of the images on which it was made, empty where it does not say.
    scan : Scan
        Whose it is, and in which frame of reference it lies.
    labels : tuple of str
        What its segments are called.
    """

    series: frozenset[str]
    scan: Scan
    labels: tuple[str, ...]


def read_segmentation_header(path: Path) -> SegmentationHeader:
    """Read what a DICOM SEG says of itself.

    Raises
    ------
    ImageError
        If pydicom is not installed, or the file is damaged.
    """
    header = read_header(path, TASK)
    with undamaged(path):
        series = frozenset(str(s.SeriesInstanceUID) for s in header.get("ReferencedSeriesSequence", ()))
        patient, frame, date = (str(header.get(name) or "").strip() for name in _TOLD)
        scan = Scan(patient, frame, "", "", date)
        return SegmentationHeader(series, scan, tuple(_labels_of(header).values()))


def scan_of_mask(path: Path) -> Scan | None:
    """Return whose a mask is and where it lies, None if it is no DICOM SEG; raises as `read_mask`."""
    segmentation = segmentation_in(path)
    return None if segmentation is None else read_segmentation_header(segmentation).scan


def check_is_scan(path: Path) -> None:
    """Refuse a DICOM SEG, or a folder that holds nothing else: a mask is no scan."""
    kinds = {kind for _, kind in _dicom_in(path)}
    if kinds and kinds <= set(SEG_CLASSES):
        raise ImageError(f"{path} is a DICOM segmentation, not a scan; give it as the mask.")


def check_is_no_scan(path: Path) -> None:
    """Refuse to write a mask over a DICOM file of another kind, a slice of the patient's for instance."""
    if any(kind not in SEG_CLASSES for _, kind in _dicom_in(path)):
        raise ImageError(f"{path} is DICOM and no segmentation; choose another name for the mask.")


def _dicom_in(path: Path) -> list[tuple[Path, str]]:
    """Return the DICOM files that a path is or holds, and what kind of object each holds."""
    # Of what cannot be opened whoever reads it next says why.
    with suppress(OSError):
        paths = sorted(path.iterdir()) if path.is_dir() else [path]
        return [(p, sop_class(p)) for p in paths if p.is_file() and begins_as_dicom(p)]
    return []


def read_segmentation(path: Path, grid: Grid, labels: Sequence[int | str] = ()) -> np.ndarray:
    """Read a segment of a DICOM SEG.

    Parameters
    ----------
    path : Path
        The file.
    grid : Grid
        The grid of the images to which it belongs.
    labels : sequence of int or str, optional
        The segment's number or name where there are several; of several one that is there is enough.

    Returns
    -------
    ndarray of bool
        Shape ``grid.shape``.

    Raises
    ------
    ImageError
        If pydicom is not installed, the file is damaged or compressed in an unknown way, holds several
        segments and none was named, or fractions, or a frame lies beside the grid's slices.
    """
    pydicom = needed("pydicom", TASK)
    check_file(path)
    with undamaged(path):
        dataset = pydicom.dcmread(path)
        _check_pixels(dataset, path)
        wanted = _chosen(dataset, labels, path)
        result = np.zeros(grid.shape, bool)
        frames = list(_frames(dataset, wanted, path))
        beside = frames and _other_step([frame for frame, _ in frames], grid)
        if beside or not all(_placed(values, frame, grid, result) for frame, values in frames):
            raise ImageError(f"{path} lies on another grid than the image; resample it to the image first.")
    return result


def grid_of_segmentation(path: Path) -> Grid:
    """Return a grid that holds all frames of a DICOM SEG, which may leave out slices.

    Raises
    ------
    ImageError
        If pydicom is not installed, or the file is damaged or does not say how far its slices lie apart.
    """
    header = read_header(path, TASK)
    with undamaged(path):
        frames = frames_of(header)
        first = frames[0]
        normal = np.cross(first.row, first.column)
        heights = [float(normal @ frame.position) for frame in frames]
        gaps = np.diff(np.unique(np.round(heights, 4)))
        step = first.step or float(gaps.min(initial=np.inf))
        # Between frames nearly twice as far apart as they are thick, empty ones may have been left out.
        sparse = not first.step and first.thickness and step > 1.9 * first.thickness
        if step == np.inf or sparse:
            raise ImageError(f"{path} does not say how far its slices lie apart; name its scan, too.")
        count = 1 + round((max(heights) - min(heights)) / step)
        spacing = (*first.spacing[::-1], step)
        directions = np.stack([first.row, first.column, normal], axis=1)
        lowest = frames[int(np.argmin(heights))].position
        return Grid.from_lps((count, int(header.Rows), int(header.Columns)), spacing, lowest, directions)


def _check_pixels(dataset: Dataset, path: Path) -> None:
    if math.prod((dataset.NumberOfFrames, dataset.Rows, dataset.Columns)) > MAX_VOXELS:
        raise ImageError(f"{path} has more voxels than any scan of a head; crop or export it again.")
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        known = needed("pydicom.pixels", TASK).get_decoder(syntax).is_available
    except NotImplementedError:
        known = False
    if not known:
        raise ImageError(f"{path} is compressed as {syntax.name}; export it uncompressed.")


def _chosen(dataset: Dataset, labels: Sequence[int | str], path: Path) -> set[int]:
    """Return the numbers of the segments that are wanted."""
    segments = _labels_of(dataset)
    if not labels and len(segments) > 1:
        names = ", ".join(f"{number} {name}".strip() for number, name in segments.items())
        raise ImageError(f"{path} holds several segments ({names}); name the tumour's with --label.")
    if not labels:
        return set(segments)
    listed = [Segment(number, name.strip(), "", 0, number) for number, name in segments.items()]
    return {segment.number for segment in called_segments(listed, labels, path)}


def _labels_of(dataset: Dataset) -> dict[int, str]:
    """Return what the segments are called, by number; the background of a label map is none."""
    segments = {int(s.SegmentNumber): str(s.get("SegmentLabel", "")) for s in dataset.SegmentSequence}
    if dataset.SegmentationType == _LABELMAP:
        segments.pop(0, None)
    return segments


def _frames(dataset: Dataset, wanted: set[int], path: Path):
    """Yield those frames that are of segments that are wanted, and which of their pixels are."""
    labelmap = dataset.SegmentationType == _LABELMAP
    groups = dataset.PerFrameFunctionalGroupsSequence
    full = int(dataset.MaximumFractionalValue) if dataset.SegmentationType == _FRACTIONAL else None
    # Frames of single bits need not begin with a byte, so all are unpacked together.
    pixels = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    for frame, group, values in zip(frames_of(dataset), groups, pixels, strict=True):
        if labelmap:
            yield frame, np.isin(values, list(wanted))
        elif _segment_of(group, dataset) in wanted:
            if full is not None and not np.isin(values, (0, full)).all():
                raise ImageError(f"{path} holds fractions where a mask should be; threshold it first.")
            yield frame, values != 0


def _segment_of(group: Dataset, dataset: Dataset) -> int:
    name = "SegmentIdentificationSequence"
    [shared] = dataset.SharedFunctionalGroupsSequence
    return int((group if name in group else shared)[name][0].ReferencedSegmentNumber)


def _placed(values: np.ndarray, frame: SourceFrame, grid: Grid, result: np.ndarray) -> bool:
    """Set a frame's pixels in ``result`` if they are voxels of the grid, and return whether they are."""
    ras = np.array([-1.0, -1.0, 1.0])
    steps = np.array([frame.column * frame.spacing[0], frame.row * frame.spacing[1]]) * ras
    units = steps @ np.linalg.inv(grid.affine[:3, :3]).T
    pixels = np.argwhere(values)
    ijk = grid.ras_to_ijk(frame.position * ras + pixels @ steps)
    voxels = np.rint(ijk).astype(int)
    beside = np.abs(ijk - voxels).max(initial=0) > _TOLERANCE
    outside = ((voxels < 0) | (voxels >= grid.shape[::-1])).any()
    # From pixel to pixel it is one voxel along one axis: of larger pixels others would stay unset in between.
    sizes = np.sort(np.abs(units), axis=1)
    if beside or outside or np.abs(sizes - [0, 0, 1]).max() > _TOLERANCE:
        return False
    result[tuple(voxels[:, ::-1].T)] = True
    return True


def _other_step(frames: Sequence[SourceFrame], grid: Grid) -> bool:
    """Whether frames follow at another distance than the image's slices, which few need not show."""
    normal = np.cross(frames[0].row, frames[0].column)
    per_mm = np.abs(np.linalg.inv(grid.affine[:3, :3]) @ (normal * [-1, -1, 1])).max()
    other = any(frame.step and abs(frame.step * per_mm - 1) > _TOLERANCE for frame in frames)
    heights = [normal @ (frame.position - frames[0].position) for frame in frames]
    gaps = np.diff(np.unique(np.rint(np.multiply(heights, per_mm)).astype(int)))
    # Headers may hold the distance of the images of which every second one was taken.
    return other or bool(len(gaps) > 1 and np.gcd.reduce(gaps) > 1)
