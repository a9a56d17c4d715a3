"""Which corrector works, and how its proposals are used."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.clicks.merging import MERGES
from VSClickCorrectLib.workflow.correction_settings import CARRY_ALL, CorrectionSettings
from VSClickCorrectLib.workflow.workflow import Workflow

from VSClickCorrectApp.page_host import PageHost


@dataclass
class SettingsState:
    """What the page knows of them; a threshold of 0 is the model's own."""

    corrector: str = ""
    correctors: list = field(default_factory=list)
    merge: str = CorrectionSettings().merge
    threshold: float = CorrectionSettings().threshold
    carry: int = CorrectionSettings().carry
    learns: bool = False


class SettingsLogic:
    """Uses what is chosen from the next click on.

    Parameters
    ----------
    server : Server
        Its state holds `SettingsState`.
    host : PageHost
        Binds what the page calls.
    flow : Workflow
        What is done.
    """

    def __init__(self, server: Server, host: PageHost, flow: Workflow) -> None:
        self._networks, self._workbench, self._learning = flow.networks, flow.workbench, flow.learning
        self.typed_state = TypedState(server.state, SettingsState)
        host.bound(self._show)()
        name = self.typed_state.name
        self.typed_state.bind_changes(
            {
                (name.corrector, name.merge, name.threshold, name.carry): host.bound(self._use),
                name.learns: host.bound(self._learn),
            }
        )
        flow.learning.changed.connect(self._show)

    def _show(self) -> None:
        """Show what is used."""
        data, settings, choice = self.typed_state.data, self._workbench.settings, self._networks.choice
        data.correctors = choice.correctors()
        data.corrector = choice.corrector or next(iter(data.correctors), "")
        data.merge, data.threshold, data.carry = settings
        data.learns = self._learning.on

    def _learn(self, learns: Any) -> None:
        """Learn from accepted cases from now on, or no more."""
        self._learning.on = learns is True

    def _use(self, *chosen: Any) -> Coroutine[Any, Any, None] | None:
        """Use what the page has chosen; what it cannot have chosen is put back."""
        correctors = self._networks.choice.correctors()
        if not _is_offered(correctors, *chosen):
            self._show()
            return None
        corrector, merge, threshold, carry = chosen
        # The first one is what is loaded where none is named.
        named = "" if corrector == correctors[0] else corrector
        settings = CorrectionSettings(merge, float(threshold), int(carry))
        if (named, settings) == (self._networks.choice.corrector, self._workbench.settings):
            # What the page shows, it did not choose.
            return None
        self._networks.choice = self._networks.choice._replace(corrector=named)
        return self._workbench.choose(self._workbench.volumes, self._workbench.segment, settings)


def _is_offered(correctors: list[str], corrector: str, merge: str, threshold: float, carry: int) -> bool:
    known = corrector in correctors and merge in tuple(MERGES)
    return known and 0 <= threshold < 1 and 0 <= carry <= CARRY_ALL
