"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from VSClickCorrectLib.inference.models import ModelFolder

IMAGE_HELP = "NIfTI or NRRD file, or a folder with one DICOM series"


def add_sequences(parser: argparse.ArgumentParser) -> None:
    """Add ``--t1ce`` and ``--t2``."""
    parser.add_argument("--t1ce", type=Path, metavar="FILE", help=f"contrast-enhanced T1: {IMAGE_HELP}")
    parser.add_argument(
        "--t2", type=Path, metavar="FILE", help="T2 registered to it; one of the two sequences may be missing"
    )


def add_model_folder(parser: argparse.ArgumentParser) -> None:
    """Add ``--models``."""
    parser.add_argument(
        "--models",
        type=Path,
        metavar="FOLDER",
        help="folder with manifest.json and weights (default: those shipped)",
    )


def add_corrector(parser: argparse.ArgumentParser) -> None:
    """Add ``--corrector``."""
    parser.add_argument(
        "--corrector",
        metavar="NAME",
        help="corrector of the manifest (default: its first; see 'vsclick models')",
    )


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add ``--models`` and ``--device``."""
    add_model_folder(parser)
    parser.add_argument(
        "--device",
        default="auto",
        choices=("auto", "cuda", "mps", "cpu"),
        help="where the networks run (default: the graphics card if there is one, else the processor)",
    )


def model_folder(options: argparse.Namespace) -> ModelFolder:
    """Return the model folder that the options name."""
    return ModelFolder(options.models)


def positive(text: str) -> int:
    """Read a whole number of 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value
