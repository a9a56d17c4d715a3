"""Experiments: what is trained on what, read from small TOML files (Resources/Experiments)."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.triples import Index3
from VSClickCorrectLib.inference.manifest import ROLES, check_geometry
from VSClickCorrectLib.io.files import check_file
from VSClickCorrectLib.networks.registry import names

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Reference:
    """The thesis's experiment that this one repeats.

    Parameters
    ----------
    section : str
        Where the thesis describes it.
    what : str
        What its table calls it.
    dsc : float
        Its test DSC there, on real scans.
    """

    section: str
    what: str
    dsc: float


@dataclass(frozen=True)
class Examples:
    """What a network learns from.

    Parameters
    ----------
    cases : int
        Cases of the training cohort, the first ones; 0 stands for all.
    missing_t1ce, missing_t2 : float
        Chance that a sequence is left out; never both.
    crop : tuple of int
        Crop shape (slices, rows, columns) of the initial networks.
    reach_mm : float
        How far the target of an initial network reaches beyond the tumour.
    masks : int
        Masks to correct that are made of each case.
    rounds : int
        Rounds of clicks: from the second on, masks are what the weights to go on from made of them.
    start : {"spoiled", "initial", "mixed"}
        Masks spoiled on purpose, the initial model's own (thesis section 4.8), or as many of each.
    """

    cases: int = 0
    missing_t1ce: float = 0.1
    missing_t2: float = 0.3
    crop: Index3 = (24, 64, 64)
    reach_mm: float = 0.0
    masks: int = 8
    rounds: int = 1
    start: str = "spoiled"


@dataclass(frozen=True)
class Objective:
    """What is minimised; see `training.objective`.

    Parameters
    ----------
    name : str
        Name of a loss.
    entropy : float
        Share of cross-entropy that is added: with it crops without a tumour teach too.
    tumour_weight : float
        How much more a tumour voxel counts in it than another.
    sparing : float
        Share of the loss that punishes spoiling what was right.
    parameters : dict
        The loss's own.
    """

    name: str
    entropy: float = 0.0
    tumour_weight: float = 1.0
    sparing: float = 0.0
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Course:
    """How a network is trained, unless the command says otherwise.

    Parameters
    ----------
    batch : int
        Examples a step.
    steps : int
        Steps at most.
    val_every : int
        Steps between two looks at the validation examples.
    learning_rate : float
        Of Adam, at the beginning.
    patience : int
        Looks without gain after which it is halved.
    stop_after : int
        Looks without gain after which training ends; 0 for never.
    average : float
        Decay of the moving average of the weights that is kept; 0 for none.
    """

    batch: int
    steps: int = 100_000
    val_every: int = 100
    learning_rate: float = 1e-3
    patience: int = 2
    stop_after: int = 0
    average: float = 0.0


@dataclass(frozen=True)
class Experiment:
    """One training.

    Parameters
    ----------
    name : str
        The file's name.
    role : str
        What the network is for: one of `inference.manifest.ROLES`.
    network : dict
        Its name in the registry, as ``name``, and its parameters.
    geometry : dict
        As in a manifest's entry.
    loss, examples, course
        See there.
    init_from : str
        The experiment whose weights this one begins with, if any.
    thesis : Reference, optional
        What it repeats.
    """

    name: str
    role: str
    network: dict[str, Any]
    geometry: dict[str, Any]
    loss: Objective
    examples: Examples
    course: Course
    init_from: str = ""
    thesis: Reference | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The network's parameters."""
        return {word: value for word, value in self.network.items() if word != "name"}


Part = TypeVar("Part", Objective, Examples, Course, Reference)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


# What a field may hold, by how it is annotated; no number of an experiment is negative.
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "int": (_is_count, "a whole number of at least 0"),
    "float": (_is_number, "a number of at least 0"),
    "str": (lambda value: isinstance(value, str), "a text"),
    "dict[str, Any]": (lambda value: isinstance(value, dict), "a table"),
    "Index3": (
        lambda value: isinstance(value, tuple) and len(value) == 3 and all(map(_is_count, value)),
        "three whole numbers",
    ),
}


def read_experiment(path: Path) -> Experiment:
    """Read an experiment's file.

    Raises
    ------
    ModelError
        If the file cannot be read or says something that no experiment has.
    """
    check_file(path, ModelError)
    try:
        with open(path, "rb") as file:
            content = tomllib.load(file)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no TOML file ({error}).") from None
    if content.get("role") not in ROLES:
        raise ModelError(f"{path} needs a role: {', '.join(ROLES)}.")
    thesis = content.pop("thesis", None)
    network, geometry = (_table(path, content, name) for name in ("network", "geometry"))
    if not isinstance(network.get("name"), str):
        raise ModelError(f"{path}: [network] has no name; give it one of {', '.join(names())}.")
    try:
        check_geometry(path.stem, content["role"], geometry)
    except ValueError as error:
        raise ModelError(f"{path}: {error}.") from None
    return Experiment(
        name=path.stem,
        role=content.pop("role"),
        network=network,
        geometry=geometry,
        loss=_part(Objective, path, "loss", _table(path, content, "loss")),
        examples=_part(Examples, path, "examples", content.pop("examples", {})),
        course=_part(Course, path, "course", _table(path, content, "course")),
        init_from=content.pop("init_from", ""),
        thesis=None if thesis is None else _part(Reference, path, "thesis", thesis),
        **_nothing_left(path, content),
    )


def _table(path: Path, content: dict[str, Any], name: str) -> dict[str, Any]:
    if not isinstance(content.get(name), dict):
        raise ModelError(f"{path} lacks the table [{name}].")
    return content.pop(name)


def _part(kind: type[Part], path: Path, name: str, values: Mapping[str, Any]) -> Part:
    known = [f.name for f in dataclasses.fields(kind)]
    for word in values:
        if word not in known:
            raise ModelError(f"{path}: [{name}] knows no '{word}'; it has {', '.join(known)}.")
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    for f in dataclasses.fields(kind):
        fits, wanted = _KINDS[str(f.type)]
        if f.name in given and not fits(given[f.name]):
            raise ModelError(f"{path}: {f.name} of [{name}] must be {wanted}, not {given[f.name]!r}.")
    try:
        return kind(**given)
    except TypeError as error:
        raise ModelError(f"{path}: [{name}] is incomplete ({error}).") from None


def _nothing_left(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    if content:
        raise ModelError(f"{path}: an experiment has no '{next(iter(content))}'.")
    return {}
