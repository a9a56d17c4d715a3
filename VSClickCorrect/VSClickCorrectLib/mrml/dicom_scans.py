"""Whose a volume is that Slicer loaded from DICOM: by its database, else by the subject hierarchy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import slicer

from VSClickCorrectLib.io.pairing import Scan, remarks_on_scans
from VSClickCorrectLib.mrml.dicom_files import file_of


def scan_of(volume_node: slicer.vtkMRMLVolumeNode | None) -> Scan | None:
    """Return what is known of the scan of a volume, None if Slicer did not load it from DICOM."""
    if volume_node is None:
        return None
    file = file_of(volume_node)
    if file is not None:
        # Headers are read of volumes that came as DICOM alone.
        from VSClickCorrectLib.io.series_choice import scan_in

        if (scan := scan_in(Path(file))) is not None:
            return scan
    patient = _patient_of(volume_node)
    return Scan(patient, "", "", "") if patient else None


def scan_remarks(
    t1ce_node: slicer.vtkMRMLVolumeNode | None, t2_node: slicer.vtkMRMLVolumeNode | None
) -> tuple[str, ...]:
    """Return what is to be known of two volumes beside each other, but for their frames of reference.

    These `agreement` compares, which knows whether the T2 was registered since.
    """
    scans = (scan_of(t1ce_node), scan_of(t2_node))
    return remarks_on_scans(*(scan and replace(scan, frame="") for scan in scans))


def _patient_of(volume_node: slicer.vtkMRMLVolumeNode) -> str:
    """Return the PatientID by the subject hierarchy, which a saved scene keeps; empty if it does not know."""
    scene, names = volume_node.GetScene(), slicer.vtkMRMLSubjectHierarchyConstants
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene) if scene is not None else None
    if tree is None:
        return ""
    item = tree.GetItemByDataNode(volume_node)
    patient = tree.GetItemAncestorAtLevel(item, names.GetDICOMLevelPatient()) if item else 0
    return (tree.GetItemAttribute(patient, names.GetDICOMPatientIDAttributeName()) or "") if patient else ""
