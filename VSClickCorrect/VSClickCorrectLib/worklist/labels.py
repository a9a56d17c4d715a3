"""The label set that a worklist makes: a BIDS derivative dataset of segmentations.

Files are named as the BIDS specification 1.10.0 names them ("Derivatives", "Segmentations"):
``sub-<label>[_ses-<label>]_dseg.nii.gz``, with a JSON sidecar that says how it came about, and
``dseg.tsv``, which says what its voxels' values mean.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from VSClickCorrectLib import __version__
from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.io.files import (
    changing,
    check_inside,
    is_there,
    make_folder,
    read_ordinary,
    reading,
    write_atomically,
    write_text,
)
from VSClickCorrectLib.io.json_files import parse_json, write_json
from VSClickCorrectLib.io.outputs import check_ours, same_place
from VSClickCorrectLib.worklist.case_list import has_columns
from VSClickCorrectLib.worklist.records import NO_RECORD, CaseRecord, CaseState

BIDS_VERSION = "1.10.0"
PIPELINE = "vsclickcorrect"
SUMMARY = "summary.csv"
_RECORD = "VSClickCorrect"
_CODE = "https://github.com/VSClickCorrect/SlicerVSClickCorrect"
_LOOKUP = "index\tname\tabbreviation\n1\tvestibular schwannoma\tVS\n"
_README = """\
Segmentations of vestibular schwannoma, one a case, made and corrected with VSClickCorrect.

Voxels of 1 are tumour. Each file lies on the grid of the T1ce, or of the T2 where there is no T1ce. The JSON
file beside it says who corrected it, with how many clicks, and which models had a part in it. Where it says
the state "no tumour" the file is empty on purpose: somebody looked and found none.
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

    def has(self, label: str) -> bool:
        """Whether a case's segmentation is there; raises `ImageError` if that cannot be told."""
        with reading(path := self.path(label)):
            return is_there(path)

    def prepare(self) -> None:
        """Write the files that describe the set, if they are not there.

        Raises
        ------
        StorageError
            If they cannot be written.
        """
        make_folder(self.root)
        description = json.dumps(_description(), indent=1) + "\n"
        texts = {"dataset_description.json": description, "README": _README, "dseg.tsv": _LOOKUP}
        for name, text in texts.items():
            with changing(self.root):
                if not is_there(self.root / name):
                    write_text(self.root / name, text)

    def write(self, label: str, mask: Path) -> Path:
        """Write a case's segmentation, a copy of ``mask``; it appears whole or not at all.

        Its sidecar, the sign that a label is complete, is `follow`'s to write.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        path = self.path(label)
        check_inside(path, self._output)
        make_folder(path.parent)
        self.prepare()

        def copy(temporary: Path) -> None:
            shutil.copyfile(mask, temporary)
            # It tells of the image whose place this one is about to take.
            _sidecar(path).unlink(missing_ok=True)

        write_atomically(path, copy)
        return path

    def follow(self, record: CaseRecord) -> None:
        """Let the sidecar say what a record says, if that calls the case done; raises as `write`.

        A sidecar whose image is gone goes too.
        """
        if self.follows(record):
            return
        path = self.path(record.label)
        check_inside(path, self._output)
        with changing(self._output):
            if is_there(path):
                write_json(_sidecar(path), _metadata(record))
            else:
                self.remove(record.label)

    def follows(self, record: CaseRecord) -> bool:
        """Whether the sidecar says what a record says, or that does not call the case done.

        Raises
        ------
        ImageError
            If it cannot be read.
        """
        if not record.state.labelled:
            return True
        path = self.path(record.label)
        with reading(path):
            there, content = is_there(path), read_ordinary(_sidecar(path))
        if not there:
            return content is None
        try:
            return content is not None and parse_json(content) == _metadata(record)
        except ValueError:
            return False

    def remove(self, label: str) -> None:
        """Remove a case's segmentation and sidecar, and the folders that are empty then."""
        path = self.path(label)
        check_inside(path, self._output)
        for file in (_sidecar(path), path):
            file.unlink(missing_ok=True)
        folder = path.parent
        while folder != self.root and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent

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


def summary_row(record: CaseRecord) -> dict[str, str]:
    """Return a case's row in the table of all cases, by `SUMMARY_COLUMNS`."""
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


SUMMARY_COLUMNS = tuple(summary_row(CaseRecord("", "")))


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
