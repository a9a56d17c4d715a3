"""The tumour's parts on the page: made, measured, and one of them chosen to be corrected."""

from __future__ import annotations

from dataclasses import dataclass, field

from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.mrml.part_segments import COLORS
from VSClickCorrectLib.mrml.segment_mask import COLOR
from VSClickCorrectLib.workflow.tumour_parts import TUMOUR, TumourParts

from VSClickCorrectApp.page_host import PageHost


@dataclass
class TumourPartsState:
    """Whether they are offered, rows of name and colour, which is corrected, what they measure."""

    offered: bool = False
    rows: list = field(default_factory=list)
    chosen: str = ""
    text: str = ""


class TumourPartsLogic:
    """Shows what `TumourParts` knows, and does what it can.

    Parameters
    ----------
    server : Server
        Its state holds `TumourPartsState`.
    host : PageHost
        Binds what the page calls.
    parts : TumourParts
        What is shown.
    """

    def __init__(self, server: Server, host: PageHost, parts: TumourParts) -> None:
        self._parts = parts
        self.make, self.correct = host.bound_to_shown(parts.make), host.bound_to_shown(parts.correct)
        self.typed_state = TypedState(server.state, TumourPartsState)
        parts.changed.connect(self._update)

    def _update(self) -> None:
        data = self.typed_state.data
        colors = {TUMOUR: COLOR, **COLORS}
        data.rows = [{"name": name, "color": _css(colors.get(name))} for name in self._parts.names]
        data.offered = self._parts.offered
        data.chosen, data.text = self._parts.chosen, self._parts.as_text()


def _css(color: tuple[float, float, float] | None) -> str:
    return "grey" if color is None else f"rgb({', '.join(str(round(255 * share)) for share in color)})"
