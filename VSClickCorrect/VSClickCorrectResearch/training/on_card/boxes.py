"""Simulated boxes: written by all processor cores, kept on the card."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from VSClickCorrectLib.geometry.triples import Point3
from VSClickCorrectLib.io.files import make_folder, write_atomically

from VSClickCorrectResearch.datasets.cohort import CohortRecipe, Sources, made_case
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.training.examples import crop_source

# A sample's share of tumour, and its intensity, in steps of a byte.
STEPS = 255
# Of these tumour voxels one is in the middle of most crops.
_PLACES = 2000
_LOOK_AGAIN_S = 1.0


def write_boxes(folder: Path, sources: Sources, recipe: CohortRecipe, spacing: Point3, workers: int) -> None:
    """Write the boxes of a recipe, each as uint8 ``(3, k, j, i)``: T1ce, T2, and the share that is tumour.

    Parameters
    ----------
    folder : Path
        Made if it is not there; best in memory.
    sources : Sources
        What cases are made of; shared with the processes that make them.
    recipe : CohortRecipe
        Its cases are made in the order of their numbers.
    spacing : tuple of float
        Of the samples in mm, axial order.
    workers : int
        Processes.
    """
    make_folder(folder)
    # Forked, so that the sources are in memory once.
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=_write_every, args=(folder, sources, recipe, spacing, first, workers))
        for first in range(workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def _write_every(
    folder: Path, sources: Sources, recipe: CohortRecipe, spacing: Point3, first: int, step: int
) -> None:
    parent = multiprocessing.parent_process()
    for number in range(first, recipe.count, step):
        # Whose command was killed would go on for days.
        if parent is not None and not parent.is_alive():
            return
        _write(folder / f"{number:06d}.npy", box_of(sources, recipe, number, spacing))


def _write(path: Path, box: np.ndarray) -> None:
    write_atomically(path, lambda beside: np.save(beside, box))


def box_of(sources: Sources, recipe: CohortRecipe, number: int, spacing: Point3) -> np.ndarray:
    """Return one box of a recipe, uint8 ``(3, k, j, i)``."""
    made, _, kind = made_case(sources, recipe, number)
    case = LabelledCase(str(number), made.case, made.truth, kind=kind)
    box = np.concatenate(crop_source(case, spacing, 0.0)).astype(np.float32)
    steps = np.clip(np.rint(box * STEPS), 0, STEPS).astype(np.uint8)
    # Exactly 0 stands for what was not seen.
    steps[:2][(steps[:2] == 0) & (box[:2] > 0)] = 1
    return steps


class BoxPool:
    """The boxes of a folder, on the card; those that come later join by themselves.

    Parameters
    ----------
    folder : Path
        Where `write_boxes` writes.
    device : torch.device
        The card.
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._folder, self._device = folder, device
        self._seen: set[str] = set()
        self.boxes: list[tuple[Tensor, Tensor]] = []

    def __len__(self) -> int:
        return len(self.boxes)

    def look(self) -> None:
        """Take in what is new: boxes, uint8, and places in their tumours, ``(n, 3)`` on the processor."""
        for path in sorted(self._folder.glob("[0-9]*.npy")):
            if path.name not in self._seen:
                self._seen.add(path.name)
                box = torch.from_numpy(np.load(path, allow_pickle=False))
                inside = (box[2] > STEPS // 2).nonzero()
                some = inside[torch.randperm(len(inside))[:_PLACES]]
                self.boxes.append((box.to(self._device), some))

    def keep_looking(self) -> None:
        """Take in what is new from now on, beside everything else, until the program ends."""

        def look() -> None:
            waiting = threading.Event()
            while not waiting.wait(_LOOK_AGAIN_S):
                self.look()

        threading.Thread(target=look, daemon=True).start()
