"""The panel's part for looks."""

from __future__ import annotations

from trame.widgets.html import Div, Span
from trame.widgets.vuetify3 import VBtn, VRangeSlider, VSlider, VSwitch

from VSClickCorrectLib.app.logic.display_logic import SEQUENCES, DisplayLogic
from VSClickCorrectLib.app.ui.parts import attributes
from VSClickCorrectLib.workflow.keys import key_of

_TITLES = {"t1ce": "T1ce window", "t2": "T2 window"}
_SWITCHES = {
    "fill": f"Fill ({key_of('fill')})",
    "outline": "Outline",
    "start": f"Start outline ({key_of('start')})",
    "clicks": f"Clicks ({key_of('markers')})",
    "crosshair": f"Crosshair ({key_of('crosshair')})",
}


def display_ui(display: DisplayLogic) -> None:
    """Build windows, opacity and switches."""
    name = display.typed_state.name
    for sequence in SEQUENCES:
        window, limits = (getattr(name, f"{sequence}_{part}") for part in ("window", "limits"))
        there = f"{name.sequences}.includes('{sequence}')"
        with Div(v_if=(there,), classes="vs-row"):
            Span(_TITLES[sequence], classes="vs-strong")
            Span(f"{{{{ {window}.map(v => Math.round(v)).join(' – ') }}}}", classes="vs-quiet")
            Div(classes="flex-grow-1")
            VBtn(
                icon="mdi-restore",
                size="x-small",
                variant="text",
                **attributes(aria_label=f"Reset the {_TITLES[sequence]}"),
                click=(display.reset_window, f"['{sequence}']"),
            )
        VRangeSlider(
            v_if=(there,),
            v_model=(window,),
            min=(f"{limits}[0]",),
            max=(f"{limits}[1]",),
            density="compact",
            hide_details=True,
            color="primary",
            classes="mx-2",
            **attributes(aria_label=_TITLES[sequence]),
        )
    with Div(classes="vs-row"):
        Span("Opacity of the fill", classes="vs-strong")
    VSlider(
        v_model=(name.opacity,),
        min=0,
        max=1,
        step=0.05,
        density="compact",
        hide_details=True,
        color="primary",
        classes="mx-2",
        **attributes(aria_label="Opacity of the fill"),
    )
    with Div(classes="vs-switches"):
        for switch, label in _SWITCHES.items():
            VSwitch(
                v_model=(getattr(name, switch),),
                label=label,
                density="compact",
                hide_details=True,
                color="primary",
                id=f"switch-{switch}",
            )
    with Div(classes="vs-row vs-quiet"):
        Span("Zoom: right drag. Pan: middle drag. Shift and move: crosshair. Look: drag for the window.")
