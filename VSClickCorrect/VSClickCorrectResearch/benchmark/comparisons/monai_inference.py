"""The initial mask, against MONAI's sliding window over the whole head with the same weights."""

from __future__ import annotations

import numpy as np
import torch
from VSClickCorrectLib.errors import ImageError, ModelError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.preprocessing import covering_grid, head_box, sample_sequences
from VSClickCorrectLib.geometry.resampling import ResamplingGrid
from VSClickCorrectLib.geometry.triples import Index3, point3
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.initial_mask import NOTHING, InitialMask, best_parts
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.plain_segmenter import Model

from VSClickCorrectResearch.benchmark.comparisons.comparison import Comparison, in_turns, require
from VSClickCorrectResearch.benchmark.timing import timed
from VSClickCorrectResearch.evaluation.metrics import dice

# The patch on which the initial model was trained (Resources/Experiments/initial.toml).
TRAINING_PATCH = (24, 64, 64)
# How many windows MONAI runs at once; its default overlap and blending are kept.
_BATCH = 4


def compare(
    case: Case,
    truth: np.ndarray,
    repeats: int,
    models: ModelFolder | None = None,
    roi: Index3 = TRAINING_PATCH,
    device: str = "cpu",
) -> Comparison:
    """Segment the tumour by `InitialSegmenter.segment` and by ``monai.inferers.sliding_window_inference``.

    Parameters
    ----------
    case : Case
        The examination.
    truth : ndarray of bool
        The true mask, ``(K, J, I)``.
    repeats : int
        How often each segments it.
    models : ModelFolder, optional
        The models; those that ship if left out.
    roi : tuple of int
        MONAI's window, in samples.
    device : str
        Where both run, as for `choose_device`.

    Raises
    ------
    ProgramMissing
        If MONAI is not installed.
    ImageError
        If we find no tumour in the case.
    """
    require("monai", "MONAI")
    segmenter = InitialSegmenter.load(models or ModelFolder(), device)
    model = segmenter.segmenter
    found: list[InitialMask] = []
    head: list[np.ndarray] = []
    window = head_window(case, model)
    # Each volume's intensity range is worked out once and kept, whoever asks first.
    sample_sequences(case, window)
    if not segmenter.segment(case).found:
        raise ImageError("no tumour was found in this case, so there is nothing to compare; choose another.")
    seconds = in_turns(
        repeats,
        lambda: timed(lambda: found.append(segmenter.segment(case))),
        lambda: timed(lambda: head.append(slide(case, window, model, roi))),
    )
    return _comparison(case, truth, segmenter, found[-1], (window.box, head[-1]), seconds, roi)


def head_window(case: Case, model: Model) -> ResamplingGrid:
    """Return the whole head at the network's own voxel size.

    Raises
    ------
    ModelError
        If it has none.
    """
    if "spacing" not in model.entry.geometry:
        raise ModelError(
            f"{model.entry.name} has no voxel size of its own to compare at; choose other models."
        )
    return covering_grid(case.grid, head_box(case.reference), point3(model.entry.geometry["spacing"]))


def slide(case: Case, window: ResamplingGrid, model: Model, roi: Index3) -> np.ndarray:
    """Return MONAI's probabilities at the native voxels of a window.

    Sampling, normalisation and the way back are the product's; everything between is MONAI's, in fp32.

    Returns
    -------
    ndarray of float32
        Shape ``window.box.shape``.
    """
    from monai.inferers import sliding_window_inference

    device = next(model.network.parameters()).device
    inputs = torch.from_numpy(sampled(model, case, window))[None].to(device)
    with torch.inference_mode():
        logits = sliding_window_inference(inputs, roi, _BATCH, model.network)
    return window.resample_back(torch.sigmoid(only_output(logits))[0, 0].cpu().numpy())


def only_output(output: object) -> torch.Tensor:
    """Return what MONAI's inferers, which take networks of several outputs too, made of one that has one."""
    if not isinstance(output, torch.Tensor):
        raise ModelError("the network has several outputs; compare one that has a single one.")
    return output


def same_boxes(case: Case, segmenter: InitialSegmenter) -> InitialMask:
    """Return what MONAI finds if it is given our windows, each as one window of its own."""
    model = segmenter.segmenter
    parts = [
        _best_part(case.grid, w.box, slide(case, w, model, w.geometry.shape), model.entry.threshold)
        for w in segmenter.windows(case)
    ]
    return max(parts, key=lambda part: part.confidence * part.values.sum())


def _best_part(grid: Grid, box: Box, probability: np.ndarray, threshold: float) -> InitialMask:
    return next(iter(best_parts(grid, box, probability, threshold)), NOTHING)


def within(box: Box, outer: Box, values: np.ndarray) -> np.ndarray:
    """Return the values of ``outer``, 0 beyond it, in ``box``."""
    inside = np.zeros(box.shape, values.dtype)
    common = box.intersection(outer)
    if not common.empty:
        inside[common.slices_in(box)] = values[common.slices_in(outer)]
    return inside


def _comparison(
    case: Case,
    truth: np.ndarray,
    segmenter: InitialSegmenter,
    ours: InitialMask,
    head: tuple[Box, np.ndarray],
    seconds: tuple[tuple[float, ...], tuple[float, ...]],
    roi: Index3,
) -> Comparison:
    threshold = segmenter.segmenter.entry.threshold
    anywhere = _best_part(case.grid, *head, threshold)
    in_box = _best_part(case.grid, ours.box, within(ours.box, *head), threshold)
    masks = [mask.on(case.grid) for mask in (ours, in_box, anywhere, same_boxes(case, segmenter))]
    equal, whole, same = (dice(mask, masks[0]) for mask in masks[1:])
    against_truth = [dice(mask, truth) for mask in masks[:2]]
    return Comparison(
        "initial mask / MONAI's sliding window, whole head",
        *seconds,
        equal=equal,
        target=3.0,
        note="InitialSegmenter.segment and MONAI over the whole head, in windows of "
        f"{roi[0]}×{roi[1]}×{roi[2]} and fp32, same weights, sampling and normalisation; masks held against "
        f"each other in our box (DSC with the truth: ours {against_truth[0]:.3f}, MONAI's "
        f"{against_truth[1]:.3f}); given our boxes as its windows MONAI's mask has DSC {same:.4f} with ours, "
        f"and its best part anywhere in the head {whole:.3f}.",
    )


def sampled(model: Model, case: Case, window: ResamplingGrid) -> np.ndarray:
    """Return the sequences in a window, and zeros where a model takes mask and clicks, too; float32."""
    sequences = sample_sequences(case, window)
    missing = model.entry.parameters["in_channels"] - len(sequences)
    return np.concatenate([sequences, np.zeros((missing, *sequences.shape[1:]), np.float32)])
