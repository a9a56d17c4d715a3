"""Structures of a DICOM RTSTRUCT."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.dicom_headers import DAMAGED
from VSClickCorrectLib.io.files import check_file

_CLOSED = {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}


@dataclass(frozen=True)
class StructureSet:
    """The contours of one RTSTRUCT.

    Parameters
    ----------
    patient : str
        PatientID, empty where it does not say.
    structures : list of dict
        As in ``contours.json``: ``structure_name``, ``MR_SeriesInstanceUID``, the series on whose images it
        was drawn, and ``frame``, the FrameOfReferenceUID in which its points lie, both empty where it does
        not say; ``LPS_contour_points``, lists of points in mm; and ``open_contours``, how many lines it holds
        besides that enclose nothing.
    referenced : str
        SeriesInstanceUID of the first series that it names, empty where it names none.
    """

    patient: str
    structures: list[dict]
    referenced: str

    @property
    def series(self) -> set[str]:
        """The series on which its structures were drawn, or that it names where it holds none."""
        return {structure["MR_SeriesInstanceUID"] for structure in self.structures} or {self.referenced}


def read_structure_set(path: Path) -> StructureSet | None:
    """Read an RTSTRUCT; None if the DICOM file is something else.

    Raises
    ------
    ImageError
        If pydicom is not installed, or the file is damaged.
    """
    try:
        import pydicom
        from pydicom.errors import BytesLengthException, InvalidDicomError
    except ImportError:
        raise ImageError(
            "to read an RTSTRUCT pydicom is needed; install vsclickcorrect[datasets], "
            "or put the patients' contours.json beside the images."
        ) from None
    check_file(path)
    try:
        # What pydicom mends on its way it also warns of, on the terminal.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path)
            if dataset.get("Modality") != "RTSTRUCT":
                return None
            images = _Images.of(dataset)
            patient = str(dataset.get("PatientID") or "")
            return StructureSet(patient, _structures(dataset, images), images.first)
    except InvalidDicomError:
        raise ImageError(f"{path} is no DICOM file; download it again.") from None
    except (BytesLengthException, OSError, *DAMAGED):
        raise ImageError(f"the RTSTRUCT {path} is damaged; download it again.") from None


@dataclass(frozen=True)
class _Images:
    """The series that a structure set names: by their images, and the first of each frame of reference."""

    by_image: dict[str, str] = field(default_factory=dict)
    by_frame: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset) -> _Images:
        named = cls()
        for frame in dataset.get("ReferencedFrameOfReferenceSequence", ()):
            for study in frame.get("RTReferencedStudySequence", ()):
                for series in study.get("RTReferencedSeriesSequence", ()):
                    named._add(str(frame.get("FrameOfReferenceUID")), series)
        return named

    def _add(self, frame: str, series) -> None:
        uid = str(series.SeriesInstanceUID)
        self.by_frame.setdefault(frame, uid)
        for image in series.get("ContourImageSequence", ()):
            self.by_image.setdefault(str(image.get("ReferencedSOPInstanceUID")), uid)

    @property
    def first(self) -> str:
        return next(iter(self.by_frame.values()), "")

    def series_of(self, item, frame: str) -> str:
        """Return the series on which a structure was drawn: by its contours' images, else by its frame."""
        for contour in item.get("ContourSequence", ()):
            for image in contour.get("ContourImageSequence", ()):
                if uid := self.by_image.get(str(image.get("ReferencedSOPInstanceUID"))):
                    return uid
        return self.by_frame.get(frame, self.first)


def _structures(dataset, images: _Images) -> list[dict]:
    named = {item.ROINumber: item for item in dataset.StructureSetROISequence}
    found = []
    for item in dataset.get("ROIContourSequence", ()):
        number = item.ReferencedROINumber
        told = named.get(number, {})
        structure = {
            # What has no name is told by its number.
            "structure_name": str(told.get("ROIName") or "").strip() or f"ROI {number}",
            "MR_SeriesInstanceUID": images.series_of(item, str(told.get("ReferencedFrameOfReferenceUID"))),
            "frame": str(told.get("ReferencedFrameOfReferenceUID") or ""),
        }
        found.append(structure | _contours(item))
    return found


def _contours(item) -> dict:
    closed, lines = [], 0
    for contour in item.get("ContourSequence", ()):
        points = np.reshape(np.asarray(contour.ContourData, float), (-1, 3))
        if not np.isfinite(points).all():
            raise ValueError("a contour holds what is no number")
        if contour.ContourGeometricType in _CLOSED:
            closed.append(points.tolist())
        # A single point is an isocentre, say.
        lines += contour.ContourGeometricType not in _CLOSED and len(points) > 1
    return {"LPS_contour_points": closed, "open_contours": lines}
