"""Where what ships beside the code lies: installed, in the package; in a checkout, in the repository."""

from __future__ import annotations

from pathlib import Path

from VSClickCorrectLib.errors import ImageError

# The files of the sample case; the tumour is the truth, the mask to start with is wrong here and there.
T1CE, T2, TUMOUR, START = "T1ce.nii.gz", "T2.nii.gz", "tumour.nii.gz", "start.nii.gz"
_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parents[1]
# By their names in the package.
_IN_CHECKOUT = {"models": _CHECKOUT / "models", "samples": _CHECKOUT / "Resources" / "Samples"}


def shipped_folder(name: str) -> Path:
    """Return the folder of ``"models"`` or ``"samples"``; where there is none, the place in the package.

    Whoever reads from it says what is missing.
    """
    installed = _PACKAGE / name
    return next((place for place in (installed, _IN_CHECKOUT[name]) if place.is_dir()), installed)


def sample_folder() -> Path:
    """Return the folder with the files of the sample case.

    Raises
    ------
    ImageError
        If it is not there.
    """
    folder = shipped_folder("samples")
    if not folder.is_dir():
        raise ImageError(f"{folder} with the sample case is missing; install vsclickcorrect again.")
    return folder
