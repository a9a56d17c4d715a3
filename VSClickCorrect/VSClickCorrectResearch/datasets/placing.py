"""Reading the sequences of a case onto one grid, and recording how the T2 got there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.io.files import check_file
from VSClickCorrectLib.io.one_grid import resample_to_grid
from VSClickCorrectLib.io.pairing import OTHER_FRAME, paired
from VSClickCorrectLib.io.registration import Registration, moved, ras_matrix, register

_TEXT = b"#Insight Transform File"
_LINE = re.compile(r"^(Transform|Parameters|FixedParameters):(.*)$", re.MULTILINE)
_COMPOSITE = "CompositeTransform"
# How many numbers make a transform of three dimensions that can be rigid.
_NUMBERS = {
    "AffineTransform": 12,
    "MatrixOffsetTransformBase": 12,
    "Euler3DTransform": 6,
    "VersorRigid3DTransform": 6,
    "VersorTransform": 3,
    "QuaternionRigidTransform": 7,
    "TranslationTransform": 3,
    "Similarity3DTransform": 7,
    "ScaleVersor3DTransform": 9,
}


@dataclass(frozen=True, eq=False)
class Placed:
    """The sequences on the T1ce's grid.

    Parameters
    ----------
    case : Case
        The sequences; the T2 keeps its own grid where it stands alone.
    t2 : Volume or None
        The T2 where the transform puts it, before it is resampled.
    record : dict
        ``t2_placed_by`` (``matrix``, ``header`` or ``registration``), the matrix, the registration's
        figures and remarks, for the case's record.
    """

    case: Case
    t2: Volume | None
    record: dict = field(default_factory=dict)


def place(
    volumes: Sequence[Volume | None],
    matrix: np.ndarray | None = None,
    registered: bool = False,
    different_patients: bool = False,
) -> Placed:
    """Bring the T2 to the grid of the T1ce.

    Parameters
    ----------
    volumes : sequence of two Volume or None
        T1ce and T2 as they were read; one of them may be missing.
    matrix : (4, 4) array, optional
        RAS mm of the T1ce's frame to RAS mm of the T2's, where it is known.
    registered : bool
        Whether to register where it is not.
    different_patients : bool
        Whether to take sequences of different PatientIDs for one patient's.

    Raises
    ------
    ImageError
        If the sequences are of different PatientIDs, their fields of view do not meet, or registration is
        impossible.
    """
    t1ce, t2 = volumes
    t1ce, t2 = paired(t1ce, t2, different_patients)
    read = [remark for volume in (t1ce, t2) if volume is not None for remark in volume.remarks]
    if t1ce is None or t2 is None:
        return Placed(Case(t1ce, t2), t2, {"remarks": read} if read else {})
    record: dict = {"t2_placed_by": "header" if matrix is None else "matrix"}
    if matrix is None and registered and not t1ce.grid.matches(t2.grid):
        result = register(t1ce, t2)
        record = _registration_record(result)
        matrix = result.matrix if result.improved else None
    if matrix is not None:
        record["t1ce_to_t2_ras"] = np.round(matrix, 9).tolist()
        t2 = moved(t2, matrix)
    # What a matrix has brought together need not be looked at.
    read = [remark for remark in read if matrix is None or remark != OTHER_FRAME]
    if read:
        record["remarks"] = [*read, *record.get("remarks", ())]
    on_grid = t2 if t1ce.grid.matches(t2.grid) else resample_to_grid(t2, t1ce.grid)
    return Placed(Case(t1ce, on_grid), t2, record)


def read_matrix(path: Path) -> np.ndarray:
    """Read a linear transform that ITK or Slicer wrote as text (``.tfm``, ``.txt``).

    Returns
    -------
    (4, 4) array
        RAS mm to RAS mm; what the file maps is LPS.

    Raises
    ------
    ImageError
        If it cannot be read, is damaged or not linear, holds several transforms, or deforms: the sequences of
        one examination differ by a movement of the head alone.
    """
    check_file(path)
    unreadable = f"{path} is not a transform that can be read; give a .tfm file of ITK."
    with path.open("rb") as stream:
        # ITK reads HDF5 under any name, which may refer to any other file.
        if stream.read(len(_TEXT)) != _TEXT:
            raise ImageError(unreadable)
    if not _is_whole(path.read_text("utf-8", "surrogateescape")):
        raise ImageError(f"{path} is damaged or holds several transforms; save the one that is meant again.")
    try:
        transform = sitk.ReadTransform(str(path))
    # What ITK has to say may quote the file's bytes, which need not be text.
    except (RuntimeError, UnicodeDecodeError):
        raise ImageError(unreadable) from None
    if transform.GetDimension() != 3 or not transform.IsLinear():
        raise ImageError(f"the transform {path} is not linear in three dimensions; give a rigid one.")
    matrix = ras_matrix(transform)
    if np.abs(matrix[:3, :3] @ matrix[:3, :3].T - np.eye(3)).max() > 1e-3 or np.linalg.det(matrix) < 0:
        raise ImageError(f"the transform {path} scales, shears or mirrors; give a rigid one.")
    return matrix


def _is_whole(text: str) -> bool:
    """Whether each transform of a file has all its numbers, and none stands beside another.

    ITK reads on in memory where some are missing or are none, takes the identity for a transform without a
    line of them, and leaves out what follows the first transform.
    """
    transforms: list[tuple[str, dict[str, list[str]]]] = []
    for word, value in _LINE.findall(text):
        if word == "Transform":
            transforms.append((value.strip(), {}))
        elif transforms:
            transforms[-1][1][word] = value.split()
    if transforms and transforms[0][0].startswith(_COMPOSITE):
        del transforms[0]
    elif len(transforms) > 1:
        return False
    return all(_has_its_numbers(kind, numbers) for kind, numbers in transforms)


def _has_its_numbers(kind: str, numbers: dict[str, list[str]]) -> bool:
    name, _, dimensions = kind.partition("_")
    if len(numbers) != 2:
        return False
    try:
        finite = np.isfinite([float(number) for line in numbers.values() for number in line]).all()
    except ValueError:
        return False
    count = len(numbers["Parameters"])
    return bool(finite) and (not dimensions.endswith("3_3") or _NUMBERS.get(name, count) == count)


def _registration_record(result: Registration) -> dict:
    figures = {k: round(v, 4) for k, v in asdict(result).items() if k not in ("matrix", "improved")}
    found = f"by {result.translation_mm:.1f} mm and {result.rotation_degrees:.1f}°"
    if result.improved:
        remark = f"T2 registered, moved {found}"
    else:
        remark = f"registration did not improve on the header's geometry, which was kept (tried {found})"
    placed = "registration" if result.improved else "header"
    return {"t2_placed_by": placed, "registration": figures, "remarks": [remark]}
