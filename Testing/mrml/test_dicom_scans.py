"""Whose volumes are that Slicer loaded from DICOM, and what is said where they are not one patient's."""

import pytest
import slicer
from source_series import headers, write_slices
from volume_files import VOLUME
from VSClickCorrectLib.mrml.dicom_scans import scan_of, scan_remarks
from VSClickCorrectLib.mrml.volumes import add_volume

TWO = "The T1ce of 'Prüf-1' and the T2 of 'P-2' are taken for one patient's."


class Database:
    """Slicer's database of DICOM: which file holds an instance."""

    def __init__(self):
        self.files = {}

    def fileForInstance(self, uid):  # noqa: N802
        return self.files.get(uid, "")


@pytest.fixture
def database(monkeypatch):
    database = Database()
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    return database


@pytest.fixture
def loaded(scene, database, tmp_path):
    """Load a series as Slicer's DICOM module does."""

    def load(name, patient, description):
        folder = write_slices(tmp_path / name, VOLUME, patient=patient, description=description)
        files = {uid: dataset.filename for uid, dataset in headers(folder).items()}
        database.files |= files
        node = add_volume(scene, VOLUME, name)
        node.SetAttribute("DICOM.instanceUIDs", " ".join(files))
        return node

    return load


def test_volumes_of_two_patients_are_told(loaded):
    nodes = loaded("one", "Prüf-1", "t1_post"), loaded("two", "P-2", "t2_space")
    assert scan_remarks(*nodes) == (TWO,)
    assert scan_remarks(nodes[0], None) == scan_remarks(None, None) == ()


def test_one_patient_s_say_nothing_and_another_kind_is_told(loaded):
    nodes = loaded("one", "P-1", "t1_post"), loaded("two", "p-1", "t2_flair")
    assert scan_remarks(*nodes) == ("The T2 is called 't2_flair', which is neither T1 nor T2; check it.",)


def test_volumes_of_other_files_have_nothing_to_compare(scene, database):
    node = add_volume(scene, VOLUME, "x")
    assert scan_of(node) is None and scan_remarks(node, node) == ()


def test_a_scene_whose_database_is_elsewhere_knows_the_patient_by_the_hierarchy(scene, loaded, database):
    nodes = loaded("one", "Prüf-1", "t1_post"), loaded("two", "P-2", "t2_space")
    database.files.clear()
    names, tree = slicer.vtkMRMLSubjectHierarchyConstants, slicer.vtkMRMLSubjectHierarchyNode
    tree = tree.GetSubjectHierarchyNode(scene)
    for node, patient in zip(nodes, ("Prüf-1", "P-2"), strict=True):
        above = tree.CreateSubjectItem(tree.GetSceneItemID(), patient)
        study = tree.CreateStudyItem(above, "study")
        tree.SetItemAttribute(above, names.GetDICOMPatientIDAttributeName(), patient)
        tree.SetItemParent(tree.GetItemByDataNode(node) or tree.CreateItem(study, node), study)
    assert scan_remarks(*nodes) == (TWO,)
