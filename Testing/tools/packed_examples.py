"""The writer of the examples that ship, which `read_builtin` reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from VSClickCorrectLib.inference.examples import STEPS, written


def packed(
    images: list[np.ndarray],
    cuts: list[np.ndarray],
    place: list[int],
    held_out: list[bool],
    geometry: Mapping[str, Any],
    steps: int = STEPS,
) -> dict[str, np.ndarray]:
    """Return the arrays of a compressed ``.npz`` that `read_builtin` reads.

    Parameters
    ----------
    images : list of ndarray
        T1ce, T2 and target of each place, ``(3, slices, rows, columns)``, 0 to 1.
    cuts : list of ndarray
        Mask and clicks of each example, ``(channels, slices, rows, columns)``, 0 to 1 and -1 to 1.
    place : list of int
        The number of each example's place.
    held_out : list of bool
        Whether the examples of a place are held out.
    geometry : dict
        As for `read_builtin`.
    steps : int
        In how many steps values are kept.
    """
    pairs = np.stack(cuts).astype(np.float64)
    pairs[:, 1:] = (pairs[:, 1:] + 1) / 2
    return {
        "images": _in_steps(np.stack(images), steps),
        "cuts": _in_steps(pairs, steps),
        "place": np.array(place, np.int16),
        "held_out": np.array(held_out, bool),
        "geometry": np.array(written(geometry)),
        "steps": np.array(steps, np.uint8),
    }


def _in_steps(values: np.ndarray, steps: int) -> np.ndarray:
    return np.rint(np.clip(values, 0, 1) * steps).astype(np.uint8)
