"""Installing the Python packages that networks need, after asking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from subprocess import CalledProcessError

import slicer
from slicer.i18n import tr as _

from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.panel.packages import failure, no_extension, requirement, too_old, unfit_packages

Confirm = Callable[[str], bool]


def install_packages(confirm: Confirm, say: Callable[[object], None]) -> bool:
    """Ask for what is missing or too old, install it, and return whether everything is there now.

    Parameters
    ----------
    confirm : callable
        Asks a question and returns whether the answer is yes.
    say : callable
        Shows a sentence or an error.
    """
    unfit = unfit_packages()
    try:
        if "torch" in unfit:
            _install_torch(unfit["torch"], confirm)
        small = [package for package in unfit if package != "torch"]
        question = _(
            "The models are read with small Python packages, under 1 MB together: {packages}. Install now?"
        )
        if small and confirm(question.format(packages=", ".join(small))):
            with _installing(", ".join(small)):
                slicer.util.pip_install([f"{package}{requirement(package)}" for package in small])
    except VSClickError as error:
        say(error)
        return False
    # pip ended with an error, or PyTorchUtils gave up: its own words are in Slicer's log.
    except (CalledProcessError, RuntimeError, OSError, ValueError, ImportError) as error:
        say(failure(str(error)))
        return False
    missing = unfit_packages()
    if missing:
        say(_("Not installed: {packages}. Nothing was begun.").format(packages=", ".join(missing)))
    return not missing


def _install_torch(present: str, confirm: Confirm) -> None:
    if present:
        raise too_old(present)
    try:
        import PyTorchUtils
    except ModuleNotFoundError:
        raise no_extension() from None
    question = _(
        "The networks run on PyTorch, which is not installed yet. Download and install it now? It takes "
        "some minutes and between 200 MB and 3 GB, more with a graphics card than without."
    )
    if confirm(question):
        with _installing("PyTorch"):
            PyTorchUtils.PyTorchUtilsLogic().installTorch(torchVersionRequirement=requirement("torch"))


@contextmanager
def _installing(package: str) -> Iterator[None]:
    """Show that something is going on; nobody knows how long a download takes."""
    dialog = slicer.util.createProgressDialog(
        windowTitle=_("VS Click Correct"),
        labelText=_("Installing {package}; PyTorch takes some minutes.").format(package=package),
        maximum=0,
    )
    dialog.setCancelButton(None)
    try:
        slicer.app.processEvents()
        yield
    finally:
        dialog.close()
        dialog.deleteLater()
