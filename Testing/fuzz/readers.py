"""Every reader of files from outside, with a small good file of its kind."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from any_grid import itk_image
from bright_ball import write_points
from dicom_scans import stack, write_frames
from handmade_models import vouch_for, write_bright_models
from source_series import write_frames as write_enhanced
from vs_seg_files import circle, write_contours, write_matrix, write_rtstruct, write_series
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume

GRID = Grid((4, 8, 8), np.diag([1.0, 1.0, 2.0, 1.0]))
_IMAGE = np.arange(256, dtype=np.int16).reshape(4, 8, 8)
_MASK = (_IMAGE % 7 == 0).astype(np.uint8)


@dataclass(frozen=True)
class Reader:
    """A reader: a good file's content, and what is done with a damaged one in a folder.

    Parameters
    ----------
    content : bytes
        A good file.
    read : callable
        Reads other content; may write into the folder, where `Path` names it.
    """

    content: bytes
    read: Callable[[bytes, Path], object]


def _image(folder: Path, name: str, array: np.ndarray, compressed: bool = False) -> bytes:
    import SimpleITK as sitk

    sitk.WriteImage(itk_image(array, GRID), str(folder / name), useCompression=compressed)
    return (folder / name).read_bytes()


def _volume(name: str, packed: Callable[[bytes], bytes] = bytes):
    def read(content: bytes, folder: Path) -> object:
        from VSClickCorrectLib.io.images import read_volume

        return read_volume(_written(folder / name, packed(content)))

    return read


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _read_mask(content: bytes, folder: Path) -> object:
    from VSClickCorrectLib.io.images import read_mask

    return read_mask(_written(folder / "mask.seg.nrrd", content), GRID)


def images(folder: Path) -> dict[str, Reader]:
    """Return the readers of images."""
    nifti = _image(folder, "good.nii", _IMAGE.astype(np.float32))
    return {
        "NIfTI": Reader(nifti, _volume("scan.nii")),
        "NIfTI in gzip": Reader(nifti, _volume("scan.nii.gz", lambda c: gzip.compress(c, 1))),
        "gzip": Reader(gzip.compress(nifti), _volume("scan.nii.gz")),
        "NRRD": Reader(_image(folder, "good.nrrd", _IMAGE), _volume("scan.nrrd")),
        "NRRD in gzip": Reader(_image(folder, "packed.nrrd", _IMAGE, True), _volume("scan.nrrd")),
        "mask": Reader(_image(folder, "good.seg.nrrd", _MASK), _read_mask),
    }


def dicom(folder: Path) -> dict[str, Reader]:
    """Return the readers of DICOM and what comes with it."""
    series = write_series(folder / "series", _IMAGE, GRID)
    enhanced = write_enhanced(folder / "source.dcm", Volume(_IMAGE, GRID))
    contours = [circle(np.array([3.0, 3.0, s]), 2.0, 8) for s in (0.0, 2.0)]
    structures = write_rtstruct(folder / "rtstruct.dcm", {"TV": contours}).read_bytes()
    listed = write_contours(folder / "contours.json", {"TV": contours}).read_bytes()
    matrix = write_matrix(folder / "inv_T2_LPS_to_T1_LPS.tfm", np.eye(4)).read_bytes()

    def read_slice(content: bytes, _: Path) -> object:
        from VSClickCorrectLib.io.images import read_volume

        _written(series / "IMG0000000001.dcm", content)
        return read_volume(series)

    def read_segment(content: bytes, here: Path) -> object:
        from VSClickCorrectLib.io.images import read_mask

        return read_mask(_written(here / "mask.dcm", content), GRID)

    def find_source(content: bytes, here: Path) -> object:
        from VSClickCorrectLib.io.dicom_out import dicom_objects
        from VSClickCorrectLib.io.dicom_source import read_source

        source = read_source(_written(here / "enhanced.dcm", content), GRID)
        return dicom_objects(source, _MASK > 0, GRID)

    def read_structures(content: bytes, here: Path) -> object:
        from VSClickCorrectResearch.datasets.rtstruct import read_structure_set

        return read_structure_set(_written(here / "rtstruct.dcm", content))

    def read_transform(content: bytes, here: Path) -> object:
        from VSClickCorrectResearch.datasets.placing import read_matrix

        return read_matrix(_written(here / "matrix.tfm", content))

    def read_contours(content: bytes, here: Path) -> object:
        from VSClickCorrectResearch.datasets.vs_seg import find_cases

        patient = here / "patient"
        if not patient.exists():
            write_series(patient / "t1", _IMAGE, GRID)
        _written(patient / "contours.json", content)
        return [source.read() for source in find_cases(patient)]

    return {
        "DICOM frames": Reader(
            write_frames(folder / "frames.dcm", stack(4, size=(8, 8))).read_bytes(), _volume("frames.dcm")
        ),
        "DICOM slice": Reader((series / "IMG0000000001.dcm").read_bytes(), read_slice),
        "DICOM SEG": Reader(_segmentation(enhanced, folder), read_segment),
        "DICOM source": Reader(enhanced.read_bytes(), find_source),
        "RTSTRUCT": Reader(structures, read_structures),
        "transform": Reader(matrix, read_transform),
        "contours": Reader(listed, read_contours),
    }


def _segmentation(source: Path, folder: Path) -> bytes:
    from VSClickCorrectLib.io.dicom_out import write_segmentation
    from VSClickCorrectLib.io.dicom_seg import segmentation_object
    from VSClickCorrectLib.io.dicom_source import read_source

    write_segmentation(folder / "mask.dcm", segmentation_object(read_source(source, GRID), _MASK > 0, GRID))
    return (folder / "mask.dcm").read_bytes()


def work(folder: Path) -> dict[str, Reader]:
    """Return the readers of clicks, journals, lists, experiments and cases."""
    clicks = write_points(folder / "clicks.mrk.json", [(1, 2, 3, "include"), (4, 5, 6, "")]).read_bytes()
    arrays = {"t1ce": _IMAGE, "t2": _IMAGE, "truth": _MASK.astype(bool), "affine": GRID.affine}
    np.savez_compressed(folder / "case.npz", **arrays)
    _image(folder, "T1ce.nii", _IMAGE)
    text = b'case,t1ce,label\nA,T1ce.nii,T1ce.nii\nB,T1ce.nii,"T1ce.nii"\n'

    def read_points(content: bytes, here: Path) -> object:
        from VSClickCorrectLib.io.markups import read_clicks

        return read_clicks(_written(here / "clicks.mrk.json", content))

    def read_journal(content: bytes, here: Path) -> object:
        from VSClickCorrectLib.session.journal import Journal
        from VSClickCorrectLib.session.start_mask import restored

        return restored(Journal(_written(here / "journal.jsonl", content)).events, GRID)

    def read_list(content: bytes, _: Path) -> object:
        from VSClickCorrectResearch.datasets.listed import read_case_list

        return read_case_list(_written(folder / "cases.csv", content))

    def read_case(content: bytes, here: Path) -> object:
        from VSClickCorrectResearch.datasets.cohort import CohortCase

        return CohortCase("case", _written(here / "case.npz", content)).load()

    def read_experiment(content: bytes, here: Path) -> object:
        from VSClickCorrectResearch.training.experiments import read_experiment

        return read_experiment(_written(here / "own.toml", content))

    from bad_lists import EXPERIMENT

    return {
        "clicks": Reader(clicks, read_points),
        "journal": Reader(_journal(), read_journal),
        "list of cases": Reader(text, read_list),
        "case of a cohort": Reader((folder / "case.npz").read_bytes(), read_case),
        "experiment": Reader(EXPERIMENT.encode(), read_experiment),
    }


def _journal() -> bytes:
    from VSClickCorrectLib.clicks.click import Click, ClickKind
    from VSClickCorrectLib.clicks.mask import ArrayMask
    from VSClickCorrectLib.geometry.volume import Case, Volume
    from VSClickCorrectLib.session.correction import CorrectionSession
    from VSClickCorrectLib.session.oracle import Oracle

    start = np.zeros(GRID.shape, bool)
    start[1, 2:5, 2:5] = True
    session = CorrectionSession(Case(Volume(_IMAGE, GRID)), ArrayMask(GRID, start), Oracle(_MASK > 0))
    session.apply(Click((3.0, 3.0, 2.0), ClickKind.BOUNDARY))
    session.apply(Click((2.0, 2.0, 2.0), ClickKind.EXCLUDE))
    session.undo()
    return session.journal.text.encode()


def models(folder: Path) -> dict[str, Reader]:
    """Return the readers of manifests and weights."""
    good = write_bright_models(folder / "models")

    def load_all(where: Path) -> object:
        import torch
        from VSClickCorrectLib.inference.manifest import ModelFolder

        found = ModelFolder(where)
        return [found.load(entry, torch.device("cpu")) for entry in found.entries.values()]

    def read_manifest(content: bytes, _: Path) -> object:
        _written(good / "manifest.json", content)
        return load_all(good)

    def read_weights(content: bytes, here: Path) -> object:
        own = here / "models"
        if not own.exists():
            write_bright_models(own)
        vouch_for(own, "find", content)
        return load_all(own)

    return {
        "manifest": Reader((good / "manifest.json").read_bytes(), read_manifest),
        "weights": Reader((good / "find.safetensors").read_bytes(), read_weights),
    }


def uploads(folder: Path) -> dict[str, Reader]:
    """Return the reader of archives that a browser sends."""
    from bad_uploads import zipped

    series = write_series(folder / "series", _IMAGE, GRID)
    content = zipped({path.name: path.read_bytes() for path in sorted(series.iterdir())})
    shutil.rmtree(series)

    def read(content: bytes, here: Path) -> object:
        from VSClickCorrectApp.reading.sent_files import read_sent_volume

        unpacked = here / "series"
        shutil.rmtree(unpacked, ignore_errors=True)
        return read_sent_volume(_written(here / "series.zip", content), "t1ce", 8 << 20)

    return {"zip archive": Reader(content, read)}


# In which function a reader is made, by its name; making one does not make them all.
MAKERS: dict[str, Callable[[Path], dict[str, Reader]]] = {
    **dict.fromkeys(("NIfTI", "NIfTI in gzip", "gzip", "NRRD", "NRRD in gzip", "mask"), images),
    **dict.fromkeys(
        ("DICOM frames", "DICOM slice", "DICOM SEG", "DICOM source", "RTSTRUCT", "transform", "contours"),
        dicom,
    ),
    **dict.fromkeys(("clicks", "journal", "list of cases", "case of a cohort", "experiment"), work),
    **dict.fromkeys(("manifest", "weights"), models),
    "zip archive": uploads,
}
