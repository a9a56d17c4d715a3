"""Packages that are missing or too old, and what is said of them."""

import os
import subprocess
import sys
from subprocess import CalledProcessError
from types import SimpleNamespace

import pytest
from module_files import MODULE, ROOT


@pytest.fixture
def packages(desktop):
    from VSClickCorrectLib.panel import packages

    return packages


@pytest.fixture
def versions(packages, monkeypatch):
    """Say which versions are there; None for a package that is missing."""
    present = {"torch": "2.5.1+cpu", "safetensors": "0.5.0", "fastjsonschema": "2.22.3"}
    monkeypatch.setattr(packages, "_version", lambda name: present[name] or "")
    return present


@pytest.fixture
def torch_utils(monkeypatch):
    """The PyTorch extension; what it was asked is in ``asked``."""
    asked = []
    logic = SimpleNamespace(installTorch=lambda **question: asked.append(question))
    module = SimpleNamespace(PyTorchUtilsLogic=lambda: logic, asked=asked)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    return module


@pytest.mark.parametrize(
    ("torch", "safetensors", "unfit"),
    [
        ("2.4.0", "0.4.3", {}),
        ("2.3.1+cu121", "0.5", {"torch": "2.3.1+cu121"}),
        (None, "0.5", {"torch": ""}),
        ("2.10.0", None, {"safetensors": ""}),
        ("10.0", "1.0", {}),
    ],
)
def test_missing_and_old_packages_are_found(packages, versions, torch, safetensors, unfit):
    versions.update(torch=torch, safetensors=safetensors)
    assert packages.unfit_packages() == unfit


def test_what_is_installed_here_fits(packages):
    assert packages.unfit_packages() == {}


def install(module, said):
    return module.SlicerDesktop(None).install_packages(lambda text: said.append(str(text)))


def test_torch_is_installed_by_the_pytorch_extension_after_asking(module, versions, torch_utils, desktop):
    versions["torch"] = None
    desktop.answers += [False, True]
    assert not install(module, said := [])
    assert torch_utils.asked == []
    assert not install(module, said)
    assert torch_utils.asked == [{"torchVersionRequirement": ">=2.4"}]
    assert said == ["Not installed: torch. Nothing was begun."] * 2


def test_missing_extension_is_named(module, versions):
    versions["torch"] = None
    said = []
    assert not install(module, said)
    assert "install the extension PyTorch" in said[0]


def test_old_torch_is_not_replaced_under_a_running_slicer(module, versions, torch_utils):
    versions["torch"] = "2.2.0"
    said = []
    assert not install(module, said)
    assert "PyTorch 2.2.0 is installed, but 2.4" in said[0]
    assert torch_utils.asked == []


def test_small_packages_are_installed_together_after_asking(module, versions, desktop):
    versions.update(safetensors=None, fastjsonschema="2.1")
    seen = []

    def done():
        seen.extend(desktop.dialogs)
        versions.update(safetensors="0.5", fastjsonschema="2.22.3")

    desktop.answers += [True, done]
    assert install(module, said := [])
    assert (said, desktop.dialogs) == ([], [])
    assert "Installing safetensors, fastjsonschema" in seen[0]


@pytest.mark.parametrize(
    "error, reason",
    [
        (RuntimeError("Could not reach pypi.org\ndetails"), "Could not reach pypi.org"),
        # What slicer.util.pip_install raises where pip ends with an error.
        (CalledProcessError(1, "pip"), "Command 'pip' returned non-zero exit status 1."),
    ],
)
def test_failed_installation_says_what_to_do(module, versions, desktop, error, reason):
    def fail():
        raise error

    versions["safetensors"] = None
    desktop.answers += [True, fail]
    assert not install(module, said := [])
    assert desktop.dialogs == []
    assert said[0].startswith(f"The installation failed ({reason}): check")


def test_importing_the_module_asks_for_nothing_and_imports_nothing_heavy():
    code = """
import sys, pytest, slicer_desktop
slicer_desktop.application()
slicer_desktop.install(pytest.MonkeyPatch(), None)
import VSClickCorrect
heavy = ("torch", "SimpleITK", "scipy", "safetensors", "fastjsonschema")
print([name for name in heavy if name in sys.modules])
"""
    places = os.pathsep.join([str(MODULE), str(ROOT / "Testing" / "tools")])
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "[]"
