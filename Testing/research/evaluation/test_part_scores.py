"""Scores of parts: what is right is perfect, what is not is as wrong as it is, by the command too."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
from class_scans import CLASSES, SEQUENCES, write_list
from parting_network import LEVELS, parting
from volume_files import written
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.parts import PartsSegmenter
from VSClickCorrectResearch.datasets.class_cases import ClassCase
from VSClickCorrectResearch.evaluation.part_scores import score_parts

SHAPE = (22, 30, 36)
GRID = Grid(SHAPE, np.diag([-1.0, -1.0, 1.0, 1.0]))


def case(shift=0):
    """A tumour whose halves and cochlea are told by brightness; the truth may part it elsewhere."""
    k, j, i = np.indices(SHAPE)
    tumour = (i - 15) ** 2 + (j - 15) ** 2 + (k - 11) ** 2 <= 49
    shown, numbers = (np.where(tumour, np.where(i < at, 1, 2), 0) for at in (15, 15 + shift))
    for one in (shown, numbers):
        one[9:13, 13:17, 26:30] = 3
    image = (np.take(LEVELS, shown) * 1000).astype(np.int16)
    image[0, 0, :2] = 0, 1000
    return ClassCase("one", {"t1ce": Volume(image, GRID), "t2": None}, numbers.astype(np.uint8))


def test_a_plane_that_lies_elsewhere_costs_and_moves_the_diameter():
    right, wrong = (score_parts(case(shift), parting()) for shift in (0, 5))
    # At their rims tumour and cochlea are as bright as something darker.
    assert min(right.dices[:2]) > 0.8
    assert right.generalised > 0.6
    assert abs(right.diameter_error_mm) <= 2
    assert wrong.dices[0] < right.dices[0] and wrong.dices[1] < right.dices[1]
    assert wrong.dices[2] == right.dices[2]
    assert wrong.diameter_error_mm > right.diameter_error_mm


class Finds:
    """Initial networks that find one mask, whatever they are shown."""

    def __init__(self, mask):
        self.mask = mask

    def segment(self, shown):
        assert shown.t1ce is not None and shown.t2 is None
        return SimpleNamespace(on=lambda grid: self.mask)


def test_of_a_mask_that_was_found_what_is_in_it_is_parted():
    one = case()
    right = score_parts(one, parting())
    # Half of the intrameatal part is not found, and nothing of another tumour has a part.
    i = np.indices(SHAPE)[2]
    found = score_parts(one, parting(), Finds(np.isin(one.labels, (1, 2)) & (i >= 12)))
    assert found.dices[0] < right.dices[0] - 0.1
    assert found.dices[1] == pytest.approx(right.dices[1], abs=0.05)
    nothing = score_parts(one, parting(), Finds(np.zeros(SHAPE, bool)))
    assert nothing.dices == (0, 0, 0) and nothing.diameter_error_mm is None


def test_a_case_without_a_tumour_has_no_score():
    empty = case()
    assert score_parts(ClassCase("none", empty.volumes, empty.labels * 0), parting()) is None


def test_command_writes_scores_of_each_case_and_says_their_means(tmp_path, monkeypatch, capsys):
    one = case()
    written(tmp_path / "t1.nii.gz", one.volumes["t1ce"].array, GRID)
    written(tmp_path / "classes.nii.gz", one.labels, GRID)
    (tmp_path / "classes.csv").write_text("case,t1ce,t2,label\none,t1.nii.gz,,classes.nii.gz\n")
    monkeypatch.setattr(PartsSegmenter, "load", lambda *_: parting())
    words = ["evaluate-parts", "--cases", str(tmp_path / "classes.csv"), "--output", str(tmp_path / "out")]
    assert main(words) == 0
    _, mean, *classes, generalised, diameter = capsys.readouterr().out.splitlines()
    assert mean == "Mean DSC over 1 cases:"
    assert [line.split(":")[0].strip() for line in classes] == ["intrameatal", "extrameatal", "cochlea"]
    assert generalised.startswith("Mean generalised Dice score: ") and "off by" in diameter
    with open(tmp_path / "out" / "parts.csv", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["extrameatal"]) == pytest.approx(score_parts(one, parting()).dices[1], abs=1e-3)
    # A second time it replaces its own.
    assert main(words) == 0


def test_tumours_whose_part_is_not_found_are_told_beside_the_diameters_that_can_be_compared(
    tmp_path, monkeypatch, capsys
):
    one = case()
    written(tmp_path / "t1.nii.gz", one.volumes["t1ce"].array, GRID)
    written(tmp_path / "classes.nii.gz", one.labels, GRID)
    rows = [f"{name},t1.nii.gz,,classes.nii.gz" for name in ("one", "two", "three")]
    (tmp_path / "classes.csv").write_text("\n".join(["case,t1ce,t2,label", *rows]) + "\n")
    tumour = np.isin(one.labels, (1, 2))
    # The first is found, the second not, and of the third what lies in the canal alone.
    masks = iter([tumour, np.zeros(SHAPE, bool), tumour & (np.indices(SHAPE)[2] < 13)])
    finds = SimpleNamespace(segment=lambda _: SimpleNamespace(on=lambda grid: next(masks)))
    monkeypatch.setattr(PartsSegmenter, "load", lambda *_: parting())
    monkeypatch.setattr(InitialSegmenter, "load", lambda *_: finds)
    words = ["evaluate-parts", "--cases", str(tmp_path / "classes.csv"), "--start", "initial"]
    assert main([*words, "--output", str(tmp_path / "out")]) == 0
    *_, said = capsys.readouterr().out.splitlines()
    assert said.startswith("Extrameatal diameter: off by ")
    assert said.endswith(" mm in the median (1); of 2 more no such part was found")


def test_other_classes_have_no_diameter(tmp_path):
    from VSClickCorrectResearch.datasets.class_cases import list_class_cases

    segmenter = parting(("t1ce", "mask"))
    segmenter.model.entry.classes[:] = CLASSES
    segmenter = PartsSegmenter(segmenter.model)
    loaded = list_class_cases(write_list(tmp_path, 1), SEQUENCES, CLASSES)[0].load()
    found = score_parts(loaded, segmenter)
    assert len(found.dices) == 3
    assert found.diameter_error_mm is None
