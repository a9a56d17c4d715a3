"""DICOM series as a person chooses among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from VSClickCorrectLib.geometry.triples import Index3
from VSClickCorrectLib.io.series_choice import Series, meant_as

# What is read, and what a person calls it.
SEQUENCES = {"t1ce": "T1ce", "t2": "T2"}


@dataclass(frozen=True)
class OfferedSeries:
    """What is known of a series before it is read.

    Parameters
    ----------
    uid, study, patient, name : str
        SeriesInstanceUID, StudyInstanceUID and PatientID, and what a person calls the series.
    date : str
        When it was taken, ``2020-01-02``, empty where that is not given.
    size : tuple of 3 int
        Columns, rows and slices.
    is_t2 : bool
        Whether its header says that it is a T2.
    meant : tuple of str
        Which of `SEQUENCES` it may be, beside the others in its folder; of one that is alone, both.
    """

    uid: str
    study: str
    patient: str
    name: str
    date: str
    size: Index3
    is_t2: bool
    meant: tuple[str, ...]


def offered(series: Sequence[Series]) -> list[OfferedSeries]:
    """Return what a person has to know to choose among the series of a folder, by patient, date and name."""
    meant = {sequence: meant_as(sequence, series) for sequence in SEQUENCES}
    return [
        OfferedSeries(
            one.uid,
            one.study,
            one.patient,
            one.name,
            _readable(one.date),
            one.size,
            one.weighting == "t2",
            tuple(sequence for sequence in SEQUENCES if one in meant[sequence]),
        )
        for one in sorted(series, key=lambda one: (one.patient, one.date, one.name))
    ]


def _readable(date: str) -> str:
    """Return a date of DICOM with its parts apart; anything else as it is."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdigit() else date
