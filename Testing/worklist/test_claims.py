"""Labels belong to their case, whichever lists share a folder of results, and whoever comes first."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from volume_files import PLAIN, SHAPE, blob, written
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.worklist.claims import LabelClaims
from VSClickCorrectLib.worklist.worklist import Worklist

LIBRARY = Path(__file__).resolve().parents[2] / "VSClickCorrect"


@pytest.fixture
def list_of(tmp_path):
    """Makes a list of cases on one scan, and opens it into the one folder of results."""
    written(tmp_path / "scan.nii.gz", np.zeros(SHAPE, np.int16))

    def make(*names, annotator="AB", output="out"):
        path = tmp_path / f"list-{abs(hash(names))}.csv"
        lines = "".join(f"{name},scan.nii.gz\n" for name in names)
        path.write_text(f"case,t1ce\n{lines}", encoding="utf-8")
        return Worklist.open(path, tmp_path / output, annotator)

    return make


def finished(worklist, name, mask):
    worklist.go_to(name)
    return worklist.done(mask, PLAIN)


def test_two_lists_with_one_output_never_write_over_each_other(list_of):
    first, second = list_of("1-11"), list_of("11-1")
    labels = finished(first, "1-11", blob()), finished(second, "11-1", ~blob())
    np.testing.assert_array_equal(read_mask(labels[0], PLAIN), blob())
    np.testing.assert_array_equal(read_mask(labels[1], PLAIN), ~blob())
    again = list_of("11-1", "1-11")
    assert [again.label_path(name) for name in ("1-11", "11-1")] == list(labels)
    assert [again.record(name).state.value for name in ("1-11", "11-1")] == ["done", "done"]


def test_a_list_that_was_only_looked_at_has_its_labels_too(list_of):
    first = list_of("a-b", "A.B")
    second = list_of("ab", "A.B")
    paths = {w.label_path(case.name) for w in (first, second) for case in w.cases}
    assert len(paths) == 3
    assert second.label_path("A.B") == first.label_path("A.B")


def test_a_label_of_before_there_were_claims_stays_with_its_case(list_of, tmp_path):
    label = finished(list_of("1-11"), "1-11", blob())
    for path in (tmp_path / "out" / "sourcedata").rglob("*.json"):
        path.unlink()
    assert list_of("11-1").label_path("11-1") != label
    assert list_of("1-11").label_path("1-11") == label


def test_accents_in_either_spelling_are_one_case(list_of):
    composed, apart = "M\u00fcller", "Mu\u0308ller"
    label = finished(list_of(apart), composed, blob())
    again = list_of(composed)
    assert again.label_path(composed) == label and len(again.cases) == 1
    assert again.record(composed).state.value == "done"


def test_a_case_that_was_begun_in_the_other_spelling_goes_on(list_of, tmp_path):
    composed, apart = "M\u00fcller", "Mu\u0308ller"
    finished(list_of(composed), composed, blob())
    (record,) = (tmp_path / "out" / "sourcedata" / "worklist").glob("sub-*.json")
    # As versions that did not mind the spelling wrote it.
    record.write_text(record.read_text("utf-8").replace(composed, apart), encoding="utf-8")
    worklist = list_of(composed)
    assert [(row.case.name, row.record.state.value) for row in worklist.rows()] == [(apart, "done")]


CLAIM = """
import sys
from pathlib import Path
from VSClickCorrectLib.worklist.claims import LabelClaims
sys.stdin.readline()
print(sum(LabelClaims(Path(sys.argv[1])).claim(f"label{n}", sys.argv[2]) for n in range(200)))
"""


def test_a_label_is_given_to_one_of_many_who_want_it_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(LIBRARY))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(tmp_path / "labels"), f"case {n}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for n in range(3)
    ]
    for process in processes:
        process.stdin.write(b"\n")
        process.stdin.flush()
    assert sum(int(process.communicate()[0]) for process in processes) == 200


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"case": 3}', "\x00"])
def test_a_damaged_claim_is_nobody_s(tmp_path, content):
    claims = LabelClaims(tmp_path)
    assert claims.claim("a1", "a-1")
    (tmp_path / "sub-a1.json").write_text(content)
    assert not claims.claim("a1", "a-1") and not claims.claim("A1", "A1")


def test_a_claim_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    claims = LabelClaims(tmp_path)
    claims.claim("a1", "a-1")

    def fail(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(ImageError, match=r"sub-a1\.json cannot be read \(Input/output error\)"):
        claims.claim("a1", "a-1")


def test_a_drive_without_links_gives_a_label_once_too(tmp_path, monkeypatch):
    def refuse(*names):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    claims = LabelClaims(tmp_path / "labels")
    assert [claims.claim("a1", name) for name in ("a-1", "A1", "a-1")] == [True, False, True]
    assert [path.name for path in (tmp_path / "labels").iterdir()] == ["sub-a1.json"]
