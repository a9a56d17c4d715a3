"""What cases are simulated from, packed small enough to carry to a machine that reaches no other.

A head's sequences are kept in 255 steps and only where a box around a tumour can show them: 50 MB for all
that trains, a quarter of the files that they were read from, ready at once.
"""

from __future__ import annotations

import io
import lzma
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import point3, triple
from VSClickCorrectLib.io.files import make_folder, write_atomically

from VSClickCorrectResearch.datasets.cohort import Sources
from VSClickCorrectResearch.simulation.contours import SPACING_MM
from VSClickCorrectResearch.simulation.head import Canal, Head, TumourShape
from VSClickCorrectResearch.simulation.label_maps import LabelMap

_SIDES = ("right", "left")
_STEPS = 255
_STEPS_PER_MM = 32
# What is further from the canals, along S and A, no box around a tumour shows.
_REACH_MM = {0: 80.0, 1: 95.0}
_HEAD, _MAP, _SHAPES = "head-", "map-", "shapes"
_SUFFIX = ".npz.xz"

Arrays = dict[str, np.ndarray]


def pack_sources(sources: Sources, folder: Path) -> None:
    """Write sources to a folder, one file a head and a label map, and one for all shapes.

    Parameters
    ----------
    sources : Sources
        Of any split.
    folder : Path
        Made if it is not there.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    make_folder(folder)
    for head in sources.heads:
        _write(folder / f"{_HEAD}{head.name}{_SUFFIX}", _of_head(head))
    for one in sources.maps:
        arrays = {"matter": one.matter, "affine": one.grid.affine, "canals": _canal_ends(one.canals)}
        _write(folder / f"{_MAP}{one.name}{_SUFFIX}", arrays)
    _write(folder / f"{_SHAPES}{_SUFFIX}", _of_shapes(sources.shapes))


def unpack_sources(folder: Path) -> Sources:
    """Return what `pack_sources` wrote.

    Raises
    ------
    ImageError
        If the folder holds no sources.
    """
    heads = [_head(name, arrays) for name, arrays in _read(folder, _HEAD)]
    maps = [_label_map(name, arrays) for name, arrays in _read(folder, _MAP)]
    shapes = [shape for _, arrays in _read(folder, _SHAPES) for shape in _shapes(arrays)]
    if not heads or not shapes:
        raise ImageError(f"{folder} holds no packed sources; pack them again.")
    return Sources(heads, shapes, maps)


def _write(path: Path, arrays: Arrays) -> None:
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    packed = lzma.compress(content.getvalue())
    write_atomically(path, lambda beside: beside.write_bytes(packed))


def _read(folder: Path, kind: str) -> Iterator[tuple[str, Arrays]]:
    for path in sorted(folder.glob(f"{kind}*{_SUFFIX}")):
        with np.load(io.BytesIO(lzma.decompress(path.read_bytes())), allow_pickle=False) as arrays:
            yield path.name.removesuffix(_SUFFIX).removeprefix(kind), dict(arrays)


def _of_head(head: Head) -> Arrays:
    # Scattered between two steps, so that what is smooth does not turn into stairs.
    rng = np.random.default_rng(0)
    arrays = {
        "tissue": head.tissue,
        "affine": head.grid.affine,
        "canals": _canal_ends(head.canals),
        "contrast": np.array(head.contrast),
    }
    shown = _shown(head)
    for name, image in (("t1", head.t1), ("t2", head.t2)):
        scattered = image * _STEPS + rng.uniform(0.2, 0.8, image.shape)
        steps = np.clip(scattered, 0, _STEPS).astype(np.uint8)
        arrays[name] = _differences(np.where(shown, steps, np.uint8(0)), axes=(2,))
    return arrays


def _shown(head: Head) -> np.ndarray:
    """Return where boxes around tumours can reach, bool, to be broadcast to ``(k, j, i)``."""
    middle = np.mean(_canal_ends(head.canals), axis=(0, 1))
    index, spacing = head.grid.ras_to_ijk(middle)[::-1], head.grid.spacing[::-1]
    near = [
        np.abs(np.arange(head.tissue.shape[axis]) - index[axis]) * spacing[axis] <= reach
        for axis, reach in _REACH_MM.items()
    ]
    return near[0][:, None, None] & near[1][None, :, None]


def _head(name: str, arrays: Arrays) -> Head:
    t1, t2 = (
        np.cumsum(arrays[one], axis=2, dtype=np.uint8).astype(np.float32) / np.float32(_STEPS)
        for one in ("t1", "t2")
    )
    grid = Grid(t1.shape, arrays["affine"])
    canals = _canals(arrays["canals"])
    return Head(name, grid, t1, t2, arrays["tissue"], canals, bool(arrays["contrast"]))


def _label_map(name: str, arrays: Arrays) -> LabelMap:
    matter = arrays["matter"]
    return LabelMap(name, Grid(matter.shape, arrays["affine"]), matter, _canals(arrays["canals"]))


def _canal_ends(canals: dict[str, Canal]) -> np.ndarray:
    """Return porus and fundus of both sides, RAS mm, shape ``(2, 2, 3)``."""
    return np.array([[canals[side].porus_ras, canals[side].fundus_ras] for side in _SIDES])


def _canals(ends: np.ndarray) -> dict[str, Canal]:
    return {side: Canal(point3(a), point3(b)) for side, (a, b) in zip(_SIDES, ends, strict=True)}


def _of_shapes(shapes: Sequence[TumourShape]) -> Arrays:
    arrays: Arrays = {}
    for shape in shapes:
        steps = np.round(shape.distance * _STEPS_PER_MM).astype(np.int16)
        arrays[f"{shape.name}/distance"] = _differences(steps, axes=(2, 1))
        arrays[f"{shape.name}/tip"] = np.array([*shape.tip, shape.volume_mm3])
    return arrays


def _shapes(arrays: Arrays) -> Iterator[TumourShape]:
    for name in sorted({key.split("/")[0] for key in arrays}):
        steps = arrays[f"{name}/distance"]
        for axis in (1, 2):
            steps = np.cumsum(steps, axis=axis, dtype=np.int16)
        *tip, volume = map(float, arrays[f"{name}/tip"])
        distance = steps.astype(np.float32) / np.float32(_STEPS_PER_MM)
        yield TumourShape(name, distance, SPACING_MM, triple(tip), volume)


def _differences(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return each value's difference from the one before it; `numpy.cumsum` undoes it even where it wraps."""
    for axis in axes:
        values = np.diff(values, axis=axis, prepend=values.dtype.type(0))
    return values
