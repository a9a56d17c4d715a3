"""Models: the manifest, its entries, and weights that are checked before use."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.imaging.cuts import CutGeometry

if TYPE_CHECKING:
    import torch
    from torch import nn

# Of two initial models, the second is for cases without a T1ce.
ROLES = ("locator", "initial", "initial-t2", "corrector")
_PACKAGE = Path(__file__).resolve().parents[1]
# Installed, the models lie in the package; in a checkout, at the top of the repository.
_FOLDERS = (_PACKAGE / "models", _PACKAGE.parents[1] / "models")


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
        `CutGeometry`.
    threshold : float
        Probability from which a voxel is tumour.
    """

    name: str
    role: str
    file: str
    sha256: str
    network: str
    parameters: dict = field(default_factory=dict)
    geometry: dict = field(default_factory=dict)
    threshold: float = 0.5


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
        self.folder = folder or next((f for f in _FOLDERS if (f / "manifest.json").is_file()), _FOLDERS[-1])
        path = self.folder / "manifest.json"
        try:
            entries = [_entry_of(v) for v in json.loads(path.read_text(encoding="utf-8"))["models"]]
        except FileNotFoundError:
            raise ModelError(f"{self.folder} holds no manifest.json; name a folder with models.") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
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

        network = build(entry.network, **entry.parameters)
        content = self._checked_bytes(entry)
        try:
            tensors = load(content)
        except (SafetensorError, KeyError):
            raise ModelError(
                f"the weights {self.folder / entry.file} are no whole safetensors file; "
                "install the models again."
            ) from None
        try:
            network.load_state_dict(
                {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
            )
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise ModelError(
                f"the weights {entry.file} do not fit the network {entry.network} ({reason})."
            ) from None
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
        try:
            content = path.read_bytes()
        except OSError:
            raise ModelError(f"the weights {path} cannot be read; install the models again.") from None
        found = hashlib.sha256(content).hexdigest()
        if found != entry.sha256:
            raise ModelError(
                f"the weights {path} are not those of the manifest (sha256 {found[:12]}… instead of "
                f"{entry.sha256[:12]}…); they may be damaged: install the models again."
            )
        return content


def _entry_of(values: Any) -> ModelEntry:
    """Read an entry; raises TypeError or ValueError with what is wrong with it."""
    entry = ModelEntry(**values)
    texts = (entry.name, entry.role, entry.file, entry.sha256, entry.network)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("name, role, file, sha256 and network of a model must be texts")
    if entry.role not in ROLES:
        raise ValueError(f"model '{entry.name}' has the role '{entry.role}', not one of {', '.join(ROLES)}")
    if not isinstance(entry.parameters, dict):
        raise TypeError(f"the parameters of model '{entry.name}' must be names and values")
    if not _is_positive(entry.threshold):
        raise ValueError(f"the threshold of model '{entry.name}' must be a number above 0")
    _check_geometry(entry)
    return entry


def _check_geometry(entry: ModelEntry) -> None:
    if entry.role == "corrector":
        cuts = CutGeometry(**entry.geometry)
        sizes = [cuts.size, cuts.pixel_mm, cuts.slices, cuts.slice_mm]
    else:
        sizes = entry.geometry["spacing"]
        if not isinstance(sizes, list) or len(sizes) != 3:
            raise ValueError(f"the spacing of model '{entry.name}' must be three lengths in mm")
    if not all(map(_is_positive, sizes)):
        raise ValueError(f"the geometry of model '{entry.name}' must be numbers above 0")


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and value > 0
