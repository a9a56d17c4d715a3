"""The panel's part for the tumour's parts: a button that makes them, their colours, what they measure."""

from __future__ import annotations

from trame.widgets.html import Div, Pre, Span
from trame.widgets.vuetify3 import VBtn, VIcon

from VSClickCorrectApp.logic.tumour_parts_logic import TumourPartsLogic
from VSClickCorrectApp.ui.parts import button, tip


def tumour_parts_ui(parts: TumourPartsLogic) -> None:
    """Build it."""
    name = parts.typed_state.name
    with Div(classes="vs-list"):
        Pre(f"{{{{ {name.text} }}}}", v_if=(name.text,), classes="vs-measures", id="parts-measures")
        with (
            Div(v_if=(f"{name.rows}.length",), classes="vs-presets"),
            VBtn(
                v_for=f"row in {name.rows}",
                key="row.name",
                click=(parts.correct, "[row.name]"),
                size="small",
                variant=(f"row.name === {name.chosen} ? 'tonal' : 'text'",),
                id=("'part-' + row.name",),
            ),
        ):
            VIcon(icon="mdi-circle", color=("row.color",), start=True)
            Span("{{ row.name }}")
            tip("Let clicks correct this one; they take no voxel of the others")
        button(
            "Parts",
            "Part the tumour where it leaves the canal, and measure what lies outside",
            v_if=(name.offered,),
            id="parts",
            click=parts.make,
            prepend_icon="mdi-call-split",
        )
