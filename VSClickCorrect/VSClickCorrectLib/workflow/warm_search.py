"""A search that begins at once: its process is there before anybody asks for the tumour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from VSClickCorrectLib.errors import VSClickError, passed_over
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Debounced, Host
from VSClickCorrectLib.workflow.jobs import JobRunner

if TYPE_CHECKING:
    from VSClickCorrectLib.jobs.warm import WarmChild


# The images are drawn first.
_SHOWN_S = 1.0


class WarmSearch:
    """Keeps one `WarmChild` while images are shown without anything to correct: they want a search.

    Parameters
    ----------
    host : Host
        Gives the time.
    workbench : Workbench
        What is shown, and the networks.
    jobs : JobRunner
        Where something is computed, that comes first.
    """

    def __init__(self, host: Host, workbench: Workbench, jobs: JobRunner) -> None:
        self._workbench, self._jobs = workbench, jobs
        self._child: WarmChild | None = None
        self._begin_soon = Debounced(host, _SHOWN_S, self._begin)
        workbench.chosen.connect(self.follow)
        workbench.changed.connect(self.follow)

    def follow(self) -> None:
        """Begin once what is shown wants a search."""
        if self._wanted():
            self._begin_soon()

    def take(self) -> WarmChild | None:
        """Give the child away, if there is one."""
        child, self._child = self._child, None
        return child

    def close(self) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            self._child.end()
            self._child = None

    @property
    def _choice(self) -> Choice:
        return self._workbench.networks.choice

    def _wanted(self) -> bool:
        workbench = self._workbench
        # One that has died, for lack of packages say, would die again.
        tried = self._child is not None and self._child.choice == self._choice
        return not tried and not self._jobs.busy and any(workbench.volumes) and workbench.is_blank

    def _begin(self) -> None:
        if self._wanted():
            # As of any job, its machinery comes with the first; see `workflow.jobs.job_class`.
            from VSClickCorrectLib.jobs.warm import WarmChild

            self.close()
            # Whoever searches is told why it cannot be.
            with passed_over("no search was made ready", VSClickError):
                self._child = WarmChild(self._choice)
