"""Images, and a mask, of different PatientIDs: a person is asked whether they are one patient's."""

from types import SimpleNamespace

import numpy as np
import pytest
from bright_ball import GRID, ball, ball_volume
from source_series import write_segmentation_of, write_slices
from VSClickCorrectLib.worklist.worklist import Worklist

QUESTION = "The T1ce is of patient 'Prüf-1' and the T2 of 'P-2'. Take the two for one patient's?"
TAKEN = "The T1ce of 'Prüf-1' and the T2 of 'P-2' are taken for one patient's."


@pytest.fixture
def worklist(tmp_path):
    """One case, its T2 under another PatientID."""
    write_slices(tmp_path / "t1", ball_volume(), patient="Prüf-1")
    write_slices(tmp_path / "t2", ball_volume(t2=True), patient="P-2", description="t2_space")
    (tmp_path / "cases.csv").write_text("case,t1ce,t2\none,t1,t2\n", encoding="utf-8")
    return Worklist.open(tmp_path / "cases.csv", tmp_path / "out", "AB")


def test_case_is_opened_once_a_person_says_that_both_are_one_patient_s(flow, host, worklist):
    host.answers = [True]
    host.run(flow.worklist.begin(worklist))
    assert host.questions == [QUESTION]
    assert TAKEN in host.status and host.status.endswith("Case one is ready; find the tumour.")
    array = np.array(flow.workbench.nodes.t2.GetImageData().GetPointData().GetScalars())
    np.testing.assert_array_equal(array, ball_volume(t2=True).array.ravel())


def test_without_that_it_has_failed_and_may_be_opened_again(flow, host, worklist):
    host.answers = [False, True]
    host.run(flow.worklist.begin(worklist))
    record = worklist.record("one")
    assert (record.state.value, flow.workbench.nodes) == ("failed", None)
    assert "patient 'Prüf-1' and the T2 of 'P-2', and the two were not taken for one" in record.comment
    assert "--" not in record.comment
    host.run(flow.worklist.go_to("one"))
    assert host.questions == [QUESTION, QUESTION] and TAKEN in host.status


def test_what_was_said_for_the_whole_list_is_not_asked(flow, host, worklist):
    worklist.different_patients = True
    host.run(flow.worklist.begin(worklist))
    assert host.questions == [] and TAKEN in host.status


def test_it_is_not_asked_again_where_a_damaged_journal_was_set_aside(flow, host, worklist):
    path = worklist.store.journal_path("one")
    path.write_text('{"event": "no"}\n{}\n', encoding="utf-8")
    host.answers = [True, True]
    host.run(flow.worklist.begin(worklist))
    first, second = host.questions
    assert first == QUESTION and "Set the journal of case one aside" in second
    assert TAKEN in host.status and not path.exists()


@pytest.mark.parametrize("sure", [True, False])
def test_a_mask_that_names_somebody_else_is_asked_about(flow, host, tmp_path, sure):
    series = write_slices(tmp_path / "t1", ball_volume(), patient="P-1")
    write_segmentation_of(series, tmp_path / "seg.dcm", ball(), GRID, patient="P-2")
    (tmp_path / "cases.csv").write_text("case,t1ce,mask\none,t1,seg.dcm\n", encoding="utf-8")
    host.answers = [sure]
    host.run(flow.worklist.begin(Worklist.open(tmp_path / "cases.csv", tmp_path / "out", "AB")))
    assert host.questions == [
        "The image is of patient 'P-1' and the mask of 'P-2'. Take the two for one patient's?"
    ]
    if sure:
        np.testing.assert_array_equal(flow.workbench.nodes.mask.read(GRID.box), ball())
    else:
        assert flow.workbench.nodes is None and "the mask of 'P-2', and the two were not" in host.status


def test_a_mask_in_another_frame_of_reference_is_told(flow, host, tmp_path):
    series = write_slices(tmp_path / "t1", ball_volume())
    write_segmentation_of(series, tmp_path / "seg.dcm", ball(), GRID, frame="1.2.3")
    (tmp_path / "cases.csv").write_text("case,t1ce,mask\none,t1,seg.dcm\n", encoding="utf-8")
    host.run(flow.worklist.begin(Worklist.open(tmp_path / "cases.csv", tmp_path / "out", "AB")))
    assert "Image and mask have different frames of reference" in host.status
    np.testing.assert_array_equal(flow.workbench.nodes.mask.read(GRID.box), ball())


@pytest.mark.parametrize("told", [{"frame": "1.2.3"}, {"patient": "P-2"}])
def test_of_a_mask_in_whose_place_is_one_s_own_nothing_is_told_or_asked(flow, host, tmp_path, told):
    series = write_slices(tmp_path / "t1", ball_volume(), patient="P-1")
    write_segmentation_of(series, tmp_path / "seg.dcm", ball(), GRID, **{"patient": "P-1"} | told)
    (tmp_path / "cases.csv").write_text("case,t1ce,mask\none,t1,seg.dcm\n", encoding="utf-8")
    host.answers = [True] * 2
    host.run(flow.worklist.begin(Worklist.open(tmp_path / "cases.csv", tmp_path / "out", "AB")))
    host.run(flow.worklist.leave())
    host.questions.clear()
    # Who only looked has no mask of their own.
    host.run(flow.worklist.begin(Worklist.open(tmp_path / "cases.csv", tmp_path / "out", "AB")))
    assert ("frames of reference" in host.status) is ("frame" in told)
    assert len(host.questions) == ("patient" in told)
    host.run(flow.worklist.done())
    host.questions.clear()
    host.run(flow.worklist.go_to("one"))
    assert "frames of reference" not in host.status and host.questions == []
    np.testing.assert_array_equal(flow.workbench.nodes.mask.read(GRID.box), ball())


def test_volumes_that_slicer_loaded_are_compared_too(flow, host, headless, tmp_path, monkeypatch):
    import slicer
    from source_series import headers
    from VSClickCorrectLib.mrml.volumes import add_volume

    files, nodes = {}, []
    for name, patient in (("t1_post", "P-1"), ("t2_space", "P-2")):
        folder = write_slices(tmp_path / name, ball_volume(), patient=patient, description=name)
        instances = {uid: dataset.filename for uid, dataset in headers(folder).items()}
        nodes.append(add_volume(headless.scene, ball_volume(), name))
        nodes[-1].SetAttribute("DICOM.instanceUIDs", " ".join(instances))
        files |= instances
    database = SimpleNamespace(
        fileForInstance=lambda uid: files.get(uid, ""), instanceValue=lambda uid, tag: ""
    )
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    host.run(flow.workbench.choose(tuple(nodes), (None, ""), flow.workbench.settings))
    flow.registration.look()
    assert "The T1ce of 'P-1' and the T2 of 'P-2' are taken for one patient's." in flow.registration.remarks
