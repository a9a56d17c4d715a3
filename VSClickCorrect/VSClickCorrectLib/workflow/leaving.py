"""What is asked before a worklist's case is left, or taken from somebody else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from VSClickCorrectLib.errors import CaseLockedError, LockLostError
from VSClickCorrectLib.mrml.i18n import tr as _
from VSClickCorrectLib.workflow.correction import Workbench
from VSClickCorrectLib.workflow.host import Host

if TYPE_CHECKING:
    from VSClickCorrectLib.worklist.work_case import WorkCase
    from VSClickCorrectLib.worklist.worklist import Worklist


def segments_text(names: Iterable[str]) -> str:
    """Return how a question names segments, empty if there are none."""
    return _(" and ").join(_("segment '{name}'").format(name=name) for name in names)


async def may_remove_beside(host: Host, workbench: Workbench) -> bool:
    """Ask before clicks that wait and segments go, which no worklist keeps; return whether they may."""
    nodes = workbench.nodes
    if nodes is None:
        return True
    if not await _may_drop_waiting(host, workbench, nodes.name):
        return False
    # Without a correction nothing is kept of a segment that is chosen and of which no journal tells.
    told = workbench.journal.segment if workbench.journal.path is not None else None
    kept = workbench.segment if workbench.correction is not None else told
    segments = segments_text(nodes.removed_with(workbench.segment[0], kept))
    question = _(
        "What was drawn beside the mask of case {case} is not kept with it and goes from the scene: "
        "{segments}. To keep it, cancel and save it to a file first. Go on?"
    )
    return not segments or await host.confirm(question.format(case=nodes.name, segments=segments))


async def _may_drop_waiting(host: Host, workbench: Workbench, case: str) -> bool:
    # Of cases that no worklist keeps, `Unsaved` asks.
    kept = workbench.correction is not None and workbench.journal.path is not None
    waiting = len(workbench.under_way.pending) if kept else 0
    question = _(
        "Clicks on case {case} that wait: {count}. They are not part of its mask and go with it; to keep "
        "them, cancel and apply them first. Go on?"
    )
    return not waiting or await host.confirm(question.format(case=case, count=waiting))


async def gives_up(host: Host, lost: LockLostError) -> bool:
    """Ask whether to leave a case that somebody else has taken over."""
    question = _(
        "{error} Leave it? What was done since then is in this window alone; to keep it, cancel and save "
        "the segment to a file first."
    )
    return await host.confirm(question.format(error=lost.sentence))


async def taken(host: Host, worklist: Worklist, name: str) -> WorkCase | None:
    """Open a case by name, after a question if somebody else has it; None if it is left to them."""
    try:
        return worklist.go_to(name)
    except CaseLockedError as locked:
        question = _(
            "Case {case} is open with {holder}. Take it over? What they did until now is kept; what they "
            "go on to do is not."
        )
        if not await host.confirm(question.format(case=locked.case, holder=locked.holder)):
            return None
        return worklist.go_to(name, take_over=True)
