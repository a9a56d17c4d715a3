"""The strip of slices under the views, with its slider."""

from __future__ import annotations

from trame.widgets.html import Button, Div, Input, Span

from VSClickCorrectLib.app.logic.strip_logic import StripLogic
from VSClickCorrectLib.app.logic.views_logic import ViewsLogic


def strip_ui(strip: StripLogic, views: ViewsLogic) -> None:
    """Build the strip; a press on a bar shows its slice."""
    name, view = strip.typed_state.name, views.typed_state.name
    with Div(classes="vs-strip", id="strip"):
        Span(f"Slice {{{{ {view.slice} }}}} / {{{{ {view.slices} }}}}", classes="vs-slice", id="slice")
        with Div(classes="vs-bars"):
            with Button(
                v_for=f"(height, index) in {name.heights}",
                key="index",
                classes=(f"'vs-bar' + (index + 1 === {view.slice} ? ' vs-current' : '')",),
                tabindex="-1",
                title=("'Slice ' + (index + 1)",),
                click=f"{view.slice} = index + 1",
            ):
                Div(classes="vs-area", style=("{height: height + '%'}",))
                Div(
                    v_for=f"(kind, n) in {name.kinds}[index]",
                    key="n",
                    classes=("'vs-dot vs-' + kind",),
                    style=("{bottom: (2 + 6 * n) + 'px'}",),
                )
            Input(
                type="range",
                min="1",
                max=(view.slices,),
                value=(view.slice,),
                input=f"{view.slice} = Number($event.target.value)",
                classes="vs-slider",
                id="slice-slider",
                aria_label="Axial slice",
            )
