"""Whether a package has a known vulnerability: ``python audit.py``, or ``make audit``.

Asks OSV, the open database of vulnerabilities, which holds PyPI's own advisories too, for every pin and for
the oldest version of each package that pyproject.toml allows, which users may have. Ends with status 1 if one
is known. Where OSV cannot be reached it tells the age of the pins instead and ends with status 0. After a pin
was changed, ``python audit.py --record`` writes behind it when it was uploaded to the package index.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from datetime import date
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ROOT / "Resources" / "constraints.txt"
PROJECT = ROOT / "pyproject.toml"
OSV = "https://api.osv.dev/v1/querybatch"
INDEX = "https://pypi.org/simple/{}/"
OLD_YEARS = 3
# Old versions that users may keep, and why.
TOLERATED = {
    "torch": "they lie in reading its files, in compiling and in operators that are not used here, and "
    "people keep the build that fits their accelerator"
}
_BOUND = re.compile(r'"(?P<name>[A-Za-z][\w.-]*)(?:\[[^\]]*\])?>=(?P<version>[\w.]+)')
# name==version ; marker  # date
_PIN = re.compile(r"(?P<pin>(?P<name>[\w.-]+)==(?P<version>[\w.]+)(?: ; [^#]+?)?)(?:  # (?P<date>[\d-]+))?$")


@dataclass(frozen=True)
class Pin:
    """A line of the constraints, and when its version was uploaded, if that is recorded."""

    name: str
    version: str
    uploaded: date | None

    def __str__(self) -> str:
        return f"{self.name} {self.version}" + (f" of {self.uploaded}" if self.uploaded else "")


def pins_of(text: str) -> list[Pin]:
    """Return every pin of the constraints' text."""
    return [_pin_of(line) for line in text.splitlines() if line and not line.startswith("#")]


def bounds_of(text: str) -> list[Pin]:
    """Return the oldest version of each package that a pyproject.toml allows."""
    return [Pin(found["name"], found["version"], None) for found in _BOUND.finditer(text)]


def _pin_of(line: str) -> Pin:
    found = _PIN.match(line)
    if found is None:
        raise SystemExit(f"audit.py: '{line}' is no pin; write name==version ; marker  # date.")
    return Pin(found["name"], found["version"], date.fromisoformat(found["date"]) if found["date"] else None)


def known(pins: list[Pin], url: str = OSV, patience_s: float = 15.0) -> dict[Pin, list[str]]:
    """Return the vulnerabilities of pins that have any, by their numbers.

    Raises
    ------
    OSError
        If the service cannot be reached or does not answer as it should.
    """
    queries = [{"package": {"name": p.name, "ecosystem": "PyPI"}, "version": p.version} for p in pins]
    request = Request(url, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=patience_s) as answer:
        try:
            results = json.load(answer)["results"]
            found = [[v["id"] for v in result.get("vulns", [])] for result in results]
            return {pin: numbers for pin, numbers in zip(pins, found, strict=True) if numbers}
        except (ValueError, KeyError, TypeError, AttributeError, HTTPException):
            raise URLError("its answer cannot be understood") from None


def by_age(pins: list[Pin], today: date) -> list[str]:
    """Return lines on how old the pins are."""
    dated = sorted((p for p in pins if p.uploaded), key=lambda p: p.uploaded)
    old = [p for p in dated if (today - p.uploaded).days > OLD_YEARS * 365.25]
    lines = [f"Of {len(pins)} pins the oldest is {dated[0]}, the newest {dated[-1]}."] if dated else []
    lines += [f"Older than {OLD_YEARS} years: {', '.join(map(str, old))}."] if old else []
    missing = [p.name for p in pins if p.uploaded is None]
    return lines + ([f"Without a date: {', '.join(missing)}; run audit.py --record."] if missing else [])


def audit(url: str = OSV, patience_s: float = 15.0) -> int:
    """Print what is known of pins and bounds; return 1 if one that is not tolerated has a vulnerability."""
    pins = pins_of(CONSTRAINTS.read_text(encoding="utf-8"))
    bounds = bounds_of(PROJECT.read_text(encoding="utf-8"))
    try:
        found = known([*pins, *bounds], url, patience_s)
    except OSError as error:
        print(f"The database of vulnerabilities cannot be asked ({getattr(error, 'reason', error)}).")
        print("\n".join(by_age(pins, date.today())))
        return 0
    tolerated = {bound for bound in found if bound in bounds and bound.name in TOLERATED}
    for pin, numbers in found.items():
        told = f"{pin.name} {pin.version} has known vulnerabilities: {', '.join(numbers)}; "
        print(told + (TOLERATED[pin.name] if pin in tolerated else _what_to_do(pin in bounds)) + ".")
    if not found:
        print(f"None of {len(pins)} pins and {len(bounds)} lower bounds has a known vulnerability.")
    return 1 if found.keys() - tolerated else 0


def _what_to_do(is_bound: bool) -> str:
    return "raise its bound in pyproject.toml" if is_bound else "pin a later one"


def record() -> int:
    """Write the dates of the pins into the constraints, asking the index for those that lack one."""
    lines = []
    for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines():
        found = _PIN.match(line) if not line.startswith("#") else None
        if found and not found["date"]:
            line = f"{found['pin']}  # {_uploaded(found['name'], found['version'])}"
        lines.append(line)
    CONSTRAINTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def _uploaded(name: str, version: str) -> date:
    """Return when the first file of a version was uploaded."""
    request = Request(INDEX.format(name), headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with urlopen(request, timeout=60) as answer:
        text = answer.read().decode("utf-8")
    if text.startswith("{"):
        files = [(file["filename"], file["upload-time"]) for file in json.loads(text)["files"]]
    else:
        # A mirror may know the older format alone.
        files = [(n, t) for t, n in re.findall(r'data-upload-time="([^"]+)"[^>]*>([^<]+)</a>', text)]
    pattern = re.compile(
        rf"{re.sub('[-_.]+', '[-_.]+', name)}-{re.escape(version)}(-|\.tar|\.zip)", re.IGNORECASE
    )
    dates = [date.fromisoformat(uploaded[:10]) for file, uploaded in files if pattern.match(file)]
    if not dates:
        raise SystemExit(f"audit.py: the index does not tell when {name} {version} was uploaded.")
    return min(dates)


if __name__ == "__main__":
    sys.exit(record() if "--record" in sys.argv[1:] else audit())
