"""Initial masks of the cases to come, made while the reader works on another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from VSClickCorrectLib.errors import Cancelled, ImageError, VSClickError
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.jobs.prepared import is_up_to_date
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Host
from VSClickCorrectLib.workflow.jobs import JobRunner, job_class
from VSClickCorrectLib.workflow.tasks import preparation_of
from VSClickCorrectLib.workflow.worklist_tools import WorklistFlow
from VSClickCorrectLib.worklist.overview import waiting_without_mask

if TYPE_CHECKING:
    from VSClickCorrectLib.jobs.job import Job
    from VSClickCorrectLib.jobs.prepared import Preparation
    from VSClickCorrectLib.worklist.worklist import Worklist


# A reader is rarely faster than this; more would be made in vain where the day ends.
AHEAD = 3
# Once a case has opened, its own views come first.
REST_S, POLL_S = 1.0, 0.5


class MasksAhead:
    """Makes the initial masks of the next cases of a worklist, one at a time, in a child process.

    Whatever the reader starts comes first: this work stops then and begins anew afterwards. It begins once
    the networks are loaded, so that nobody is asked to install anything for it.

    Parameters
    ----------
    host : Host
        Told if masks cannot be made or kept, once a worklist.
    workbench : Workbench
        Knows the networks.
    jobs : JobRunner
        What the reader has started.
    flow : WorklistFlow
        The worklist; takes a mask whose case was opened meanwhile.
    """

    def __init__(self, host: Host, workbench: Workbench, jobs: JobRunner, flow: WorklistFlow) -> None:
        self._host, self._workbench, self._jobs, self._flow = host, workbench, jobs, flow
        self._worklist: Worklist | None = None
        self._job: Job[InitialMask] | None = None
        self._working = False
        # Cases of no use, or all if None: what they lack is told when they are opened.
        self._given_up: set[str] | None = set()
        flow.changed.connect(self.follow)
        jobs.changed.connect(self.follow)

    def follow(self) -> None:
        """Begin, go on or stop, as worklist and reader want it."""
        if self._flow.worklist is not self._worklist:
            self._worklist, self._given_up = self._flow.worklist, set()
            self._stop()
        if self._jobs.busy:
            self._stop()
        elif not self._working and self._may_work():
            self._working = True
            self._host.later(REST_S, lambda: self._host.start(self._work()))

    def _stop(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _may_work(self) -> bool:
        loaded = self._workbench.networks.is_loaded()
        return self._worklist is not None and loaded and not self._flow.busy and not self._jobs.busy

    async def _work(self) -> None:
        try:
            while (preparation := self._next()) is not None:
                initial = await self._made(preparation)
                if initial is not None:
                    await self._flow.take(preparation.case, initial)
        finally:
            self._working = False

    def _next(self) -> Preparation | None:
        worklist, choice = self._worklist, self._workbench.networks.choice
        if worklist is None or self._given_up is None or not self._may_work():
            return None
        with self._told_once():
            for case in islice(waiting_without_mask(self._flow.rows, self._flow.current), AHEAD):
                preparation = preparation_of(worklist, case, choice)
                if case.name not in self._given_up and not is_up_to_date(preparation):
                    return preparation
        return None

    async def _made(self, preparation: Preparation) -> InitialMask | None:
        with self._told_once():
            job = self._job = job_class().start_preparation(preparation)
            try:
                while not job.poll().done:
                    await self._host.pause(POLL_S)
                return job.result()
            except Cancelled:
                pass
            except ImageError:
                self._give_up(preparation.case)
            finally:
                if self._job is job:
                    self._job = None
        return None

    @contextmanager
    def _told_once(self) -> Iterator[None]:
        """Tell what would go wrong with every case, and make no more masks for this worklist."""
        try:
            yield
        except VSClickError as error:
            self._given_up = None
            self._host.fail(error)

    def _give_up(self, case: str) -> None:
        if self._given_up is not None:
            self._given_up.add(case)
