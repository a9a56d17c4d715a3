"""Every package that is needed is under a permissive licence, or named as an exception with its reason."""

import sys
from email.message import Message

import licences
import pytest


def test_every_package_is_permissive_or_a_named_exception():
    found = licences.licences()
    assert {"torch", "numpy", "fastjsonschema", "trame-slicer", "ruff"} <= found.keys()
    others = {name for name, licence in found.items() if not licences.is_permissive(licence)}
    assert others == set(licences.EXCEPTIONS)


@pytest.mark.skipif(
    sys.version_info < (3, 11) or sys.platform != "linux", reason="other packages are installed there"
)
def test_page_is_up_to_date():
    written = licences.DOCUMENT.read_text(encoding="utf-8")
    assert written == licences.document(), "run: python Testing/tools/licences.py"


@pytest.mark.parametrize(
    ("licence", "permissive"),
    [
        ("MIT", True),
        ("Apache-2.0 AND (MIT OR GPL-3.0-only)", True),
        ("MIT AND GPL-3.0-only", False),
        ("LGPL-3.0-only OR GPL-2.0-only", False),
        ("none", False),
        ("Free for academic use", False),
    ],
)
def test_licence_is_permissive_if_each_part_of_it_can_be(licence, permissive):
    assert licences.is_permissive(licence) is permissive


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ({"License-Expression": "MIT", "License": "GPL"}, "MIT"),
        ({"License": "Apache 2.0", "Classifier": "License :: OSI Approved :: MIT License"}, "Apache-2.0"),
        ({"License": "The text\nof it", "Classifier": "License :: OSI Approved :: BSD License"}, "BSD"),
        ({"License": "Free for academic use"}, "Free for academic use"),
        ({}, "none"),
    ],
    ids=str,
)
def test_licence_is_what_the_package_says(said, licence):
    found = Message()
    for header, text in said.items():
        found[header] = text
    assert licences.licence_of(found) == licence
