"""What the page draws over a slice view: scale bar, lines in which others cut it, and distances."""

from __future__ import annotations

from trame.widgets.html import Button, Div, Span, Svg, Template
from trame_client.widgets.core import AbstractElement

from VSClickCorrectApp.logic.overlay_logic import OverlayState

_ENDS = ("x1", "y1", "x2", "y2")


def overlay_ui(state: OverlayState, bare: str, view: str) -> None:
    """Build what lies over a view.

    Parameters
    ----------
    state : OverlayState
        What the page calls its values.
    bare : str
        What the page calls whether nothing is to lie over the images.
    view : str
        The view's name.
    """
    scale = f"{state.scales}['{view}']"
    with Div(v_if=(scale,), classes="vs-scale", style=(f"{{width: {scale}?.width + '%'}}",)):
        Span(f"{{{{ {scale}.text }}}}")
    with Template(v_if=(f"!{bare}",)):
        with Svg(classes="vs-drawn"):
            _line("cut", f"{state.cuts}['{view}']", "'vs-cut vs-' + cut.plane.toLowerCase()")
            _line("distance", f"{state.distances}['{view}']", "'vs-distance'")
        with Button(
            v_for=f"distance in {state.distances}['{view}'] || []",
            key="distance.number",
            classes="vs-length",
            style=("{left: distance.x2, top: distance.y2}",),
            title="Remove this distance (Delete removes the last)",
            raw_attrs=[
                ":aria-label=\"'Remove the distance ' + distance.text\"",
                "@click=\"trigger('vs_unmeasure', [distance.number])\"",
                "@dblclick.stop",
            ],
        ):
            Span("{{ distance.text }}")


def _line(item: str, items: str, classes: str) -> None:
    ends = [f':{end}="{item}.{end}"' for end in _ENDS]
    AbstractElement(
        "line", raw_attrs=[f'v-for="({item}, n) in {items} || []"', ':key="n"', f':class="{classes}"', *ends]
    )
