"""Examples from which a corrector learns, or by which it is scored: what it saw, and what was right there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.patches import PatchGeometry, ReadableMask, extract_patch, patch_grid
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.io.files import check_file
from VSClickCorrectLib.io.shipped import shipped_folder

BUILTIN = "builtin-examples.npz"
# Images, masks and targets are kept in so many steps: finer ones would be noise, and take room.
STEPS = 63
_PAIR = 2


@dataclass(frozen=True, eq=False)
class Examples:
    """Patches around clicks and what was right in them.

    Parameters
    ----------
    channels : ndarray of float16
        ``(n, channels, slices, size, size)``, as `extract_patch` returns them.
    targets : ndarray of float16
        ``(n, slices, size, size)``, the share of each sample that is tumour.
    """

    channels: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.channels)

    @classmethod
    def of(cls, pairs: Iterable[tuple[np.ndarray, np.ndarray]], geometry: PatchGeometry) -> Examples:
        """Gather pairs of channels and target, which may be none."""
        shape = geometry.window.shape
        kept = [(channels.astype(np.float16), target.astype(np.float16)) for channels, target in pairs]
        channels = np.zeros((len(kept), 3 + geometry.click_map, *shape), np.float16)
        targets = np.zeros((len(kept), *shape), np.float16)
        for number, (seen, right) in enumerate(kept):
            channels[number], targets[number] = seen, right
        return cls(channels, targets)

    @classmethod
    def joined(cls, several: Iterable[Examples]) -> Examples:
        """Return all of several in one; at least one must be given."""
        each = list(several)
        channels = np.concatenate([one.channels for one in each])
        return cls(channels, np.concatenate([one.targets for one in each]))


class BuiltIn(NamedTuple):
    """Examples that ship with the product, of synthetic cases.

    Parameters
    ----------
    replay : Examples
        Learned from together with new cases, so that what is old is not forgotten.
    held_out : Examples
        Of other heads and tumours, never learned from: they tell whether it was.
    """

    replay: Examples
    held_out: Examples


def example_at(
    case: Case, mask: ReadableMask, right: ReadableMask, click: Click, geometry: PatchGeometry
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a corrector is shown at a click, just as `Corrector.propose` shows it, and what is right.

    Parameters
    ----------
    case : Case
        The sequences.
    mask : ReadableMask
        The mask as it was when the click was given.
    right : ReadableMask
        The mask as it should be.
    click : Click
        The click.
    geometry : PatchGeometry
        The corrector's.
    """
    window = patch_grid(case.grid, click, geometry)
    target = window.resample(right.read(window.source_box))
    return extract_patch(case, mask, window, geometry, click), target


def read_builtin(geometry: PatchGeometry, path: Path | None = None) -> BuiltIn:
    """Read the examples that ship.

    Parameters
    ----------
    geometry : PatchGeometry
        The corrector's, which must be that of the examples.
    path : Path, optional
        Another file of them.

    Raises
    ------
    ModelError
        If they are of another geometry, missing or damaged.
    """
    path = path or shipped_folder("models") / BUILTIN
    check_file(path, ModelError)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            told = {name: arrays[name] for name in arrays.files}
        fits = str(told["geometry"]) == _written(geometry)
        built_in = _built_in(told)
    except (BadZipFile, EOFError, IndexError, KeyError, OSError, TypeError, ValueError):
        raise ModelError(f"{path} is damaged; install the models again.") from None
    if not fits:
        raise ModelError(
            "this corrector sees other patches than the built-in examples show, so it cannot learn; choose "
            "another corrector."
        )
    return built_in


def packed(
    images: list[np.ndarray],
    cuts: list[np.ndarray],
    place: list[int],
    held_out: list[bool],
    geometry: PatchGeometry,
) -> dict[str, np.ndarray]:
    """Return the arrays of a compressed ``.npz`` that `read_builtin` reads.

    Parameters
    ----------
    images : list of ndarray
        T1ce, T2 and target of each place, ``(3, slices, size, size)``, 0 to 1.
    cuts : list of ndarray
        Mask and click map of each example, ``(2, slices, size, size)``, 0 to 1 and -1 to 1.
    place : list of int
        The number of each example's place.
    held_out : list of bool
        Whether the examples of a place are held out.
    geometry : PatchGeometry
        The corrector's.
    """
    pairs = np.stack(cuts).astype(np.float64)
    pairs[:, 1] = (pairs[:, 1] + 1) / 2
    return {
        "images": _in_steps(np.stack(images)),
        "cuts": _in_steps(pairs),
        "place": np.array(place, np.int16),
        "held_out": np.array(held_out, bool),
        "geometry": np.array(_written(geometry)),
    }


def _written(geometry: PatchGeometry) -> str:
    return json.dumps(asdict(geometry), sort_keys=True)


def _in_steps(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0, 1) * STEPS).astype(np.uint8)


def _built_in(told: dict[str, np.ndarray]) -> BuiltIn:
    images, cuts = (told[name].astype(np.float16) / np.float16(STEPS) for name in ("images", "cuts"))
    place, held_out = told["place"], told["held_out"]
    # A click map of nothing is kept half-way between two steps.
    marks = cuts[:, 1:] * 2 - 1
    marks[np.abs(marks) < 1.5 / STEPS] = 0
    channels = np.concatenate([images[place, :_PAIR], cuts[:, :1], marks], axis=1)
    examples = Examples(channels, images[place, _PAIR])
    parts = (
        Examples(examples.channels[which], examples.targets[which])
        for which in (~held_out[place], held_out[place])
    )
    return BuiltIn(*parts)
