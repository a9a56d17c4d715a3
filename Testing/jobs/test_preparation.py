"""Initial masks made ahead: what is kept, and when it is of no use."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bright_ball import ball_volume
from handmade_models import change_entry
from source_series import write_both, write_slices
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.adapted_models import keep_adapted
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder
from VSClickCorrectLib.io.images import read_volume, write_volume
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.jobs.preparation import prepare, segmenter_of
from VSClickCorrectLib.jobs.prepared import Preparation, is_up_to_date, read_prepared, versions_of

pytestmark = pytest.mark.usefixtures("forked_children")


@pytest.fixture
def task(tmp_path, small, own_models):
    write_volume(tmp_path / "T1ce.nii.gz", small.t1ce)
    files = {"t1ce": str(tmp_path / "T1ce.nii.gz")}
    return Preparation(
        "one", files, {}, str(tmp_path / "sub-one_initial.npz"), Choice(str(own_models), device="cpu")
    )


@pytest.fixture
def images(task):
    return Case(read_volume(Path(task.files["t1ce"]), "t1ce"), None)


def kept(task, images):
    return read_prepared(Path(task.path), images, task.choice.models)


def test_what_is_kept_is_what_the_segmenter_finds(task, images, tmp_path):
    assert kept(task, images) is None and not is_up_to_date(task)
    prepare(task)
    found, again = InitialSegmenter.load(task.choice.models, "cpu").segment(images), kept(task, images)
    assert found.found and again.certainty == found.certainty
    assert len(again.candidates) == len(found.candidates)
    np.testing.assert_array_equal(again.on(images.grid), found.on(images.grid))
    assert is_up_to_date(task)


def test_in_a_child_process_it_is_the_same(task, images):
    found = Job.start_preparation(task).result()
    np.testing.assert_array_equal(kept(task, images).on(images.grid), found.on(images.grid))


def test_a_mask_of_other_images_or_models_is_of_no_use(task, images, tmp_path, own_models):
    prepare(task)
    brighter = Volume(images.t1ce.array + np.int16(1), images.grid)
    assert kept(task, Case(brighter, None)) is None
    # The weights stay; a hash that the manifest tells of other weights is enough.
    change_entry(own_models, ModelFolder(own_models).entry("locator").name, sha256="0" * 64)
    assert read_prepared(tmp_path / "sub-one_initial.npz", images, ModelFolder(own_models)) is None
    assert not is_up_to_date(task)


def test_a_mask_of_models_that_were_calibrated_since_is_of_no_use(task, images, tmp_path, own_models):
    """Which candidate comes first may be another one."""
    prepare(task)
    assert is_up_to_date(task)
    sure = {"intercept": 1.0, "confidence": 2.0, "log_volume": 0.0, "located_log_odds": 0.0}
    change_entry(own_models, ModelFolder(own_models).initial_entries[-1].name, certainty=sure)
    assert read_prepared(tmp_path / "sub-one_initial.npz", images, ModelFolder(own_models)) is None
    assert not is_up_to_date(task)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.98])
def test_a_damaged_file_is_as_none(task, images, tmp_path, share):
    prepare(task)
    path = tmp_path / "sub-one_initial.npz"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert kept(task, images) is None and not is_up_to_date(task)


@pytest.mark.parametrize("place, byte", [(6, 0x6D), (8, 0x01), (10, 99), (45, 0xFF)])
def test_a_damaged_directory_of_the_file_is_as_none(task, images, place, byte):
    prepare(task)
    content = bytearray(Path(task.path).read_bytes())
    # In turn: the version that unpacks it, a password, the kind of compression, and where it begins.
    content[content.index(b"PK\x01\x02") + place] = byte
    Path(task.path).write_bytes(content)
    assert kept(task, images) is None and not is_up_to_date(task)


def test_a_file_of_before_masks_named_their_networks_is_made_anew(task, images):
    prepare(task)
    path = Path(task.path)
    with np.load(path) as arrays:
        old = {name: array for name, array in arrays.items() if name != "models"}
    told = json.loads(old["told"].tobytes())
    told["models"] = [entry.sha256 for entry in task.choice.models.initial_entries]
    np.savez(path, **old | {"told": np.frombuffer(json.dumps(told).encode(), np.uint8)})
    assert kept(task, images) is None and not is_up_to_date(task)


@pytest.mark.parametrize("change", [{"0.bits": None}, {"0.sure": np.float64(1)}, {"models": None}])
def test_a_file_of_which_a_part_is_gone_or_another_is_made_anew(task, images, change):
    prepare(task)
    with np.load(task.path) as arrays:
        parts = {**arrays, **change}
    np.savez(task.path, **{name: array for name, array in parts.items() if array is not None})
    assert kept(task, images) is None and not is_up_to_date(task)


def test_a_mask_of_another_series_of_the_folder_is_not_up_to_date(tmp_path, own_models):
    uids = write_both(tmp_path / "all", ball_volume(), ball_volume())
    files = {"t1ce": str(tmp_path / "all")}
    task = Preparation(
        "one", files, {"t1ce": uids[0]}, str(tmp_path / "i.npz"), Choice(str(own_models), device="cpu")
    )
    prepare(task)
    assert is_up_to_date(task)
    assert not is_up_to_date(replace(task, series={"t1ce": uids[1]}))


def test_a_mask_of_files_that_have_changed_or_gone_is_not_up_to_date(task, images):
    prepare(task)
    path = Path(task.files["t1ce"])
    content, times = path.read_bytes(), path.stat()
    path.write_bytes(content + b"\0")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not is_up_to_date(task)
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert is_up_to_date(task)
    path.unlink()
    assert not is_up_to_date(task)


def test_what_lies_beside_a_series_is_no_part_of_its_version(tmp_path):
    series = write_slices(tmp_path / "t1", ball_volume())
    before = versions_of({"t1ce": str(series)})
    (series / "summary.csv").write_text("case")
    assert versions_of({"t1ce": str(series)}) == before
    assert len(before["t1ce"]) == ball_volume().grid.shape[0]
    next(series.glob("IM*")).unlink()
    assert versions_of({"t1ce": str(series)}) != before


@pytest.fixture
def of_series(tmp_path, own_models):
    """A task whose T1ce are DICOM files, its mask made."""
    series = write_slices(tmp_path / "t1", ball_volume())
    task = Preparation(
        "one", {"t1ce": str(series)}, {}, str(tmp_path / "i.npz"), Choice(str(own_models), device="cpu")
    )
    prepare(task)
    return task


def test_of_a_series_that_has_not_changed_no_file_is_opened(of_series, monkeypatch):
    opened = []
    monkeypatch.setattr("VSClickCorrectLib.io.dicom_length.check_file", opened.append)
    assert is_up_to_date(of_series)
    assert opened == []


def _exchanged(series):
    # An older slice than the newest, as long as the one in whose place it is.
    first, second = sorted(series.glob("IM*"))[:2]
    times = second.stat()
    os.utime(first, ns=(times.st_atime_ns, times.st_mtime_ns - 10**9))


def _named_otherwise(series):
    first = min(series.glob("IM*"))
    first.rename(first.with_name("IM99t1"))


def _one_arrives(series):
    (series / "IM99t1").write_bytes(min(series.glob("IM*")).read_bytes())


def _one_is_cut_off(series):
    first = min(series.glob("IM*"))
    times = first.stat()
    first.write_bytes(first.read_bytes()[:-10])
    os.utime(first, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("change", [_exchanged, _named_otherwise, _one_arrives, _one_is_cut_off])
def test_a_mask_of_a_series_that_has_changed_is_not_up_to_date(of_series, change):
    change(Path(of_series.files["t1ce"]))
    assert not is_up_to_date(of_series)


def test_a_slice_that_was_still_arriving_is_missed_until_it_is_whole(of_series):
    series = Path(of_series.files["t1ce"])
    whole = min(series.glob("IM*")).read_bytes()
    (series / "IM99t1").write_bytes(b"")
    assert is_up_to_date(of_series)
    (series / "IM99t1").write_bytes(whole)
    assert not is_up_to_date(of_series)


def test_images_that_cannot_be_read_leave_nothing(task, tmp_path):
    (tmp_path / "T1ce.nii.gz").write_bytes(b"broken")
    with pytest.raises(ImageError, match=r"T1ce\.nii\.gz"):
        prepare(task)
    assert not (tmp_path / "sub-one_initial.npz").exists()


def test_networks_are_loaded_once_and_anew_when_the_folder_holds_others(own_models):
    first = segmenter_of(Choice(str(own_models), device="cpu"))
    assert segmenter_of(Choice(str(own_models), device="cpu")) is first
    change_entry(own_models, ModelFolder(own_models).entry("locator").name, threshold=0.75)
    again = segmenter_of(Choice(str(own_models), device="cpu"))
    assert again is not first and again.models[0].entry.threshold == 0.75


def test_a_mask_of_a_version_that_has_learned_is_its_alone(task, images, click_models, user_data):
    models = ModelFolder(click_models)
    tensors = models.load_as_trained(models.entry("click")).state_dict()
    tensors["head.bias"] = tensors["head.bias"] - 100.0
    told = {"cases": 5, "own": [0.1, 0.2], "builtin": [0.3, 0.3]}
    version = keep_adapted(models.entry("click"), {n: t.half() for n, t in tensors.items()}, told).name
    task = replace(task, choice=Choice(str(click_models), version, "cpu"))
    assert not Job.start_preparation(task).result().found
    assert is_up_to_date(task)
    assert not is_up_to_date(replace(task, choice=Choice(str(click_models), device="cpu")))
    assert Job.start_segmentation(images, Choice(str(click_models), device="cpu")).result().found
    assert not Job.start_segmentation(images, Choice(str(click_models), version, "cpu")).result().found
