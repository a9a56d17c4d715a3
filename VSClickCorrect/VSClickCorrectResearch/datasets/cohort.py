"""Cohorts: synthetic cases written to a folder, one seed, one cohort."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from VSClickCorrectLib.errors import ImageError, VSClickError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.io.files import DAMAGED_ZIP, check_file, make_folder, write_atomically, write_text
from VSClickCorrectLib.io.json_files import parse_json
from VSClickCorrectLib.io.outputs import check_apart, writing_into
from VSClickCorrectLib.jobs.cases import Workers
from VSClickCorrectLib.signals import undone_by_signals

from VSClickCorrectResearch.datasets.elsewhere import elsewhere
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.simulation.acquisition import Acquisition, Region, random_acquisition
from VSClickCorrectResearch.simulation.contours import read_shapes
from VSClickCorrectResearch.simulation.head import Head, Tissue, TumourShape
from VSClickCorrectResearch.simulation.head_sources import HEAD_NAMES
from VSClickCorrectResearch.simulation.heads import load_heads
from VSClickCorrectResearch.simulation.inner_ear import MEASURED_PLACE
from VSClickCorrectResearch.simulation.label_maps import (
    LABEL_MAP_NAMES,
    LabelMap,
    draw_label_map,
    load_label_maps,
)
from VSClickCorrectResearch.simulation.phantom import phantom_head
from VSClickCorrectResearch.simulation.shapes import deformed, procedural_shape, random_volume
from VSClickCorrectResearch.simulation.synthesis import SIDES, SyntheticCase, synthesize
from VSClickCorrectResearch.simulation.true_parts import true_parts
from VSClickCorrectResearch.simulation.variety import Variety, balanced_shape, varied_acquisition

_CARD = "recipe.json"
# Held back, as are the shapes of their split: no head and no patient's tumour is in two splits.
HELD_BACK = {
    "validation": ("brats-gli", "philips-mprage", "seg_17", "seg_18"),
    "test": ("open-ms-04", "brainchop", "trio-mprage", "seg_19", "seg_20"),
}
REAL, LABEL_MAP, PHANTOM = "real", "label-map", "phantom"
PHANTOM_SHARE = 0.2
LABEL_MAP_SHARE = 0.4
PROCEDURAL_SHARE = 0.25
# Real scans come with skull and scalp, most borrowed heads without.
WHOLE_WEIGHT = 2.0
NO_TUMOUR_SHARE = 0.04
# Whole heads are for the locator, which works at 3 mm: there is no need to render them finer.
_HEAD_SPACING = (3.0, 3.0, 3.0)
_HEAD_MATRIX = (88, 88, 66)
# A balanced cohort's heads are for a locator that works at 2 mm and must see thick slices, too.
_FINE_HEAD_MM = 2.0
_REGION_MM = {"region": (84.0, 84.0, 54.0), "box": (108.0, 108.0, 100.0)}


@dataclass(frozen=True)
class CohortRecipe:
    """What a cohort is made of.

    Parameters
    ----------
    split : {"training", "validation", "test"}
        Which patients' tumours and which heads.
    extent : {"region", "box", "head", "scan"}
        The surroundings of the tumour at the scanner's resolution, wider ones for networks that see a box,
        whole heads at low resolution, or whole heads at the scanner's resolution.
    count : int
        Number of cases.
    seed : int
        One seed, one cohort.
    balanced : bool
        Whether what is seldom is as frequent as what is usual; see `simulation.variety`.
    classes : bool
        Whether the tumour's parts and the cochlea are known, too: in heads whose inner ear was drawn, with
        the cochlea where VS-SEG has it.
    elsewhere : float
        Share of boxes that show what is no tumour, see `datasets.elsewhere`.
    other_side : bool
        Whether nearly half of a balanced cohort have a tumour on the other side, too, and most others a
        meningioma there.
    """

    split: str
    extent: str
    count: int
    seed: int
    balanced: bool = False
    classes: bool = False
    elsewhere: float = 0.0
    other_side: bool = False


@dataclass(frozen=True, eq=False)
class Sources:
    """Heads, tumour shapes and label maps of one split."""

    heads: Sequence[Head]
    shapes: Sequence[TumourShape]
    maps: Sequence[LabelMap] = ()

    @classmethod
    def load(cls, data: Path, split: str, cache: Path | None = None) -> Sources:
        """Load the heads, the label maps and the real tumour shapes of a split from the data folder.

        The archive knows training and validation patients; every second one of the latter is for the test.

        Raises
        ------
        ImageError
            If the folder holds no heads or no shapes; label maps may be missing.
        """
        held_back = split != "training"
        heads = load_heads(data, cache, _names(HEAD_NAMES, split))
        maps = load_label_maps(data, cache, _names(LABEL_MAP_NAMES, split))
        archive = data / "vs-seg-contours.tar.gz"
        shapes = read_shapes(archive, "validation" if held_back else "training", cache)
        if held_back:
            shapes = shapes[int(split == "test") :: 2]
        if not heads or not shapes:
            raise ImageError(
                f"{data} holds no heads or no tumour shapes for {split}; see Resources/Docs/data.md."
            )
        return cls(heads, shapes, maps)

    def head(self, rng: np.random.Generator) -> tuple[Head, str]:
        """Return a head at random and its kind: ``"real"``, ``"label-map"`` or ``"phantom"``."""
        choice = rng.random()
        if choice < PHANTOM_SHARE:
            return phantom_head(rng), PHANTOM
        if choice < PHANTOM_SHARE + LABEL_MAP_SHARE and self.maps:
            return draw_label_map(self.maps[int(rng.integers(len(self.maps)))], rng), LABEL_MAP
        weights = np.array([WHOLE_WEIGHT if (h.tissue == Tissue.BONE).any() else 1.0 for h in self.heads])
        return self.heads[rng.choice(len(weights), p=weights / weights.sum())], REAL

    def drawn_head(self, rng: np.random.Generator) -> tuple[Head, str]:
        """Return a head whose inner ear was drawn, as in VS-SEG, and its kind."""
        if rng.random() < PHANTOM_SHARE or not self.maps:
            return phantom_head(rng, place=MEASURED_PLACE), PHANTOM
        label_map = self.maps[int(rng.integers(len(self.maps)))]
        return draw_label_map(label_map, rng, MEASURED_PLACE), LABEL_MAP


@dataclass(frozen=True)
class SourceFolder:
    """Where the sources of a split are, and what is there.

    Parameters
    ----------
    data, cache : Path
        As for `Sources.load`.
    split : str
        As for `Sources.load`.
    content : tuple
        Name, size and time of every file of ``data``: a process that lives for days loads anew what changed.
    """

    data: Path
    split: str
    cache: Path
    content: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, data: Path, split: str, cache: Path) -> SourceFolder:
        """Look what a data folder holds."""
        paths = sorted(path for path in data.rglob("*") if path.is_file())
        found = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
        return cls(data, split, cache, tuple(found))

    def load(self) -> Sources:
        """Return the sources, loaded once in a process."""
        return _loaded(self)


@lru_cache(maxsize=1)
def _loaded(found: SourceFolder) -> Sources:
    return Sources.load(found.data, found.split, found.cache)


def _names(names: Sequence[str], split: str) -> tuple[str, ...]:
    """Return those of ``names`` that belong to a split."""
    if split != "training":
        return tuple(name for name in names if name in HELD_BACK[split])
    held_back = [name for others in HELD_BACK.values() for name in others]
    return tuple(name for name in names if name not in held_back)


# What is raised of damaged archives of arrays, by numpy too.
_DAMAGED = (*DAMAGED_ZIP, KeyError, OSError, OverflowError, TypeError)


def write_cohort(folder: Path, recipe: CohortRecipe, data: Path, workers: Workers) -> None:
    """Make the cases of a recipe and write them to ``folder`` as ``.npz``; existing cases are kept.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    recipe : CohortRecipe
        What the cohort is made of.
    data : Path
        Heads, label maps and tumour shapes.
    workers : Workers
        Who makes the cases.

    Raises
    ------
    ImageError
        If the data folder lacks heads or tumour shapes, or ``folder`` is or lies in it, or holds another
        cohort.
    VSClickError
        The first reason why a case cannot be made, once all others are.
    """
    check_apart(folder, [data])
    cache = folder.parent / "cache"
    made = [new for new in (folder, cache) if not new.exists()]
    with undone_by_signals(lambda: _remove_empty(made)):
        try:
            with writing_into(folder):
                _prepare(folder, recipe, data, cache)
                _write_cases(folder, recipe, SourceFolder.of(data, recipe.split, cache), workers)
        except ImageError:
            _remove_empty(made)
            raise


def _prepare(folder: Path, recipe: CohortRecipe, data: Path, cache: Path) -> None:
    card = folder / _CARD
    if card.exists() and _recipe_in(card) != recipe:
        raise ImageError(f"{folder} holds a cohort of another recipe; choose an empty folder.")
    make_folder(cache)
    Sources.load(data, recipe.split, cache)
    write_text(card, json.dumps(asdict(recipe), indent=1) + "\n")


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _write_cases(folder: Path, recipe: CohortRecipe, sources: SourceFolder, workers: Workers) -> None:
    missing = [n for n in range(recipe.count) if not _path(folder, n).exists()]
    outcomes = list(workers.each(partial(_write_case, folder, recipe, sources), missing))
    for outcome in sorted(outcomes, key=lambda outcome: outcome.task):
        outcome.result()


def _recipe_in(card: Path) -> CohortRecipe | None:
    try:
        return CohortRecipe(**parse_json(card.read_bytes()))
    except (VSClickError, ValueError, TypeError):
        return None


@dataclass(frozen=True)
class CohortCase:
    """A case of a cohort by its file.

    Parameters
    ----------
    name : str
        What reports and tables call it.
    path : Path
        The case's ``.npz``.
    """

    name: str
    path: Path

    @property
    def files(self) -> dict[str, Path]:
        """The file, by the role that it has."""
        return {"case": self.path}

    @property
    def kind(self) -> str | None:
        """None: the file says it."""
        return None

    def load(self) -> LabelledCase:
        """Read the file.

        Raises
        ------
        ImageError
            If it is damaged.
        """
        check_file(self.path)
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                grid = Grid(arrays["truth"].shape, arrays["affine"])
                case = Case(Volume(arrays["t1ce"], grid), Volume(arrays["t2"], grid))
                # Cohorts of earlier versions do not say what heads they have.
                kind = str(arrays["kind"]) if "kind" in arrays else ""
                classes = arrays.get("classes")
                return LabelledCase(self.name, case, arrays["truth"], kind=kind, classes=classes)
        except _DAMAGED:
            raise ImageError(f"the case {self.path} is damaged; write the cohort again.") from None


def list_cohort(folder: Path) -> list[CohortCase]:
    """Return the cases of a cohort that `write_cohort` wrote; none is read yet.

    Raises
    ------
    ImageError
        If the folder holds no case.
    """
    paths = sorted(folder.glob("case-*.npz"))
    if not paths:
        raise ImageError(f"{folder} holds no case of a cohort; write one with 'vsclick simulate'.")
    return [CohortCase(path.stem, path) for path in paths]


def _path(folder: Path, number: int) -> Path:
    return folder / f"case-{number:05d}.npz"


def _write_case(folder: Path, recipe: CohortRecipe, found: SourceFolder, number: int) -> None:
    made, head, kind = made_case(found.load(), recipe, number)
    more: dict[str, Any] = {"classes": true_parts(head, made.grid, made.truth)} if recipe.classes else {}
    write_atomically(
        _path(folder, number),
        lambda path: np.savez_compressed(
            path,
            t1ce=made.t1ce.array,
            t2=made.t2.array,
            truth=made.truth,
            affine=made.grid.affine,
            kind=np.array(kind),
            **more,
        ),
    )


def made_case(sources: Sources, recipe: CohortRecipe, number: int) -> tuple[SyntheticCase, Head, str]:
    """Return a case of a recipe by its number, its head and the head's kind."""
    rng = np.random.default_rng([recipe.seed, number])
    head, kind = sources.drawn_head(rng) if recipe.classes else sources.head(rng)
    shape = _shape(rng, sources.shapes, recipe.balanced)
    side = SIDES[int(rng.integers(2))]
    acquisition, region = _geometry(recipe, rng)
    variety = Variety.drawn(rng, sources.shapes, recipe.other_side) if recipe.balanced else None
    if region is not None and recipe.elsewhere and rng.random() < recipe.elsewhere:
        region, variety = elsewhere(rng, head, side, region, variety)
    return synthesize(head, shape, side, rng, acquisition, region, variety), head, kind


def _shape(
    rng: np.random.Generator, shapes: Sequence[TumourShape], balanced: bool = False
) -> TumourShape | None:
    choice = rng.random()
    if choice < NO_TUMOUR_SHARE:
        return None
    if balanced:
        return balanced_shape(rng, shapes)
    if choice < NO_TUMOUR_SHARE + PROCEDURAL_SHARE:
        return procedural_shape(rng, random_volume(rng))
    return deformed(shapes[int(rng.integers(len(shapes)))], rng)


def _geometry(recipe: CohortRecipe, rng: np.random.Generator) -> tuple[Acquisition, Region | None]:
    acquisition = varied_acquisition(rng) if recipe.balanced else random_acquisition(rng)
    if recipe.extent == "head":
        return _at_low_resolution(acquisition, recipe.balanced), None
    size = _REGION_MM.get(recipe.extent)
    return acquisition, None if size is None else Region(None, size)


def _at_low_resolution(acquisition: Acquisition, balanced: bool) -> Acquisition:
    if not balanced:
        return replace(acquisition, spacing=_HEAD_SPACING, matrix=_HEAD_MATRIX)
    slices = max(_FINE_HEAD_MM, acquisition.spacing[2])
    matrix = (100, 116, round(200 / slices))
    return replace(acquisition, spacing=(_FINE_HEAD_MM, _FINE_HEAD_MM, slices), matrix=matrix)
