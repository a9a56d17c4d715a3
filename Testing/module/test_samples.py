"""Sample data, without a network."""

import ast
import sys
import tempfile
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from module_files import MODULE, ROOT
from VSClickCorrectLib.errors import ImageError, StorageError

SHARED = ROOT.parent / "shared" / "data" / "vs-seg-001" / "dicom.zip"


@pytest.fixture
def samples(desktop):
    from VSClickCorrectLib.panel import samples

    return samples


class SampleDataLogic:
    offers: list = []

    @classmethod
    def registerCustomSampleDataSource(cls, **offer):  # noqa: N802
        # As SampleData asks: one entry a file, and a picture that is there.
        assert len({len(offer[k]) for k in ("uris", "fileNames", "nodeNames", "checksums", "loadFiles")}) == 1
        cls.offers.append(offer)


def test_both_cases_are_offered_with_a_picture(samples, monkeypatch):
    from pathlib import Path

    from VSClickCorrectLib.panel import sample_sources

    monkeypatch.setattr(SampleDataLogic, "offers", [])
    sample_sources.register(SampleDataLogic, MODULE / "Resources" / "Icons")
    actions = [offer["customDownloader"] for offer in SampleDataLogic.offers]
    assert actions == [sample_sources.load_synthetic, sample_sources.load_vs_seg]
    assert all(Path(offer["thumbnailFileName"]).is_file() for offer in SampleDataLogic.offers)


def test_synthetic_case_needs_no_network(module, headless, desktop):
    from VSClickCorrectLib.panel.sample_sources import load_synthetic

    load_synthetic(None)
    t1ce = headless.scene.GetFirstNodeByName("Synthetic T1ce")
    assert desktop.layers[-1]["background"] is t1ce
    assert headless.scene.GetFirstNodeByName("Synthetic T2") is not None


def test_nothing_is_downloaded_without_consent(module, headless, desktop, monkeypatch):
    from VSClickCorrectLib.panel.sample_sources import load_vs_seg

    monkeypatch.setitem(sys.modules, "SampleData", SimpleNamespace(SampleDataLogic=None))
    desktop.answers.append(False)
    load_vs_seg(None)
    assert headless.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0


def test_consent_names_host_size_and_licence(samples):
    question = samples.consent_question()
    for word in ("services.cancerimagingarchive.net", "60 MB", "CC BY 4.0", "10.7937/TCIA.9YTJ-5Q73"):
        assert word in question
    assert samples.SERIES_URL.startswith(
        "https://services.cancerimagingarchive.net/nbia-api/services/v1/getImage?"
    )


def test_answer_that_is_no_archive_is_refused_and_forgotten(samples, headless, tmp_path):
    answer = tmp_path / "answer.zip"
    answer.write_text("<html>busy</html>")
    with pytest.raises(ImageError, match="no whole zip file"):
        samples.add_vs_seg_001(headless.scene, lambda address, name: str(answer))
    assert not answer.exists()


def test_a_full_temporary_folder_is_told_and_the_download_kept(
    samples, headless, tmp_path, make_drive, monkeypatch
):
    answer = tmp_path / "answer.zip"
    with zipfile.ZipFile(answer, "w") as archive:
        archive.writestr("1.dcm", bytes(100_000))
    monkeypatch.setattr(tempfile, "tempdir", str(make_drive(64).folder))
    with pytest.raises(
        StorageError, match=r"temporary folder .* cannot be written \(No space left on device\)"
    ):
        samples.add_vs_seg_001(headless.scene, lambda address, name: str(answer))
    assert answer.exists()


def test_checksum_is_of_the_voxels(samples):
    array = np.array([[[1, -2], [3, 256]]], ">i4")
    # sha256 of 01 00 fe ff 03 00 00 01
    import hashlib

    expected = hashlib.sha256(bytes([1, 0, 254, 255, 3, 0, 0, 1])).hexdigest()
    assert samples.voxels_sha256(array) == expected


@pytest.mark.skipif(not SHARED.is_file(), reason="../shared/data/vs-seg-001/dicom.zip is not there")
def test_real_series_is_taken_and_a_changed_one_refused(samples, headless, tmp_path):
    import shutil

    copy = shutil.copy(SHARED, tmp_path / "series.zip")
    node = samples.add_vs_seg_001(headless.scene, lambda address, name: str(copy))
    assert node.GetImageData().GetDimensions() == (512, 512, 120)
    with zipfile.ZipFile(SHARED) as whole, zipfile.ZipFile(tmp_path / "part.zip", "w") as part:
        for name in [n for n in whole.namelist() if n.endswith(".dcm")][:9]:
            part.writestr(name, whole.read(name))
    with pytest.raises(ImageError, match="not the series"):
        samples.add_vs_seg_001(headless.scene, lambda address, name: str(tmp_path / "part.zip"))


def test_slicer_imports_next_to_nothing_as_it_starts():
    """What is imported to offer the cases; networks, images and SciPy would take half a second."""
    library = MODULE / "VSClickCorrectLib"
    panel = library / "panel"
    files = (
        MODULE / "VSClickCorrect.py",
        panel / "sample_sources.py",
        panel / "help_text.py",
        library / "errors.py",
    )
    imported = {name for path in files for name in imports_at_once(path)}
    ours = {name for name in imported if name.startswith("VSClickCorrectLib")}
    assert ours == {"VSClickCorrectLib.errors", "VSClickCorrectLib.panel.help_text"}
    assert {name.partition(".")[0] for name in imported - ours} <= {
        "qt",
        "slicer",
        "vtk",
        *sys.stdlib_module_names,
    }


def imports_at_once(path):
    """Return what a file imports when it is imported, not when its functions are called."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
