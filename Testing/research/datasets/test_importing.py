"""Imports: whole or not at all, nothing twice, and what changed again."""

import csv
import hashlib
import json

import numpy as np
import pytest
from volume_files import GRID, VOLUME, blob, left_in
from VSClickCorrectLib import __version__
from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.jobs.cases import ThisProcess
from VSClickCorrectResearch.datasets import importing
from VSClickCorrectResearch.datasets.importing import CaseSource, Imported, NoTumour, import_cases
from VSClickCorrectResearch.datasets.listed import read_case_list


class Scans:
    """Sources made of one file each, and a count of what was read."""

    def __init__(self, folder):
        self.folder = folder
        self.read = []

    def source(self, name, text=None, fault=None, **settings):
        path = self.folder / f"{name}.txt"
        path.write_text(text or name)

        def read():
            self.read.append(name)
            if fault:
                raise fault
            record = {"t2_placed_by": "header", "remarks": ["a remark"]}
            return Imported(Case(VOLUME), blob(), record=record)

        return CaseSource(name, {"image": (path,)}, read, settings)

    def run(self, *sources):
        outcomes = import_cases(sources, self.folder, self.folder / "cases", lambda _: None, ThisProcess())
        return [o.status for o in outcomes]


@pytest.fixture
def scans(tmp_path):
    return Scans(tmp_path)


def report(scans):
    with (scans.folder / "cases" / "report.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_case_is_a_folder_with_images_and_a_record(scans):
    assert scans.run(scans.source("one", register=True)) == ["imported"]
    cases = scans.folder / "cases"
    assert left_in(cases) == ["cases.csv", "one", "report.csv"]
    assert left_in(cases / "one") == ["T1ce.nii.gz", "import.json", "label.nii.gz"]
    record = json.loads((cases / "one" / "import.json").read_text(encoding="utf-8"))
    assert record["library"] == __version__
    assert record["sources"]["image"] == {
        "path": "one.txt",
        "files": 1,
        # printf one | sha256sum
        "sha256": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed",
    }
    assert record["settings"] == {"register": True}
    assert record["shape"] == list(GRID.shape)
    assert record["label_mm3"] == pytest.approx(blob().sum() * 0.4 * 0.5 * 1.5, abs=0.06)
    assert (cases / "cases.csv").read_text().splitlines() == [
        "case,t1ce,t2,label,mask",
        "one,one/T1ce.nii.gz,,one/label.nii.gz,",
    ]
    assert np.array_equal(read_case_list(cases / "cases.csv")[0].load().truth, blob())


def test_a_case_that_is_left_out_by_now_says_that_an_earlier_import_is_still_there(scans):
    assert scans.run(scans.source("one")) == ["imported"]
    assert scans.run(scans.source("one", "changed", fault=NoTumour("there is only Men."))) == ["left out"]
    (row,) = report(scans)
    assert row["message"] == "there is only Men. An earlier import of the case is still there."


def test_what_is_there_is_kept_and_what_changed_is_imported_again(scans):
    assert scans.run(scans.source("one"), scans.source("two")) == ["imported", "imported"]
    before = (scans.folder / "cases" / "one" / "import.json").stat().st_mtime_ns
    assert scans.run(scans.source("one"), scans.source("two", "changed")) == ["unchanged", "imported"]
    assert scans.read == ["one", "two", "two"]
    assert (scans.folder / "cases" / "one" / "import.json").stat().st_mtime_ns == before
    assert [row["message"][:18] for row in report(scans)] == ["is there already", "files or settings "]
    # Another setting makes another case.
    assert scans.run(scans.source("one", register=True)) == ["imported"]
    assert [c.name for c in read_case_list(scans.folder / "cases" / "cases.csv")] == ["one", "two"]


def test_what_an_earlier_version_imported_is_imported_again(scans):
    # It wrote no T2 beside the T1ce's field of view as this one does, and fewer remarks.
    assert scans.run(scans.source("one")) == ["imported"]
    told = [2, {"image": hashlib.sha256(b"one").hexdigest()}, {}]
    path = scans.folder / "cases" / "one" / "import.json"
    earlier = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"fingerprint": earlier}))
    assert scans.run(scans.source("one")) == ["imported"]
    assert scans.run(scans.source("one")) == ["unchanged"]


def test_same_files_under_another_name_are_not_imported_twice(scans):
    assert scans.run(scans.source("one", "same"), scans.source("copy", "same")) == ["imported", "duplicate"]
    assert report(scans)[1]["message"] == "holds the same files as one, which is there"
    assert left_in(scans.folder / "cases") == ["cases.csv", "one", "report.csv"]


def test_failure_stops_no_other_case_and_stands_in_the_report(scans):
    faulty = scans.source("b", fault=ImageError("the scan is torn."))
    without = scans.source("c", fault=NoTumour("there is only Men."))
    assert scans.run(scans.source("a"), faulty, without, scans.source("d")) == [
        "imported", "failed", "left out", "imported"
    ]  # fmt: skip
    rows = report(scans)
    assert [row["case"] for row in rows] == ["a", "b", "c", "d"]
    assert rows[0]["t2"] == "header"
    assert rows[0]["message"].endswith("mm³; a remark")
    assert rows[1]["message"] == "the scan is torn."
    assert [c.name for c in read_case_list(scans.folder / "cases" / "cases.csv")] == ["a", "d"]


def test_failure_leaves_an_earlier_import_of_the_case(scans):
    scans.run(scans.source("a"))
    scans.run(scans.source("a", "worse", fault=ImageError("the scan is torn.")))
    assert report(scans)[0]["message"] == "the scan is torn. An earlier import of the case is still there."
    assert read_case_list(scans.folder / "cases" / "cases.csv")[0].load().name == "a"


def test_interrupted_import_leaves_no_half_case_and_goes_on(scans, monkeypatch):
    write = importing.write_mask

    def stop(path, *more, **settings):
        if "b" in path.parent.name:
            raise KeyboardInterrupt
        write(path, *more, **settings)

    monkeypatch.setattr(importing, "write_mask", stop)
    sources = [scans.source(name) for name in "abc"]
    with pytest.raises(KeyboardInterrupt):
        scans.run(*sources)
    assert left_in(scans.folder / "cases") == ["a", "cases.csv", "report.csv"]
    monkeypatch.setattr(importing, "write_mask", write)
    # As a power cut would leave it.
    (scans.folder / "cases" / ".writing-b").mkdir()
    (scans.folder / "cases" / "c").mkdir()
    (scans.folder / "cases" / "c" / "import.json").write_text('{"case": ')
    assert scans.run(*sources) == ["unchanged", "imported", "imported"]
    assert left_in(scans.folder / "cases") == ["a", "b", "c", "cases.csv", "report.csv"]


def test_cases_of_another_import_stay_listed(scans):
    scans.run(scans.source("case10"), scans.source("case9"))
    scans.run(scans.source("case11"))
    listed = [c.name for c in read_case_list(scans.folder / "cases" / "cases.csv")]
    assert listed == ["case9", "case10", "case11"]


def test_folder_that_cannot_be_made_is_a_sentence(scans):
    (scans.folder / "cases").write_text("a file")
    with pytest.raises(StorageError, match=r"the folder .*cases cannot be made \(File exists\)"):
        scans.run(scans.source("one"))


def test_failed_import_of_everything_writes_a_report_but_no_list(scans):
    scans.run(scans.source("a", fault=ImageError("the scan is torn.")))
    assert left_in(scans.folder / "cases") == ["report.csv"]


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("files", [{"T1ce.nii.gz": "my own"}, {"import.json": "{}", "notes.txt": "my own"}])
def test_a_folder_that_no_import_wrote_is_not_replaced(scans, files):
    there = scans.folder / "cases" / "one"
    there.mkdir(parents=True)
    for name, text in files.items():
        (there / name).write_text(text)
    before = contents(there)
    assert scans.run(scans.source("one"), scans.source("two")) == ["failed", "imported"]
    assert contents(there) == before
    assert "is there and no import wrote it; move it away" in report(scans)[0]["message"]
    assert scans.read == ["two"]


def test_a_link_is_not_replaced(scans):
    elsewhere = scans.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "import.json").write_text("{}")
    (scans.folder / "cases").mkdir()
    (scans.folder / "cases" / "one").symlink_to(elsewhere)
    assert scans.run(scans.source("one")) == ["failed"]
    assert (scans.folder / "cases" / "one").is_symlink() and left_in(elsewhere) == ["import.json"]


def test_a_folder_of_another_case_is_not_replaced(scans):
    scans.run(scans.source("one"))
    cases = scans.folder / "cases"
    (cases / "one").rename(cases / "two")
    before = contents(cases / "two")
    assert scans.run(scans.source("two", "other")) == ["failed"]
    assert "holds the case one" in report(scans)[0]["message"]
    assert contents(cases / "two") == before


def test_lists_of_somebody_else_s_are_not_overwritten(scans):
    (scans.folder / "cases").mkdir()
    (scans.folder / "cases" / "cases.csv").write_text("my own list")
    with pytest.raises(StorageError, match=r"cases\.csv is there and this command did not write it"):
        scans.run(scans.source("one"))
    assert left_in(scans.folder / "cases") == ["cases.csv"]


def test_an_output_around_or_in_what_is_imported_is_refused(scans):
    source = scans.source("one")
    with pytest.raises(StorageError, match=r"holds .*one\.txt, which is to be read"):
        import_cases([source], scans.folder, scans.folder, lambda _: None, ThisProcess())
    series = scans.folder / "series"
    series.mkdir()
    slices = tuple(series / name for name in "ab")
    for path in slices:
        path.write_text("a slice")
    with pytest.raises(StorageError, match="is or lies in .*series"):
        import_cases(
            [CaseSource("s", {"t1ce": slices}, None)],
            scans.folder,
            series / "out",
            lambda _: None,
            ThisProcess(),
        )
    assert left_in(scans.folder) == ["one.txt", "series"] and left_in(series) == ["a", "b"]


def test_a_second_import_into_a_folder_is_refused_and_the_first_goes_on(scans):
    def read():
        with pytest.raises(StorageError, match="another command is writing into"):
            scans.run(scans.source("two"))
        return Imported(Case(VOLUME), blob())

    first = scans.source("one")
    assert scans.run(CaseSource("one", first.files, read)) == ["imported"]
    assert left_in(scans.folder / "cases") == ["cases.csv", "one", "report.csv"]


def test_a_case_whose_replacing_was_killed_is_there_again(scans):
    scans.run(scans.source("one"))
    cases = scans.folder / "cases"
    (cases / "one").rename(cases / ".vsclick-old-one")
    assert scans.run(scans.source("two")) == ["imported"]
    assert [c.name for c in read_case_list(cases / "cases.csv")] == ["one", "two"]
