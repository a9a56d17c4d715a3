"""Pins: every package that is installed has one, and those with known vulnerabilities are told."""

import json
import re
import sys
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from threading import Thread

import audit
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
TEXT = '# Pins.\nsafe==1.0  # 2024-02-29\nold==0.1 ; python_version < "3.11"  # 2020-01-01\nnew==3.0.post1\n'


def pinned():
    """The pins that hold for this Python, as requirements."""
    lines = [line.partition("#")[0].strip() for line in audit.CONSTRAINTS.read_text().splitlines()]
    requirements = [Requirement(line) for line in lines if line]
    return {canonicalize_name(r.name): r for r in requirements if r.marker is None or r.marker.evaluate()}


def closure():
    """Every distribution that `make test` installs here, with the version that is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {f"vsclickcorrect[{name}]": lines for name, lines in project["optional-dependencies"].items()}
    waiting = [*project["dependencies"], *(line for lines in extras.values() for line in lines)]
    found = {}
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        wanted = {(name, extra) for extra in ("", *requirement.extras)} - found.keys()
        if name == "vsclickcorrect" or (
            requirement.marker and not requirement.marker.evaluate({"extra": ""})
        ):
            continue
        for key in wanted:
            try:
                installed = distribution(name)
            except PackageNotFoundError:
                pytest.skip(f"{name} is not installed; run: make test")
            found[key] = installed.version
            for line in installed.requires or []:
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": key[1]}):
                    needed.marker = None
                    waiting.append(str(needed))
    return {name: version for (name, _), version in found.items()}


def test_every_distribution_that_is_installed_is_pinned():
    pins, installed = pinned(), closure()
    assert len(installed) > 90
    assert {name for name in installed if name not in pins} == set()


def test_every_pin_is_exact_and_dated():
    pins = audit.pins_of(audit.CONSTRAINTS.read_text(encoding="utf-8"))
    assert len(pins) > 100
    assert [pin.name for pin in pins if pin.uploaded is None] == []


def test_pins_are_read_with_their_dates():
    assert audit.pins_of(TEXT) == [
        audit.Pin("safe", "1.0", date(2024, 2, 29)),
        audit.Pin("old", "0.1", date(2020, 1, 1)),
        audit.Pin("new", "3.0.post1", None),
    ]


@pytest.mark.parametrize(
    "line", ["torch>=2", "torch", "torch==2.*", "torch==2  # last year", "torch==2 # 2024-01-01"]
)
def test_what_is_no_pin_is_told(line):
    with pytest.raises(SystemExit, match="is no pin"):
        audit.pins_of(line)


def test_ages_are_told_and_what_is_old():
    lines = audit.by_age(audit.pins_of(TEXT), date(2024, 6, 1))
    assert lines == [
        "Of 3 pins the oldest is old 0.1 of 2020-01-01, the newest safe 1.0 of 2024-02-29.",
        "Older than 3 years: old 0.1 of 2020-01-01.",
        "Without a date: new; run audit.py --record.",
    ]


@pytest.fixture
def service(monkeypatch, tmp_path):
    """Make a database that answers with given bytes, None for none; return its address."""
    (tmp_path / "constraints.txt").write_text(TEXT)
    monkeypatch.setattr(audit, "CONSTRAINTS", tmp_path / "constraints.txt")
    servers, asked = [], []

    def serve(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                if answer is None:
                    self.rfile.read()
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        servers[-1].daemon_threads = True
        Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    serve.asked = asked
    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_known_vulnerability_is_told_and_ends_with_status_1(service, capsys):
    results = [{}, {"vulns": [{"id": "PYSEC-2020-1"}, {"id": "GHSA-1"}]}, {}]
    assert audit.audit(service(json.dumps({"results": results}).encode())) == 1
    assert capsys.readouterr().out == (
        "old 0.1 has known vulnerabilities: PYSEC-2020-1, GHSA-1; pin a later one.\n"
    )
    assert service.asked[0]["queries"][2] == {
        "package": {"name": "new", "ecosystem": "PyPI"},
        "version": "3.0.post1",
    }


def test_no_known_vulnerability_ends_with_status_0(service, capsys):
    assert audit.audit(service(json.dumps({"results": [{}, {}, {}]}).encode())) == 0
    assert capsys.readouterr().out == "None of 3 pins has a known vulnerability.\n"


@pytest.mark.parametrize(
    "answer", [None, b"", b"<html>", b"{}", b"[]", b'{"results": [{}]}', b'{"results": [1, 2, 3]}']
)
def test_where_the_database_does_not_answer_the_ages_are_told(service, capsys, answer):
    assert audit.audit(service(answer), patience_s=0.5) == 0
    said = capsys.readouterr().out
    assert re.match(
        r"The database of vulnerabilities cannot be asked \(.+\)\.\nOf 3 pins the oldest is old", said
    )


def test_where_there_is_no_database_the_ages_are_told(service, capsys):
    assert audit.audit("http://127.0.0.1:9/") == 0
    assert "cannot be asked" in capsys.readouterr().out
