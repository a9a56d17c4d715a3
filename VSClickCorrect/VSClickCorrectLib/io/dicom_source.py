"""The DICOM images on which a mask was drawn, to which all that is written of it in DICOM refers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.placement import in_order_of
from VSClickCorrectLib.geometry.triples import triple
from VSClickCorrectLib.io.dicom_frames import Frame, rounding_of
from VSClickCorrectLib.io.dicom_headers import DAMAGED, needed, read_header, undamaged
from VSClickCorrectLib.io.dicom_length import begins_as_dicom
from VSClickCorrectLib.io.dicom_stack import TOLERANCE_MM, placed
from VSClickCorrectLib.io.dicom_validity import drop_invalid
from VSClickCorrectLib.io.files import check_file, reading

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset

TASK = "to write DICOM"
# Of a patient and a study that were made anonymous; they may be empty, not missing.
MAY_BE_EMPTY = (
    "AccessionNumber",
    "PatientBirthDate",
    "PatientID",
    "PatientName",
    "PatientSex",
    "PositionReferenceIndicator",
    "ReferringPhysicianName",
    "StudyDate",
    "StudyID",
    "StudyTime",
)
_MUST_BE_THERE = (
    "FrameOfReferenceUID",
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "Rows",
    "Columns",
)
# Groups of elements: what it is, whose, how and where it was taken, its pixels' size, its frames.
_KEPT = (0x0008, 0x0010, 0x0018, 0x0020, 0x0028, 0x5200)
_GROUPS = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
_DEPTHS = ("SpacingBetweenSlices", "SliceThickness")
_NO_GRID = "the slices do not lie one above the other at one distance"
_ONE_ELSEWHERE = "so nothing can be written that refers to it; save the mask as NIfTI or NRRD."


@dataclass(frozen=True)
class SourceFrame:
    """A slice of a series.

    Parameters
    ----------
    header : Dataset
        The image in which it is.
    number : int or None
        Its number in a multi-frame image, the first being 1; None where the image is the slice.
    position, row, column : (3,) array
        Centre of its first pixel, mm, and the unit vectors along a row and down a column, LPS.
    spacing : tuple of 2 float
        From row to row and from column to column, mm.
    step, thickness : float or None
        From slice to slice, and of the slice, as its header says, mm; None where it does not.
    rounding, position_rounding : float
        By how much each number of its unit vectors and of its position may be off, as they are written.
    """

    header: Dataset
    number: int | None
    position: np.ndarray
    row: np.ndarray
    column: np.ndarray
    spacing: tuple[float, float]
    step: float | None
    thickness: float | None
    rounding: float
    position_rounding: float


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """A series whose slices lie on one grid.

    Parameters
    ----------
    path : Path
        Where it is from, for messages.
    headers : tuple of Dataset
        Of its images: one for each slice in the grid's order, or one multi-frame image.
    frames : tuple of SourceFrame
        Its slices, in the grid's order, placed on it.
    grid : Grid
        Where they lie.
    off_mm : float
        How far that may be off for the decimals of their positions.
    """

    path: Path
    headers: tuple[Dataset, ...]
    frames: tuple[SourceFrame, ...]
    grid: Grid
    off_mm: float

    @classmethod
    def of(cls, headers: Iterable[Dataset], path: Path) -> SourceSeries:
        """Arrange the images of one series, slices in any order.

        Raises
        ------
        ImageError
            If they do not say what they belong to or where they lie, or do not lie on one grid.
        """
        with undamaged(path):
            headers = [_completed(header) for header in headers]
            frames, grid, off_mm = _on_a_grid([f for header in headers for f in frames_of(header)])
        return cls(path, tuple({id(f.header): f.header for f in frames}.values()), frames, grid, off_mm)

    def arranged(self, values: np.ndarray, grid: Grid) -> np.ndarray:
        """Return a mask in the order of the frames, ``(slices, rows, columns)``.

        Parameters
        ----------
        values : ndarray of bool
            ``(K, J, I)``.
        grid : Grid
            Where it lies: the series' own grid, its axes in any order and direction.

        Raises
        ------
        ImageError
            If that is another grid.
        """
        turned, own = in_order_of(self.grid, values, grid)
        if not own.matches(self.grid, TOLERANCE_MM + self.off_mm):
            raise ImageError(f"the mask's voxels are not those of the DICOM series, {_ONE_ELSEWHERE}")
        return turned

    def as_stored(self, slices: np.ndarray) -> np.ndarray:
        """Return what `arranged` returned in the order in which the images hold the frames."""
        # Only the frames of one image are numbered; images of one slice each stay as they are.
        return slices[sorted(range(len(self.frames)), key=lambda n: self.frames[n].number or 0)]


def is_dicom_source(path: Path) -> bool:
    """Whether a sequence is a folder, which holds DICOM then, or a DICOM file."""
    if os.path.isdir(path):
        return True
    check_file(path)
    with reading(path):
        return begins_as_dicom(path)


def check_source(path: Path) -> None:
    """Refuse, before any work, a sequence to which no DICOM can refer; raises as `read_source`."""
    needed("highdicom", TASK)
    if not is_dicom_source(path):
        raise ImageError(f"{path} is no DICOM series, {_ONE_ELSEWHERE}")


def read_source(path: Path, grid: Grid, series: str = "") -> SourceSeries:
    """Find the DICOM series on whose slices a grid lies.

    Parameters
    ----------
    path : Path
        A folder, which may hold other DICOM files too, or a multi-frame file.
    grid : Grid
        The grid of the sequence that was read from it.
    series : str, optional
        The SeriesInstanceUID of that sequence: others may lie on the same slices.

    Raises
    ------
    ImageError
        If pydicom or highdicom is not installed, the path is no DICOM, or not exactly one series lies there.
    """
    check_source(path)
    return matching(read_headers(path, series), grid, path)


def read_headers(path: Path, series: str = "") -> list[Dataset]:
    """Read the headers of a file, or of all DICOM files of a folder, or of one series in it alone.

    Raises
    ------
    ImageError
        As `read_header`.
    """
    with reading(path):
        paths = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
        paths = [p for p in paths if begins_as_dicom(p)]
    headers = [read_header(p, TASK) for p in paths]
    with undamaged(path):
        for keyword in ("PatientID", "FrameOfReferenceUID"):
            _fill_blanks(headers, keyword)
        return [header for header in headers if series in ("", header.get("SeriesInstanceUID"))]


def _fill_blanks(headers: Sequence[Dataset], keyword: str) -> None:
    """Let images that leave something blank say what the others of their series say."""
    told = {h.get("SeriesInstanceUID"): h.get(keyword) for h in headers if h.get(keyword)}
    for header in headers:
        uid = header.get("SeriesInstanceUID")
        if not header.get(keyword) and uid in told:
            setattr(header, keyword, told[uid])


def slim_headers(folder: Path, series: str = "") -> list[Dataset]:
    """Return what is needed of the headers of a folder's images, and no more; else as `read_headers`."""
    with undamaged(folder):
        return [_completed(header) for header in read_headers(folder, series) if "Rows" in header]


def matching(headers: Sequence[Dataset], grid: Grid, path: Path) -> SourceSeries:
    """Return the series, of several, that lies on a grid; raises as `read_source`.

    Parameters
    ----------
    headers : sequence of Dataset
        Of all files.
    grid : Grid
        The grid.
    path : Path
        Where they are from, for messages.
    """
    series: dict[str, list[Dataset]] = {}
    with undamaged(path):
        for header in headers:
            if "Rows" in header and header.get("Modality") not in ("RTDOSE", "SEG"):
                series.setdefault(str(header.get("SeriesInstanceUID", "")), []).append(header)
    found, why = [], f"{path} holds no DICOM image, {_ONE_ELSEWHERE}"
    for images in series.values():
        try:
            one = SourceSeries.of(images, path)
            one.arranged(np.zeros(grid.shape, bool), grid)
        except ImageError as error:
            why = str(error) if str(path) in str(error) else f"{path}: {error}"
        else:
            found.append(one)
    if len(found) > 1:
        raise ImageError(f"{path} holds {len(found)} series on one grid; give each a folder of its own.")
    if not found:
        raise ImageError(why)
    return found[0]


def _completed(header: Dataset) -> Dataset:
    """Return what is needed of a header, with empty values for what may be empty.

    Nothing private is kept, and nothing whose value makes no sense.
    """
    kept = needed("pydicom", TASK).Dataset()
    # What a dataset itself runs over are elements, read at once.
    tags = [tag for tag in header.keys() if tag.group in _KEPT]  # noqa: SIM118
    for tag in tags:
        with suppress(*DAMAGED):
            kept[tag] = _decoded(header[tag])
    drop_invalid(kept)
    for keyword in _MUST_BE_THERE:
        if not kept.get(keyword):
            raise ImageError(f"the images do not name their {keyword}, {_ONE_ELSEWHERE}")
    for keyword in MAY_BE_EMPTY:
        if keyword not in kept:
            setattr(kept, keyword, None if keyword in ("StudyDate", "StudyTime") else "")
    return kept


def _decoded(element: DataElement) -> DataElement:
    """Return an element, all that is in it read; pydicom reads values when they are asked for."""
    if element.VR == "SQ":
        for item in element.value:
            list(item.iterall())
    return element


def frames_of(header: Dataset) -> list[SourceFrame]:
    """Return the slices of an image in the order in which it holds them; use it within `undamaged`."""
    if "PerFrameFunctionalGroupsSequence" not in header:
        return [_frame(header, None, header, header, header)]
    shared: Dataset | dict = next(iter(header.get("SharedFunctionalGroupsSequence", ())), {})
    return [
        _frame(header, number, *(_group(name, own, shared) for name in _GROUPS))
        for number, own in enumerate(header.PerFrameFunctionalGroupsSequence, 1)
    ]


def _group(name: str, own: Dataset, shared: Dataset | dict) -> Dataset:
    """Return what is said of a frame alone, or of all."""
    return (own if name in own else shared)[name][0]


def _frame(header: Dataset, number: int | None, place: Dataset, turn: Dataset, size: Dataset) -> SourceFrame:
    position = np.array(place.ImagePositionPatient, float)
    row, column = np.array(turn.ImageOrientationPatient, float).reshape(2, 3)
    rows, columns = map(float, size.PixelSpacing)
    # Some programs write 0 where they do not know it.
    step, thickness = (abs(float(size.get(k) or 0)) or None for k in _DEPTHS)
    roundings = (
        rounding_of([*map(str, written)])
        for written in (turn.ImageOrientationPatient, place.ImagePositionPatient)
    )
    return SourceFrame(header, number, position, row, column, (rows, columns), step, thickness, *roundings)


def _on_a_grid(frames: Sequence[SourceFrame]) -> tuple[tuple[SourceFrame, ...], Grid, float]:
    """Return all frames in order on the grid on which the series is read, and how far that may be off."""
    header = frames[0].header
    size = int(header.Rows), int(header.Columns)
    try:
        order, stack = placed([_as_read(frame) for frame in frames], size, "the series")
        grid = stack.grid((len(order), *size), "the series")
    except ImageError as error:
        raise ImageError(f"{_NO_GRID}, {_ONE_ELSEWHERE} ({error})") from None
    if stack.shifted:
        raise ImageError(f"{_NO_GRID} (gantry tilt), {_ONE_ELSEWHERE}")
    step, first = stack.affine[:3, 2], stack.affine[:3, 3]
    return (
        tuple(
            replace(frames[n], position=first + k * step, row=stack.plane.row, column=stack.plane.column)
            for k, n in enumerate(order)
        ),
        grid,
        stack.off_mm,
    )


def _as_read(frame: SourceFrame) -> Frame:
    identity = str(frame.header.SOPInstanceUID), str(frame.number or "")
    turn = (*frame.row.tolist(), *frame.column.tolist())
    place, name = triple(frame.position), f"image {identity[0]}"
    roundings = frame.rounding, frame.position_rounding
    return Frame(name, identity, place, turn, *roundings, frame.spacing, (1.0, 0.0), {})
