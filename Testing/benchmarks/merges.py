"""Mean DSC after each round for every merge, on a cohort that `vsclick simulate` wrote.

Masks are spoiled on purpose; the table decides the default merge (Resources/Docs/experiments.md).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from VSClickCorrectLib.evaluation.rounds import Play, play_rounds
from VSClickCorrectLib.imaging.merging import MERGES
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.models import ModelFolder
from VSClickCorrectLib.training.cohort import read_cohort
from VSClickCorrectLib.training.examples import spoiled


def main() -> None:
    """Run and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--corrector", help="name in the manifest")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    corrector = Corrector.load(ModelFolder(chosen.models), chosen.corrector, "cpu")
    cases = [c for c in read_cohort(chosen.cohort) if c.truth.any()]
    rng = np.random.default_rng(chosen.seed)
    starts = [spoiled(c.grid, c.truth, rng) for c in cases]
    print(f"{corrector.identity}, {len(cases)} cases, five boundary clicks a round, seed {chosen.seed}\n")
    print("| merge | clicks | start | round 1 | round 2 | round 3 | rounds made worse |")
    print("|---|---|---|---|---|---|---|")
    for merge in MERGES:
        for together in (True, False):
            play = Play(together=together, merge=merge)
            scores = np.array(
                [play_rounds(c.case, c.truth, s, corrector, play) for c, s in zip(cases, starts, strict=True)]
            )
            worse = (np.diff(scores, axis=1) < -1e-3).mean()
            means = " | ".join(f"{v:.4f}" for v in scores.mean(axis=0))
            print(
                f"| {merge} | {'at once' if together else 'one by one'} | {means} | {worse:.1%} |", flush=True
            )


if __name__ == "__main__":
    main()
