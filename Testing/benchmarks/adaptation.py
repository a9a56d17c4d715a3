"""Clicks that cases of a scanner nobody trained on take, with and without learning from those before.

python Testing/benchmarks/adaptation.py DATA runs/adaptation --split test --seed 7

Makes cases of one scanner (`SCANNERS`), each with a mask that is spoiled on purpose, and works through them
as a worklist, once with the released corrector and once adapting after every five cases that were accepted,
as the product does: the same journals, labels and rule of what is kept. The simulated reader clicks one
place of the border after the other, where the mask is most wrong, by a hand that errs by 0.5 mm, up to a
DSC of 0.95 or `MOST` clicks, and accepts the mask as it is then, or, with --by-hand, once the rest is
painted. What counts is how many clicks it took to a DSC of 0.9. Stopped, it goes on where it was.

With --start initial the cases have no mask: each way begins with what its own networks find, which is then
scored, too, and the reader clicks as the guide says, include and exclude clicks for whole parts first.
"""

from __future__ import annotations

import argparse
import json
import os
import zlib
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectLib.io.images import read_mask, write_mask, write_volume
from VSClickCorrectLib.io.user_data import VARIABLE
from VSClickCorrectLib.jobs.adaptation import adapt
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.workflow.tasks import adaptation_of
from VSClickCorrectLib.worklist.records import CaseState
from VSClickCorrectLib.worklist.worklist import Worklist
from VSClickCorrectResearch.datasets.cohort import Sources
from VSClickCorrectResearch.evaluation.metrics import dice
from VSClickCorrectResearch.evaluation.rounds import apply_accepted
from VSClickCorrectResearch.simulation.acquisition import Acquisition, Region
from VSClickCorrectResearch.simulation.hand import Hand
from VSClickCorrectResearch.simulation.mask_perturbations import spoiled
from VSClickCorrectResearch.simulation.shapes import deformed
from VSClickCorrectResearch.simulation.synthesis import SIDES, synthesize
from VSClickCorrectResearch.simulation.user import border_clicks, part_clicks

SCANNERS = {
    # Thick slices and a contrast that is flat: what is bright is hardly brighter than the brain.
    "flat": Acquisition((0.6, 0.6, 4.0), (320, 384, 48), blur=1.2, noise=0.06, gamma_t1=0.45, gamma_t2=0.5),
    # A contrast as steep: all but the brightest is dark.
    "steep": Acquisition((0.6, 0.6, 4.0), (320, 384, 48), blur=1.2, noise=0.06, gamma_t1=3.0, gamma_t2=2.5),
}
REGION = Region(None, (84.0, 84.0, 60.0))
EVERY, MOST = 5, 15
GOOD, SATISFIED = 0.9, 0.95
RELEASED, ADAPTING = "released", "adapting"
SPOILED, INITIAL = STARTS = ("spoiled", "initial")


def main() -> None:
    """Make the cases, play both ways and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--scanner", choices=SCANNERS, default="flat")
    parser.add_argument("--split", default="test")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--by-hand", action="store_true", help="the reader paints what clicks left wrong")
    parser.add_argument("--start", choices=STARTS, default=SPOILED, help="what is corrected")
    options = parser.parse_args()
    os.environ[VARIABLE] = str(options.output / "data")
    make_cases(options)
    for way in (RELEASED, ADAPTING):
        Day(options.output, way, options.by_hand).play()
    table(options.output)


def make_cases(options: argparse.Namespace) -> None:
    """Write the cases that are not there yet; one seed, one cohort."""
    names = [f"case{number:02d}" for number in range(options.count)]
    missing = [name for name in names if not (options.output / "truth" / f"{name}.nii.gz").exists()]
    if not missing:
        return
    sources = Sources.load(options.data, options.split, options.output / "cache")
    (options.output / "truth").mkdir(parents=True, exist_ok=True)
    for name in missing:
        rng = np.random.default_rng([options.seed, int(name[4:])])
        head, _ = sources.head(rng)
        shape = deformed(sources.shapes[int(rng.integers(len(sources.shapes)))], rng)
        side = SIDES[int(rng.integers(2))]
        scanner = replace(
            SCANNERS[options.scanner], angles_deg=tuple(map(float, rng.normal(0, (5.0, 2.5, 2.5))))
        )
        made = synthesize(head, shape, side, rng, scanner, REGION)
        folder = options.output / "cases" / name
        folder.mkdir(parents=True, exist_ok=True)
        write_volume(folder / "T1ce.nii.gz", made.t1ce)
        write_volume(folder / "T2.nii.gz", made.t2)
        if options.start == SPOILED:
            write_mask(folder / "mask.nii.gz", wrong_mask(made.grid, made.truth, rng), made.grid)
        write_mask(options.output / "truth" / f"{name}.nii.gz", made.truth, made.grid)
        print(f"made {name}", flush=True)


def wrong_mask(grid, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a spoiled mask that is not good yet, as far as a hundred tries go."""
    for _ in range(100):
        mask = spoiled(grid, truth, rng)
        if dice(mask, truth) < GOOD:
            break
    return mask


def guided_clicks(grid, truth: np.ndarray, mask: np.ndarray, count: int) -> list[Click]:
    """Return clicks in whole parts that are wrong, or on the border where there is none."""
    return part_clicks(grid, truth, mask, count) or border_clicks(grid, truth, mask, count)


class Day:
    """Works through the cases in one way and keeps what it took."""

    def __init__(self, output: Path, way: str, by_hand: bool = False) -> None:
        self.output, self.way, self.by_hand = output, way, by_hand
        self.path = output / f"{way}.json"
        self.told = json.loads(self.path.read_text()) if self.path.exists() else {"cases": {}, "adapted": {}}
        self.worklist = Worklist.open(output / "cases", output / way, "SU")

    def play(self) -> None:
        """Do what is not done yet."""
        networks = self.networks()
        for number, case in enumerate(self.worklist.cases, 1):
            if case.name not in self.told["cases"]:
                self.told["cases"][case.name] = self.worked(case.name, networks)
                self.keep()
            if self.way == ADAPTING and number % EVERY == 0 and str(number) not in self.told["adapted"]:
                self.told["adapted"][str(number)] = self.adapt()
                self.keep()
                networks = self.networks()

    def worked(self, name: str, networks: Networks) -> dict:
        """Correct and accept one case; return DSC after each click, and which networks it was."""
        self.worklist.go_to(name)
        case = self.worklist.opened.load()
        truth = read_mask(self.output / "truth" / f"{name}.nii.gz", case.grid)
        mask = self.worklist.opened.saved_mask(case.grid, case)
        clicks_of, finder = border_clicks, None
        if mask is None:
            mask = networks.segmenter.segment(case).on(case.grid)
            clicks_of, finder = guided_clicks, networks.segmenter.propose
        journal = self.worklist.opened.journal()
        mask = ArrayMask(case.grid, mask)
        session = CorrectionSession(case, mask, networks.corrector, finder, journal=journal)
        hand, scores = Hand(0.5, seed=zlib.crc32(name.encode())), [dice(mask.values, truth)]
        errors = hand.errors(name)
        while scores[-1] < SATISFIED and len(scores) <= MOST:
            clicks = clicks_of(case.grid, truth, mask.values, 1)
            if not clicks:
                break
            apply_accepted(session, [hand.clicked(case.grid, clicks[0], errors)])
            scores.append(dice(mask.values, truth))
        left = Change.between(case.grid.box, mask.values, truth)
        if self.by_hand and not left.box.empty:
            session.edit_by_hand("brush stroke", left)
        self.worklist.done(mask.values, case.grid)
        assert self.worklist.record(name).state is CaseState.DONE
        print(f"{self.way} {name}: {' '.join(f'{score:.3f}' for score in scores)}", flush=True)
        identities = {
            "corrector": networks.corrector.identity,
            "segmenter": networks.segmenter.segmenter.entry.identity,
        }
        return {"dice": scores, **identities}

    def adapt(self) -> str:
        """Adapt to what was accepted so far; return what came of it."""
        try:
            sentence = adapt(adaptation_of(self.worklist)).sentence
        except ModelError as error:
            sentence = str(error)
        print(sentence, flush=True)
        return sentence

    def networks(self) -> Networks:
        """Return the newest that were kept, or the released ones."""
        names = list(ModelFolder(None).adapted) if self.way == ADAPTING else []
        return Networks.load(ModelFolder(None, names[-1] if names else ""), "cpu")

    def keep(self) -> None:
        """Write down what was done."""
        self.path.write_text(json.dumps(self.told, indent=1))


def table(output: Path) -> None:
    """Print clicks to a DSC of 0.9 in parts of five cases."""
    told = {way: json.loads((output / f"{way}.json").read_text()) for way in (RELEASED, ADAPTING)}
    names = list(told[RELEASED]["cases"])
    parts = [names[n : n + EVERY] for n in range(0, len(names), EVERY)]
    for title, some in [(f"{part[0]} to {part[-1]}", part) for part in parts] + [("all", names)]:
        cells = [row(told[way]["cases"], some) for way in (RELEASED, ADAPTING)]
        print(f"| {title} | {' | '.join(cells)} |")
    for number, sentence in told[ADAPTING]["adapted"].items():
        print(f"after {number}: {sentence}")


def row(cases: dict, names: list[str]) -> str:
    """Return mean clicks to a DSC of 0.9, how often it was missed, mean DSC after 0, one and three clicks."""
    scores = [cases[name]["dice"] for name in names]
    clicks = [next((n for n, score in enumerate(each) if score >= GOOD), MOST + 1) for each in scores]
    after = [mean(each[min(n, len(each) - 1)] for each in scores) for n in (0, 1, 3)]
    return (
        f"{mean(clicks):.2f} | {sum(n > MOST for n in clicks)} | {' | '.join(f'{dsc:.3f}' for dsc in after)}"
    )


if __name__ == "__main__":
    main()
