"""``vsclick examples``: pictures of what an experiment learns from."""

from __future__ import annotations

import argparse
from pathlib import Path

from VSClickCorrectLib.cli.options import add_models, count, model_folder, natural
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.errors import ImageError, VSClickError
from VSClickCorrectLib.io.json_files import write_json
from VSClickCorrectLib.io.outputs import check_apart, check_ours, writing_into

_SETTINGS = "examples.json"
_DESCRIPTION = """\
Draw what an experiment of Resources/Experiments learns from, as the thesis's figures show it: clicks, patches
and their errors of a corrector, what an initial model sees of a case and where all tumours lie; with weights,
what the network makes of them.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    parser.add_argument("experiment", type=Path, metavar="FILE", help="whose examples: a .toml file")
    parser.add_argument("--cases", type=Path, required=True, metavar="LIST", help="cohort or CSV list")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="pictures")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="trained weights of the experiment")
    parser.add_argument("--limit", type=count, default=8, metavar="N", help="the first N cases (default: 8)")
    parser.add_argument(
        "--seed", type=natural, default=0, metavar="N", help="of clicks and errors (default: 0)"
    )
    add_models(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from VSClickCorrectResearch.datasets.cases import inputs_of, list_cases
    from VSClickCorrectResearch.training.experiments import read_experiment

    try:
        from VSClickCorrectResearch.training.showing import WRITTEN, draw_examples
        from VSClickCorrectResearch.training.train import network_of
    except ModuleNotFoundError as error:
        raise VSClickError(
            f"the pictures need the package {error.name}: pip install 'vsclickcorrect[train]'."
        ) from None
    experiment, output = read_experiment(options.experiment), options.output
    listed = list_cases(options.cases)[: options.limit]
    given = [path for path in (options.experiment, options.weights) if path]
    check_apart(output, [*inputs_of(options.cases, listed), *given])
    check_ours(output, (_SETTINGS, *WRITTEN), (output / _SETTINGS).exists())
    # All that may be refused comes before anything is written.
    models, weights = model_folder(options), options.weights
    network = None if weights is None else network_of(experiment, weights)
    cases = [case for case in (one.load() for one in listed) if case.truth.any()]
    if not cases:
        raise ImageError("no case has a tumour, so there is nothing to draw; name others.")
    with writing_into(output):
        settings = {
            "experiment": experiment.name,
            "cases": [case.name for case in listed],
            "seed": options.seed,
        }
        write_json(output / _SETTINGS, settings)
        draw_examples(experiment, cases, output, options.seed, models, network)
    tell(f"Pictures are in {output}.")
