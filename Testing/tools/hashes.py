"""Write Resources/requirements: what every make command installs, with hashes; ``python hashes.py``.

What a package needs is read from the packages that are installed, so run it in the environment of
``make test``, as ``make requirements`` does, after a pin was changed. The hashes are those of the package
index: of each pinned version all wheels for the systems that the strictest packages are made for, and its
source where a Python has no wheel.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from itertools import product
from pathlib import Path
from urllib.request import Request, urlopen

import audit
from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "Resources" / "requirements"
EXTRAS = ("demo", "evaluation", "test", "train")
# Builds the package itself.
BUILD = "setuptools"
# Has builds for each kind of accelerator, from several places, under one version: it has a step of its own.
UNHASHED = "torch"
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
SYSTEMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"},
    {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64", "os_name": "posix"},
    {"sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64", "os_name": "nt"},
)
ENVIRONMENTS = tuple(
    {
        **system,
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
    }
    for python, system in product(PYTHONS, SYSTEMS)
)
_PLATFORMS = ("manylinux", "macosx", "win_amd64", "win_arm64")
_MACHINES = ("x86_64", "aarch64", "arm64", "universal2", "win_amd64")
_HEAD = """\
# Written by Testing/tools/hashes.py from Resources/constraints.txt; torch has a step of its own.
"""


def project() -> dict:
    """Return what pyproject.toml says of the project."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pinned() -> dict[str, list[Requirement]]:
    """Return the pins by name: several where an older Python needs an older version."""
    found: dict[str, list[Requirement]] = {}
    for line in audit.CONSTRAINTS.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text:
            pin = Requirement(text)
            found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


def closure(wanted: Iterable[str], environments: Iterable[dict[str, str]]) -> set[str]:
    """Return the names of all that is installed for requirements, in any of some environments.

    Parameters
    ----------
    wanted : iterable of str
        Requirements; the project's own extras as ``vsclickcorrect[app]``.
    environments : iterable of dict
        What markers are evaluated in.
    """
    waiting, seen, environments = [Requirement(line) for line in wanted], set(), list(environments)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += _needed(name, extra, environments)
    return {name for name, _ in seen} - {"vsclickcorrect"}


def _needed(name: str, extra: str, environments: list[dict[str, str]]) -> Iterator[Requirement]:
    for line in _lines(name, extra):
        needed = Requirement(line)
        if needed.marker is None or any(needed.marker.evaluate({**e, "extra": extra}) for e in environments):
            yield needed


def _lines(name: str, extra: str) -> list[str]:
    if name == "vsclickcorrect":
        return project()["optional-dependencies"][extra] if extra else project()["dependencies"]
    try:
        return distribution(name).requires or []
    except PackageNotFoundError:
        # For another system or Python than this one.
        return []


def names_for(extra: str) -> list[str]:
    """Return the names of what a make command installs by hash, on any system."""
    found = closure([BUILD, f"vsclickcorrect[{extra}]"], ENVIRONMENTS)
    return sorted(found - {UNHASHED})


def fits(filename: str) -> bool:
    """Whether a file of the index is a wheel for one of the systems and Pythons."""
    if not filename.endswith(".whl"):
        return False
    return any(map(_fits, parse_wheel_filename(filename)[3]))


def _fits(tag: Tag) -> bool:
    version = tag.interpreter.removeprefix("cp").removeprefix("py")
    known = {python.replace(".", "") for python in PYTHONS} | {"3", "2"}
    if version not in known and not (tag.abi == "abi3" and version.isdigit()):
        return False
    if tag.abi.endswith("t"):
        return False
    return tag.platform == "any" or (tag.platform.startswith(_PLATFORMS) and tag.platform.endswith(_MACHINES))


def runs_on(filename: str, python: str) -> bool:
    """Whether a file of the index is a wheel for a Python such as ``3.14``."""
    if not filename.endswith(".whl"):
        return False
    number = int(python.replace(".", ""))
    for tag in parse_wheel_filename(filename)[3]:
        version = int(tag.interpreter.lstrip("cpy") or 0)
        if version in (2, 3, number) or (tag.abi == "abi3" and version <= number):
            return True
    return False


def hashes_of(name: str, version: str) -> list[str]:
    """Return the SHA-256 of a version's wheels, and of its source where a Python has none."""
    request = Request(audit.INDEX.format(name), headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    of_version = [file for file in files if _version_of(file["filename"], name) == version]
    chosen = [file for file in of_version if fits(file["filename"])]
    if not all(any(runs_on(file["filename"], python) for file in chosen) for python in PYTHONS):
        chosen += [file for file in of_version if not file["filename"].endswith(".whl")]
    chosen = chosen or of_version
    if not chosen:
        raise SystemExit(f"hashes.py: the index has no file of {name} {version}.")
    return sorted(file["hashes"]["sha256"] for file in chosen)


def _version_of(filename: str, name: str) -> str:
    if filename.endswith(".whl"):
        return filename.split("-")[1]
    return filename.removesuffix(".tar.gz").removesuffix(".zip")[len(name) + 1 :]


def main() -> int:
    """Write the files; every name that is needed must be pinned."""
    pins, names = pinned(), {extra: names_for(extra) for extra in EXTRAS}
    missing = {name for wanted in names.values() for name in wanted} - pins.keys()
    if missing:
        raise SystemExit(f"hashes.py: {', '.join(sorted(missing))}: pin in {audit.CONSTRAINTS.name} first.")
    entries = {}
    for name in sorted({name for wanted in names.values() for name in wanted}):
        for pin in pins[name]:
            version = next(iter(pin.specifier)).version
            lines = [f"    --hash=sha256:{one}" for one in hashes_of(name, version)]
            entries.setdefault(name, []).append(" \\\n".join([str(pin).replace(";", " ;"), *lines]))
    FOLDER.mkdir(exist_ok=True)
    for extra, wanted in names.items():
        text = _HEAD + "\n".join(entry for name in wanted for entry in entries[name]) + "\n"
        (FOLDER / f"{extra}.txt").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
