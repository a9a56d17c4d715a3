"""A small patient as VS-SEG has them: DICOM series, contours, RTSTRUCT and matrices."""

from __future__ import annotations

import json
from itertools import zip_longest
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from any_grid import itk_image
from VSClickCorrectLib.geometry.grid import Grid

PATIENT = "VS-SEG-002"
T1_UID, T2_UID = "1.2.826.0.1.3680043.2.1125.1", "1.2.826.0.1.3680043.2.1125.2"
LPS = np.array([-1.0, -1.0, 1.0])


def write_series(folder: Path, array, grid: Grid, uid=T1_UID, without=(), **given) -> Path:
    """Write slices as DICOM; ``given`` are description, patient and frame."""
    folder.mkdir(parents=True, exist_ok=True)
    image = itk_image(array.astype(np.int16), grid)
    direction = image.GetDirection()
    for number in sorted(set(range(array.shape[0])) - set(without)):
        tags = {
            "0008|0008": "ORIGINAL\\PRIMARY\\M",
            "0008|0016": "1.2.840.10008.5.1.4.1.1.4",
            "0008|0018": f"{uid}.{number + 1}",
            "0008|0060": "MR",
            "0008|103e": given.get("description", "t1_fl3d_tra_gk_v1"),
            "0010|0020": given.get("patient", PATIENT),
            "0018|0050": str(image.GetSpacing()[2]),
            "0020|000d": "1.2.826.0.1.3680043.2.1125.9",
            "0020|000e": uid,
            "0020|0013": str(number + 1),
            "0020|0032": "\\".join(f"{v:.9f}" for v in image.TransformIndexToPhysicalPoint((0, 0, number))),
            "0020|0037": "\\".join(f"{direction[n]:.9f}" for n in (0, 3, 6, 1, 4, 7)),
            "0020|0052": given.get("frame", f"{uid}.77"),
        }
        slab = image[:, :, number]
        for tag, value in tags.items():
            slab.SetMetaData(tag, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"IMG{number:010d}.dcm"))
        writer.Execute(slab)
    return folder


def set_headers(folder: Path, **values) -> Path:
    """Change elements of all slices of a folder, by their keywords; bytes are written as they are."""
    import pydicom
    from pydicom.datadict import dictionary_VR
    from pydicom.dataelem import DataElement

    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        for name, value in values.items():
            setattr(dataset, name, "" if isinstance(value, bytes) else value)
            if isinstance(value, bytes):
                element = dataset[name]
                dataset[name] = DataElement(element.tag, "UN", value)
                dataset[name].VR = dictionary_VR(name)
        dataset.save_as(path)
    return folder


def circle(center_ras, radius, count=60):
    """Corners of a circle in a plane of constant S."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle), np.zeros(count)], axis=1) * radius + center_ras


def write_contours(path: Path, structures, uid=T1_UID, patient=PATIENT) -> Path:
    """Write ``contours.json``; ``structures`` are lists of contours in RAS by name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = [
        {
            "PatientID": patient,
            "MR_SeriesInstanceUID": uid,
            "structure_name": name,
            "LPS_contour_points": [(c * LPS).tolist() for c in contours],
        }
        for name, contours in structures.items()
    ]
    path.write_text(json.dumps(text))
    return path


def write_matrix(path: Path, matrix_lps, uid=T2_UID, patient=PATIENT) -> Path:
    """Write a ``.tfm`` file, with the comments of VS-SEG's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = [*matrix_lps[:3, :3].ravel(), *matrix_lps[:3, 3]]
    path.write_text(
        "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n"
        f"Parameters: {' '.join(repr(float(v)) for v in numbers)}\nFixedParameters: 0 0 0\n"
        f"#PatientID: {patient}\n#MR_SeriesInstanceUID: {uid}\n"
    )
    return path


def write_rtdose(path: Path, patient=PATIENT) -> Path:
    """Write a dose of a few voxels, as treatment planning leaves it beside the slices."""
    dose = sitk.Image(8, 8, 4, sitk.sitkUInt16)
    tags = {
        "0008|0016": "1.2.840.10008.5.1.4.1.1.481.2",
        "0008|0018": "1.2.826.0.1.3680043.2.1125.3.1",
        "0008|0060": "RTDOSE",
        "0010|0020": patient,
        "0020|000d": "1.2.826.0.1.3680043.2.1125.9",
        "0020|000e": "1.2.826.0.1.3680043.2.1125.3",
    }
    for tag, value in tags.items():
        dose.SetMetaData(tag, value)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetImageIO("GDCMImageIO")
    writer.SetFileName(str(path))
    writer.Execute(dose)
    return path


def write_rtstruct(path: Path, structures, uid=T1_UID, patient=PATIENT, kinds=()) -> Path:
    """Write an RTSTRUCT with pydicom, structure by structure; ``kinds`` are the contours', in turn."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

    def item(**values):
        dataset = Dataset()
        for name, value in values.items():
            setattr(dataset, name, value)
        return dataset

    series = item(SeriesInstanceUID=uid)
    study = item(RTReferencedSeriesSequence=[series])
    frame = item(FrameOfReferenceUID=f"{uid}.77", RTReferencedStudySequence=[study])
    dataset = item(
        SOPClassUID=RTStructureSetStorage,
        SOPInstanceUID=generate_uid(),
        SeriesInstanceUID=generate_uid(),
        StudyInstanceUID="1.2.826.0.1.3680043.2.1125.9",
        Modality="RTSTRUCT",
        PatientID=patient,
        ReferencedFrameOfReferenceSequence=[frame],
        StructureSetROISequence=[item(ROINumber=n, ROIName=name) for n, name in enumerate(structures, 1)],
        ROIContourSequence=[
            item(
                ReferencedROINumber=n,
                ContourSequence=[
                    item(
                        ContourGeometricType=kind,
                        NumberOfContourPoints=len(contour),
                        ContourData=[f"{v:.4f}" for v in (contour * LPS).ravel()],
                    )
                    for contour, kind in zip_longest(contours, kinds or (), fillvalue="CLOSED_PLANAR")
                ],
            )
            for n, contours in enumerate(structures.values(), 1)
        ],
    )
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = RTStructureSetStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path
