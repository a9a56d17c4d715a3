"""VS-SEG as TCIA hands it out (CC BY 4.0, doi 10.7937/TCIA.9YTJ-5Q73).

Images, contours and registration matrices are three downloads. How folders are called and nested does not
matter, be it TCIA's layout (descriptive or classic), the one of the publishers' scripts (``vs_gk_<n>_t1``,
``vs_gk_<n>_t2``) or BIDS: every file names its patient and its series, and by these the files are joined.

Of a patient's two matrices ``inv_T2_LPS_to_T1_LPS.tfm`` maps points of the T1ce to points of the T2, which is
what resampling the T2 onto the T1ce takes, and ``inv_T1_LPS_to_T2_LPS.tfm`` maps them back. Without ``inv_``
in its name a matrix maps as the name says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.dicom_length import is_dicom
from VSClickCorrectLib.io.dicom_search import find_series, unnamed_folders
from VSClickCorrectLib.io.dicom_text import header_text
from VSClickCorrectLib.io.files import check_file
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectLib.io.json_files import parse_json
from VSClickCorrectLib.io.one_grid import resample_to_grid
from VSClickCorrectLib.io.pairing import OTHER_FRAME, differ
from VSClickCorrectLib.io.series_choice import Series, meant_as
from VSClickCorrectLib.worklist.names import case_name, natural

from VSClickCorrectResearch.datasets.derived_parts import DERIVED, derived_parts
from VSClickCorrectResearch.datasets.importing import CaseSource, Imported, NoTumour
from VSClickCorrectResearch.datasets.placing import Placed, place, read_matrix
from VSClickCorrectResearch.datasets.rtstruct import read_structure_set
from VSClickCorrectResearch.simulation.planar_contours import Contour, rasterise, slice_offset
from VSClickCorrectResearch.simulation.vs_seg import cochlea_contours, tumour_contours

_PATIENT = re.compile(r"^#PatientID:[ \t]*(.*\S)", re.MULTILINE)
# A matrix is called as the one that it is, or that it is the inverse of.
_MATRIX = re.compile(r"(?P<inverse>inv_)?(?P<of>T[12])_LPS_to_(?P<to>(?!(?P=of))T[12])_LPS")
# Contours that lie so near to the slices, in slices, were drawn on them.
_ON_SLICES = 0.1
_APART = "the contours lie in another frame of reference than the images on which they were drawn; check them"
# In all of VS-SEG contours of both frames agree to 1e-11 mm by the patient's matrices.
_MATRIX_TOLERANCE_MM = 0.1


@dataclass
class _Patient:
    """The files of one patient."""

    name: str
    series: list[Series] = field(default_factory=list)
    contours: dict[str, list[Path]] = field(default_factory=dict)  # by the series on which they were drawn
    matrices: dict[str, list[Path]] = field(default_factory=dict)  # by the frame whose points they map
    faults: list[str] = field(default_factory=list)  # of contours whose patient is not known

    @property
    def is_drawn(self) -> bool:
        """Whether contours were drawn on any of the series."""
        return any(series.uid in self.contours for series in self.series)


@dataclass(frozen=True)
class _Tumour:
    """The contours of one series; of the tumour none where another structure alone was drawn on it."""

    contours: list[Contour]
    names: list[str]
    left_out: list[str]
    path: Path
    cochlea: list[Contour]
    apart: bool  # whether their points lie in another frame of reference than the series


def find_cases(root: Path, registered: bool = False, classes: bool = False) -> list[CaseSource]:
    """Find the patients of a VS-SEG download.

    Parameters
    ----------
    root : Path
        A folder that holds the images and, anywhere in it, the contours and the matrices.
    registered : bool
        Whether to register the T2 of patients without matrix whose sequences have different frames.
    classes : bool
        Whether to keep the cochlea and the tumour's parts, too, of patients whose cochlea was drawn; the
        porus between the parts was not and is derived, see `simulation.porus`.

    Returns
    -------
    list of CaseSource
        By patient. The original contours of a ``contours.json`` are preferred to the RTSTRUCT's.

    Raises
    ------
    ImageError
        If the folder holds no MR series.
    """
    series, others = find_series(root)
    unnamed = unnamed_folders(root)
    if not series and not unnamed:
        raise ImageError(f"{root} holds no DICOM series of MR images; give the folder of the download.")
    patients: dict[str, _Patient] = {}
    for found in series:
        patients.setdefault(found.patient, _Patient(found.patient)).series.append(found)
    faults: list[str] = []
    for path in others:
        with _noted(faults):
            _join(patients, path)
    lacking = {s.uid: p for p in patients.values() if not p.is_drawn for s in p.series}
    for path in others if lacking else ():
        with _noted(faults):
            _join_structure_set(lacking, path)
    for patient in lacking.values():
        patient.faults = faults
    sources = [_source(patients[name], registered, classes) for name in sorted(patients, key=natural)]
    return sources + [_unreadable(folder) for folder in unnamed]


def _unreadable(folder: Path) -> CaseSource:
    return CaseSource(case_name(folder.name), {}, partial(_refuse_name, folder))


def _refuse_name(folder: Path) -> Imported:
    raise ImageError(f"the name {folder} is not UTF-8 text; rename the folder.")


@contextmanager
def _noted(faults: list[str]) -> Iterator[None]:
    """Note what is wrong with a file: it fails those patients alone who have no other."""
    try:
        yield
    except ImageError as error:
        faults.append(str(error))


def _join(patients: dict[str, _Patient], path: Path) -> None:
    """Give contours and matrices to the patients that they name."""
    if path.suffix == ".json" and "contours" in path.name:
        for patient, uid in _contours_of(path):
            if patient in patients:
                patients[patient].contours.setdefault(uid, []).append(path)
    elif path.suffix == ".tfm":
        check_file(path)
        owner = _PATIENT.search(header_text(path.read_text("utf-8", "surrogateescape"), ""))
        frame = _mapped_frame(path.name)
        if owner and frame and owner[1] in patients:
            patients[owner[1]].matrices.setdefault(frame, []).append(path)


def _mapped_frame(name: str) -> str | None:
    """Return of which frame a matrix maps points to the other, by its file's name: ``T1`` or ``T2``."""
    told = _MATRIX.search(name)
    return (told["to"] if told["inverse"] else told["of"]) if told else None


def _contours_of(path: Path) -> set[tuple[str, str]]:
    """Return the patients and series of which a file holds contours."""
    return {(s.get("PatientID", ""), s.get("MR_SeriesInstanceUID", "")) for s in _structures(path)}


def _structures(path: Path) -> list[dict]:
    check_file(path)
    try:
        structures = parse_json(path.read_bytes())
    except ValueError:
        raise ImageError(f"the contours {path} cannot be read; download them again.") from None
    if not isinstance(structures, list) or not all(map(_is_structure, structures)):
        raise ImageError(f"{path} does not list structures with contours; give VS-SEG's contours.json.")
    return structures


def _is_structure(value: Any) -> bool:
    texts = ("structure_name", "PatientID", "MR_SeriesInstanceUID")
    if not isinstance(value, dict) or not all(isinstance(value.get(word, ""), str) for word in texts):
        return False
    if "structure_name" not in value:
        return False
    try:
        # Contours are lists of points of three numbers; anything else makes no such array.
        contours = [np.asarray(c, float) for c in value["LPS_contour_points"]]
    except (KeyError, TypeError, ValueError, OverflowError):
        return False
    return all(c.shape[1:] == (3,) and np.isfinite(c).all() for c in contours)


def _join_structure_set(lacking: dict[str, _Patient], path: Path) -> None:
    """Give an RTSTRUCT to its patient, if that one has no original contours."""
    found = read_structure_set(path) if is_dicom(path) else None
    for uid in found.series & lacking.keys() if found is not None else ():
        lacking[uid].contours.setdefault(uid, []).append(path)


def _source(patient: _Patient, registered: bool, classes: bool) -> CaseSource:
    names = Counter(["contours", "matrices", "", *(s.description for s in patient.series)])
    # What is called as another series or role is told by its UID, so that no files hide others.
    files = {s.description if names[s.description] == 1 else s.uid: s.files for s in patient.series}
    contours = tuple(path for paths in patient.contours.values() for path in paths)
    matrices = tuple(path for paths in patient.matrices.values() for path in paths)
    more = {"contours": contours, "matrices": matrices}
    settings = {"dataset": "vs-seg", "register": registered}
    if classes:
        settings["classes"] = True
    read = partial(_read, patient, registered, classes)
    return CaseSource(
        patient.name, files | {role: paths for role, paths in more.items() if paths}, read, settings
    )


def _read(patient: _Patient, registered: bool, classes: bool) -> Imported:
    series = {name: _the_series(patient, name) for name in ("t1", "t2")}
    first, second = series["t1"], series["t2"]
    if first is None and second is None:
        raise ImageError("neither a T1 nor a T2 series can be told by the headers; give VS-SEG's series.")
    tumours = _tumours(patient, series)
    matrix = _matrix(patient, tumours)
    volumes = [None if s is None else read_volume(s.folder, uid=s.uid) for s in (first, second)]
    same_frame = first is not None and second is not None and first.frame == second.frame != ""
    placed = place(volumes, matrix, registered and not same_frame)
    label, record = _label(placed, tumours, volumes)
    by_header = placed.record.get("t2_placed_by") == "header" and "registration" not in placed.record
    if by_header and not same_frame:
        read = [remark for remark in placed.record.get("remarks", ()) if remark != OTHER_FRAME]
        record["remarks"] = [*read, "no matrix and another frame; the T2 lies where its header puts it"]
    record = {**placed.record, **record}
    if tumours[record["structures"]["drawn_on"]].apart:
        record["remarks"] = [*record.get("remarks", ()), _APART]
    if not classes:
        return Imported(placed.case, label, record=record)
    try:
        parts = _classes(placed, tumours, volumes, label)
    except ImageError as error:
        remarks = [*record.get("remarks", ()), f"no classes: {error}"]
        return Imported(placed.case, label, record={**record, "remarks": remarks})
    return Imported(placed.case, label, classes=parts, record={**record, **DERIVED})


def _the_series(patient: _Patient, weighting: str) -> Series | None:
    found = [s for s in patient.series if s.weighting == weighting]
    # Of a T1 before and after contrast medium it is the later.
    found = list(meant_as({"t1": "t1ce"}.get(weighting), found))
    if len(found) > 1:
        places = " and ".join(sorted(f"'{s.description}' in {s.folder}" for s in found)[:2])
        raise ImageError(f"there are {len(found)} {weighting.upper()} series ({places}); keep the right one.")
    return found[0] if found else None


def _tumours(patient: _Patient, series: dict[str, Series | None]) -> dict[str, _Tumour]:
    """Return what was drawn on each series; on one of them it is the tumour."""
    found = {name: _tumour(patient, s) for name, s in series.items() if s is not None}
    drawn = {name: tumour for name, tumour in found.items() if tumour is not None}
    if not drawn:
        raise ImageError(
            f"there are no contours of this patient that can be used: {patient.faults[0]}"
            if patient.faults
            else "there are no contours of this patient's series; download contours or RTSTRUCT as well."
        )
    if not any(tumour.names for tumour in drawn.values()):
        others = dict.fromkeys(name for tumour in drawn.values() for name in tumour.left_out)
        raise NoTumour(f"no structure is the tumour, there is only {', '.join(others) or 'none'}.")
    return drawn


def _tumour(patient: _Patient, series: Series) -> _Tumour | None:
    """Return the tumour that was drawn on a series, None if nothing was."""
    paths = patient.contours.get(series.uid, [])
    if not paths:
        return None
    if len(paths) > 1:
        raise ImageError(f"{paths[0]} and {paths[1]} hold contours of one series; keep the right one.")
    every = _structures(paths[0]) if paths[0].suffix == ".json" else read_structure_set(paths[0]).structures  # type: ignore[union-attr]
    # A file may hold what was drawn on other series, and of other patients, too.
    structures = [s for s in every if s.get("MR_SeriesInstanceUID", "") == series.uid]
    contours, names, left_out = tumour_contours(patient.name, structures)
    if len(names) > 1:
        raise ImageError(f"{paths[0]} holds several tumours ({', '.join(names)}); keep the right one.")
    if any(s.get("open_contours") for s in structures if s["structure_name"] in names):
        raise ImageError(f"{paths[0]}, structure {names[0]} holds lines that are not closed; close them.")
    if names and not contours:
        raise ImageError(f"{paths[0]}, structure {names[0]} holds no contour; draw it or download it again.")
    frames = [s.get("frame", "") for s in structures if s["structure_name"] in names]
    apart = any(differ(frame, series.frame) for frame in frames)
    return _Tumour(contours, names, left_out, paths[0], cochlea_contours(structures), apart)


def _matrix(patient: _Patient, tumours: dict[str, _Tumour]) -> np.ndarray | None:
    """Return the matrix from the T1ce's to the T2's frame, RAS, checked against contours of both frames."""
    there, back = patient.matrices.get("T1", []), patient.matrices.get("T2", [])
    if not (there or back):
        return None
    matrix = _the_matrix(there or back)
    matrix = matrix if there else np.linalg.inv(matrix)
    drawn = [t.contours for t in tumours.values() if t.contours]
    if len(drawn) < 2:
        return matrix
    points = [np.concatenate(contours) for contours in drawn]
    if points[0].shape == points[1].shape:
        mapped = points[0] @ matrix[:3, :3].T + matrix[:3, 3]
        if np.linalg.norm(mapped - points[1], axis=1).max() > _MATRIX_TOLERANCE_MM:
            path = (there or back)[0]
            raise ImageError(f"{path} does not bring the contours of T1ce and T2 together.")
    return matrix


def _the_matrix(paths: Sequence[Path]) -> np.ndarray:
    """Return what files of one direction hold, which may be there twice and be rounded differently."""
    first, *others = map(read_matrix, paths)
    for path, other in zip(paths[1:], others, strict=True):
        if not np.allclose(first, other, atol=1e-4):
            raise ImageError(f"{paths[0]} and {path} differ; keep the right one.")
    return first


def _label(
    placed: Placed, tumours: dict[str, _Tumour], volumes: Sequence[Volume | None]
) -> tuple[np.ndarray, dict]:
    drawn = {name: t for name, t in tumours.items() if t.contours}
    on, offset = _scan_of({name: t.contours for name, t in drawn.items()}, volumes)
    tumour = drawn[on]
    try:
        label = _filled(placed, tumour.contours, on, volumes)
    except ImageError as error:
        raise ImageError(f"{tumour.path}, structure {tumour.names[0]}: {error}") from None
    if not label.any():
        raise ImageError(f"{tumour.path} was drawn where the T1ce does not reach; check the T1ce.")
    return label, {
        "structures": {"tumour": tumour.names, "left_out": tumour.left_out, "drawn_on": on},
        "slice_offset": round(offset, 4),
    }


def _classes(
    placed: Placed,
    tumours: dict[str, _Tumour],
    volumes: Sequence[Volume | None],
    label: np.ndarray,
) -> np.ndarray:
    """Return the tumour's parts and the cochlea; raises `ImageError` where they cannot be told."""
    drawn = {name: t.cochlea for name, t in tumours.items() if t.cochlea}
    if not drawn:
        raise ImageError("the cochlea was not drawn.")
    on, _ = _scan_of(drawn, volumes)
    return derived_parts(placed.case.grid, label, _filled(placed, drawn[on], on, volumes))


def _scan_of(drawn: dict[str, list[Contour]], volumes: Sequence[Volume | None]) -> tuple[str, float]:
    """Return the scan on whose slices contours lie, and how far they lie from these at most, in slices."""
    grids = _grids(volumes)
    offsets = {name: slice_offset(contours, grids[name]) for name, contours in drawn.items()}
    on = "t1" if offsets.get("t1", np.inf) <= _ON_SLICES else min(offsets, key=offsets.__getitem__)
    return on, offsets[on]


def _filled(placed: Placed, contours: list[Contour], on: str, volumes: Sequence[Volume | None]) -> np.ndarray:
    """Fill contours on the scan on which they were drawn; a label of the T2 is brought to the T1ce."""
    label = rasterise(contours, _grids(volumes)[on])
    if placed.t2 is not None and on == "t2" and placed.case.t1ce is not None:
        there = Volume(label.astype(np.float32), placed.t2.grid)
        label = resample_to_grid(there, placed.case.grid).array >= 0.5
    return label


def _grids(volumes: Sequence[Volume | None]) -> dict[str, Grid]:
    return {name: v.grid for name, v in zip(("t1", "t2"), volumes, strict=True) if v is not None}
