"""The label set that a worklist makes: a BIDS derivative dataset of segmentations.

Files are named as the BIDS specification 1.10.0 names them ("Derivatives", "Segmentations"):
``sub-<label>[_ses-<label>]_dseg.nii.gz``, with a JSON sidecar that says how it came about, and
``dseg.tsv``, which says what its voxels' values mean.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from VSClickCorrectLib import __version__
from VSClickCorrectLib.datasets.case_list import has_columns, write_rows
from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.files import (
    changing,
    check_inside,
    is_there,
    make_folder,
    parse_json,
    read_ordinary,
    reading,
    write_atomically,
    write_text,
)
from VSClickCorrectLib.imaging.dicom_out import NAMES, write_objects
from VSClickCorrectLib.outputs import check_ours, same_place
from VSClickCorrectLib.worklist.records import NO_RECORD, CaseRecord, CaseState, write_json

if TYPE_CHECKING:
    from pydicom import Dataset

BIDS_VERSION = "1.10.0"
PIPELINE = "vsclickcorrect"
# BIDS has no place for results in DICOM.
DICOM = "dicom"
SUMMARY = "summary.csv"
SUMMARY_COLUMNS = (
    "case",
    "participant_id",
    "state",
    "annotator",
    "clicks",
    "rounds",
    "seconds",
    "volume_mm3",
    "finished",
    "comment",
)
_RECORD = "VSClickCorrect"
_CODE = "https://github.com/VSClickCorrect/SlicerVSClickCorrect"
_LOOKUP = "index\tname\tabbreviation\n1\tvestibular schwannoma\tVS\n"
_README = """\
Segmentations of vestibular schwannoma, one a case, made and corrected with VSClickCorrect.

Voxels of 1 are tumour. Each file lies on the grid of the T1ce, or of the T2 where there is no T1ce. The JSON
file beside it says who corrected it, with how many clicks, and which models had a part in it.
"""


class LabelSet:
    """The segmentations of a worklist.

    Parameters
    ----------
    output : Path
        The worklist's folder; the label set is ``derivatives/vsclickcorrect`` in it.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self.root = output / "derivatives" / PIPELINE

    def path(self, label: str) -> Path:
        """Return where a case's segmentation lies, whether it is there or not."""
        subject, _, session = label.partition("_ses-")
        folder = self.root / f"sub-{subject}"
        if session:
            folder /= f"ses-{session}"
        return folder / "anat" / f"sub-{label}_dseg.nii.gz"

    def dicom_folder(self, label: str) -> Path:
        """Return where a case's DICOM objects lie, whether they are there or not."""
        return self._output / DICOM / f"sub-{label}"

    def prepare(self) -> None:
        """Write the files that describe the set, if they are not there.

        Raises
        ------
        ImageError
            If they cannot be written.
        """
        make_folder(self.root)
        description = json.dumps(_description(), indent=1) + "\n"
        texts = {"dataset_description.json": description, "README": _README, "dseg.tsv": _LOOKUP}
        for name, text in texts.items():
            with changing(self.root):
                if not is_there(self.root / name):
                    write_text(self.root / name, text)

    def write(self, record: CaseRecord, mask: Path) -> Path:
        """Write a case's segmentation, a copy of ``mask``, and its sidecar; each appears whole or not at all.

        Raises
        ------
        ImageError
            If it cannot be written.
        """
        path = self.path(record.label)
        check_inside(path, self._output)
        make_folder(path.parent)
        self.prepare()
        # The image first: a sidecar is the sign that a label is complete.
        write_atomically(path, lambda temporary: shutil.copyfile(mask, temporary))
        write_json(_sidecar(path), _metadata(record))
        return path

    def write_dicom(self, label: str, objects: dict[str, Dataset]) -> None:
        """Write a case's DICOM objects, as `dicom_objects` makes them; all appear or none.

        Raises
        ------
        ImageError
            If they cannot be written.
        """
        folder = self.dicom_folder(label)
        check_inside(folder, self._output)
        write_objects(folder, objects)

    def describe(self, record: CaseRecord) -> None:
        """Write the sidecar of a case's segmentation anew, if there is one; raises as `write`."""
        sidecar = _sidecar(self.path(record.label))
        check_inside(sidecar, self._output)
        with reading(sidecar):
            there = is_there(sidecar)
        if there:
            write_json(sidecar, _metadata(record))

    def remove(self, label: str) -> None:
        """Remove a case's segmentation and sidecar, and the folders that are empty then."""
        path = self.path(label)
        check_inside(path, self._output)
        for file in (path, _sidecar(path)):
            file.unlink(missing_ok=True)
        folder = path.parent
        while folder != self.root and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent

    def remove_dicom(self, label: str) -> None:
        """Remove a case's DICOM objects, if there are any; raises `ImageError` if they cannot be."""
        folder = self.dicom_folder(label)
        check_inside(folder, self._output)
        with changing(self._output):
            for name in NAMES:
                (folder / name).unlink(missing_ok=True)
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def record(self, label: str) -> CaseRecord | None:
        """Return what the sidecar says of the work on a case; None if there is no label, or no such word.

        Raises
        ------
        ImageError
            If it cannot be read.
        """
        path = self.path(label)
        with reading(path):
            content = read_ordinary(_sidecar(path))
            if content is None or not is_there(path):
                return None
        try:
            record = CaseRecord.from_json(parse_json(content)[_RECORD])
        except NO_RECORD:
            return None
        return record if record.label == label else None

    def case_of(self, label: str) -> str | None:
        """Return the case that a label's sidecar names; None as for `record`."""
        record = self.record(label)
        return record.case if record is not None else None


def check_summary(source: Path, output: Path) -> None:
    """Refuse to write the table of all cases over the list that they come from, or over another's table.

    Raises
    ------
    WorklistError
        If the list lies where the table goes.
    ImageError
        If another file lies there.
    """
    path = output / SUMMARY
    if same_place(source, path):
        raise WorklistError(
            f"{source} is where the table of all cases goes; choose another folder for the results."
        )
    check_ours(output, [SUMMARY], has_columns(path, SUMMARY_COLUMNS[:2]))


def write_summary(path: Path, records: Sequence[CaseRecord]) -> None:
    """Write the table of all cases as CSV; it appears whole or not at all.

    Raises
    ------
    ImageError
        If it cannot be written.
    """
    write_rows(path, SUMMARY_COLUMNS, [_row(record) for record in records])


def _row(record: CaseRecord) -> dict[str, str]:
    begun = record.state is not CaseState.TODO
    return {
        "case": record.case,
        "participant_id": "sub-" + record.label.partition("_ses-")[0],
        "state": record.state.value,
        "annotator": record.annotator,
        "clicks": str(record.clicks) if begun else "",
        "rounds": str(record.rounds) if begun else "",
        "seconds": f"{record.seconds:.0f}" if begun else "",
        "volume_mm3": "" if record.volume_mm3 is None else f"{record.volume_mm3:.1f}",
        "finished": record.finished,
        "comment": record.comment,
    }


def _metadata(record: CaseRecord) -> dict[str, Any]:
    """Return the sidecar: BIDS's own keys, then ours under one key."""
    # The first is the image on whose grid the label lies.
    sources = [Path(record.files[role]).name for role in ("t1ce", "t2") if role in record.files]
    return {
        "Description": "Vestibular schwannoma, segmented automatically and corrected by clicks.",
        "Manual": True,
        "SpatialReference": sources[0] if sources else "orig",
        "SourceFiles": sources,
        _RECORD: {key: value for key, value in record.to_json().items() if key != "files"},
    }


def _description() -> dict[str, Any]:
    return {
        "Name": "Vestibular schwannoma segmentations",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {
                "Name": "VSClickCorrect",
                "Version": __version__,
                "Description": "Initial segmentation by neural networks, corrected by clicks",
                "CodeURL": _CODE,
            }
        ],
    }


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".nii.gz") + ".json")
