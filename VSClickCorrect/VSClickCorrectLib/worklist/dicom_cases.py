"""Cases of DICOM series, by the patient and the study that their headers name, and masks that lie beside."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from VSClickCorrectLib.io.dicom_search import find_all_series, unnamed_folders
from VSClickCorrectLib.io.naming import Kind, kind_of
from VSClickCorrectLib.io.series_choice import Series
from VSClickCorrectLib.worklist.image_roles import FoundImage, by_kind, case_of_images, is_scan
from VSClickCorrectLib.worklist.names import case_name
from VSClickCorrectLib.worklist.segmentations import Segmentations
from VSClickCorrectLib.worklist.side_by_side import PlacedCase, with_masks
from VSClickCorrectLib.worklist.work_case import WorkCase

_KINDS = (Kind.T1CE, Kind.T1, Kind.T2)


def dicom_cases(
    root: Path, output: Path, masks: Sequence[Path] = (), left_out: Collection[str] = ()
) -> list[PlacedCase]:
    """Return a case for each patient with MR series, or for a folder of series without a patient.

    Parameters
    ----------
    root : Path
        The folder.
    output : Path
        The folder of the results, whose segmentations are none to begin with.
    masks : sequence of Path
        Files of other formats that lie in it beside no scan of their own.
    left_out : collection of str
        Names of folders in which no series are wanted.
    """
    found: dict[str, list[Series]] = {}
    series, others = find_all_series(root)
    segmentations = Segmentations(series, others, output)
    scans = [one for one in series if one.modality == "MR"]
    wanted = [one for one in scans if not set(left_out) & set(one.folder.relative_to(root).parts)]
    for one in wanted:
        found.setdefault(case_name(one.patient or _called(one, wanted)), []).append(one)
    cases = []
    for patient, its in found.items():
        for name, study in _by_study(patient, its).items():
            if (case := _of_series(name, study, root)) is not None:
                folders = frozenset(one.folder for one in study)
                cases.append(PlacedCase(segmentations.given_to(case), folders))
    # Beside other scans such a folder may hold anything.
    for folder in unnamed_folders(root) if not left_out else ():
        name = case_name("_".join(folder.relative_to(root).parts) or folder.name)
        fault = f"the name {folder} is not UTF-8 text; rename it, and what is in it."
        cases.append(PlacedCase(WorkCase(name, fault=fault), frozenset([folder])))
    return with_masks(cases, masks, root)


def _called(series: Series, others: Sequence[Series]) -> str:
    """Return the name of the folder that holds a study which names no patient, or one of its many series."""
    study = [one for one in others if series.study and not one.patient and one.study == series.study]
    kinds = [one.kind for one in study if one.kind in _KINDS]
    its = study if len(set(kinds)) == len(kinds) else []
    return Path(os.path.abspath(os.path.commonpath([one.folder for one in (series, *its)]))).name


def _by_study(patient: str, series: Sequence[Series]) -> dict[str, list[Series]]:
    """Return a patient's series, for each study apart where several of them hold the same sequence."""
    dates = {s.study: s.date for s in series}
    told = len(set(dates.values())) == len(dates) and all(dates.values())
    # Of one day, a T1 may be what was made before the contrast medium was given.
    same = {Kind.T1: Kind.T1CE} if told else {}
    kinds = [(same.get(s.kind, s.kind), s.study) for s in series if s.kind in _KINDS]
    if all(len({study for k, study in kinds if k is kind}) < 2 for kind, _ in kinds):
        return {patient: list(series)}
    studies: dict[str, list[Series]] = {}
    for one in series:
        studies.setdefault(f"{patient}_{one.date if told else one.study}", []).append(one)
    return studies


def _of_series(name: str, series: Sequence[Series], root: Path) -> WorkCase | None:
    """Return a case of DICOM series, None if none of them is a scan of use."""
    places = [(s.kind if s.kind is not Kind.UNKNOWN else _by_folder(s, root), s) for s in series]
    images = by_kind(
        (kind, FoundImage(s.folder, f"'{s.name}' in {s.folder.name}", s.uid)) for kind, s in places
    )
    return _of_studies(case_of_images(name, images), series) if is_scan(images) else None


def _of_studies(case: WorkCase, series: Sequence[Series]) -> WorkCase:
    """Tell of a T1ce and a T2 of two studies; of two that name no patient nobody knows that it is one."""
    its = [s for s in series if s.uid in case.series.values()]
    if len({s.study for s in its}) < 2:
        return case
    if not its[0].patient and len({s.folder for s in its}) > 1:
        which = " and ".join(str(s.folder) for s in its)
        fault = f"{which} name no patient and are of two studies; say in a CSV list what belongs together."
        return WorkCase(case.name, fault=fault)
    remark = f"its T1ce and T2 are of two studies ({', '.join(s.date or s.study for s in its)}); check them"
    return case.with_remark(remark)


def _by_folder(series: Series, root: Path) -> Kind:
    return Kind.UNKNOWN if series.folder == root else kind_of(series.folder.name)
