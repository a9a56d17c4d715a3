"""DSC of the whole pipeline on whole heads it has not seen: initial mask, then three rounds of clicks.

Phantoms with procedural tumours need no data; with --data, tumours of validation patients in the validation
head are added.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from VSClickCorrectLib.evaluation.rounds import Play, play_rounds
from VSClickCorrectLib.imaging.volume import Case
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.models import ModelFolder
from VSClickCorrectLib.simulation.acquisition import DEMO_ACQUISITION
from VSClickCorrectLib.simulation.synthesis import SIDES, SyntheticCase, demo_case, synthesize
from VSClickCorrectLib.training.cohort import Sources

# Seeds of the demo's phantoms; training draws its phantoms from other streams.
_FIRST_SEED = 1000


def main() -> None:
    """Run and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--count", type=int, default=8, help="cases of each kind")
    parser.add_argument("--models", type=Path)
    parser.add_argument("--sequences", choices=("both", "t1ce", "t2"), default="both")
    chosen = parser.parse_args()
    models = ModelFolder(chosen.models)
    segmenter, corrector = InitialSegmenter.load(models, "cpu"), Corrector.load(models, device="cpu")
    print("| case | mm³ | initial | round 1 | round 2 | round 3 |\n|---|---|---|---|---|---|")
    rows = []
    for name, made in _cases(chosen.count, chosen.data):
        case = _with(made, chosen.sequences)
        start = segmenter.segment(case).on(case.grid)
        scores = play_rounds(case, made.truth, start, corrector, Play(), segmenter.propose)
        rows.append(scores)
        volume = made.truth.sum() * made.grid.voxel_volume
        print(f"| {name} | {volume:.0f} | " + " | ".join(f"{s:.3f}" for s in scores) + " |", flush=True)
    for name, value in (("mean", np.mean(rows, axis=0)), ("median", np.median(rows, axis=0))):
        print(f"| **{name}** | | " + " | ".join(f"{s:.3f}" for s in value) + " |")


def _cases(count: int, data: Path | None) -> Iterator[tuple[str, SyntheticCase]]:
    for seed in range(_FIRST_SEED, _FIRST_SEED + count):
        volume = float(np.random.default_rng(seed).choice([300, 700, 1400, 3000]))
        yield f"phantom {seed}", demo_case(seed, volume)
    if data is None:
        return
    sources = Sources.load(data, "validation")
    for number in range(count):
        rng = np.random.default_rng([_FIRST_SEED, number])
        shape = sources.shapes[int(rng.integers(len(sources.shapes)))]
        acquisition = replace(DEMO_ACQUISITION, spacing=(0.6, 0.6, 1.5), matrix=(340, 340, 100))
        made = synthesize(sources.heads[0], shape, SIDES[number % 2], rng, acquisition)
        yield f"{sources.heads[0].name}, {shape.name}", made


def _with(made: SyntheticCase, sequences: str) -> Case:
    return Case(
        made.t1ce if sequences != "t2" else None,
        made.t2 if sequences != "t1ce" else None,
    )


if __name__ == "__main__":
    main()
