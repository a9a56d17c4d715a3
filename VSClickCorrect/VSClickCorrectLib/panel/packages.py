"""The Python packages that networks need and Slicer does not bring."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re

from slicer.i18n import tr as _

from VSClickCorrectLib.errors import ModelError

MINIMUM = {"torch": (2, 4), "safetensors": (0, 4), "fastjsonschema": (2, 19)}


def requirement(package: str) -> str:
    """Return what pip is told, ``>=2.4`` for instance."""
    return ">=" + ".".join(map(str, MINIMUM[package]))


def unfit_packages() -> dict[str, str]:
    """Return the packages that are missing or too old, and which version is there, empty for none."""
    importlib.invalidate_caches()
    versions = {package: _version(package) for package in MINIMUM}
    return {package: v for package, v in versions.items() if _numbers(v) < MINIMUM[package]}


def _version(package: str) -> str:
    # Nothing is imported here: a package that is loaded could not be replaced by a newer one.
    if importlib.util.find_spec(package) is None:
        return ""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version: (2, 4) of 2.4.1+cpu."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def too_old(present: str) -> ModelError:
    """Return what to say where a torch is there that is too old: it cannot be replaced while Slicer runs."""
    return ModelError(
        _(
            "PyTorch {present} is installed, but {needed} or newer is needed: uninstall it in the module "
            "PyTorch Utils, restart Slicer and try again."
        ).format(present=present, needed=requirement("torch").removeprefix(">="))
    )


def no_extension() -> ModelError:
    """Return what to say where the PyTorch extension is missing."""
    return ModelError(
        _(
            "PyTorch is needed: install the extension PyTorch with the Extensions Manager, restart Slicer "
            "and try again."
        )
    )


def failure(reason: str) -> ModelError:
    """Return what to say where an installation failed."""
    first = (reason.strip().splitlines() or [_("no reason given")])[0]
    return ModelError(
        _(
            "The installation failed ({reason}): check the internet connection or the hospital's proxy, look "
            "into Slicer's error log and try again; the user guide says how to install without internet."
        ).format(reason=first)
    )
