"""Networks of the registry whose weights are set by hand, and the folders they are read from.

They find what is bright in T1ce or in T2, and say so with a probability that can be worked out on paper:
``sigmoid(GAIN * (max(t1ce - cut, 0) + max(t2 - cut, 0)) + offset)``.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
from safetensors.numpy import save

GAIN = 80.0
# A voxel is tumour from this far above the cut.
OFFSET = -4.0
ABOVE_CUT = -OFFSET / GAIN

SLICES = 5
CUT_GEOMETRY = {"size": 48, "pixel_mm": 0.6, "slices": SLICES, "slice_mm": 1.5, "click_map": True}
UNET = {"in_channels": 2, "out_channels": 1, "channels": [2, 1]}
CLICK_UNET = {"in_channels": 5, "out_channels": 1, "channels": [2, 1]}
UNET2D = {"in_channels": 2, "out_channels": 1, "depth": 3, "features": 2}
CORRECTOR = {
    "image_channels": 2 * SLICES,
    "mask_channels": 2 * SLICES,
    "out_channels": SLICES,
    "channels": [2 * SLICES, 1],
}


def bright_unet3d(threshold: float, offset: float = OFFSET, parameters: dict = UNET) -> dict[str, np.ndarray]:
    """Tensors of a ``unet3d``, `UNET` or `CLICK_UNET`; ``threshold`` is a normalised intensity."""
    tensors = _zeros("unet3d", parameters)
    _pass_on(tensors, "encoder.stages.0", 2, -(threshold - ABOVE_CUT))
    _pass_on(tensors, "decoder.stages.0.block", 2)
    tensors["head.weight"][0, :2] = GAIN
    tensors["head.bias"][:] = offset
    return tensors


def bright_unet2d(threshold: float) -> dict[str, np.ndarray]:
    """Tensors of a ``unet2d`` with the parameters `UNET2D`, which answers as `bright_unet3d` does."""
    tensors = _zeros("unet2d", UNET2D)
    _pass_on(tensors, "encoder.0", 2, -(threshold - ABOVE_CUT))
    _pass_on(tensors, "decoder.1", 2)
    tensors["head.weight"][0, :2] = GAIN
    tensors["head.bias"][:] = OFFSET
    return tensors


def bright_corrector(threshold: float) -> dict[str, np.ndarray]:
    """Tensors of a ``multi_encoder_unet2d`` with the parameters `CORRECTOR`; it does not look at the mask."""
    tensors = _zeros("multi_encoder_unet2d", CORRECTOR)
    _pass_on(tensors, "image_encoder.stages.0", 2 * SLICES, -(threshold - ABOVE_CUT))
    for gate in (0, 1):
        tensors[f"decoder.stages.0.gates.{gate}.psi.bias"][:] = 30.0  # wide open
    _identity(tensors["decoder.stages.0.adjust.weight"], 2 * SLICES)
    _pass_on(tensors, "decoder.stages.0.block", 2 * SLICES)
    for n in range(SLICES):
        tensors["head.weight"][n, [n, SLICES + n]] = GAIN
    tensors["head.bias"][:] = OFFSET
    return tensors


def constant_unet3d(parameters: dict, logits: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Tensors of a ``unet3d`` that says the same of every voxel: these logits, one a channel."""
    tensors = _zeros("unet3d", parameters)
    tensors["head.bias"][:] = logits
    return tensors


def write_bright_models(folder: Path, initial_threshold: float = 0.55) -> Path:
    """Write locator, initial model and corrector; tumour is what is brighter than 0.55."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [
        write_weights(folder, "find", bright_unet3d(0.55)),
        write_weights(folder, "first", bright_unet3d(initial_threshold)),
        write_weights(folder, "mend", bright_corrector(0.55)),
    ]
    entries[0] |= {"role": "locator", "network": "unet3d", "parameters": UNET}
    entries[0] |= {"geometry": {"spacing": [3.0, 3.0, 3.0]}}
    entries[1] |= {"role": "initial", "network": "unet3d", "parameters": UNET}
    entries[1] |= {"geometry": {"spacing": [1.5, 0.75, 0.75]}}
    entries[2] |= {"role": "corrector", "network": "multi_encoder_unet2d", "parameters": CORRECTOR}
    entries[2] |= {"geometry": CUT_GEOMETRY}
    write_manifest(folder, entries)
    return folder


def write_click_models(folder: Path) -> Path:
    """Write `write_bright_models` with a click model in place of the initial one."""
    write_bright_models(folder)
    click = write_weights(folder, "whole", bright_unet3d(0.55, parameters=CLICK_UNET))
    click |= {"role": "click", "network": "unet3d", "parameters": CLICK_UNET}
    click |= {"geometry": {"spacing": [1.0, 1.0, 1.0]}}
    write_manifest(folder, [e for e in read_manifest(folder) if e["name"] != "first"] + [click])
    return folder


def write_weights(folder: Path, name: str, tensors: dict[str, np.ndarray]) -> dict:
    """Write fp16 weights and return what the manifest says of the file."""
    content = save({n: t.astype(np.float16) if t.dtype.kind == "f" else t for n, t in tensors.items()})
    return replace_weights(folder, name, content)


def replace_weights(folder: Path, name: str, content: bytes) -> dict:
    """Write any bytes as a weights file and return what a manifest that vouches for them says."""
    (folder / f"{name}.safetensors").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return {"name": name, "file": f"{name}.safetensors", "sha256": digest}


def write_manifest(folder: Path, entries: list) -> None:
    """Write a manifest with these entries."""
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "models": entries}), encoding="utf-8")


def read_manifest(folder: Path) -> list[dict]:
    """Return the entries of a manifest."""
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["models"]


def vouch_for(folder: Path, name: str, content: bytes) -> None:
    """Replace a model's weights by any bytes and put their right hash into the manifest."""
    replaced = replace_weights(folder, name, content)
    write_manifest(folder, [e | replaced if e["name"] == name else e for e in read_manifest(folder)])


def change_entry(folder: Path, name: str, **values) -> None:
    """Change what the manifest says of one model."""
    write_manifest(folder, [e | values if e["name"] == name else e for e in read_manifest(folder)])


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def pickled_trap(path: Path) -> bytes:
    """Return a pickle that makes ``path`` if anybody loads it."""
    return pickle.dumps({"head.weight": Trap(path)})


def _zeros(network: str, parameters: dict) -> dict[str, np.ndarray]:
    from VSClickCorrectLib.networks.registry import build

    tensors = {n: np.zeros_like(t.numpy()) for n, t in build(network, **parameters).state_dict().items()}
    for name, tensor in tensors.items():
        # Batch norms that pass everything on as it is.
        if name.endswith("running_var") or (".norm" in name and name.endswith("weight")):
            tensor[...] = 1.0
    return tensors


def _pass_on(tensors: dict[str, np.ndarray], block: str, channels: int, bias: float = 0.0) -> None:
    """Let a ConvBlock pass on its first channels, plus ``bias``, where that is above 0."""
    _identity(tensors[f"{block}.conv1.weight"], channels)
    tensors[f"{block}.conv1.bias"][:channels] = bias
    _identity(tensors[f"{block}.conv2.weight"], channels)


def _identity(weight: np.ndarray, channels: int) -> None:
    middle = tuple(n // 2 for n in weight.shape[2:])
    for n in range(channels):
        weight[(n, n, *middle)] = 1.0
