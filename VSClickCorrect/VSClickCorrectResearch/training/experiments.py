"""Experiments: what is trained on what, read from small TOML files (Resources/Experiments)."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.triples import Index3
from VSClickCorrectLib.inference.model_entry import GEOMETRIES, NAMES, ROLES, check_classes
from VSClickCorrectLib.io.files import check_file
from VSClickCorrectLib.io.schema import Schema, number, of_fields, one_of, table
from VSClickCorrectLib.networks.registry import names

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# The truth, whose cuts are then spoiled one by one (thesis section 4.5.2.2).
EACH_CUT = "each-cut"
# Of masks to correct: spoiled on purpose, the initial model's own, as many of each, what it finds by itself.
STARTS = ("spoiled", "initial", "mixed", "found", EACH_CUT)
# Of training cuts: as a clinician's, drawn on the true border (4.5.2.1), by the thesis's user (4.5.3).
CLICKS = ("mixed", "drawn", "algorithm-1")


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
        Cases of the training cohort, drawn by the training's seed; 0 stands for all.
    missing_t1ce, missing_t2 : float
        Chance that a sequence is left out; never both.
    crop : tuple of int
        Crop shape (slices, rows, columns) of the initial networks.
    cubes : tuple of int
        Sides of crops of the click network: each batch has one of them, all equally often. Without them its
        crops have the shape above.
    reach_mm : float
        How far the target of an initial network reaches beyond the tumour.
    masks : int
        Masks to correct that are made of each case.
    rounds : int
        Rounds of clicks: from the second on, masks are what the weights to go on from made of them.
    start : {"spoiled", "initial", "mixed", "found", "each-cut"}
        Masks spoiled on purpose, the initial model's own, by itself or from a click and where it finds the
        tumour, as many of each, what it finds by itself, whatever that is (thesis section 4.8), or the truth,
        of which each cut is spoiled for itself (4.5.2.2).
    clicks : {"mixed", "drawn", "algorithm-1"}
        Where cuts are: a clinician's clicks on errors and borders, clicks drawn at random around the truth
        (4.5.2.1), or those of the thesis's simulated user (4.5.3).
    border_clicks, foreground_clicks, background_clicks : int
        Clicks in each slice at most, but for mixed ones; Algorithm 1 has border clicks alone.
    apart_mm : float
        Least distance between two of a kind in a slice, but for mixed ones.
    augmented : bool
        Whether batches are mirrored and recoloured.
    """

    cases: int = 0
    missing_t1ce: float = 0.1
    missing_t2: float = 0.3
    crop: Index3 = (24, 64, 64)
    cubes: tuple[int, ...] = ()
    reach_mm: float = 0.0
    masks: int = 8
    rounds: int = 1
    start: str = "spoiled"
    clicks: str = "mixed"
    border_clicks: int = 5
    foreground_clicks: int = 0
    background_clicks: int = 0
    apart_mm: float = 4.0
    augmented: bool = True


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
    epoch : int
        Steps of an epoch, in which milestones are counted.
    milestones : tuple of int
        Epochs after which the learning rate is multiplied by ``decay``; it is then not halved.
    decay : float
        See ``milestones``.
    """

    batch: int
    steps: int = 100_000
    val_every: int = 100
    learning_rate: float = 1e-3
    patience: int = 2
    stop_after: int = 0
    average: float = 0.0
    epoch: int = 1
    milestones: tuple[int, ...] = ()
    decay: float = 0.1


@dataclass(frozen=True)
class Experiment:
    """One training.

    Parameters
    ----------
    name : str
        The file's name.
    role : str
        What the network is for: one of `inference.model_entry.ROLES`.
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
    classes : tuple of str
        What a network of several classes tells apart, by the numbers in label maps from 1 on; else empty.
    channels : tuple of str
        What such a network sees, in the order of its inputs: sequences by the names of a list's columns, and
        `inference.model_entry.MASK`, the tumour whose parts it tells; else empty.
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
    classes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        """The network's parameters."""
        return {word: value for word, value in self.network.items() if word != "name"}


_PARTS = {"loss": Objective, "examples": Examples, "course": Course, "thesis": Reference}
_SIDE = number(1, 1024, whole=True)
_TRIPLE = {
    "type": "array",
    "items": _SIDE,
    "minItems": 3,
    "maxItems": 3,
    "description": "three whole numbers",
}
_AT_LEAST_1 = {"type": "integer", "minimum": 1, "description": "a whole number of at least 1"}
_TABLE = {"type": "object", "description": "a table"}
EXPERIMENT = Schema(
    table(
        {
            "role": one_of(*ROLES),
            "network": {**_TABLE, "required": ["name"], "properties": {"name": one_of(*names())}},
            "geometry": _TABLE,
            "loss": of_fields(Objective),
            "examples": of_fields(
                Examples,
                missing_t1ce=number(0, 1),
                missing_t2=number(0, 1),
                crop=_TRIPLE,
                cubes={"type": "array", "items": _SIDE, "description": "a list of whole numbers"},
                rounds=_AT_LEAST_1,
                start=one_of(*STARTS),
                clicks=one_of(*CLICKS),
            ),
            "course": of_fields(
                Course,
                batch=_AT_LEAST_1,
                steps=_AT_LEAST_1,
                val_every=_AT_LEAST_1,
                epoch=_AT_LEAST_1,
                milestones={"type": "array", "items": _AT_LEAST_1, "description": "a list of epochs"},
                decay=number(0, 1),
            ),
            "init_from": {"type": "string", "description": "the name of an experiment"},
            "thesis": of_fields(Reference),
            "classes": NAMES,
            "channels": NAMES,
        },
        ["role", "network", "geometry", "loss", "course"],
    )
)


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
    try:
        EXPERIMENT.check(content)
        names = {word: tuple(content.get(word, ())) for word in ("classes", "channels")}
        check_classes(content["role"], names["classes"], names["channels"], "it")
        GEOMETRIES[content["role"]].check(content["geometry"], "geometry")
    except ValueError as error:
        raise ModelError(f"{path}: {error}.") from None
    parts = {name: kind(**_frozen(content[name])) for name, kind in _PARTS.items() if name in content}
    experiment = Experiment(path.stem, **{"examples": Examples(), **content, **parts, **names})
    contradiction = _contradiction(experiment.examples)
    if contradiction:
        raise ModelError(f"{path}: {contradiction}.")
    return experiment


def _contradiction(examples: Examples) -> str:
    """Return what of the examples cannot be together, empty if all can."""
    if examples.start == EACH_CUT and examples.rounds > 1:
        return f"rounds of examples must be 1 where start is {EACH_CUT}: no mask is left for a second one"
    kinds = {"drawn": ("border", "foreground", "background"), "algorithm-1": ("border",)}
    named = [f"{kind}_clicks" for kind in kinds.get(examples.clicks, ())]
    if named and not any(getattr(examples, name) for name in named):
        return f"examples have no clicks; give {' or '.join(named)} a whole number of at least 1"
    return ""


def _frozen(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
