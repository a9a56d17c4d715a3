"""Models: the manifest, its entries, and weights that are checked before use."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.errors import ModelError, VSClickError, enough_memory
from VSClickCorrectLib.io.files import check_file
from VSClickCorrectLib.io.json_files import parse_json
from VSClickCorrectLib.io.shipped import shipped_folder

if TYPE_CHECKING:
    import torch
    from torch import nn

# The click model takes clicks as channels; without any it stands for the initial model.
ROLES = ("locator", "initial", "click", "corrector")
# Coefficients of the logistic regression that says how sure a candidate is.
CERTAINTY = ("intercept", "confidence", "log_volume", "located")
# What a manifest may ask for: more would fill the memory, and no network here is meant for it.
_MAX_PATCH = 512
_MAX_PATCH_SAMPLES = 1 << 18
_LENGTHS_MM = (0.1, 20.0)
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
        The role's own: ``spacing`` in mm of a locator or initial model, the fields of a corrector's
        `PatchGeometry`.
    threshold : float
        Probability from which a voxel is tumour.
    certainty : dict
        How sure a segmenter's candidates are: coefficients for `certainty_of`, or nothing.
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


class ModelFolder:
    """A folder with ``manifest.json`` and weights.

    Parameters
    ----------
    folder : Path, optional
        The models that ship with the product if left out.

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
        try:
            entries = _entries_of(path.read_bytes())
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
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(models, list):
        raise ValueError("it lists no models")
    return [_entry_of(values) for values in models]


def _entry_of(values: Any) -> ModelEntry:
    """Read an entry; raises ValueError with what is wrong with it."""
    if not isinstance(values, dict):
        raise ValueError("a model is not names and values")
    name = values.get("name", "")
    known = {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(ModelEntry)}
    for word in values:
        if word not in known:
            raise ValueError(f"model '{name}' has an unknown '{word}'")
    for word, needed in known.items():
        if needed and not isinstance(values.get(word), str):
            raise ValueError(f"model '{name}' has no {word}, which must be a text")
    entry = ModelEntry(**values)
    if entry.role not in ROLES:
        raise ValueError(f"model '{name}' has the role '{entry.role}', not one of {', '.join(ROLES)}")
    # On Windows both strokes separate folders.
    if PureWindowsPath(entry.file).name != entry.file or entry.file == "..":
        raise ValueError(f"the file of model '{name}' must lie beside the manifest")
    if not isinstance(entry.parameters, dict):
        raise ValueError(f"the parameters of model '{name}' must be names and values")
    if not (_is_positive(entry.threshold) and entry.threshold < 1):
        raise ValueError(f"the threshold of model '{name}' must be a number above 0 and below 1")
    check_geometry(name, entry.role, entry.geometry)
    _check_certainty(name, entry.certainty)
    return entry


def _check_certainty(name: str, certainty: Any) -> None:
    numbers = list(certainty.values()) if isinstance(certainty, dict) else [None]
    if not all(isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in numbers):
        raise ValueError(f"the certainty of model '{name}' must be names and numbers")
    if certainty and set(certainty) != set(CERTAINTY):
        raise ValueError(f"the certainty of model '{name}' needs {', '.join(CERTAINTY)} and nothing else")


def check_geometry(name: str, role: str, geometry: Any) -> None:
    """Check the geometry of a model of a role.

    Raises
    ------
    ValueError
        With what is wrong with it.
    """
    if not isinstance(geometry, dict):
        raise ValueError(f"the geometry of model '{name}' must be names and values")
    if role == "corrector":
        counts, lengths = _cut_sizes(name, geometry)
    else:
        counts, lengths = [], geometry.get("spacing", [])
        if not isinstance(lengths, list) or len(lengths) != 3:
            raise ValueError(f"the spacing of model '{name}' must be three lengths in mm")
    if not all(map(_is_positive, counts + lengths)):
        raise ValueError(f"the geometry of model '{name}' must be numbers above 0")
    shortest, longest = _LENGTHS_MM
    if min(lengths) < shortest or max(lengths) > longest:
        raise ValueError(f"the lengths of model '{name}' must be from {shortest:g} to {longest:g} mm")


def _cut_sizes(name: str, geometry: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return the numbers of pixels and slices of a cut, and its lengths in mm."""
    known = [f.name for f in fields(PatchGeometry)]
    for word in geometry:
        if word not in known:
            raise ValueError(f"the geometry of model '{name}' has an unknown '{word}'")
    cuts = PatchGeometry(**geometry)
    for number in (cuts.size, cuts.slices):
        if not isinstance(number, int) or number > _MAX_PATCH:
            raise ValueError(f"size and slices of model '{name}' must be whole numbers up to {_MAX_PATCH}")
    if cuts.size * cuts.size * cuts.slices > _MAX_PATCH_SAMPLES:
        raise ValueError(f"the cuts of model '{name}' hold more than {_MAX_PATCH_SAMPLES} samples")
    return [cuts.size, cuts.slices], [cuts.pixel_mm, cuts.slice_mm]


def _is_positive(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and value > 0
        and (isinstance(value, int) or math.isfinite(value))
    )
