"""``vsclick evaluate``: rounds of simulated clicks on cases whose tumour is known."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from VSClickCorrectLib import __version__
from VSClickCorrectLib.cli.options import (
    add_corrector,
    add_hold_clicks,
    add_models,
    count,
    length,
    model_folder,
    natural,
    share,
)
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.clicks.merging import MERGES
from VSClickCorrectLib.errors import ImageError, ModelError
from VSClickCorrectLib.io.outputs import check_apart, check_ours, writing_into
from VSClickCorrectLib.session.correction import DEFAULT_MERGE

if TYPE_CHECKING:
    from VSClickCorrectLib.inference.initial import InitialSegmenter

    from VSClickCorrectResearch.datasets.cases import LazyCase
    from VSClickCorrectResearch.evaluation.experiment import EvaluationRun, StartOf
    from VSClickCorrectResearch.evaluation.records import EvaluationSettings
    from VSClickCorrectResearch.evaluation.rounds import Method

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
    parser.add_argument("--sequences", choices=("both", "t1ce", "t2"), default="both")
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
        help="of spoiled masks, of where clicks are made and of confidence intervals",
    )
    parser.add_argument("--limit", type=count, metavar="N", help="the first N cases only")
    add_models(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    _check_libraries()
    from VSClickCorrectResearch.datasets.cases import inputs_of, list_cases

    cases = list_cases(options.cases)[: options.limit]
    _check_output(options.output, inputs_of(options.cases, cases))
    methods, segmenter = _methods(options)
    settings = _settings(options, methods, segmenter)
    experiment = _experiment(options, methods, segmenter)
    with writing_into(options.output):
        _evaluate(options, cases, experiment, settings)


def _check_output(folder: Path, inputs: Sequence[Path]) -> None:
    """Refuse a folder in which something would be written over that is not of an evaluation."""
    from VSClickCorrectResearch.evaluation.records import CASES, SETTINGS
    from VSClickCorrectResearch.evaluation.report import WRITTEN

    check_apart(folder, inputs)
    check_ours(folder, (CASES, *WRITTEN), (folder / SETTINGS).exists())


def _evaluate(
    options: argparse.Namespace,
    cases: Sequence[LazyCase],
    experiment: EvaluationRun,
    settings: EvaluationSettings,
) -> None:
    """Play the cases, saying how each went, and write the report."""
    from VSClickCorrectResearch.evaluation.records import RecordFolder
    from VSClickCorrectResearch.evaluation.report import save_pictures, write_tables
    from VSClickCorrectResearch.evaluation.results import EvaluationResults
    from VSClickCorrectResearch.evaluation.tables import case_line

    corrector = experiment.methods[0].name
    records = []
    for record in experiment.run(cases, RecordFolder(options.output, settings)):
        records.append(record)
        place = f"{len(records)}/{len(cases)} {record.name}"
        rounds = record.rounds.get(corrector, ())
        tell(case_line(place, [one.scores.dice for one in rounds]))
    results = EvaluationResults(settings, records)
    if not results.cases:
        raise ImageError(f"no case of {options.cases} has a tumour, so there is nothing to measure.")
    summary = write_tables(options.output, results)
    save_pictures(options.output, results, experiment, cases)
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


def _check_libraries() -> None:
    try:
        import matplotlib  # noqa: F401
        import pandas  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModelError(f"the evaluation needs {error.name}; install vsclickcorrect[evaluation].") from None


def _methods(options: argparse.Namespace) -> tuple[list[Method], InitialSegmenter | None]:
    """Return the corrector and the baselines, and the initial networks if they are needed."""
    from VSClickCorrectLib.inference.corrector import Corrector
    from VSClickCorrectLib.inference.initial import InitialSegmenter

    from VSClickCorrectResearch.evaluation.baselines import BASELINES, check_requirements
    from VSClickCorrectResearch.evaluation.rounds import Method

    if options.baselines:
        check_requirements()
    models = model_folder(options)
    corrector = Corrector.load(models, options.corrector, options.device)
    found = options.start in ("initial", "first-click")
    segmenter = InitialSegmenter.load(models, options.device, options.hold_clicks) if found else None
    # The baselines begin with the same first click: an empty mask is the network's alone.
    initial_proposer = segmenter.propose if segmenter else None
    methods = [Method(corrector.entry.name, corrector, options.merge, initial_proposer)]
    if options.baselines:
        methods += [Method(one.identity, one, one.merge, initial_proposer) for one in BASELINES]
    return methods, segmenter


def _settings(
    options: argparse.Namespace, methods: Sequence[Method], segmenter: InitialSegmenter | None
) -> EvaluationSettings:
    from VSClickCorrectResearch.evaluation.records import EvaluationSettings

    models = [methods[0].proposer.identity]
    if segmenter:
        models += [f"{m.entry.name}@{m.entry.sha256[:12]}" for m in segmenter.models]
    if options.hold_clicks:
        models.append("clicks held")
    return EvaluationSettings(
        cases=str(options.cases.resolve()),
        start=options.start,
        sequences=options.sequences,
        rounds=options.rounds,
        clicks=options.clicks_per_round,
        one_by_one=options.one_by_one,
        merge=options.merge,
        baselines=options.baselines,
        seed=options.seed,
        models=tuple(models),
        version=__version__,
        jitter_mm=options.jitter_mm,
        off_target=options.off_target,
    )


def _experiment(
    options: argparse.Namespace, methods: Sequence[Method], segmenter: InitialSegmenter | None
) -> EvaluationRun:
    from VSClickCorrectResearch.evaluation import experiment
    from VSClickCorrectResearch.evaluation.rounds import Play
    from VSClickCorrectResearch.simulation.hand import Hand

    starts: dict[str, StartOf] = {
        "first-click": experiment.click_in_the_middle,
        "spoiled": experiment.perturbed_truth(options.seed),
        "mask": experiment.given_mask,
    }
    if segmenter:
        starts["initial"] = experiment.initial_mask(segmenter)
    also = experiment.click_anywhere_inside(options.seed) if options.start == "first-click" else None
    hand = Hand(options.jitter_mm, options.off_target, options.seed)
    play = Play(options.rounds, options.clicks_per_round, not options.one_by_one, hand)
    return experiment.EvaluationRun(methods, starts[options.start], options.sequences, play, also)
