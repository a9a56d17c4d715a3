"""Files that a browser sends: kept apart, limited, and removed once they are read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import cast

import numpy as np
from VSClickCorrectLib.errors import CorrectionError, ImageError, StorageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Scan, Volume
from VSClickCorrectLib.io.examinations import Examination
from VSClickCorrectLib.io.files import changing
from VSClickCorrectLib.io.pairing import remarks_on_name
from VSClickCorrectLib.io.temporary import TemporaryFolder, remove_folder
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.workflow.origin import Origin

from VSClickCorrectApp.reading.apart import (
    list_series_apart,
    read_lone_mask_apart,
    read_mask_apart,
    read_series_apart,
    read_volume_apart,
)
from VSClickCorrectApp.reading.offered_series import SEQUENCES
from VSClickCorrectApp.reading.scenes_apart import read_scene_apart
from VSClickCorrectApp.sent_series import BOTH, SentSeries
from VSClickCorrectApp.sources import resumed

# What holds a case's sequences, both or one.
SCAN_SLOTS = (BOTH, *SEQUENCES)
CASE_SLOTS = (*SCAN_SLOTS, "mask", "journal")
EARLIER_SLOTS = ("before", "before_scan")
SLOTS = (*CASE_SLOTS, *EARLIER_SLOTS)
LIMIT_MB = 1024
_SUFFIXES = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd")
_JOURNAL = ".jsonl"
# What else may be in a slot: a scan as an archive of DICOM slices, a mask as DICOM SEG.
_ARCHIVE = ".zip"
_DICOM = {"t1ce": _ARCHIVE, "t2": _ARCHIVE, "mask": ".dcm", "before": ".dcm", "before_scan": _ARCHIVE}
_SCENE = ".mrb"
_ALONE = {"journal": (_JOURNAL,), BOTH: (_ARCHIVE, _SCENE)}
_MB = 1 << 20
# Ten thousand clicks; it is read at once, in the program itself.
_MAX_JOURNAL = 64 * _MB
_INTERRUPTED = "the upload was interrupted; choose the file again."


@dataclass
class _File:
    """A file on its way: what its sender calls it, where it goes, how long it will be, what goes for it."""

    name: str
    path: Path
    size: int
    sender: str
    replaced: tuple[str, ...]
    places: Collection[str]
    received: int = 0


class Uploads:
    """Receives at most one file a slot, in parts, into a temporary folder of its own.

    What one window of the page sends is never taken for a part of what another sends. No name that the
    browser gives is ever used as a path, and every file is read in a process of its own.

    Parameters
    ----------
    limit_mb : int
        The largest file, and the largest content of an archive, in MB.

    Attributes
    ----------
    folder : Path
        The temporary folder.
    series : SentSeries
        What the archives hold, once `look` has looked.
    """

    def __init__(self, limit_mb: int = LIMIT_MB) -> None:
        self._limit = limit_mb * _MB
        self._folder = TemporaryFolder("vsclick-upload-")
        self.folder = self._folder.path
        self._files: dict[str, _File] = {}
        self._numbers = count(1)
        self._read: set[str] = set()
        self.series = SentSeries()

    def close(self) -> None:
        """Remove everything; closing twice does no harm."""
        self._folder.remove()

    @property
    def names(self) -> dict[str, str]:
        """What the browser calls the whole files, by slot."""
        return {slot: file.name for slot, file in self._files.items() if file.received == file.size}

    def begin(self, slot: str, name: str, size: int, sender: str = "") -> None:
        """Expect a file from a window of the page; one that was in the slot before is removed.

        Raises
        ------
        ImageError
            If the slot or the suffix is unknown, its file is being read or on its way from another sender, or
            the file is empty or too large.
        """
        self._check_free((slot,), f"'{name}'")
        if slot not in SLOTS:
            raise ImageError(f"there is no place for a '{slot}'; choose a T1ce, a T2, a mask or a journal.")
        known = _ALONE.get(slot) or (*_SUFFIXES, _DICOM[slot])
        suffix = next((s for s in known if name.lower().endswith(s)), None)
        if suffix is None:
            raise ImageError(
                f"'{name}' is of no known kind; choose NIfTI, NRRD or, for scans, zipped DICOM, for masks "
                "DICOM SEG, for a journal what was saved as .jsonl, for a whole scene .mrb."
            )
        limit = min(self._limit, _MAX_JOURNAL) if slot == "journal" else self._limit
        if not 0 < size <= limit:
            raise ImageError(
                f"'{name}' has {size / _MB:.0f} MB; choose a file of at most {limit / _MB:.0f} MB "
                "that is not empty."
            )
        # What is chosen last counts, though a scene may be on its way for longer; it holds all of a case.
        replaced = {slot} | (set(CASE_SLOTS) if suffix == _SCENE else set())
        if slot in SEQUENCES and BOTH in self._files and self._files[BOTH].path.suffix == _SCENE:
            replaced.add(BOTH)
        self._check_arrived(replaced, name, sender)
        gone = tuple(self.names[other] for other in SLOTS if other in replaced and other in self.names)
        for other in replaced:
            self.discard(other)
        self.series.chosen.pop(slot, None)
        # No file has the place of an earlier one, into which a child may still be unpacking that.
        folder = self.folder / f"{slot}-{next(self._numbers)}"
        with changing(self.folder):
            folder.mkdir()
        self._files[slot] = _File(name, folder / f"file{suffix}", int(size), sender, gone, replaced)

    def part(self, slot: str, at: int, content: bytes, sender: str = "") -> int:
        """Receive the next bytes of a file; return how many of it are here.

        Raises
        ------
        ImageError
            If they are not the next ones or more than was announced; the file is removed then, unless it is
            another sender's.
        """
        file = self._own(slot, sender)
        fits = isinstance(content, bytes) and at == file.received
        if not fits or at + len(content) > file.size:
            self.discard(slot)
            raise ImageError(_INTERRUPTED)
        try:
            with changing(file.path.parent), file.path.open("ab") as stream:
                stream.write(content)
        except StorageError:
            self.discard(slot)
            raise
        file.received += len(content)
        return file.received

    def check(self, slot: str, sender: str = "") -> str:
        """Return that the sender's file of a slot is here; raises `ImageError` if it is not whole."""
        file = self._own(slot, sender)
        if file.received < file.size:
            self.discard(slot)
            raise ImageError(_INTERRUPTED)
        gone = " and ".join(f"'{name}'" for name in file.replaced)
        return f"'{file.name}' is here{f', in place of {gone}' if gone else ''}."

    def discard(self, slot: str) -> None:
        """Remove the file of a slot, if there is one."""
        self.series.drop(slot)
        if (file := self._files.pop(slot, None)) is not None:
            remove_folder(file.path.parent)

    def discard_unfinished(self, sender: str = "") -> None:
        """Remove what is not whole of a sender that has gone."""
        for slot in set(self._files) - set(self.names):
            if self._files[slot].sender == sender:
                self.discard(slot)

    def _own(self, slot: str, sender: str) -> _File:
        """Return the file of a slot; raises `ImageError` if there is none any more, or another sends it."""
        file = self._files.get(slot)
        if file is None:
            for later in self._files.values():
                if slot in later.places:
                    raise ImageError(
                        f"'{later.name}' was chosen later, so what was chosen before it was left."
                    )
        if file is None or file.sender != sender:
            raise ImageError(_INTERRUPTED)
        return file

    def _check_arrived(self, slots: Collection[str], name: str, sender: str) -> None:
        """Raise `ImageError` if another sender's file is on its way into one of the slots."""
        for slot in set(self._files) - set(self.names):
            if slot in slots and (file := self._files[slot]).sender != sender:
                raise ImageError(
                    f"'{file.name}' is on its way from another window of the page; choose '{name}' again "
                    "once it is here, or close that window."
                )

    def look(self, slot: str) -> bool:
        """Look which series an archive of scans holds; return whether the file of the slot is one.

        Raises
        ------
        ImageError
            If it cannot be used; it is removed then.
        """
        file = self._whole(slot)
        if file is None or slot not in SCAN_SLOTS or file.path.suffix != _ARCHIVE:
            return False
        try:
            found = _named(file, lambda path: list_series_apart(path, self._limit))
        except (ImageError, StorageError):
            if self._files.get(slot) is file:
                self.discard(slot)
                raise
            found = []
        if self._files.get(slot) is not file:
            # What was unpacked while the file was removed.
            remove_folder(file.path.parent)
            return False
        self.series.put(slot, found, set(self._files) - {slot})
        return True

    @contextmanager
    def reading(self, slots: Collection[str]) -> Iterator[None]:
        """Let nothing take the place of these slots' files, which are read meanwhile and then removed.

        Raises
        ------
        ImageError
            If one of them is still on its way.
        """
        for slot in slots:
            if slot in self._files and slot not in self.names:
                name = self._files[slot].name
                raise ImageError(f"'{name}' is still on its way; wait until it is here, or choose it again.")
        self._read.update(slots)
        try:
            yield
        finally:
            self._read.difference_update(slots)
            for slot in slots:
                self.discard(slot)

    def _check_free(self, slots: Collection[str], what: str) -> None:
        if self._read.intersection(slots):
            raise ImageError(f"files are being read; choose {what} again once that is done.")

    def choose(self, sequence: str, key: str) -> None:
        """Choose a series as T1ce or T2 instead of what was sent as such; see `SentSeries.choose`.

        Raises `ImageError` while the scans are being read.
        """
        self._check_free(SCAN_SLOTS, "the series")
        self.series.choose(sequence, key)
        for chosen in tuple(self.series.chosen):
            if not any(row.slot == chosen for row in self.series.rows):
                self.discard(chosen)

    def check_chosen(self) -> None:
        """Raise `ImageError` if it is not clear yet which series of an archive are meant."""
        for sequence in SEQUENCES:
            self._file_with(sequence)

    def case(self) -> OpenedCase:
        """Read the sequences, mask and journal that were sent; the case is called as its first file.

        A mask or a journal that was sent after a scene takes the place of the scene's.

        Whether the sequences belong together `checked` tells.

        Raises
        ------
        ImageError, CorrectionError
            If one cannot be used, or there is no sequence; the message calls files as the browser does.
        """
        opened = self._of_scene() if self._scene is not None else self._of_scans()
        if "mask" in self.names:
            mask, its = self.mask(opened.grid)
            opened = replace(opened, mask=mask, mask_scan=its)
        journal = self.journal() or opened.journal
        return resumed(opened, journal) if journal else opened

    def _of_scene(self) -> OpenedCase:
        """Read the scene that was sent."""
        file = cast(_File, self._scene)
        held = _named(file, lambda path: read_scene_apart(path, self._limit))
        origin = Origin(scan=cast(Volume, held.t1ce or held.t2).scan)
        return OpenedCase(file.name, held.t1ce, held.t2, held.mask, origin, held.journal)

    def _of_scans(self) -> OpenedCase:
        """Read the sequences that were sent."""
        files = {sequence: file for sequence in SEQUENCES if (file := self._file_with(sequence)) is not None}
        if not files:
            raise ImageError("no scan was chosen; choose a T1ce, a T2 or both.")
        (t1ce, headers), (t2, others) = (self._sequence(sequence) for sequence in SEQUENCES)
        origin = Origin(None, cast(Volume, t1ce or t2).scan, headers if t1ce is not None else others)
        return OpenedCase(next(iter(files.values())).name, t1ce, t2, origin=origin)

    def journal(self) -> str:
        """Return the journal that was sent, empty if none was; raises `CorrectionError` if it is damaged."""
        file = self._whole("journal")
        return "" if file is None else _named(file, lambda path: Journal(path).text)

    def mask(self, grid: Grid) -> tuple[np.ndarray, Scan | None]:
        """Read the mask that was sent, ``(K, J, I)`` bool on ``grid``, and whose it is by its header.

        Raises
        ------
        ImageError
            If there is none, or it cannot be used.
        """
        file = self._whole("mask")
        if file is None:
            raise ImageError("no mask was chosen; choose one.")
        return _named(file, lambda path: read_mask_apart(path, grid, self._limit))

    def earlier(self) -> Examination:
        """Read the earlier mask that was sent, and its scan if that was sent.

        Raises
        ------
        ImageError
            If there is no mask, or one cannot be used.
        """
        mask, scan = (self._whole(slot) for slot in EARLIER_SLOTS)
        if mask is None:
            raise ImageError("no earlier mask was chosen; choose one.")
        if scan is None:
            values, grid, its = _named(mask, lambda path: read_lone_mask_apart(path, self._limit))
            return Examination(values, grid, mask_scan=its)
        volume = _named(scan, lambda path: read_volume_apart(path, "t1ce", self._limit))
        values, its = _named(mask, lambda path: read_mask_apart(path, volume.grid, self._limit))
        return Examination(values, volume.grid, volume, its)

    def _file_with(self, sequence: str) -> _File | None:
        """Return the file in which a sequence is, None if none was sent or chosen."""
        if (row := self.series.chosen.get(sequence)) is not None:
            return self._whole(row.slot)
        unclear = sequence if sequence in self.names else BOTH
        if self.series.is_unclear(unclear):
            raise ImageError(
                f"'{self.names[unclear]}' holds several series; choose from the list which is the T1ce and "
                "which the T2."
            )
        return self._whole(sequence)

    def _sequence(self, sequence: str) -> tuple[Volume | None, tuple[dict, ...]]:
        """Return a sequence and the headers of its DICOM files, None and no headers if none was sent."""
        file = self._file_with(sequence)
        if file is None:
            return None, ()
        row = self.series.chosen.get(sequence)
        uid = row.series.uid if row is not None else ""
        volume, headers = _named(file, lambda path: read_series_apart(path, sequence, self._limit, uid))
        remarks = tuple(_as_sent(remark, file) for remark in volume.remarks)
        # An archive may be named for all that it holds.
        if file.path.suffix != _ARCHIVE:
            remarks += remarks_on_name(Path(file.name), sequence)
        return replace(volume, remarks=remarks), headers

    @property
    def _scene(self) -> _File | None:
        """The scene that was sent."""
        file = self._whole(BOTH)
        return file if file is not None and file.path.suffix == _SCENE else None

    def _whole(self, slot: str) -> _File | None:
        return self._files[slot] if slot in self.names else None


def _named(file: _File, read):
    """Read a file; in what is wrong with it call it as the browser does, and say nothing of our folders."""
    try:
        return read(file.path)
    except (ImageError, CorrectionError) as error:
        raise type(error)(_as_sent(str(error), file)) from None


def _as_sent(message: str, file: _File) -> str:
    for path in (file.path, file.path.with_suffix("")):
        message = message.replace(str(path), f"'{file.name}'")
    return message
