"""RTSTRUCT: a mask as contours, on which radiotherapy plans."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io import dicom_codes
from VSClickCorrectLib.io.dicom_codes import code
from VSClickCorrectLib.io.dicom_headers import needed
from VSClickCorrectLib.io.dicom_source import MAY_BE_EMPTY, TASK, SourceFrame, SourceSeries
from VSClickCorrectLib.io.pixel_outline import pixel_outlines

if TYPE_CHECKING:
    from pydicom import Dataset

_SOP_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
_PATIENT_AND_STUDY = (
    *MAY_BE_EMPTY,
    *("SpecificCharacterSet", "StudyDescription", "StudyInstanceUID", "FrameOfReferenceUID"),
)


def structure_set_of(
    source: SourceSeries, values: np.ndarray, grid: Grid, automatic: bool = False
) -> Dataset:
    """Return a mask as an RTSTRUCT of one structure.

    Its contours run along the edges of the pixels, in the planes of the slices, so that they enclose exactly
    the mask's volume. A contour within another is a hole.

    Parameters
    ----------
    source : SourceSeries
        The images on which it was drawn.
    values : ndarray of bool
        ``(K, J, I)``.
    grid : Grid
        The grid of these images.
    automatic : bool
        Whether no person had a part in it.

    Raises
    ------
    ImageError
        If pydicom is not installed, or the mask lies on another grid than the images.
    """
    first = source.headers[0]
    dataset = _new(first)
    frame = str(first.FrameOfReferenceUID)
    dataset.ReferencedFrameOfReferenceSequence = [_references(source, frame)]
    dataset.StructureSetROISequence = [
        _item(
            ROINumber=1,
            ReferencedFrameOfReferenceUID=frame,
            ROIName=dicom_codes.NAME,
            ROIGenerationAlgorithm="AUTOMATIC" if automatic else "SEMIAUTOMATIC",
            ROIGenerationDescription=f"{dicom_codes.MAKER} {dicom_codes.VERSION}",
        )
    ]
    contours = _item(ReferencedROINumber=1, ROIDisplayColor=[230, 159, 0])
    slices = source.arranged(values, grid)
    contours.ContourSequence = [
        _contour(frame, points)
        for frame, plane in zip(source.frames, slices, strict=True)
        for points in pixel_outlines(plane)
    ]
    dataset.ROIContourSequence = [contours]
    dataset.RTROIObservationsSequence = [
        _item(
            ObservationNumber=1,
            ReferencedROINumber=1,
            RTROIIdentificationCodeSequence=[_coded("tumour")],
            RTROIInterpretedType="GTV",
            ROIInterpreter="",
        )
    ]
    return dataset


def _new(first: Dataset) -> Dataset:
    pydicom, uids = needed("pydicom", TASK), needed("pydicom.uid", TASK)
    dataset = pydicom.Dataset()
    for keyword in _PATIENT_AND_STUDY:
        if keyword in first:
            dataset[keyword] = first[keyword]
    now = datetime.now()
    dataset.SOPClassUID, dataset.SOPInstanceUID = _SOP_CLASS, uids.generate_uid()
    dataset.Modality = "RTSTRUCT"
    dataset.SeriesInstanceUID, dataset.SeriesNumber = uids.generate_uid(), dicom_codes.CONTOUR_SERIES
    dataset.SeriesDescription = f"{dicom_codes.NAME}, contours"
    dataset.OperatorsName = ""
    dataset.Manufacturer = dataset.ManufacturerModelName = dicom_codes.MAKER
    # A device has a serial number; a program has its version.
    dataset.SoftwareVersions = dataset.DeviceSerialNumber = dicom_codes.VERSION
    dataset.StructureSetLabel = "TUMOUR"
    dataset.StructureSetName = dicom_codes.NAME
    dataset.StructureSetDate = dataset.InstanceCreationDate = now.strftime("%Y%m%d")
    dataset.StructureSetTime = dataset.InstanceCreationTime = now.strftime("%H%M%S")
    dataset.ApprovalStatus = "UNAPPROVED"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = _SOP_CLASS
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    # In explicit ones no more than 64 kB of decimals fit into one contour.
    dataset.file_meta.TransferSyntaxUID = uids.ImplicitVRLittleEndian
    return dataset


def _references(source: SourceSeries, frame: str) -> Dataset:
    first = source.headers[0]
    series = _item(
        SeriesInstanceUID=first.SeriesInstanceUID,
        ContourImageSequence=[_image(header) for header in source.headers],
    )
    study = _item(
        ReferencedSOPClassUID=_STUDY_CLASS,
        ReferencedSOPInstanceUID=first.StudyInstanceUID,
        RTReferencedSeriesSequence=[series],
    )
    return _item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[study])


def _contour(frame: SourceFrame, points: np.ndarray) -> Dataset:
    """Return the contour of corners (row, column) in pixels of a slice."""
    down, along = np.array(frame.spacing)[:, None] * [frame.column, frame.row]
    corners = frame.position + points[:, :1] * down + points[:, 1:] * along
    return _item(
        ContourImageSequence=[_image(frame.header, frame.number)],
        ContourGeometricType="CLOSED_PLANAR",
        NumberOfContourPoints=len(corners),
        # A decimal string has sixteen characters at most.
        ContourData=[f"{value:.6f}" for value in corners.ravel()],
    )


def _image(header: Dataset, number: int | None = None) -> Dataset:
    item = _item(ReferencedSOPClassUID=header.SOPClassUID, ReferencedSOPInstanceUID=header.SOPInstanceUID)
    if number is not None:
        item.ReferencedFrameNumber = number
    return item


def _coded(name: str) -> Dataset:
    value, scheme, meaning = code(name)[:3]
    return _item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def _item(**elements) -> Dataset:
    dataset = needed("pydicom", TASK).Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset
