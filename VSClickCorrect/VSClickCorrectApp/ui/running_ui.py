"""The panel's parts for what takes seconds: the initial mask and registration."""

from __future__ import annotations

from trame.widgets.html import Div, Span
from trame.widgets.vuetify3 import VProgressLinear, VSwitch

from VSClickCorrectApp.logic.registration_logic import RegistrationLogic
from VSClickCorrectApp.logic.running_logic import RunningLogic
from VSClickCorrectApp.page_keys import key_of
from VSClickCorrectApp.ui.parts import button, explained


def running_ui(running: RunningLogic) -> None:
    """Build the progress of what runs, and cancel."""
    name = running.typed_state.name
    with Div(v_if=(name.running,), classes="vs-row", id="running"):
        with Div(classes="flex-grow-1"):
            Span(f"{{{{ {name.percent} }}}} % · {{{{ {name.message} }}}}", classes="vs-quiet")
            VProgressLinear(model_value=(name.percent,), color="primary")
        button("Cancel", "Stop; nothing is changed", click=running.cancel, variant="text", id="cancel")


def initial_ui(running: RunningLogic) -> None:
    """Build the button that finds the tumour, and the one that goes through candidates if there are any."""
    name = running.typed_state.name
    button(
        "Find the tumour",
        "Let the networks make a new mask; asks before clicks go with the present one",
        id="find",
        v_if=f"!{name.running}",
        disabled=(f"!{name.case}",),
        click=running.find,
        prepend_icon="mdi-auto-fix",
    )
    button(
        "Next candidate",
        f"Look at the next place that may be the tumour ({key_of('candidate')})",
        id="candidate",
        v_if=f"!{name.running} && {name.candidates} > 1",
        click=running.next_candidate,
        variant="text",
    )


def registration_ui(registration: RegistrationLogic, running: RunningLogic) -> None:
    """Build the button that registers the T2, and what takes it back; there only where it may be needed."""
    name, busy = registration.typed_state.name, running.typed_state.name.running
    with Div(v_if=(name.offered,), id="registration"):
        button(
            "Register the T2",
            "Move the T2 so that it lies on the T1ce; nothing is resampled",
            id="register",
            v_if=f"!{name.done}",
            click=registration.register,
            disabled=(busy,),
            prepend_icon="mdi-layers-outline",
            block=True,
        )
        with explained("Where it was found to belong, or as it came", v_if=(name.done,), classes="vs-row"):
            VSwitch(
                v_model=(name.moved,),
                label="Show the T2 as registered",
                disabled=(busy,),
                id="registered",
            )
        Div(f"{{{{ {name.sentence} }}}}", classes="vs-quiet mt-1", id="registration-text")
