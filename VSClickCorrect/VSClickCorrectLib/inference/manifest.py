"""Models: the manifest, its entries, and weights that are checked before use."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.errors import ModelError, VSClickError, enough_memory
from VSClickCorrectLib.geometry.volume import INTENSITIES
from VSClickCorrectLib.io.files import check_file, is_there
from VSClickCorrectLib.io.json_files import parse_json
from VSClickCorrectLib.io.schema import Schema, number, of_fields, one_of, table
from VSClickCorrectLib.io.shipped import shipped_folder
from VSClickCorrectLib.io.user_data import user_data_folder

if TYPE_CHECKING:
    import torch
    from torch import nn

# The click model takes clicks as channels; without any it stands for the initial model.
ROLES = ("locator", "initial", "click", "corrector")
# Coefficients of the logistic regression that says how sure a candidate is.
CERTAINTY = ("intercept", "confidence", "log_volume", "located")
MANIFEST_NAME = "manifest.json"
# T1ce and T2; a mask and two kinds of clicks besides. A corrector's are those of its cuts.
_CHANNELS = {"locator": 2, "initial": 2, "click": 5}
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
        The role's own: ``spacing`` in mm of a locator or initial model, or the ``shape`` of slabs that an
        initial model sees and their ``intensities``; the fields of a corrector's `PatchGeometry`.
    threshold : float
        Probability from which a voxel is tumour.
    certainty : dict
        How sure a segmenter's candidates are: coefficients for `certainty_of`, or nothing.
    adapted : dict
        Of a corrector that has learned on this machine: ``parent``, the SHA-256 of the weights it began with,
        ``cases``, how many it learned from, ``date``, and the scores before and after in ``own`` and
        ``builtin``, see `jobs.adaptation.Adapted`. Nothing else has it.
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


_TEXT = {"type": "string", "minLength": 1, "description": "a text"}
_COUNT = number(1, 1 << 20, whole=True)
_SCORES = {"type": "array", "items": number(0, 1), "minItems": 2, "maxItems": 2}
_SCORES["description"] = "two numbers from 0 to 1"
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
    certainty={
        **table(dict.fromkeys(CERTAINTY, {"type": "number", "description": "a number"}), []),
        # All of them or none.
        "dependencies": {word: list(CERTAINTY) for word in CERTAINTY},
        "description": f"numbers called {', '.join(CERTAINTY)}",
    },
    adapted={
        **table({"parent": _TEXT, "cases": _COUNT, "date": _TEXT, "own": _SCORES, "builtin": _SCORES}, []),
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
        intensities=one_of(*INTENSITIES),
    )
)
# 256³ samples are as many as `covering_grid` allows.
_SHAPE = {"type": "array", "items": number(1, 256, whole=True), "minItems": 3, "maxItems": 3}
_PLACES_OR_SLABS = Schema(
    {
        **table(
            {
                "spacing": {**_SPACING, "description": "three lengths in mm"},
                "shape": {**_SHAPE, "description": "numbers of slices, rows and columns"},
                "intensities": one_of(*INTENSITIES),
            },
            [],
        ),
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


def adapted_folder() -> Path:
    """Return the folder of the correctors that have learned on this machine, whether it is there or not."""
    return user_data_folder() / "adapted"


class ModelFolder:
    """A folder with ``manifest.json`` and weights.

    Correctors that have learned from this user's accepted cases are offered beside the ones they began with,
    wherever those lie.

    Parameters
    ----------
    folder : Path, optional
        The models that ship with the product if left out.

    Attributes
    ----------
    digest : str
        SHA-256 of the manifest, which names that of every model: another one, other models.
    entries : dict of ModelEntry
        The folder's own models by name.
    adapted : dict of ModelEntry
        Those of `adapted_folder` that began with one of them, oldest first.
    remark : str
        Why those cannot be offered, a sentence; empty if nothing hinders it.

    Raises
    ------
    ModelError
        If there is no manifest or it cannot be understood.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or shipped_folder("models")
        path = self.folder / MANIFEST_NAME
        if not os.path.isfile(path):
            raise ModelError(f"{self.folder} holds no manifest.json; name a folder with models.")
        content = _manifest(path)
        self.digest = hashlib.sha256(content).hexdigest()
        try:
            self.entries = {entry.name: entry for entry in _entries_of(content)}
        except (VSClickError, ValueError) as error:
            raise ModelError(f"{path} cannot be understood ({error}); install the models again.") from None
        self.adapted: dict[str, ModelEntry] = {}
        self.remark = ""
        try:
            self.adapted = {entry.name: entry for entry in adapted_entries() if self._is_child(entry)}
        except ModelError as error:
            # What ships is of use without them.
            self.remark = error.sentence

    @property
    def all_entries(self) -> list[ModelEntry]:
        """The folder's own models, then the adapted ones."""
        return [*self.entries.values(), *self.adapted.values()]

    def has(self, role: str) -> bool:
        """Tell whether there is a model of that role."""
        return any(entry.role == role for entry in self.entries.values())

    def _is_child(self, entry: ModelEntry) -> bool:
        parents = [own.sha256 for own in self.entries.values() if own.role == entry.role]
        return entry.adapted.get("parent") in parents and entry.name not in self.entries

    def entry(self, role: str, name: str | None = None) -> ModelEntry:
        """Return the model of that name, or the first of the role, which is never an adapted one.

        Raises
        ------
        ModelError
            If there is none.
        """
        fitting = [e for e in self.all_entries if e.role == role and name in (None, e.name)]
        if not fitting:
            what = f"model '{name}' of role {role}" if name else f"{role} model"
            known = ", ".join(e.name for e in self.all_entries)
            raise ModelError(f"{self.folder} has no {what}; it has {known or 'none'}.")
        return fitting[0]

    @enough_memory()
    def load(self, entry: ModelEntry, device: torch.device) -> nn.Module:
        """Build a network and load its weights, ready to run.

        Raises
        ------
        ModelError
            If the weights are missing, their hash is not the manifest's, they do not fit the network, or the
            network does not suit its role.
        """
        from VSClickCorrectLib.inference.device import prepare

        return prepare(self.load_as_trained(entry), device)

    def load_as_trained(self, entry: ModelEntry) -> nn.Module:
        """Build a network that can learn on, on the processor; raises as `load`, which makes it fast."""
        from safetensors import SafetensorError
        from safetensors.torch import load

        from VSClickCorrectLib.networks.registry import build

        content = self._checked_bytes(entry)
        try:
            tensors = load(content)
        except (SafetensorError, KeyError):
            raise ModelError(
                f"the weights {_folder_of(self, entry) / entry.file} are no whole safetensors file; "
                "install the models again."
            ) from None
        reason = _misfit(entry, tensors)
        if reason:
            raise ModelError(f"the weights {entry.file} do not fit the network {entry.network} ({reason}).")
        check_network(entry.role, entry.network, entry.parameters, entry.geometry)
        shown, taken = _CHANNELS.get(entry.role), entry.parameters.get("in_channels", 2)
        if shown not in (None, taken):
            raise ModelError(
                f"the network of {entry.name} takes {taken} channels, but a model of role {entry.role} is "
                f"shown {shown}; install other models."
            )
        network = build(entry.network, **entry.parameters)
        network.load_state_dict(
            {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
        )
        return network

    def check(self, entry: ModelEntry) -> None:
        """Refuse weights that could not be loaded as they are.

        Raises
        ------
        ModelError
            If the file is missing or its hash is not the manifest's.
        """
        self._checked_bytes(entry)

    def _checked_bytes(self, entry: ModelEntry) -> bytes:
        path = _folder_of(self, entry) / entry.file
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


def adapted_entries() -> list[ModelEntry]:
    """Return the models of `adapted_folder`, oldest first; raises `ModelError` if they cannot be read."""
    path = adapted_folder() / MANIFEST_NAME
    try:
        if not is_there(path):
            return []
        return [entry for entry in _entries_of(_manifest(path)) if entry.adapted]
    except (VSClickError, ValueError, OSError) as error:
        raise ModelError(
            f"what was learned on this machine cannot be read from {path} ({error}); move that file away."
        ) from None


def _folder_of(models: ModelFolder, entry: ModelEntry) -> Path:
    return adapted_folder() if entry.adapted else models.folder


def _manifest(path: Path) -> bytes:
    _check_length(path, "manifest")
    return path.read_bytes()


def _entries_of(content: bytes) -> list[ModelEntry]:
    """Read a manifest; raises ValueError with what is wrong with it."""
    document = parse_json(content)
    MANIFEST.check(document)
    entries = [ModelEntry(**values) for values in document["models"]]
    for entry in entries:
        GEOMETRIES[entry.role].check(entry.geometry, f"geometry of '{entry.name}'")
    names = [entry.name for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two models are called '{name}'")
    return entries
