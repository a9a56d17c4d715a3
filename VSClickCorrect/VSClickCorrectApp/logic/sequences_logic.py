"""Which sequence each slice view shows, and how much of the other is blended into it."""

from __future__ import annotations

from dataclasses import dataclass, field

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.mrml.case_nodes import CaseNodes

from VSClickCorrectApp.layouts import SLICE_VIEWS, TWINS
from VSClickCorrectApp.logic.views_logic import ViewsLogic

T1CE, T2 = "T1ce", "T2"


@dataclass
class SequencesState:
    """What the page knows: the sequence of each view, and the share of the other one in percent."""

    of: dict = field(default_factory=dict)
    both: bool = False
    blend: int = 0


class SequencesLogic:
    """Switches and blends sequences; where a view lies stays as it is.

    Parameters
    ----------
    server : Server
        Its state holds `SequencesState`.
    views : ViewsLogic
        The views.
    """

    def __init__(self, server: Server, views: ViewsLogic) -> None:
        self._views = views
        self._volumes: dict[str, str] = {}
        self.typed_state = TypedState(server.state, SequencesState)
        self.typed_state.data.of = _as_laid_out()
        self.typed_state.bind_changes({self.typed_state.name.blend: lambda _: self._show()})
        server.trigger("vs_switch")(self.switch)

    def open(self, nodes: CaseNodes) -> None:
        """Show the sequences of a case as they are laid out."""
        volumes = {T1CE: nodes.t1ce, T2: nodes.t2}
        self._volumes = {name: node.GetID() for name, node in volumes.items() if node is not None}
        data = self.typed_state.data
        data.both = len(self._volumes) > 1
        only = None if data.both else next(iter(self._volumes))
        data.of = {view: only or sequence for view, sequence in _as_laid_out().items()}
        self._show()

    def close(self) -> None:
        """Show no case."""
        self._volumes = {}
        self.typed_state.data.both = False

    def switch(self, view: str = "") -> None:
        """Show the other sequence in a view, in all if none is named."""
        if self.typed_state.data.both:
            chosen = (view,) if view in SLICE_VIEWS else SLICE_VIEWS
            of = self.typed_state.data.of
            self.typed_state.data.of = {**of, **{name: _other(of[name]) for name in chosen}}
            self._show()

    def _show(self) -> None:
        data = self.typed_state.data
        if not self._volumes:
            return
        share = float(data.blend) / 100 if data.both else 0.0
        for name, sequence in data.of.items():
            view = self._views.view(name)
            view.set_background_volume_id(self._volumes[sequence])
            view.set_foreground_volume_id(self._volumes[_other(sequence)] if share else None)
            view.set_foreground_opacity(share)


def _as_laid_out() -> dict[str, str]:
    return {
        name: sequence for twins in TWINS.values() for name, sequence in zip(twins, (T1CE, T2), strict=True)
    }


def _other(sequence: str) -> str:
    return T2 if sequence == T1CE else T1CE
