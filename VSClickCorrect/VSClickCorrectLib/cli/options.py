"""Options that several commands share."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from VSClickCorrectLib.inference.manifest import DEVICES, ModelFolder

Number = TypeVar("Number", int, float)
SCAN_HELP = (
    "NIfTI or NRRD file, multi-frame DICOM file, or a folder with one DICOM series, in folders within it or "
    "zipped too"
)


def count(text: str) -> int:
    """Read a whole number of at least 1."""
    return _number(text, int, lambda value: value >= 1, "a whole number, 1 or more")


def natural(text: str) -> int:
    """Read a whole number of at least 0."""
    return _number(text, int, lambda value: value >= 0, "a whole number, 0 or more")


def positive(text: str) -> float:
    """Read a number above 0."""
    return _number(text, float, lambda value: value > 0, "a number above 0")


def probability(text: str) -> float:
    """Read a number between 0 and 1."""
    return _number(text, float, lambda value: 0 < value < 1, "a number between 0 and 1")


def length(text: str) -> float:
    """Read a length of at least 0."""
    return _number(text, float, lambda value: 0 <= value < math.inf, "a length of 0 mm or more")


def share(text: str) -> float:
    """Read a share, 0 and 1 included."""
    return _number(text, float, lambda value: 0 <= value <= 1, "a share from 0 to 1")


def label(text: str) -> int | str:
    """Read a label's number, 1 or more, or a segment's name."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a label is a number, or a segment's name")
    return count(text) if re.fullmatch(r"\s*[-+]?\d[\d.]*\s*", text) else text


def add_label(parser: argparse.ArgumentParser) -> None:
    """Add ``--label``."""
    parser.add_argument(
        "--label",
        type=label,
        metavar="LABEL",
        help="the tumour's label, or its segment by name or number, where the mask holds several",
    )


def _number(text: str, kind: Callable[[str], Number], fits: Callable[[Number], bool], wanted: str) -> Number:
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not fits(value):
        raise argparse.ArgumentTypeError(f"'{text}' is not {wanted}")
    return value


def add_sequences(parser: argparse.ArgumentParser) -> None:
    """Add ``--t1ce`` and ``--t2``."""
    parser.add_argument("--t1ce", type=Path, metavar="FILE", help=f"contrast-enhanced T1: {SCAN_HELP}")
    parser.add_argument(
        "--t2", type=Path, metavar="FILE", help="T2 registered to it; one of the two sequences may be missing"
    )


def add_worklist(parser: argparse.ArgumentParser) -> None:
    """Add the cases of a worklist and ``--output``."""
    parser.add_argument(
        "cases", type=Path, metavar="CASES", help="folder of cases, or CSV list (case, t1ce, t2, mask)"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder of the results")


def add_different_patients(parser: argparse.ArgumentParser) -> None:
    """Add ``--different-patients``."""
    parser.add_argument(
        "--different-patients",
        action="store_true",
        help="take images, and a mask, whose DICOM headers name different patients for one patient's",
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
        help="corrector, or what has learned (default: the manifest's first; see 'vsclick models list')",
    )


def add_learned(parser: argparse.ArgumentParser) -> None:
    """Add ``--learned``."""
    parser.add_argument(
        "--learned",
        dest="corrector",
        metavar="NAME",
        help="what has learned from accepted cases (default: what was released; see 'vsclick models list')",
    )


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add ``--models`` and ``--device``."""
    add_model_folder(parser)
    parser.add_argument(
        "--device",
        default="auto",
        choices=DEVICES,
        help="where the networks run (default: the graphics card if there is one, else the processor)",
    )


def model_folder(options: argparse.Namespace) -> ModelFolder:
    """Return the model folder that the options name."""
    return ModelFolder(options.models, getattr(options, "corrector", None) or "")


def add_hold_clicks(parser: argparse.ArgumentParser) -> None:
    """Add the option of the refinement after f-BRS."""
    parser.add_argument(
        "--hold-clicks",
        action="store_true",
        help="adjust the last layer of the network that sees the whole tumour until all clicks hold",
    )
