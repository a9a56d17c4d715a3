"""Models: the manifest, its entries, and weights that are checked before use."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.errors import ModelError, VSClickError, enough_memory
from VSClickCorrectLib.io.files import check_file
from VSClickCorrectLib.io.json_files import parse_json
from VSClickCorrectLib.io.schema import Schema, number, of_fields, one_of, table
from VSClickCorrectLib.io.shipped import shipped_folder

if TYPE_CHECKING:
    import torch
    from torch import nn

# The click model takes clicks as channels; without any it stands for the initial model.
ROLES = ("locator", "initial", "click", "corrector", "parts")
# What a model of several classes may see beside sequences: the tumour whose parts it tells.
MASK = "mask"
# Coefficients of the logistic regression that says how sure a candidate is.
CERTAINTY = ("intercept", "confidence", "log_volume", "located")
_MAX_BYTES = {"manifest": 1 << 20, "weights": 1 << 29}


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
        The role's own: ``spacing`` in mm of a locator or initial model, that and the ``shape`` of its box, in
        samples, of a model of parts, the fields of a corrector's `PatchGeometry`.
    threshold : float
        Probability from which a voxel is tumour.
    certainty : dict
        How sure a segmenter's candidates are: coefficients for `certainty_of`, or nothing.
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
    classes: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)


_TEXT = {"type": "string", "minLength": 1, "description": "a text"}
NAMES = {
    "type": "array",
    "items": {"type": "string", "pattern": r"^\w[\w .-]{0,39}$", "description": "a name"},
    "maxItems": 255,
    "uniqueItems": True,
    "description": "a list of names, each of them once",
}
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
        **table(dict.fromkeys(CERTAINTY, {"type": "number", "description": "a number"}), []),
        # All of them or none.
        "dependencies": {word: list(CERTAINTY) for word in CERTAINTY},
        "description": f"numbers called {', '.join(CERTAINTY)}",
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
# What a model may ask for: more would fill the memory, and no network here is meant for it.
_LENGTH = number(0.1, 20, " mm")
_SPACING = {"type": "array", "items": _LENGTH, "minItems": 3, "maxItems": 3}
_VOLUMES = Schema(table({"spacing": {**_SPACING, "description": "three lengths in mm"}}))
_PATCHES = Schema(
    of_fields(
        PatchGeometry,
        size=number(1, 128, whole=True),
        slices=number(1, 16, whole=True),
        pixel_mm=_LENGTH,
        slice_mm=_LENGTH,
    )
)
_SIDES = {"type": "array", "items": number(8, 160, whole=True), "minItems": 3, "maxItems": 3}
_BOXES = Schema(
    table(
        {
            "spacing": {**_SPACING, "description": "three lengths in mm"},
            "shape": {**_SIDES, "description": "three whole numbers from 8 to 160"},
        }
    )
)
_OTHERS = {"corrector": _PATCHES, "parts": _BOXES}
GEOMETRIES = {role: _OTHERS.get(role, _VOLUMES) for role in ROLES}


class ModelFolder:
    """A folder with ``manifest.json`` and weights.

    Parameters
    ----------
    folder : Path, optional
        The models that ship with the product if left out.

    Attributes
    ----------
    digest : str
        SHA-256 of the manifest, which names that of every model: another one, other models.

    Raises
    ------
    ModelError
        If there is no manifest or it cannot be understood.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or shipped_folder("models")
        path = self.folder / "manifest.json"
        if not os.path.isfile(path):
            raise ModelError(f"{self.folder} holds no manifest.json; name a folder with models.")
        _check_length(path, "manifest")
        content = path.read_bytes()
        self.digest = hashlib.sha256(content).hexdigest()
        try:
            entries = _entries_of(content)
        except (VSClickError, ValueError) as error:
            raise ModelError(f"{path} cannot be understood ({error}); install the models again.") from None
        self.entries = {entry.name: entry for entry in entries}

    def has(self, role: str) -> bool:
        """Tell whether there is a model of that role."""
        return any(entry.role == role for entry in self.entries.values())

    def entry(self, role: str, name: str | None = None) -> ModelEntry:
        """Return the model of that name, or the first of the role.

        Raises
        ------
        ModelError
            If there is none.
        """
        fitting = [e for e in self.entries.values() if e.role == role and name in (None, e.name)]
        if not fitting:
            what = f"model '{name}' of role {role}" if name else f"{role} model"
            raise ModelError(f"{self.folder} has no {what}; it has {', '.join(self.entries) or 'none'}.")
        return fitting[0]

    @enough_memory()
    def load(self, entry: ModelEntry, device: torch.device) -> nn.Module:
        """Build a network and load its weights.

        Raises
        ------
        ModelError
            If the weights are missing, their hash is not the manifest's, or they do not fit the network.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load

        from VSClickCorrectLib.inference.device import prepare
        from VSClickCorrectLib.networks.registry import build

        content = self._checked_bytes(entry)
        try:
            tensors = load(content)
        except (SafetensorError, KeyError):
            raise ModelError(
                f"the weights {self.folder / entry.file} are no whole safetensors file; "
                "install the models again."
            ) from None
        reason = _misfit(entry, tensors)
        if reason:
            raise ModelError(f"the weights {entry.file} do not fit the network {entry.network} ({reason}).")
        network = build(entry.network, **entry.parameters)
        network.load_state_dict(
            {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
        )
        return prepare(network, device)

    def check(self, entry: ModelEntry) -> None:
        """Refuse weights that could not be loaded as they are.

        Raises
        ------
        ModelError
            If the file is missing or its hash is not the manifest's.
        """
        self._checked_bytes(entry)

    def _checked_bytes(self, entry: ModelEntry) -> bytes:
        path = self.folder / entry.file
        if not os.path.isfile(path):
            raise ModelError(f"the weights {path} cannot be read; install the models again.")
        _check_length(path, "weights")
        content = path.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != entry.sha256:
            raise ModelError(
                f"the weights {path} are not those of the manifest (sha256 {found[:12]}… instead of "
                f"{entry.sha256[:12]}…); they may be damaged: install the models again."
            )
        return content


def _check_length(path: Path, kind: str) -> None:
    check_file(path, ModelError)
    if path.stat().st_size > _MAX_BYTES[kind]:
        raise ModelError(
            f"{path} is larger than {_MAX_BYTES[kind] >> 20} MB, as no {kind} here; install the models again."
        )


def _misfit(entry: ModelEntry, tensors: Mapping[str, torch.Tensor]) -> str:
    """Return why weights are not the network's, empty if they are; the network takes no memory for it."""
    import torch

    from VSClickCorrectLib.networks.registry import build

    try:
        with torch.device("meta"):
            wanted = build(entry.network, **entry.parameters).state_dict()
    except (RuntimeError, OverflowError):
        return "its parameters ask for more than any memory holds"
    for name, tensor in wanted.items():
        if name not in tensors:
            return f"{name} is missing"
        # Older PyTorch kept a single number as a list of one.
        if tensors[name].shape != tensor.shape and (tensor.dim() or tensors[name].numel() != 1):
            shapes = ("×".join(map(str, t.shape)) for t in (tensors[name], tensor))
            return "{} is {} instead of {}".format(name, *shapes)
        if not torch.isfinite(tensors[name]).all():
            return f"{name} holds NaN or infinite values"
    left = [name for name in tensors if name not in wanted]
    return f"it has no {left[0]}" if left else ""


def _entries_of(content: bytes) -> list[ModelEntry]:
    """Read a manifest; raises ValueError with what is wrong with it."""
    document = parse_json(content)
    MANIFEST.check(document)
    entries = [ModelEntry(**values) for values in document["models"]]
    for entry in entries:
        GEOMETRIES[entry.role].check(entry.geometry, f"geometry of '{entry.name}'")
        check_classes(entry.role, entry.classes, entry.channels, f"'{entry.name}'")
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
