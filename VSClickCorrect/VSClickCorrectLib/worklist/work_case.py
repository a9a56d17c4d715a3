"""A case of a worklist: its name and its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from VSClickCorrectLib.errors import ImageError, WorklistError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.io.image_files import named
from VSClickCorrectLib.io.images import read_case, read_mask, read_volume

ROLES = ("t1ce", "t2", "mask")


@dataclass(frozen=True)
class WorkCase:
    """A case of a worklist.

    Parameters
    ----------
    name : str
        What the list calls it.
    label : str
        What the label set calls it: letters and digits, with ``_ses-`` and the session where BIDS has one.
    t1ce, t2, mask : Path or None
        The sequences, and a mask to begin with.
    series : dict of str
        SeriesInstanceUIDs by role, of sequences in a folder that holds several series.
    remark : str
        What is to be known of the files that were found, empty if nothing is.
    fault : str
        Why it cannot be worked on as it was found, a sentence; empty if it can.
    """

    name: str
    label: str = ""
    t1ce: Path | None = None
    t2: Path | None = None
    mask: Path | None = None
    series: dict[str, str] = field(default_factory=dict, compare=False)
    remark: str = field(default="", compare=False)
    fault: str = field(default="", compare=False)

    @classmethod
    def of(cls, name: str, files: Mapping[str, Path]) -> WorkCase:
        """Return a case by its files, whose roles are some of `ROLES`."""
        return cls(name, t1ce=files.get("t1ce"), t2=files.get("t2"), mask=files.get("mask"))

    @property
    def files(self) -> dict[str, Path]:
        """The files that there are by role."""
        return {role: path for role in ROLES if (path := getattr(self, role)) is not None}

    @property
    def problem(self) -> str:
        """What is wrong with the case now, a sentence; empty if all its files are there."""
        if self.fault:
            return self.fault
        gone = [f"{path} does not exist any more" for path in self.files.values() if is_gone(path)]
        return f"{gone[0]}; put it back or skip the case." if gone else ""

    def with_remark(self, remark: str) -> WorkCase:
        """Return it with one more remark; an empty one is none."""
        return replace(self, remark="; ".join(filter(None, [self.remark, remark])))

    def load(self, different_patients: bool = False) -> Case:
        """Read the sequences; the T2 is resampled to the grid of the T1ce.

        Parameters
        ----------
        different_patients : bool
            Whether to take sequences of different PatientIDs for one patient's.

        Raises
        ------
        DifferentPatients, ImageError
            If they are and that is not said to be right, or a file cannot be used; the message names the
            case.
        """
        if self.problem:
            raise ImageError(f"case {self.name}: {self.problem}")
        with named(f"case {self.name}"):
            return read_case(self.t1ce, self.t2, different_patients, self.series)

    def read(self, role: str) -> Volume | None:
        """Read a sequence, ``t1ce`` or ``t2``, on its own grid, None if there is none; raises as `load`."""
        path = self.files.get(role)
        if path is None:
            return None
        return read_volume(path, role, self.series.get(role))

    def load_mask(self, grid: Grid) -> np.ndarray | None:
        """Read the mask to begin with, ``(K, J, I)`` bool on ``grid``; None if the case has none.

        Raises
        ------
        ImageError
            If it cannot be used; the message names the case.
        """
        if self.mask is None:
            return None
        with named(f"case {self.name}"):
            return read_mask(self.mask, grid)

    def check_mask(self, values: np.ndarray, grid: Grid, own: Grid, source: str | None) -> None:
        """Refuse a mask that was made on other images than the case's; raises `WorklistError`.

        Parameters
        ----------
        values : ndarray
            ``(K, J, I)``.
        grid, own : Grid
            The grid on which it lies, and that of the case's images.
        source : str or None
            The name of the case on whose images it was made, if that is known.
        """
        if source is not None and source != self.name:
            raise WorklistError(
                f"the mask was made on the images of {source}, not on those of case {self.name}, "
                f"so it was not kept; open {source} for it."
            )
        if values.shape != own.shape or not own.matches(grid):
            raise WorklistError(
                f"the mask lies on another grid than the images of case {self.name}, so it was not "
                "kept; choose the case's own images and segment."
            )


def is_gone(path: Path) -> bool:
    """Whether a file is not there; one of which that cannot be told is."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True
    except OSError:
        return False  # whoever reads it is told why it cannot be
    return False
