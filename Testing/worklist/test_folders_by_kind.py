"""Folders that hold one sequence, or the masks: whose their files are."""

from VSClickCorrectLib.worklist.cases import find_cases


def laid(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def found(root):
    """Cases by name, each with the files it would take, by their names alone."""
    cases = find_cases(root, root / "results")
    return {case.name: {role: path.name for role, path in case.files.items()} for case in cases}


def test_files_in_folders_called_for_what_they_are_belong_to_the_folder_around(tmp_path):
    laid(
        tmp_path,
        *("A/T1ce/T1ce.nii.gz", "A/T2/t2_ciss.nii.gz", "A/masks/VS_mask.nii.gz"),
        *("B/T1_post/T1.nii.gz", "B/T1_native/T1.nii.gz", "B/CISS/T2.nii.gz"),
        *("T1-003/T1ce.nii.gz", "T1-003/T2.nii.gz"),
    )
    assert found(tmp_path) == {
        "A": {"t1ce": "T1ce.nii.gz", "t2": "t2_ciss.nii.gz", "mask": "VS_mask.nii.gz"},
        "B": {"t1ce": "T1.nii.gz", "t2": "T2.nii.gz"},
        "T1-003": {"t1ce": "T1ce.nii.gz", "t2": "T2.nii.gz"},
    }
    [of_b] = [case for case in find_cases(tmp_path, tmp_path / "results") if case.name == "B"]
    assert of_b.t1ce.parent.name == "T1_post" and not of_b.remark


def test_folders_of_all_patients_by_sequence_may_hold_files_that_say_so_again(tmp_path):
    laid(tmp_path, *(f"T1ce/{name}_T1ce.nii.gz" for name in "AB"), "T2/A_T2.nii.gz", "masks/A_mask.nii.gz")
    assert found(tmp_path) == {
        "A": {"t1ce": "A_T1ce.nii.gz", "t2": "A_T2.nii.gz", "mask": "A_mask.nii.gz"},
        "B": {"t1ce": "B_T1ce.nii.gz"},
    }


def test_a_mask_of_no_case_is_told_to_those_around_it_that_have_none(tmp_path):
    laid(
        tmp_path,
        *("A/T1ce_20200101.nii.gz", "A/T1ce_20210101.nii.gz", "A/mask.nii.gz"),
        *("B/T1ce.nii.gz", "B/by hand/mask.nii.gz"),
        *("C/T1ce.nii.gz", "C/seg.nii.gz", "C/by hand/mask.nii.gz"),
        *("D/T1ce.nii.gz", "D_mask_of_another.nii.gz"),
    )
    told = {case.name: case.remark for case in find_cases(tmp_path, tmp_path / "results")}
    assert told == {
        "A_20200101": "mask.nii.gz may be its mask and was not taken",
        "A_20210101": "mask.nii.gz may be its mask and was not taken",
        "B": "mask.nii.gz may be its mask and was not taken",
        "C": "",
        "D": "",
    }


def test_a_mask_in_a_tree_of_masks_is_told_to_the_case_that_it_is_called_after(tmp_path):
    laid(
        tmp_path,
        *("images/P1/T1ce.nii.gz", "masks/P1/mask.nii.gz", "images/P2/T1ce.nii.gz", "masks/P2.nii.gz"),
        *("images/P3/T1ce.nii.gz", "images/P3/seg.nii.gz", "masks/P3/by_another.seg.nrrd"),
        # Of two it is not known whose it is; nor is what every case has a name.
        *("images/P4/T1ce.nii.gz", "more/P4/T1ce.nii.gz", "masks/P4/mask.nii.gz"),
        *("images/P5/series/T1ce.nii.gz", "images/P6/series/T1ce.nii.gz", "old/series/mask.nii.gz"),
    )
    told = {case.name: case.remark for case in find_cases(tmp_path, tmp_path / "results")}
    assert told == {
        "images_P1": "mask.nii.gz may be its mask and was not taken",
        "images_P2": "P2.nii.gz may be its mask and was not taken",
        **dict.fromkeys(["images_P3", "images_P4", "more_P4", "images_P5_series", "images_P6_series"], ""),
    }


def test_images_of_formats_that_are_not_read_are_told_to_the_case_beside_them(tmp_path):
    laid(
        tmp_path,
        *("A/T1ce.hdr", "A/T1ce.img", "A/T2.nii.gz"),
        *("B/T1ce.nii.gz", "B/T2.MHA"),
        *("C/T1ce.nii.gz", "C/T1ce.json"),
        "atlas.mha",
    )
    cases = find_cases(tmp_path, tmp_path / "results")
    assert {case.name: (list(case.files), case.remark) for case in cases} == {
        "A": (["t2"], "T1ce.hdr is of a format that is not read; save it as NIfTI"),
        "B": (["t1ce"], "T2.MHA is of a format that is not read; save it as NIfTI"),
        "C": (["t1ce"], ""),
    }
