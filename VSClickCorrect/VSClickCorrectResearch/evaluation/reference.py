"""Expected outputs: what the models of a folder say of the sample case."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.triples import index3, point3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import ModelEntry
from VSClickCorrectLib.inference.plain_segmenter import Model
from VSClickCorrectLib.io.json_files import write_json
from VSClickCorrectLib.io.sample_case import SampleCase, read_sample

if TYPE_CHECKING:
    from pathlib import Path

    from VSClickCorrectResearch.evaluation.forward import Input, Place

FILE = "expected.json"
# The sample case as networks may be given it, by which sequences there are.
CASES: dict[str, tuple[str, ...]] = {
    "T1ce and T2": ("t1ce", "t2"),
    "T1ce alone": ("t1ce",),
    "T2 alone": ("t2",),
}
# Probabilities that are kept of each model and case, near the tumour.
_KEPT = 192
# They are written in millionths.
_SCALE = 10**6
_NEAR = (2, 6, 6)
_MARGIN_MM = 14.0
_CLICKS = 4
# A network may differ by so many times what errors of this relative size in its weights make: rounding in
# float32 makes less than a tenth of that, and not all networks are equally sensitive.
_ERROR = 1e-4
_ERRORS = 3
_TIMES = 4.0
# In bfloat16 networks differ by up to 0.0006. Their masks may lose a spot that is as likely tumour as not.
_DEVICE = 0.005
_DICE = 0.02


@dataclass(frozen=True)
class Tolerance:
    """How far outputs may lie from what is expected.

    Parameters
    ----------
    exact : float
        Mean absolute difference of probabilities in float32 on the processor.
    device : float
        The same in the device's own precision, which may be bfloat16 or float16.
    dice : float
        Difference of the DSC.
    """

    exact: float
    device: float
    dice: float


@dataclass(frozen=True, eq=False)
class Output:
    """What a model says of one of `CASES` in one forward pass.

    Parameters
    ----------
    model, case : str
        Their names.
    exact, device : ndarray of float
        Probabilities at fixed voxels near the tumour, in float32 on the processor and as the device has it.
    dice : float
        DSC of the mask that the device's probabilities give, where the network looked.
    tolerance : float
        How far ``exact`` may be off elsewhere, see `Tolerance`; 0 if nobody asked.
    """

    model: str
    case: str
    exact: np.ndarray
    device: np.ndarray
    dice: float
    tolerance: float = 0.0


@dataclass(frozen=True)
class Deviation:
    """How far an output is from what is expected: mean absolute differences, and the DSC's difference."""

    exact: float
    device: float
    dice: float

    def within(self, tolerance: Tolerance) -> bool:
        """Whether nothing is farther than it may be; NaN is."""
        return all(abs(value) <= asdict(tolerance)[name] for name, value in asdict(self).items())


def model_outputs(models: ModelFolder, device: str, tolerances: bool = False) -> Iterator[Output]:
    """Yield what every model of a folder says of every case.

    Parameters
    ----------
    models : ModelFolder
        Whose models.
    device : str
        As for `Corrector.load`.
    tolerances : bool
        Whether to find out how far outputs may be off, which takes a few more passes.

    Raises
    ------
    ModelError
        If a model or the device cannot be used.
    """
    from VSClickCorrectLib.inference.device import choose_device, is_exact

    from VSClickCorrectResearch.evaluation.forward import forward, inputs_of

    chosen, processor = choose_device(device), choose_device("cpu")
    ours = [Model(entry, models.load(entry, processor)) for entry in models.entries.values()]
    theirs = ours if is_exact(chosen) else [Model(one.entry, models.load(one.entry, chosen)) for one in ours]
    made = read_sample()
    for case, sequences in CASES.items():
        place = _place(made, sequences)
        for mine, its in zip(ours, theirs, strict=True):
            inputs = inputs_of(mine, place)
            exact = forward(mine, inputs, exact=True)
            quick = exact if is_exact(chosen) else forward(its, inputs)
            seen, its_own = (_kept(made.truth, inputs, outputs) for outputs in (exact, quick))
            score = _dice(mine.entry, made.truth, inputs, quick)
            tolerance = _tolerance(mine, inputs, made.truth) if tolerances else 0.0
            yield Output(mine.entry.name, case, seen, its_own, score, tolerance)


def write_expected(models: ModelFolder, outputs: list[Output]) -> Path:
    """Write down beside the manifest what its models say; returns the file.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    path = models.folder / FILE
    found: dict[str, dict[str, dict]] = {}
    for one in outputs:
        numbers = " ".join(str(round(value * _SCALE)) for value in one.exact.tolist())
        values = {"dice": round(one.dice, 4), "tolerance": round(one.tolerance, 6), "probabilities": numbers}
        found.setdefault(one.model, {})[one.case] = values
    tolerance = {"device": _DEVICE, "dice": _DICE}
    write_json(path, {"tolerance": tolerance, "sha256": _hashes(models), "outputs": found})
    return path


class _Wanted(NamedTuple):
    probabilities: np.ndarray
    dice: float
    tolerance: Tolerance


class Expected:
    """The outputs that stand beside a manifest.

    Parameters
    ----------
    models : ModelFolder
        The manifest's.

    Raises
    ------
    ModelError
        If there are none, they cannot be understood, or they are those of other weights.
    """

    def __init__(self, models: ModelFolder) -> None:
        path = models.folder / FILE
        try:
            content = json.loads(path.read_text("utf-8"))
            limits = [float(content["tolerance"][name]) for name in ("device", "dice")]
            self._outputs = {
                (model, case): _Wanted(
                    np.array(one["probabilities"].split(), float) / _SCALE,
                    float(one["dice"]),
                    Tolerance(float(one["tolerance"]), *limits),
                )
                for model, cases in content["outputs"].items()
                for case, one in cases.items()
            }
            hashes = dict(content["sha256"])
        except FileNotFoundError:
            raise ModelError(
                f"{models.folder} holds no {FILE}; write it with 'vsclick models verify --record'."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} cannot be understood ({error}); install the models again.") from None
        self._check_hashes(path, hashes, _hashes(models))

    def deviation(self, output: Output) -> Deviation | None:
        """Return how far an output is from what is expected, or None if the file has none for it."""
        wanted = self._outputs.get((output.model, output.case))
        if wanted is None or wanted.probabilities.shape != output.exact.shape:
            return None
        exact, device = (
            float(np.abs(one - wanted.probabilities).mean()) for one in (output.exact, output.device)
        )
        return Deviation(exact, device, output.dice - wanted.dice)

    def tolerance(self, output: Output) -> Tolerance:
        """Return how far an output that the file has may be off."""
        return self._outputs[output.model, output.case].tolerance

    def meets(self, output: Output) -> bool:
        """Whether an output is what is expected."""
        deviation = self.deviation(output)
        return deviation is not None and deviation.within(self.tolerance(output))

    @staticmethod
    def _check_hashes(path: Path, expected: dict[str, str], found: dict[str, str]) -> None:
        other = [n for n in {**expected, **found} if expected.get(n) != found.get(n)]
        if other:
            raise ModelError(
                f"{path} was written for other weights of {other[0]}; install the models again, or write it "
                "anew with 'vsclick models verify --record'."
            )


def _place(made: SampleCase, sequences: tuple[str, ...]) -> Place:
    """Return where the networks look: at the tumour, with a mask that lacks a part of it, and clicks there.

    All made of whole voxels, so that it is the same on every machine.
    """
    from VSClickCorrectResearch.evaluation.forward import Place

    grid = made.grid
    box = Box.around(grid.axial_order().arranged(made.truth))
    margin = index3(np.ceil(_MARGIN_MM / grid.axial_spacing))
    mask = made.truth & np.roll(made.truth, (1, 2, 3), axis=(0, 1, 2))
    lost = np.argwhere(made.truth & ~mask)
    voxels = lost[np.linspace(0, len(lost) - 1, _CLICKS).astype(int)]
    clicks = [Click(point3(grid.index_to_ras(voxel)), ClickKind.BOUNDARY) for voxel in voxels]
    case = Case(**{name: made.case.sequences[name] if name in sequences else None for name in ("t1ce", "t2")})
    return Place(case, box.padded(margin), ArrayMask(grid, mask), clicks)


def _tolerance(model: Model, inputs: list[Input], truth: np.ndarray) -> float:
    from VSClickCorrectResearch.evaluation.forward import disturbed, forward

    right = _kept(truth, inputs, forward(model, inputs, exact=True))
    differences = []
    for seed in range(_ERRORS):
        other = forward(disturbed(model, _ERROR, seed), inputs, exact=True)
        differences.append(float(np.abs(_kept(truth, inputs, other) - right).mean()))
    return _TIMES * max(differences)


def _kept(truth: np.ndarray, inputs: list[Input], outputs: list[np.ndarray]) -> np.ndarray:
    """Return probabilities at voxels that are spread evenly over the tumour's surroundings in each window."""
    near = Box.around(truth).padded(_NEAR)
    kept = []
    for one, probability in zip(inputs, outputs, strict=True):
        values = probability[near.intersection(one.window.box).slices_in(one.window.box)].ravel()
        chosen = np.linspace(0, values.size - 1, _KEPT // len(inputs)).astype(int)
        kept.append(values[chosen])
    return np.concatenate(kept).astype(float)


def _dice(entry: ModelEntry, truth: np.ndarray, inputs: list[Input], outputs: list[np.ndarray]) -> float:
    masks = np.concatenate([(output >= entry.threshold).ravel() for output in outputs])
    known = np.concatenate([truth[one.window.box.slices].ravel() for one in inputs])
    return 2 * float((masks & known).sum()) / max(1, int(masks.sum() + known.sum()))


def _hashes(models: ModelFolder) -> dict[str, str]:
    return {entry.name: entry.sha256 for entry in models.entries.values()}
