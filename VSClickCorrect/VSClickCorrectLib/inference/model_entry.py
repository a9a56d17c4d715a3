"""The entries of a manifest, and what may stand in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.volume import INTENSITIES
from VSClickCorrectLib.io.json_files import parse_json
from VSClickCorrectLib.io.schema import Schema, number, of_fields, one_of, table

# The click model takes clicks as channels; without any it stands for the initial model.
ROLES = ("locator", "initial", "click", "corrector", "parts")
# What a model of several classes may see beside sequences: the tumour whose parts it tells.
MASK = "mask"
# Coefficients of the logistic regression that says how sure a candidate is: numbers, and lists of them; then
# between what features count.
CERTAINTY = ("intercept", "confidence", "log_volume", "located_log_odds", "t1ce")
FEATURES = ("features", "features_with_t1ce", "features_least", "features_most")
# Models calibrated by earlier versions know no difference between cases with a T1ce and without.
_NEEDED = CERTAINTY[:4]


@dataclass(frozen=True)
class ModelEntry:
    """One model of a manifest.

    Parameters
    ----------
    name : str
        Its name, unique in the manifest.
    role : str
        One of `ROLES`.
    file : str
        Weights, beside the manifest.
    sha256 : str
        Of the weights file, hexadecimal.
    network : str
        Name in the network registry.
    parameters : dict
        Of the network.
    geometry : dict
        The role's own: ``spacing`` in mm of a locator or initial model, or the ``shape`` of slabs that an
        initial model sees and their ``intensities``; of a model of parts ``spacing`` and the ``shape`` of its
        box, in samples; the fields of a corrector's `PatchGeometry`.
    threshold : float
        Probability from which a voxel is tumour.
    certainty : dict
        How sure a segmenter's candidates are: coefficients for `certainty_of`, or nothing.
    adapted : dict
        Of a network that has learned on this machine: ``parent``, the SHA-256 of the weights it began with,
        ``cases``, how many it learned from, ``date``, the scores before and after in ``own`` and
        ``builtin``, see `jobs.learning_task.Learned`, and ``beside``, the SHA-256 of the other network with
        which it is used. Nothing else has it.
    classes : list of str
        What a model of several classes tells apart, in the order of its outputs after the background.
    channels : list of str
        What such a model sees, in the order of its inputs: sequences by name, and `MASK`.
    """

    name: str
    role: str
    file: str
    sha256: str
    network: str
    parameters: dict = field(default_factory=dict)
    geometry: dict = field(default_factory=dict)
    threshold: float = 0.5
    certainty: dict = field(default_factory=dict)
    adapted: dict = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)

    @property
    def identity(self) -> str:
        """Name of the model and the beginning of its weights' hash, for a journal."""
        return f"{self.name}@{self.sha256[:12]}"


_TEXT = {"type": "string", "minLength": 1, "description": "a text"}
_COUNT = number(1, 1 << 20, whole=True)
_SCORES = {"type": "array", "items": number(0, 1), "minItems": 2, "maxItems": 2}
_SCORES["description"] = "two numbers from 0 to 1"
_BEFORE_AND_AFTER = {"own": _SCORES, "builtin": _SCORES}
NAMES = {
    "type": "array",
    "items": {"type": "string", "pattern": r"^\w[\w .-]{0,39}$", "description": "a name"},
    "maxItems": 255,
    "uniqueItems": True,
    "description": "a list of names, each of them once",
}
_NUMBER = {"type": "number", "description": "a number"}
_NUMBERS = {"type": "array", "items": _NUMBER, "minItems": 1, "description": "a list of numbers"}
_MODEL = of_fields(
    ModelEntry,
    name=_TEXT,
    role=one_of(*ROLES),
    # On Windows both strokes, and a drive's colon, part folders.
    file={
        "type": "string",
        "pattern": r"^(?!\.{1,2}$)[^/\\:]+$",
        "description": "the name of a file beside the manifest",
    },
    threshold={
        **number(0, 1),
        "exclusiveMinimum": True,
        "exclusiveMaximum": True,
        "description": "a number above 0 and below 1",
    },
    classes=NAMES,
    channels=NAMES,
    certainty={
        **table({**dict.fromkeys(CERTAINTY, _NUMBER), **dict.fromkeys(FEATURES, _NUMBERS)}, []),
        # All of them or none.
        "dependencies": dict.fromkeys((*CERTAINTY, *FEATURES), list(_NEEDED)),
        "description": f"numbers called {', '.join(_NEEDED)}",
    },
    adapted={
        **table({"parent": _TEXT, "beside": _TEXT, "cases": _COUNT, "date": _TEXT, **_BEFORE_AND_AFTER}, []),
        "dependencies": {"parent": ["cases", "date", "own", "builtin"]},
        "description": "how it was adapted",
    },
)
_MODELS = {"type": "array", "items": _MODEL, "description": "a list of models"}
MANIFEST = Schema(
    {
        "type": "object",
        "description": "names and values",
        "required": ["models"],
        "properties": {"models": _MODELS},
    }
)


def _three(items: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 3, "maxItems": 3, "description": description}


# What a model may ask for: more would fill the memory, and no network here is meant for it.
_LENGTH = number(0.1, 20, " mm")
_SPACING = _three(_LENGTH, "three lengths in mm")
_VOLUMES = Schema(table({"spacing": _SPACING}))
_PATCHES = Schema(
    of_fields(
        PatchGeometry,
        size=number(1, 128, whole=True),
        slices=number(1, 16, whole=True),
        pixel_mm=_LENGTH,
        slice_mm=_LENGTH,
        intensities=one_of(*INTENSITIES),
    )
)
_SIDES = _three(number(8, 160, whole=True), "three whole numbers from 8 to 160")
_BOXES = Schema(table({"spacing": _SPACING, "shape": _SIDES}))
# 256³ samples are as many as `covering_grid` allows.
_SHAPE = _three(number(1, 256, whole=True), "numbers of slices, rows and columns")
_PLACES_OR_SLABS = Schema(
    {
        **table({"spacing": _SPACING, "shape": _SHAPE, "intensities": one_of(*INTENSITIES)}, []),
        "oneOf": [{"required": ["spacing"]}, {"required": ["shape"]}],
        "dependencies": {"intensities": ["shape"]},
        "description": "names and values: spacing, three lengths in mm; or shape, numbers of slices, "
        "rows and columns, and intensities if you like",
    }
)
GEOMETRIES = {
    "locator": _VOLUMES,
    "initial": _PLACES_OR_SLABS,
    "click": _VOLUMES,
    "corrector": _PATCHES,
    "parts": _BOXES,
}


def check_network(
    role: str, network: str, parameters: Mapping[str, Any], geometry: Mapping[str, Any]
) -> None:
    """Refuse a network that cannot see what a role shows it.

    Raises
    ------
    ModelError
        If it sees slices, the role volumes; or if slabs have sides that it cannot halve.
    """
    from VSClickCorrectLib.networks.registry import dimensions, halvings, sees_volumes

    # Clicks reach other slices than their own.
    if not (role == "corrector" or dimensions(network) == 3 or (role != "click" and sees_volumes(network))):
        raise ModelError(f"the network '{network}' sees slices, {role} volumes; choose another network.")
    times = halvings(network, parameters)
    if any(side % 2**times for side in geometry.get("shape", ())):
        raise ModelError(
            f"the network '{network}' halves its sides {times} times; make the geometry's shape divisible by "
            f"{2**times}."
        )


def entries_of(content: bytes) -> list[ModelEntry]:
    """Read a manifest; raises VSClickError or ValueError with what is wrong with it."""
    document = parse_json(content)
    MANIFEST.check(document)
    entries = [ModelEntry(**values) for values in document["models"]]
    for entry in entries:
        GEOMETRIES[entry.role].check(entry.geometry, f"geometry of '{entry.name}'")
        check_classes(entry.role, entry.classes, entry.channels, f"'{entry.name}'")
    names = [entry.name for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two models are called '{name}'")
    return entries


def check_classes(role: str, classes: Sequence[str], channels: Sequence[str], whose: str) -> None:
    """Refuse a model that tells no classes apart though its role is that, or the other way round.

    Raises
    ------
    ValueError
        With what is missing or too much.
    """
    if role == "parts" and not (classes and channels):
        raise ValueError(f"{whose} is of role parts, so it needs classes and channels: two lists of names")
    if role != "parts" and (classes or channels):
        raise ValueError(f"{whose} has classes or channels, which are for the role parts, not {role}")
