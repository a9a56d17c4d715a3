"""Archives of several DICOM series: what is plain is chosen, the rest by a person."""

import asyncio
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from bright_ball import GRID, ball_volume, write_image
from source_series import write_slices
from vs_seg_files import set_headers
from VSClickCorrectApp.logic.files_logic import FilesLogic
from VSClickCorrectApp.logic.series_logic import SeriesLogic
from VSClickCorrectApp.reading.offered_series import offered
from VSClickCorrectApp.sent_series import SentSeries
from VSClickCorrectApp.uploads import Uploads
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.series_choice import Series

MB = 1 << 20


@pytest.fixture
def uploads():
    received = Uploads(limit_mb=8)
    yield received
    received.close()


@pytest.fixture
def archive(tmp_path):
    """Make an archive of series, a description and a date each, whose voxels are all their number."""

    def make(*series):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as zipped:
            for number, (description, date) in enumerate(series, 1):
                array = np.full(GRID.shape, number, np.int16)
                # Neither all alike, which is no image, nor like another.
                array[0, 0, 0] = 0
                folder = write_slices(tmp_path / str(number), Volume(array, GRID), description=description)
                set_headers(folder, StudyDate=date, StudyInstanceUID=f"1.2.{date}")
                for path in folder.iterdir():
                    zipped.writestr(f"{number}/{path.name}", path.read_bytes())
        return stream.getvalue()

    return make


def send(uploads, slot, name, content):
    uploads.begin(slot, name, len(content))
    for at in range(0, len(content), MB):
        uploads.part(slot, at, content[at : at + MB])
    return uploads.look(slot)


def numbers(case):
    """The numbers of the series that are T1ce and T2, None for one that is missing."""
    return [None if volume is None else int(volume.array.max()) for volume in (case.t1ce, case.t2)]


def described(*series):
    """What `offered` makes of series of a description and a date each."""
    made = [
        Series(Path("archive"), f"1.{n}", (), "MR", "P", name, study=date, date=date, size=(64, 64, 24))
        for n, (name, date) in enumerate(series)
    ]
    return offered(made)


def sent(slot, *series, others=()):
    found = SentSeries()
    found.put(slot, described(*series), others)
    return found


def names(found):
    """What is chosen, by name and date."""
    return {sequence: (row.series.name, row.series.date) for sequence, row in found.chosen.items()}


def key(found, *wanted):
    [row] = [row for row in found.rows if (row.series.name, row.series.date) == wanted]
    return row.key


LATE, EARLY = "2021-03-04", "2020-01-02"
T1CE, T2, LOCALIZER = "t1_mpr post", "t2_space", "localizer"
TWO_VISITS = [(name, date) for date in ("20200102", "20210304") for name in (T1CE, T2)]


def test_what_headers_say_plainly_is_chosen_at_once():
    found = sent("scans", (LOCALIZER, "20200102"), (T1CE, "20200102"), (T2, "20200102"))
    assert names(found) == {"t1ce": (T1CE, EARLY), "t2": (T2, EARLY)}
    assert len(found.offered) == 3


@pytest.mark.parametrize(("name", "sequence"), [(T1CE, "t1ce"), (T2, "t2"), ("head", "t1ce")])
def test_a_series_that_is_alone_is_one_sequence(name, sequence):
    assert names(sent("scans", (name, "20200102"))) == {sequence: (name, EARLY)}
    # Sent as a sequence of its own, it is that, whatever it is called.
    assert names(sent("t2", (name, "20200102"))) == {"t2": (name, EARLY)}
    assert sent("t2", (name, "20200102")).offered == ()


def test_series_are_offered_by_patient_date_and_name():
    found = sent("scans", *reversed(TWO_VISITS))
    told = [(row.series.patient, row.series.date, row.series.name) for row in found.offered]
    assert told == [("P", EARLY, T1CE), ("P", EARLY, T2), ("P", LATE, T1CE), ("P", LATE, T2)]
    assert found.offered[0].series.size == (64, 64, 24)


def test_of_two_visits_none_is_guessed_and_the_other_sequence_comes_along():
    found = sent("scans", *TWO_VISITS)
    assert names(found) == {} and found.is_unclear("scans")
    found.choose("t1ce", key(found, T1CE, LATE))
    assert names(found) == {"t1ce": (T1CE, LATE), "t2": (T2, LATE)}
    found.choose("t2", key(found, T2, EARLY))
    assert names(found) == {"t1ce": (T1CE, LATE), "t2": (T2, EARLY)}
    # Once more, and it is none; one series is never both.
    found.choose("t2", key(found, T2, EARLY))
    assert names(found) == {"t1ce": (T1CE, LATE)} and not found.is_unclear("scans")
    found.choose("t2", key(found, T1CE, LATE))
    assert found.chosen["t2"].series.name == T1CE and "t1ce" not in names(found)


def test_a_key_that_the_page_makes_up_chooses_nothing():
    found = sent("scans", *TWO_VISITS)
    found.choose("t1ce", "scans/../../etc")
    found.choose("mask", key(found, T2, EARLY))
    assert names(found) == {}


def test_what_was_sent_by_itself_stays_and_series_go_with_their_archive():
    found = sent("scans", (T1CE, "20200102"), (T2, "20200102"), others={"t1ce"})
    assert names(found) == {"t2": (T2, EARLY)}
    found.drop("scans")
    assert found.rows == () and names(found) == {}


def test_of_an_archive_the_series_are_read_that_were_chosen(uploads, archive):
    assert send(uploads, "scans", "P 1.zip", archive(*TWO_VISITS))
    for refused in (uploads.check_chosen, uploads.case):
        with pytest.raises(ImageError, match=r"^'P 1.zip' holds several series; choose from the list"):
            refused()
    slices, rows, columns = GRID.shape
    assert {row.series.size for row in uploads.series.offered} == {(columns, rows, slices)}
    assert {row.series.patient for row in uploads.series.offered} == {"T-1"}
    uploads.choose("t1ce", key(uploads.series, T1CE, LATE))
    uploads.choose("t2", key(uploads.series, T2, EARLY))
    case = uploads.case()
    assert numbers(case) == [3, 2] and case.name == "P 1.zip"
    # What is written in DICOM refers to the T1ce that was chosen.
    headers = case.origin.headers
    assert {one["0020000E"]["Value"][0] for one in headers} == {case.origin.scan.series} != {""}
    assert len(headers) == slices


def test_the_archive_of_one_sequence_is_chosen_from_too(uploads, archive):
    content = archive(("t1_sag", "20200102"), ("t1_cor", "20200102"))
    send(uploads, "t1ce", "T1.zip", content)
    assert len(uploads.series.offered) == 2
    with pytest.raises(ImageError, match=r"^'T1.zip' holds several series"):
        uploads.case()
    uploads.choose("t1ce", key(uploads.series, "t1_cor", EARLY))
    assert numbers(uploads.case()) == [2, None]


def test_what_was_sent_or_chosen_last_counts(uploads, archive, tmp_path):
    send(uploads, "scans", "P 1.zip", archive((T1CE, "20200102"), (T2, "20200102")))
    send(
        uploads, "t1ce", "own.nii.gz", write_image(tmp_path / "own.nii.gz", ball_volume().array).read_bytes()
    )
    assert names(uploads.series) == {"t2": (T2, EARLY)}
    case = uploads.case()
    np.testing.assert_array_equal(case.t1ce.array, ball_volume().array)
    assert numbers(case)[1] == 2 and case.name == "own.nii.gz"
    uploads.choose("t1ce", key(uploads.series, T1CE, EARLY))
    assert "t1ce" not in uploads.names and set(names(uploads.series)) == {"t1ce", "t2"}


def test_an_archive_without_series_is_told_and_not_kept(uploads, tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        zipped.writestr("t1.nii.gz", write_image(tmp_path / "t1.nii.gz", ball_volume().array).read_bytes())
    with pytest.raises(ImageError, match=r"^'P 1.zip' holds no DICOM series of MR images; send DICOM here"):
        send(uploads, "scans", "P 1.zip", stream.getvalue())
    assert uploads.names == {}


def test_only_archives_of_scans_are_looked_into(uploads):
    assert not send(uploads, "t1ce", "t1.nii.gz", b"1234")
    with pytest.raises(ImageError, match="no known kind"):
        uploads.begin("scans", "t1.nii.gz", 4)


def test_the_series_that_are_being_read_are_not_exchanged(parts, uploads, archive, monkeypatch):
    visits = [(name, date) for date in ("20200102", "20210304") for name in ("t1_mpr post", "t2_space")]
    send(uploads, "scans", "visits.zip", archive(*visits))
    files = FilesLogic(parts.server, parts.host, parts.flow, parts.status, uploads)
    series = SeriesLogic(parts.server, parts.host, uploads)
    of_date = {row.series.date: row.key for row in uploads.series.rows if "t1ce" in row.series.meant}
    read, said = uploads.case, []

    def reading():
        series.choose("t1ce", of_date["2021-03-04"])
        said.append(parts.message.message)
        return read()

    async def opening():
        series.choose("t1ce", of_date["2020-01-02"])
        files.open()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    monkeypatch.setattr(uploads, "case", reading)
    asyncio.run(opening())
    assert numbers_shown(parts.workbench.nodes) == [1, 2]
    assert said == ["Files are being read; choose the series again once that is done."]


def numbers_shown(nodes):
    return [int(node.GetImageData().GetScalarRange()[1]) for node in nodes.volumes]
