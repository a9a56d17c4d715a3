"""Networks by name, as model manifests and training configurations call for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import nn

from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.networks.attention_unet import AttentionUNet2D
from VSClickCorrectLib.networks.fusion import FUSIONS
from VSClickCorrectLib.networks.multi_encoder import MultiEncoderUNet
from VSClickCorrectLib.networks.unet2d import UNet2D
from VSClickCorrectLib.networks.unet3d import UNet3D

# A manifest is not to fill the memory; the shallowest features are as large as the input.
_MAX_INPUTS = 4096
_MAX_STAGES = 8
_WIDEST, _WIDEST_FIRST = 1024, 64

_NETWORKS: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "unet3d": (UNet3D, {}),
    "attention_unet2d": (AttentionUNet2D, {}),
    "multi_encoder_unet2d": (MultiEncoderUNet, {"dimensions": 2}),
    "multi_encoder_unet3d": (MultiEncoderUNet, {"dimensions": 3}),
    "unet2d": (UNet2D, {}),
}
_SLICE_WISE = ("unet2d",)


def names() -> tuple[str, ...]:
    """Return the names that `build` knows."""
    return tuple(_NETWORKS)


def dimensions(name: str) -> int:
    """Return 2 for networks that see the slices of a cut as channels, 3 for those that see a volume."""
    return 3 if name.endswith("3d") else 2


def sees_volumes(name: str) -> bool:
    """Tell whether a network takes volumes ``(b, c, slices, rows, columns)``, whole or slice by slice."""
    return dimensions(name) == 3 or name in _SLICE_WISE


def halvings(name: str, parameters: Mapping[str, Any]) -> int:
    """Return how often a network halves the sides of what it sees, which must be divisible that often.

    Parameters
    ----------
    name : str
        One of `names`.
    parameters : mapping
        The network's own. One without ``channels`` fills sides up by itself and halves none.
    """
    default = inspect.signature(_NETWORKS[name][0]).parameters.get("channels")
    return 0 if default is None else len(parameters.get("channels", default.default)) - 1


def build(name: str, **parameters: Any) -> nn.Module:
    """Build a network with fresh random weights.

    Parameters
    ----------
    name : str
        One of `names`.
    **parameters
        The network's own parameters, in types that JSON has: ``channels`` may be a list.

    Returns
    -------
    nn.Module
        The network, in training mode; maps ``(b, c, *spatial)`` to logits of the same spatial shape.

    Raises
    ------
    ModelError
        If the name or a parameter is unknown, or a value is of no use.
    """
    if name not in _NETWORKS:
        raise ModelError(f"There is no network '{name}'; choose one of {', '.join(_NETWORKS)}.")
    network, fixed = _NETWORKS[name]
    known = [word for word in inspect.signature(network).parameters if word not in fixed]
    for word, value in parameters.items():
        if word not in known:
            raise ModelError(f"Network '{name}' has no parameter '{word}'; it has {', '.join(known)}.")
        _check_value(name, word, value)
    return network(**fixed, **parameters)


def _check_value(name: str, word: str, value: Any) -> None:
    is_good, wanted = _RULES.get(word, (_is_count, f"a whole number from 1 to {_MAX_INPUTS}"))
    if not is_good(value):
        raise ModelError(f"Parameter '{word}' of network '{name}' must be {wanted}, not {value!r}.")


def _is_count(value: Any, most: int = _MAX_INPUTS) -> bool:
    # bool is an int to Python, but "true" in a manifest is a mistake here.
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _is_widths(value: Any) -> bool:
    if not isinstance(value, list | tuple) or not 2 <= len(value) <= _MAX_STAGES:
        return False
    return all(map(_is_count, value)) and value[0] <= _WIDEST_FIRST and max(value) <= _WIDEST


def _is_chance(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1


def _is_fusion(value: Any) -> bool:
    return value == "concatenation" or (isinstance(value, str) and value in FUSIONS)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "channels": (
        _is_widths,
        f"a list of 2 to {_MAX_STAGES} whole numbers from 1 to {_WIDEST}, the first at most {_WIDEST_FIRST}",
    ),
    "depth": (partial(_is_count, most=_MAX_STAGES), f"a whole number from 1 to {_MAX_STAGES}"),
    "features": (partial(_is_count, most=_WIDEST_FIRST), f"a whole number from 1 to {_WIDEST_FIRST}"),
    "dropout": (_is_chance, "a number from 0 to below 1"),
    "attention": (_is_flag, "true or false"),
    "fusion": (_is_fusion, f"concatenation, {' or '.join(FUSIONS)}"),
    "each_sample": (_is_flag, "true or false"),
}
