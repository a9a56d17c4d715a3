"""Make the examples that ship beside the corrector: what it must not forget, and what tells whether it did.

python Testing/tools/builtin_examples.py

Places around a click that mends a spoiled mask, one of each case that is learned from again and two of each
that is held out, with three masks where the click is a boundary click. Heads and tumours are procedural:
nothing of anybody's scan is shipped.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np
from own_cases import own_cases
from packed_examples import packed
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.inference.examples import BUILTIN, example_at
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.io.files import write_atomically
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.simulation.mask_perturbations import spoiled
from VSClickCorrectResearch.training.examples import training_clicks

ROOT = Path(__file__).resolve().parents[2]
MASKS = 3
# Seeds of the cases.
REPLAYED, HELD_OUT = 41, 42


def main() -> None:
    """Look at both cohorts and write one file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replay", type=int, default=64, help="cases to learn from again")
    parser.add_argument("--held-out", type=int, default=21, help="cases to tell by what was forgotten")
    parser.add_argument("--output", type=Path, default=ROOT / "models" / BUILTIN)
    options = parser.parse_args()
    geometry = PatchGeometry(**ModelFolder(None).entry("corrector").geometry)
    images, cuts, place, held_out = [], [], [], []
    for seed, places, count in ((REPLAYED, 1, options.replay), (HELD_OUT, 2, options.held_out)):
        for case in own_cases(count, seed):
            for _ in range(places):
                pairs = examples(case, geometry, np.random.default_rng(len(images)))
                images.append(np.concatenate([pairs[0][0][:2], pairs[0][1][None]]))
                held_out.append(seed == HELD_OUT)
                cuts += [channels[2:] for channels, _ in pairs]
                place += [len(images) - 1] * len(pairs)
    arrays = packed(images, cuts, place, held_out, asdict(geometry))
    write_atomically(options.output, lambda path: np.savez_compressed(path, **arrays))
    print(f"{len(images)} places, {sum(held_out)} held out; {len(cuts)} examples")
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB")


def examples(
    case: LabelledCase, geometry: PatchGeometry, rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the examples of one place: channels and target."""
    grid, right = case.grid, ArrayMask(case.grid, case.truth)
    start = spoiled(grid, case.truth, rng)
    clicks = training_clicks(grid, case.truth, start, rng)
    click = clicks[rng.integers(len(clicks))]
    masks = [start]
    if click.kind is ClickKind.BOUNDARY:
        # The border runs there whatever the mask.
        masks += [spoiled(grid, case.truth, rng) for _ in range(MASKS - 1)]
    return [example_at(case.case, ArrayMask(grid, mask), right, click, geometry) for mask in masks]


if __name__ == "__main__":
    main()
