"""The worklist: cases one after the other, the same files on disk as Slicer's module writes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np
from trame_server import Server
from trame_server.utils.asynchronous import create_task
from trame_server.utils.typed_state import TypedState

from VSClickCorrectLib.app.logic.measures_logic import MeasuresLogic
from VSClickCorrectLib.app.models import LazyNetworks
from VSClickCorrectLib.app.opened_case import OpenedCase
from VSClickCorrectLib.app.origin import Origin
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.app.workspace import Workspace
from VSClickCorrectLib.errors import CaseLost, CaseTaken, VSClickError
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.worklist.records import CaseState
from VSClickCorrectLib.worklist.work_case import WorkCase
from VSClickCorrectLib.worklist.worklist import Worklist

_BEAT_S = 20.0


@dataclass
class WorklistState:
    """What the page knows of the worklist; ``taken`` is a case to take over, which ``holder`` has open."""

    there: bool = False
    busy: bool = False
    current: str = ""
    progress: str = ""
    comment: str = ""
    rows: list = field(default_factory=list)
    taken: str = ""
    holder: str = ""


class WorklistLogic:
    """Opens, keeps and finishes the cases of a worklist.

    Parameters
    ----------
    server : Server
        Its state holds `WorklistState`.
    workspace : Workspace
        Where cases are opened.
    networks : LazyNetworks
        What corrects them.
    measures : MeasuresLogic
        For the volume.
    status : Status
        Told what happened.
    """

    def __init__(
        self,
        server: Server,
        workspace: Workspace,
        networks: LazyNetworks,
        measures: MeasuresLogic,
        status: Status,
    ) -> None:
        self._state = server.state
        self._workspace = workspace
        self._networks = networks
        self._measures = measures
        self._status = status
        self._worklist: Worklist | None = None
        self.typed_state = TypedState(server.state, WorklistState)
        self.typed_state.bind_changes({self.typed_state.name.comment: self._on_comment})
        workspace.changed.connect(self._reopen)
        workspace.settled.connect(self._on_changed)
        workspace.restarting.connect(self._on_restarting)

    async def begin(self, worklist: Worklist) -> None:
        """Go on with a worklist where one stopped."""
        self._worklist = worklist
        self.typed_state.data.there = True
        await self._open(worklist.resume)

    def next(self) -> None:
        """Keep the open case and open the next, in a task of its own as all that opens cases."""
        create_task(self._open(self._list.next))

    def previous(self) -> None:
        """Keep the open case and open the one before."""
        create_task(self._open(self._list.previous))

    def go_to(self, name: str) -> None:
        """Keep the open case and open another."""
        create_task(self._open(lambda: self._list.go_to(name)))

    def take_over(self) -> None:
        """Open the case that was to be opened, although somebody else has it."""
        name, self.typed_state.data.taken = self.typed_state.data.taken, ""
        create_task(self._open(lambda: self._list.go_to(name, take_over=True)))

    def done(self) -> None:
        """Write the open case's label and open the next."""
        with self._status.reporting():
            self._workspace.settle()
            self._list.done(*self._mask())
            self._workspace.close()
            create_task(self._open(self._list.next, self._list.remark))

    def skip(self) -> None:
        """Leave the open case out, for the reason in the comment, and open the next."""
        with self._status.reporting():
            self._workspace.settle()
            self._list.skip(self.typed_state.data.comment)
            self._workspace.close()
            self.next()

    async def beat(self) -> None:
        """Keep the open case's lock fresh, for as long as the server runs."""
        while True:
            await asyncio.sleep(_BEAT_S)
            if self._worklist is not None:
                with self._status.reporting():
                    self._worklist.beat()

    @property
    def current(self) -> str:
        """The name of the worklist's case that is open, empty if none is."""
        return self._worklist.current.name if self._worklist is not None and self._worklist.current else ""

    def leave(self) -> None:
        """Keep the open case, let others have it and show so."""
        if self._worklist is not None:
            self.close()
            self._show()

    def close(self) -> None:
        """Keep the open case and let others have it."""
        if self._worklist is not None:
            self._keep()
            self._worklist.close()

    @property
    def _list(self) -> Worklist:
        if self._worklist is None:
            raise VSClickError("no worklist is open; start with: vsclick app --worklist FOLDER.")
        return self._worklist

    async def _open(self, choose, remark: str = "") -> None:
        """Open the case that ``choose`` opens in the worklist; a remark on the one before stands first."""
        if self.typed_state.data.busy:
            return
        self.typed_state.data.busy = True
        with self._status.reporting():
            try:
                lost = self._let_go()
                case = choose()
                if case is None:
                    self._status.say(f"{remark} No other case is waiting: {self._list.progress()}.".strip())
                else:
                    await self._load(case, remark)
                if lost is not None:
                    self._status.fail(lost)
            except CaseTaken as taken:
                self.typed_state.data.taken, self.typed_state.data.holder = taken.case, taken.holder
            finally:
                self.typed_state.data.busy = False
                self._show()
        self._state.flush()

    async def _load(self, case: WorkCase, remark: str) -> None:
        self._workspace.close()
        self._status.say(f"Reading case {case.name} …")
        self._show()
        self._state.flush()
        opened = await asyncio.to_thread(self._read, case)
        if self._list.current is not case:
            return
        self._workspace.open(opened, self._list.journal_path, self._list.journal_guard)
        self._workspace.correct(await self._networks.get())
        ready = opened.with_remarks(f"Case {case.name} is ready.")
        self._status.say(f"{remark} {ready}".strip())

    def _read(self, case: WorkCase) -> OpenedCase:
        case_on_one_grid = self._list.load()
        t2 = case.read("t2")
        mask = self._list.saved_mask(case_on_one_grid.grid, case_on_one_grid)
        origin = Origin(case.t1ce or case.t2)
        return OpenedCase(case.name, case_on_one_grid.t1ce, t2, mask, origin).checked()

    def _let_go(self) -> CaseLost | None:
        """Keep the open case's mask; return why what was done cannot be kept where somebody took it over."""
        try:
            self._keep()
        except CaseLost as error:
            return error
        return None

    def _keep(self) -> None:
        if self._workspace.nodes is not None and self._worklist is not None and self.current:
            self._workspace.settle()
            self._worklist.keep(*self._mask())

    def _mask(self) -> tuple[np.ndarray, Grid, str]:
        """Return the mask that is shown, its grid and whose it is."""
        nodes = self._workspace.case
        return nodes.mask.read(nodes.mask.grid.box), nodes.mask.grid, nodes.name

    def _on_changed(self) -> None:
        correction = self._workspace.correction
        if self._worklist is None or self._worklist.current is None or correction is None:
            return
        with self._status.reporting():
            self._worklist.work()
            self._worklist.update(
                clicks=len(correction.session.clicks),
                rounds=correction.session.round,
                volume_mm3=self._measures.volume_mm3,
                models=[correction.session.corrector.identity],
            )

    def _reopen(self) -> None:
        """Call a finished case one in work with its first new click, before the views have drawn it."""
        correction = self._workspace.correction
        if self._worklist is None or self._worklist.current is None or correction is None:
            return
        record, clicks = self._worklist.record(self.current), len(correction.session.clicks)
        if record.state is CaseState.DONE and clicks != record.clicks:
            with self._status.reporting():
                self._worklist.update(clicks=clicks)

    def _on_restarting(self) -> None:
        if self._worklist is not None and self._worklist.current is not None:
            self._worklist.start_over()

    def _on_comment(self, comment: str) -> None:
        if self._worklist is not None and self._worklist.current is not None:
            with self._status.reporting():
                self._worklist.update(comment=comment)

    def _show(self) -> None:
        data, current = self.typed_state.data, self._list.current
        data.current = current.name if current else ""
        data.comment = self._list.record(current.name).comment if current else ""
        data.progress = str(self._list.progress())
        data.rows = [
            {"name": row.case.name, "state": row.record.state.value, "holder": row.holder}
            for row in self._list.rows()
        ]
