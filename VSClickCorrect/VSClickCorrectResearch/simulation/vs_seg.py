"""What VS-SEG (TCIA, CC BY 4.0, doi 10.7937/TCIA.9YTJ-5Q73) calls its structures."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from VSClickCorrectResearch.simulation.planar_contours import Contour

_COCHLEA = "cochlea"
_STRUCTURES = {"tv", "an"}  # in lower case; six patients' are written so
# Named otherwise; 063 and 073 hold a structure 'Men', possibly a meningioma, and are left out.
_EXCEPTIONS = {8: "tumour", 20: "Rt AN", 159: "TvT1"}


def tumour_contours(patient: str, structures: Sequence[dict]) -> tuple[list[Contour], list[str], list[str]]:
    """Pick the tumour out of a patient's structures.

    Parameters
    ----------
    patient : str
        ``VS-SEG-002`` or ``sub-002``.
    structures : sequence of dict
        As in ``contours.json``: ``structure_name`` and ``LPS_contour_points``, lists of points in mm.

    Returns
    -------
    contours : list of (n, 3) array
        Of the tumour, RAS mm; empty where no structure is the tumour.
    names, left_out : list of str
        The structures that were taken for the tumour, and the others: cochlea, meningioma, and the tumour
        at other times.
    """
    contours: list[Contour] = []
    names: list[str] = []
    left_out: list[str] = []
    for structure in structures:
        name = structure["structure_name"]
        tumour = _is_tumour(patient, name)
        (names if tumour else left_out).append(name)
        contours += [_lps_to_ras(c) for c in structure["LPS_contour_points"]] if tumour else []
    return contours, names, left_out


def cochlea_contours(structures: Sequence[dict]) -> list[Contour]:
    """Return the contours of the cochlea, RAS mm, which about half of the patients have; else none."""
    return [
        _lps_to_ras(contour)
        for structure in structures
        if structure["structure_name"].strip().lower() == _COCHLEA
        for contour in structure["LPS_contour_points"]
    ]


def _is_tumour(patient: str, name: str) -> bool:
    number = re.search(r"\d+$", patient)
    name = name.strip()
    return name.lower() in _STRUCTURES or (number is not None and name == _EXCEPTIONS.get(int(number[0])))


def _lps_to_ras(points: list) -> Contour:
    return np.asarray(points, dtype=float) * (-1.0, -1.0, 1.0)
