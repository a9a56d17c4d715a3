"""``python -m VSClickCorrectResearch.training.on_card``: pack, write boxes, measure, train; see data.md."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from statistics import median

import torch
from safetensors.torch import load_file
from torch import nn
from VSClickCorrectLib.cli.options import count, natural
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.geometry.triples import point3
from VSClickCorrectLib.networks.registry import build

from VSClickCorrectResearch.datasets.cohort import CohortRecipe, Sources
from VSClickCorrectResearch.datasets.packed_sources import pack_sources, unpack_sources
from VSClickCorrectResearch.training.experiments import Experiment, read_experiment
from VSClickCorrectResearch.training.export import check_release, export
from VSClickCorrectResearch.training.on_card.boxes import BoxPool, write_boxes
from VSClickCorrectResearch.training.on_card.course import VOXELS, CardTraining
from VSClickCorrectResearch.training.on_card.norm import use_card_norms
from VSClickCorrectResearch.training.on_card.widening import widened

# More than any card uses up.
_BOXES = 1_000_000
_ELSEWHERE = 0.25
_MEASURED = 10  # steps
_THRESHOLD = 0.5


def main(arguments: list[str] | None = None) -> None:
    """Run one of the commands."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except VSClickError as error:
        raise SystemExit(f"on_card: {error}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="on_card", description=__doc__)
    commands = parser.add_subparsers(required=True)
    pack = commands.add_parser("pack", help="pack what training cases are simulated from, to be carried")
    pack.add_argument("data", type=Path, help="as for 'vsclick simulate'")
    pack.add_argument("packed", type=Path)
    pack.set_defaults(run=_pack)
    boxes = commands.add_parser("boxes", help="write boxes until it is ended")
    boxes.add_argument("packed", type=Path)
    boxes.add_argument("boxes", type=Path, help="folder; best in memory, as below /dev/shm")
    boxes.add_argument("--experiment", type=Path, required=True, help="whose voxel size")
    boxes.add_argument("--seed", type=natural, default=101)
    boxes.add_argument("--workers", type=count, default=max(1, (os.cpu_count() or 2) - 1))
    boxes.set_defaults(run=_boxes)
    for name, run, what in (
        ("measure", _measure, "time batches and steps"),
        ("train", _train, "learn from boxes as they come"),
    ):
        one = commands.add_parser(name, help=what)
        one.add_argument("experiment", type=Path)
        one.add_argument("boxes", type=Path)
        one.add_argument("--weights", type=Path, help="to go on from; widened where the experiment is wider")
        one.add_argument("--device", default="cuda")
        one.add_argument("--seed", type=natural, default=1)
        one.add_argument("--first", type=count, default=64, help="boxes to wait for")
        one.add_argument("--voxels", type=count, default=VOXELS, help="of a batch")
        one.add_argument("--compiled", action="store_true", help="let torch compile the network first")
        one.set_defaults(run=run)
        if run is _train:
            one.add_argument("--output", type=Path, required=True, help="weights, safetensors")
            one.add_argument("--seconds", type=float, required=True)
    release = commands.add_parser("release", help="put weights into a folder of models")
    release.add_argument("experiment", type=Path)
    release.add_argument("weights", type=Path, nargs="+", help="of several the mean")
    release.add_argument("--name", required=True)
    release.add_argument("--models", type=Path, required=True)
    release.set_defaults(run=_release)
    return parser


def _pack(options: argparse.Namespace) -> None:
    pack_sources(Sources.load(options.data, "training"), options.packed)


def _boxes(options: argparse.Namespace) -> None:
    spacing = point3(read_experiment(options.experiment).geometry["spacing"])
    recipe = CohortRecipe("training", "box", _BOXES, options.seed, balanced=True, elsewhere=_ELSEWHERE)
    write_boxes(options.boxes, unpack_sources(options.packed), recipe, spacing, options.workers)


def _train(options: argparse.Namespace) -> None:
    begin = time.monotonic()
    training, pool = _prepared(options)
    training.run(pool, options.seconds - (time.monotonic() - begin), options.output, tell)
    tell(f"{training.steps} steps, {len(pool)} boxes.")


def _measure(options: argparse.Namespace) -> None:
    training, pool = _prepared(options)
    for side in training.batches.sides:
        training.batches.sides = (side,)
        times: list[list[float]] = [[], []]
        for _ in range(_MEASURED):
            _measure_step(training, pool, times)
        batch, step = (f"first {some[0]:.2f} s, then {median(some[1:]) * 1e3:.1f} ms" for some in times)
        tell(f"{side} voxels a side: batch {batch}; step {step}.")


def _measure_step(training: CardTraining, pool: BoxPool, times: list[list[float]]) -> None:
    begin = time.monotonic()
    inputs, share = training.batches.next(pool.boxes)
    float(share.sum())  # waits for the card
    middle = time.monotonic()
    float(training.step(inputs, share, 0.0))
    times[0].append(middle - begin)
    times[1].append(time.monotonic() - middle)


def _release(options: argparse.Namespace) -> None:
    check_release(options.name, options.models)
    experiment, (first, *others) = read_experiment(options.experiment), options.weights
    entry = export(experiment, first, options.name, options.models, _THRESHOLD, others)
    tell(f"Released as {entry.file} ({entry.sha256[:12]}…).")


def _prepared(options: argparse.Namespace) -> tuple[CardTraining, BoxPool]:
    torch.backends.cudnn.benchmark = True
    device = torch.device(options.device)
    pool = BoxPool(options.boxes, device)
    experiment = read_experiment(options.experiment)
    network = _network(experiment, options.weights).to(device)
    network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    while len(pool) < options.first:
        time.sleep(0.1)
        pool.look()
    pool.keep_looking()
    return CardTraining(experiment, network, options.compiled, options.voxels, options.seed), pool


def _network(experiment: Experiment, weights: Path | None) -> nn.Module:
    network = build(experiment.network["name"], **experiment.parameters)
    if weights is not None:
        network.load_state_dict(widened(load_file(weights), experiment.parameters["channels"]))
    use_card_norms(network)
    return network


if __name__ == "__main__":
    main()
