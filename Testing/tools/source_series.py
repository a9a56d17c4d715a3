"""DICOM series of MR images, as a scanner writes them: one file a slice, or one of many frames."""

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from VSClickCorrectLib.io.dicom_out import segmentation_object, write_segmentation
from VSClickCorrectLib.io.dicom_source import read_source

MR, ENHANCED = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
STUDY, FRAME = "1.2.826.0.1.3680043.2.1125.50", "1.2.826.0.1.3680043.2.1125.51"


def _places(volume):
    """Orientation, spacing (rows, columns), distance of slices and position of each, LPS."""
    lps = volume.grid.affine_lps
    spacing = volume.grid.spacing
    orientation = [*(lps[:3, 0] / spacing[0]), *(lps[:3, 1] / spacing[1])]
    positions = [lps[:3, 3] + k * lps[:3, 2] for k in range(volume.grid.shape[0])]
    return orientation, spacing[[1, 0]].tolist(), float(spacing[2]), positions


def _image(sop_class, volume, patient):
    dataset = FileDataset(None, {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.Modality, dataset.PatientID, dataset.PatientName = "MR", patient, "Test^Case"
    dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = STUDY, FRAME
    dataset.StudyDate, dataset.StudyTime = "20200102", "101112"
    _, dataset.Rows, dataset.Columns = volume.grid.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.SeriesNumber, dataset.SeriesDescription = 3, "t1_mpr post"
    return dataset


def _short(values):
    return [f"{v:.9f}"[:16] for v in values]


def write_slices(folder: Path, volume, patient="T-1", uid=None, description="t1_mpr post"):
    """Write a volume as one file a slice, their names in no order; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    orientation, spacing, distance, positions = _places(volume)
    uid = uid or generate_uid()
    for number, position in enumerate(positions):
        dataset = _image(MR, volume, patient)
        dataset.SeriesInstanceUID, dataset.InstanceNumber = uid, number + 1
        dataset.SeriesDescription = description
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = _short(position), _short(orientation)
        dataset.PixelSpacing, dataset.SliceThickness = _short(spacing), f"{distance:.6f}"
        dataset.PixelData = volume.array[number].astype("<i2").tobytes()
        dataset.save_as(folder / f"IM{number * 7 % 31:02d}{description[:2]}", enforce_file_format=True)
    return folder


def write_both(folder: Path, t1ce, t2, patient="T-1"):
    """Write a T1ce and a T2 into one folder; return the SeriesInstanceUIDs of both."""
    uids = generate_uid(), generate_uid()
    write_slices(folder, t1ce, patient, uids[0])
    write_slices(folder, t2, patient, uids[1], "t2_space")
    return uids


def write_frames(path: Path, volume, patient="T-1", order=None):
    """Write a volume as one file of many frames, stored in the order given; return the file."""
    orientation, spacing, distance, positions = _places(volume)
    order = order or range(len(positions))
    dataset = _image(ENHANCED, volume, patient)
    dataset.SeriesInstanceUID, dataset.InstanceNumber = generate_uid(), 1
    dataset.NumberOfFrames = len(positions)
    measures = _item(PixelSpacing=_short(spacing), SliceThickness=distance, SpacingBetweenSlices=distance)
    plane = _item(ImageOrientationPatient=_short(orientation))
    dataset.SharedFunctionalGroupsSequence = [
        _item(PixelMeasuresSequence=[measures], PlaneOrientationSequence=[plane])
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        _item(
            PlanePositionSequence=[_item(ImagePositionPatient=_short(positions[k]))],
            FrameContentSequence=[_item(StackID="1", InStackPositionNumber=n, DimensionIndexValues=[n])],
        )
        for n, k in enumerate(order, 1)
    ]
    dataset.PixelData = np.stack([volume.array[k] for k in order]).astype("<i2").tobytes()
    dataset.save_as(path, enforce_file_format=True)
    return path


def _item(**elements):
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def headers(folder: Path):
    """The headers of all files in a folder by SOPInstanceUID."""
    read = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(folder.iterdir())]
    return {dataset.SOPInstanceUID: dataset for dataset in read}


def write_segmentation_of(series: Path, path: Path, mask, grid, patient="T-1", frame=FRAME):
    """Write a DICOM SEG of a series' mask that names a patient and a frame; return the file."""
    dataset = segmentation_object(read_source(series, grid), mask, grid)
    dataset.PatientID, dataset.FrameOfReferenceUID = patient, frame
    write_segmentation(path, dataset)
    return path
