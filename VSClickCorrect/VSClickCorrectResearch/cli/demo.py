"""``vsclick demo``: three rounds of clicks by a simulated user, on real MRML nodes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from VSClickCorrectLib.cli.options import (
    add_different_patients,
    add_models,
    add_sequences,
    model_folder,
)
from VSClickCorrectLib.cli.telling import counted, tell
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.errors import ImageError, ModelError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectLib.io.given_scans import GivenScans
from VSClickCorrectLib.io.outputs import check_apart, check_ours, writing_into
from VSClickCorrectLib.io.sample_case import read_sample

from VSClickCorrectResearch.evaluation.metrics import dice
from VSClickCorrectResearch.simulation.mask_perturbations import uneven_border
from VSClickCorrectResearch.simulation.user import border_clicks

ROUNDS, CLICKS = 3, 5
_DESCRIPTION = """\
Show the whole way on one case: load, initial mask, three rounds of clicks placed as points in a scene,
undo and redo, save. Without files it takes the sample case, whose truth is known. With files of your own
no truth is known: the simulated user then repairs a spoiled copy of the initial mask. On a terminal it
then opens the case in a browser, for you to click on.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    add_sequences(parser)
    add_different_patients(parser)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("vsclick-demo"),
        metavar="DIR",
        help="folder for scene, mask, journal and pictures (default: %(default)s)",
    )
    add_models(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    try:
        import VSClickCorrectResearch.evaluation.pictures  # noqa: F401 - used below, where its libraries must be there
        from VSClickCorrectResearch.cli.demo_scene import SAVED
    except ImportError as error:
        raise ModelError(f"the demo needs {error.name}; install vsclickcorrect[demo].") from None
    output = options.output
    check_apart(output, filter(None, (options.t1ce, options.t2)))
    pictures = [_picture_name(number) for number in range(ROUNDS + 1)]
    check_ours(output, (*pictures, *SAVED), (output / pictures[0]).exists())
    with writing_into(output):
        case, truth = _case(options)
        start = _play(options, case, truth)
    tell(f"Scene, mask, journal and pictures are in {output}.")
    if sys.stdin.isatty() and sys.stdout.isatty():
        _open_in_browser(case, start, options)


def _play(options: argparse.Namespace, case: Case, truth: np.ndarray | None) -> np.ndarray:
    """Play all rounds in a scene, save what comes of them, and return the mask that they began with."""
    from VSClickCorrectResearch.cli.demo_scene import DemoScene
    from VSClickCorrectResearch.evaluation.pictures import save_picture

    output = options.output
    networks = Networks.load(model_folder(options), options.device)
    tell("Initial mask:")
    segmenter = networks.segmenter
    initial = segmenter.segment(case, progress=lambda done, message: tell(f"  {done:4.0%}  {message}"))
    aim = "goal" if truth is None else "truth"
    start, goal = _start_and_goal(initial.on(case.grid), truth, case)
    save_picture(output / _picture_name(0), case, {aim: goal, "mask": start}, [], "Before the first click")
    with DemoScene(case, start, networks.corrector, segmenter.propose) as scene:
        _report(0, start, truth, [])
        for number in range(1, ROUNDS + 1):
            before = scene.values()
            clicks = border_clicks(case.grid, goal, before, CLICKS)
            edits = scene.place(clicks)
            _report(number, scene.values(), truth, edits)
            _picture(output, case, number, {aim: goal, "before": before, "mask": scene.values()}, clicks)
            if number < ROUNDS:
                scene.next_round()
        count = scene.undo_and_redo_everything()
        tell(f"Undo and redo of {counted(count, 'click')}: the mask is bit for bit the same.")
        scene.save(output)
    return start


def _picture_name(number: int) -> str:
    return f"round-{number}.png"


def _open_in_browser(case: Case, start: np.ndarray, options: argparse.Namespace) -> None:
    """Let the person at the terminal click on the same case; a script, which has none, goes on."""
    from VSClickCorrectApp.cli import app

    def source():
        from VSClickCorrectLib.workflow.opened_case import OpenedCase

        return OpenedCase("Demo", case.t1ce, case.t2, start)

    tell("Now it is your turn, on the same case, in a browser …")
    app.start(source, app.defaults(options.models, options.device))


def _case(options: argparse.Namespace) -> tuple[Case, np.ndarray | None]:
    if options.t1ce or options.t2:
        with GivenScans(options.t1ce, options.t2) as scans:
            case = scans.case(options.different_patients)
        tell(*case.remarks)
        return case, None
    made = read_sample()
    return made.case, made.truth


def _start_and_goal(
    initial: np.ndarray, truth: np.ndarray | None, case: Case
) -> tuple[np.ndarray, np.ndarray]:
    if truth is not None:
        return initial, truth
    if not initial.any():
        raise ImageError("no tumour was found in these images, so there is nothing to demonstrate on them.")
    tell("No truth is known: the simulated user repairs a spoiled copy of the initial mask.")
    return uneven_border(initial, case.grid.spacing[::-1], np.random.default_rng(0)), initial


def _report(number: int, mask: np.ndarray, truth: np.ndarray | None, edits: list) -> None:
    score = f"DSC {dice(mask, truth):.4f}" if truth is not None else f"{int(mask.sum())} voxels"
    times = (
        f", {np.median([e.milliseconds for e in edits]):.0f} ms a click ({counted(len(edits), 'click')})"
        if edits
        else ""
    )
    tell(f"{'Initial' if number == 0 else f'Round {number}'}: {score}{times}")


def _picture(
    output: Path, case: Case, number: int, masks: dict[str, np.ndarray], clicks: list[Click]
) -> None:
    from VSClickCorrectResearch.evaluation.pictures import save_picture

    save_picture(
        output / _picture_name(number),
        case,
        masks,
        clicks,
        f"Round {number}: {len(clicks)} boundary clicks",
    )
