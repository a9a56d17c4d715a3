"""The strip of slices under the views, with its slider."""

from __future__ import annotations

from trame.widgets.html import Button, Div, Input, Span

from VSClickCorrectApp.logic.doubt_logic import DoubtLogic
from VSClickCorrectApp.logic.strip_logic import StripLogic
from VSClickCorrectApp.logic.views_logic import ViewsLogic
from VSClickCorrectApp.page_keys import key_of
from VSClickCorrectApp.ui.parts import attributes

_MOST_DOTS = 5


def strip_ui(strip: StripLogic, views: ViewsLogic, doubt: DoubtLogic) -> None:
    """Build the strip; a press on a bar shows its slice."""
    name, view = strip.typed_state.name, views.typed_state.name
    with Div(classes="vs-strip", id="strip"):
        Span(f"Slice {{{{ {view.slice} }}}} / {{{{ {view.slices} }}}}", classes="vs-slice", id="slice")
        with Div(classes="vs-bars"):
            with Button(
                v_for=f"(height, index) in {name.heights}",
                key="index",
                classes=(f"'vs-bar' + (index + 1 === {view.slice} ? ' vs-current' : '')",),
                title=("'Slice ' + (index + 1)",),
                click=f"{view.slice} = index + 1",
                # The slider does the same, with one stop of the Tab key.
                **attributes(tabindex="-1"),
            ):
                Div(classes="vs-area", style=("{height: height + '%'}",))
                Div(
                    v_if=f"{doubt.typed_state.name.slices}.includes(index + 1)",
                    classes="vs-doubt",
                    title="Doubtful place",
                )
                Div(
                    # More do not fit into the strip's height.
                    v_for=f"(kind, n) in {name.kinds}[index].slice(-{_MOST_DOTS})",
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
                title=f"Slice ({key_of('up').replace('Page', 'Page ')}, "
                f"{key_of('down').replace('Page', 'Page ')})",
                **attributes(aria_label="Slice"),
            )
