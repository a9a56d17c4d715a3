"""Models: the manifest, its entries, and weights that are checked before use."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from VSClickCorrectLib.errors import ModelError, VSClickError, enough_memory
from VSClickCorrectLib.inference.model_entry import ModelEntry, check_network, entries_of
from VSClickCorrectLib.io.files import check_file, is_there
from VSClickCorrectLib.io.shipped import shipped_folder
from VSClickCorrectLib.io.user_data import user_data_folder

if TYPE_CHECKING:
    import torch
    from torch import nn

MANIFEST_NAME = "manifest.json"
# Where networks can be told to run.
DEVICES = ("auto", "cuda", "mps", "cpu")
# T1ce and T2; a mask and two kinds of clicks besides. A corrector's are those of its cuts.
_CHANNELS = {"locator": 2, "initial": 2, "click": 5}
_MAX_BYTES = {"manifest": 1 << 20, "weights": 1 << 29}
# Of what each released network has learned so many versions are offered, the newest.
VERSIONS = 3


def adapted_folder() -> Path:
    """Return the folder of the networks that have learned on this machine, whether it is there or not."""
    return user_data_folder() / "adapted"


class ModelFolder:
    """A folder with ``manifest.json`` and weights.

    Networks that have learned from this user's accepted cases are offered beside the ones they began with,
    wherever those lie.

    Parameters
    ----------
    folder : Path, optional
        The models that ship with the product if left out.
    version : str
        What is used of it: a corrector, or a network that has learned, each with those beside which it
        learned. Empty for the first model of each role, none of which has learned.

    Attributes
    ----------
    digest : str
        SHA-256 of the manifest, which names that of every model: another one, other models.
    entries : dict of ModelEntry
        The folder's own models by name.
    adapted : dict of ModelEntry
        The newest `VERSIONS` of `adapted_folder` that began with each of them, oldest first.
    remark : str
        Why those cannot be offered, a sentence; empty if nothing hinders it.

    Raises
    ------
    ModelError
        If there is no manifest or it cannot be understood.
    """

    def __init__(self, folder: Path | None = None, version: str = "") -> None:
        self.folder, self.version = folder or shipped_folder("models"), version
        path = self.folder / MANIFEST_NAME
        if not os.path.isfile(path):
            raise ModelError(f"{self.folder} holds no manifest.json; name a folder with models.")
        content = _manifest(path)
        self.digest = hashlib.sha256(content).hexdigest()
        try:
            self.entries = {entry.name: entry for entry in entries_of(content)}
        except (VSClickError, ValueError) as error:
            raise ModelError(f"{path} cannot be understood ({error}); install the models again.") from None
        # Older ones may be there, too, beside which a newer one has learned.
        self._learned: list[ModelEntry] = []
        self.remark = ""
        try:
            self._learned = self._children()
        except ModelError as error:
            # What ships is of use without them.
            self.remark = error.sentence
        self.adapted = {entry.name: entry for entry in newest(self._learned)}

    @property
    def all_entries(self) -> list[ModelEntry]:
        """The folder's own models, then the adapted ones."""
        return [*self.entries.values(), *self.adapted.values()]

    def has(self, role: str) -> bool:
        """Tell whether there is a model of that role."""
        return any(entry.role == role for entry in self.entries.values())

    @property
    def initial_entries(self) -> list[ModelEntry]:
        """The networks that make initial masks; raises as `entry`.

        The locator and the segmenter; where that is a click network the corrector, too, if there is one.
        """
        roles = ["locator", "click", "corrector"] if self.has("click") else ["locator", "initial"]
        return [self.entry(role) for role in roles if role != "corrector" or self.has(role)]

    def _children(self) -> list[ModelEntry]:
        """Return what has learned from the folder's own models, each as sure as its parent is."""
        sure = {(own.role, own.sha256): own.certainty for own in self.entries.values()}
        learned = [(entry, (entry.role, entry.adapted["parent"])) for entry in adapted_entries()]
        left = [(entry, it) for entry, it in learned if it in sure and entry.name not in self.entries]
        return [replace(entry, certainty=sure[parent]) for entry, parent in left]

    def entry(self, role: str, name: str | None = None) -> ModelEntry:
        """Return the model of that name, or the one of the role that `version` uses.

        Raises
        ------
        ModelError
            If there is none.
        """
        there = [*self.entries.values(), *self._learned]
        fitting = [e for e in there if e.role == role and name in (None, e.name)]
        if not fitting:
            what = f"model '{name}' of role {role}" if name else f"{role} model"
            raise self._has_no(what, [e for e in self.all_entries if not name or e.role == role])
        return fitting[0] if name or not self.version else self._used(fitting)

    def _used(self, fitting: Sequence[ModelEntry]) -> ModelEntry:
        """Return that of several models which the version is or was learned beside, or the first."""
        offered = [e for e in self.all_entries if e.role == "corrector" or e.adapted]
        chosen = next((e for e in offered if e.name == self.version), None)
        if chosen is None:
            raise self._has_no(f"model '{self.version}' of role corrector", offered)
        beside = chosen.adapted.get("beside")
        return next((e for e in fitting if e.name == self.version or e.sha256 == beside), fitting[0])

    def _has_no(self, what: str, fitting: Sequence[ModelEntry]) -> ModelError:
        known = ", ".join(e.name for e in fitting)
        return ModelError(f"{self.folder} has no {what}; it has {known or 'none'}.")

    def released(self, entry: ModelEntry) -> ModelEntry:
        """Return the model with which an adapted one of this folder began; any other one as it is."""
        parents = (own for own in self.entries.values() if own.sha256 == entry.adapted.get("parent"))
        return next(parents, entry)

    @enough_memory()
    def load(self, entry: ModelEntry, device: str | torch.device) -> nn.Module:
        """Build a network and load its weights, ready to run on a device, as for `choose_device`.

        Raises
        ------
        ModelError
            If the device cannot be used, the weights are missing, their hash is not the manifest's, they do
            not fit the network, or the network does not suit its role.
        """
        from VSClickCorrectLib.inference.device import choose_device, prepare

        chosen = choose_device(str(device))
        return prepare(self.load_as_trained(entry), chosen)

    def load_as_trained(self, entry: ModelEntry) -> nn.Module:
        """Build a network that can learn on, on the processor; raises as `load`, which makes it fast."""
        from safetensors import SafetensorError
        from safetensors.torch import load

        content = self._checked_bytes(entry)
        try:
            tensors = load(content)
        except (SafetensorError, KeyError):
            raise ModelError(
                f"the weights {_folder_of(self, entry) / entry.file} are no whole safetensors file; "
                "install the models again."
            ) from None
        network = _network_without_weights(entry)
        reason = _misfit(network, tensors)
        if reason:
            raise _does_not_fit(entry, reason)
        check_network(entry.role, entry.network, entry.parameters, entry.geometry)
        shown, taken = _CHANNELS.get(entry.role), entry.parameters.get("in_channels", 2)
        if shown not in (None, taken):
            raise ModelError(
                f"the network of {entry.name} takes {taken} channels, but a model of role {entry.role} is "
                f"shown {shown}; install other models."
            )
        weights = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
        network.load_state_dict(weights, assign=True)
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


class Choice(NamedTuple):
    """Which models run where: the folder (empty for the shipped ones), the version used of it, the device.

    A version is called after its corrector or, if it was the network of the initial mask that learned, after
    that; see `ModelFolder`.
    """

    folder: str = ""
    corrector: str = ""
    device: str = "auto"

    @property
    def path(self) -> Path | None:
        """The folder, None for the models that ship with the product."""
        return Path(self.folder) if self.folder else None

    @property
    def models(self) -> ModelFolder:
        """The models; raises `ModelError` if the folder holds none."""
        return ModelFolder(self.path, self.corrector)

    def correctors(self) -> list[str]:
        """Return the names of the correctors in the folder, then of what has learned here.

        Raises
        ------
        ModelError
            If the folder holds no models.
        """
        entries = ModelFolder(self.path).all_entries
        return [entry.name for entry in entries if entry.role == "corrector" or entry.adapted]


def _check_length(path: Path, kind: str) -> None:
    check_file(path, ModelError)
    if path.stat().st_size > _MAX_BYTES[kind]:
        raise ModelError(
            f"{path} is larger than {_MAX_BYTES[kind] >> 20} MB, as no {kind} here; install the models again."
        )


def _network_without_weights(entry: ModelEntry) -> nn.Module:
    """Build a network that takes no memory until weights are assigned to it."""
    import torch

    from VSClickCorrectLib.networks.registry import build

    try:
        with torch.device("meta"):
            return build(entry.network, **entry.parameters)
    except (RuntimeError, OverflowError):
        raise _does_not_fit(entry, "its parameters ask for more than any memory holds") from None


def _does_not_fit(entry: ModelEntry, reason: str) -> ModelError:
    return ModelError(f"the weights {entry.file} do not fit the network {entry.network} ({reason}).")


def _misfit(network: nn.Module, tensors: Mapping[str, torch.Tensor]) -> str:
    """Return why weights are not the network's, empty if they are."""
    import torch

    wanted = network.state_dict()
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


def newest(entries: Sequence[ModelEntry]) -> list[ModelEntry]:
    """Return the last `VERSIONS` of each parent of entries that have learned, in order."""
    later: dict[str, int] = {}
    kept = []
    for entry in reversed(entries):
        parent = entry.adapted["parent"]
        later[parent] = later.get(parent, 0) + 1
        if later[parent] <= VERSIONS:
            kept.append(entry)
    return kept[::-1]


def adapted_entries() -> list[ModelEntry]:
    """Return the models of `adapted_folder`, oldest first; raises `ModelError` if they cannot be read."""
    path = adapted_folder() / MANIFEST_NAME
    try:
        if not is_there(path):
            return []
        return [entry for entry in entries_of(_manifest(path)) if entry.adapted]
    except (VSClickError, ValueError, OSError) as error:
        raise ModelError(
            f"what was learned on this machine cannot be read from {path} ({error}); move that file away."
        ) from None


def _folder_of(models: ModelFolder, entry: ModelEntry) -> Path:
    return adapted_folder() if entry.adapted else models.folder


def _manifest(path: Path) -> bytes:
    _check_length(path, "manifest")
    return path.read_bytes()
