"""The panel as the workflow's host: dialogs, timers and the status line of the desktop program."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.panel.desktop import Desktop
from VSClickCorrectLib.panel.packages import unfit_packages
from VSClickCorrectLib.workflow.host import Action, SteppingHost


class PanelHost(SteppingHost):
    """Answers what `workflow.host.Host` asks by what the desktop program offers.

    Parameters
    ----------
    desktop : Desktop
        The desktop program.
    say : callable
        Shows a sentence or an error.
    """

    def __init__(self, desktop: Desktop, say: Callable[[object], None]) -> None:
        self._desktop = desktop
        self.say: Callable[[object], None] = say

    def later(self, seconds: float, action: Action) -> None:
        """See `Host.later`."""
        self._desktop.later(round(1000 * seconds), action)

    async def confirm(self, question: str) -> bool:
        """See `Host.confirm`."""
        return self._desktop.confirm(question)

    def waiting(self) -> AbstractContextManager:
        """See `Host.waiting`."""
        return self._desktop.waiting()

    def has_packages(self) -> bool:
        """See `Host.has_packages`."""
        return not unfit_packages() or self._desktop.install_packages(self.say)

    def fail(self, error: VSClickError) -> None:
        """See `Host.fail`."""
        self.say(error)
