"""Images in and out: NIfTI, NRRD and DICOM through SimpleITK, written beside and renamed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import SimpleITK as sitk

from VSClickCorrectLib.errors import ImageError, enough_memory
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.placement import placed_on
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.io import nifti, nifti_copy
from VSClickCorrectLib.io.dicom_masks import (
    check_is_no_scan,
    check_is_scan,
    grid_of_segmentation,
    read_segmentation,
    segmentation_in,
)
from VSClickCorrectLib.io.dicom_series import placed_frames, read_dicom
from VSClickCorrectLib.io.files import check_name, reading, write_atomically
from VSClickCorrectLib.io.image_files import DicomHeader, named, no_volume, read_header, read_image
from VSClickCorrectLib.io.one_grid import case_of, image_of
from VSClickCorrectLib.io.pairing import remarks_on_name
from VSClickCorrectLib.io.stated_positions import names_sides, remarks_on
from VSClickCorrectLib.io.suffixes import MASK_SUFFIXES
from VSClickCorrectLib.io.tumour_label import Label, chosen_label, chosen_segment, labels_of, segments_of


@enough_memory()
def read_volume(path: Path, sequence: str | None = None, uid: str | None = None) -> Volume:
    """Read a NIfTI or NRRD file, or a folder with a DICOM series.

    Parameters
    ----------
    path : Path
        File or folder.
    sequence : {"t1ce", "t2"}, optional
        Which series of a folder with several is wanted, if their headers tell;
        a file that is called another is remarked on.
    uid : str, optional
        The SeriesInstanceUID of the one that is wanted of a folder, if that is known.

    Raises
    ------
    ImageError
        If it is missing, no image, incomplete, not three-dimensional, not of one channel, or holds NaN.
    """
    check_name(path)
    check_is_scan(path)
    with reading(path):
        if uid is not None or os.path.isdir(path):
            return _thick(read_dicom(path, uid, sequence), path)
        header, image = read_header(path), read_image(path)
        if isinstance(header, DicomHeader):
            return _thick(placed_frames(path, image), path)
        volume = _volume_of(image, path, thinnest=2)
        remarks = remarks_on(header, volume.grid, path) + remarks_on_name(path, sequence)
        return replace(volume, remarks=remarks, sides_known=names_sides(header))


def _thick(volume: Volume, path: Path) -> Volume:
    if min(volume.grid.shape) < 2:
        raise ImageError(no_volume(path, volume.grid.shape[::-1]))
    return volume


def _volume_of(image: sitk.Image, path: Path, thinnest: int) -> Volume:
    if image.GetDimension() != 3 or min(image.GetSize()) < thinnest:
        raise ImageError(no_volume(path, image.GetSize()))
    if image.GetNumberOfComponentsPerPixel() != 1 or "complex" in image.GetPixelIDTypeAsString():
        raise ImageError(f"{path} has several channels or complex values; give a plain greyscale image.")
    grid = _grid_of(image, path)
    with named(path):
        return Volume(sitk.GetArrayFromImage(image), grid)


def read_case(
    t1ce: Path | None,
    t2: Path | None,
    different_patients: bool = False,
    uids: Mapping[str, str] = MappingProxyType({}),
) -> Case:
    """Read the sequences of one examination; see `case_of`.

    Parameters
    ----------
    t1ce, t2 : Path or None
        Files or folders.
    different_patients : bool
        As for `case_of`.
    uids : mapping of str, optional
        SeriesInstanceUIDs, by ``t1ce`` and ``t2``, of sequences in a folder that holds several series.

    Raises
    ------
    ImageError
        If a file cannot be used, or as `case_of`.
    """
    first = read_volume(t1ce, "t1ce", uids.get("t1ce")) if t1ce else None
    second = read_volume(t2, "t2", uids.get("t2")) if t2 else None
    return case_of(first, second, different_patients)


@enough_memory()
def read_mask(path: Path, grid: Grid, label: Label | None = None) -> np.ndarray:
    """Read a mask and place it on ``grid``.

    Parameters
    ----------
    path : Path
        A label map, NIfTI or NRRD, or segments that Slicer saved (``.seg.nrrd``); their voxels may be stored
        in another order than the image's, and reach less far or farther. Or a DICOM SEG,
        or the folder that holds one.
    grid : Grid
        The grid of the volume it belongs to.
    label : int, str or sequence of these, optional
        The tumour's label or, by name or number, its segment, where the file holds several; of several labels
        one that is there is enough.

    Returns
    -------
    ndarray of bool
        Shape ``grid.shape``.

    Raises
    ------
    ImageError
        If it cannot be read, holds several labels and none was named, lies on another grid or beyond the
        image, or the label is the background.
    """
    labels = labels_of(label)
    check_name(path)
    if (segmentation := segmentation_in(path)) is not None:
        return read_segmentation(segmentation, grid, labels)
    values, own = _marked(path, labels)
    return placed_on(grid, values, own, path)


@enough_memory()
def read_lone_mask(path: Path, label: Label | None = None) -> tuple[np.ndarray, Grid]:
    """Read a mask whose image is not known; it may cover a part of the image only.

    Parameters and errors are those of `read_mask`.

    Returns
    -------
    values : ndarray of bool
        ``(K, J, I)``.
    grid : Grid
        Its own grid.
    """
    labels = labels_of(label)
    check_name(path)
    if (segmentation := segmentation_in(path)) is not None:
        grid = grid_of_segmentation(segmentation)
        return read_segmentation(segmentation, grid, labels), grid
    return _marked(path, labels)


def _marked(path: Path, labels: Sequence[int | str]) -> tuple[np.ndarray, Grid]:
    """Return the voxels of a file that are the mask, and where they lie."""
    with reading(path):
        if os.path.isdir(path):
            volume = read_dicom(path)
            return chosen_label(volume.array, labels, path), volume.grid
        header, image = read_header(path), read_image(path)
        if isinstance(header, DicomHeader):
            volume = placed_frames(path, image)
            return chosen_label(volume.array, labels, path), volume.grid
    segments = segments_of(image, path)
    if segments and image.GetDimension() == 3:
        layers = sitk.GetArrayFromImage(image).reshape(*image.GetSize()[::-1], -1)
        return chosen_segment(layers, segments, labels, path), _grid_of(image, path)
    # Slicer may crop a segmentation to a single slice.
    volume = _volume_of(image, path, thinnest=1)
    # What ITK placed is held against the header of a mask, too.
    remarks_on(header, volume.grid, path)
    return chosen_label(volume.array, labels, path), volume.grid


@enough_memory()
def write_mask(
    path: Path,
    values: np.ndarray,
    grid: Grid,
    name: str = "tumour",
    sides_known: bool = True,
    before: Callable[[], object] = lambda: None,
) -> None:
    """Write a mask as NIfTI or ``.seg.nrrd``; the file appears whole or not at all.

    Parameters
    ----------
    path : Path
        Where; the suffix says what.
    values : ndarray
        ``(K, J, I)``, bool.
    grid : Grid
        Where the mask lies.
    name : str
        The segment's name in a ``.seg.nrrd``.
    sides_known : bool
        As of the `Volume` on which it lies; of a NIfTI file the header tells, see `write_volume`.
    before : callable
        Writes what belongs to the mask, once that is whole on the disk and before it appears, or raises.

    Raises
    ------
    ImageError
        If the suffix is none of `MASK_SUFFIXES` or the file cannot be written.
    """
    check_mask_path(path)
    image = image_of(values.astype(np.uint8), grid)
    if path.name.endswith(".seg.nrrd"):
        _describe_segment(image, name)
    _write_image(path, image, sides_known, before)


def check_mask_path(path: Path, *inputs: Path | None, suffixes: tuple[str, ...] = MASK_SUFFIXES) -> None:
    """Refuse a path to which a mask cannot be written, before any work is done for it.

    Parameters
    ----------
    path : Path
        Where a mask is to go.
    *inputs : Path or None
        Files that must stay as they are.
    suffixes : tuple of str
        What its name may end with.

    Raises
    ------
    ImageError
        If the suffix is none of these, the folder does not exist, or the path is a folder, one of the inputs
        or DICOM of another kind.
    """
    check_name(path)
    if not path.name.endswith(suffixes):
        raise ImageError(f"{path} has no known suffix; name it {', '.join(suffixes)}.")
    if not os.path.isdir(path.parent):
        raise ImageError(f"the folder {path.parent} does not exist; create it or choose another.")
    if os.path.isdir(path):
        raise ImageError(f"{path} is a folder; choose another name for the mask.")
    try:
        os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ImageError(f"{path} cannot be written ({error.strerror}); choose another name.") from None
    if any(given is not None and os.path.exists(given) and os.path.samefile(path, given) for given in inputs):
        raise ImageError(f"{path} is one of the files to be read; choose another name for the mask.")
    check_is_no_scan(path)


@enough_memory()
def write_volume(path: Path, volume: Volume) -> None:
    """Write a sequence as NIfTI or NRRD; the file appears whole or not at all.

    A NIfTI file of a volume whose sides are not known has both codes 0: it names voxel sizes and no place,
    unless the volume was put somewhere since.

    Raises
    ------
    ImageError
        If the suffix is neither's or the file cannot be written.
    """
    check_mask_path(path)
    _write_image(path, image_of(volume.array, volume.grid), volume.sides_known)


def _write_image(
    path: Path, image: sitk.Image, sides_known: bool, before: Callable[[], object] = lambda: None
) -> None:
    def write(temporary: Path) -> None:
        sitk.WriteImage(image, str(temporary), useCompression=True)
        if not sides_known and path.name.endswith(nifti.SUFFIXES) and _is_nowhere(image):
            temporary.write_bytes(nifti_copy.unplaced(temporary))
        if not _holds(temporary, image):
            raise RuntimeError("what was written is not what was to be written")
        before()

    write_atomically(path, write)


def _is_nowhere(image: sitk.Image) -> bool:
    """Whether an image lies where ITK places those whose header names no place, so nobody moved it."""
    turned = np.subtract(image.GetDirection(), np.eye(3).ravel())
    return np.allclose(turned, 0, atol=1e-6) and np.allclose(image.GetOrigin(), 0, atol=1e-3)


def _holds(path: Path, image: sitk.Image) -> bool:
    """Whether a file holds an image: ITK says nothing of a NIfTI file that a full disk cut short."""
    try:
        found = read_image(path)
    except ImageError:
        return False
    return np.array_equal(sitk.GetArrayViewFromImage(found), sitk.GetArrayViewFromImage(image))


def _grid_of(image: sitk.Image, path: Path) -> Grid:
    shape = image.GetSize()[::-1]
    with named(path):
        return Grid.from_lps(shape, image.GetSpacing(), image.GetOrigin(), image.GetDirection())


def _describe_segment(image: sitk.Image, name: str) -> None:
    """Add the keys by which Slicer reads a NRRD file as a segmentation."""
    last = [n - 1 for n in image.GetSize()]
    for key, value in {
        "ID": "Segment_1",
        "Name": name,
        "NameAutoGenerated": "0",
        "Color": "0.901961 0.623529 0",
        "ColorAutoGenerated": "0",
        "Layer": "0",
        "LabelValue": "1",
        "Extent": f"0 {last[0]} 0 {last[1]} 0 {last[2]}",
        "Tags": "",
    }.items():
        image.SetMetaData(f"Segment0_{key}", value)
    image.SetMetaData("Segmentation_MasterRepresentation", "Binary labelmap")
    image.SetMetaData("Segmentation_ContainedRepresentationNames", "Binary labelmap|")
    image.SetMetaData("Segmentation_ReferenceImageExtentOffset", "0 0 0")
