"""Trees of scans as people have them: what is a case in them, and what is not."""

import os
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from volume_files import PLAIN, SHAPE, VOLUME, written
from vs_seg_files import set_headers, write_rtdose, write_rtstruct, write_series
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.worklist.cases import find_cases
from VSClickCorrectLib.worklist.worklist import Worklist

T1CE, T2 = VOLUME.array, VOLUME.array[::-1] + 500


def made(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        written(root / name, T1CE)
    return root


def found(root):
    """Cases by name, each with the files it would take, by their names alone."""
    cases = find_cases(root, root / "results")
    return {case.name: {role: path.name for role, path in case.files.items()} for case in cases}


def faults(root):
    return {case.name: case.problem for case in find_cases(root, root / "results") if case.problem}


def test_the_first_edition_of_crossmoda_named_no_centre(tmp_path):
    made(
        tmp_path,
        *(f"source_training/crossmoda_{n}_{role}.nii.gz" for n in (1, 2) for role in ("ceT1", "Label")),
        "target_training/crossmoda_106_hrT2.nii.gz",
        "later/crossmoda2022_etz_1_ceT1.nii.gz",
    )
    assert found(tmp_path) == {
        "crossmoda_1": {"t1ce": "crossmoda_1_ceT1.nii.gz"},
        "crossmoda_2": {"t1ce": "crossmoda_2_ceT1.nii.gz"},
        "crossmoda_106": {"t2": "crossmoda_106_hrT2.nii.gz"},
        "crossmoda2022_etz_1": {"t1ce": "crossmoda2022_etz_1_ceT1.nii.gz"},
    }


@pytest.mark.parametrize("agent", ["none", "pre", "noGd", "native", "without"])
def test_an_agent_in_bids_that_is_none_makes_no_t1ce(tmp_path, agent):
    made(tmp_path, f"sub-01/anat/sub-01_ce-{agent}_T1w.nii.gz", "sub-01/anat/sub-01_T2w.nii.gz")
    [case] = find_cases(tmp_path, tmp_path / "results")
    assert case.remark == f"sub-01_ce-{agent}_T1w.nii.gz does not say that it is with contrast"
    made(tmp_path, "sub-01/anat/sub-01_ce-gadovist_T1w.nii.gz")
    assert found(tmp_path)["sub-01"]["t1ce"] == "sub-01_ce-gadovist_T1w.nii.gz"


def test_of_a_bids_tree_only_t1w_t2w_and_masks_count(tmp_path):
    made(
        tmp_path,
        "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz",
        "sub-01/ses-1/anat/sub-01_ses-1_acq-mpr_ce-gadolinium_T1w.nii.gz",
        "sub-01/ses-1/anat/sub-01_ses-1_T2w.nii.gz",
        "sub-01/ses-1/anat/sub-01_ses-1_acq-flair_T2w.nii.gz",
        "sub-01/ses-1/anat/sub-01_ses-1_desc-tumor_mask.nii.gz",
        "sub-01/ses-1/anat/sub-01_ses-1_desc-brain_mask.nii.gz",
        "sub-01/ses-1/anat/sub-01_ses-1_label-GM_mask.nii.gz",
        *(f"sub-01/ses-1/anat/sub-01_ses-1_{s}.nii.gz" for s in ("FLAIR", "T2star", "T1map", "defacemask")),
        "sub-01/ses-1/anat/sub-01_ses-1_part-phase_T1w.nii.gz",
        "sub-01/ses-1/anat/sub-01_ses-1_inv-1_MP2RAGE.nii.gz",
        "sub-01/ses-1/func/sub-01_ses-1_task-rest_bold.nii.gz",
        "sub-01/ses-1/func/sub-01_ses-1_task-rest_sbref.nii.gz",
        "sub-01/ses-1/dwi/sub-01_ses-1_dwi.nii.gz",
        "sub-01/ses-1/fmap/sub-01_ses-1_phasediff.nii.gz",
        "sub-02/func/sub-02_task-rest_run-1_bold.nii.gz",
        "sub-03/anat/T1.nii.gz",
        "sub-03/anat/notes.nii.gz",
    )
    assert found(tmp_path) == {
        "sub-01_ses-1": {
            "t1ce": "sub-01_ses-1_acq-mpr_ce-gadolinium_T1w.nii.gz",
            "t2": "sub-01_ses-1_T2w.nii.gz",
            "mask": "sub-01_ses-1_desc-tumor_mask.nii.gz",
        },
        "sub-03": {"t1ce": "T1.nii.gz"},
    }


@pytest.mark.parametrize("entity", ["run", "echo", "acq"])
def test_two_runs_are_told_as_ambiguous(tmp_path, entity):
    made(tmp_path, *(f"sub-02/anat/sub-02_{entity}-{n}_T1w.nii.gz" for n in (1, 2)))
    assert found(tmp_path) == {"sub-02": {}}
    assert f"several files for its t1ce (sub-02_{entity}-1_T1w.nii.gz and " in faults(tmp_path)["sub-02"]


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (("T1ce", "T2_FLAIR"), {"t1ce": "T1ce"}),
        (("T1ce", "T2", "flair"), {"t1ce": "T1ce", "t2": "T2"}),
        (("T1_pre", "T1_post"), {"t1ce": "T1_post"}),
        (("T1", "T1C", "T2"), {"t1ce": "T1C", "t2": "T2"}),
        (("T1ce", "brain_mask"), {"t1ce": "T1ce"}),
        (("T1ce", "cochlea_seg", "tumour_seg"), {"t1ce": "T1ce", "mask": "tumour_seg"}),
        (("T1ce", "T2", "T1ce_seg", "T2_seg"), {"t1ce": "T1ce", "t2": "T2", "mask": "T1ce_seg"}),
        (("p-t1n", "p-t1c", "p-t2w", "p-t2f", "p-seg"), {"t1ce": "p-t1c", "t2": "p-t2w", "mask": "p-seg"}),
        (("VS-SEG-001_T1ce", "VS-SEG-001_T2"), {"t1ce": "VS-SEG-001_T1ce", "t2": "VS-SEG-001_T2"}),
        (("T2", "T1_native"), {"t2": "T2"}),
    ],
)
def test_a_folder_s_files_are_what_their_names_say(tmp_path, names, taken):
    made(tmp_path, *(f"A/{name}.nii.gz" for name in names))
    assert found(tmp_path) == {"A": {role: f"{name}.nii.gz" for role, name in taken.items()}}


def test_what_slicer_saved_as_a_segmentation_is_a_mask_whatever_it_is_called(tmp_path):
    made(
        tmp_path,
        "P1/T1ce.nrrd",
        "P1/T1ce.seg.nrrd",
        "P2/T2.nrrd",
        "P2/Segmentation.seg.nrrd",
        "P2/brain.seg.nrrd",
    )
    assert found(tmp_path) == {
        "P1": {"t1ce": "T1ce.nrrd", "mask": "T1ce.seg.nrrd"},
        "P2": {"t2": "T2.nrrd", "mask": "Segmentation.seg.nrrd"},
    }


@pytest.mark.parametrize("place", ["P1/{}/image.nii.gz", "{}/P1.nii.gz"])
def test_a_folder_a_sequence_tells_what_is_in_it(tmp_path, place):
    made(tmp_path, *(place.format(kind) for kind in ("T1_post", "T2", "mask", "flair")))
    (case,) = find_cases(tmp_path, tmp_path / "results")
    assert case.name == "P1"
    assert {role: path.relative_to(tmp_path).as_posix() for role, path in case.files.items()} == {
        role: place.format(kind) for role, kind in (("t1ce", "T1_post"), ("t2", "T2"), ("mask", "mask"))
    }


def test_loose_files_of_a_collection_are_called_as_it_calls_them(tmp_path):
    made(tmp_path, "VS-SEG-001_T1ce.nii.gz", "VS-SEG-001_T2.nii.gz", "VS-SEG-002_t1_post.nii.gz")
    assert sorted(found(tmp_path)) == ["VS-SEG_001", "VS-SEG_002"]


@pytest.mark.parametrize(
    "one, other", [("Müller", "Möller"), ("张三", "李四"), ("Иванов", "Петров"), ("राम", "रोम")]
)
def test_names_in_any_script_tell_patients_apart(tmp_path, one, other):
    # Some systems spell a letter and its accent apart.
    made(tmp_path, f"{one}_T1ce.nii", f"{other}_T2.nii", unicodedata.normalize("NFD", f"{one}_mask.nii"))
    names = {role: path for role, path in found(tmp_path)[one].items() if role != "mask"}
    assert (names, set(found(tmp_path)[one])) == ({"t1ce": f"{one}_T1ce.nii"}, {"t1ce", "mask"})
    assert found(tmp_path)[other] == {"t2": f"{other}_T2.nii"}


@pytest.mark.parametrize("names", [("sub-01_ce-gd_T1w.nii", "sub-01_T2w.nii"), ("T1ce.nii", "T2.nii")])
def test_subjects_of_one_name_in_two_datasets_are_not_joined(tmp_path, names):
    made(tmp_path / "one", f"A/sub-01/anat/{names[0]}", f"B/sub-01/anat/{names[1]}")
    assert "A/sub-01 and " in faults(tmp_path / "one")["sub-01"]
    # A folder each sequence, and masks in one of theirs, are one dataset.
    made(tmp_path / "two", f"T1/sub-01/anat/{names[0]}", f"T2/sub-01/anat/{names[1]}")
    made(tmp_path / "two", "manual/sub-01/anat/sub-01_desc-tumour_mask.nii")
    assert set(found(tmp_path / "two")["sub-01"]) == {"t1ce", "t2", "mask"}


@pytest.mark.parametrize("place", ["B/sub-01/anat", "B/masks/sub-01/anat", "B/manual/sub-01/anat"])
def test_a_mask_of_another_dataset_with_scans_is_not_a_subject_s_of_its_name(tmp_path, place):
    made(tmp_path, "A/sub-01/anat/sub-01_T1w.nii", "B/sub-02/anat/sub-02_T1w.nii", f"{place}/sub-01_mask.nii")
    made(tmp_path, "A/manual/sub-02/anat/sub-02_mask.nii", "B/manual/sub-02/anat/sub-02_mask.nii")
    cases = {case.name: case for case in find_cases(tmp_path, tmp_path / "results")}
    assert cases["sub-01"].files == {"t1ce": tmp_path / "A/sub-01/anat/sub-01_T1w.nii"}
    assert "sub-01_mask.nii in another dataset with such a subject was not taken" in cases["sub-01"].remark
    assert cases["sub-02"].mask == tmp_path / "B/manual/sub-02/anat/sub-02_mask.nii"


def test_a_t1_of_which_contrast_is_not_known_or_known_to_be_missing_is_told(tmp_path):
    made(tmp_path, "A/T1.nii.gz", "B/T1ce.nii.gz", "C/T1_native.nii.gz")
    remarks = {case.name: case.remark for case in find_cases(tmp_path, tmp_path / "results")}
    assert remarks == {"A": "T1.nii.gz does not say that it is with contrast", "B": "", "C": ""}
    assert faults(tmp_path) == {
        "C": "T1_native.nii.gz is a T1 without contrast; add a T1ce or a T2, or name them in a CSV list."
    }


@pytest.mark.parametrize("place", ["", "VS_MC_RC2_001/", "VS_MC_RC2_001/{date}/"])
@pytest.mark.parametrize("dates", [("1991-04-28", "1993-06-01"), ("19910428", "19930601")])
def test_each_visit_of_a_patient_is_a_case(tmp_path, place, dates):
    for date in dates:
        stem = f"{place.format(date=date)}VS_MC_RC2_001_{date}"
        made(tmp_path, *(f"{stem}_{kind}.nii.gz" for kind in ("T1", "T1C", "T2", "T1C_seg")))
    cases = found(tmp_path)
    assert len(cases) == 2
    for date, files in zip(dates, cases.values(), strict=True):
        assert files == {
            role: f"VS_MC_RC2_001_{date}_{kind}.nii.gz"
            for role, kind in (("t1ce", "T1C"), ("t2", "T2"), ("mask", "T1C_seg"))
        }


# DICOM


def series(folder, number, array=T1CE, **given):
    uid = f"1.2.826.0.1.3680043.2.1125.{number}"
    # Slices of several series may share a folder.
    for path in write_series(folder.parent / f"made-{number}", array, PLAIN, uid, **given).iterdir():
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(folder / f"{number}-{path.name}")
    (folder.parent / f"made-{number}").rmdir()
    return uid


def test_two_series_of_one_folder_are_opened_each_as_what_it_is(tmp_path):
    folder = tmp_path / "in" / "P1"
    series(folder, 1, description="t1_mpr_tra_post")
    series(folder, 2, T2, description="t2_ci3d_tra")
    series(folder, 3, T1CE[:3], description="localizer")
    series(folder, 4, T1CE[:3], description="t2_tirm_flair")
    write_rtdose(folder / "dose.dcm")
    write_rtstruct(folder / "structures.dcm", {})
    worklist = Worklist.open(tmp_path / "in", tmp_path / "out", "AB")
    worklist.next()
    case = worklist.opened.load()
    np.testing.assert_array_equal(case.t1ce.array, T1CE)
    np.testing.assert_array_equal(case.t2.array, T2)
    assert case.grid.matches(Grid(SHAPE, PLAIN.affine), 1e-4)
    worklist.close()


def test_a_flair_is_no_t2_and_a_scout_no_case(tmp_path):
    series(tmp_path / "P1" / "a", 1, description="t1_mpr_post")
    series(tmp_path / "P1" / "b", 2, description="t2_space_dark-fluid_sag")
    series(tmp_path / "P2" / "c", 3, description="scout", patient="P2")
    assert found(tmp_path) == {"VS-SEG-002": {"t1ce": "a"}}


def test_of_a_t1_before_and_after_contrast_medium_the_later_is_taken(tmp_path):
    series(tmp_path / "a", 1, description="t1_mpr_tra")
    series(tmp_path / "b", 2, description="t1_mpr_tra")
    set_headers(tmp_path / "b", ContrastBolusAgent="Gadovist")
    assert found(tmp_path) == {"VS-SEG-002": {"t1ce": "b"}}


def test_a_series_without_a_description_is_what_its_folder_says(tmp_path):
    series(tmp_path / "P1" / "T1 post", 1, description="")
    series(tmp_path / "P1" / "T2", 2, description="")
    assert found(tmp_path) == {"VS-SEG-002": {"t1ce": "T1 post", "t2": "T2"}}


def test_two_series_of_one_kind_are_told_by_what_they_are_called(tmp_path):
    series(tmp_path / "P1", 1, description="t1_mpr post")
    series(tmp_path / "P1", 2, description="t1_vibe post")
    assert "its t1ce ('t1_mpr post' in P1 and 't1_vibe post' in P1)" in faults(tmp_path)["VS-SEG-002"]


def test_slices_of_one_series_in_two_folders_are_no_two_series(tmp_path, capsys):
    uid = series(tmp_path / "P1" / "a", 1, T1CE[:3], description="t1_mpr post")
    series(tmp_path / "P1" / "b", 2, T1CE[3:], description="t1_mpr post")
    set_headers(tmp_path / "P1" / "b", SeriesInstanceUID=uid)
    folders = f"({tmp_path / 'P1' / 'a'} and {tmp_path / 'P1' / 'b'})"
    told = f"is one DICOM series in 2 folders {folders}, in parts or as copies; put all its slices into one "
    assert faults(tmp_path)["VS-SEG-002"].startswith(f"its t1ce {told}")
    # Whoever was told to give the folder of one of two series gave half a scan.
    given = ["--t1ce", str(tmp_path / "P1"), "--output", str(tmp_path / "mask.nii.gz")]
    assert main(["segment", *given]) == 2
    assert f"'t1_mpr post' {told}" in capsys.readouterr().err


def test_each_study_of_a_patient_is_a_case(tmp_path):
    for number, date in ((1, "19910428"), (2, "19930601")):
        series(tmp_path / f"{date}-t1", number, description="t1_mpr post")
        series(tmp_path / f"{date}-t2", number + 5, description="t2_ci3d")
        for kind in ("t1", "t2"):
            set_headers(tmp_path / f"{date}-{kind}", StudyInstanceUID=f"1.2.3.{number}", StudyDate=date)
    assert found(tmp_path) == {
        f"VS-SEG-002_{date}": {"t1ce": f"{date}-t1", "t2": f"{date}-t2"} for date in ("19910428", "19930601")
    }


def test_a_t1ce_and_a_t2_of_two_studies_are_told(tmp_path, capsys):
    for number, kind, date in ((1, "t1_mpr post", "20190428"), (2, "t2_ci3d", "20210601")):
        series(tmp_path / "in" / f"{number}", number, description=kind)
        set_headers(tmp_path / "in" / f"{number}", StudyInstanceUID=f"1.2.3.{number}", StudyDate=date)
    [case] = find_cases(tmp_path / "in", tmp_path / "out")
    assert case.remark == "its T1ce and T2 are of two studies (20190428, 20210601); check them"
    assert main(["worklist", str(tmp_path / "in"), "--output", str(tmp_path / "out")]) == 0
    assert "are of two studies" in capsys.readouterr().out


def test_a_later_t1_that_does_not_say_that_it_is_with_contrast_is_an_examination_of_its_own(tmp_path):
    kinds = {1: ("t1_mpr post", "20190428"), 2: ("t1_mpr", "20210601"), 3: ("t2_ci3d", "20210601")}
    for number, (kind, date) in kinds.items():
        series(tmp_path / f"{number}", number, description=kind)
        set_headers(tmp_path / f"{number}", StudyInstanceUID=f"1.2.3.{date}", StudyDate=date)
    assert found(tmp_path) == {
        "VS-SEG-002_20190428": {"t1ce": "1"},
        "VS-SEG-002_20210601": {"t1ce": "2", "t2": "3"},
    }


def test_of_one_day_a_t1_may_be_the_one_before_contrast_medium(tmp_path):
    for number, kind in ((1, "t1_mpr"), (2, "t1_mpr post")):
        series(tmp_path / f"{number}", number, description=kind)
        set_headers(tmp_path / f"{number}", StudyInstanceUID=f"1.2.3.{number}", StudyDate="20190428")
    assert found(tmp_path) == {"VS-SEG-002": {"t1ce": "2"}}


def test_a_projection_is_no_scan_though_it_is_called_as_the_one_of_which_it_was_made(tmp_path):
    for number, kind in ((1, "PRIMARY\\M\\ND"), (2, "SECONDARY\\PROJECTION IMAGE"), (3, "PRIMARY\\MIP")):
        series(tmp_path / f"{number}", number, description="t2_ci3d_tra")
        set_headers(tmp_path / f"{number}", ImageType=f"DERIVED\\{kind}")
    assert found(tmp_path) == {"VS-SEG-002": {"t2": "1"}}


@pytest.mark.parametrize(
    ("scan", "made", "protocol", "sequence", "kind"),
    [
        ("t2_ci3d_tra", "AAHScout", "AAHScout", "*fl3d1_ns", "M"),
        ("t2_ci3d_tra", "MPR Cor", "FLAIR", "*spcir", "MPR"),
        ("t2_ci3d_tra", "t1_vibe_KM", "", "", "DIXON\\FAT"),
        ("t2_ci3d_tra", "t1_ffe_gd", "", "", "OP\\OP\\FFE"),
        ("t2_ci3d_tra", "t1_vibe_KM", "", "", "M\\ND\\SUB"),
        ("t1_mpr_KM", "Mag_Images", "t2_swi3d_tra_p2", "*swi3d1r", "M"),
        ("t1_mpr_KM", "t2_tse_tra", "", "", "P\\ND"),
    ],
)
def test_what_a_scanner_makes_beside_a_scan_is_not_taken_for_the_sequence_that_is_missing(
    tmp_path, scan, made, protocol, sequence, kind
):
    series(tmp_path / "a", 1, description=scan)
    series(tmp_path / "b", 2, description=made)
    set_headers(
        tmp_path / "b",
        ProtocolName=protocol,
        SequenceName=sequence,
        ImageType=f"ORIGINAL\\PRIMARY\\{kind}",
    )
    assert found(tmp_path) == {"VS-SEG-002": {"t1ce" if scan.startswith("t1") else "t2": "a"}}


def test_a_series_of_which_nobody_knows_what_it_is_is_told_where_a_sequence_is_missing(tmp_path):
    series(tmp_path / "a", 1, description="t2_ci3d")
    series(tmp_path / "b", 2, description="LAVA post")
    [case] = find_cases(tmp_path, tmp_path / "out")
    assert set(case.files) == {"t2"}
    assert case.remark == "'LAVA post' in b does not say whether it is a T1 or a T2 and was not taken"
    series(tmp_path / "c", 3, description="t1_mpr post")
    [case] = find_cases(tmp_path, tmp_path / "out")
    assert (set(case.files), case.remark) == ({"t1ce", "t2"}, "")


def test_series_of_a_study_without_a_patient_are_one_case_wherever_they_lie(tmp_path):
    for patient in (1, 2):
        for number, kind in ((1, "t1_mpr post"), (2, "t2_ci3d")):
            folder = tmp_path / f"P{patient}" / f"{number}"
            series(folder, patient * 10 + number, description=kind)
            set_headers(folder, StudyInstanceUID=f"1.2.3.{patient}", PatientID="")
    assert found(tmp_path) == {name: {"t1ce": "1", "t2": "2"} for name in ("P1", "P2")}


def test_where_all_patients_were_given_one_study_their_folders_tell_them_apart(tmp_path):
    for number in (1, 2):
        series(tmp_path / f"P{number}", number, description="t1_mpr post")
        set_headers(tmp_path / f"P{number}", PatientID="")
    assert found(tmp_path) == {name: {"t1ce": name} for name in ("P1", "P2")}


def test_series_without_a_patient_are_not_joined_by_the_name_of_their_folder(tmp_path):
    for number, kind in ((1, "t1_mpr post"), (2, "t2_ci3d")):
        folder = tmp_path / f"patient-{number}" / "DICOM"
        series(folder, number, description=kind)
        set_headers(folder, StudyInstanceUID=f"1.2.3.{number}", PatientID="")
    assert "name no patient and are of two studies" in faults(tmp_path)["DICOM"]
    # Of one study they belong together, wherever they lie.
    set_headers(tmp_path / "patient-2" / "DICOM", StudyInstanceUID="1.2.3.1")
    [case] = find_cases(tmp_path, tmp_path / "out")
    assert (case.fault, case.remark, set(case.files)) == ("", "", {"t1ce", "t2"})


def test_a_dose_whose_numbers_are_empty_is_listed_beside_the_slices(tmp_path):
    # GDCM, asked for its files, sorts them by numbers that are not there; it crashed in one of two runs.
    program = (
        "import sys; from pathlib import Path; from VSClickCorrectLib.io.series_choice import series_in;"
        "print(*[(len(one.files), one.modality) for one in series_in(Path(sys.argv[1]))])"
    )
    write_rtdose(tmp_path / "dose.dcm")
    series(tmp_path, 1, description="t1_mpr_tra_post")
    for _ in range(3):
        found = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert sorted(found.stdout.strip().replace(") (", ")|(").split("|")) == ["(1, 'RTDOSE')", "(5, 'MR')"]
