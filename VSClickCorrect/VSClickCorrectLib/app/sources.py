"""Where the first case comes from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from VSClickCorrectLib.imaging.io import read_mask, read_volume
from VSClickCorrectLib.simulation.errors import uneven_border
from VSClickCorrectLib.simulation.synthesis import demo_case
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.workflow.origin import Origin


def read_files(
    t1ce: Path | None, t2: Path | None, mask: Path | None, different_patients: bool = False
) -> OpenedCase:
    """Read a case from files.

    Raises
    ------
    ImageError
        If a file cannot be used, there is no sequence, or both are of different PatientIDs and
        ``different_patients`` does not say that this is right.
    """
    given = {"t1ce": t1ce, "t2": t2}
    first, second = (read_volume(path, name) if path is not None else None for name, path in given.items())
    name = (t1ce or t2 or Path("case")).name
    opened = OpenedCase(name, first, second, origin=Origin(t1ce or t2)).checked(different_patients)
    return replace(opened, mask=read_mask(mask, opened.grid) if mask is not None else None)


def synthetic() -> OpenedCase:
    """Make the built-in synthetic case, with a mask whose border is wrong here and there."""
    made = demo_case(0)
    start = uneven_border(made.truth, made.grid.spacing[::-1], np.random.default_rng(0))
    return OpenedCase("Synthetic case", made.case.t1ce, made.case.t2, start)
