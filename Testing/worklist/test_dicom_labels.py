"""Cases that came as DICOM: the label, and DICOM objects beside it that come and go with it."""

import os
import shutil
import sys

import numpy as np
import pydicom
import pytest
from source_series import write_both, write_slices
from volume_files import GRID, SHAPE, VOLUME, blob, written
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io import dicom_headers
from VSClickCorrectLib.io.dicom_out import (
    NAMES,
    SEGMENTATION,
    segmentation_object,
    write_segmentation,
)
from VSClickCorrectLib.io.dicom_source import read_source
from VSClickCorrectLib.io.images import read_mask, write_volume
from VSClickCorrectLib.session.journal import session_event
from VSClickCorrectLib.session.start_mask import start_json
from VSClickCorrectLib.worklist import label_dicom
from VSClickCorrectLib.worklist.label_dicom import LabelDicom
from VSClickCorrectLib.worklist.worklist import Worklist

MASK = blob()


@pytest.fixture
def cases(tmp_path):
    """Two patients as DICOM folders; the list goes by PatientID."""
    for name in ("VS-1", "VS-2"):
        write_slices(tmp_path / "cases" / name / "t1_mpr", VOLUME, patient=name)
    return tmp_path / "cases"


@pytest.fixture
def worklist(cases, tmp_path):
    return Worklist.open(cases, tmp_path / "out", "AB")


def objects(worklist, label="VS1"):
    folder = worklist.store.output / "dicom" / f"sub-{label}"
    return {path.name: path for path in folder.iterdir()} if folder.exists() else {}


def test_what_another_reader_has_done_is_no_mask_to_begin_with(cases):
    first = Worklist.open(cases, cases / "results of AB", "AB")
    first.go_to("VS-1")
    first.done(MASK, GRID, "VS-1")
    found = cases / "results of AB" / "dicom" / "sub-VS1" / SEGMENTATION
    assert found.exists()
    second = Worklist.open(cases, cases / "results of CD", "CD")
    assert [case.mask for case in second.cases] == [None, None]
    # Put beside the series it is one.
    shutil.copy(found, cases / "VS-1" / "mask.dcm")
    again = Worklist.open(cases, cases / "results of CD", "CD")
    assert again.case("VS-1").mask == cases / "VS-1" / "mask.dcm"


def test_a_case_that_is_done_has_its_dicom_too(worklist):
    worklist.go_to("VS-1")
    np.testing.assert_array_equal(read_mask(worklist.done(MASK, GRID, "VS-1"), GRID), MASK)
    found = objects(worklist)
    assert sorted(found) == sorted(NAMES)
    np.testing.assert_array_equal(read_mask(found[SEGMENTATION], GRID), MASK)
    assert {pydicom.dcmread(path).PatientID for path in found.values()} == {"VS-1"}
    assert worklist.remark == ""
    # Done again, with another mask.
    worklist.go_to("VS-1")
    worklist.done(~MASK, GRID, "VS-1")
    np.testing.assert_array_equal(read_mask(objects(worklist)[SEGMENTATION], GRID), ~MASK)


def test_series_in_one_folder_are_told_apart(tmp_path):
    uids = write_both(tmp_path / "cases" / "all", VOLUME, VOLUME, patient="VS-1")
    worklist = Worklist.open(tmp_path / "cases", tmp_path / "out")
    worklist.go_to("VS-1")
    worklist.done(MASK, GRID, "VS-1")
    assert worklist.remark == ""
    [series] = pydicom.dcmread(objects(worklist)[SEGMENTATION]).ReferencedSeriesSequence
    assert series.SeriesInstanceUID == uids[0]


@pytest.mark.parametrize("leave", [lambda w: w.skip("blurred"), lambda w: (w.opened.start_over(), w.close())])
def test_what_is_withdrawn_has_no_dicom(worklist, leave):
    worklist.go_to("VS-1")
    worklist.done(MASK, GRID, "VS-1")
    worklist.go_to("VS-1")
    leave(worklist)
    assert objects(worklist) == {}
    assert not worklist.label_path("VS-1").exists()


def test_no_dicom_outlives_its_label_where_the_images_are_in_another_format_now(worklist, cases, tmp_path):
    worklist.go_to("VS-1")
    worklist.done(MASK, GRID, "VS-1")
    shutil.rmtree(cases)
    (tmp_path / "now" / "VS-1").mkdir(parents=True)
    write_volume(tmp_path / "now" / "VS-1" / "T1ce.nii.gz", VOLUME)
    again = Worklist.open(tmp_path / "now", tmp_path / "out", "AB")
    again.go_to("VS-1")
    again.done(~MASK, GRID, "VS-1")
    np.testing.assert_array_equal(read_mask(again.label_path("VS-1"), GRID), ~MASK)
    assert objects(again) == {}


def test_an_empty_mask_has_a_label_and_no_dicom(worklist):
    worklist.go_to("VS-1")
    worklist.done(MASK, GRID, "VS-1")
    worklist.go_to("VS-1")
    assert not read_mask(worklist.done(np.zeros(SHAPE, bool), GRID, "VS-1"), GRID).any()
    assert (objects(worklist), worklist.remark) == ({}, "")


def test_without_highdicom_the_label_stands_and_a_sentence_says_what_to_install(worklist, monkeypatch):
    worklist.go_to("VS-1")
    worklist.done(~MASK, GRID, "VS-1")

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(dicom_headers, "import_module", missing)
    worklist.go_to("VS-1")
    np.testing.assert_array_equal(read_mask(worklist.done(MASK, GRID, "VS-1"), GRID), MASK)
    assert worklist.remark.startswith("No DICOM was written: to write DICOM highdicom is needed; install")
    # Nor is the older mask's DICOM left.
    assert objects(worklist) == {}
    assert worklist.record("VS-1").state.value == "done"


@pytest.mark.skipif(sys.platform == "win32", reason="fork is there on Linux and macOS only")
@pytest.mark.parametrize("left", [[], [NAMES[1]]])
def test_what_a_death_left_unwritten_is_told_and_written_when_the_case_is_opened(
    cases, tmp_path, left, capsys
):
    child = os.fork()
    if child == 0:
        dying = Worklist.open(cases, tmp_path / "out", "AB")
        dying.go_to("VS-1")
        LabelDicom.write = lambda *_: os._exit(9)
        dying.done(MASK, GRID, "VS-1")
    os.waitpid(child, 0)
    for name in left:
        (tmp_path / "out" / "dicom" / "sub-VS1").mkdir(parents=True)
        (tmp_path / "out" / "dicom" / "sub-VS1" / name).write_bytes(b"")
    worklist = Worklist.open(cases, tmp_path / "out", "CD")
    assert [row.lacking for row in worklist.rows()] == [
        "its DICOM objects are missing; open it to write them",
        "",
    ]
    assert main(["worklist", str(cases), "--output", str(tmp_path / "out")]) == 0
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first.endswith("; its DICOM objects are missing; open it to write them")
    assert second == "VS-2  todo"
    before = worklist.record("VS-1")
    assert (before.state.value, before.annotator) == ("done", "AB")
    worklist.go_to("VS-1")
    worklist.opened.load()
    assert worklist.opened.remark == ""
    worklist.close()
    found = objects(worklist)
    assert sorted(found) == sorted(NAMES)
    np.testing.assert_array_equal(read_mask(found[SEGMENTATION], GRID), MASK)
    assert {pydicom.dcmread(path).PatientID for path in found.values()} == {"VS-1"}
    assert [row.lacking for row in worklist.rows()] == ["", ""]
    # It is still AB's label, and nothing is written again.
    after = worklist.record("VS-1")
    assert (after.state, after.annotator, after.finished) == (before.state, "AB", before.finished)
    written = {name: path.stat().st_mtime_ns for name, path in found.items()}
    worklist.go_to("VS-1")
    worklist.opened.load()
    assert {name: path.stat().st_mtime_ns for name, path in objects(worklist).items()} == written


def test_why_it_cannot_be_written_when_the_case_is_opened_is_told(worklist, monkeypatch):
    worklist.go_to("VS-1")
    worklist.done(MASK, GRID, "VS-1")
    for path in objects(worklist).values():
        path.unlink()

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(dicom_headers, "import_module", missing)
    worklist.go_to("VS-1")
    worklist.opened.load()
    assert worklist.opened.remark.startswith("No DICOM was written: to write DICOM highdicom is needed")
    assert objects(worklist) == {}
    assert worklist.record("VS-1").state.value == "done"


def test_a_label_is_not_written_onto_another_patient_s_images_that_took_the_place_of_its_own(tmp_path):
    write_slices(tmp_path / "t1", VOLUME, patient="VS-1")
    (tmp_path / "cases.csv").write_text("case,t1ce\none,t1\n", encoding="utf-8")
    worklist = Worklist.open(tmp_path / "cases.csv", tmp_path / "out", "AB")
    worklist.go_to("one")
    images = worklist.opened.load()
    start = start_json(ArrayMask(images.grid, MASK))
    worklist.opened.journal().append(session_event(images.grid, "", "", start, images))
    worklist.done(MASK, images.grid, "one")
    assert sorted(objects(worklist, "one")) == sorted(NAMES)
    # Sent to the archive, say; then the next patient's series comes into the same folder.
    shutil.rmtree(tmp_path / "out" / "dicom")
    shutil.rmtree(tmp_path / "t1")
    write_slices(tmp_path / "t1", Volume(VOLUME.array[::-1].copy(), VOLUME.grid), patient="VS-2")
    later = Worklist.open(tmp_path / "cases.csv", tmp_path / "out", "CD")
    later.go_to("one")
    later.opened.load()
    assert objects(later, "one") == {}
    assert later.opened.remark.startswith("No DICOM was written: the journal belongs to another image")
    assert later.record("one").state.value == "done"


def test_what_takes_long_to_write_does_not_take_the_place_of_another_reader_s(worklist, cases, monkeypatch):
    worked_out = label_dicom.dicom_objects

    def taken_over(*arguments):
        monkeypatch.setattr(label_dicom, "dicom_objects", worked_out)
        other = Worklist.open(cases, worklist.store.output, "CD")
        other.go_to("VS-1", take_over=True)
        other.done(~MASK, GRID, "VS-1")
        return worked_out(*arguments)

    worklist.go_to("VS-1")
    monkeypatch.setattr(label_dicom, "dicom_objects", taken_over)
    worklist.opened.done(MASK, GRID, "VS-1")
    assert worklist.opened.remark == "No DICOM was written: somebody else has the case now."
    np.testing.assert_array_equal(read_mask(objects(worklist)[SEGMENTATION], GRID), ~MASK)


def test_other_kinds_of_files_have_none(tmp_path):
    for name in ("VS-1", "VS-2"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        written(tmp_path / "cases" / name / "T1ce.nii.gz", VOLUME.array, GRID)
    worklist = Worklist.open(tmp_path / "cases", tmp_path / "out")
    worklist.go_to("VS-1")
    worklist.done(MASK, GRID, "VS-1")
    assert (objects(worklist), worklist.remark) == ({}, "")
    assert [row.lacking for row in worklist.rows()] == ["", ""]
    assert not (worklist.store.output / "dicom").exists()


def segmented(series, path, mask=MASK, change=lambda dataset: None):
    """Write a DICOM SEG of a series' mask."""
    dataset = segmentation_object(read_source(series, GRID), mask, GRID)
    change(dataset)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_segmentation(path, dataset)


def renamed(name):
    return lambda dataset: setattr(dataset.SegmentSequence[0], "SegmentLabel", name)


def unreferenced(dataset):
    del dataset.ReferencedSeriesSequence


@pytest.mark.parametrize("place", ["VS-1/t1_mpr/seg.dcm", "VS-1/seg/1.dcm", "masks/anything"])
@pytest.mark.parametrize("change", [lambda dataset: None, unreferenced])
def test_a_segmentation_beside_the_series_is_the_case_s_mask(cases, tmp_path, place, change):
    segmented(cases / "VS-1" / "t1_mpr", cases / place, change=change)
    worklist = Worklist.open(cases, tmp_path / "out", "AB")
    # Both patients' series bear one frame of reference.
    assert [case.mask for case in worklist.cases] == [cases / place, None]
    worklist.go_to("VS-1")
    np.testing.assert_array_equal(worklist.opened.saved_mask(GRID, worklist.opened.load()), MASK)


def test_of_a_t1ce_and_a_t2_it_is_the_t1ce_s(tmp_path):
    uids = write_both(tmp_path / "cases" / "all", VOLUME, VOLUME, patient="VS-1")
    for name, uid in zip(("a.dcm", "b.dcm"), uids, strict=True):
        source = read_source(tmp_path / "cases" / "all", GRID, uid)
        mask = MASK if name == "a.dcm" else ~MASK
        write_segmentation(tmp_path / name, segmentation_object(source, mask, GRID))
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / name).rename(tmp_path / "cases" / "all" / name)
    worklist = Worklist.open(tmp_path / "cases", tmp_path / "out")
    assert worklist.cases[0].mask.name == "a.dcm"


def test_what_is_no_mask_to_begin_with_is_passed_over_or_told(cases, tmp_path):
    series = cases / "VS-1" / "t1_mpr"
    segmented(series, tmp_path / "brain.dcm", change=renamed("Brain"))
    segmented(series, tmp_path / "one.dcm")
    (tmp_path / "brain.dcm").rename(series / "brain.dcm")
    assert Worklist.open(cases, tmp_path / "out").cases[0].mask is None
    content = (tmp_path / "one.dcm").read_bytes()
    for name in ("one.dcm", "two.dcm"):
        (series / name).write_bytes(content)
    case = Worklist.open(cases, tmp_path / "out").cases[0]
    assert "several files for its mask (one.dcm and two.dcm)" in case.problem


def test_what_a_worklist_wrote_into_the_folder_of_cases_is_not_where_it_begins(cases):
    worklist = Worklist.open(cases, cases / "out", "AB")
    worklist.go_to("VS-1")
    worklist.done(MASK, GRID, "VS-1")
    assert sorted(objects(worklist)) == sorted(NAMES)
    assert [case.mask for case in Worklist.open(cases, cases / "out").cases] == [None, None]
