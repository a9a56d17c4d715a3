"""One file, one image: what its header says is checked first, then the one reader that may read it does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from VSClickCorrectLib.errors import ImageError, Unreadable, enough_memory
from VSClickCorrectLib.geometry.grid import SHEAR_TOLERANCE
from VSClickCorrectLib.io import nifti, nifti_copy, nrrd
from VSClickCorrectLib.io.dicom_length import begins_as_dicom, is_whole
from VSClickCorrectLib.io.files import check_file

# What ITK calls its reader of DICOM.
GDCM = "GDCMImageIO"
# Eight times the largest head scans; what claims more would fill the memory.
MAX_VOXELS = 1 << 30
# Of formats that keep the voxels in a file of their own, which could be any.
_DETACHED = (".nhdr", ".mhd", ".hdr", ".img")
_PART_BYTES = 1 << 22
# So ITK says that it reads no axes but those at right angles.
_NOT_ORTHOGONAL = "orthonormal"
# And so of NRRD files whose fourth axis is called one of time.
_MORE_AXES = "number of domain axes"
# Of a voxel; others have eight bytes at most.
_BYTES = {sitk.sitkUInt8: 1, sitk.sitkInt8: 1, sitk.sitkUInt16: 2, sitk.sitkInt16: 2, sitk.sitkFloat32: 4}


@enough_memory()
def read_image(path: Path) -> sitk.Image:
    """Read a NIfTI or NRRD file that holds its own voxels, or one of DICOM.

    Raises
    ------
    ImageError
        If the file is none of these, its header is not that of its suffix, or it is damaged or incomplete.
    """
    header = read_header(path)
    if math.prod(header.shape) > MAX_VOXELS:
        size = "×".join(map(str, header.shape))
        raise ImageError(f"{path} has {size} voxels, more than any scan of a head; crop or export it again.")
    try:
        with enough_memory():
            image = _read_alone(path, header)
        if isinstance(header, nifti.NiftiHeader):
            nifti.check_voxels(path, header)
    # What ITK has to say may quote the file's bytes, which need not be text.
    except (RuntimeError, UnicodeDecodeError, *nifti.DAMAGED) as error:
        _check_readable(path, header)
        raise ImageError(_why_unreadable(path, str(error), header)) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    return _without_time(image)


def _without_time(image: sitk.Image) -> sitk.Image:
    """Return a series over time of one volume, as several programs write volumes, as that volume."""
    size = list(image.GetSize())
    if len(size) <= 3 or max(size[3:]) > 1:
        return image
    collapsed = [*size[:3], *[0] * (len(size) - 3)]
    submatrix = sitk.ExtractImageFilter.DIRECTIONCOLLAPSETOSUBMATRIX
    return sitk.Extract(image, collapsed, directionCollapseToStrategy=submatrix)


def read_header(path: Path) -> Header:
    """Read a header as the suffix says, and refuse one that is not what it says.

    Raises
    ------
    ImageError
        If the file is no ordinary one, or none of the images that `read_image` reads.
    """
    check_file(path)
    name = path.name.lower()
    try:
        if name.endswith(nifti.SUFFIXES):
            return nifti.read_header(path)
        if name.endswith(nrrd.SUFFIX):
            return nrrd.read_header(path)
        if name.endswith(_DETACHED):
            raise ImageError(f"{path} keeps its voxels in another file; save it as one file, NIfTI or NRRD.")
        if not begins_as_dicom(path):
            raise ImageError(f"{path} {nifti.NO_IMAGE}")
        return DicomHeader(path)
    except OSError as error:
        raise _unreadable(path, error) from None


class DicomHeader:
    """What GDCM finds in a file of DICOM."""

    reader = GDCM

    def __init__(self, path: Path) -> None:
        if not is_whole(path):
            raise ImageError(f"{path} is incomplete or damaged; export it again.")
        reader = reader_of(path)
        try:
            reader.ReadImageInformation()
        except (RuntimeError, UnicodeDecodeError):
            raise ImageError(f"{path} {nifti.NO_IMAGE}") from None
        self.shape = tuple(reader.GetSize())
        voxels = math.prod(self.shape) * reader.GetNumberOfComponents()
        self.voxel_bytes = voxels * _BYTES.get(reader.GetPixelID(), 8)


# What the header of an image says: the samples along each axis, the bytes of all voxels, and ITK's name of
# the reader. Left to choose, ITK reads a file of any name as HDF5 or MetaImage, for instance, which may refer
# to any other file.
Header = nifti.NiftiHeader | nrrd.NrrdHeader | DicomHeader


def _read_alone(path: Path, header: Header) -> sitk.Image:
    if not isinstance(header, nifti.NiftiHeader):
        return reader_of(path, header.reader).Execute()
    try:
        with nifti_copy.readable(path) as file:
            return reader_of(file, header.reader).Execute()
    except RuntimeError as error:
        if header.lean > SHEAR_TOLERANCE or _NOT_ORTHOGONAL not in str(error):
            raise
    return _read_leaning(path, header)


def _read_leaning(path: Path, header: nifti.NiftiHeader) -> sitk.Image:
    """Read an image that an sform alone places, its axes leaning by little, for which ITK refuses it."""
    with nifti_copy.readable(path, unplaced=True) as copy:
        image = reader_of(copy, header.reader).Execute()
    affine = header.unit_mm * np.reshape(header.sform, (3, 4)) * [[-1.0], [-1.0], [1.0]]
    spacing = np.linalg.norm(affine[:, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(affine[:, 3].tolist())
    image.SetDirection((affine[:, :3] / spacing).ravel().tolist())
    return image


def reader_of(path: Path, name: str = GDCM) -> sitk.ImageFileReader:
    """Return what reads a file, by ITK's name of it; ``path`` is to be UTF-8 text."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(name)
    return reader


@contextmanager
def named(what: object) -> Iterator[None]:
    """Name, in what is wrong with an image, the one of which it is told."""
    try:
        yield
    except ImageError as error:
        error.args = (f"{what}: {error}",)
        raise


def no_volume(path: Path, size: Sequence[int]) -> str:
    """Return the sentence on an image of more dimensions than three, or fewer, or of a single slice."""
    counts = "×".join(map(str, size))
    return f"{path} is not a volume (its size is {counts}); give a three-dimensional image."


def _check_readable(path: Path, header: Header) -> None:
    """Raise what is wrong where it is not the file but memory or the drive: ITK does not always say."""
    # ITK and the library that it calls hold the voxels once each.
    np.empty(2 * header.voxel_bytes, np.uint8)
    try:
        with path.open("rb") as stream:
            while stream.read(_PART_BYTES):
                pass
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> Unreadable:
    return Unreadable(f"{path} cannot be read ({error.strerror}); check the drive and try again.")


def _why_unreadable(path: Path, error: str, header: Header) -> str:
    if _MORE_AXES in error and len(header.shape) > 3:
        return no_volume(path, header.shape)
    if _NOT_ORTHOGONAL in error:
        return f"{path}: the image's axes are not at right angles; resample it to an orthogonal grid first."
    return f"{path} is incomplete or damaged; copy it again or export it again."
