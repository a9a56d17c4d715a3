"""Where what ships beside the code lies: installed, in the package; in a checkout, in the repository."""

from __future__ import annotations

from pathlib import Path

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
