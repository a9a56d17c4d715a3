"""The networks learn from a worklist's accepted cases, beside the reader's work, if it was switched on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from VSClickCorrectLib.errors import Cancelled, ModelError, VSClickError, passed_over
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.jobs import job_class
from VSClickCorrectLib.workflow.observable import Signal
from VSClickCorrectLib.workflow.tasks import accepted_rows, adaptation_of
from VSClickCorrectLib.workflow.worklist_tools import WorklistFlow
from VSClickCorrectLib.worklist.overview import Row

if TYPE_CHECKING:
    from VSClickCorrectLib.jobs.job import Job
    from VSClickCorrectLib.jobs.learning_task import Adapted
    from VSClickCorrectLib.worklist.worklist import Worklist


# It learns anew after so many more accepted cases.
EVERY = 5
# Once a case has opened, its own views come first.
REST_S, POLL_S = 2.0, 1.0


class Learning:
    """Adapts the networks in a child process, one at a time, that takes what others leave of the processor.

    What was kept, now or at an earlier time, is used from the next case on. Switching it off, or closing the
    worklist, ends what is under way; the versions that there are stay, and are chosen and left like any other
    corrector.

    Parameters
    ----------
    host : Host
        Told what came of it.
    workbench : Workbench
        Knows the networks.
    flow : WorklistFlow
        The worklist.
    """

    def __init__(self, host: Host, workbench: Workbench, flow: WorklistFlow) -> None:
        self._host, self._networks, self._flow = host, workbench.networks, flow
        self._on = self._taken_up = False
        self._worklist: Worklist | None = None
        self._job: Job[Adapted] | None = None
        # How many times `EVERY` cases were accepted when it learned last, or the worklist was opened.
        self._learned = 0
        # Another version is offered, or it was switched on or off.
        self.changed = Signal()
        flow.changed.connect(self.follow)

    @property
    def on(self) -> bool:
        """Whether accepted cases are learned from; not, until somebody says so."""
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        if on != self._on:
            self._on, self._taken_up = on, False
            self.follow()
            self.changed.emit()

    @property
    def busy(self) -> bool:
        """Whether it is learning at the moment."""
        return self._job is not None

    def follow(self) -> None:
        """Begin or stop, as the switch and the worklist want it."""
        if self._flow.worklist is not self._worklist:
            self._stop()
            self._worklist = self._flow.worklist
            self._learned = _fives(self._worklist, self._worklist.rows()) if self._worklist else 0
        worklist = self._worklist
        if not self._on:
            self._stop()
        elif worklist is not None and self._networks.is_loaded() and not self._flow.busy:
            # Whoever learns, or loads a network, is told why it cannot be.
            with passed_over("what was learned was not taken up", ModelError):
                self._take_up()
            due = _fives(worklist, self._flow.rows)
            if not self.busy and due > self._learned:
                self._learned = due
                self._host.later(REST_S, lambda: self._host.start(self._learn(worklist)))

    def _take_up(self) -> None:
        """Use the newest version of the released corrector that is chosen, once it was switched on."""
        if self._taken_up:
            return
        self._taken_up = True
        choice = _offered(self._networks.choice)
        chosen = choice.models
        if choice.corrector in chosen.adapted:
            return
        corrector = chosen.entry("corrector")
        versions = [ModelFolder(choice.path, name) for name in chosen.adapted]
        newest = [one.version for one in versions if one.released(one.entry("corrector")) == corrector]
        if newest:
            choice = choice._replace(corrector=newest[-1])
        if choice != self._networks.choice:
            self._networks.choice = choice
            self.changed.emit()

    def _stop(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None

    async def _learn(self, worklist: Worklist) -> None:
        # It may have been closed meanwhile, or learning switched off.
        if worklist is not self._worklist or not self._on or self.busy:
            return
        choice = self._networks.choice
        job = self._job = job_class().start_adaptation(
            adaptation_of(worklist, choice.folder, _offered(choice).corrector)
        )
        try:
            while not job.poll().done:
                await self._host.pause(POLL_S)
            adapted = job.result()
        except Cancelled:
            return
        except VSClickError as error:
            self._host.fail(error)
            return
        finally:
            if self._job is job:
                self._job = None
        self._take(adapted, choice.corrector)

    def _take(self, adapted: Adapted, began_with: str) -> None:
        """Use what was kept, unless the reader has chosen another corrector meanwhile that is still there."""
        choice = self._networks.choice
        if adapted.name and (choice.corrector == began_with or _is_gone(choice)):
            self._networks.choice = choice._replace(corrector=adapted.name)
        self._host.say(
            _("{sentence} It is used from the next case on.").format(sentence=adapted.sentence)
            if adapted.name
            else adapted.sentence
        )
        self.changed.emit()


def _is_gone(choice: Choice) -> bool:
    """Whether what is chosen is no longer offered: of what has learned only the newest are kept."""
    return bool(choice.corrector) and choice.corrector not in choice.correctors()


def _offered(choice: Choice) -> Choice:
    """Return what is chosen, the first corrector where that is gone; raises `ModelError`."""
    return choice._replace(corrector="") if _is_gone(choice) else choice


def _fives(worklist: Worklist, rows: Sequence[Row]) -> int:
    """Return how many times `EVERY` cases a worklist's reader has accepted."""
    return len(accepted_rows(rows, worklist.annotator)) // EVERY
