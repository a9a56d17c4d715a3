"""What importers keep of label maps with several classes, and what they derive where it was not drawn."""

import numpy as np
import pytest
from any_grid import all_ras
from class_scans import GRID, SHAPE, labels, write_list
from volume_files import written
from vs_seg_files import PATIENT, circle, write_contours, write_series
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.measure.tumour_parts import PARTS
from VSClickCorrectResearch.datasets.class_cases import list_class_cases
from VSClickCorrectResearch.datasets.listed import read_case_list
from VSClickCorrectResearch.simulation.porus import porus_normal

NOISE = np.random.default_rng(0).integers(0, 900, SHAPE).astype(np.int16)


def imported(kind, folder, output, *more):
    """What the command ends with."""
    return main(["import", kind, str(folder), "--output", str(output), *more])


def kept(output, sequences, classes):
    return {case.name: case.load() for case in list_class_cases(output / "classes.csv", sequences, classes)}


def brats(folder, stem, names, values, roles=("t1", "t1ce", "t2", "flair")):
    folder.mkdir(parents=True, exist_ok=True)
    for number, role in enumerate(roles):
        written(folder / f"{stem}{names.get(role, role)}.nii.gz", NOISE + number, GRID)
    written(folder / f"{stem}seg.nii.gz", values, GRID)


def test_brats_of_either_numbering_gives_the_same_classes_and_all_four_sequences(tmp_path):
    truth = labels(0)
    earlier = np.choose(truth, (0, 2, 4, 1)).astype(np.uint8)
    later = np.choose(truth, (0, 2, 3, 1)).astype(np.uint8)
    brats(tmp_path / "in" / "a", "BraTS20_Training_001_", {}, earlier)
    names = {"t1": "t1n", "t1ce": "t1c", "t2": "t2w", "flair": "t2f"}
    brats(tmp_path / "in" / "b", "BraTS-GLI-00002-000-", names, later)
    assert imported("brats", tmp_path / "in", tmp_path / "out") == 0
    sequences, classes = ("t1", "t1ce", "t2", "flair"), ("oedema", "enhancing", "non-enhancing")
    cases = kept(tmp_path / "out", sequences, classes)
    assert list(cases) == ["BraTS20_Training_001", "BraTS-GLI-00002-000"] or len(cases) == 2
    for case in cases.values():
        np.testing.assert_array_equal(case.labels, truth)
        for number, name in enumerate(sequences):
            np.testing.assert_array_equal(case.volumes[name].array, NOISE + number)
    for case in read_case_list(tmp_path / "out" / "cases.csv"):
        np.testing.assert_array_equal(case.load().truth, truth > 0)


@pytest.mark.parametrize(
    ("stem", "role", "value", "said"),
    [
        ("BraTS-GLI-00002-000-", "t1c", 4, "label 4, a resection cavity"),
        ("BraTS20_Training_001_", "t1ce", 3, "label 3 and no 4, so that it is not clear"),
        ("BraTS-PED-00003-000-", "t1c", 1, "numbers mean other classes in other editions"),
    ],
)
def test_numbers_of_brats_that_mean_something_else_are_refused(stem, role, value, said, tmp_path, capsys):
    brats(tmp_path / "in", stem, {}, (labels(0) > 0) * np.uint8(value), [role])
    assert imported("brats", tmp_path / "in", tmp_path / "out") == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("other", ["t1c", "t2w"])
def test_a_case_of_brats_with_the_names_of_two_editions_is_refused(other, tmp_path, capsys):
    brats(tmp_path / "in", "BraTS20_001_", {}, np.uint8(2) * (labels(0) > 0), ["t1ce", other])
    assert imported("brats", tmp_path / "in", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert "BraTS20_001_t1ce.nii.gz and " in said
    assert f"BraTS20_001_{other}.nii.gz are named as in two editions" in said


def test_files_of_brats_of_one_case_and_role_that_differ_are_refused(tmp_path, capsys):
    brats(tmp_path / "in" / "a", "BraTS20_Training_001_", {}, np.uint8(2) * (labels(0) > 0))
    brats(tmp_path / "in" / "b", "BraTS20_Training_001_", {}, np.uint8(2) * (labels(0) > 0))
    assert imported("brats", tmp_path / "in", tmp_path / "out") == 0
    # The label as it was corrected since.
    brats(tmp_path / "in" / "b", "BraTS20_Training_001_", {}, np.uint8(4) * (labels(0) > 0))
    assert imported("brats", tmp_path / "in", tmp_path / "two") == 2
    said = capsys.readouterr().err
    assert "001_seg.nii.gz and " in said
    assert "differ; keep the right one" in said


@pytest.mark.parametrize("kind", ["brats", "crossmoda"])
def test_a_copy_that_was_changed_since_the_import_is_told(kind, tmp_path, capsys):
    values = np.uint8(2) * (labels(0) > 0)
    for edition in ("a", "b"):
        if kind == "brats":
            brats(tmp_path / "in" / edition, "BraTS20_Training_001_", {}, values)
        else:
            moda(tmp_path / "in" / edition, "crossmoda2021_ldn_7", GRID, values)
    words = (kind, tmp_path / "in", tmp_path / "out", *(["--tumour-label", "2"] if kind != "brats" else []))
    assert [imported(*words), imported(*words)] == [0, 0]
    assert "is there already" in capsys.readouterr().out
    # The second one is corrected: which of both holds is not known any more.
    (second,) = (tmp_path / "in" / "b").glob("*[gl].nii.gz")
    written(second, values * 2, GRID)
    assert imported(*words) == 2
    assert "differ; keep the right one" in capsys.readouterr().err


def test_cases_imported_again_without_classes_are_listed_with_none(tmp_path):
    path = write_list(tmp_path / "in", 1)
    path.write_text("case,t1ce,t2,label\none,0-t1ce.nii.gz,0-t2.nii.gz,0-label.nii.gz\n")
    assert imported("csv", path, tmp_path / "out", "--classes", *PARTS) == 0
    assert (tmp_path / "out" / "classes.csv").exists()
    assert imported("csv", path, tmp_path / "out", "--tumour-label", "1", "2") == 0
    assert not (tmp_path / "out" / "classes.csv").exists()
    (case,) = read_case_list(tmp_path / "out" / "cases.csv")
    np.testing.assert_array_equal(case.load().truth, np.isin(labels(0), (1, 2)))


def test_a_list_of_others_classes_stays_where_a_case_s_name_ends_as_one_of_theirs(tmp_path):
    path = write_list(tmp_path / "in", 1)
    path.write_text("case,t1ce,t2,label\none,0-t1ce.nii.gz,0-t2.nii.gz,0-label.nii.gz\n")
    words = ("csv", path, tmp_path / "out", "--tumour-label", "1", "2")
    assert imported(*words) == 0
    own = "case,t1ce,label\nours,../x/T1ce.nii.gz,../x/older-one/classes.nii.gz\n"
    (tmp_path / "out" / "classes.csv").write_text(own)
    assert imported(*words) == 0
    assert (tmp_path / "out" / "classes.csv").read_text() == own


def ear(grid):
    """A canal with a tumour that widens outside it, and the cochlea beside it, of a left ear."""
    ras = all_ras(grid)
    normal = np.array(porus_normal("left"))
    tube = (np.hypot(ras[..., 1], ras[..., 2]) <= 2.5) & (np.abs(ras[..., 0] + 4) <= 5)
    ball = np.linalg.norm(ras - 7 * normal, axis=-1) <= 7
    centre = -(np.array((0.0, -3.5, 2.2)) + 7.5 * normal)
    return tube | ball, np.linalg.norm(ras - centre, axis=-1) <= 2.5


def centred(shape, step):
    affine = np.diag([-step, -step, step, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return Grid(shape, affine)


def moda(folder, name, grid, values):
    folder.mkdir(parents=True, exist_ok=True)
    written(
        folder / f"{name}_ceT1.nii.gz", np.arange(values.size, dtype=np.int32).reshape(values.shape), grid
    )
    written(folder / f"{name}_Label.nii.gz", values.astype(np.uint8), grid)


def test_crossmoda_of_2023_keeps_its_parts_and_before_they_are_derived(tmp_path):
    grid = centred((28, 44, 52), 0.9)
    tumour, cochlea = ear(grid)
    outside = all_ras(grid)[..., 0] > 0
    drawn = np.select([cochlea & ~tumour, tumour & ~outside, tumour], [3, 1, 2], 0)
    moda(tmp_path / "in", "crossmoda2023_etz_7", grid, drawn)
    moda(tmp_path / "in", "crossmoda2021_ldn_7", grid, np.select([tumour, cochlea], [1, 2], 0))
    assert imported("crossmoda", tmp_path / "in", tmp_path / "out", "--classes") == 0
    cases = kept(tmp_path / "out", ("t1ce",), PARTS)
    np.testing.assert_array_equal(cases["crossmoda2023_etz_7"].labels, drawn)
    derived = cases["crossmoda2021_ldn_7"].labels
    np.testing.assert_array_equal(np.isin(derived, (1, 2)), tumour)
    np.testing.assert_array_equal(derived == 3, cochlea & ~tumour)
    depth = all_ras(grid) @ np.array(porus_normal("left"))
    assert depth[derived == 1].max() <= depth[derived == 2].min() + 1e-6
    assert abs(depth[derived == 2].min()) < 2
    for case in read_case_list(tmp_path / "out" / "cases.csv"):
        np.testing.assert_array_equal(case.load().truth, tumour)


def test_a_label_that_an_edition_does_not_have_is_refused(tmp_path, capsys):
    moda(tmp_path / "in", "crossmoda2021_ldn_7", GRID, labels(0))
    assert imported("crossmoda", tmp_path / "in", tmp_path / "out", "--classes") == 2
    assert "holds label 3, which editions before 2023 do not have" in capsys.readouterr().err


def test_a_list_of_one_s_own_names_its_classes(tmp_path, capsys):
    path = write_list(tmp_path / "in", 1)
    text = path.read_text().splitlines()
    path.write_text("case,t1ce,t2,label\none,0-t1ce.nii.gz,0-t2.nii.gz,0-label.nii.gz\n")
    assert imported("csv", path, tmp_path / "out", "--classes", "oedema", "enhancing", "non-enhancing") == 0
    case = kept(tmp_path / "out", ("t2",), ("oedema", "enhancing", "non-enhancing"))["one"]
    np.testing.assert_array_equal(case.labels, labels(0))
    assert len(text) == 2
    assert imported("csv", path, tmp_path / "two", "--classes", "oedema", "enhancing") == 2
    assert "holds the value 3, but the classes are numbered from 1 to 2" in capsys.readouterr().err


def test_the_list_of_tumours_alone_is_not_taken_for_one_of_classes(tmp_path, capsys):
    path = write_list(tmp_path / "in", 1)
    path.write_text("case,t1ce,t2,label\none,0-t1ce.nii.gz,0-t2.nii.gz,0-label.nii.gz\n")
    assert imported("csv", path, tmp_path / "out", "--classes", *PARTS) == 0
    capsys.readouterr()
    tumours, output = str(tmp_path / "out" / "cases.csv"), str(tmp_path / "scores")
    assert main(["evaluate-parts", "--cases", tumours, "--output", output, "--device", "cpu"]) == 2
    said = capsys.readouterr().err
    assert "cases.csv, line 2: " in said and "label.nii.gz is the tumour without its classes" in said
    assert list(kept(tmp_path / "out", ("t1ce", "t2"), PARTS)) == ["one"]


def test_classes_that_an_import_numbers_otherwise_are_refused(tmp_path):
    path = write_list(tmp_path / "in", 1)
    path.write_text("case,t1ce,t2,label\none,0-t1ce.nii.gz,0-t2.nii.gz,0-label.nii.gz\n")
    turned = (PARTS[1], PARTS[0], PARTS[2])
    assert imported("csv", path, tmp_path / "out", "--classes", *turned) == 0
    # Another import adds cases with classes of its own to the folder, and to its list.
    brats(tmp_path / "gliomas", "BraTS20_Training_001_", {}, np.uint8(2) * (labels(0) > 0))
    assert imported("brats", tmp_path / "gliomas", tmp_path / "out") == 0
    gliomas = ("oedema", "enhancing", "non-enhancing")
    # The glioma stands in the first row, by its name.
    for wanted, line, there in ((PARTS, 2, gliomas), (turned, 2, gliomas), (gliomas, 3, turned)):
        with pytest.raises(
            ImageError, match=rf"classes\.csv, line {line}: .*classes\.nii\.gz holds"
        ) as refusal:
            kept(tmp_path / "out", ("t1ce",), wanted)
        assert f" holds {', '.join(there)}, not {', '.join(wanted)}; " in str(refusal.value)
    # One's own order is taken by who names it.
    own = tmp_path / "out" / "own.csv"
    own.write_text("case,t1ce,label\none,one/T1ce.nii.gz,one/classes.nii.gz\n")
    (case,) = list_class_cases(own, ("t1ce",), turned)
    np.testing.assert_array_equal(case.load().labels, labels(0))


def test_vs_seg_s_cochlea_parts_the_tumour_and_a_patient_without_one_says_so(tmp_path, capsys):
    grid = centred((28, 60, 72), 0.8)
    tumour, cochlea = ear(grid)
    image = np.arange(tumour.size).reshape(tumour.shape) % 700
    heights = grid.index_to_ras([(k, 0, 0) for k in range(28)])[:, 2]
    balls = {"TV": (7 * np.array(porus_normal("left")), 7.0)}
    balls["Cochlea"] = (-(np.array((0.0, -3.5, 2.2)) + 7.5 * np.array(porus_normal("left"))), 2.5)
    drawn = {}
    for name, (centre, radius) in balls.items():
        rims = [(s, radius**2 - (s - centre[2]) ** 2) for s in heights]
        drawn[name] = [circle((*centre[:2], s), rest**0.5) for s, rest in rims if rest > 1.5]
    for patient, uid, names in ((PATIENT, "1.2.3.1", ("TV", "Cochlea")), ("VS-SEG-003", "1.2.3.2", ("TV",))):
        folder = tmp_path / "in" / patient
        write_series(folder / "t1", image, grid, uid, patient=patient)
        write_contours(folder / "contours.json", {name: drawn[name] for name in names}, uid, patient)
    assert imported("vs-seg", tmp_path / "in", tmp_path / "out", "--classes") == 0
    assert "no classes: the cochlea was not drawn" in capsys.readouterr().out
    cases = kept(tmp_path / "out", ("t1ce",), PARTS)
    assert list(cases) == [PATIENT]
    found = cases[PATIENT].labels
    overlap = 2 * np.count_nonzero((found == 3) & cochlea) / np.count_nonzero([found == 3, cochlea])
    assert overlap > 0.9
    assert np.count_nonzero(found == 2) > 0.8 * np.count_nonzero(np.isin(found, (1, 2))) > 0
    assert len(read_case_list(tmp_path / "out" / "cases.csv")) == 2
