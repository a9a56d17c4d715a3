"""``vsclick evaluate``: rounds of simulated clicks on cases whose tumour is known."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from VSClickCorrectLib import __version__
from VSClickCorrectLib.cli.options import (
    add_corrector,
    add_hold_clicks,
    add_models,
    count,
    length,
    natural,
    share,
)
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.cli.workers import add_workers, workers_of
from VSClickCorrectLib.clicks.merging import MERGES
from VSClickCorrectLib.errors import ImageError, ModelError
from VSClickCorrectLib.io.outputs import check_apart, check_ours, writing_into
from VSClickCorrectLib.session.correction import DEFAULT_MERGE

if TYPE_CHECKING:
    from VSClickCorrectLib.jobs.cases import Workers

    from VSClickCorrectResearch.datasets.cases import LazyCase
    from VSClickCorrectResearch.evaluation.plan import EvaluationPlan
    from VSClickCorrectResearch.evaluation.records import EvaluationSettings, PlayedCase

_DESCRIPTION = """\
Measure corrections on cases whose tumour is known. A simulated user clicks on the true border where the
mask is farthest from it, and every click goes through the same session as a clinician's. Baselines without
a network play the same cases. Tables and pictures are written to a folder; an evaluation that was stopped
goes on with the next case. What is measured stands in Resources/Docs/evaluation.md.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "--cases",
        type=Path,
        required=True,
        metavar="LIST",
        help="CSV list of cases, or a cohort written by 'vsclick simulate'",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="tables and pictures")
    parser.add_argument(
        "--start",
        choices=("initial", "first-click", "spoiled", "mask"),
        default="initial",
        help="what is corrected: the initial networks' mask, what one include click in the tumour makes of "
        "an empty mask, the truth spoiled on purpose, or the mask that comes with the case "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--sequences",
        choices=("both", "t1ce", "t2"),
        default="both",
        help="what the networks see of a case (default: both)",
    )
    _add_play(parser)
    add_corrector(parser)
    parser.add_argument(
        "--baselines",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="play the baselines too (default: yes)",
    )
    parser.add_argument(
        "--seed",
        type=natural,
        default=0,
        metavar="N",
        help="of spoiled masks, of where clicks are made and of confidence intervals (default: 0)",
    )
    parser.add_argument("--limit", type=count, metavar="N", help="the first N cases only")
    add_models(parser)
    add_workers(parser, None, "one, in the command itself")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    _check_libraries(options.baselines)
    with workers_of(options) as workers:
        _run(options, workers)


def _run(options: argparse.Namespace, workers: Workers) -> None:
    from VSClickCorrectResearch.datasets.cases import inputs_of, list_cases

    cases = list_cases(options.cases)[: options.limit]
    _check_output(options.output, inputs_of(options.cases, cases))
    plan = _plan(options)
    settings = _settings(options, plan)
    with writing_into(options.output):
        _report(options, cases, plan, settings, _played(options.output, cases, plan, settings, workers))


def _check_output(folder: Path, inputs: Sequence[Path]) -> None:
    """Refuse a folder in which something would be written over that is not of an evaluation."""
    from VSClickCorrectResearch.evaluation.records import CASES, SETTINGS
    from VSClickCorrectResearch.evaluation.report import WRITTEN

    check_apart(folder, inputs)
    check_ours(folder, (CASES, *WRITTEN), (folder / SETTINGS).exists())


def _played(
    output: Path,
    cases: Sequence[LazyCase],
    plan: EvaluationPlan,
    settings: EvaluationSettings,
    workers: Workers,
) -> list[PlayedCase]:
    """Play all cases, saying how each went; raises the error of the first that cannot be."""
    from VSClickCorrectResearch.evaluation.plan import recorded
    from VSClickCorrectResearch.evaluation.records import RecordFolder
    from VSClickCorrectResearch.evaluation.tables import case_line

    # Before any case is played it is known whose folder this is.
    RecordFolder(output, settings)
    corrector = plan.prepared().run.methods[0].name
    outcomes = {}
    for outcome in workers.each(partial(recorded, plan, output, settings), cases):
        outcomes[outcome.task.name] = outcome
        place = f"{len(outcomes)}/{len(cases)} {outcome.task.name}"
        if outcome.error:
            tell(f"{place}: {outcome.error}")
        else:
            rounds = outcome.result().rounds.get(corrector, ())
            tell(case_line(place, [one.scores.dice for one in rounds]))
    return [outcomes[case.name].result() for case in cases]


def _report(
    options: argparse.Namespace,
    cases: Sequence[LazyCase],
    plan: EvaluationPlan,
    settings: EvaluationSettings,
    records: Sequence[PlayedCase],
) -> None:
    from VSClickCorrectResearch.evaluation.report import save_pictures, write_tables
    from VSClickCorrectResearch.evaluation.results import EvaluationResults

    results = EvaluationResults(settings, records)
    if not results.cases:
        raise ImageError(f"no case of {options.cases} has a tumour, so there is nothing to measure.")
    summary = write_tables(options.output, results)
    save_pictures(options.output, results, plan.prepared().run, cases)
    tell("", *summary.splitlines(), "", f"Tables and pictures are in {options.output}.")


def _add_play(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rounds", type=count, default=3, metavar="N", help="rounds of clicks (default: %(default)s)"
    )
    parser.add_argument(
        "--clicks-per-round",
        type=count,
        default=5,
        metavar="K",
        help="clicks a round at most, one a slice (default: %(default)s)",
    )
    parser.add_argument(
        "--one-by-one",
        action="store_true",
        help="apply clicks one by one and look at the DSC after each, not a round at once",
    )
    parser.add_argument(
        "--user",
        choices=("knowing", "led", "random", "guided", "thesis"),
        default="knowing",
        help="who clicks: who knows where the mask is most wrong, who is led to the places that the networks "
        "doubt, who looks at places of the mask's border at random, who knows and mends whole parts by "
        "include and exclude clicks, or who follows the thesis's Algorithm 1 to the letter "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--jitter-mm",
        type=length,
        default=0.0,
        metavar="MM",
        help="make clicks beside where they were meant, with a normal error within the slice of this "
        "standard deviation in each direction (default: %(default)s)",
    )
    parser.add_argument(
        "--off-target",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="share of clicks that are made anywhere in the slice within 15 mm (default: %(default)s)",
    )
    add_hold_clicks(parser)
    parser.add_argument(
        "--merge",
        choices=tuple(MERGES),
        default=DEFAULT_MERGE,
        help="how the corrector's proposals enter the mask (default: %(default)s)",
    )


def _check_libraries(baselines: bool) -> None:
    from VSClickCorrectResearch.evaluation.baselines import check_requirements

    try:
        import matplotlib  # noqa: F401
        import pandas  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModelError(f"the evaluation needs {error.name}; install vsclickcorrect[evaluation].") from None
    if baselines:
        check_requirements()


def _plan(options: argparse.Namespace) -> EvaluationPlan:
    from VSClickCorrectResearch.evaluation.plan import EvaluationPlan
    from VSClickCorrectResearch.evaluation.rounds import Play
    from VSClickCorrectResearch.simulation.hand import Hand

    hand = Hand(options.jitter_mm, options.off_target, options.seed)
    return EvaluationPlan(
        models=options.models,
        corrector=options.corrector,
        device=options.device,
        start=options.start,
        sequences=options.sequences,
        merge=options.merge,
        baselines=options.baselines,
        seed=options.seed,
        play=Play(options.rounds, options.clicks_per_round, not options.one_by_one, hand, options.user),
        hold_clicks=options.hold_clicks,
    )


def _settings(options: argparse.Namespace, plan: EvaluationPlan) -> EvaluationSettings:
    from VSClickCorrectResearch.evaluation.records import EvaluationSettings

    return EvaluationSettings(
        cases=str(options.cases.resolve()),
        start=plan.start,
        sequences=plan.sequences,
        rounds=plan.play.rounds,
        clicks=plan.play.clicks,
        one_by_one=not plan.play.together,
        merge=plan.merge,
        baselines=plan.baselines,
        seed=plan.seed,
        models=plan.prepared().models,
        manifest=plan.prepared().manifest,
        version=__version__,
        jitter_mm=plan.play.hand.jitter_mm,
        off_target=plan.play.hand.off_target,
        user=plan.play.user,
    )
