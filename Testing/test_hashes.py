"""What the make commands install: everything by hash, for every system that the packages are made for."""

import re
import sys

import hashes
import pytest

LINES = re.compile(r"^(\S+)==(\S+)((?: ; .+?)?)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def entries(extra):
    """The name, version, marker and hashes of every package of a file."""
    text = (hashes.FOLDER / f"{extra}.txt").read_text(encoding="utf-8")
    found = LINES.findall(text)
    assert len(re.findall("^[a-z]", text, re.MULTILINE)) == len(found)
    return found


@pytest.mark.skipif(sys.version_info < (3, 11), reason="older versions are installed, which need others")
@pytest.mark.parametrize("extra", hashes.EXTRAS)
def test_every_package_is_there_as_it_is_pinned_and_with_hashes(extra):
    pins = hashes.pinned()
    expected = {
        (name, next(iter(pin.specifier)).version, f" ; {pin.marker}" if pin.marker else "")
        for name in hashes.names_for(extra)
        for pin in pins[name]
    }
    assert {entry[:3] for entry in entries(extra)} == expected
    assert hashes.UNHASHED not in {name for name, *_ in entries(extra)}


def test_compiled_packages_have_hashes_for_all_systems():
    counts = {name: found.count("sha256:") for name, _, _, found in entries("demo")}
    # At least one wheel for each of Linux, macOS and Windows, for each Python.
    assert counts["numpy"] >= 3 * 3 and counts["vtk"] >= 3 * 3 and counts["slicer-core"] >= 3


@pytest.mark.parametrize(
    ("file", "fits"),
    [
        ("a-1.0-py3-none-any.whl", True),
        ("a-1.0-py2.py3-none-any.whl", True),
        ("a-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("a-1.0-cp39-abi3-win_amd64.whl", True),
        ("a-1.0-py3-none-macosx_11_0_arm64.whl", True),
        ("a-1.0-cp39-cp39-win_amd64.whl", False),
        ("a-1.0-cp313-cp313t-win_amd64.whl", False),
        ("a-1.0-cp311-cp311-musllinux_1_2_x86_64.whl", False),
        ("a-1.0-cp311-cp311-manylinux2014_s390x.whl", False),
        ("a-1.0-pp310-pypy310_pp73-win_amd64.whl", False),
        ("a-1.0.tar.gz", False),
    ],
)
def test_wheels_are_chosen_by_what_they_run_on(file, fits):
    assert hashes.fits(file) is fits


@pytest.mark.parametrize(
    ("file", "runs"),
    [
        ("a-1.0-py3-none-any.whl", True),
        ("a-1.0-cp310-abi3-win_amd64.whl", True),
        ("a-1.0-cp314-cp314-win_amd64.whl", True),
        ("a-1.0-cp313-cp313-win_amd64.whl", False),
        ("a-1.0.tar.gz", False),
    ],
)
def test_a_python_without_a_wheel_is_known(file, runs):
    assert hashes.runs_on(file, "3.14") is runs


def test_make_installs_by_hash_and_torch_by_itself():
    makefile = (hashes.ROOT / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(r"^\t\$\(PIP\) install (.+)$", makefile, re.MULTILINE)
    assert [line for line in installs if "--require-hashes" not in line] == [
        "--constraint $(CONSTRAINTS) torch",
        "--no-deps --no-build-isolation --editable .",
    ]
