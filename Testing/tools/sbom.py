"""Write what the wheel holds and needs, as CycloneDX: ``python sbom.py``, or ``make sbom``.

The models are in the wheel, packages are what it is tested with. Run it in the environment of ``make test``
after a pin, a requirement, a model or the version was changed.
"""

from __future__ import annotations

import json
import sys
import uuid

import hashes
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LIBRARY = hashes.ROOT / "VSClickCorrect" / "VSClickCorrectLib"
PLACE = LIBRARY / "sbom.cdx.json"
# The extras that are for users.
EXTRAS = ("app", "bench", "cluster", "datasets", "demo", "dicom", "evaluation", "mrml", "train")
_NAME = "vsclickcorrect"


def document() -> dict:
    """Return the whole list."""
    core = hashes.closure([_NAME], hashes.ENVIRONMENTS)
    packages = hashes.closure([f"{_NAME}[{','.join(EXTRAS)}]"], hashes.ENVIRONMENTS)
    components = [*_packages(sorted(packages), core), *_models()]
    root = {"type": "application", "bom-ref": _NAME, "name": _NAME, "version": _version()}
    root |= {"purl": f"pkg:pypi/{_NAME}@{_version()}", "licenses": [{"license": {"id": "Apache-2.0"}}]}
    needed = _direct() | {c["name"] for c in components if c["type"] != "library"}
    depends = sorted(c["bom-ref"] for c in components if c["name"] in needed)
    found = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root},
        "components": components,
        "dependencies": [{"ref": _NAME, "dependsOn": depends}],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(found, sort_keys=True))
    return {**found, "serialNumber": f"urn:uuid:{number}"}


def text() -> str:
    """Return the file's content."""
    return json.dumps(document(), indent=1) + "\n"


def _packages(names: list[str], core: set[str]) -> list[dict]:
    components, pins = [], hashes.pinned()
    for name in names:
        for pin in pins[name]:
            version = next(iter(pin.specifier)).version
            purl = f"pkg:pypi/{name}@{version}"
            component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
            component["scope"] = "required" if name in core else "optional"
            if pin.marker is not None:
                component["properties"] = [{"name": f"{_NAME}:marker", "value": str(pin.marker)}]
            components.append(component)
    return components


def _models() -> list[dict]:
    manifest = json.loads((hashes.ROOT / "models" / "manifest.json").read_text(encoding="utf-8"))
    return [
        {
            "type": "machine-learning-model",
            "bom-ref": f"model:{model['name']}",
            "name": model["name"],
            "scope": "required",
            "hashes": [{"alg": "SHA-256", "content": model["sha256"]}],
        }
        for model in manifest["models"]
    ]


def _direct() -> set[str]:
    project = hashes.project()
    lines = [
        *project["dependencies"],
        *(line for e in EXTRAS for line in project["optional-dependencies"][e]),
    ]
    return {canonicalize_name(Requirement(line).name) for line in lines} - {_NAME}


def _version() -> str:
    line = next(x for x in (LIBRARY / "__init__.py").read_text().splitlines() if x.startswith("__version__"))
    return line.partition('"')[2].rstrip('"')


def main() -> int:
    """Write the file."""
    PLACE.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
