"""Pins and bounds: every package that is installed has a pin, and known vulnerabilities are told."""

import json
import re
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, distribution
from itertools import chain
from threading import Thread

import audit
import hashes
import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.version import Version

TEXT = '# Pins.\nsafe==1.0  # 2024-02-29\nold==0.1 ; python_version < "3.11"  # 2020-01-01\nnew==3.0.post1\n'
PROJECT = 'requires-python = ">=3.10"\ndependencies = ["safe[all]>=0.9,<2", "torch>=2.4"]\n'


def installed():
    """Every distribution that `make test` installs here, with the version that is installed."""
    names = hashes.closure(["vsclickcorrect[test]"], [default_environment()])
    try:
        return {name: distribution(name).version for name in names}
    except PackageNotFoundError as missing:
        pytest.skip(f"{missing.name} is not installed; run: make test")


def test_every_distribution_that_is_installed_is_pinned():
    assert len(installed()) > 90
    assert installed().keys() - hashes.pinned().keys() == set()


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
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.setattr(audit, "CONSTRAINTS", tmp_path / "constraints.txt")
    monkeypatch.setattr(audit, "PROJECT", tmp_path / "pyproject.toml")
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
        Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    serve.asked = asked
    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_known_vulnerability_is_told_and_ends_with_status_1(service, capsys):
    results = [{}, {"vulns": [{"id": "PYSEC-2020-1"}, {"id": "GHSA-1"}]}, {}, {}, {}]
    assert audit.audit(service(json.dumps({"results": results}).encode())) == 1
    assert capsys.readouterr().out == (
        "old 0.1 has known vulnerabilities: PYSEC-2020-1, GHSA-1; pin a later one.\n"
    )
    assert service.asked[0]["queries"][2] == {
        "package": {"name": "new", "ecosystem": "PyPI"},
        "version": "3.0.post1",
    }


def test_an_old_version_that_is_allowed_is_asked_for_too(service, capsys):
    results = [{}, {}, {}, {"vulns": [{"id": "GHSA-2"}]}, {"vulns": [{"id": "GHSA-3"}]}]
    assert audit.audit(service(json.dumps({"results": results}).encode())) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first == "safe 0.9 has known vulnerabilities: GHSA-2; raise its bound in pyproject.toml."
    assert second.startswith("torch 2.4 has known vulnerabilities: GHSA-3; they lie in reading its files")
    assert [query["version"] for query in service.asked[0]["queries"]] == [
        "1.0",
        "0.1",
        "3.0.post1",
        "0.9",
        "2.4",
    ]


def test_what_is_tolerated_alone_ends_with_status_0(service, capsys):
    results = [{}, {}, {}, {}, {"vulns": [{"id": "GHSA-3"}]}]
    assert audit.audit(service(json.dumps({"results": results}).encode())) == 0
    assert "torch 2.4 has known" in capsys.readouterr().out


def test_every_requirement_has_a_lower_bound_that_is_no_older_than_the_fixes_that_are_known():
    bounds = {pin.name: Version(pin.version) for pin in audit.bounds_of(audit.PROJECT.read_text("utf-8"))}
    project = hashes.project()
    lines = [
        *project["dependencies"],
        *chain(*project["optional-dependencies"].values()),
    ]
    assert {Requirement(line).name for line in lines} - bounds.keys() == {"vsclickcorrect"}
    fixed = {"aiohttp": "3.14.4", "msgpack": "1.2.3", "monai": "1.5.2", "pydicom": "3.0.2", "tqdm": "4.66.3"}
    fixed |= {"setuptools": "78.1.1"}
    assert {name: version for name, version in fixed.items() if bounds[name] < Version(version)} == {}


def test_no_known_vulnerability_ends_with_status_0(service, capsys):
    assert audit.audit(service(json.dumps({"results": [{}] * 5}).encode())) == 0
    assert capsys.readouterr().out == "None of 3 pins and 2 lower bounds has a known vulnerability.\n"


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
