"""Which corrector works, and how its proposals are used."""

from __future__ import annotations

from dataclasses import dataclass, field

from trame_server import Server
from trame_server.utils.typed_state import TypedState

from VSClickCorrectLib.app.host import PageHost
from VSClickCorrectLib.workflow.correction import CorrectionSettings
from VSClickCorrectLib.workflow.workflow import Workflow


@dataclass
class SettingsState:
    """What the page knows of them; a threshold of 0 is the model's own."""

    corrector: str = ""
    correctors: list = field(default_factory=list)
    merge: str = CorrectionSettings().merge
    threshold: float = CorrectionSettings().threshold
    carry: int = CorrectionSettings().carry


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
        self._networks, self._workbench = flow.networks, flow.workbench
        self.typed_state = TypedState(server.state, SettingsState)
        host.bound(self._list)()
        name = self.typed_state.name
        self.typed_state.bind_changes(
            {
                name.corrector: host.bound(self._use_corrector),
                (name.merge, name.threshold, name.carry): host.bound(self._use),
            }
        )

    def _list(self) -> None:
        choice, data = self._networks.choice, self.typed_state.data
        data.correctors = choice.correctors()
        data.corrector = choice.corrector or next(iter(data.correctors), "")

    def _use_corrector(self, corrector: str):
        if corrector == next(iter(self.typed_state.data.correctors), ""):
            # The first one is what is loaded where none is named.
            corrector = ""
        if corrector == self._networks.choice.corrector:
            return None
        self._networks.choice = self._networks.choice._replace(corrector=corrector)
        return self._workbench.follow()

    def _use(self, merge: str, threshold: float, carry: int):
        settings = CorrectionSettings(merge, float(threshold), int(carry))
        if settings == self._workbench.settings:
            return None
        return self._workbench.choose(self._workbench.volumes, self._workbench.segment, settings)
