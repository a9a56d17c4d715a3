"""What is saved comes back; what cannot be saved leaves nothing behind."""

import gzip
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.io.markups import read_clicks
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.click_nodes import ClickNodes
from VSClickCorrectLib.mrml.persistence import (
    SceneJournal,
    save_scene,
    save_segmentation,
    store_journal,
    stored_journal,
    undisturbed,
)
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.start_segment import keep_start, start_of
from VSClickCorrectLib.mrml.volumes import add_volume, grid_of, volume_of
from VSClickCorrectLib.session.journal import Journal, round_event

JOURNAL = '{"click": [1.5, -2, 3], "note": "Ärzte <&> \\"x\\""}\n{"click": null}\n' * 500


@pytest.fixture
def corrected(scene, volume_node, quarter_turn):
    """A segmentation with voxels (3, 2, 4) to (4, 5, 6) set, a placed click and a journal."""
    volume_node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    node, segment_id = add_segmentation(scene, volume_node, "tumour")
    SegmentMask(node, segment_id, volume_node).write(Box((3, 2, 4), (5, 6, 7)), np.ones((2, 4, 3), bool))
    store_journal(node, JOURNAL)
    clicks = ClickNodes(node)
    clicks.fix(clicks.add(Click((82.0, 9.0, -20.5), ClickKind.EXCLUDE)))
    return node, segment_id


def first(scene, name):
    return scene.GetFirstNodeByClass(name)


def test_scene_comes_back_whole(scene, corrected, volume_node, tmp_path):
    node, segment_id = corrected
    path = tmp_path / "Fall Ä.mrb"
    save_scene(scene, path)
    assert [p.name for p in tmp_path.iterdir()] == ["Fall Ä.mrb"]
    with load_scene(path) as loaded:
        back = first(loaded.scene, "vtkMRMLSegmentationNode")
        volume = first(loaded.scene, "vtkMRMLScalarVolumeNode")
        mask = SegmentMask(back, segment_id, volume)
        assert mask.grid.matches(grid_of(volume_node))
        assert (volume_of(volume).array == volume_of(volume_node).array).all()
        assert mask.extent() == Box((3, 2, 4), (5, 6, 7))
        assert back.GetSegmentation().GetSegment(segment_id).GetName() == "tumour"
        assert stored_journal(back) == JOURNAL
        (click,) = ClickNodes(back).markers().values()
        assert click.kind is ClickKind.EXCLUDE
        assert click.position_ras == pytest.approx((82.0, 9.0, -20.5))


@pytest.mark.parametrize("signs", [(-1, 1, 1), (1, -1, 1), (1, 1, -1), (-1, -1, -1)])
def test_left_handed_volume_is_not_turned_round_by_saving(scene, tmp_path, signs):
    affine = np.diag([*map(float, signs), 1.0])
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    add_volume(scene, Volume(array, Grid(array.shape, affine)), "T1ce")
    save_scene(scene, tmp_path / "left.mrb")
    with load_scene(tmp_path / "left.mrb") as loaded:
        back = volume_of(first(loaded.scene, "vtkMRMLScalarVolumeNode"))
        np.testing.assert_array_equal(back.grid.affine, affine)
        np.testing.assert_array_equal(back.array, array)


def test_work_goes_on_after_reload(scene, corrected, tmp_path):
    save_scene(scene, tmp_path / "one.mrb")
    with load_scene(tmp_path / "one.mrb") as loaded:
        node = first(loaded.scene, "vtkMRMLSegmentationNode")
        mask = SegmentMask(node, corrected[1], first(loaded.scene, "vtkMRMLScalarVolumeNode"))
        mask.write(Box((0, 0, 0), (1, 1, 1)), np.ones((1, 1, 1), bool))
        store_journal(node, JOURNAL + "{}\n")
        assert loaded.scene.GetNumberOfNodesByClass("vtkMRMLTextNode") == 1
        save_scene(loaded.scene, tmp_path / "one.mrb")
    with load_scene(tmp_path / "one.mrb") as again:
        node = first(again.scene, "vtkMRMLSegmentationNode")
        mask = SegmentMask(node, corrected[1], first(again.scene, "vtkMRMLScalarVolumeNode"))
        assert mask.extent() == Box((0, 0, 0), (5, 6, 7))
        assert mask.read(mask.grid.box).sum() == 25
        assert stored_journal(node) == JOURNAL + "{}\n"


def test_journal_survives_a_plain_mrml_file(tmp_path):
    with HeadlessScene() as headless:
        node = headless.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "tumour")
        store_journal(node, JOURNAL)
        headless.scene.SetURL(str(tmp_path / "plain.mrml"))
        assert headless.scene.Commit()
    with HeadlessScene() as loaded:
        loaded.scene.SetURL(str(tmp_path / "plain.mrml"))
        assert loaded.scene.Connect()
        assert stored_journal(first(loaded.scene, "vtkMRMLSegmentationNode")) == JOURNAL


@pytest.mark.parametrize("earlier_version", [False, True])
def test_journal_survives_a_plain_mrml_file_after_a_bundle(scene, segment, tmp_path, earlier_version):
    """Slicer's dialog for saving as .mrml writes no files of nodes that editors do not offer."""
    journal = Journal()
    # MRML keeps short texts in the description anyway.
    for number in range(2, 22):
        journal.append(round_event(number))
    kept = SceneJournal(*segment)
    kept.keep(journal)
    if earlier_version:
        for number in range(2):
            node = scene.GetNthNodeByClass(number, "vtkMRMLTextNode")
            node.SetForceCreateStorageNode(node.CreateStorageNodeAlways)
    save_scene(scene, tmp_path / "bundle.mrb")
    with load_scene(tmp_path / "bundle.mrb") as loaded:
        again = SceneJournal(first(loaded.scene, "vtkMRMLSegmentationNode"), segment[1])
        journal.append(round_event(22))
        again.keep(journal)
        loaded.scene.SetURL(str(tmp_path / "plain.mrml"))
        with undisturbed():
            assert loaded.scene.Commit()
    with HeadlessScene() as plain:
        plain.scene.SetURL(str(tmp_path / "plain.mrml"))
        # Of the volume and the segmentation there are no files.
        plain.scene.Connect()
        assert stored_journal(plain.scene.GetFirstNodeByName("tumour"), segment[1]) == journal.text


@pytest.mark.parametrize("earlier_version", [False, True])
def test_a_plain_mrml_file_after_a_bundle_looks_for_no_file_of_the_start(
    scene, volume_node, segment, mask, tmp_path, oracle, earlier_version
):
    """Slicer's dialog for saving as .mrml writes no files of nodes that editors do not offer."""
    start = Box((3, 2, 4), (5, 6, 7))
    mask.write(start, np.ones(start.shape, bool))
    correct_segment((volume_node, None), segment, oracle).close()
    if earlier_version:
        keep_start(*segment, volume_node)
    save_scene(scene, tmp_path / "bundle.mrb")
    with load_scene(tmp_path / "bundle.mrb") as loaded:
        node = first(loaded.scene, "vtkMRMLSegmentationNode")
        volume = first(loaded.scene, "vtkMRMLScalarVolumeNode")
        correct_segment((volume, None), (node, segment[1]), oracle).close()
        box, values = start_of(node, segment[1], volume)
        assert (box, values.all()) == (start, True)
        loaded.scene.SetURL(str(tmp_path / "plain.mrml"))
        with undisturbed():
            assert loaded.scene.Commit()
    description = (tmp_path / "plain.mrml").read_text(encoding="utf-8")
    assert re.findall(r'<Segmentation\s.*?name="(.*?)"', description) == ["tumour"]
    assert "start" not in "".join(re.findall(r'fileName="(.*?)"', description))


def test_each_segmentation_has_its_own_journal(scene, volume_node):
    one, _ = add_segmentation(scene, volume_node, "one")
    two, _ = add_segmentation(scene, volume_node, "two")
    assert stored_journal(one) is None
    store_journal(one, "first\n")
    store_journal(two, "second\n")
    store_journal(one, "")
    assert (stored_journal(one), stored_journal(two)) == ("", "second\n")


def test_each_segment_has_its_own_journal(scene, volume_node, tmp_path):
    node, one = add_segmentation(scene, volume_node, "one")
    two = node.GetSegmentation().AddEmptySegment("", "two")
    store_journal(node, "first\n", one)
    assert stored_journal(node, two) is None
    store_journal(node, "second\n", two)
    store_journal(node, "first again\n", one)
    save_scene(scene, tmp_path / "two.mrb")
    with load_scene(tmp_path / "two.mrb") as loaded:
        back = first(loaded.scene, "vtkMRMLSegmentationNode")
        assert (stored_journal(back, one), stored_journal(back, two)) == ("first again\n", "second\n")


def test_deleted_journal_is_none_and_can_be_stored_anew(scene, volume_node):
    node, _ = add_segmentation(scene, volume_node, "one")
    store_journal(node, "first\n")
    scene.RemoveNode(first(scene, "vtkMRMLTextNode"))
    assert stored_journal(node) is None
    store_journal(node, "second\n")
    assert stored_journal(node) == "second\n"


def test_segmentation_file_is_read_by_other_tools(corrected, volume_node, tmp_path):
    node, _ = corrected
    # The file holds the segmentation's own geometry, without its parent transform.
    volume_node.SetAndObserveTransformNodeID(None)
    path = tmp_path / "tumour.seg.nrrd"
    save_segmentation(node, path)
    expected = np.zeros((8, 12, 16), bool)
    expected[3:5, 2:6, 4:7] = True
    assert (read_mask(path, grid_of(volume_node)) == expected).all()
    assert sitk.ReadImage(str(path)).GetMetaData("Segment0_Name") == "tumour"
    assert [p.name for p in tmp_path.iterdir()] == ["tumour.seg.nrrd"]


def test_saving_a_segmentation_leaves_its_storage_alone(scene, corrected, tmp_path):
    before = scene.GetNumberOfNodes()
    save_segmentation(corrected[0], tmp_path / "tumour.seg.nrrd")
    assert scene.GetNumberOfNodes() == before
    assert corrected[0].GetStorageNode() is None


def test_segmentation_without_voxels_can_be_saved(scene, volume_node, tmp_path):
    node, _ = add_segmentation(scene, volume_node, "empty")
    path = tmp_path / "empty.seg.nrrd"
    save_segmentation(node, path)
    assert not sitk.GetArrayFromImage(sitk.ReadImage(str(path))).any()


@pytest.mark.parametrize("name", ["scene.mrml", "scene.zip", "mrb"])
def test_other_suffixes_are_refused(scene, tmp_path, name):
    with pytest.raises(ImageError, match="suffix"):
        save_scene(scene, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_segmentation_suffix_is_checked(corrected, tmp_path):
    with pytest.raises(ImageError, match="seg.nrrd"):
        save_segmentation(corrected[0], tmp_path / "tumour.stl")


def test_failed_save_leaves_nothing(scene, corrected, tmp_path):
    (tmp_path / "taken.mrb").mkdir()
    with pytest.raises(StorageError, match="cannot write"):
        save_scene(scene, tmp_path / "taken.mrb")
    (tmp_path / "taken.seg.nrrd").mkdir()
    with pytest.raises(StorageError, match="cannot write"):
        save_segmentation(corrected[0], tmp_path / "taken.seg.nrrd")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["taken.mrb", "taken.seg.nrrd"]
    with pytest.raises(StorageError, match="cannot write into"):
        save_scene(scene, tmp_path / "nowhere" / "scene.mrb")


def test_scene_that_is_missing_or_broken_is_refused(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        load_scene(tmp_path / "none.mrb")
    (tmp_path / "broken.mrb").write_bytes(gzip.compress(b"not a scene"))
    with pytest.raises(ImageError, match="no Slicer scene"):
        load_scene(tmp_path / "broken.mrb")


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("{folder}/evil.txt", 0o100644),
        ("one/../../../../../../../../../../..{folder}/evil.txt", 0o100644),
        ("one\\..\\..\\evil.txt", 0o100644),
        ("C:\\evil.txt", 0o100644),
        ("one/link", 0o120777),
    ],
)
def test_a_scene_that_would_write_outside_its_folder_is_refused(scene, corrected, tmp_path, name, mode):
    save_scene(scene, tmp_path / "one.mrb")
    with zipfile.ZipFile(tmp_path / "one.mrb", "a") as archive:
        info = zipfile.ZipInfo(name.format(folder=tmp_path))
        info.external_attr = mode << 16
        archive.writestr(info, str(tmp_path))
    with pytest.raises(ImageError, match="no Slicer scene"):
        load_scene(tmp_path / "one.mrb")
    assert [path.name for path in tmp_path.iterdir()] == ["one.mrb"]


def test_saved_points_tell_their_kind_to_the_command_line(corrected, scene, tmp_path):
    node = first(scene, "vtkMRMLMarkupsFiducialNode")
    storage = node.CreateDefaultStorageNode()
    storage.SetFileName(str(tmp_path / "clicks.mrk.json"))
    assert storage.WriteData(node)
    (click,) = read_clicks(tmp_path / "clicks.mrk.json")
    assert click.kind is ClickKind.EXCLUDE
    assert click.position_ras == pytest.approx((82.0, 9.0, -20.5))


def test_working_directory_stays_even_when_reading_fails(tmp_path, monkeypatch):
    # MRML left the process in a folder that it had removed.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.mrb").write_bytes(b"no archive")
    with pytest.raises(ImageError):
        load_scene(Path("broken.mrb"))
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_scene_with_a_damaged_part_is_refused_however_it_was_packed(method, tmp_path):
    path = tmp_path / "scene.mrb"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("scene/scene.mrml", "<MRML></MRML>" * 50)
    content = bytearray(path.read_bytes())
    begin = 30 + len("scene/scene.mrml")
    content[begin : begin + 12] = b"\xff" * 12
    path.write_bytes(content)
    with pytest.raises(ImageError, match="is no Slicer scene that can be read"):
        load_scene(path)


def test_scene_for_which_there_is_no_room_is_refused_in_a_sentence(scene, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    save_scene(scene, tmp_path / "scene.mrb")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfileobj", full)
        with pytest.raises(StorageError, match=r"cannot be unpacked \(No space left on device\); make room"):
            load_scene(tmp_path / "scene.mrb")
    load_scene(tmp_path / "scene.mrb").close()


def test_a_scene_for_which_the_temporary_folder_has_no_room_is_told(
    scene, corrected, tmp_path, make_drive, monkeypatch
):
    save_scene(scene, tmp_path / "scene.mrb")
    drive = make_drive(16)
    monkeypatch.setattr(tempfile, "tempdir", str(drive.folder))
    with pytest.raises(
        StorageError, match=r"cannot be (unpacked|written) \(No space left on device\); make room"
    ):
        load_scene(tmp_path / "scene.mrb")
    drive.fill()
    with pytest.raises(
        StorageError, match=r"cannot be (unpacked|written) \(No space left on device\); make room"
    ):
        load_scene(tmp_path / "scene.mrb")
    assert [p.name for p in drive.folder.iterdir()] == ["ballast"]
