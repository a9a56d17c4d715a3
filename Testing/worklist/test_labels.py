"""The label set: what it says of itself, and what the validator of BIDS says of it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from volume_files import PLAIN, SHAPE, blob, written
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.worklist.records import CaseState
from VSClickCorrectLib.worklist.worklist import Worklist

MASK = blob()


def test_the_label_set_describes_itself(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    worklist.update(clicks=4, rounds=1, models=["vs-corrector-2@abc"])
    path = worklist.done(MASK, PLAIN)
    root = worklist.store.output / "derivatives" / "vsclickcorrect"
    assert path.relative_to(root).as_posix() == "sub-VS2/anat/sub-VS2_dseg.nii.gz"
    sidecar = json.loads((path.parent / "sub-VS2_dseg.json").read_text(encoding="utf-8"))
    assert sidecar["SpatialReference"] == "T1ce.nii.gz"
    work = sidecar["VSClickCorrect"]
    assert (work["annotator"], work["clicks"], work["rounds"]) == ("AB", 4, 1)
    assert work["models"] == ["vs-corrector-2@abc"]
    description = json.loads((root / "dataset_description.json").read_text(encoding="utf-8"))
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Name"] == "VSClickCorrect"
    assert (root / "dseg.tsv").read_text(encoding="utf-8").splitlines()[1].startswith("1\tvestibular")


def test_what_is_said_of_a_done_case_later_stands_in_its_sidecar_too(open_list, clock):
    worklist = open_list()
    worklist.go_to("VS-2")
    path = worklist.done(MASK, PLAIN)
    worklist.go_to("VS-2")
    worklist.update(comment="seen by two", rounds=3)
    clock.now += 10
    worklist.work()
    worklist.close()
    record = worklist.record("VS-2")
    said = json.loads((path.parent / "sub-VS2_dseg.json").read_text(encoding="utf-8"))["VSClickCorrect"]
    assert (said["comment"], said["rounds"], said["seconds"]) == ("seen by two", 3, record.seconds)
    assert (record.state.value, said["state"]) == ("done", "done")


def test_an_empty_mask_is_a_label_that_says_that_there_is_no_tumour(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    path = worklist.done(np.zeros(SHAPE, bool), PLAIN)
    assert not read_mask(path, PLAIN).any()
    assert worklist.record("VS-2").volume_mm3 == 0
    sidecar = path.with_name(path.name.replace(".nii.gz", ".json"))
    assert json.loads(sidecar.read_text(encoding="utf-8"))["VSClickCorrect"]["state"] == "no tumour"
    assert "VS-2,sub-VS2,no tumour," in (worklist.store.output / "summary.csv").read_text(encoding="utf-8")
    # Opened again it keeps its state until something is done.
    worklist.go_to("VS-2")
    assert worklist.record("VS-2").state is CaseState.NO_TUMOUR
    worklist.update(clicks=1, mask="another")
    assert worklist.record("VS-2").state is CaseState.IN_WORK


@pytest.mark.parametrize("code", [0, 1])
def test_the_label_of_an_image_of_no_place_names_none_either(folder, open_list, code):
    """As nibabel, which places such images otherwise than Slicer does, reads both."""
    path = folder / "VS-10" / "T1ce.nii.gz"
    image = nib.Nifti1Image(np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE).transpose(), None)
    image.set_qform(np.diag([-1.0, -1.0, 1.0, 1.0]), code)
    image.set_sform(None, 0)
    nib.save(image, path)
    worklist = open_list()
    worklist.go_to("VS-10")
    grid = worklist.opened.load().grid
    worklist.opened.keep(MASK, grid)
    np.testing.assert_array_equal(worklist.opened.saved_mask(grid), MASK)
    label = nib.load(worklist.done(MASK, grid))
    np.testing.assert_allclose(label.affine, nib.load(path).affine)
    assert int(label.header["qform_code"] + label.header["sform_code"] > 0) == code
    np.testing.assert_array_equal(np.asarray(label.dataobj).transpose(), MASK)


@pytest.mark.parametrize("name", ["../../../evil", "{folder}/evil", "..\\..\\evil", "evil\0", ".."])
def test_a_list_s_names_lead_nowhere_else(folder, tmp_path, name):
    listed = folder / "cases.csv"
    listed.write_text(f"case,t1ce\n{name.format(folder=tmp_path)},VS-2/T1ce.nii.gz\n", encoding="utf-8")
    worklist = Worklist.open(listed, tmp_path / "out", "AB")
    worklist.resume()
    path = worklist.done(MASK, PLAIN)
    assert path.is_relative_to(tmp_path / "out") and ".." not in path.parts
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cases", "out"]


VALIDATOR = shutil.which("bids-validator-deno", path=Path(sys.executable).parent) or shutil.which(
    "bids-validator-deno"
)


@pytest.mark.skipif(VALIDATOR is None, reason="bids-validator-deno is not installed")
def test_the_label_set_is_valid_bids(tmp_path):
    for name in ("sub-01/ses-a/anat/sub-01_ses-a_ce-GD_T1w", "sub-01/ses-b/anat/sub-01_ses-b_T2w"):
        (tmp_path / "raw" / name).parent.mkdir(parents=True)
        written(tmp_path / "raw" / f"{name}.nii.gz", np.zeros(SHAPE, np.int16))
    worklist = Worklist.open(tmp_path / "raw", tmp_path / "raw", "AB")
    while worklist.next():
        worklist.update(clicks=2, rounds=1, comment="clear", models=["model@1"])
        worklist.done(MASK, PLAIN)
    root = tmp_path / "raw" / "derivatives" / "vsclickcorrect"
    assert len(list(root.rglob("sub-*_dseg.nii.gz"))) == 2
    found = subprocess.run([VALIDATOR, root, "--format", "json"], capture_output=True, text=True, check=False)
    issues = json.loads(found.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
