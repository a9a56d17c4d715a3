"""The T2 where the T1ce is, on the page."""

from __future__ import annotations

from dataclasses import dataclass

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.workflow.t2_registration import T2Registration

from VSClickCorrectApp.page_host import PageHost


@dataclass
class RegistrationState:
    """What the page knows of it.

    Registering is offered where T1ce and T2 lie on grids of their own. Once it helped, ``done`` is set, and
    ``moved`` says whether the T2 is shown as registered or as it came.
    """

    offered: bool = False
    done: bool = False
    moved: bool = False
    sentence: str = ""


class RegistrationLogic:
    """Registers the open case's T2, and shows it as registered or as it came.

    Parameters
    ----------
    server : Server
        Its state holds `RegistrationState`.
    host : PageHost
        Binds what the page calls.
    registration : T2Registration
        What is done.
    """

    def __init__(self, server: Server, host: PageHost, registration: T2Registration) -> None:
        self._registration = registration
        self.register = host.bound_to_shown(registration.register)
        self.typed_state = TypedState(server.state, RegistrationState)
        self.typed_state.bind_changes({self.typed_state.name.moved: host.bound(self._show)})
        registration.changed.connect(self._update)

    def _show(self, moved: bool):
        return self._registration.show(moved) if moved != self._registration.moved else None

    def _update(self) -> None:
        registration, data = self._registration, self.typed_state.data
        data.offered, data.done, data.moved = registration.apart, registration.done, registration.moved
        data.sentence = registration.sentence if registration.apart else ""
