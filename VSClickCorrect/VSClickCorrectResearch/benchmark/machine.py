"""The machine and the versions that a table of times is worth nothing without."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from VSClickCorrectLib import __version__

_PACKAGES = ("torch", "numpy", "scipy", "SimpleITK", "slicer-core", "monai", "trame-slicer")


def describe(device: torch.device) -> dict[str, str]:
    """Return processor, device, memory, system and versions, each under the name to print."""
    found = {
        "processor": f"{_processor()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "threads": str(torch.get_num_threads()),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "memory": _memory(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "vsclick": __version__,
    }
    return found | {package: _version(package) for package in _PACKAGES}


def _processor() -> str:
    names = Path("/proc/cpuinfo")
    if names.is_file():
        lines = names.read_text(encoding="utf-8").splitlines()
        found = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        if found:
            return found[0]
    return platform.processor() or platform.machine()


def _memory() -> str:
    if not hasattr(os, "sysconf"):
        return "not known"
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
