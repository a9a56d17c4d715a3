"""``vsclick train``: one experiment, on cohorts of synthetic cases."""

from __future__ import annotations

import argparse
from pathlib import Path

from VSClickCorrectLib.cli.options import add_models, count, model_folder, natural, positive, probability
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.errors import ModelError, VSClickError
from VSClickCorrectLib.io.files import check_file

_DESCRIPTION = """\
Run an experiment of Resources/Experiments on cases whose tumour is known: a cohort that 'vsclick simulate'
wrote (of extent 'head' for a locator, 'box' for click and parts, 'scan' for the thesis's initial model,
'region' for the others), or a CSV list, for instance of cases that you have corrected and imported. Started
again with the same output folder it goes on where it was interrupted; 'torchrun -m
VSClickCorrectLib.cli.main train ...' or Slurm shares it among GPUs.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    parser.add_argument("experiment", type=Path, metavar="FILE", help="what to train: a .toml file")
    parser.add_argument(
        "--training", type=Path, required=True, metavar="CASES", help="cohort or CSV list to learn from"
    )
    parser.add_argument(
        "--validation", type=Path, required=True, metavar="CASES", help="cohort or CSV list to choose by"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="weights, log, curves")
    parser.add_argument("--steps", type=count, metavar="N", help="batches at most (default: its own)")
    parser.add_argument("--minutes", type=positive, default=float("inf"), metavar="M", help="time at most")
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="weights to begin with (default: those that the experiment names, beside the output folder)",
    )
    parser.add_argument(
        "--seed", type=natural, default=0, metavar="N", help="of first weights and of samples (default: 0)"
    )
    parser.add_argument(
        "--threads", type=count, default=2, metavar="N", help="processor threads (default: 2)"
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of the network while it is trained (default: float32)",
    )
    parser.add_argument(
        "--release", metavar="NAME", help="put the weights into the models folder under this name"
    )
    parser.add_argument(
        "--mean-with",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="release the mean of its weights and of those of other trainings that began with the same ones",
    )
    parser.add_argument(
        "--threshold", type=probability, default=0.5, metavar="P", help="of the released model (default: 0.5)"
    )
    add_models(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from VSClickCorrectResearch.training.experiments import read_experiment
    from VSClickCorrectResearch.training.export import check_release, export
    from VSClickCorrectResearch.training.schedule import Schedule

    try:
        from VSClickCorrectResearch.training.parallel import is_first
        from VSClickCorrectResearch.training.train import train
    except ModuleNotFoundError as error:
        raise VSClickError(
            f"training needs the package {error.name}: pip install 'vsclickcorrect[train]'."
        ) from None
    experiment = read_experiment(options.experiment)
    models = model_folder(options)
    if options.release:
        check_release(options.release, models.folder)
    elif options.mean_with:
        raise VSClickError("--mean-with is of what is released; name it with --release.")
    for folder in options.mean_with:
        check_file(folder / "best.safetensors", ModelError)
    schedule = Schedule.of(
        experiment.course,
        options.steps,
        minutes=options.minutes,
        threads=options.threads,
        precision=options.precision,
        device=options.device,
    )
    cohorts = (options.training, options.validation)
    weights = options.weights
    if weights is None and experiment.init_from:
        weights = options.output.parent / experiment.init_from / "best.safetensors"
    result = train(experiment, cohorts, options.output, schedule, options.seed, weights, models)
    tell("; ".join(f"{name} {value:.4g}" for name, value in result.items()))
    # Of processes that train together one releases: another would find the first one's file half named.
    if options.release and is_first():
        best, *others = (folder / "best.safetensors" for folder in (options.output, *options.mean_with))
        entry = export(experiment, best, options.release, models.folder, options.threshold, others)
        tell(f"Released as {entry.file} ({entry.sha256[:12]}…).")
