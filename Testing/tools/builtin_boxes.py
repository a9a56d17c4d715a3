"""Make the boxes that ship beside the click network: what it must not forget, and what tells whether it did.

python Testing/tools/builtin_boxes.py

Boxes around the tumour of each case, without clicks and with the clicks of a simulated user on a spoiled
mask, and of every third case a box in which there is no tumour; some to be learned from again, some held
out. Heads and tumours are procedural: nothing of anybody's scan is shipped.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from builtin_examples import ROOT
from own_cases import own_cases
from packed_examples import packed
from VSClickCorrectLib.inference.examples import BUILTIN_BOXES
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.io.files import write_atomically
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.training.click_task import perturbed
from VSClickCorrectResearch.training.clicking import Scene
from VSClickCorrectResearch.training.examples import Example, crop_source

# Few samples and coarse steps, so that many boxes fit into the file.
SAMPLES, STEPS = 48, 11
OFF_SAMPLES, CLICKS, EMPTY_EVERY = 6, 2, 3
_TRIES = 200
# Seeds of the cases.
REPLAYED, HELD_OUT = 44, 43


class Place(NamedTuple):
    """Images and target of a box, ``(3, k, j, i)``, and mask and clicks of each of its examples."""

    images: np.ndarray
    cuts: list[np.ndarray]


def main() -> None:
    """Look at both cohorts and write one file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replay", type=int, default=17, help="cases to learn from again")
    parser.add_argument("--held-out", type=int, default=17, help="cases to tell by what was forgotten")
    parser.add_argument("--output", type=Path, default=ROOT / "models" / BUILTIN_BOXES)
    options = parser.parse_args()
    spacing = ModelFolder(None).entry("click").geometry["spacing"]
    places, held_out = [], []
    for seed, count in ((REPLAYED, options.replay), (HELD_OUT, options.held_out)):
        for number, case in enumerate(own_cases(count, seed)):
            made = places_of(case, spacing, number)
            places += made
            held_out += [seed == HELD_OUT] * len(made)
    which = [n for n, place in enumerate(places) for _ in place.cuts]
    cuts = [cut for place in places for cut in place.cuts]
    images = [place.images for place in places]
    arrays = packed(images, cuts, which, held_out, {"spacing": spacing}, STEPS)
    write_atomically(options.output, lambda path: np.savez_compressed(path, **arrays))
    print(f"{len(places)} places, {sum(held_out)} held out; {len(cuts)} examples")
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB")


def places_of(case: LabelledCase, spacing: list[float], number: int) -> list[Place]:
    """Return the boxes of one case."""
    source, rng = crop_source(case, spacing, 0.0), np.random.default_rng(number)
    inside = np.argwhere(source[1][0] >= 0.5)
    if not len(inside):
        return []
    middle = inside.mean(axis=0) + rng.integers(-OFF_SAMPLES, OFF_SAMPLES + 1, 3)
    places = [place_of(cropped(source, middle), rng)]
    if number % EMPTY_EVERY == 0:
        for _ in range(_TRIES):
            crop = cropped(source, rng.uniform(0, source[1].shape[1:]))
            if not crop[1].any():
                places.append(place_of(crop, rng))
                break
    return places


def cropped(source: Example, middle: np.ndarray) -> Example:
    """Return the box around a place, as far inside as it has to be."""
    shape = source[1].shape[1:]
    start = [int(np.clip(m - SAMPLES // 2, 0, n - SAMPLES)) for m, n in zip(middle, shape, strict=True)]
    box = tuple(slice(a, a + SAMPLES) for a in start)
    return tuple(array[(slice(None), *box)] for array in source)


def place_of(crop: Example, rng: np.random.Generator) -> Place:
    """Return a box with its examples: nothing but images; and, where there is a tumour, a mask and clicks."""
    images, target = (array.astype(np.float32) for array in crop)
    truth = target[0] >= 0.5
    scene = Scene(images, truth, np.zeros_like(truth))
    cuts = [scene.channels()[2:]]
    if truth.any():
        scene.mask = perturbed(truth, rng)
        for _ in range(CLICKS):
            scene.click_error(rng)
        cuts.append(scene.channels()[2:])
    return Place(np.concatenate([images, target]), cuts)


if __name__ == "__main__":
    main()
