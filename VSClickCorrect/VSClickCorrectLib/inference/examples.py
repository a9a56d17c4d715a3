"""Examples from which a network learns, or by which it is scored: what it saw, and what was right there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.patches import PatchGeometry, ReadableMask, extract_patch, patch_grid
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.resampling import ResamplingGrid
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.click_segmenter import ClickSegmenter
from VSClickCorrectLib.io.files import check_file
from VSClickCorrectLib.io.shipped import shipped_folder

BUILTIN = "builtin-examples.npz"
BUILTIN_BOXES = "builtin-boxes.npz"
# On a side of a box that is learned from: about as in the network's training; more take longer.
TAUGHT_SAMPLES = 56
# Images, masks and targets are kept in so many steps unless a file says in how many: finer ones would be
# noise, and take room.
STEPS = 63
_PAIR = 2
# Channels and target.
Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Examples:
    """Pieces of images, all of one size, and what was right in them.

    Parameters
    ----------
    channels : ndarray of float16
        ``(n, channels, slices, rows, columns)``, as the network is shown them: T1ce, T2, mask, clicks.
    targets : ndarray of float16
        ``(n, slices, rows, columns)``, the share of each sample that is tumour.
    """

    channels: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.channels)

    @classmethod
    def of(cls, pairs: Iterable[Pair], shape: tuple[int, ...]) -> Examples:
        """Gather pairs of channels and target, which may be none; ``shape`` is that of channels."""
        kept = [(channels.astype(np.float16), target.astype(np.float16)) for channels, target in pairs]
        channels = np.zeros((len(kept), *shape), np.float16)
        targets = np.zeros((len(kept), *shape[1:]), np.float16)
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
) -> Pair:
    """Return what a corrector is shown at a click, just as `Corrector.see` shows it, and what is right.

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


def box_example(
    segmenter: ClickSegmenter,
    case: Case,
    right: ReadableMask,
    window: ResamplingGrid,
    mask: ReadableMask | None = None,
    clicks: Sequence[Click] = (),
) -> Pair:
    """Return what the network is shown in a window, and what is right there.

    Parameters
    ----------
    segmenter : ClickSegmenter
        Shows it.
    case : Case
        The sequences.
    right : ReadableMask
        The mask as it should be.
    window : ResamplingGrid
        Any window of the segmenter's spacing.
    mask, clicks
        As for `ClickSegmenter.probability`.
    """
    return segmenter.channels(case, window, mask, clicks), window.resample(right.read(window.source_box))


def read_builtin(geometry: Mapping[str, Any], path: Path | None = None) -> BuiltIn:
    """Read examples that ship.

    Parameters
    ----------
    geometry : dict
        How the network sees images, which must be how the examples show them: of a corrector the fields of
        its `PatchGeometry`.
    path : Path, optional
        Another file of them than the corrector's.

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
        fits = str(told["geometry"]) == written(geometry)
        built_in = _built_in(told)
    except (BadZipFile, EOFError, IndexError, KeyError, OSError, TypeError, ValueError):
        raise ModelError(f"{path} is damaged; install the models again.") from None
    if not fits:
        raise ModelError(
            "this network sees other patches than the built-in examples show, so it cannot learn; choose "
            "another corrector."
        )
    return built_in


def written(geometry: Mapping[str, Any]) -> str:
    """Return how a file of examples tells of what geometry they are."""
    return json.dumps(dict(geometry), sort_keys=True)


def _built_in(told: dict[str, np.ndarray]) -> BuiltIn:
    steps = int(told.get("steps", STEPS))
    # Looked up, since arithmetic in half precision is slow.
    values = np.arange(steps + 1) / steps
    # A click map of nothing is kept half-way between two steps.
    marks = np.where(np.abs(values * 2 - 1) < 1.5 / steps, 0, values * 2 - 1)
    images, masks = (values.astype(np.float16)[kept] for kept in (told["images"], told["cuts"][:, :1]))
    clicks = marks.astype(np.float16)[told["cuts"][:, 1:]]
    place = told["place"]
    channels = np.concatenate([images[place, :_PAIR], masks, clicks], axis=1)
    targets, held_out = images[place, _PAIR], told["held_out"][place]
    return BuiltIn(*(Examples(channels[which], targets[which]) for which in (~held_out, held_out)))
