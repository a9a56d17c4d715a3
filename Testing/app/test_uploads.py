"""Files that a browser sends."""

import gzip
import io
import tempfile
import zipfile
from threading import Event, Thread

import numpy as np
import pydicom
import pytest
from bright_ball import GRID, ball, ball_volume
from source_series import headers, write_both, write_segmentation_of, write_slices
from vs_seg_files import T1_UID, T2_UID, write_series
from VSClickCorrectApp import uploads as uploads_module
from VSClickCorrectApp.uploads import Uploads
from VSClickCorrectApp.zipped_dicom import zip_dicom
from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.io.dicom_out import NAMES, SEGMENTATION
from VSClickCorrectLib.io.images import read_mask


@pytest.fixture
def uploads():
    received = Uploads(limit_mb=2)
    yield received
    received.close()


def send(uploads, slot, name, content, part=1000):
    uploads.begin(slot, name, len(content))
    for at in range(0, len(content), part):
        uploads.part(slot, at, content[at : at + part])


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def left_in(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_what_is_sent_in_parts_is_read_as_a_whole(uploads, case_files):
    for slot in ("t1ce", "t2", "mask"):
        path = getattr(case_files, slot)
        send(uploads, slot, f"my {path.name}", path.read_bytes())
    assert uploads.names == {slot: f"my {slot}.nii.gz" for slot in ("t1ce", "t2", "mask")}
    case = uploads.case()
    np.testing.assert_array_equal(case.t1ce.array, ball_volume().array)
    np.testing.assert_array_equal(case.t2.array, ball_volume(t2=True).array)
    assert case.grid.matches(GRID) and case.mask.sum() > 100


def test_a_mask_that_was_not_sent_is_missed_where_it_is_needed(uploads, case_files):
    with pytest.raises(ImageError, match=r"^no mask was chosen; choose one\.$"):
        uploads.mask(GRID)
    send(uploads, "t1ce", "t1ce.nii.gz", case_files.t1ce.read_bytes())
    assert uploads.case().mask is None


@pytest.fixture
def sent_series(tmp_path):
    return write_slices(tmp_path / "t1ce", ball_volume(), patient="Müller, Jürgen")


def test_a_mask_of_a_sent_series_is_given_back_as_dicom(uploads, sent_series, tmp_path):
    send(uploads, "t1ce", "t1.zip", zipped({p.name: p.read_bytes() for p in sent_series.iterdir()}), 100_000)
    case = uploads.case()
    uploads.discard("t1ce")
    zip_dicom(tmp_path / "dicom.zip", case.origin, ball(), GRID)
    with zipfile.ZipFile(tmp_path / "dicom.zip") as archive:
        assert sorted(archive.namelist()) == sorted(NAMES)
        archive.extractall(tmp_path / "out")
    np.testing.assert_array_equal(read_mask(tmp_path / "out" / SEGMENTATION, GRID), ball())
    known = headers(sent_series)
    for name in NAMES:
        dataset = pydicom.dcmread(tmp_path / "out" / name)
        assert str(dataset.PatientID) == "Müller, Jürgen"
        assert dataset.StudyInstanceUID == next(iter(known.values())).StudyInstanceUID
    # And as a mask it is taken again.
    send(uploads, "t1ce", "t1.zip", zipped({p.name: p.read_bytes() for p in sent_series.iterdir()}), 100_000)
    send(uploads, "mask", "mask.dcm", (tmp_path / "out" / SEGMENTATION).read_bytes(), 100_000)
    np.testing.assert_array_equal(uploads.case().mask, ball())


def test_of_two_series_in_one_archive_the_one_that_was_read_is_referred_to(uploads, tmp_path):
    uids = write_both(tmp_path / "both", ball_volume(), ball_volume(t2=True))
    sent = zipped({p.name: p.read_bytes() for p in (tmp_path / "both").iterdir()})
    for slot in ("t1ce", "t2"):
        send(uploads, slot, "both.zip", sent, 100_000)
    assert uploads.case().origin.source(GRID).headers[0].SeriesInstanceUID == uids[0]


def test_of_other_files_no_dicom_can_be_made(uploads, case_files, tmp_path):
    send(uploads, "t1ce", "t1.nii.gz", case_files.t1ce.read_bytes())
    with pytest.raises(ImageError, match="did not come as DICOM"):
        zip_dicom(tmp_path / "dicom.zip", uploads.case().origin, ball(), GRID)


def test_sequences_swapped_by_their_names_are_told_and_an_archive_is_not(uploads, case_files, tmp_path):
    send(uploads, "t1ce", "VS T2.nii.gz", case_files.t2.read_bytes())
    send(uploads, "t2", "VS T1ce.nii.gz", case_files.t1ce.read_bytes())
    case = uploads.case()
    assert case.t1ce.remarks == ("The T1ce is the file 'VS T2.nii.gz', by its name a T2; check it.",)
    assert case.t2.remarks == ("The T2 is the file 'VS T1ce.nii.gz', by its name a T1; check it.",)
    write_slices(tmp_path / "slices", ball_volume())
    slices = {path.name: path.read_bytes() for path in left_in(tmp_path / "slices")}
    send(uploads, "t1ce", "T2 and others.zip", zipped(slices))
    assert not any("by its name" in remark for remark in uploads.case().t1ce.remarks)


def test_what_is_to_be_known_of_a_file_calls_it_as_the_browser_does(uploads, case_files):
    content = bytearray(gzip.decompress(case_files.t1ce.read_bytes()))
    # Neither qform nor sform.
    content[252:256] = bytes(4)
    send(uploads, "t1ce", "my scan.nii", bytes(content))
    case = uploads.case()
    told = case.with_remarks("Ready.")
    assert told.startswith(
        "The header of 'my scan.nii' does not say where the image lies nor which side is left"
    )
    assert told.endswith("no side is told. Ready.")
    assert not case.t1ce.sides_known


@pytest.mark.parametrize(
    ("slot", "name", "size", "said"),
    [
        ("t1ce", "t1.exe", 10, "no known kind"),
        ("t1ce", "t1.mha", 10, "no known kind"),
        ("mask", "mask.zip", 10, "no known kind"),
        ("t1ce", "t1.dcm", 10, "no known kind"),
        ("t3", "t1.nii", 10, "no place"),
        ("t1ce", "t1.nii", 0, "at most 2 MB"),
        ("t1ce", "t1.nii", 3_000_000, "at most 2 MB"),
    ],
)
def test_what_is_of_no_use_is_refused_before_it_is_sent(uploads, slot, name, size, said):
    with pytest.raises(ImageError, match=said):
        uploads.begin(slot, name, size)
    assert uploads.names == {}


@pytest.mark.parametrize(("at", "content"), [(0, b"12345"), (3, b"1"), (5, b""), (0, [1, 2, 3, 4])])
def test_more_or_other_bytes_than_announced_end_the_upload(uploads, at, content):
    uploads.begin("t1ce", "t1.nii", 4)
    with pytest.raises(ImageError, match="interrupted"):
        uploads.part("t1ce", at, content)
    assert left_in(uploads.folder) == []


def test_a_half_sent_file_is_not_there(uploads):
    uploads.begin("t1ce", "t1.nii", 4)
    uploads.part("t1ce", 0, b"123")
    assert uploads.names == {}
    with pytest.raises(ImageError, match="interrupted"):
        uploads.check("t1ce")
    with pytest.raises(ImageError, match="no scan was chosen"):
        uploads.case()


@pytest.mark.parametrize("name", ["../../evil.nii", "/etc/passwd.nii", "..\\evil.nii"])
def test_names_are_never_paths(uploads, name):
    send(uploads, "t1ce", name, b"1234")
    assert [p.relative_to(uploads.folder).as_posix() for p in left_in(uploads.folder)] == ["t1ce-1/file.nii"]


def test_what_is_no_image_is_called_as_the_user_calls_it(uploads):
    send(uploads, "t1ce", "holiday.nii.gz", b"no image at all")
    with pytest.raises(ImageError, match="^'holiday.nii.gz' is not an image") as caught:
        uploads.case()
    assert str(uploads.folder) not in str(caught.value)


def test_a_nrrd_cannot_point_at_files_of_the_server(uploads, case_files):
    header = (
        "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\nspace: left-posterior-superior\n"
        "space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\n"
    )
    send(uploads, "t1ce", "t1.nrrd", f"{header}Data File: {case_files.t1ce}\n\n".encode())
    with pytest.raises(ImageError, match="keeps its voxels in another file"):
        uploads.case()


@pytest.fixture
def series(tmp_path):
    """A T1 and a T2 series as archives' contents, under names that would lead out of any folder."""

    def files(weighting, uid):
        folder = write_series(
            tmp_path / weighting, np.arange(120).reshape(4, 5, 6), GRID, uid, description=f"{weighting}_tra"
        )
        return {f"../../{weighting}/{p.name}": p.read_bytes() for p in sorted(folder.iterdir())}

    return files("t1", T1_UID), files("t2", T2_UID)


def test_a_zipped_series_is_read_wherever_its_names_lead(uploads, series):
    send(uploads, "t1ce", "series.zip", zipped(series[0]))
    np.testing.assert_array_equal(uploads.case().t1ce.array, np.arange(120).reshape(4, 5, 6))
    assert not (uploads.folder.parent / "t1").exists()
    assert all(uploads.folder / "t1ce-1" in p.parents for p in left_in(uploads.folder))


def test_of_two_series_each_slot_takes_its_own(uploads, series):
    both = zipped({**series[0], **series[1]})
    send(uploads, "t1ce", "all.zip", both)
    send(uploads, "t2", "all.zip", both)
    case = uploads.case()
    assert case.t1ce is not None and case.t2 is not None


def test_scans_of_two_patients_make_no_case(uploads, series, tmp_path):
    folder = write_series(tmp_path / "o", np.ones((4, 5, 6)), GRID, "1.2.9", patient="P2", description="t2")
    send(uploads, "t1ce", "a.zip", zipped(series[0]))
    send(uploads, "t2", "b.zip", zipped({path.name: path.read_bytes() for path in folder.iterdir()}))
    with pytest.raises(
        ImageError, match="T1ce is of patient 'VS-SEG-002' and the T2 of 'P2'; give scans of one"
    ):
        uploads.case().checked()


def test_a_mask_of_another_patient_is_taken_by_whoever_is_sure_alone(uploads, tmp_path):
    series = write_slices(tmp_path / "s", ball_volume(), patient="P1")
    mask = write_segmentation_of(series, tmp_path / "m.dcm", ball(), GRID, patient="P2")
    send(uploads, "t1ce", "a.zip", zipped({path.name: path.read_bytes() for path in series.iterdir()}))
    send(uploads, "mask", "m.dcm", mask.read_bytes())
    case = uploads.case()
    with pytest.raises(ImageError, match="image is of patient 'P1' and the mask of 'P2'"):
        case.checked()
    np.testing.assert_array_equal(case.checked(True).mask, ball())


def test_a_mask_in_another_frame_of_reference_is_told(uploads, tmp_path):
    series = write_slices(tmp_path / "s", ball_volume())
    mask = write_segmentation_of(series, tmp_path / "m.dcm", ball(), GRID, frame="1.2.3")
    send(uploads, "t2", "a.zip", zipped({path.name: path.read_bytes() for path in series.iterdir()}))
    send(uploads, "mask", "m.dcm", mask.read_bytes())
    assert "Image and mask have different frames" in uploads.case().checked().with_remarks("")


def test_a_series_of_unknown_kind_among_several_is_not_guessed(uploads, series, tmp_path):
    other = write_series(tmp_path / "o", np.ones((4, 5, 6)), GRID, f"{T1_UID}.5", description="t1_sag")
    files = {**series[0], **{p.name + "o": p.read_bytes() for p in other.iterdir()}}
    send(uploads, "t1ce", "all.zip", zipped(files))
    with pytest.raises(ImageError, match="2 MR series"):
        uploads.case()


def test_an_archive_that_grows_without_end_is_not_unpacked(uploads):
    send(uploads, "t1ce", "bomb.zip", zipped({"a": b"\0" * 2_000_000}))
    with pytest.raises(ImageError, match="holds too much"):
        uploads.case()
    assert [p.name for p in left_in(uploads.folder)] == ["file.zip"]


def test_an_image_that_announces_more_than_the_limit_is_not_read(uploads):
    send(uploads, "t1ce", "huge.nii.gz", gzip.compress(nifti_header(100, 101, 104) + bytes(2_100_800)))
    with pytest.raises(ImageError, match="^'huge.nii.gz' holds a larger image than 2 MB"):
        uploads.case()


def nifti_header(*size):
    """The header of a NIfTI file of 16-bit voxels."""
    header = bytearray(352)
    header[:4], header[344:348] = (348).to_bytes(4, "little"), b"n+1\0"
    header[40:48] = np.array([3, *size], "<i2").tobytes()
    header[80:92] = np.ones(3, "<f4").tobytes()
    header[70:74], header[108:112] = np.array([4, 16], "<i2").tobytes(), np.float32(352).tobytes()
    return bytes(header)


def test_an_archive_of_another_method_is_not_unpacked(uploads, series):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in series[0].items():
            archive.writestr(name, content)
    send(uploads, "t1ce", "series.zip", stream.getvalue())
    with pytest.raises(ImageError, match="no whole zip archive"):
        uploads.case()


def test_only_what_is_whole_stays_when_the_sender_has_gone(uploads):
    send(uploads, "t1ce", "whole.nii", b"1234")
    uploads.begin("t2", "half.nii", 4)
    uploads.part("t2", 0, b"12")
    uploads.discard_unfinished()
    assert [p.parent.name for p in left_in(uploads.folder)] == ["t1ce-1"]
    assert uploads.names == {"t1ce": "whole.nii"}


@pytest.mark.parametrize("spoil", [lambda z: z[: len(z) // 2], lambda z: b"no archive"])
def test_a_damaged_archive_is_called_as_the_user_calls_it(uploads, series, spoil):
    send(uploads, "t1ce", "series.zip", spoil(zipped(series[0])))
    with pytest.raises(ImageError, match="^'series.zip' is no whole zip archive"):
        uploads.case()


def test_a_file_takes_the_place_of_the_one_before(uploads):
    send(uploads, "t1ce", "one.nii", b"1234")
    send(uploads, "t1ce", "two.nrrd", b"12345")
    assert uploads.names == {"t1ce": "two.nrrd"}
    assert [p.name for p in left_in(uploads.folder)] == ["file.nrrd"]


@pytest.mark.parametrize(("first", "then"), [("scene.mrb", "t1.nii"), ("t1.nii", "scene.mrb")])
def test_of_a_scene_and_a_scan_the_one_that_was_chosen_last_counts_though_the_other_is_on_its_way(
    uploads, first, then
):
    slots = {"scene.mrb": "scans", "t1.nii": "t1ce"}
    uploads.begin(slots[first], first, 8)
    uploads.part(slots[first], 0, b"half")
    send(uploads, slots[then], then, b"whole")
    for more in (lambda: uploads.part(slots[first], 4, b"rest"), lambda: uploads.check(slots[first])):
        with pytest.raises(ImageError, match=f"^'{then}' was chosen later, so what was chosen before it was"):
            more()
    assert uploads.names == {slots[then]: then}


def test_a_file_takes_the_place_of_an_archive_that_is_being_unpacked(uploads, monkeypatch):
    ended = Event()

    def unpack(part):
        while not ended.is_set():
            part.mkdir(parents=True, exist_ok=True)
            (part / "00000").write_bytes(b"a slice")

    def look(path, _limit):
        child = Thread(target=unpack, args=(path.with_suffix(".part"),))
        child.start()
        try:
            send(uploads, "scans", "second.zip", b"1234")
        finally:
            ended.set()
            child.join()
        return []

    monkeypatch.setattr(uploads_module, "list_series_apart", look)
    send(uploads, "scans", "first.zip", b"123")
    assert not uploads.look("scans")
    assert uploads.names == {"scans": "second.zip"}
    assert [p.read_bytes() for p in left_in(uploads.folder)] == [b"1234"]


def test_everything_is_gone_at_the_end(uploads):
    send(uploads, "t1ce", "one.nii", b"1234")
    uploads.close()
    assert not uploads.folder.exists()
    uploads.close()


def test_an_upload_onto_a_full_disk_is_told_and_can_be_sent_again(make_drive, case_files, monkeypatch):
    drive = make_drive(256)
    monkeypatch.setattr(tempfile, "tempdir", str(drive.folder))
    uploads, content = Uploads(limit_mb=2), case_files.mask.read_bytes()
    drive.fill()
    with pytest.raises(
        StorageError, match=r"^cannot write into .* \(No space left on device\); choose another folder\.$"
    ):
        send(uploads, "mask", "mask.nii.gz", content)
    assert (uploads.names, left_in(uploads.folder)) == ({}, [])
    drive.make_room()
    send(uploads, "mask", "mask.nii.gz", content)
    assert uploads.mask(GRID)[0].any()
    uploads.close()
