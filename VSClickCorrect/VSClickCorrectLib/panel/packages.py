"""The Python packages that networks need and Slicer does not bring."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re

MINIMUM = {"torch": (2, 4), "safetensors": (0, 4)}


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
