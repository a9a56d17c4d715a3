"""What the page saves as DICOM of a case whose images are DICOM."""

import asyncio
import io
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from bright_ball import GRID, ball, ball_volume
from source_series import write_both, write_slices
from VSClickCorrectApp.logic.files_logic import DOWNLOADS, FilesLogic
from VSClickCorrectApp.sources import read_files
from VSClickCorrectApp.uploads import Uploads
from VSClickCorrectLib.io.dicom_out import NAMES, SEGMENTATION, segmentation_object, write_segmentation
from VSClickCorrectLib.io.dicom_source import read_source
from VSClickCorrectLib.io.given_scans import GivenScans
from VSClickCorrectLib.io.images import read_mask


@pytest.fixture
def page(parts, monkeypatch):
    """The files' logic, what it gives a browser as it is."""
    parts.uploads = Uploads(limit_mb=2)
    parts.logic = FilesLogic(parts.server, parts.host, parts.flow, parts.status, parts.uploads)
    protocol = SimpleNamespace(addAttachment=lambda content: content, push_state_change=lambda state: None)
    monkeypatch.setattr(type(parts.server), "protocol", protocol)
    parts.server.state.ready()
    yield parts
    parts.uploads.close()


def opened(page, t1ce, mask=None):
    page.workbench.open(read_files(GivenScans(t1ce, None), mask))
    asyncio.run(page.workbench.begin())


def test_case_of_dicom_is_saved_as_dicom(page, tmp_path):
    series = write_slices(tmp_path / "t1ce", ball_volume())
    source = read_source(series, GRID)
    write_segmentation(tmp_path / "mask.dcm", segmentation_object(source, ball(), GRID))
    opened(page, series, tmp_path / "mask.dcm")
    assert "tumour-dicom.zip" in DOWNLOADS
    with zipfile.ZipFile(io.BytesIO(page.logic.download("tumour-dicom.zip"))) as archive:
        assert sorted(archive.namelist()) == sorted(NAMES)
        archive.extract(SEGMENTATION, tmp_path / "out")
    np.testing.assert_array_equal(read_mask(tmp_path / "out" / SEGMENTATION, GRID), ball())


def test_series_in_one_folder_are_told_apart(page, tmp_path):
    uids = write_both(tmp_path / "both", ball_volume(), ball_volume(t2=True))
    page.workbench.open(read_files(GivenScans(tmp_path / "both", tmp_path / "both"), None))
    asyncio.run(page.workbench.begin())
    assert page.workbench.origin.source(GRID).headers[0].SeriesInstanceUID == uids[0]


def test_case_of_other_files_says_why_there_is_none(page, case_files):
    opened(page, case_files.t1ce, case_files.mask)
    assert page.logic.download("tumour-dicom.zip") is None
    assert page.message.is_error and "is no DICOM series" in page.message.message
