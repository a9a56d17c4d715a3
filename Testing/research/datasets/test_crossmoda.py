"""CrossMoDA: cases by file name, the tumour's labels chosen, the cochlea left out."""

import numpy as np
import pytest
from volume_files import GRID, SHAPE, written
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.jobs.cases import ThisProcess
from VSClickCorrectResearch.datasets.crossmoda import find_cases
from VSClickCorrectResearch.datasets.importing import import_cases
from VSClickCorrectResearch.datasets.listed import read_case_list

IMAGE = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)


def labels(*present):
    """Each label on a slice of its own."""
    values = np.zeros(SHAPE, np.uint8)
    for value in present:
        values[value, 1:4, 2:5] = value
    return values


def image_of(name):
    """Another image for each case."""
    return IMAGE + int(name.split("_")[-1])


def scan(folder, name, role, array=IMAGE):
    folder.mkdir(parents=True, exist_ok=True)
    return written(folder / f"{name}_{role}.nii.gz", array, GRID)


@pytest.fixture
def download(tmp_path):
    """Labelled T1ce scans and unlabelled T2 scans of other patients, as the challenges hand them out."""
    source, target = tmp_path / "in" / "TrainingSource", tmp_path / "in" / "TrainingTarget"
    for name, present in {
        "crossmoda2021_ldn_2": (1, 2),
        "crossmoda2021_ldn_10": (1, 2),
        "crossmoda2023_ukm_3": (2, 3),
    }.items():
        scan(source, name, "ceT1", image_of(name))
        scan(source, name, "Label", labels(*present))
    scan(target, "crossmoda2021_ldn_106", "hrT2")
    scan(target, "crossmoda2023_etz_106", "T2")
    return tmp_path / "in"


def imported(folder, output, *chosen):
    outcomes = import_cases(find_cases(folder, chosen), folder, output, lambda _: None, ThisProcess())
    return {o.name: o for o in outcomes}


def test_labelled_scans_are_cases_in_natural_order_and_the_cochlea_is_left_out(download, tmp_path):
    outcomes = imported(download, tmp_path / "cases", 1, 2)
    assert list(outcomes) == ["crossmoda2021_ldn_2", "crossmoda2021_ldn_10", "crossmoda2023_ukm_3"]
    cases = {c.name: c.load() for c in read_case_list(tmp_path / "cases" / "cases.csv")}
    assert list(cases) == list(outcomes)
    # Intrameatal, label 1, is missing in this one, which is no fault.
    assert np.array_equal(cases["crossmoda2023_ukm_3"].truth, labels(2) > 0)
    assert np.array_equal(cases["crossmoda2021_ldn_2"].truth, labels(1, 2) > 0)
    assert cases["crossmoda2021_ldn_2"].case.t2 is None
    assert np.array_equal(cases["crossmoda2021_ldn_2"].case.t1ce.array, IMAGE + 2)


def test_labels_that_are_not_the_tumour_s_in_a_case_s_edition_are_told(download, tmp_path):
    scan(download / "TrainingSource", "crossmoda2023_ukm_4", "ceT1", image_of("_4"))
    scan(download / "TrainingSource", "crossmoda2023_ukm_4", "Label", labels(1, 2, 3))
    both = imported(download, tmp_path / "both", 1, 2)
    # Of 2021 label 2 is the cochlea.
    said = "label 1, 2 is taken for the tumour, which in this edition is label 1; check --tumour-label"
    assert both["crossmoda2021_ldn_2"].message.endswith(f" mm³; {said}")
    assert both["crossmoda2021_ldn_2"].record["remarks"] == [said]
    assert "--tumour-label" not in both["crossmoda2023_ukm_3"].message + both["crossmoda2023_ukm_4"].message
    first = imported(download, tmp_path / "first", 1)
    assert "--tumour-label" not in first["crossmoda2021_ldn_2"].message
    # Of 2023 label 2 is the tumour's larger part as a rule.
    said = "label 1 is taken for the tumour, which in this edition is label 1, 2; check --tumour-label"
    assert first["crossmoda2023_ukm_4"].message.endswith(f" mm³; {said}")


def test_case_without_the_chosen_label_fails_alone_with_the_labels_it_holds(download, tmp_path):
    outcomes = imported(download, tmp_path / "cases", 1)
    assert "does not hold the label 1; it holds 2, 3" in outcomes["crossmoda2023_ukm_3"].message
    assert [o.status for o in outcomes.values()] == ["imported", "imported", "failed"]


def test_t2_alone_is_a_case_on_its_own_grid(download, tmp_path):
    scan(download / "more", "crossmoda2023_etz_106", "Label", labels(1))
    outcome = imported(download, tmp_path / "cases", 1)["crossmoda2023_etz_106"]
    assert outcome.status == "imported"
    case = {c.name: c for c in read_case_list(tmp_path / "cases" / "cases.csv")}[outcome.name].load()
    assert case.case.t1ce is None
    assert case.grid.matches(GRID, 1e-4)


def test_label_that_is_not_chosen_is_asked_for_with_those_found(download):
    with pytest.raises(
        ImageError, match=r"hold the labels 1, 2, 3; say with --tumour-label which of them are"
    ):
        find_cases(download, None)


def test_files_that_an_edition_repeats_are_taken_once_and_differing_ones_refused(download, tmp_path):
    again = download / "edition-2022"
    again.mkdir()
    for path in (download / "TrainingSource").glob("crossmoda2021_*"):
        (again / path.name).write_bytes(path.read_bytes())
    scan(again, "crossmoda2021_ldn_10", "ceT1", IMAGE + 1)
    outcomes = imported(download, tmp_path / "cases", 1, 2)
    assert outcomes["crossmoda2021_ldn_2"].status == "imported"
    assert "differ; keep the right one" in outcomes["crossmoda2021_ldn_10"].message


def test_label_without_an_image_fails(tmp_path):
    scan(tmp_path / "in", "crossmoda2022_etz_4", "Label", labels(1))
    outcome = imported(tmp_path / "in", tmp_path / "cases", 1)["crossmoda2022_etz_4"]
    assert "there is no image beside" in outcome.message


def test_folder_without_labelled_cases_is_refused(tmp_path):
    scan(tmp_path / "in", "crossmoda2023_etz_106", "T2")
    for folder in (tmp_path / "in", tmp_path / "missing"):
        with pytest.raises(ImageError, match="holds no labelled case of crossMoDA"):
            find_cases(folder, (1,))


def test_the_first_edition_named_no_centre_and_labels_may_be_stored_in_another_order(tmp_path):
    scan(tmp_path / "in", "crossmoda_1", "ceT1")
    affine = GRID.affine @ np.array([[-1, 0, 0, SHAPE[2] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    turned = labels(1, 2)[:, :, ::-1]
    written(tmp_path / "in" / "crossmoda_1_Label.nii.gz", turned, Grid(SHAPE, affine))
    outcomes = imported(tmp_path / "in", tmp_path / "cases", 1)
    assert outcomes["crossmoda_1"].status == "imported", outcomes["crossmoda_1"].message
    (case,) = read_case_list(tmp_path / "cases" / "cases.csv")
    assert np.array_equal(case.load().truth, labels(1) > 0)
