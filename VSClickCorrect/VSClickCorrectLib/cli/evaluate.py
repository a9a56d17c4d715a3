"""``vsclick evaluate``: rounds of simulated clicks on cases whose tumour is known."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from VSClickCorrectLib import __version__
from VSClickCorrectLib.cli.options import add_corrector, add_models, count, model_folder, natural
from VSClickCorrectLib.errors import ImageError, ModelError
from VSClickCorrectLib.imaging.merging import MERGES
from VSClickCorrectLib.session.correction import DEFAULT_MERGE

if TYPE_CHECKING:
    from VSClickCorrectLib.datasets.cases import LazyCase
    from VSClickCorrectLib.evaluation.experiment import Experiment, Method, StartOf
    from VSClickCorrectLib.evaluation.records import Settings
    from VSClickCorrectLib.evaluation.results import Results
    from VSClickCorrectLib.inference.initial import InitialSegmenter

_DESCRIPTION = """\
Measure corrections on cases whose tumour is known. A simulated user clicks on the true border where the
mask is farthest from it, and every click goes through the same session as a clinician's. Baselines without
a network play the same cases. Tables and pictures are written to a folder; an evaluation that was stopped
goes on with the next case. What is measured stands in Resources/Docs/evaluation.md.
"""


def add_parser(commands) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("evaluate", help="measure corrections", description=_DESCRIPTION)
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
        choices=("initial", "spoiled", "mask"),
        default="initial",
        help="what is corrected: the initial networks' mask, the truth spoiled on purpose, or the mask that "
        "comes with the case (default: %(default)s)",
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
        "--seed", type=natural, default=0, metavar="N", help="of spoiled masks and of confidence intervals"
    )
    parser.add_argument("--limit", type=count, metavar="N", help="the first N cases only")
    add_models(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    _check_libraries()
    from VSClickCorrectLib.datasets.cases import list_cases
    from VSClickCorrectLib.evaluation.records import RecordFolder
    from VSClickCorrectLib.evaluation.results import Results
    from VSClickCorrectLib.evaluation.tables import case_line

    cases = list_cases(options.cases)[: options.limit]
    methods, segmenter = _methods(options)
    settings = _settings(options, methods, segmenter)
    experiment = _experiment(options, methods, segmenter)
    records = []
    for record in experiment.run(cases, RecordFolder(options.output, settings)):
        records.append(record)
        place = f"{len(records)}/{len(cases)} {record.name}"
        rounds = record.rounds.get(methods[0].name, ())
        print(case_line(place, [one.scores.dice for one in rounds]), flush=True)
    results = Results(settings, records)
    if not results.cases:
        raise ImageError(f"no case of {options.cases} has a tumour, so there is nothing to measure.")
    _report(results, experiment, cases, options.output)


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
        "--merge",
        choices=tuple(MERGES),
        default=DEFAULT_MERGE,
        help="how the corrector's proposals enter the mask (default: %(default)s)",
    )


def _check_libraries() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ModelError("the evaluation needs matplotlib; install vsclickcorrect[evaluation].") from None


def _methods(options: argparse.Namespace) -> tuple[list[Method], InitialSegmenter | None]:
    """Return the corrector and the baselines, and the initial networks if they are needed."""
    from VSClickCorrectLib.evaluation.baselines import BASELINES, check_requirements
    from VSClickCorrectLib.evaluation.experiment import Method
    from VSClickCorrectLib.inference.corrector import Corrector
    from VSClickCorrectLib.inference.initial import InitialSegmenter

    if options.baselines:
        check_requirements()
    models = model_folder(options)
    corrector = Corrector.load(models, options.corrector, options.device)
    segmenter = InitialSegmenter.load(models, options.device) if options.start == "initial" else None
    starter = segmenter.propose if segmenter else None
    methods = [Method(corrector.entry.name, corrector, options.merge, starter)]
    if options.baselines:
        methods += [Method(one.identity, one, one.merge) for one in BASELINES]
    return methods, segmenter


def _settings(
    options: argparse.Namespace, methods: Sequence[Method], segmenter: InitialSegmenter | None
) -> Settings:
    from VSClickCorrectLib.evaluation.records import Settings

    models = [methods[0].proposer.identity]
    if segmenter:
        models += [f"{m.entry.name}@{m.entry.sha256[:12]}" for m in segmenter.models]
    return Settings(
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
    )


def _experiment(
    options: argparse.Namespace, methods: Sequence[Method], segmenter: InitialSegmenter | None
) -> Experiment:
    from VSClickCorrectLib.evaluation.experiment import Experiment, given_mask, spoiled_truth
    from VSClickCorrectLib.evaluation.rounds import Play

    start_of: StartOf = spoiled_truth(options.seed) if options.start == "spoiled" else given_mask
    if segmenter:
        found = segmenter
        start_of = lambda case: found.segment(case.case).on(case.grid)  # noqa: E731
    play = Play(options.rounds, options.clicks_per_round, not options.one_by_one)
    return Experiment(methods, start_of, options.sequences, play)


def _report(results: Results, experiment: Experiment, cases: Sequence[LazyCase], folder: Path) -> None:
    """Write tables and pictures and print the summary."""
    from VSClickCorrectLib.evaluation.charts import save_curve
    from VSClickCorrectLib.evaluation.progress import save_progress
    from VSClickCorrectLib.evaluation.records import write_json
    from VSClickCorrectLib.evaluation.tables import cases_csv, summary_markdown
    from VSClickCorrectLib.files import write_text

    summary = summary_markdown(results)
    write_json(folder / "results.json", results.to_json())
    write_text(folder / "cases.csv", cases_csv(results))
    write_text(folder / "summary.md", summary)
    save_curve(folder / "dice.png", results)
    by_name, ranked = {case.name: case for case in cases}, results.ranked()
    chosen = {"worst": ranked[0], "middle": ranked[(len(ranked) - 1) // 2], "best": ranked[-1]}
    for which, record in chosen.items():
        case, rounds = experiment.replay(by_name[record.name])
        title = f"{which} case: {case.name}, {record.volume_mm3:.0f} mm³, {results.methods[0]}"
        save_progress(folder / f"case-{which}.png", case.case, case.truth, rounds, title)
    print(f"\n{summary}\nTables and pictures are in {folder}.")
