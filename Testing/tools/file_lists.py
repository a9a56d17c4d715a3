"""Keep the two lists of files that cannot be discovered: the CMake module's and the wheel's packages.

``python file_lists.py`` rewrites them from what is on disk; with ``--check`` it only says which are stale.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "VSClickCorrect"
LIBRARY = MODULE / "VSClickCorrectLib"


def scripts() -> list[str]:
    """Return every Python file of the Slicer module, which holds the library and nothing beside it."""
    files = [*MODULE.glob("*.py"), *LIBRARY.rglob("*.py")]
    return sorted(path.relative_to(MODULE).as_posix() for path in files)


def resources() -> list[str]:
    """Return every icon and panel of the Slicer module."""
    files = [path for path in (MODULE / "Resources").rglob("*") if path.suffix in {".png", ".svg", ".ui"}]
    return sorted(path.relative_to(MODULE).as_posix() for path in files)


def packages() -> list[str]:
    """Return every package of the wheel."""
    found = [path.parent.relative_to(MODULE) for path in MODULE.glob("VSClickCorrect*/**/__init__.py")]
    data = ["VSClickCorrectLib.models", "VSClickCorrectLib.samples"]
    return sorted([*(".".join(path.parts) for path in found), *data])


def replaced(text: str, opening: str, lines: list[str], closing: str) -> str:
    """Return ``text`` with the lines between ``opening`` and the next ``closing`` replaced."""
    block = re.compile(re.escape(opening) + r"\n.*?^" + re.escape(closing), re.DOTALL | re.MULTILINE)
    new = "\n".join([opening, *lines, closing])
    result, count = block.subn(lambda _: new, text)
    if count != 1:
        raise SystemExit(f"file_lists.py: expected '{opening}' once, found it {count} times.")
    return result


def main(check: bool) -> int:
    """Rewrite the lists, or with ``check`` return 1 if one is out of date."""
    cmake, project = MODULE / "CMakeLists.txt", ROOT / "pyproject.toml"
    texts = {path: path.read_text(encoding="utf-8") for path in (cmake, project)}
    new_cmake = replaced(
        texts[cmake], "set(MODULE_PYTHON_SCRIPTS", [f"  {name}" for name in scripts()], "  )"
    )
    new_cmake = replaced(
        new_cmake, "set(MODULE_PYTHON_RESOURCES", [f"  {name}" for name in resources()], "  )"
    )
    new_project = replaced(texts[project], "packages = [", [f'  "{name}",' for name in packages()], "]")
    stale = [path for path, text in ((cmake, new_cmake), (project, new_project)) if text != texts[path]]
    if check:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date; `make file-lists` rewrites it.")
        return 1 if stale else 0
    cmake.write_text(new_cmake, encoding="utf-8")
    project.write_text(new_project, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
