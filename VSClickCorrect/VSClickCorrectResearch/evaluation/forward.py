"""One forward pass of any model at a known place: what it says of given inputs, with nothing fed back.

The product's own course, in which a threshold chooses a component and a mask decides where the next click
falls, magnifies rounding. This does not, so it tells whether weights, preprocessing and arithmetic are right.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import Mask
from VSClickCorrectLib.clicks.patches import PatchGeometry, extract_patch, patch_grid
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.preprocessing import covering_grid, head_box, sample_sequences
from VSClickCorrectLib.geometry.resampling import ResamplingGrid
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.click_segmenter import ClickSegmenter
from VSClickCorrectLib.inference.corrector import network_input
from VSClickCorrectLib.inference.device import probabilities
from VSClickCorrectLib.inference.parts import PartsSegmenter, class_shares
from VSClickCorrectLib.inference.plain_segmenter import Model
from VSClickCorrectLib.inference.slab_segmenter import SlabSegmenter
from VSClickCorrectLib.measure.tumour_parts import tumour_numbers
from VSClickCorrectLib.networks.registry import dimensions


@dataclass(frozen=True, eq=False)
class Place:
    """Where a network looks.

    Parameters
    ----------
    case : Case
        The sequences.
    box : Box
        Around the tumour, in axial order, for networks that segment it.
    mask : Mask
        A mask to correct.
    clicks : sequence of Click
        Its clicks, at least one.
    """

    case: Case
    box: Box
    mask: Mask
    clicks: Sequence[Click]


@dataclass(frozen=True, eq=False)
class Input:
    """What a network is shown: channels ``(c, slices, rows, columns)``, float32, sampled in a window."""

    window: ResamplingGrid
    channels: np.ndarray


def inputs_of(model: Model, place: Place) -> list[Input]:
    """Return what a model is shown at a place: a locator all, a corrector cuts around clicks, others the box.

    A model that takes clicks is shown the mask, and the clicks as include clicks.
    """
    entry = model.entry
    if entry.role == "click":
        segmenter = ClickSegmenter(model)
        window = segmenter.window(place.case, place.box)
        inside = [replace(click, kind=ClickKind.INCLUDE) for click in place.clicks]
        return [Input(window, segmenter.channels(place.case, window, place.mask, inside))]
    if entry.role == "parts":
        parts, extent = PartsSegmenter(model), place.mask.extent()
        window = parts.window(place.case.grid, extent or Box.of_voxel((0, 0, 0)))
        return [Input(window, parts.channels(place.case.sequences, place.mask, window))]
    if entry.role == "corrector":
        geometry = PatchGeometry(**entry.geometry)
        windows = [(click, patch_grid(place.case.grid, click, geometry)) for click in place.clicks]
        return [
            Input(window, extract_patch(place.case, place.mask, window, geometry, click))
            for click, window in windows
        ]
    if "shape" in entry.geometry:
        slabs = SlabSegmenter(model)
        window = slabs.window(place.case, place.box)
        return [Input(window, slabs.channels(place.case, window))]
    # A locator that normalises what it sees by itself says other things of a part of the head.
    box = head_box(place.case.reference) if entry.role == "locator" else place.box
    window = covering_grid(place.case.grid, box, tuple(entry.geometry["spacing"]))
    return [Input(window, sample_sequences(place.case, window))]


def forward(model: Model, inputs: Sequence[Input], exact: bool = False) -> list[np.ndarray]:
    """Run a network once.

    Parameters
    ----------
    model : Model
        The network and what it is.
    inputs : sequence of Input
        From `inputs_of`, all of one shape.
    exact : bool
        As for `probabilities`.

    Returns
    -------
    list of ndarray of float32
        Probabilities on the native voxels of each window's box.
    """
    if model.entry.role == "parts":
        return [one.window.resample_back(_share_of_last(model, one, exact)) for one in inputs]
    batch = torch.from_numpy(np.stack([one.channels for one in inputs]))
    if model.entry.role == "corrector":
        batch = network_input(batch, dimensions(model.entry.network))
    outputs = probabilities(model.network, batch, exact).numpy()
    return [
        one.window.resample_back(output.reshape(one.window.geometry.shape))
        for one, output in zip(inputs, outputs, strict=True)
    ]


def _share_of_last(model: Model, one: Input, exact: bool) -> np.ndarray:
    """Return how likely samples are of the last of the tumour's classes; all together are the mask it saw."""
    return class_shares(model.network, one.channels, exact)[tumour_numbers(model.entry.classes)[-1]]


def disturbed(model: Model, relative: float, seed: int) -> Model:
    """Return a copy of a model, each of its weights off by a normal error of that relative size."""
    network = copy.deepcopy(model.network)
    generator = torch.Generator().manual_seed(seed)
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor *= 1 + relative * torch.randn(tensor.shape, generator=generator)
    return model._replace(network=network)
