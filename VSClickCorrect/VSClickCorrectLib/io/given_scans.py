"""Scans as a person names them on the command line, in whatever folder or archive their DICOM lies."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.io.archives import unpacked_series
from VSClickCorrectLib.io.dicom_masks import scan_of_mask
from VSClickCorrectLib.io.dicom_search import find_series
from VSClickCorrectLib.io.files import is_text, reading, temporary_folder
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectLib.io.one_grid import case_of
from VSClickCorrectLib.io.series_choice import Series, meant_as, scattered, series_in

_ARCHIVE = ".zip"
_MAX_BYTES = 4 << 30
_MAX_NAMED = 4


class GivenScans(ExitStack):
    """The sequences of a case: files, or DICOM in a folder, in folders within it, or in a zip archive.

    What an archive holds is there as long as this is entered.

    Parameters
    ----------
    t1ce, t2 : Path or None
        As they were named; one may be missing.
    """

    def __init__(self, t1ce: Path | None, t2: Path | None) -> None:
        super().__init__()
        self._given = {name: path for name, path in (("t1ce", t1ce), ("t2", t2)) if path is not None}
        self._places: dict[str, Path] = {}

    def __exit__(self, *_exception: object) -> None:
        # What goes wrong inside, a full disk too, is not told of the temporary folders.
        super().__exit__(None, None, None)

    @property
    def given(self) -> tuple[Path, ...]:
        """What was named, that on whose grid the case lies first."""
        return tuple(self._given.values())

    @property
    def place(self) -> Path | None:
        """The file, or the folder of the slices, on whose grid the case lies; None before it was read."""
        return next(iter(self._places.values()), None)

    def case(self, different_patients: bool = False, mask: Path | None = None) -> Case:
        """Read both as one case, which is that of a mask, too, if it is given; see `io.one_grid.case_of`.

        Raises
        ------
        ImageError
            If a file cannot be used, it is not clear which series to take, or as `case_of`; of a mask's
            PatientID likewise.
        """
        its = scan_of_mask(mask) if mask is not None else None
        return case_of(self.read("t1ce"), self.read("t2"), different_patients, its)

    def read(self, sequence: str) -> Volume | None:
        """Read ``t1ce`` or ``t2`` on its own grid; None if it was not named. Raises as `case`."""
        path = self._given.get(sequence)
        if path is None:
            return None
        if is_archive(path):
            return self._unpacked(path, sequence)
        series = _series_within(path, sequence) if os.path.isdir(path) else None
        place, uid = (series.folder, series.uid) if series is not None else (path, None)
        self._places[sequence] = place
        return read_volume(place, sequence, uid)

    def _unpacked(self, archive: Path, sequence: str) -> Volume:
        folder = self.enter_context(temporary_folder("vsclick-scan-")) / "slices"
        try:
            series = unpacked_series(archive, folder, sequence, _MAX_BYTES)
            volume = read_volume(series.folder, sequence, series.uid)
        except ImageError as error:
            # Nobody knows that folder.
            error.args = (str(error).replace(str(folder), str(archive)),)
            raise
        self._places[sequence] = series.folder
        remarks = (remark.replace(str(folder), str(archive)) for remark in volume.remarks)
        return replace(volume, remarks=tuple(remarks))


def is_archive(path: Path) -> bool:
    """Whether a name is that of a zip archive."""
    return path.name.lower().endswith(_ARCHIVE)


def _series_within(folder: Path, sequence: str) -> Series | None:
    """Return the series that is meant of those in folders within one that holds none itself, None if it does.

    Raises
    ------
    ImageError
        If it is not clear which is meant.
    """
    if not is_text(folder):
        return None  # whoever reads it says so
    with reading(folder):
        if not any(path.is_dir() for path in folder.iterdir()) or series_in(folder):
            return None
    series = find_series(folder)[0]
    meant = meant_as(sequence, series)
    if len(meant) > 1 and len({s.uid for s in meant}) == 1:
        raise ImageError(scattered(f"'{meant[0].name}'", [s.folder for s in meant]))
    if len(meant) > 1:
        names = ", ".join(f"'{s.name}' in {s.folder.relative_to(folder)}" for s in meant[:_MAX_NAMED])
        raise ImageError(f"{folder} holds {len(series)} DICOM series; give the folder of one ({names}).")
    return meant[0] if meant else None
