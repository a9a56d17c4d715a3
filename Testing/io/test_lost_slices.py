"""Slices that were lost on the way: of the last ones no gap tells, and one odd header hides no other file."""

import shutil
import zipfile
from pathlib import Path

import pydicom
import pytest
from dicom_scans import CENTER_RAS, stack, write_frames, write_slices
from pydicom.dataelem import DataElement
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.archives import series_within
from VSClickCorrectLib.io.dicom_search import find_series
from VSClickCorrectLib.io.given_scans import GivenScans
from VSClickCorrectLib.io.images import read_volume

LAST = 23


def path_of(folder, number):
    return folder / f"{number * 7 % 31:02d}-{number}.dcm"


def linked_nowhere(path):
    path.unlink()
    path.symlink_to("../.git/annex/objects/not-there")


def cut(path):
    path.write_bytes(path.read_bytes()[:-999])


def described(description, uid):
    def change(image, _):
        image.SeriesDescription, image.SeriesInstanceUID = description, uid

    return change


def odd(path):
    """Write Rows as a number of another size, as no scanner does."""
    dataset = pydicom.dcmread(path)
    dataset[0x00280010] = DataElement(0x00280010, "UL", dataset.Rows)
    dataset.save_as(path)


@pytest.mark.parametrize(
    "lose",
    [
        linked_nowhere,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: path.write_text("<html>401 Unauthorized</html>" * 20),
        odd,
    ],
    ids=["link to nothing", "empty", "zeros", "page of a server", "odd header"],
)
@pytest.mark.parametrize("number", [0, LAST])
def test_a_slice_at_an_end_that_cannot_be_read_is_named_and_never_left_out(tmp_path, lose, number):
    folder = write_slices(tmp_path / "scan", stack())
    lose(path_of(folder, number))
    with pytest.raises(
        ImageError, match=f"{path_of(folder, number).name} is called as a slice and cannot be"
    ):
        read_volume(folder)


@pytest.mark.parametrize("number", [0, LAST])
def test_a_slice_in_an_archive_that_cannot_be_read_is_never_left_out(tmp_path, number):
    folder = write_slices(tmp_path / "scan", stack())
    # A system's own files beside them are none.
    for name in ("._00-0.dcm", "DICOMDIR", "read me.txt"):
        (folder / name).write_bytes(b"")
    whole = shutil.make_archive(str(tmp_path / "whole"), "zip", folder)
    path_of(folder, number).write_bytes(b"")
    lacking = shutil.make_archive(str(tmp_path / "lacking"), "zip", folder)
    with GivenScans(Path(whole), None) as scans:
        assert scans.read("t1ce").array.shape == (24, 40, 44)
    with (
        GivenScans(Path(lacking), None) as scans,
        pytest.raises(ImageError, match="zip/.* as a slice"),
    ):
        scans.read("t1ce")


def archive_of(folder):
    return Path(shutil.make_archive(str(folder), "zip", folder))


@pytest.mark.parametrize("lose", [lambda path: path.write_bytes(b""), cut], ids=["empty", "cut"])
def test_a_slice_of_another_series_in_an_archive_keeps_none_from_being_read(tmp_path, lose):
    write_slices(tmp_path / "visit" / "t1", stack(), described("t1_mpr post", "1.2.3.1"))
    t2 = write_slices(tmp_path / "visit" / "t2", stack(), described("t2_space", "1.2.3.2"))
    lose(path_of(t2, LAST))
    visit = archive_of(tmp_path / "visit")
    with GivenScans(visit, visit) as scans:
        assert scans.read("t1ce").array.shape == (24, 40, 44)
        # A person finds the one that is meant by its folder and by its name.
        with pytest.raises(ImageError, match=rf"visit.zip/\d+-t2/\d+-{path_of(t2, LAST).name} is "):
            scans.read("t2")


def test_a_series_in_three_folders_of_an_archive_is_one_and_its_lost_slice_missed(tmp_path):
    both = [write_slices(tmp_path / f"t{n}", stack(), described(f"t{n}", f"1.2.3.{n}")) for n in (1, 2)]
    shares = {"a": (range(9), range(0)), "b": (range(9, 24), range(12)), "c": (range(0), range(12, 24))}
    for name, numbers in shares.items():
        (tmp_path / "visit" / name).mkdir(parents=True)
        for folder, some in zip(both, numbers, strict=True):
            for number in some:
                here = path_of(folder, number)
                shutil.copy(here, tmp_path / "visit" / name / f"{folder.name}_{here.name}")
    whole = archive_of(tmp_path / "visit")
    with GivenScans(whole, whole) as scans:
        for sequence in ("t1ce", "t2"):
            volume = scans.read(sequence)
            assert volume.grid.shape[0] == 24
            assert volume.array[tuple(volume.grid.ras_to_index(CENTER_RAS))] == 900
    lost = tmp_path / "visit" / "c" / f"t2_{path_of(both[1], LAST).name}"
    lost.write_bytes(b"")
    with (
        GivenScans(archive_of(tmp_path / "visit"), None) as scans,
        pytest.raises(ImageError, match=rf"zip/.*/\d+-{lost.name} is called as a slice"),
    ):
        scans.read("t1ce")


def test_names_in_an_archive_lead_nowhere_and_tell_folders_apart_however_they_are_written(tmp_path):
    t1 = write_slices(tmp_path / "t1", stack(), described("t1", "1.2.3.1"))
    with zipfile.ZipFile(tmp_path / "sent.zip", "w") as sent:
        for path in t1.iterdir():
            sent.writestr(f"C:\\Ä\\t1\\{path.name}", path.read_bytes())
        sent.writestr("C:\\Ä\\t2\\07-1.dcm", b"")
        sent.writestr("../../a b;$(c)\n../IM", b"")
        sent.writestr("../..", b"")
    assert [len(one.files) for one in series_within(tmp_path / "sent.zip", tmp_path / "in", 1 << 30)] == [24]
    found = sorted(path.relative_to(tmp_path / "in") for path in (tmp_path / "in").rglob("*"))
    assert [str(path) for path in found if len(path.parts) == 1] == [
        "00000-t1",
        "00001-t2",
        "00002-abc",
        "00003-",
    ]
    assert {str(p) for p in found[26:]} - {str(p) for p in found if len(p.parts) == 1} == {
        "00001-t2/00024-07-1.dcm",
        "00002-abc/00025-IM",
        "00003-/00026-",
    }
    assert not list(tmp_path.rglob("IM"))


def test_what_lies_beside_the_slices_and_is_called_otherwise_does_not_matter(tmp_path):
    folder = write_slices(tmp_path / "scan", stack())
    for name in ("LOCKFILE", "VERSION", "readme.txt", "._00-0.dcm", "DICOMDIR"):
        (folder / name).write_bytes(b"")
    (folder / "old").symlink_to("nowhere")
    (folder / "07-99.dcm").mkdir()
    report = pydicom.dcmread(path_of(folder, 0))
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "ImagePositionPatient"):
        del report[keyword]
    report.save_as(folder / "00-99.dcm")
    assert read_volume(folder).grid.shape[0] == LAST + 1


def test_slices_that_are_links_are_read(tmp_path):
    folder, links = write_slices(tmp_path / "kept", stack()), tmp_path / "scan"
    links.mkdir()
    for path in folder.iterdir():
        (links / path.name).symlink_to(path)
    volume = read_volume(links)
    assert volume.array[tuple(volume.grid.ras_to_index(CENTER_RAS))] == 900


def test_one_odd_header_does_not_hide_the_series_of_a_whole_tree(tmp_path):
    good = write_slices(tmp_path / "good", stack())
    odd(path_of(write_slices(tmp_path / "bad", stack(), change=_of_another_series), 3))
    series, _ = find_series(tmp_path)
    assert {one.folder: len(one.files) for one in series} == {good: 24, tmp_path / "bad": 23}


def _of_another_series(image, _):
    image.SeriesInstanceUID = "1.2.3.77"


def test_a_negative_is_refused_as_its_tumour_would_be_dark(tmp_path):
    def change(image, _):
        image.PhotometricInterpretation = "MONOCHROME1"

    with pytest.raises(ImageError, match=r"00-0.dcm is a negative \(MONOCHROME1\)"):
        read_volume(write_slices(tmp_path / "scan", stack(), change))


def short(image, _=None):
    """Leave out a third of the pixels and say so in the element's length, as of a file that was mended."""
    image.PixelData = image.PixelData[: len(image.PixelData) // 3 * 2]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_fewer_pixels_than_the_header_names_are_refused_not_made_up(tmp_path, syntax):
    folder = write_slices(tmp_path / "scan", stack())
    dataset = pydicom.dcmread(path_of(folder, 12))
    short(dataset)
    dataset.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(path_of(folder, 12), dataset, implicit_vr=syntax.is_implicit_VR, little_endian=True)
    with pytest.raises(
        ImageError, match=f"{path_of(folder, 12).name} holds fewer pixels than its header names"
    ):
        read_volume(folder)


def test_fewer_frames_than_the_header_describes_are_refused(tmp_path):
    path = write_frames(tmp_path / "scan.dcm", stack(), change=short)
    with pytest.raises(ImageError, match=r"scan\.dcm holds fewer pixels than"):
        read_volume(path)


def test_padding_behind_the_pixels_and_packed_pixels_are_read(tmp_path):
    def change(image, number):
        if number % 2:
            image.PixelData += bytes(6)
        else:
            image.compress(RLELossless)

    volume = read_volume(write_slices(tmp_path / "scan", stack(), change))
    assert volume.array[tuple(volume.grid.ras_to_index(CENTER_RAS))] == 900
