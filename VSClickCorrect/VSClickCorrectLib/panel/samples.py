"""Sample data: the sample case that ships with the product, and one of VS-SEG from TCIA."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import slicer

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.files import DAMAGED_ZIP, NO_ROOM, temporary_folder
from VSClickCorrectLib.io.shipped import T1CE, T2, sample_folder
from VSClickCorrectLib.mrml.belongings import remove_nodes
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.mrml.volumes import load_volume, volume_of

SERIES_UID = "1.3.6.1.4.1.14519.5.2.1.149357697745643823053302398129943470751"
# NBIA's REST service for public collections, which asks for no account.
SERIES_URL = (
    f"https://services.cancerimagingarchive.net/nbia-api/services/v1/getImage?SeriesInstanceUID={SERIES_UID}"
)
# Of the voxels, 16 bit little-endian, slice by slice upward: the service packs a new archive each time.
VOXELS_SHA256 = "9fc3973be4f83eafe4db691f98c8ccf474a9fe914bea66abb6589ed523361fae"


def consent_question() -> str:
    """Return what a person agrees to before anything is downloaded."""
    return _(
        "Download the contrast-enhanced T1 of case VS-SEG-001 (120 slices, about 60 MB) from The Cancer "
        "Imaging Archive, services.cancerimagingarchive.net?\n\n"
        "The images are of a patient, made anonymous, and are licensed CC BY 4.0: cite "
        "doi 10.7937/TCIA.9YTJ-5Q73. By downloading you agree to TCIA's data usage policy; above all, do not "
        "try to find out who the patient is. Nothing is sent but the request for this series."
    )


def add_synthetic_case(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """Add the T1ce and the T2 of the built-in synthetic case; no network is needed."""
    names = {T1CE: _("Synthetic T1ce"), T2: _("Synthetic T2")}
    return [load_volume(scene, name, sample_folder() / file) for file, name in names.items()]


def add_vs_seg_001(
    scene: slicer.vtkMRMLScene, download: Callable[[str, str], str]
) -> slicer.vtkMRMLScalarVolumeNode:
    """Download the T1ce of VS-SEG-001 and add it to the scene.

    Parameters
    ----------
    scene : vtkMRMLScene
        Where the volume goes.
    download : callable
        Takes an address and a file name and returns the downloaded file, as
        `SampleData.SampleDataLogic.downloadFileIntoCache` does.

    Raises
    ------
    ImageError
        If what was downloaded is not this series.
    """
    archive = Path(download(SERIES_URL, "VS-SEG-001-T1ce.zip"))
    try:
        return _loaded(scene, archive)
    except _NotTheSeries:
        # The next attempt downloads anew.
        archive.unlink(missing_ok=True)
        raise


def _loaded(scene: slicer.vtkMRMLScene, archive: Path) -> slicer.vtkMRMLScalarVolumeNode:
    with temporary_folder("vsclick-sample-") as folder:
        slices = _unpacked(archive, folder)
        try:
            node = load_volume(scene, _("VS-SEG-001 T1ce"), *slices)
        except ImageError:
            raise _other_series() from None
    if voxels_sha256(volume_of(node).array) != VOXELS_SHA256:
        remove_nodes(scene, node)
        raise _other_series()
    return node


def _unpacked(archive: Path, folder: Path) -> list[Path]:
    """Unpack the series, and return its slices: their names follow their order."""
    slices = []
    try:
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                if name.lower().endswith(".dcm"):
                    # By its bare name, so that nothing is written outside the folder.
                    slices.append(folder / Path(name).name)
                    slices[-1].write_bytes(packed.read(name))
    except (*DAMAGED_ZIP, OSError) as error:
        if getattr(error, "errno", None) in NO_ROOM:
            raise
        raise _NotTheSeries(
            _(
                "the archive's answer is no whole zip file; try again later, or load the series from "
                "https://doi.org/10.7937/TCIA.9YTJ-5Q73."
            )
        ) from None
    if not slices:
        raise _other_series()
    return sorted(slices)


class _NotTheSeries(ImageError):
    """What was downloaded is of no use."""


def _other_series() -> ImageError:
    return _NotTheSeries(
        _("what was downloaded is not the series VS-SEG-001, or not all of it; try again later.")
    )


def voxels_sha256(array: np.ndarray) -> str:
    """Return the SHA-256 of voxels as `VOXELS_SHA256` counts it."""
    return hashlib.sha256(np.ascontiguousarray(array, "<i2").tobytes()).hexdigest()
