"""Cases found in folders of every naming, and in lists."""

import os

import numpy as np
import pytest
from volume_files import GRID, PLAIN, SHAPE, VOLUME, blob, written
from vs_seg_files import set_headers, write_series
from VSClickCorrectLib.errors import ImageError, WorklistError
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.jobs.cases import ThisProcess
from VSClickCorrectLib.worklist.cases import WorkCase, find_cases, with_labels
from VSClickCorrectLib.worklist.claims import LabelClaims
from VSClickCorrectLib.worklist.worklist import Worklist
from VSClickCorrectResearch.datasets.importing import CaseSource, Imported, import_cases

IMAGE = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)


def made(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        written(root / name, IMAGE)
    return root


def found(root, output="elsewhere"):
    """Cases by name, each with its files relative to the folder."""
    return {
        case.name: {role: path.relative_to(root).as_posix() for role, path in case.files.items()}
        for case in find_cases(root, root / output)
    }


def test_a_folder_a_case(tmp_path):
    made(tmp_path, "p10/T1ce.nii.gz", "p10/T2.nrrd", "p9/t2.nii", "p9/mask.nii.gz", "p9/label.nii.gz")
    assert list(found(tmp_path)) == ["p9", "p10"]
    assert found(tmp_path) == {
        "p9": {"t2": "p9/t2.nii", "mask": "p9/mask.nii.gz"},
        "p10": {"t1ce": "p10/T1ce.nii.gz", "t2": "p10/T2.nrrd"},
    }


def test_vs_seg_as_its_publishers_convert_it(tmp_path):
    made(
        tmp_path,
        *(f"vs_gk_1/vs_gk_1_{name}.nii.gz" for name in ("t1_refT1", "t2_refT1", "t1_refT2", "t2_refT2")),
        "vs_gk_1/vs_gk_seg_refT1.nii.gz",
        "vs_gk_1/vs_gk_seg_refT2.nii.gz",
    )
    assert found(tmp_path) == {
        "vs_gk_1": {
            "t1ce": "vs_gk_1/vs_gk_1_t1_refT1.nii.gz",
            "t2": "vs_gk_1/vs_gk_1_t2_refT1.nii.gz",
            "mask": "vs_gk_1/vs_gk_seg_refT1.nii.gz",
        }
    }


def test_crossmoda_by_file_name_without_its_label_maps(tmp_path):
    made(
        tmp_path,
        "source/crossmoda2021_ldn_1_ceT1.nii.gz",
        "source/crossmoda2021_ldn_1_Label.nii.gz",
        "target/crossmoda2022_etz_7_hrT2.nii.gz",
    )
    assert found(tmp_path) == {
        "crossmoda2021_ldn_1": {"t1ce": "source/crossmoda2021_ldn_1_ceT1.nii.gz"},
        "crossmoda2022_etz_7": {"t2": "target/crossmoda2022_etz_7_hrT2.nii.gz"},
    }


def test_bids_with_sessions_prefers_the_t1_with_contrast_and_leaves_derivatives_out(tmp_path):
    made(
        tmp_path,
        "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz",
        "sub-01/ses-a/anat/sub-01_ses-a_ce-GD_T1w.nii.gz",
        "sub-01/ses-a/anat/sub-01_ses-a_acq-ciss_T2w.nii.gz",
        "sub-02/anat/sub-02_T1w.nii.gz",
        "derivatives/other/sub-03/anat/sub-03_T1w.nii.gz",
    )
    assert found(tmp_path) == {
        "sub-01_ses-a": {
            "t1ce": "sub-01/ses-a/anat/sub-01_ses-a_ce-GD_T1w.nii.gz",
            "t2": "sub-01/ses-a/anat/sub-01_ses-a_acq-ciss_T2w.nii.gz",
        },
        "sub-02": {"t1ce": "sub-02/anat/sub-02_T1w.nii.gz"},
    }


def test_loose_files_belong_together_by_the_rest_of_their_names(tmp_path):
    made(tmp_path, "anna-7_t1ce.nii.gz", "anna-7_t2.nii.gz", "bert_T1.nii.gz")
    assert found(tmp_path) == {
        "anna_7": {"t1ce": "anna-7_t1ce.nii.gz", "t2": "anna-7_t2.nii.gz"},
        "bert": {"t1ce": "bert_T1.nii.gz"},
    }


def test_a_plain_t1_gives_way_to_one_with_contrast(tmp_path):
    made(tmp_path, "p1/t1.nii.gz", "p1/t1ce.nii.gz")
    assert found(tmp_path) == {"p1": {"t1ce": "p1/t1ce.nii.gz"}}


def test_what_an_import_wrote_is_taken_from_its_list_without_showing_the_truth(tmp_path):
    case = Case(Volume(IMAGE, PLAIN))
    label = np.zeros(SHAPE, bool)
    source = made(tmp_path, "in/raw.nii.gz") / "in" / "raw.nii.gz"
    read = CaseSource("one", {"t1ce": (source,)}, lambda: Imported(case, label, label | True))
    import_cases([read], tmp_path, tmp_path / "imported", lambda outcome: None, ThisProcess())
    assert found(tmp_path / "imported") == {"one": {"t1ce": "one/T1ce.nii.gz", "mask": "one/mask.nii.gz"}}


def test_the_folder_of_the_results_is_not_searched(tmp_path):
    made(tmp_path, "p1/t1ce.nii.gz", "results/p1/t1ce.nii.gz", "sourcedata/p2/t1ce.nii.gz")
    assert list(found(tmp_path, "results")) == ["p1"]


def test_a_list_may_do_without_labels_and_names_files_relative_to_itself(tmp_path):
    made(tmp_path, "scans/a.nii.gz")
    table = tmp_path / "list.csv"
    # The kind of head is for evaluations.
    lines = ["case,t1ce,t2,mask,kind", "b 1,scans/a.nii.gz,,,real", "a/2,,scans/gone.nii.gz,,"]
    table.write_text("\n".join(lines), encoding="utf-8")
    first, second = find_cases(table, tmp_path / "out")
    assert (first.name, first.t1ce, first.problem) == ("b 1", tmp_path / "scans/a.nii.gz", "")
    assert "gone.nii.gz does not exist any more" in second.problem


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (("p1/scan.nii.gz",), "does not say whether it is a T1 or a T2"),
        (("p1/a_t1ce.nii.gz", "p1/b_t1ce.nii.gz"), "several files for its t1ce"),
    ],
)
def test_a_case_that_is_not_clear_is_in_the_list_with_its_fault(tmp_path, files, words):
    made(tmp_path, *files, "p2/t1ce.nii.gz")
    unclear, clear = find_cases(tmp_path, tmp_path / "out")
    assert words in unclear.problem
    assert clear.problem == ""
    with pytest.raises(ImageError, match="case p1: "):
        unclear.load()


def test_a_line_with_no_image_is_a_case_with_a_fault(tmp_path):
    table = tmp_path / "list.csv"
    table.write_text("case,t1ce\nempty,\n", encoding="utf-8")
    assert "neither a T1ce nor a T2" in find_cases(table, tmp_path)[0].problem


def test_cases_that_share_one_image_and_not_the_other_are_told_of_each_other(tmp_path):
    table = tmp_path / "list.csv"
    lines = ["one,a.nii,b.nii", "two,c.nii,./b.nii", "three,d.nii,e.nii", "again,d.nii,e.nii", "four,f,f"]
    table.write_text("\n".join(["case,t1ce,t2", *lines]), encoding="utf-8")
    said = [
        f"it shares a file with case '{other}' and not all images; check the list" for other in ("two", "one")
    ]
    assert [case.remark for case in find_cases(table, tmp_path / "out")] == [*said, "", "", ""]
    # A mask is one patient's, too; two may begin with masks of their own on the same images.
    lines = ["one,a.nii,m.nii", "two,b.nii,./m.nii", "three,d.nii,n.nii", "again,d.nii,o.nii", "none,e.nii,"]
    table.write_text("\n".join(["case,t1ce,mask", *lines]), encoding="utf-8")
    assert [case.remark for case in find_cases(table, tmp_path / "out")] == [*said, "", "", ""]


@pytest.mark.parametrize(("lines", "words"), [("a,x\na,y\n", "line 3.*stands there twice"), ("", "no case")])
def test_a_list_that_cannot_be_used_says_why(tmp_path, lines, words):
    table = tmp_path / "list.csv"
    table.write_text(f"case,t1ce\n{lines}", encoding="utf-8")
    with pytest.raises((ImageError, WorklistError), match=words):
        find_cases(table, tmp_path)


def test_an_empty_or_missing_folder_says_so(tmp_path):
    with pytest.raises(WorklistError, match="holds no case"):
        find_cases(tmp_path, tmp_path / "out")
    with pytest.raises(WorklistError, match="does not exist"):
        find_cases(tmp_path / "no", tmp_path / "out")


@pytest.fixture
def labels_of(tmp_path):
    """Gives names their labels, as often as one likes, for one folder of results."""
    claims = LabelClaims(tmp_path / "labels")
    return lambda *names, known=(): [
        case.label for case in with_labels([WorkCase(name) for name in names], dict(known), claims)
    ]


def test_labels_are_letters_and_digits_and_keep_bids_names(labels_of):
    assert labels_of("VS-SEG-001", "sub-01", "sub-02_ses-b", "Ä_1", "--") == [
        "VSSEG001",
        "01",
        "02_ses-b",
        "1",
        "case",
    ]


def test_names_that_would_be_one_label_get_two_and_those_given_earlier_stay(labels_of):
    plain, marked = labels_of("a-1", "A1")
    assert plain == "a1"
    assert marked.startswith("A1") and len(marked) == 8
    # Later the other one comes first in the list: nothing changes.
    assert labels_of("A1", "a-1", known={"a-1": "a1", "A1": marked}) == [marked, "a1"]


def test_long_names_get_labels_that_a_file_s_name_has_room_for(labels_of):
    names = "a" * 300, "a" * 299 + "b", "sub-" + "c" * 60 + "_ses-" + "d" * 60
    labels = labels_of(*names)
    assert [len(label) for label in labels] == [70, 70, 70]
    assert len(set(labels)) == 3 and all(label.isalnum() for label in labels)


def test_a_case_of_a_very_long_name_is_worked_on_like_any_other(folder, tmp_path):
    path, name = folder / "cases.csv", "a" * 300
    path.write_text(f"case,t1ce\n{name},VS-2/T1ce.nii.gz\n", encoding="utf-8")
    mask, worklist = blob(), Worklist.open(path, tmp_path / "out", "AB")
    assert worklist.next().name == name
    label = worklist.done(mask, PLAIN)
    np.testing.assert_array_equal(read_mask(label, PLAIN), mask)
    worklist.go_to(name)
    worklist.opened.start_over()
    worklist.close()
    (row,) = Worklist.open(path, tmp_path / "out", "AB").rows()
    assert (row.case.name, row.record.state.value) == (name, "todo")


def test_a_case_loads_its_images_and_its_mask_on_their_grid(tmp_path):
    made(tmp_path, "p1/t1ce.nii.gz", "p1/t2.nii.gz")
    mask = np.zeros(SHAPE, np.uint8)
    mask[2, 3, 4] = 1
    written(tmp_path / "p1" / "mask.nii.gz", mask)
    (case,) = find_cases(tmp_path, tmp_path / "out")
    loaded = case.load()
    np.testing.assert_array_equal(loaded.t2.array, IMAGE)
    np.testing.assert_array_equal(case.load_mask(loaded.grid), mask.astype(bool))


def test_a_mask_on_another_grid_is_refused_with_the_cases_name(tmp_path):
    made(tmp_path, "p1/t1ce.nii.gz")
    written(tmp_path / "p1" / "mask.nii.gz", np.ones((9, 9, 9), np.uint8))
    (case,) = find_cases(tmp_path, tmp_path / "out")
    with pytest.raises(ImageError, match="case p1: .*another grid"):
        case.load_mask(case.load().grid)


def test_a_folder_that_a_link_leads_to_is_a_case(tmp_path):
    made(tmp_path, "elsewhere/scans/t1ce.nii.gz")
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "P1").symlink_to("../elsewhere/scans")
    assert found(tmp_path / "cases") == {"P1": {"t1ce": "P1/t1ce.nii.gz"}}


def test_two_folders_that_would_be_one_case_are_not_mixed(tmp_path):
    made(tmp_path, "M\u00fcller/t1ce.nii.gz", "Mu\u0308ller/t2.nii.gz", "a/b/t1ce.nii.gz", "a_b/t2.nii.gz")
    if len(list(tmp_path.iterdir())) < 4:
        pytest.skip("this drive takes both spellings for one")
    cases = find_cases(tmp_path, tmp_path / "out")
    assert [case.name for case in cases] == ["M\u00fcller", "a_b"] or len(cases) == 2
    for case in cases:
        assert f"would both be called '{case.name}'; rename one of them." in case.problem
        assert case.files == {}


def test_a_name_that_is_no_text_fails_its_case_alone(tmp_path):
    made(tmp_path / "cases", os.fsdecode(b"bad\xff/t1ce.nii.gz").replace("\udcff", "y"), "good/t1ce.nii.gz")
    os.rename(tmp_path / "cases" / "bady", os.fsencode(tmp_path / "cases") + b"/bad\xff")
    worklist = Worklist.open(tmp_path / "cases", tmp_path / "out", "AB")
    bad, good = worklist.cases
    assert (bad.name, good.problem) == ("bad\\xff", "")
    assert "is not UTF-8 text; rename the file." in bad.problem
    assert worklist.next() == good
    worklist.go_to(bad.name)
    worklist.give_up(ImageError(bad.problem))
    states = {row.case.name: row.record.state.value for row in worklist.rows()}
    assert states == {"bad\\xff": "failed", "good": "todo"}


@pytest.mark.parametrize("whole", [True, False], ids=["folder", "slices"])
def test_series_whose_names_are_no_text_fail_their_case_alone(tmp_path, whole):
    for name in ("bad", "good"):
        write_series(tmp_path / "cases" / name, VOLUME.array, GRID, patient=name)
    folder = os.fsencode(tmp_path / "cases" / "bad")
    for n, name in enumerate(() if whole else sorted(os.listdir(folder))):
        os.rename(folder + b"/" + name, folder + b"/%d\xff.dcm" % n)
    if whole:
        os.rename(folder, folder + b"\xff")
    bad, good = find_cases(tmp_path / "cases", tmp_path / "out")
    assert "is not UTF-8 text; rename it, and what is in it." in bad.problem
    assert (good.name, good.problem) == ("good", "")


def test_a_series_of_which_one_slice_s_name_is_no_text_says_so(tmp_path):
    folder = os.fsencode(write_series(tmp_path / "cases" / "P1", VOLUME.array, GRID))
    name = sorted(os.listdir(folder))[0]
    os.rename(folder + b"/" + name, folder + b"/0\xff.dcm")
    (case,) = find_cases(tmp_path / "cases", tmp_path / "out")
    with pytest.raises(ImageError, match="is not UTF-8 text; rename the file"):
        case.load()


def test_an_umlaut_in_the_patient_s_id_is_shown_as_it_is_written(tmp_path):
    write_series(tmp_path / "in" / "a", IMAGE, PLAIN, description="t1_post")
    write_series(tmp_path / "in" / "b", IMAGE, PLAIN, "1.2.7", description="t1_post", patient="P2")
    set_headers(
        tmp_path / "in" / "a", SpecificCharacterSet="ISO_IR 100", PatientID="Pr\u00fcf-1".encode("latin-1")
    )
    worklist = Worklist.open(tmp_path / "in", tmp_path / "out", "AB")
    assert [row.case.name for row in worklist.rows()] == ["P2", "Pr\u00fcf-1"]
    worklist.go_to("Pr\u00fcf-1")
    np.testing.assert_array_equal(worklist.opened.load().t1ce.array, IMAGE)
    worklist.done(blob(), PLAIN)
    worklist.close()
    assert "Pr\u00fcf-1,sub-Prf1,done" in (tmp_path / "out" / "summary.csv").read_text("utf-8")
