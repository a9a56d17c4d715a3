"""Batches made on the card: crops under clicks, the network's own masks among its inputs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from VSClickCorrectResearch.training.click_task import CLICKS, EMPTY_START, OWN_START
from VSClickCorrectResearch.training.experiments import Examples
from VSClickCorrectResearch.training.on_card.clicks import Scenes, perturbed
from VSClickCorrectResearch.training.on_card.crops import Boxes, random_crops


class Batches:
    """Makes batches as `ClickTask` does, for a network on a card.

    Parameters
    ----------
    network : nn.Module
        The network in training: its own masks are among its inputs.
    examples : Examples
        Its cubes are the sides of crops, of which a batch has one.
    voxels : int
        Of a batch, about.
    seed : int
        Of batches.

    Attributes
    ----------
    sides : tuple of int
        Voxels along each side of crops; a batch has one of them.
    """

    def __init__(self, network: nn.Module, examples: Examples, voxels: int, seed: int) -> None:
        self._network, self._examples, self._voxels = network, examples, voxels
        self.sides = examples.cubes
        self._rng = np.random.default_rng(seed)
        device = next(network.parameters()).device
        self._generator = torch.Generator(device).manual_seed(seed)

    @torch.no_grad()
    def next(self, boxes: Boxes) -> tuple[Tensor, Tensor]:
        """Return inputs ``(b, 5, k, j, i)``, most clicks first, and the truth's share ``(b, 1, k, j, i)``."""
        side = int(self._rng.choice(self.sides))
        count = max(1, self._voxels // side**3)
        images, share = random_crops(boxes, count, side, self._examples, self._rng)
        scenes = Scenes.of(images, share[:, 0] >= 0.5)
        # Most clicks first, so that those which go on are always the first.
        clicks = -np.sort(-self._rng.choice(len(CLICKS), size=count, p=CLICKS))
        if clicks.any():
            self._begin(scenes.first(int((clicks > 0).sum())))
        for number in range(2, int(clicks.max()) + 1):
            clicked = scenes.first(int((clicks >= number).sum()))
            clicked.mask[:] = self._masks_of(clicked.channels())
            clicked.click_error(torch.ones_like(clicked.truth[:, 0, 0, 0]), self._generator)
        return scenes.channels(), share

    def _begin(self, scenes: Scenes) -> None:
        """Give each scene the mask that it starts with, and the first click."""
        kind = self._rng.random(len(scenes.truth))
        is_spoiled = kind > EMPTY_START + OWN_START
        spoiled, own = np.flatnonzero(is_spoiled), np.flatnonzero((kind > EMPTY_START) & ~is_spoiled)
        if len(own):
            scenes.mask[own] = self._masks_of(scenes.channels()[own])
        if len(spoiled):
            scenes.mask[spoiled] = perturbed(scenes.truth[spoiled], self._generator)
        there = scenes.mask.flatten(1).any(1)
        scenes.click_error(there, self._generator)
        scenes.click_inside(~there, self._generator)

    def _masks_of(self, inputs: Tensor) -> Tensor:
        # Filled up to a power of two: a card looks for the fastest way anew for each size.
        count = len(inputs)
        more = (1 << (count - 1).bit_length()) - count
        inputs = torch.cat([inputs, inputs[:1].expand(more, *inputs.shape[1:])])
        with torch.autocast(inputs.device.type, torch.bfloat16):
            logits = self._network(inputs.to(memory_format=torch.channels_last_3d))
        return logits[:count, 0] > 0
