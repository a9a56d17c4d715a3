"""The folder of finished cases: what is kept, and whose it is."""

import json
from dataclasses import replace
from math import inf

import pytest
from made_results import SETTINGS, made_results, settings
from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectResearch.evaluation.records import PlayedCase, RecordFolder


def test_case_is_read_as_it_was_written(tmp_path):
    folder = RecordFolder(tmp_path / "new" / "folder", SETTINGS)
    for record in made_results().records:
        assert folder.read(record.name, record.inputs) is None
        folder.write(record)
        again = RecordFolder(tmp_path / "new" / "folder", SETTINGS)
        assert again.read(record.name, record.inputs) == record
        # Other inputs make another case.
        assert again.read(record.name, "changed") is None


def test_case_with_all_that_may_be_said_is_read_as_it_was_written(tmp_path):
    record = made_results().records[2]
    refused = replace(record.rounds["net"][1], refused=2)
    first = {"in the middle": record.rounds["net"][0], "anywhere inside": refused}
    whole = replace(record, kind="label map", confidence=0.875, first=first, inputs="a hash")
    folder = RecordFolder(tmp_path, SETTINGS)
    folder.write(whole)
    assert folder.read(record.name, whole.inputs) == whole


def test_infinite_distance_is_written_as_a_text_that_any_program_reads(tmp_path):
    record = made_results().records[2]
    text = json.dumps(record.to_json(), allow_nan=False)
    assert '"inf"' in text
    assert PlayedCase.from_json(json.loads(text)).rounds["net"][0].scores.hd95_mm == inf


@pytest.mark.parametrize("name", ["VS-SEG-001", "a/b", "../up", "ä ö", "case.1"])
def test_name_of_a_case_never_leaves_the_folder(tmp_path, name):
    folder = RecordFolder(tmp_path / "out", SETTINGS)
    record = PlayedCase(name, 0.0, {})
    folder.write(record)
    assert folder.read(name, "") == record
    assert len(list((tmp_path / "out" / "cases").iterdir())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"start": "initial"}, {"models": ("net@9999",)}, {"one_by_one": True}, {"jitter_mm": 1.5}],
)
def test_folder_of_another_evaluation_is_refused(tmp_path, change):
    RecordFolder(tmp_path, SETTINGS)
    with pytest.raises(ImageError, match=f"another evaluation \\({next(iter(change))}: .*another folder"):
        RecordFolder(tmp_path, settings(**change))
    RecordFolder(tmp_path, SETTINGS)


@pytest.mark.parametrize("content", ["", "[1]", '{"name": "a"}', "null"])
def test_damaged_record_is_played_again(tmp_path, content):
    folder = RecordFolder(tmp_path, SETTINGS)
    folder.write(PlayedCase("a", 0.0, {}))
    (tmp_path / "cases" / "a.json").write_text(content)
    assert folder.read("a", "") is None


@pytest.mark.parametrize("content", ["", "[1]", "null", "\x00"])
def test_settings_of_something_else_are_a_sentence(tmp_path, content):
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(ImageError, match=r"settings\.json is damaged, or not of an evaluation"):
        RecordFolder(tmp_path, SETTINGS)


def test_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be made"):
        RecordFolder(tmp_path / "file", SETTINGS)
