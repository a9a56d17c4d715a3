"""The worklist: cases one after the other, the same files on disk as Slicer's module writes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.errors import WorklistError
from VSClickCorrectLib.workflow.workflow import Workflow
from VSClickCorrectLib.worklist.overview import Row

from VSClickCorrectApp.page_host import PageHost


@dataclass
class WorklistState:
    """What the page knows of the worklist."""

    there: bool = False
    busy: bool = False
    current: str = ""
    progress: str = ""
    comment: str = ""
    rows: list = field(default_factory=list)


class WorklistLogic:
    """Shows the cases and how far they are.

    Parameters
    ----------
    server : Server
        Its state holds `WorklistState`.
    host : PageHost
        Binds what the page calls.
    flow : Workflow
        What is done.
    """

    def __init__(self, server: Server, host: PageHost, flow: Workflow) -> None:
        self._worklist, self._unsaved = flow.worklist, flow.unsaved
        worklist = self._worklist
        self.next, self.previous, self.go_to = (
            host.bound(self._asking(verb)) for verb in (worklist.next, worklist.previous, worklist.go_to)
        )
        # On a slow line a second press comes long after the next case, which nobody has seen yet.
        self.done, self.skip, self.no_tumour = (
            host.bound_to_shown(verb) for verb in (worklist.done, worklist.skip, worklist.no_tumour)
        )
        self.typed_state = TypedState(server.state, WorklistState)
        server.trigger("vs_comment")(host.bound(self.comment))
        worklist.changed.connect(self._update)

    def comment(self, comment: str, case: str) -> None:
        """Keep what is typed about a case; raises `WorklistError` if that one is not open any more."""
        current = self._worklist.current
        if current is None or current.name != case:
            raise WorklistError(
                f"a comment came when case {case} was closed already; open the case again to comment on it."
            )
        if comment != self._worklist.comment:
            self._worklist.comment = comment
            self._worklist.keep_comment()

    def _asking(self, verb: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine]:
        """Let a verb ask before it closes a case that a browser sent with work that stands nowhere else."""

        async def asked(*arguments: Any) -> None:
            if await self._unsaved.may_close():
                await verb(*arguments)

        return asked

    def _update(self) -> None:
        worklist, data = self._worklist, self.typed_state.data
        current = worklist.current
        data.there, data.busy = worklist.worklist is not None, worklist.busy
        data.current = current.name if current is not None else ""
        data.comment = worklist.comment if current is not None else ""
        data.progress = str(worklist.progress)
        data.rows = [
            {"name": row.case.name, "state": row.record.state.value, "more": _more(row)}
            for row in worklist.rows
        ]


def _more(row: Row) -> str:
    """Return what is to be known of a case beside its state; nothing is told to lack while others have it."""
    if row.holder:
        return f", open with {row.holder}"
    return f"; {row.note}" if row.note else ""
