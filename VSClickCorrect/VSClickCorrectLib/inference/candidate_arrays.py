"""Initial masks as plain arrays, for the files in which they are kept and handed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.triples import index3
from VSClickCorrectLib.inference.initial_mask import InitialMask

_PARTS = ("start", "stop", "bits", "sure")
_MODELS = "models"


def arrays_of(initial: InitialMask) -> dict[str, Any]:
    """Return a mask and its other candidates as arrays, by names that begin with the candidate's number."""
    candidates = {
        f"{number}.{name}": value
        for number, one in enumerate((replace(initial, others=()), *initial.others))
        for name, value in _arrays_of_one(one).items()
    }
    return {_MODELS: np.array(initial.models, dtype=str), **candidates}


def initial_of(arrays: Mapping[str, np.ndarray]) -> InitialMask:
    """Return what `arrays_of` was given; raises KeyError or ValueError where the arrays are others."""
    count = len({name.split(".")[0] for name in arrays if name != _MODELS})
    best, *others = (_one_of({k: arrays[f"{n}.{k}"] for k in _PARTS}) for n in range(count))
    return replace(best, others=tuple(others), models=tuple(map(str, arrays[_MODELS])))


def _arrays_of_one(one: InitialMask) -> dict[str, Any]:
    bits, sure = np.packbits(one.values), (one.confidence, one.located, one.certainty)
    return {"start": one.box.start, "stop": one.box.stop, "bits": bits, "sure": sure}


def _one_of(arrays: Mapping[str, np.ndarray]) -> InitialMask:
    box = Box(index3(arrays["start"]), index3(arrays["stop"]))
    count = int(np.prod(box.shape))
    if min(box.shape) < 0 or len(arrays["bits"]) != -(-count // 8):
        raise ValueError("the voxels of a candidate are more or fewer than its box has")
    values = np.unpackbits(arrays["bits"], count=count).reshape(box.shape).astype(bool)
    confidence, located, certainty = map(float, arrays["sure"])
    return InitialMask(box, values, confidence, located, certainty)
