"""Structures of a DICOM RTSTRUCT."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
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
    series : str
        SeriesInstanceUID of the images on which it was drawn, empty where it does not say.
    structures : list of dict
        As in ``contours.json``: ``structure_name`` and ``LPS_contour_points``, lists of points in mm; and
        ``open_contours``, how many lines it holds besides that enclose nothing.
    """

    patient: str
    series: str
    structures: list[dict]


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
            return StructureSet(
                str(dataset.get("PatientID") or ""), _series_of(dataset), _structures(dataset)
            )
    except InvalidDicomError:
        raise ImageError(f"{path} is no DICOM file; download it again.") from None
    except (BytesLengthException, OSError, *DAMAGED):
        raise ImageError(f"the RTSTRUCT {path} is damaged; download it again.") from None


def _series_of(dataset) -> str:
    for frame in dataset.get("ReferencedFrameOfReferenceSequence", ()):
        for study in frame.get("RTReferencedStudySequence", ()):
            for series in study.get("RTReferencedSeriesSequence", ()):
                return str(series.SeriesInstanceUID)
    return ""


def _structures(dataset) -> list[dict]:
    names = {
        item.ROINumber: str(item.get("ROIName") or "").strip() for item in dataset.StructureSetROISequence
    }
    return [
        # What has no name is told by its number.
        {
            "structure_name": names.get(number := item.ReferencedROINumber) or f"ROI {number}",
            **_contours(item),
        }
        for item in dataset.get("ROIContourSequence", ())
    ]


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
