"""Write Resources/Docs/licences.md: under which licence each package is that the project needs.

``python licences.py``, in the environment of ``make test``. Packages for other systems or Pythons than this
one are not there to be read, so they are left out.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata

import hashes
from sbom import EXTRAS

DOCUMENT = hashes.ROOT / "Resources" / "Docs" / "licences.md"
PERMISSIVE = {
    *(
        "0BSD",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
    ),
    *("CC0-1.0", "ISC", "MIT", "MIT-CMU", "PSF-2.0", "Zlib"),
}
_MPL = "MPL asks for the source of its own files alone, and nothing of it is changed or shipped here"
_QT = "shows the panel in tests; Slicer brings a Qt of its own, and nothing of it is shipped here"
# Packages under other licences, and why they may be used.
EXCEPTIONS = {
    "hypothesis": f"tests; {_MPL}",
    "pathspec": f"mypy needs it, for tests; {_MPL}",
    "pyside6-essentials": _QT,
    "shiboken6": _QT,
    "tqdm": f"shows progress in training; {_MPL}",
}
# What packages call their licence where they name no SPDX expression.
_WORDS = {
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd license": "BSD",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
_HEAD = """\
# Licences

Written by `Testing/tools/licences.py` from what each package says of itself. `Testing/test_licences.py` lets
no other licence in. The project's own is Apache-2.0.

| package | needed by | licence |
|---|---|---|
"""


def licence_of(found: PackageMetadata) -> str:
    """Return a package's licence as an SPDX expression; its own words where they are unknown."""
    expression = found.get("License-Expression")
    classifiers = [
        c.split(" :: ")[-1] for c in found.get_all("Classifier") or [] if c.startswith("License :: ")
    ]
    # Some packages put the whole text there.
    said = (found.get("License") or "").strip()
    words = [expression] if expression else [said] if said and "\n" not in said else classifiers
    return " AND ".join(_WORDS.get(word.lower(), word) for word in words) or "none"


def is_permissive(licence: str) -> bool:
    """Whether a licence may be followed without asking anything of those who use the project."""
    parts = re.split(r"\s+AND\s+", licence.replace("(", "").replace(")", ""))
    return all(PERMISSIVE & set(re.split(r"\s+OR\s+", part)) for part in parts)


def licences() -> dict[str, str]:
    """Return the licence of each package that is needed and installed."""
    needed = hashes.closure([f"vsclickcorrect[{','.join((*EXTRAS, 'test'))}]"], hashes.ENVIRONMENTS)
    found = {}
    for name in sorted(needed):
        try:
            found[name] = licence_of(metadata(name))
        except PackageNotFoundError:
            continue
    return found


def document() -> str:
    """Return the page."""
    core = hashes.closure(["vsclickcorrect"], hashes.ENVIRONMENTS)
    users = hashes.closure([f"vsclickcorrect[{','.join(EXTRAS)}]"], hashes.ENVIRONMENTS)
    rows = []
    for name, licence in licences().items():
        needed_by = "all" if name in core else "an extra" if name in users else "tests"
        reason = f": {EXCEPTIONS[name]}" if name in EXCEPTIONS else ""
        rows.append(f"| {name} | {needed_by} | {licence}{reason} |\n")
    return _HEAD + "".join(rows)


def main() -> int:
    """Write the page."""
    DOCUMENT.write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
