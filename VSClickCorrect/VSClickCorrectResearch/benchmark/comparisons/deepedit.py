"""One click, against DeepEdit: the whole volume is inferred again after every click.

DeepEdit (Diaz-Pinto et al., DeepEdit: Deep Editable Learning for Interactive Segmentation of 3D Medical
Images, 2023; ``monai.apps.deepedit``) draws the clicks on and beside the tumour as two more channels and runs
the segmenting network on all of the volume. No trained DeepEdit for vestibular schwannomas is at hand; this
one is the shipped initial network with two more input channels whose weights are zero: it computes as much,
and its mask is the initial one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

import numpy as np
import torch
from torch import nn
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.resampling import ResamplingGeometry, ResamplingGrid
from VSClickCorrectLib.geometry.triples import Index3, point3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.plain_segmenter import Model
from VSClickCorrectLib.session.correction import CorrectionSession

from VSClickCorrectResearch.benchmark.comparisons.click_correction import correction_of
from VSClickCorrectResearch.benchmark.comparisons.comparison import Comparison, in_turns, require
from VSClickCorrectResearch.benchmark.comparisons.monai_inference import (
    TRAINING_PATCH,
    head_window,
    only_output,
    sampled,
)
from VSClickCorrectResearch.benchmark.timing import timed

Inferer = Callable[[torch.Tensor, nn.Module], object]

# To this MONAI Label's DeepEdit resizes every volume.
RESIZED = (128, 128, 128)
_SIGMA = 3
_TARGET = 50.0


def compare(
    case: Case,
    truth: np.ndarray,
    repeats: int,
    models: ModelFolder | None = None,
    roi: Index3 = TRAINING_PATCH,
    device: str = "cpu",
) -> Comparison:
    """Correct by a click: our session, and DeepEdit on the whole head at the network's working resolution.

    Parameters
    ----------
    case : Case
        The examination.
    truth : ndarray of bool
        The true mask, not empty, ``(K, J, I)``.
    repeats : int
        How many clicks.
    models : ModelFolder, optional
        The models; those that ship if left out.
    roi : tuple of int
        MONAI's sliding window, in samples.
    device : str
        Where both run, as for `choose_device`.

    Raises
    ------
    ProgramMissing
        If MONAI is not installed.
    """
    require("monai", "MONAI")
    from monai.inferers import SlidingWindowInferer

    models = models or ModelFolder()
    model = InitialSegmenter.load(models, device).segmenter
    deepedit = DeepEdit(case, model, head_window(case, model), SlidingWindowInferer(roi, sw_batch_size=4))
    how = f"whole head in windows of {roi[0]}×{roi[1]}×{roi[2]}"
    return _compared(case, truth, repeats, Corrector.load(models, device=device), deepedit, how)


def compare_resized(
    case: Case,
    truth: np.ndarray,
    repeats: int,
    models: ModelFolder | None = None,
    shape: Index3 = RESIZED,
    device: str = "cpu",
) -> Comparison:
    """As `compare`, but the volume is resized to ``shape`` and inferred at once, as MONAI Label does."""
    require("monai", "MONAI")
    from monai.inferers import SimpleInferer

    models = models or ModelFolder()
    model = InitialSegmenter.load(models, device).segmenter
    deepedit = DeepEdit(case, model, resized_window(case, shape), SimpleInferer())
    how = f"volume resized to {shape[0]}×{shape[1]}×{shape[2]}"
    return _compared(case, truth, repeats, Corrector.load(models, device=device), deepedit, how)


class DeepEdit:
    """The whole volume, inferred again with every click.

    Parameters
    ----------
    case : Case
        The examination; it is sampled once and kept, as MONAI Label keeps it.
    model : Model
        The initial model.
    window : ResamplingGrid
        The whole volume as the network sees it.
    inferer : callable
        One of ``monai.inferers``.
    """

    def __init__(self, case: Case, model: Model, window: ResamplingGrid, inferer: Inferer) -> None:
        from monai.apps.deepedit.transforms import AddGuidanceSignalDeepEditd

        self._grid, self._window, self._inferer = case.grid, window, inferer
        self._image = sampled(model, case, window)
        self._threshold = model.entry.threshold
        self._network = with_guidance(model.network)
        self._guide = AddGuidanceSignalDeepEditd(
            keys="image", guidance="guidance", sigma=_SIGMA, number_intensity_ch=len(self._image)
        )

    def inputs(self, tumour: Sequence[Click], background: Sequence[Click]) -> np.ndarray:
        """Return what the network sees: the sequences, clicks on the tumour, clicks beside it; float32."""
        guidance = {
            name: [sample_index(self._window, click) for click in clicks]
            for name, clicks in (("tumour", tumour), ("background", background))
        }
        data: dict = {"image": self._image, "guidance": guidance}
        return self._guide(data)["image"]

    def segment(self, tumour: Sequence[Click], background: Sequence[Click]) -> np.ndarray:
        """Return the mask in the window's native voxels, bool of ``window.box.shape``."""
        device = next(self._network.parameters()).device
        inputs = torch.from_numpy(self.inputs(tumour, background))[None].to(device)
        with torch.inference_mode():
            probabilities = torch.sigmoid(only_output(self._inferer(inputs, self._network)))
        return self._window.resample_back(probabilities[0, 0].cpu().numpy()) >= self._threshold


def with_guidance(network: nn.Module, channels: int = 2) -> nn.Module:
    """Return a copy of a network that takes more channels and pays them no heed."""
    guided = deepcopy(network)
    first = next(layer for layer in guided.modules() if isinstance(layer, nn.Conv3d))
    added = torch.zeros_like(first.weight[:, :1]).expand(-1, channels, -1, -1, -1)
    weight = torch.cat([first.weight, added], dim=1).contiguous(memory_format=torch.channels_last_3d)
    first.weight = nn.Parameter(weight, requires_grad=False)
    first.in_channels += channels
    return guided


def resized_window(case: Case, shape: Index3) -> ResamplingGrid:
    """Return the whole volume in so many samples."""
    size = np.asarray(case.grid.axial_shape)
    spacing = point3(size * case.grid.axial_spacing / shape)
    return ResamplingGrid(case.grid, (size - 1) / 2, ResamplingGeometry(shape, spacing))


def sample_index(window: ResamplingGrid, click: Click) -> list[int]:
    """Return the sample nearest to a click."""
    return [int(n) for n in np.rint(window.position(click.position_ras))]


def _compared(
    case: Case, truth: np.ndarray, repeats: int, corrector: Corrector, deepedit: DeepEdit, how: str
) -> Comparison:
    correction = correction_of(case, truth)
    session = CorrectionSession(case, ArrayMask(case.grid, correction.start), corrector)
    clicks = [correction.clicks[n % len(correction.clicks)] for n in range(repeats + 1)]
    # The first click finds memory and caches cold; it is not counted.
    session.apply(clicks[0])
    ours_next, theirs_next = iter(clicks[1:]), iter(range(2, repeats + 2))

    def ours() -> float:
        click = next(ours_next)
        return timed(lambda: session.apply(click))

    def reference() -> float:
        so_far = clicks[: next(theirs_next)]
        missing = [not correction.start[case.grid.ras_to_index(click.position_ras)] for click in so_far]
        tumour, background = (
            [click for click, one in zip(so_far, missing, strict=True) if one is wanted]
            for wanted in (True, False)
        )
        return timed(lambda: deepedit.segment(tumour, background))

    return Comparison(
        f"a click / DeepEdit, {how}",
        *in_turns(repeats, ours, reference),
        equal=None,
        target=_TARGET,
        note="CorrectionSession.apply of a click, and MONAI's guidance channels, inference and the way back "
        "to the volume's voxels, the image sampled beforehand; DeepEdit's network is our initial one with "
        "two more input channels of zero weight, so its time is real and its mask is not to be compared.",
    )
