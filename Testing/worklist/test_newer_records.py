"""Records that a newer version wrote: refused where the format is another one, else kept whole."""

import json

import numpy as np
import pytest
from volume_files import PLAIN, blob
from VSClickCorrectLib.errors import ImageError

MASK = blob()


@pytest.fixture
def finished(open_list):
    """The files of the record and of the label's sidecar of VS-2, which is done."""
    worklist = open_list()
    worklist.go_to("VS-2")
    label = worklist.done(MASK, PLAIN)
    record = worklist.store.record_path("VS2")
    return record, label.with_name(label.name.replace(".nii.gz", ".json"))


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_record_of_a_newer_format_is_refused_and_stays_as_it_is(open_list, finished):
    record, sidecar = finished
    record.write_text(json.dumps({**read(record), "format": 2, "state": "reviewed"}), encoding="utf-8")
    before = record.read_bytes(), sidecar.read_bytes()
    worklist = open_list()
    sentence = (
        "the record of case VS-2 was written by a newer VSClickCorrect (format 2, this one knows 1); update "
        "VSClickCorrect to work on the case."
    )
    row = worklist.rows()[0]
    assert (row.case.name, row.record.state.value, row.record.comment) == ("VS-2", "unreadable", sentence)
    with pytest.raises(ImageError) as told:
        worklist.go_to("VS-2")
    assert str(told.value) == sentence
    assert worklist.next().name == "VS-9"
    worklist.close()
    assert (record.read_bytes(), sidecar.read_bytes()) == before
    assert not record.with_suffix(".damaged").exists()


def test_nor_is_a_sidecar_of_a_newer_format_taken_for_no_record(open_list, finished):
    record, sidecar = finished
    said = read(sidecar)
    said["VSClickCorrect"]["format"] = 2
    sidecar.write_text(json.dumps(said), encoding="utf-8")
    record.unlink()
    with pytest.raises(ImageError, match="was written by a newer VSClickCorrect"):
        open_list().go_to("VS-2")


def test_what_this_version_does_not_know_survives_its_writing(open_list, finished):
    record, sidecar = finished
    others = {"reviewer": "XY", "grades": {"koos": 3}, "unknown": [1]}
    record.write_text(json.dumps({**read(record), **others}), encoding="utf-8")
    worklist = open_list()
    worklist.go_to("VS-2")
    worklist.update(comment="seen")
    worklist.done(~MASK, PLAIN)
    said = read(sidecar)["VSClickCorrect"]
    for written in (read(record), said):
        assert {name: written[name] for name in others} == others
        assert (written["comment"], written["format"]) == ("seen", 1)
        assert written["volume_mm3"] == np.count_nonzero(~MASK) * PLAIN.voxel_volume
    # It is made anew from the sidecar with all of it.
    record.unlink()
    assert open_list().record("VS-2").unknown == others
