"""Write a cohort of cases with their truth, and as many whose truth is what a simulated user made of a mask.

``python corrected_cohort.py COHORT OUTPUT --count N``: the first N cases as they are, the next N with the
masks of the shipped initial model after three rounds of clicks. On it the thesis's outlook is tried, to teach
the initial model with corrected cases (Resources/Docs/experiments.md).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectResearch.datasets.cohort import list_cohort
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.evaluation.metrics import dice
from VSClickCorrectResearch.evaluation.rounds import Method, Play, Start, play_rounds


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    networks = Networks.load(ModelFolder(), "cpu")
    scores = []
    listed = list_cohort(options.cohort)
    for one in listed[: options.count]:
        shutil.copy(one.path, options.output)
    for one in listed[options.count : 2 * options.count]:
        case = one.load()
        corrected = _corrected(case, networks) if case.truth.any() else case.truth
        scores.append(dice(corrected, case.truth))
        np.savez_compressed(
            options.output / f"{one.name}.npz",
            t1ce=case.case.t1ce.array,
            t2=case.case.t2.array,
            truth=corrected,
            affine=case.grid.affine,
        )
    print(f"{len(scores)} corrected masks, mean DSC {np.mean(scores):.4f}")


def _corrected(case: LabelledCase, networks: Networks) -> np.ndarray:
    inside = np.argwhere(case.truth)
    voxel = inside[len(inside) // 2]
    proposal = networks.segmenter.propose(case.case, Click(tuple(case.grid.index_to_ras(voxel))))
    start = np.zeros_like(case.truth)
    start[proposal.box.slices] = proposal.values
    method = Method("corrector", networks.corrector, initial_proposer=networks.segmenter.propose)
    *_, last = play_rounds(case, Start(start), method, Play())
    return last.mask


if __name__ == "__main__":
    main()
